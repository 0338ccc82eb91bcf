"""The public run on THINGS: cheap parts computed anew from the public files are what the page says."""

import os

import numpy as np
import pytest

from analysis.chapters.recovery_curve.claims import THINGS_CLAIMS
from analysis.data import registry
from analysis.data.things import EMBEDDINGS
from analysis.runs import verdicts
from analysis.runs.outputs import CLAIMS, embedded

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]


def slow_accuracy(embedding, trials):
    """Share of (a, b, odd) rows in which a and b are the most similar pair, one row at a time."""
    return np.mean([embedding[a] @ embedding[b] > max(embedding[a] @ embedding[c], embedding[b] @ embedding[c])
                    for a, b, c in trials])  # fmt: skip


def trials_of(name):
    """Rows of 0-based objects, the odd one last."""
    if name == "2,171 triplets":
        return np.loadtxt(registry.public_path("things/trials_2171_humans.txt"), dtype=int)
    rows = np.loadtxt(registry.public_path("things/vice_test_triplets.csv"), dtype=int)
    return np.array([[*np.delete(row[:3], row[3] - 1), row[row[3] - 1]] for row in rows]) - 1


@pytest.mark.parametrize("trials", ["1,000 triplets", "2,171 triplets"])
@pytest.mark.parametrize("name", EMBEDDINGS)
def test_accuracy_on_people(numbers, name, trials):
    path = registry.public_path(EMBEDDINGS[name])
    table = np.load(path) if path.suffix == ".npy" else np.loadtxt(path)
    on_page = numbers["things-accuracy"].set_index(["trials", "cluster", "embedding"])["accuracy"]
    assert on_page[trials, "triplet", name] == pytest.approx(slow_accuracy(table, trials_of(trials)), abs=1e-6)


def test_leads_are_differences_of_accuracies(numbers):
    table = numbers["things-accuracy"].set_index(["trials", "cluster", "embedding"])
    for (trials, cluster, _), row in table.iterrows():
        rival = table.loc[(trials, cluster, row["rival"]), "accuracy"]
        assert row["lead"] == pytest.approx(row["accuracy"] - rival, abs=1e-6)


def test_the_curve_ends_where_the_confusion_does(numbers):
    confusion = numbers["things-confusion"].set_index("generator")
    curve = numbers["things-recovery"].set_index("n_triplets")["recovery"]
    assert np.mean([confusion.loc[name, name] for name in confusion.index]) == pytest.approx(curve.iloc[-1], abs=1e-6)
    assert confusion.sum(axis=1).to_numpy() == pytest.approx(np.ones(len(confusion)), abs=1e-6)


def test_every_public_claim_has_its_verdict(public_run):
    rows = [row for table in embedded(public_run, CLAIMS) for row in table]
    assert [row["id"] for row in rows] == [claim.id for claim in THINGS_CLAIMS]
    assert verdicts.REPRODUCED not in {row["verdict"] for row in rows}

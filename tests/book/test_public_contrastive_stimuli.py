"""The run on public data: cheap parts computed anew from the files are what the page says."""

import os

import numpy as np
import pytest
from scipy import stats

from analysis.chapters.contrastive_stimuli import people
from analysis.chapters.contrastive_stimuli.claims import PUBLIC_CLAIMS, PUBLIC_HYPOTHESES
from analysis.data import answers
from analysis.measures.agreement import fleiss_kappa
from analysis.runs import verdicts

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]
SETS = ("edge", "silhouette")


@pytest.fixture(scope="module")
def observers():
    return {name: answers.load_model_vs_human(name) for name in SETS}


def slow_agreement(table):
    """Share of agreeing pairs of observers on every stimulus, pair by pair."""
    per_stimulus = []
    for column in table.T:
        given = column[column >= 0]
        pairs = [a == b for i, a in enumerate(given) for b in given[:i]]
        per_stimulus.append(np.mean(pairs) if pairs else np.nan)
    return np.array(per_stimulus)


def slow_kappa(table):
    given = table[table >= 0]
    expected = np.square(np.unique(given, return_counts=True)[1] / given.size).sum()
    return (np.nanmean(slow_agreement(table)) - expected) / (1 - expected)


@pytest.mark.parametrize("name", SETS)
def test_kappa_of_people_and_networks(numbers, observers, name):
    on_page = numbers["people-kappas"].set_index(["set", "who", "images"])["kappa"]
    for who, table in (("networks", observers[name].networks), ("people", observers[name].humans)):
        assert on_page[name, who, "all"] == pytest.approx(slow_kappa(table.answers), abs=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_kappa_on_the_images_that_split_the_networks(numbers, observers, name):
    on_page = numbers["people-kappas"].set_index(["set", "who", "images"])["kappa"]
    both = observers[name]
    worst = np.argsort(slow_agreement(both.networks.answers), kind="stable")[:16]
    for who, table in (("networks", both.networks), ("people", both.humans)):
        assert on_page[name, who, "contrastive"] == pytest.approx(slow_kappa(table.answers[:, worst]), abs=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_rank_correlation_of_people_and_networks(numbers, observers, name):
    on_page = numbers["shared-contrast"].set_index("set")["rho"]
    columns = [slow_agreement(table.answers) for table in (observers[name].networks, observers[name].humans)]
    assert on_page[name] == pytest.approx(stats.spearmanr(*columns).statistic, abs=1e-6)


def test_kappa_of_the_imagenet_networks(numbers):
    """The least accurate five networks, from two files' worth of pair counts at a time."""
    table = answers.load_imagenet_predictions()
    assert table.left_out == {"images not in every file": 0}
    worst = table.answers[np.argsort(table.accuracies, kind="stable")[:5]]
    agreeing = [(a == b).mean() for i, a in enumerate(worst) for b in worst[:i]]
    expected = np.square(np.bincount(worst.ravel()) / worst.size).sum()
    kappa = (np.mean(agreeing) - expected) / (1 - expected)
    on_page = numbers["kappa-by-accuracy"].set_index(["bin", "stimuli"])["kappa"]
    assert on_page[0, "all"] == pytest.approx(kappa, abs=1e-6)


def test_people_on_cifar(numbers, public_run):
    counts = answers.load_cifar10h_counts()
    assert (counts.sum(1).min(), counts.sum(1).max()) == (47, 63)
    fresh, on_page = people.cifar_agreement(counts).head(1000), numbers["cifar-agreement"]
    assert (fresh["image"].to_numpy() == on_page["image"].to_numpy()).all()
    assert np.allclose(fresh["agreement"], on_page["agreement"], rtol=0, atol=1e-6)
    shown = [
        out.data.get("text/plain", "") for cell in public_run.cells for out in cell.get("outputs", []) if "data" in out
    ]
    assert any(f"{fleiss_kappa(counts):.6f}" in text for text in shown)


def test_every_public_claim_has_its_verdict(judged):
    assert set(judged) == {entry.id for entry in (*PUBLIC_CLAIMS, *PUBLIC_HYPOTHESES)}
    untested = {name for name, row in judged.items() if row["verdict"] == verdicts.NOT_TESTABLE}
    assert untested == {"kappa-objectnet", "inventory"}
    assert verdicts.REPRODUCED not in {row["verdict"] for row in judged.values()}

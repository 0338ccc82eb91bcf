"""Networks and people on the same photographs, on answers that are small enough to reason about."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.chapters.contrastive_stimuli import figures, photographs
from analysis.chapters.contrastive_stimuli.experiments import agreement
from analysis.chapters.contrastive_stimuli.photographs import PUBLISHED, ROBUST, Photographs
from analysis.measures.agreement import fleiss_kappa, stimulus_agreement
from analysis.models.study import Study

N_ROBUST, N_PUBLISHED = 6, 6


@pytest.fixture(scope="module")
def both(table):
    """People are split on the first photographs, and so are the published networks; the robust ones on others."""
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=400)
    hard = {PUBLISHED: np.arange(400) < 80, ROBUST: np.arange(400) >= 320}
    answers = [_answers(rng, labels, hard[ROBUST]) for _ in range(N_ROBUST)]
    answers += [_answers(rng, labels, hard[PUBLISHED]) for _ in range(N_PUBLISHED)]
    people = np.stack([_answers(rng, labels, hard[PUBLISHED]) for _ in range(51)])
    counts = np.stack([(people == place).sum(0) for place in range(10)], axis=1)
    groups = np.array([ROBUST] * N_ROBUST + [PUBLISHED] * N_PUBLISHED)
    return Photographs(None, table(np.stack(answers), labels), groups, counts)


def _answers(rng, labels, hard):
    wrong = rng.random(len(labels)) < np.where(hard, 0.5, 0.02)
    return np.where(wrong, rng.integers(10, size=len(labels)), labels)


def test_entropy_of_answers_in_bits():
    counts = np.array([[4, 0, 0, 0], [2, 2, 0, 0], [1, 1, 1, 1], [3, 1, 0, 0]])
    expected = stats.entropy(counts, base=2, axis=1)
    np.testing.assert_allclose(photographs.entropy(counts), expected, atol=1e-12)
    assert photographs.entropy(counts)[:3].tolist() == [0, 1, 2]


def test_people_are_split_where_published_networks_are(both):
    found = photographs.shared_contrast(both, n_splits=3).set_index("set")
    assert found.index.tolist() == ["all networks", ROBUST, PUBLISHED]
    assert found["networks"].tolist() == [12, 6, 6]
    assert found.loc[PUBLISHED, "low"] > 0.4
    assert found.loc[ROBUST, "low"] < 0.1
    assert found["with entropy"].sub(found["rho"]).abs().max() < 0.05
    assert found["people with people"].nunique() == 1


def test_the_more_people_the_more_alike_their_halves(both):
    few, many = (photographs.people_with_people(both.people * times, 2, seed=0) for times in (1, 500))
    assert 0 < few < 0.9 < many <= 1


def test_the_correlation_is_that_of_the_two_agreements(both):
    found = photographs.people_and_networks(both.networks, both.people)
    rho = stats.spearmanr(agreement(both.networks).per_stimulus, stimulus_agreement(both.people)).statistic
    assert found.value == pytest.approx(rho)
    noise = photographs.shuffled_people(both, n_runs=3)
    assert max(abs(run.value) for run in noise.runs) < 0.2


def test_the_difference_between_groups_has_the_right_sign(both):
    assert photographs.nearer(both).low > 0.3
    swapped = np.where(both.groups == ROBUST, PUBLISHED, ROBUST)
    assert photographs.nearer(both, swapped).value == pytest.approx(-photographs.nearer(both).value)
    assert len(photographs.shuffled_nearer(both, n_runs=2).runs) == 2


def test_people_agree_less_on_what_splits_networks(both):
    published = both.of(PUBLISHED)
    found = photographs.people_drop(published, both.people, 40)
    rows = np.argsort(agreement(published).per_stimulus, kind="stable")[:40]
    assert found.value == pytest.approx(fleiss_kappa(both.people) - fleiss_kappa(both.people[rows]))
    assert found.low > 0.2
    assert abs(photographs.shuffled_drop(both, 40, n_runs=1).runs[0].value) < 0.3


def test_who_takes_part_is_counted(both):
    found = photographs.described(both)
    assert found.index.tolist() == [ROBUST, PUBLISHED, "people"]
    assert found["how many"].tolist() == [6, 6, "51 to 51"]
    assert found.loc["people", "κ"] == pytest.approx(fleiss_kappa(both.people))


def test_robust_networks_of_like_accuracy_are_compared(table):
    right = {"conv-far": 0, "conv-near": 16, "conv-normal": 16, "vit-a": 16, "vit-b": 15}
    answers = np.stack([np.arange(20) >= count for count in right.values()]).astype(int)  # the label is 0
    models = pd.DataFrame({"family": "f", "motif": ["convolution"] * 3 + ["attention"] * 2, "training": ROBUST})
    models.index = [f"m{place}" for place in range(5)]
    models.loc["m2", "training"] = "normal"
    study = Study(models, {}, tuple(map(str, range(20))), table(answers, np.zeros(20, int), 2))
    assert photographs.alike_in_accuracy(study).names == ["m1", "m3", "m4"]


def test_the_sheet_tells_who_is_split(both):
    sheet = photographs.contact_sheet(both, n_shown=3)
    kinds = sheet.groupby("split", sort=False)[["agreement of networks", "agreement of people"]].mean()
    by_both, by_networks, by_people = (kinds.loc[kind] for kind in photographs.SPLIT.values())
    assert by_both.max() < 0.6
    assert by_networks.iloc[0] < 0.8 < 0.95 < by_networks.iloc[1]
    assert by_people.iloc[1] < 0.9
    first = sheet.iloc[0]
    assert first["label"] == both.networks.categories[both.networks.labels[first["photograph"]]]
    assert sum(int(part.rpartition("(")[2][:-1]) for part in first["people"].split(" | ")) == 51
    figure = figures.split_sheet(sheet, [np.zeros((4, 4, 3), np.uint8)] * len(sheet))
    assert figure.axes[0].get_title() == f"label {first['label']}"
    assert figure.axes[0].get_xlabel().startswith("networks:\n" + first["networks"].split(" | ")[0])
    plt.close("all")


def test_the_joint_histogram_counts_every_photograph(both):
    columns = agreement(both.networks).per_stimulus, stimulus_agreement(both.people)
    figure = figures.joint_agreement(*columns)
    assert np.nansum(figure.axes[0].collections[0].get_array()) == 400
    plt.close("all")

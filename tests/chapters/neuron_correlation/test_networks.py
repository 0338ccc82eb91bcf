"""Experiment 3 on tables of pairs that are made up: contrasts by hand, twins found, noise centred on nothing."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.neuron_correlation import networks
from analysis.data.answers import Predictions
from analysis.models.study import UNTRAINED, Study

NAMES = [f"{family}{number}" for family in "abc" for number in range(3)]
ALL = NAMES + [f"{name}_untrained" for name in NAMES]


@pytest.fixture(scope="module")
def study():
    """Nine networks of three families, each with an untrained twin; the later ones are the more accurate."""
    training = ["normal"] * 9 + [UNTRAINED] * 9
    models = pd.DataFrame({"family": [name[0] for name in ALL], "motif": "", "training": training}, index=ALL)
    labels = np.zeros(40, dtype=np.int64)
    answers = np.array([(np.arange(40) >= 10 + 2 * place).astype(int) for place in range(9)])
    given = Predictions(answers, labels, tuple(NAMES), tuple(map(str, range(40))), ("x", "y"), {})
    return Study(models, {}, given.stimuli, answers=given)


@pytest.fixture(scope="module")
def pairs(study):
    """Trained pairs of one family score 0.7, of two 0.4, and whatever is untrained 0.1."""
    rows = []
    for one, other in combinations(ALL, 2):
        trained = "_" not in one + other
        score = (0.7 if one[0] == other[0] else 0.4) if trained else 0.1
        rows.append([one, other, score, 0.0, score, 10])
    table = pd.DataFrame(rows, columns=["model", "other", "score", "floor", "corrected", "images"])
    return networks.with_kinds(table, study)


def test_pairs_say_what_they_compare(pairs):
    kinds = pairs.set_index(["model", "other"])[["state", "family"]]
    assert kinds.loc[("a0", "a1")].tolist() == ["trained", "same"]
    assert kinds.loc[("a0", "b1")].tolist() == ["trained", "other"]
    assert kinds.loc[("a0", "a0_untrained")].tolist() == ["mixed", "same"]
    assert kinds.loc[("a0_untrained", "c1_untrained")].tolist() == ["untrained", "other"]
    means = networks.summary(pairs).set_index(["state", "family"])["score"]
    assert means["trained", "same"] == pytest.approx(0.7)


def test_families_and_training_by_hand(pairs, study):
    families = networks.family_contrast(pairs, study, "score")
    assert (families.value, families.low) == (pytest.approx(0.3), pytest.approx(0.3))
    turned = pairs.rename(columns={"model": "other", "other": "model"})
    assert networks.family_contrast(turned, study, "score").value == pytest.approx(0.3)
    trained = networks.training_contrast(pairs)
    same = 9 / 36
    assert trained.value == pytest.approx(same * 0.6 + (1 - same) * 0.3)


def test_families_dealt_out_anew_are_not_apart(pairs, study):
    values = [networks.shuffled_contrast(pairs, study, "score", seed=seed).value for seed in range(10)]
    assert abs(np.mean(values)) < 0.1


def test_scores_with_the_most_accurate_beside_accuracy(pairs, study):
    assert networks.most_accurate(study) == "c2"
    table = networks.prediction(pairs, study, "c2", "score")
    assert table["model"].tolist() == NAMES[:-1]
    assert table.set_index("model").loc["c1", ["score", "accuracy"]].tolist() == pytest.approx([0.7, 24 / 40])
    assert networks.predicted(table).value == pytest.approx(table["score"].corr(table["accuracy"], method="spearman"))
    noise = networks.shuffled_prediction(table, seed=1)
    dealt = pd.Series(np.random.default_rng(1).permutation(table["accuracy"]))
    assert noise.value == pytest.approx(table["score"].corr(dealt, method="spearman"))


def test_tables_of_line_ups_are_stacked():
    one = pd.DataFrame({"x": [1, 2]})
    assert networks.stacked({"p": one, "q": one})["lineup"].tolist() == ["p", "p", "q", "q"]

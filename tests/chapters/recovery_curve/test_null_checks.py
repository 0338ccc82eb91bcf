"""Noise has the run's numbers and nothing to find in them, and rules that ask for an effect do not take it for one."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import geometry, null_checks, outcomes, regression, rivals, series
from analysis.chapters.recovery_curve.claims import CAUSES_HYPOTHESES, CLAIMS, HYPOTHESES
from analysis.recovery.generators import Generators
from analysis.runs.verdicts import NO_POWER, verdict

RULES = {entry.id: entry.rule for entry in (*CLAIMS, *HYPOTHESES, *CAUSES_HYPOTHESES)}
NAMES = [f"m{i}" for i in range(8)]


@pytest.fixture(scope="module")
def table():
    """With the most triplets each model wins its own answers and m0 most others; with the fewest winners are random."""
    rng = np.random.default_rng(0)
    cells = [(g, c, size, s) for g in NAMES for c in NAMES for size in (10, 100) for s in range(4)]
    table = pd.DataFrame(cells, columns=["generator", "candidate", "n_triplets", "seed"])
    own = (table.candidate == table.generator) & (table.n_triplets == 100) & (table.generator < "m5")
    first = (table.candidate == "m0") & (table.n_triplets == 100)
    return table.assign(test_accuracy=0.5 + 0.01 * rng.random(len(table)) + 0.2 * own + 0.1 * first)


def test_shuffled_winners_are_the_same_accuracies_within_each_simulation(table):
    noise = null_checks.shuffled_winners(table, 3)
    for one, other in zip(
        table.groupby(["generator", "n_triplets", "seed"]).test_accuracy,
        noise.groupby(["generator", "n_triplets", "seed"]).test_accuracy, strict=True,
    ):  # fmt: skip
        assert sorted(one[1]) == sorted(other[1])
    assert (noise.test_accuracy != table.test_accuracy).mean() > 0.7
    assert noise.equals(null_checks.shuffled_winners(table, 3))


def test_winners_at_random_are_no_curve_and_no_favourite(table):
    noise = null_checks.of_recovery(table, 100, 10)
    chance = 1 / len(NAMES)
    measured = {
        "recovery-rises": outcomes.over_models(outcomes.by_generator(table, 100) - outcomes.by_generator(table, 10)),
        "above-chance": outcomes.over_models(outcomes.by_generator(table, 100) - chance),
        "systematic-winner": rivals.systematic_winner(table, 100),
    }
    for claim, found in measured.items():
        assert RULES[claim].holds(found), claim
        assert not noise[claim].passes(RULES[claim], found), claim


def test_fewer_candidates_are_easier_for_winners_at_random_too(table):
    check = null_checks.of_recovery(table, 100, 10)["more-candidates"]
    expected = 1 / len(NAMES) - 2 / len(NAMES)
    assert np.mean([run.value for run in check.runs]) == pytest.approx(expected, abs=0.05)
    fewer = rivals.fewer_candidates(table, 100)
    found = rivals.all_against_half(fewer)
    word, _ = verdict(RULES["more-candidates"], found, same_setting=False, noise=check)
    assert word == NO_POWER


def test_where_all_is_recovered_more_candidates_have_nothing_to_lower(table):
    always = table.assign(test_accuracy=(table.candidate == table.generator).astype(float))
    fewer = rivals.fewer_candidates(always, 100)
    assert "ceiling" in rivals.limits_of_halves(fewer).reached()
    assert rivals.limits_of_halves(rivals.fewer_candidates(table, 100)).reached() == ""


def test_shares_of_winners_at_random_are_those_of_chance():
    runs = null_checks.share(8, 50).runs
    assert np.mean([run.value for run in runs]) == pytest.approx(1 / 8, abs=0.02)
    assert np.mean([run.value for run in null_checks.difference_of_shares(8, 50).runs]) == pytest.approx(0, abs=0.03)


def test_swapping_keeps_sizes_and_loses_the_direction():
    gains = pd.Series([0.1, 0.2, 0.15, 0.1, 0.12, 0.3])
    check = null_checks.swapped(gains)
    assert all(abs(run.value) <= gains.mean() + 1e-12 for run in check.runs)
    assert len({round(run.value, 9) for run in check.runs}) > 10
    assert not check.passes(RULES["flexible-predicts"], outcomes.over_models(gains))


def test_a_model_that_moves_more_the_farther_it_starts_does_so_by_arithmetic():
    rng = np.random.default_rng(1)
    before = rng.random(12)
    moved = pd.DataFrame({"before": before, "after": 0.9 + 0.01 * rng.random(12)})
    moved = moved.assign(gain=moved.after - moved.before)
    checks = null_checks.convergence(moved)
    found = outcomes.spearman_interval(moved["before"], moved["gain"])
    assert RULES["farther-moves-more"].holds(found)
    assert checks["farther-moves-more"].passes(RULES["farther-moves-more"], found)


def test_properties_of_other_models_have_no_coefficient():
    rng = np.random.default_rng(0)
    made = pd.DataFrame({"geometry_shift": rng.random(12), "effective_dimensionality": rng.random(12)},
                        index=[f"n{i:02d}" for i in range(12)])  # fmt: skip
    rows = [[g, c, 0.1 * made.geometry_shift[c] + 0.001 * rng.random(), *made.geometry_shift[[c, g]],
             *made.effective_dimensionality[[c, g]]] for g in made.index for c in made.index if g != c]  # fmt: skip
    pairs = pd.DataFrame(rows, columns=["generator", "candidate", "margin", *regression.PREDICTORS])
    named = {"candidate-shift": "candidate's shift"}
    check = null_checks.coefficients(pairs, named)["candidate-shift"]
    found = regression.coefficient(regression.coefficients(pairs, n_resamples=200), "candidate's shift", 12)
    assert RULES["candidate-shift"].holds(found)
    assert not check.passes(RULES["candidate-shift"], found)


def test_shuffled_objects_have_no_likeness():
    features = np.random.default_rng(0).normal(size=(30, 5))
    made = Generators(pd.DataFrame(), dict.fromkeys("abc", features @ features.T))
    assert geometry.pairwise_likeness(made) == pytest.approx(np.ones(3))
    assert all(abs(run.value) < 0.3 for run in null_checks.likeness(made).runs)


def test_guessing_is_worse_than_features_as_they_are():
    path = pd.DataFrame({"setting": "zero-shot", "model": list("abc"), "penalty": 1.0, "accuracy": [0.5, 0.55, 0.6]})
    assert not RULES["shrinkage-safe"].holds(null_checks.guesses(path).runs[0])


def test_ways_dealt_out_at_random_lose_no_model_as_it_moves():
    ways = [f"w{i}" for i in range(6)]
    rows = [(name, way, i / 10, name if i < 3 else "other") for name in NAMES for i, way in enumerate(ways)]
    wins = pd.DataFrame(rows, columns=["generator", "made", "shift", "winner"]).assign(resolved=True)
    rule, found = RULES["moved-farther-recovered-less"], outcomes.over_models(series.moved_and_lost(wins))
    assert found.value < -0.8
    assert null_checks.shuffled_ways(wins).passed(rule, found) <= 3

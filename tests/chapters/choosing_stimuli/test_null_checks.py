"""Noise is made of the random design alone."""

import pytest

from analysis.chapters.choosing_stimuli import experiments, null_checks
from analysis.intervals import Measured
from analysis.runs.rules import Above


def test_halves_part_the_splits():
    for one, other in null_checks._halves(["a", "b", "c", "d"]):
        assert sorted([*one, *other]) == ["a", "b", "c", "d"]
        assert len(one) == 2
    assert null_checks._halves(["a"]) == [(["a"], ["a"])]


def test_a_policy_that_saves_much_does_not_look_like_noise(cells):
    noise = null_checks.factors(cells["full", 0.5], "frozen")
    assert len(noise.runs) == 2
    assert not all(Above(0).holds(run) for run in noise.runs)


def test_one_split_against_itself_is_nothing(cells):
    table = experiments.asymptotes(cells)
    single = table[(table["train"] == "random") & (table["split"] == "0.0") & (table["transform"] == "full")]
    assert null_checks.gains(single, "identified").runs[0].value == 0


def test_shuffled_predictions_order_nothing(cells, parameters):
    noise = null_checks.order(experiments.factors(cells, parameters), n_runs=4)
    assert len(noise.runs) == 4
    assert noise.what == "predictions shuffled"


@pytest.mark.parametrize("make", [null_checks.survivals, null_checks.lift])
def test_the_others_are_measurements(cells, make):
    assert all(isinstance(run, Measured) for run in make(cells["full", 0.5]).runs)


def test_rounds_of_random_triplets_are_equally_sure(cells):
    noise = null_checks.sureness(experiments.ceilings(cells["full", 0.5]))
    assert len(noise.runs) == 2
    assert all(abs(run.value) < 0.2 for run in noise.runs)

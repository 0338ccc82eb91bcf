"""Draws by score and what makes them fair: even draws first, then no bias where plain means have one."""

import numpy as np
import pytest

from analysis.recovery.active_testing import draw_by_score, reweighted_mean

SCORES = np.random.default_rng(0).gamma(0.5, size=40)
VALUES = SCORES + 0.1 * np.random.default_rng(1).normal(size=40)  # what scores high differs from what does not


def test_draws_are_different_and_their_chances_are_those_of_the_draw():
    rows, chances = draw_by_score(SCORES, 40, 0)
    np.testing.assert_array_equal(np.sort(rows), np.arange(40))
    weights = 0.5 * SCORES / SCORES.sum() + 0.5 / 40
    for step in range(40):
        assert chances[step] == pytest.approx(weights[rows[step]] / weights[rows[step:]].sum())


def test_first_draws_come_as_often_as_their_chance_says():
    first = [draw_by_score([3.0, 1.0], 1, seed, uniform=0.2)[0][0] for seed in range(2000)]
    assert np.mean(np.array(first) == 0) == pytest.approx(0.8 * 0.75 + 0.1, abs=0.03)


def test_the_whole_pool_has_its_own_mean():
    rows, chances = draw_by_score(SCORES, 40, 0)
    assert reweighted_mean(VALUES[rows], chances, 40) == pytest.approx(VALUES.mean())


def test_reweighting_takes_the_bias_of_choosing_away():
    plain, fair = [], []
    for seed in range(3000):
        rows, chances = draw_by_score(SCORES, 10, seed)
        plain.append(VALUES[rows].mean())
        fair.append(reweighted_mean(VALUES[rows], chances, 40))
    error = np.std(fair) / np.sqrt(len(fair))
    assert abs(np.mean(fair) - VALUES.mean()) < 3.5 * error
    assert abs(np.mean(plain) - VALUES.mean()) > 20 * error


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: draw_by_score([-1.0], 1, 0), "'scores' must be finite and at least 0"),
        (lambda: draw_by_score([1.0], 2, 0), "'n' must be 0 to 1, the number of scores, got 2"),
        (lambda: draw_by_score([1.0], 1, 0, uniform=0), "'uniform' must be above 0 and at most 1, got 0"),
        (lambda: reweighted_mean([1.0], [0.5, 0.5], 3), "'values' and 'chances' must hold 1 to 3 draws, got 1 and 2"),
        (lambda: reweighted_mean([1.0], [0.0], 3), "'chances' must be above 0"),
    ],
)
def test_what_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()

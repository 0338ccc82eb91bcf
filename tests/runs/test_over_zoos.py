"""Several zoos: the mean is over zoos, whatever their own intervals are."""

import matplotlib.pyplot as plt
import pytest
from scipy import stats

from analysis.intervals import Measured
from analysis.runs import over_zoos
from analysis.runs.rules import Above

GAINS = {3: 1.0, 5: 2.0, 8: 4.5}


@pytest.fixture
def found():
    return {
        seed: {"gain": Measured(gain, gain - 9, gain + 9, ""), "loss": Measured(gain - 2, -9, 9, "")}
        for seed, gain in GAINS.items()
    }


def test_the_interval_is_over_zoos_and_not_within_them(found):
    gain = over_zoos.over_zoos(found)["gain"]
    low, high = stats.t.interval(0.95, 2, loc=2.5, scale=stats.sem(list(GAINS.values())))
    assert (gain.value, gain.low, gain.high) == pytest.approx((2.5, low, high))
    assert gain.interval == "95% t, 3 zoos"


def test_noise_is_measured_in_all_zoos_at_every_repetition():
    def nothing(run):
        return {seed: {"gain": Measured((-1) ** (run + seed), -9, 9, "")} for seed in range(4)}

    noise = over_zoos.noise_over_zoos(nothing, 3, "shuffled")["gain"]
    assert [run.value for run in noise.runs] == [0, 0, 0]
    assert noise.what == "shuffled"
    assert not noise.passes(Above(0), Measured(2.0, 1.0, 3.0, ""))


def test_a_sign_that_depends_on_the_zoo_is_named(found):
    assert over_zoos.of_either_sign(found) == "loss"
    assert over_zoos.of_either_sign({seed: {"gain": zoo["gain"]} for seed, zoo in found.items()}) == "none"


def test_every_zoo_and_the_mean_are_drawn(found):
    figure = over_zoos.figure_of(found)
    drawn = {tuple(point) for dots in figure.axes[0].collections for point in dots.get_offsets()}
    values = {round(float(x), 6) for x, _ in drawn}
    assert set(GAINS.values()) | {2.5} <= values
    assert over_zoos.long(found)["zoo"].tolist() == [3, 3, 5, 5, 8, 8]
    plt.close(figure)

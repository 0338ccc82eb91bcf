"""Ceiling and corrected score: by hand, never exceeded, reached by perfect twins."""

import numpy as np
import pytest

from analysis import attainable_ceiling, corrected_score, neuronal_correlation

SEEDS = range(5)
PENALTIES = ["index", "relative", None]


def score_all(a, b, layer_a, layer_b, **options):
    return neuronal_correlation(a, b, source_layer=layer_a, target_layer=layer_b, **options)


@pytest.mark.parametrize(
    ("source", "target", "penalty", "ceiling"),
    [
        ([0] * 20 + [1] * 20 + [2] * 20 + [3] * 20 + [4] * 20, [0, 1], "index", (1 + 1 + 1 / 2 + 1 / 3 + 1 / 4) / 5),
        ([0, 1, 2], [0, 4], "relative", (1 + 1 / 1.5 + 1) / 3),
        ([0, 1, 2], [7], "relative", (1 / 2 + 1 / 1.5 + 1) / 3),
        ([0, 1, 2], [0], "relative", (1 + 1 / 1.5 + 1 / 2) / 3),
        ([0, 5, 5, 5], [0], None, 1),
        ([0, 5, 5, 5], [0], "index", (1 + 3 / 6) / 4),
    ],
)
def test_ceiling(source, target, penalty, ceiling):
    assert attainable_ceiling(source, target, penalty=penalty) == pytest.approx(ceiling)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_no_score_exceeds_its_ceiling_and_perfect_twins_reach_it(networks, seed, penalty):
    a, b, layer_a, layer_b = networks(seed)
    ceiling = attainable_ceiling(layer_a, layer_b, penalty=penalty)
    assert score_all(a, b, layer_a, layer_b, penalty=penalty).score < ceiling
    a[:], b[:] = a[:, :1], a[:, :1]
    assert score_all(a, b, layer_a, layer_b, penalty=penalty).score == pytest.approx(ceiling, abs=1e-6)


def test_corrected_score():
    assert corrected_score(0.4, 0.4, 0.9) == 0
    assert corrected_score(0.9, 0.4, 0.9) == 1
    assert isinstance(corrected_score(0.65, 0.4, 0.9), float)
    np.testing.assert_allclose(corrected_score([0.65, 0.3], 0.4, [0.9, 0.6]), [0.5, -0.5])


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("seed", SEEDS)
def test_constant_units_lower_the_ceiling_as_they_lower_the_score_of_perfect_twins(networks, seed, penalty):
    a, b, layer_a, layer_b = networks(seed)
    a[:], b[:] = a[:, :1], a[:, :1]
    rng = np.random.default_rng(seed)
    varying_a, varying_b = rng.random(a.shape[1]) < 0.7, rng.random(b.shape[1]) < 0.2
    a[:, ~varying_a], b[:, ~varying_b] = 1, 2
    varying = {"source_varying": varying_a, "target_varying": varying_b}
    ceiling = attainable_ceiling(layer_a, layer_b, penalty=penalty, **varying)
    assert score_all(a, b, layer_a, layer_b, penalty=penalty).score == pytest.approx(ceiling, abs=1e-6)
    assert attainable_ceiling(layer_a, layer_b, penalty=penalty, source_varying=varying_a & False) == 0

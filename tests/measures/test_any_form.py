"""One set of numbers gives one answer, however it is stored, scaled or shifted."""

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

from analysis.measures.aggregation import aggregate, hierarchical_mean
from analysis.measures.cka import cka_matrix
from analysis.measures.geometry import effective_dimensionality, geometry_shift
from analysis.measures.linear_predictivity import linear_predictivity
from analysis.measures.neurons import neuronal_correlation
from analysis.measures.overall_scores import min_max
from analysis.measures.procrustes import procrustes_matrix
from analysis.measures.rsa import rsa_matrix

RNG = np.random.default_rng(0)
X, Y = np.round(RNG.normal(size=(2, 30, 12)) * 16) / 16  # exact in every floating type
MEASURES = {
    "matched units": lambda x: neuronal_correlation(x, Y).score,
    "CKA": lambda x: cka_matrix([x, Y])[0, 1],
    "debiased CKA": lambda x: cka_matrix([x, Y], debiased=True)[0, 1],
    "RSA": lambda x: rsa_matrix([x, Y])[0, 1],
    "RSA, Euclidean, Pearson": lambda x: rsa_matrix([x, Y], dissimilarity="euclidean", compare="pearson")[0, 1],
    "Procrustes": lambda x: procrustes_matrix([x, Y])[0, 1],
    "linear predictivity": lambda x: linear_predictivity(x, Y).mean,
    "geometry shift": lambda x: geometry_shift(x, Y[:12, :4]),
    "dimensionality": effective_dimensionality,
}
FORMS = {
    "big-endian": lambda x: x.astype(">f8"),
    "big-endian float32": lambda x: x.astype(">f4"),
    "reversed strides": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "every other row": lambda x: np.repeat(x, 2, axis=0)[::2],
    "Fortran order": np.asfortranarray,
    "read-only": lambda x: np.frombuffer(x.tobytes()).reshape(x.shape),
    "float16": lambda x: x.astype(np.float16),
    "long double": lambda x: x.astype(np.longdouble),
    "list": lambda x: x.tolist(),
    "data frame": pd.DataFrame,
    "needs a gradient": lambda x: torch.tensor(x, requires_grad=True) * 1,
    "bfloat16": lambda x: torch.tensor(x).to(torch.bfloat16),
    "parameter": lambda x: torch.nn.Parameter(torch.tensor(x)),
}


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_the_form_of_an_array_does_not_matter(form, measure):
    assert measure(form(X)) == pytest.approx(measure(X), abs=2e-6)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(MEASURES)), st.floats(-280, 280))
def test_the_unit_of_measurement_does_not_matter(name, exponent):
    measure = MEASURES[name]
    assert measure(X * 10.0**exponent) == pytest.approx(measure(X), abs=1e-6)


@pytest.mark.parametrize("scale", [1e-40, 1e-22, 1e30, 1e37])
@pytest.mark.parametrize("name", ["CKA", "debiased CKA", "RSA", "RSA, Euclidean, Pearson", "dimensionality"])
def test_the_unit_of_measurement_does_not_matter_in_float32(name, scale):
    measure = MEASURES[name]
    tolerance = 1e-3 if scale < 1e-37 else 1e-5  # below 1e-38 float32 has fewer digits
    assert measure((X * scale).astype(np.float32)) == pytest.approx(measure(X), abs=tolerance)


@pytest.mark.parametrize("offset", [1e6, 1e9, -1e9])
@pytest.mark.parametrize("name", sorted(set(MEASURES) - {"RSA"}))
def test_a_large_offset_costs_no_digits(name, offset):
    measure = MEASURES[name]  # correlation distances are not those of shifted units; all else is
    assert measure(X + offset) == pytest.approx(measure(X), abs=1e-6)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint32])
def test_large_integers_keep_their_differences(dtype):
    x = np.arange(48).reshape(12, 4) ** 2 % 31
    near = (x + 2**30).astype(dtype)
    y = RNG.normal(size=(12, 5))
    expected = neuronal_correlation(x, y)
    np.testing.assert_allclose(neuronal_correlation(near, y).match, expected.match, atol=1e-6)
    assert effective_dimensionality(near) == pytest.approx(effective_dimensionality(x))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.float16])
def test_narrow_scores_do_not_overflow(dtype):
    wide = pd.DataFrame({"a": [100, 0, 7], "b": [100, 90, 3], "c": [99, 1, 8]}, dtype=float)
    if dtype == np.float16:
        wide *= 600
    narrow, tree = wide.astype(dtype), {"x": ["a", "b"], "y": ["c"]}
    wide = narrow.astype(float)
    pd.testing.assert_frame_equal(hierarchical_mean(narrow, tree), hierarchical_mean(wide, tree))
    assert hierarchical_mean(narrow, tree).loc[0, "x"] == wide.loc[0, ["a", "b"]].mean()
    for method in ("mean", "z", "rank"):
        pd.testing.assert_series_equal(aggregate(narrow, method), aggregate(wide, method))
    pd.testing.assert_frame_equal(min_max(narrow), min_max(wide))


def test_the_range_of_int8_is_wider_than_int8():
    assert min_max(pd.Series([-128, 0, 127], dtype=np.int8)).tolist() == [0, 128 / 255, 1]


def exact_rho(x, y, distances):
    """Spearman's ρ of distances that are first rounded, so that what is equal in theory is equal."""
    return spearmanr(*(distances(z).round(9) for z in (x, y))).statistic


def correlation_distances(x):
    return 1 - np.corrcoef(np.asarray(x, dtype=float))[np.triu_indices(len(x), 1)]


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 12), st.integers(3, 300), st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32 - 1))
def test_distances_that_are_equal_to_within_rounding_tie(n_stimuli, n_units, dtype, seed):
    rng = np.random.default_rng(seed)
    pattern = rng.integers(0, 2, n_units) + np.arange(n_units) % 2 * 0.5
    features = [np.stack([rng.permutation(pattern) for _ in range(n_stimuli)]).astype(dtype) for _ in range(2)]
    expected = exact_rho(*features, correlation_distances)
    if np.isfinite(expected):
        assert rsa_matrix(features)[0, 1] == pytest.approx(expected, abs=1e-6)


def test_exact_ties_by_correlation_by_hand():
    """One unit each of twelve: all pairs of different stimuli are equally far apart, those of equal ones at 0."""
    rng = np.random.default_rng(1)
    first, second = (np.eye(12)[rng.integers(0, 12, 40)] * 0.1 + 0.7 for _ in range(2))
    assert rsa_matrix([first, second])[0, 1] == pytest.approx(
        exact_rho(first, second, correlation_distances), abs=1e-12
    )

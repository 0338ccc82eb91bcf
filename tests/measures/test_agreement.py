"""Agreement: invariances and bounds, slow oracles, known numbers, degenerate input."""

import tracemalloc
import warnings
from itertools import combinations

import numpy as np
import pytest
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_kappa

from analysis import agreement_from_predictions, contrastive_stimuli, count_table, fleiss_kappa, stimulus_agreement

TEXTBOOK = np.array(
    [
        [0, 0, 0, 0, 14],
        [0, 2, 6, 4, 2],
        [0, 0, 3, 5, 6],
        [0, 3, 9, 2, 0],
        [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0],
        [3, 2, 6, 3, 0],
        [2, 5, 3, 2, 2],
        [6, 5, 2, 1, 0],
        [0, 2, 2, 3, 7],
    ]
)


def slow_agreement(answers):
    """Share of agreeing pairs of answers, pair by pair."""
    given = [answer for answer in answers if answer >= 0]
    pairs = [a == b for a, b in combinations(given, 2)]
    return np.mean(pairs) if pairs else np.nan


def slow_kappa(predictions):
    observed = np.nanmean([slow_agreement(answers) for answers in predictions.T])
    given = predictions[predictions >= 0]
    expected = sum(np.mean(given == category) ** 2 for category in np.unique(given))
    return (observed - expected) / (1 - expected)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_ignores_the_order_of_models_and_category_names(draw_predictions, seed):
    predictions = draw_predictions(seed)
    rng = np.random.default_rng(seed)
    names = rng.permutation(4)
    renamed = np.where(predictions >= 0, names[predictions], -1)
    for same in (rng.permutation(predictions), renamed):
        expected, actual = agreement_from_predictions(predictions, 4), agreement_from_predictions(same, 4)
        np.testing.assert_array_equal(actual.per_stimulus, expected.per_stimulus)
        assert actual.kappa == pytest.approx(expected.kappa, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_follows_the_order_of_stimuli(draw_predictions, seed):
    predictions = draw_predictions(seed)
    order = np.random.default_rng(seed).permutation(predictions.shape[1])
    expected, actual = agreement_from_predictions(predictions, 4), agreement_from_predictions(predictions[:, order], 4)
    np.testing.assert_array_equal(actual.per_stimulus, expected.per_stimulus[order])
    assert actual.kappa == pytest.approx(expected.kappa, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_a_share_and_kappa_at_most_1(draw_predictions, seed):
    agreement = agreement_from_predictions(draw_predictions(seed), 4)
    defined = agreement.n_answers >= 2
    assert ((agreement.per_stimulus[defined] >= 0) & (agreement.per_stimulus[defined] <= 1)).all()
    assert np.isnan(agreement.per_stimulus[~defined]).all()
    assert 0.25 <= agreement.expected < 1
    assert agreement.kappa < 1


def test_unanimous_models_have_kappa_1_and_models_that_all_differ_are_below_0():
    assert agreement_from_predictions(np.tile([0, 1, 2], (5, 1)), 3).kappa == 1
    all_differ = agreement_from_predictions(np.array([[0, 1, 2], [1, 2, 0], [2, 0, 1]]), 3)
    assert (all_differ.per_stimulus == 0).all()
    assert all_differ.kappa == pytest.approx(-0.5)


@pytest.mark.parametrize("seed", range(3))
def test_independent_guesses_have_kappa_0(seed):
    guesses = np.random.default_rng(seed).integers(5, size=(20, 20_000))
    assert abs(agreement_from_predictions(guesses, 5).kappa) < 0.002


@pytest.mark.parametrize("missing", [0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_agreement_equals_counting_pairs(draw_predictions, seed, missing):
    predictions = draw_predictions(seed, missing=missing)
    expected = [slow_agreement(answers) for answers in predictions.T]
    counts = count_table(predictions, 4)
    np.testing.assert_allclose(stimulus_agreement(counts), expected, rtol=1e-14)
    assert fleiss_kappa(counts) == pytest.approx(slow_kappa(predictions), abs=1e-12)


@pytest.mark.parametrize("shape", [(2, 30, 2), (40, 500, 12), (7, 90, 1000)])
def test_kappa_equals_statsmodels_for_equal_raters(draw_predictions, shape):
    n_models, n_stimuli, n_categories = shape
    predictions = draw_predictions(0, n_models, n_stimuli, n_categories, missing=0)
    table, _ = aggregate_raters(predictions.T, n_categories)
    np.testing.assert_array_equal(count_table(predictions, n_categories), table)
    expected = statsmodels_kappa(table)
    assert fleiss_kappa(table) == pytest.approx(expected, abs=1e-12)
    assert agreement_from_predictions(predictions, n_categories).kappa == pytest.approx(expected, abs=1e-12)


def test_textbook_table():
    expected = [1, 0.253, 0.308, 0.440, 0.330, 0.462, 0.242, 0.176, 0.286, 0.286]
    np.testing.assert_allclose(stimulus_agreement(TEXTBOOK), expected, atol=5e-4)
    assert fleiss_kappa(TEXTBOOK) == pytest.approx(0.210, abs=5e-4)


def test_unequal_raters_by_hand():
    """p = 1, 1/3 and undefined; P_e takes all 6 answers, 4 and 2: (2/3 − 5/9) / (1 − 5/9) = 1/4."""
    counts = np.array([[2, 0], [1, 2], [1, 0]])
    np.testing.assert_allclose(stimulus_agreement(counts), [1, 1 / 3, np.nan], rtol=1e-15)
    assert fleiss_kappa(counts) == pytest.approx(1 / 4, abs=1e-15)


@pytest.mark.parametrize("n_categories", [4, 200_000])  # all stimuli in one block; one stimulus a block
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, ">i4", "F", np.uint16, np.uint64])
def test_predictions_give_what_their_count_table_gives(draw_predictions, dtype, n_categories):
    predictions = draw_predictions(1, n_stimuli=12)
    if np.dtype(dtype if dtype != "F" else int).kind == "u":
        predictions = predictions.clip(min=0)
    predictions = np.asfortranarray(predictions) if dtype == "F" else predictions.astype(dtype)
    counts = count_table(predictions, n_categories)
    agreement = agreement_from_predictions(predictions, n_categories)
    np.testing.assert_array_equal(agreement.per_stimulus, stimulus_agreement(counts))
    np.testing.assert_array_equal(agreement.n_answers, counts.sum(1))
    assert agreement.kappa == pytest.approx(fleiss_kappa(counts), abs=1e-12)


def test_the_full_count_table_is_never_held():
    predictions = np.random.default_rng(0).integers(1000, size=(20, 20_000), dtype=np.int16)
    agreement_from_predictions(predictions[:, :10], 1000)
    tracemalloc.start()
    agreement_from_predictions(predictions, 1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6  # the table would take 160 MB


@pytest.mark.parametrize(
    ("counts", "cause"),
    [
        ([[3, 0], [2, 0]], "one category"),
        ([[1, 0], [0, 1]], "two answers"),
        ([[0, 0], [0, 0]], "two answers"),
        ([[5]], "one category"),
    ],
)
def test_undefined_kappa_is_nan_and_says_why(counts, cause):
    with pytest.warns(RuntimeWarning, match=cause):
        assert np.isnan(fleiss_kappa(np.array(counts)))


def test_undefined_kappa_of_predictions_is_nan_and_says_why():
    with pytest.warns(RuntimeWarning, match="one category"):
        agreement = agreement_from_predictions(np.zeros((3, 4), dtype=int), 2)
    assert np.isnan(agreement.kappa)
    assert (agreement.per_stimulus == 1).all()
    with pytest.warns(RuntimeWarning, match="two answers"):
        assert np.isnan(agreement_from_predictions(np.array([[0, 1]]), 2).kappa)


def test_undefined_stimuli_alone_do_not_warn(draw_predictions):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(stimulus_agreement(np.array([[1, 0], [0, 0]]))).all()
        assert np.isfinite(agreement_from_predictions(draw_predictions(0), 4).kappa)


def test_count_table_takes_its_width_from_the_largest_category():
    assert count_table(np.array([[0, 3, -1]])).tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_contrastive_stimuli_are_the_lowest_ties_by_index_never_nan():
    agreement = np.array([0.5, np.nan, 0.2, 0.5, 0.0, 0.2])
    assert contrastive_stimuli(agreement, 5).tolist() == [4, 2, 5, 0, 3]
    chosen = contrastive_stimuli(agreement, 2)
    assert chosen.tolist() == [4, 2]
    assert np.issubdtype(chosen.dtype, np.integer)


def test_many_ties_are_broken_by_index():
    agreement = np.random.default_rng(0).choice([0.25, 0.5, np.nan], size=500)
    expected = sorted(np.flatnonzero(~np.isnan(agreement)), key=lambda i: (agreement[i], i))
    assert contrastive_stimuli(agreement, len(expected)).tolist() == expected

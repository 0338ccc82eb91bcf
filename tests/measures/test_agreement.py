"""Agreement: invariances and bounds, slow oracles, known numbers, degenerate and bad input."""

import tracemalloc
import warnings
from itertools import combinations, product

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_kappa

from analysis.measures.agreement import (
    accuracy_floor,
    agreement_from_predictions,
    bootstrap_kappa,
    contrastive_stimuli,
    correctness,
    count_table,
    error_consistency,
    error_consistency_matrix,
    fleiss_kappa,
    stimulus_agreement,
)

# Fleiss' psychiatric example as it is usually retold: 14 raters, 10 subjects, 5 categories.
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


def draw_predictions(seed, n_models=9, n_stimuli=60, n_categories=4, missing=0.2):
    """Models of different accuracy, some answers missing; the first stimuli have no and one answer."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_categories, size=n_stimuli)
    guesses = rng.integers(n_categories, size=(n_models, n_stimuli))
    predictions = np.where(rng.random((n_models, n_stimuli)) < rng.random((n_models, 1)), truth, guesses)
    predictions[rng.random((n_models, n_stimuli)) < missing] = -1
    if missing:
        predictions[:, 0] = predictions[1:, 1] = -1
    return predictions


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


# Agreement ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_agreement_ignores_the_order_of_models_and_category_names(seed):
    predictions = draw_predictions(seed)
    rng = np.random.default_rng(seed)
    names = rng.permutation(4)
    renamed = np.where(predictions >= 0, names[predictions], -1)
    for same in (rng.permutation(predictions), renamed):
        expected, actual = agreement_from_predictions(predictions, 4), agreement_from_predictions(same, 4)
        np.testing.assert_array_equal(actual.per_stimulus, expected.per_stimulus)
        assert actual.kappa == pytest.approx(expected.kappa, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_follows_the_order_of_stimuli(seed):
    predictions = draw_predictions(seed)
    order = np.random.default_rng(seed).permutation(predictions.shape[1])
    expected, actual = agreement_from_predictions(predictions, 4), agreement_from_predictions(predictions[:, order], 4)
    np.testing.assert_array_equal(actual.per_stimulus, expected.per_stimulus[order])
    assert actual.kappa == pytest.approx(expected.kappa, abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_agreement_is_a_share_and_kappa_at_most_1(seed):
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
def test_agreement_equals_counting_pairs(seed, missing):
    predictions = draw_predictions(seed, missing=missing)
    expected = [slow_agreement(answers) for answers in predictions.T]
    counts = count_table(predictions, 4)
    np.testing.assert_allclose(stimulus_agreement(counts), expected, rtol=1e-14)
    assert fleiss_kappa(counts) == pytest.approx(slow_kappa(predictions), abs=1e-12)


@pytest.mark.parametrize("shape", [(2, 30, 2), (40, 500, 12), (7, 90, 1000)])
def test_kappa_equals_statsmodels_for_equal_raters(shape):
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
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int64, ">i4", "F"])
def test_predictions_give_what_their_count_table_gives(dtype, n_categories):
    predictions = draw_predictions(1, n_stimuli=12)
    predictions = np.asfortranarray(predictions) if dtype == "F" else predictions.astype(dtype)
    counts = count_table(predictions, n_categories)
    agreement = agreement_from_predictions(predictions, n_categories)
    np.testing.assert_array_equal(agreement.per_stimulus, stimulus_agreement(counts))
    np.testing.assert_array_equal(agreement.n_answers, counts.sum(1))
    assert agreement.kappa == pytest.approx(fleiss_kappa(counts), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
def test_unsigned_predictions(dtype):
    predictions = draw_predictions(0, n_categories=250, missing=0)
    unsigned = predictions.astype(dtype)
    np.testing.assert_array_equal(count_table(unsigned, 250), count_table(predictions, 250))
    for over in ("stimuli", "models"):
        expected = bootstrap_kappa(predictions, 250, over=over, n_resamples=10)
        np.testing.assert_array_equal(
            bootstrap_kappa(unsigned, 250, over=over, n_resamples=10).resamples, expected.resamples
        )


def test_largest_category_of_a_narrow_type_does_not_overflow():
    predictions = (draw_predictions(0, missing=0) + 124).astype(np.int8)
    assert count_table(predictions)[:, 127].sum() == (predictions == 127).sum() > 0
    for over in ("stimuli", "models"):
        narrow = bootstrap_kappa(predictions, 128, over=over, n_resamples=20, seed=3)
        wide = bootstrap_kappa(predictions.astype(int), 128, over=over, n_resamples=20, seed=3)
        np.testing.assert_array_equal(narrow.resamples, wide.resamples)


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


def test_undefined_stimuli_alone_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(stimulus_agreement(np.array([[1, 0], [0, 0]]))).all()
        assert np.isfinite(agreement_from_predictions(draw_predictions(0), 4).kappa)


def test_count_table_takes_its_width_from_the_largest_category():
    assert count_table(np.array([[0, 3, -1]])).tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 0]]


# Contrastive stimuli --------------------------------------------------------------------------------------------------


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


# Bootstrap ------------------------------------------------------------------------------------------------------------


def draws(n, n_resamples, seed):
    rng = np.random.default_rng(seed)
    return [rng.integers(n, size=n) for _ in range(n_resamples)]


@pytest.mark.parametrize("n_categories", [4, 5000])
def test_bootstrap_over_stimuli_equals_counting_every_resample_anew(n_categories):
    predictions = draw_predictions(2)
    counts = count_table(predictions, n_categories)
    interval = bootstrap_kappa(predictions, n_categories, n_resamples=30, seed=7)
    expected = [fleiss_kappa(counts[drawn]) for drawn in draws(60, 30, seed=7)]
    np.testing.assert_allclose(interval.resamples, expected, atol=1e-12)
    assert interval.kappa == pytest.approx(fleiss_kappa(counts), abs=1e-12)
    np.testing.assert_allclose([interval.low, interval.high], np.quantile(expected, [0.025, 0.975]), atol=1e-12)


def slow_kappa_without_self_pairs(predictions, drawn):
    """Pairs of draws that are not twice the same model, stimulus by stimulus."""
    shares = []
    for answers in predictions.T:
        pairs = [answers[a] == answers[b] for a, b in combinations(drawn, 2) if a != b and min(answers[[a, b]]) >= 0]
        shares += [np.mean(pairs)] if pairs else []
    given = predictions[drawn][predictions[drawn] >= 0]
    expected = sum(np.mean(given == category) ** 2 for category in np.unique(given))
    return (np.mean(shares) - expected) / (1 - expected)


@pytest.mark.parametrize("missing", [0, 0.3])
def test_bootstrap_over_models_equals_going_through_all_pairs(missing):
    predictions = draw_predictions(3, n_models=6, n_stimuli=25, missing=missing)
    interval = bootstrap_kappa(predictions, 4, over="models", n_resamples=25, seed=5)
    expected = [slow_kappa_without_self_pairs(predictions, drawn) for drawn in draws(6, 25, seed=5)]
    np.testing.assert_allclose(interval.resamples, expected, atol=1e-12)


def test_bootstrap_over_models_spans_blocks():
    predictions = draw_predictions(4, n_models=12, n_stimuli=3000, n_categories=10)
    order = np.random.default_rng(0).permutation(3000)
    shuffled = bootstrap_kappa(predictions[:, order], 10, over="models", n_resamples=20)
    np.testing.assert_allclose(
        bootstrap_kappa(predictions, 10, over="models", n_resamples=20).resamples, shuffled.resamples, atol=1e-12
    )


def test_bootstrap_over_models_is_centred_on_kappa():
    """With models drawn twice agreeing with themselves, kappa 0 would become about 1/8."""
    guesses = np.random.default_rng(0).integers(5, size=(8, 4000))
    interval = bootstrap_kappa(guesses, 5, over="models", n_resamples=400)
    assert abs(np.mean(interval.resamples) - interval.kappa) < 0.003


@pytest.mark.parametrize("over", ["stimuli", "models"])
def test_bootstrap_is_fixed_by_its_seed_and_widens_with_its_level(over):
    predictions = draw_predictions(5)
    narrow = bootstrap_kappa(predictions, 4, over=over, n_resamples=200, level=0.5, seed=1)
    wide = bootstrap_kappa(predictions, 4, over=over, n_resamples=200, level=0.95, seed=1)
    np.testing.assert_array_equal(narrow.resamples, wide.resamples)
    assert wide.low < narrow.low < narrow.high < wide.high
    other = bootstrap_kappa(predictions, 4, over=over, n_resamples=200, seed=2)
    assert (other.resamples != wide.resamples).any()


def test_interval_over_stimuli_covers_the_population_kappa():
    rng = np.random.default_rng(0)
    population = draw_predictions(6, n_models=10, n_stimuli=20_000, missing=0)
    kappa = agreement_from_predictions(population, 4).kappa
    samples = [population[:, rng.choice(20_000, 150, replace=False)] for _ in range(200)]
    intervals = [bootstrap_kappa(sample, 4, n_resamples=200, level=0.9) for sample in samples]
    assert 0.83 < np.mean([interval.low <= kappa <= interval.high for interval in intervals]) < 0.97


def test_bootstrap_counts_undefined_resamples():
    predictions = np.array([[0, 1, 0], [0, 1, 1]])
    with pytest.warns(RuntimeWarning, match=r"undefined in \d+ of 50 resamples"):
        interval = bootstrap_kappa(predictions, 2, over="models", n_resamples=50)
    assert 0 < np.isnan(interval.resamples).sum() < 50
    assert interval.low == pytest.approx(interval.kappa)
    with pytest.warns(RuntimeWarning, match="50 of 50"):
        interval = bootstrap_kappa(np.zeros((2, 3), dtype=int), 2, n_resamples=50)
    assert np.isnan([interval.kappa, interval.low, interval.high]).all()


# Errors ---------------------------------------------------------------------------------------------------------------


def draw_correct(seed, n_models=7, n_stimuli=200):
    rng = np.random.default_rng(seed)
    return rng.choice([-1, 0, 1], p=[0.2, 0.3, 0.5], size=(n_models, n_stimuli))


def test_correctness_keeps_missing_answers_apart():
    predictions = np.array([[2, 0, -1], [1, 0, 5]], dtype=np.int16)
    assert correctness(predictions, np.array([2, 1, 5])).tolist() == [[1, 0, -1], [0, 0, 1]]


@pytest.mark.parametrize("seed", range(5))
def test_error_consistency_is_symmetric_bounded_and_1_with_oneself(seed):
    matrix = error_consistency_matrix(draw_correct(seed))
    np.testing.assert_array_equal(matrix.kappa, matrix.kappa.T)
    np.testing.assert_allclose(np.diag(matrix.kappa), 1, rtol=1e-15)
    assert (np.abs(matrix.kappa) <= 1).all()


@pytest.mark.parametrize("seed", range(3))
def test_error_consistency_ignores_the_order_of_stimuli_and_swapping_right_and_wrong(seed):
    correct = draw_correct(seed)
    expected = error_consistency_matrix(correct)
    shuffled = np.random.default_rng(seed).permutation(correct, axis=1)
    swapped = np.where(correct < 0, -1, 1 - correct)
    for same in (shuffled, swapped):
        np.testing.assert_allclose(error_consistency_matrix(same).kappa, expected.kappa, rtol=1e-14)


def test_error_consistency_equals_scikit_learn_on_common_stimuli():
    first, second = draw_correct(0, 4), draw_correct(1, 3)
    matrix = error_consistency_matrix(first, second)
    for i, j in product(range(4), range(3)):
        common = (first[i] >= 0) & (second[j] >= 0)
        expected = cohen_kappa_score(first[i, common], second[j, common])
        assert matrix.kappa[i, j] == pytest.approx(expected, abs=1e-12)
        assert matrix.n_common[i, j] == common.sum()
        assert error_consistency(first[i], second[j]) == pytest.approx(expected, abs=1e-12)


def test_error_consistency_by_hand():
    """Both 75 % right: c_obs = 1/2, c_exp = 5/8, so (1/2 − 5/8) / (3/8) = −1/3."""
    assert error_consistency([1, 1, 1, 0], [0, 1, 1, 1]) == pytest.approx(-1 / 3, abs=1e-15)
    assert error_consistency([1, 0], [0, 1]) == -1


def test_error_consistency_takes_booleans_and_spans_blocks():
    correct = np.random.default_rng(0).random((3, 40_000)) < 0.6
    expected = cohen_kappa_score(correct[0], correct[1])
    assert error_consistency(correct[0], correct[1]) == pytest.approx(expected, abs=1e-12)
    assert (error_consistency_matrix(correct).n_common == 40_000).all()


def test_undefined_error_consistency_is_nan_and_counted():
    correct = np.array([[1, 1, -1, -1], [1, 1, -1, -1], [1, 0, -1, 1], [-1, -1, 1, -1]])
    with pytest.warns(RuntimeWarning, match="11 of 16 pairs") as caught:
        matrix = error_consistency_matrix(correct)
    assert len(caught) == 1
    assert matrix.n_common[3].tolist() == [0, 0, 0, 1]
    assert np.isnan(matrix.kappa[:2, :2]).all()
    assert matrix.kappa[0, 2] == 0
    with pytest.warns(RuntimeWarning, match="1 of 1 pairs"):
        assert np.isnan(error_consistency([1, 1], [1, 1]))


# Floor ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_models", "n_stimuli", "n_categories"), [(2, 4, 2), (2, 4, 3), (3, 3, 2), (3, 3, 3), (3, 3, 4)]
)
def test_floor_is_the_least_agreement_of_all_possible_answers(n_models, n_stimuli, n_categories):
    """Goes through every table of answers; category 0 is right everywhere, without loss of generality."""
    answers = np.array(list(product(range(n_categories), repeat=n_models)))
    agreement = stimulus_agreement(count_table(answers.T, n_categories))
    tables = np.array(list(product(range(len(answers)), repeat=n_stimuli)))
    n_right, index = np.unique((answers == 0)[tables].sum(1), axis=0, return_inverse=True)
    least = np.full(len(n_right), np.inf)
    np.minimum.at(least, index.ravel(), agreement[tables].mean(1))
    floors = [accuracy_floor(right / n_stimuli, n_categories=n_categories) for right in n_right]
    np.testing.assert_allclose([floor.mean for floor in floors], least, atol=1e-12)
    if n_models == 2:
        np.testing.assert_allclose([floor.pairwise[0, 1] for floor in floors], least, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_floor_is_below_what_models_do(seed):
    predictions = draw_predictions(seed, missing=0)
    labels = np.random.default_rng(seed).integers(4, size=60)
    agreement = agreement_from_predictions(predictions, 4)
    accuracies = (correctness(predictions, labels) == 1).mean(1)
    few, many = accuracy_floor(accuracies, n_categories=4), accuracy_floor(accuracies)
    assert many.mean <= few.mean <= agreement.observed
    assert few.kappa(agreement.expected) <= agreement.kappa
    alike = (predictions[:, None] == predictions).mean(2)
    assert (many.pairwise <= alike + 1e-12).all()
    upper = np.triu_indices(9, 1)
    assert many.mean >= many.pairwise[upper].mean() - 1e-12


def test_floor_by_hand():
    floor = accuracy_floor([0.9, 0.8, 0.3])
    np.testing.assert_allclose(floor.pairwise, [[1, 0.7, 0.2], [0.7, 1, 0.1], [0.2, 0.1, 1]], atol=1e-15)
    assert floor.mean == pytest.approx(1 / 3)
    assert accuracy_floor([0.5, 0.5, 0.5]).mean == pytest.approx(1 / 6)  # although every pair could avoid each other
    assert accuracy_floor([1, 1, 1]).kappa(expected=0.5) == 1
    assert accuracy_floor([0.1, 0.1]).kappa(expected=0.5) == -1


# Bad input ------------------------------------------------------------------------------------------------------------

OK = np.array([[0, 1, 1], [1, 1, 0]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: count_table(OK * 1.0), "'predictions' must be a non-empty table of integers, got float64"),
        (lambda: count_table(OK[0]), r"'predictions' .* got int64 of shape \(3,\)"),
        (lambda: count_table(OK[:0]), r"'predictions' must be a non-empty table .* \(0, 3\)"),
        (lambda: count_table(OK - 2, 2), "'predictions' must be from -1 to 1, got values from -2 to -1"),
        (lambda: count_table(OK * 0 - 1), "'n_categories' must be an integer of at least 1, got 0"),
        (lambda: count_table(OK, 1), "'predictions' must be from -1 to 0, got values from 0 to 1"),
        (lambda: agreement_from_predictions(OK, 1), "'predictions' must be from -1 to 0"),
        (lambda: agreement_from_predictions(OK > 0, 2), "'predictions' .* got bool"),
        (lambda: agreement_from_predictions(OK, 2.0), "'n_categories' must be an integer of at least 1, got 2.0"),
        (lambda: stimulus_agreement(OK - 1), "'counts' must not be negative, got -1"),
        (lambda: stimulus_agreement(OK / 2), "'counts' must be a non-empty table of integers, got float64"),
        (lambda: fleiss_kappa(OK[0]), "'counts' .* of shape"),
        (lambda: contrastive_stimuli(OK / 2, 1), r"'agreement' must have shape \(n_stimuli,\), got \(2, 3\)"),
        (lambda: contrastive_stimuli(np.array([0.1, np.nan]), 2), "'k' must be at most 1, .* got 2"),
        (lambda: contrastive_stimuli(np.array([0.1, 0.2]), 0), "'k' must be an integer of at least 1, got 0"),
        (lambda: contrastive_stimuli(np.array([0.1, 0.2]), 1.5), "'k' must be an integer of at least 1, got 1.5"),
        (lambda: bootstrap_kappa(OK, 2, over="labels"), "'over' must be one of 'stimuli', 'models', got 'labels'"),
        (lambda: bootstrap_kappa(OK, 2, n_resamples=0), "'n_resamples' must be an integer of at least 1, got 0"),
        (lambda: bootstrap_kappa(OK, 2, level=95), "'level' must be between 0 and 1, got 95"),
        (lambda: bootstrap_kappa(OK, 1), "'predictions' must be from -1 to 0"),
        (lambda: correctness(OK, OK[0][:2]), r"'labels' must have shape \(3\), got \(2,\)"),
        (lambda: correctness(OK - 2, OK[0]), "'predictions' must be at least -1, got -2"),
        (lambda: correctness(OK, OK[0] - 1), "'labels' must not be negative, got -1"),
        (lambda: error_consistency(OK[0], OK[0][:2]), "'second' must have the 3 stimuli of 'first', got 2"),
        (lambda: error_consistency(OK[0] + 1, OK[0]), "'first' must be 1, 0 or -1, got values from 1 to 2"),
        (lambda: error_consistency_matrix(OK, OK - 2), "'second' must be 1, 0 or -1, got values from -2"),
        (lambda: error_consistency_matrix(OK / 2), "'first' must be a non-empty table of integers, got float64"),
        (lambda: accuracy_floor([0.5]), "'accuracies' .* at least 2 models"),
        (lambda: accuracy_floor([0.5, 50]), "'accuracies' must be from 0 to 1, got 0.5 to 50.0"),
        (lambda: accuracy_floor([0.5, np.nan]), "'accuracies' must be from 0 to 1"),
        (lambda: accuracy_floor([0.5, 0.5], n_categories=1), "'n_categories' must be an integer of at least 2, got 1"),
        (lambda: accuracy_floor([0.5, 0.5]).kappa(1), "'expected' must be at least 0 and below 1, got 1"),
    ],
)
def test_bad_input_names_the_argument_the_rule_and_the_value(call, message):
    with pytest.raises(ValueError, match=message):
        call()

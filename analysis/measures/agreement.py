"""How far models answer alike: agreement per stimulus, Fleiss' kappa, contrastive stimuli, error consistency."""

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from analysis.checks import as_integers, choose

# ---------------------------------------------------------------------------------------------------------------------
# Agreement among many models


@dataclass(frozen=True)
class Agreement:
    """Agreement of a set of models on a set of stimuli.

    Attributes
    ----------
    per_stimulus : numpy.ndarray of shape (n_stimuli,), float64
        Share of model pairs that answer alike: 1 = unanimous, 0 = all differ; NaN where fewer than two models answered.
    n_answers : numpy.ndarray of shape (n_stimuli,), int64
        Models that answered each stimulus.
    observed : float
        Mean of `per_stimulus` over the stimuli with at least two answers.
    expected : float
        Agreement by chance: of two answers drawn at random from all answers. In (0, 1].
    kappa : float
        Fleiss' kappa, (observed − expected) / (1 − expected).
    """

    per_stimulus: np.ndarray
    n_answers: np.ndarray
    observed: float
    expected: float
    kappa: float


def count_table(predictions: np.ndarray, n_categories: int | None = None) -> np.ndarray:
    """How many models gave each answer to each stimulus: higher = more models; from 0 to n_models.

    Parameters
    ----------
    predictions : integers of shape (n_models, n_stimuli)
        Categories from 0; −1 where a model gave no answer.
    n_categories : int, optional
        By default, the largest category that occurs, plus one.

    Returns
    -------
    numpy.ndarray of shape (n_stimuli, n_categories), int64

    Raises
    ------
    ValueError
        If `predictions` are not integers of two dimensions, are empty, or leave the range from −1 to n_categories − 1.

    Examples
    --------
    >>> count_table(np.array([[0, 2, -1], [0, 1, 1]]))
    array([[2, 0, 0],
           [0, 1, 1],
           [0, 1, 0]])
    """
    if n_categories is None:
        n_categories = int(_as_table(predictions, "predictions").max()) + 1
    predictions = _as_predictions(predictions, n_categories)
    return np.concatenate([_count(predictions[:, rows], n_categories) for rows in _blocks(predictions, n_categories)])


def stimulus_agreement(counts: np.ndarray) -> np.ndarray:
    r"""Agreement on each stimulus: 1 = unanimous, 0 = all differ; within [0, 1], NaN below two answers.

    With :math:`T_{ij}` answers :math:`j` to stimulus :math:`i` and :math:`n_i = \sum_j T_{ij}`,

    .. math:: p_i = \frac{\sum_j T_{ij}^2 - n_i}{n_i (n_i - 1)}

    Parameters
    ----------
    counts : integers of shape (n_stimuli, n_categories)
        As :func:`count_table` gives them; the number of answers may differ between stimuli.

    Returns
    -------
    numpy.ndarray of shape (n_stimuli,), float64

    Raises
    ------
    ValueError
        If `counts` are not integers of two dimensions, are empty or negative.

    References
    ----------
    Cheung, Grant, Yang, Katz, Poggio (2024), *Let's disagree to agree*, CCN, Eq. 1.
    Fleiss (1971), doi:10.1037/h0031619, Eq. 2.

    Examples
    --------
    >>> stimulus_agreement(np.array([[3, 0], [2, 1], [1, 0]])).round(3)
    array([1.   , 0.333,   nan])
    """
    return _agreement([_statistics(_as_counts(counts))]).per_stimulus


def fleiss_kappa(counts: np.ndarray) -> float:
    r"""Fleiss' kappa: 1 = models always agree, 0 = as often as chance would; at most 1, negative below chance.

    .. math:: \kappa = \frac{\bar P - P_e}{1 - P_e}, \qquad P_e = \sum_j \Big( \sum_i T_{ij} / n \Big)^2

    :math:`\bar P` is the plain mean of :func:`stimulus_agreement` over the stimuli with at least two answers (so a
    stimulus counts once, however many answered it); :math:`P_e` takes all :math:`n` answers. With equal numbers of
    answers this is Fleiss' original formula.

    Parameters
    ----------
    counts : integers of shape (n_stimuli, n_categories)

    Returns
    -------
    float
        NaN, with a RuntimeWarning, where kappa is undefined: all answers are one category, or no stimulus has two.

    Raises
    ------
    ValueError
        If `counts` are not integers of two dimensions, are empty or negative.

    References
    ----------
    Fleiss (1971), *Measuring nominal scale agreement among many raters*, doi:10.1037/h0031619, Eq. 7.

    Examples
    --------
    >>> fleiss_kappa(np.array([[3, 0], [0, 3], [2, 1]]))
    0.55
    """
    agreement = _agreement([_statistics(_as_counts(counts))])
    _warn_if_undefined(agreement)
    return agreement.kappa


def agreement_from_predictions(predictions: np.ndarray, n_categories: int) -> Agreement:
    """Agreement per stimulus and Fleiss' kappa: 1 = unanimous, kappa 0 = chance; without the full count table.

    Counts are made and used up in blocks of stimuli, so working memory stays at a few MB beyond the result.

    Parameters
    ----------
    predictions : integers of shape (n_models, n_stimuli)
        Categories from 0 to n_categories − 1; −1 where a model gave no answer. Any integer type, never copied whole.
    n_categories : int

    Returns
    -------
    Agreement
        Of which `kappa` equals :func:`fleiss_kappa` and `per_stimulus` equals :func:`stimulus_agreement` of the count
        table, with the same NaN and the same warning where kappa is undefined.

    Raises
    ------
    ValueError
        As in :func:`count_table`.

    Examples
    --------
    >>> agreement = agreement_from_predictions(np.array([[0, 1, 0], [0, 1, 0], [0, 1, 1]]), n_categories=2)
    >>> agreement.per_stimulus.round(3), agreement.kappa
    (array([1.   , 1.   , 0.333]), 0.55)
    """
    agreement = _agreement_of(_as_predictions(predictions, n_categories), n_categories)
    _warn_if_undefined(agreement)
    return agreement


def contrastive_stimuli(agreement: np.ndarray, k: int) -> np.ndarray:
    """Indices of the k stimuli of lowest agreement, the most contrastive first; ties by index, NaN never chosen.

    Parameters
    ----------
    agreement : floats of shape (n_stimuli,)
        As :func:`stimulus_agreement` gives them.
    k : int
        From 1 to the number of stimuli whose agreement is defined.

    Returns
    -------
    numpy.ndarray of shape (k,), int64

    Raises
    ------
    ValueError
        If `agreement` is not one-dimensional or `k` is out of range.

    References
    ----------
    Cheung, Grant, Yang, Katz, Poggio (2024), *Let's disagree to agree*, CCN.

    Examples
    --------
    >>> contrastive_stimuli(np.array([0.5, np.nan, 0.1, 0.5]), k=2)
    array([2, 0])
    """
    agreement = np.asarray(agreement, dtype=np.float64)
    if agreement.ndim != 1:
        raise ValueError(f"'agreement' must have shape (n_stimuli,), got {agreement.shape}.")
    n_defined = int((~np.isnan(agreement)).sum())
    if _at_least(1, k, "k") > n_defined:
        raise ValueError(f"'k' must be at most {n_defined}, the stimuli with two or more answers, got {k}.")
    return np.argsort(agreement, kind="stable")[:k]  # NaN sorts last


def _at_least(minimum: int, value: int, name: str) -> int:
    if not isinstance(value, int | np.integer) or value < minimum:
        raise ValueError(f"'{name}' must be an integer of at least {minimum}, got {value!r}.")
    return value


def _as_table(value, name: str) -> np.ndarray:
    """A non-empty integer table as it is: a cast would cost more memory than all that follows."""
    table = np.asarray(value)
    if table.dtype.kind not in "iu" or table.ndim != 2 or table.size == 0:
        raise ValueError(f"'{name}' must be a non-empty table of integers, got {table.dtype} of shape {table.shape}.")
    return table


def _as_counts(counts) -> np.ndarray:
    counts = _as_table(counts, "counts").astype(np.int64, copy=False)
    if counts.min() < 0:
        raise ValueError(f"'counts' must not be negative, got {counts.min()}.")
    return counts


def _as_predictions(predictions, n_categories: int) -> np.ndarray:
    predictions = _as_table(predictions, "predictions")
    _at_least(1, n_categories, "n_categories")
    low, high = int(predictions.min()), int(predictions.max())
    if low < -1 or high >= n_categories:
        raise ValueError(f"'predictions' must be from -1 to {n_categories - 1}, got values from {low} to {high}.")
    return predictions


def _blocks(predictions: np.ndarray, n_categories: int) -> list[slice]:
    """Blocks of stimuli whose answers and counts stay in the processor's cache."""
    n_models, n_stimuli = predictions.shape
    size = max(1, 2**18 // max(n_models, n_categories))
    return [slice(start, start + size) for start in range(0, n_stimuli, size)]


def _count(block: np.ndarray, n_categories: int) -> np.ndarray:
    """The count table of one block of stimuli; a column for "no answer" comes first and is cut off."""
    width, n_stimuli = n_categories + 1, block.shape[1]
    cells = np.add(block, np.arange(n_stimuli) * width + 1, dtype=np.int64)
    return np.bincount(cells.ravel(), minlength=n_stimuli * width).reshape(n_stimuli, width)[:, 1:]


def _statistics(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All that agreement needs of a count table: answers and squared counts per stimulus, answers per category."""
    return counts.sum(1), np.einsum("ij,ij->i", counts, counts), counts.sum(0)


def _agreement_of(predictions: np.ndarray, n_categories: int) -> Agreement:
    def statistics(rows):
        return _statistics(_count(predictions[:, rows], n_categories))

    with ThreadPoolExecutor(max_workers=2) as pool:  # one block is read while another is counted
        return _agreement(list(pool.map(statistics, _blocks(predictions, n_categories))))


def _agreement(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Agreement:
    n_answers, squares = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:2])
    per_stimulus, defined = _p_agree(n_answers, squares), n_answers >= 2
    observed = float(per_stimulus[defined].mean()) if defined.any() else np.nan
    totals = sum(part[2] for part in parts)
    expected = float(np.square(_divide(totals, totals.sum())).sum())
    kappa = float(_divide(observed - expected, 1 - expected))
    return Agreement(per_stimulus, n_answers, observed, expected, kappa)


def _p_agree(n_answers: np.ndarray, squares: np.ndarray) -> np.ndarray:
    return _divide(squares - n_answers, n_answers * (n_answers - 1))


def _divide(numerator, denominator) -> np.ndarray:
    """The quotient; NaN, without a word, where the denominator is 0."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    return np.divide(numerator, denominator, out=np.full(shape, np.nan), where=np.not_equal(denominator, 0))


def _warn_if_undefined(agreement: Agreement) -> None:
    if np.isnan(agreement.kappa):
        cause = "no stimulus has two answers" if np.isnan(agreement.observed) else "all answers are one category"
        warnings.warn(f"Fleiss' kappa is undefined: {cause}.", RuntimeWarning, stacklevel=3)


# ---------------------------------------------------------------------------------------------------------------------
# Intervals


@dataclass(frozen=True)
class KappaInterval:
    """Fleiss' kappa with a bootstrap percentile interval.

    Attributes
    ----------
    kappa, low, high : float
        The estimate and its interval.
    resamples : numpy.ndarray of shape (n_resamples,), float64
        Kappa of each resample; NaN where it is undefined. These the interval leaves out.
    """

    kappa: float
    low: float
    high: float
    resamples: np.ndarray


def bootstrap_kappa(
    predictions: np.ndarray,
    n_categories: int,
    *,
    over: str = "stimuli",
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> KappaInterval:
    r"""Interval of Fleiss' kappa (1 = models always agree, 0 = chance) over resampled stimuli or resampled models.

    A model that is drawn twice always agrees with itself. Such pairs say nothing about agreement between models and
    would push kappa up by about (1 − kappa) / n_models, so ``over="models"`` takes pairs of different models only: with
    model :math:`m` drawn :math:`v_m` times, and sums over the models that answered stimulus :math:`i`,

    .. math:: p_i = \frac{\sum_j (\sum_{m \to j} v_m)^2 - \sum_m v_m^2}{(\sum_m v_m)^2 - \sum_m v_m^2}

    Parameters
    ----------
    predictions : integers of shape (n_models, n_stimuli)
        As in :func:`agreement_from_predictions`.
    n_categories : int
    over : {"stimuli", "models"}
        What is drawn with replacement.
    n_resamples : int
    level : float
        Coverage of the percentile interval, in (0, 1).
    seed : int

    Returns
    -------
    KappaInterval
        With a RuntimeWarning that counts the resamples whose kappa is undefined, if any.

    Raises
    ------
    ValueError
        As in :func:`count_table`; also if an option is out of range.

    Notes
    -----
    Stimuli are counted once for all resamples. Time grows with ``n_resamples * n_stimuli * n_categories`` over stimuli
    and with ``n_resamples * n_models * n_stimuli`` over models, both as matrix products.

    References
    ----------
    Efron, Tibshirani (1993), *An Introduction to the Bootstrap*, chapter 13.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> truth = rng.integers(4, size=200)
    >>> predictions = np.where(rng.random((12, 200)) < 0.7, truth, rng.integers(4, size=(12, 200)))
    >>> interval = bootstrap_kappa(predictions, 4, over="models")
    >>> print(f"{interval.kappa:.2f} [{interval.low:.2f}, {interval.high:.2f}]")
    0.48 [0.45, 0.51]
    """
    predictions = _as_predictions(predictions, n_categories)
    over_stimuli = choose(over, "over", ("stimuli", "models")) == "stimuli"
    drawn = _multiplicities(predictions.shape[over_stimuli], _at_least(1, n_resamples, "n_resamples"), seed)
    if not 0 < level < 1:
        raise ValueError(f"'level' must be between 0 and 1, got {level}.")
    resamples = (_kappa_over_stimuli if over_stimuli else _kappa_over_models)(predictions, n_categories, drawn)
    low, high = _percentile_interval(resamples, level)
    return KappaInterval(_agreement_of(predictions, n_categories).kappa, low, high, resamples)


def _percentile_interval(resamples: np.ndarray, level: float) -> tuple[float, float]:
    defined = resamples[~np.isnan(resamples)]
    n_undefined = len(resamples) - len(defined)
    if n_undefined:
        cause = f"is undefined in {n_undefined} of {len(resamples)} resamples, which the interval leaves out"
        warnings.warn(f"Fleiss' kappa {cause}.", RuntimeWarning, stacklevel=3)
    if n_undefined == len(resamples):
        return np.nan, np.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _multiplicities(n: int, n_resamples: int, seed: int) -> np.ndarray:
    """How often each of n items is drawn in each resample: (n_resamples, n), float32 for the products to come."""
    rng = np.random.default_rng(seed)
    drawn = np.empty((n_resamples, n), np.float32)
    for row in drawn:
        row[:] = np.bincount(rng.integers(n, size=n), minlength=n)
    return drawn


def _kappa_over_stimuli(predictions: np.ndarray, n_categories: int, drawn: np.ndarray) -> np.ndarray:
    agreed, n_defined, totals = (np.zeros(shape) for shape in (len(drawn), len(drawn), (len(drawn), n_categories)))
    for rows in _blocks(predictions, n_categories):
        counts, weights = _count(predictions[:, rows], n_categories), drawn[:, rows]
        n_answers, squares, _ = _statistics(counts)
        agreed += weights @ np.nan_to_num(_p_agree(n_answers, squares))
        n_defined += weights @ (n_answers >= 2)
        totals += weights @ counts.astype(np.float32)  # exact: a block's sums stay far below 2**24
    return _kappa(_divide(agreed, n_defined), totals)


def _kappa_over_models(predictions: np.ndarray, n_categories: int, drawn: np.ndarray) -> np.ndarray:
    agreed, n_defined = np.zeros((2, len(drawn)))
    weights = drawn.T.astype(np.float64)
    size = max(1, 2**13 // min(len(predictions), n_categories))
    for start in range(0, predictions.shape[1], size):
        agreeing, pairs = _weighted_pairs(predictions[:, start : start + size], n_categories, weights)
        agreed += np.nan_to_num(_divide(agreeing, pairs)).sum(0)
        n_defined += (pairs > 0).sum(0)
    totals = np.concatenate([_count(answers[:, None], n_categories) for answers in predictions])
    return _kappa(_divide(agreed, n_defined), drawn @ totals)


def _weighted_pairs(block: np.ndarray, n_categories: int, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weighted pairs of different models that agree, and all such pairs: both (n_stimuli, n_resamples)."""
    answered = (block >= 0).T
    stimulus, model = np.nonzero(answered)
    cells, cell = np.unique(stimulus * n_categories + block.T[answered].astype(np.int64), return_inverse=True)
    votes = _incidence(cell, model, (len(cells), len(block))) @ weights
    squares = _incidence(cells // n_categories, np.arange(len(cells)), (len(answered), len(cells))) @ votes**2
    with_themselves = answered @ weights**2
    return squares - with_themselves, (answered @ weights) ** 2 - with_themselves


def _incidence(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int]) -> csr_array:
    return csr_array((np.ones(len(rows)), (rows, columns)), shape)


def _kappa(observed: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Kappa of each resample from its observed agreement and its answers per category."""
    expected = np.square(_divide(totals, totals.sum(1, keepdims=True))).sum(1)
    return _divide(observed - expected, 1 - expected)


# ---------------------------------------------------------------------------------------------------------------------
# Errors


@dataclass(frozen=True)
class ErrorConsistency:
    """Error consistency of every first observer with every second one.

    Attributes
    ----------
    kappa : numpy.ndarray of shape (n_first, n_second), float64
        1 = right and wrong on the same stimuli, 0 = as chance would have it.
    n_common : numpy.ndarray of shape (n_first, n_second), int64
        Stimuli that both observers answered, on which `kappa` rests.
    """

    kappa: np.ndarray
    n_common: np.ndarray


def correctness(predictions: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether each answer is right: 1 = right, 0 = wrong, −1 = no answer.

    Parameters
    ----------
    predictions : integers of shape (n_models, n_stimuli)
        −1 where a model gave no answer.
    labels : integers of shape (n_stimuli,)
        The right answers, from 0.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_stimuli), int8

    Raises
    ------
    ValueError
        If shapes or types do not fit, a prediction is below −1, or a label is negative.

    Examples
    --------
    >>> correctness(np.array([[3, 1, -1]]), np.array([3, 2, 2]))
    array([[ 1,  0, -1]], dtype=int8)
    """
    predictions = _as_table(predictions, "predictions")
    labels = as_integers(labels, "labels", shape=predictions.shape[1:])
    if predictions.min() < -1:
        raise ValueError(f"'predictions' must be at least -1, got {predictions.min()}.")
    if labels.min() < 0:
        raise ValueError(f"'labels' must not be negative, got {labels.min()}.")
    return np.where(predictions < 0, np.int8(-1), (predictions == labels).astype(np.int8))


def error_consistency(first: np.ndarray, second: np.ndarray) -> float:
    """Cohen's kappa on right and wrong: 1 = the same errors, 0 = as accuracy alone predicts; within [−1, 1].

    Parameters
    ----------
    first, second : integers or booleans of shape (n_stimuli,)
        1 where an observer is right, 0 where wrong, −1 without an answer, as :func:`correctness` gives them. Stimuli
        that only one of them answered are left out; :func:`error_consistency_matrix` counts what remains.

    Returns
    -------
    float
        NaN, with a RuntimeWarning, where kappa is undefined: both always right, both always wrong, or none in common.

    Raises
    ------
    ValueError
        If shapes differ or other values occur.

    References
    ----------
    Geirhos, Meding, Wichmann (2020), *Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by
    measuring error consistency*, Eq. 1 to 3, arXiv:2006.16736. Cohen (1960), doi:10.1177/001316446002000104.

    Examples
    --------
    >>> error_consistency(np.array([1, 1, 0, 0]), np.array([1, 0, 0, -1]))
    0.4
    """
    return float(_error_consistency(np.asarray(first)[None], np.asarray(second)[None]).kappa[0, 0])


def error_consistency_matrix(first: np.ndarray, second: np.ndarray | None = None) -> ErrorConsistency:
    r"""Cohen's kappa on right and wrong for all pairs: 1 = the same errors, 0 = as accuracy alone predicts; in [−1, 1].

    With :math:`n_{rw}` stimuli on which the first observer is right and the second wrong, and so on, Cohen's
    :math:`(c_\mathrm{obs} - c_\mathrm{exp}) / (1 - c_\mathrm{exp})` becomes

    .. math:: \kappa = \frac{2 (n_{rr} n_{ww} - n_{rw} n_{wr})}
                            {(n_{rr} + n_{rw})(n_{rw} + n_{ww}) + (n_{rr} + n_{wr})(n_{wr} + n_{ww})}

    Parameters
    ----------
    first : integers or booleans of shape (n_first, n_stimuli)
        1 = right, 0 = wrong, −1 = no answer, as :func:`correctness` gives them.
    second : integers or booleans of shape (n_second, n_stimuli), optional
        Other observers (for instance people) of the same stimuli; by default the first ones again.

    Returns
    -------
    ErrorConsistency
        Each pair over the stimuli that both answered. NaN, with one RuntimeWarning that counts them, for pairs that
        are both always right or both always wrong there, or have no stimulus in common.

    Raises
    ------
    ValueError
        If shapes do not fit or other values occur.

    References
    ----------
    Geirhos, Meding, Wichmann (2020), arXiv:2006.16736, Eq. 1 to 3.

    Examples
    --------
    >>> error_consistency_matrix(np.array([[1, 1, 0, 0], [1, 0, 0, -1]])).kappa
    array([[1. , 0.4],
           [0.4, 1. ]])
    """
    return _error_consistency(first, first if second is None else second)


def _error_consistency(first, second) -> ErrorConsistency:
    first, second = _as_correctness(first, "first"), _as_correctness(second, "second")
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"'second' must have the {first.shape[1]} stimuli of 'first', got {second.shape[1]}.")
    (rr, rw), (wr, ww) = _joint_counts(first, second)
    kappa = _divide(2 * (rr * ww - rw * wr), (rr + rw) * (rw + ww) + (rr + wr) * (wr + ww))
    n_undefined = int(np.isnan(kappa).sum())
    if n_undefined:
        cause = "all right, all wrong, or nothing in common"
        message = f"Error consistency is undefined for {n_undefined} of {kappa.size} pairs: {cause}."
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    return ErrorConsistency(kappa, (rr + rw + wr + ww).astype(np.int64))


def _as_correctness(value, name: str) -> np.ndarray:
    array = np.asarray(value)
    table = _as_table(array.astype(np.int8) if array.dtype == bool else array, name)
    if table.min() < -1 or table.max() > 1:
        raise ValueError(f"'{name}' must be 1, 0 or -1, got values from {table.min()} to {table.max()}.")
    return table


def _joint_counts(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Stimuli by outcome of both, (2, 2, n_first, n_second), right before wrong; float32 is exact within a block."""
    joint = np.zeros((2, 2, len(first), len(second)))
    for start in range(0, first.shape[1], 2**14):
        outcomes = [
            [(table[:, start : start + 2**14] == outcome).astype(np.float32) for outcome in (1, 0)]
            for table in (first, second)
        ]
        joint += [[mine @ theirs.T for theirs in outcomes[1]] for mine in outcomes[0]]
    return joint


# ---------------------------------------------------------------------------------------------------------------------
# What accuracy alone enforces


@dataclass(frozen=True)
class AccuracyFloor:
    """The least agreement that the accuracies of a set of models allow.

    Attributes
    ----------
    pairwise : numpy.ndarray of shape (n_models, n_models), float64
        Least share of stimuli on which two models agree: max(0, a_i + a_j − 1); with two
        categories |a_i + a_j − 1|. Ones on the diagonal.
    mean : float
        Least mean of the agreement per stimulus over all models jointly. At least the mean of `pairwise` over pairs,
        and more where not every pair can be at its own floor at once.
    """

    pairwise: np.ndarray
    mean: float

    def kappa(self, expected: float) -> float:
        """Least Fleiss' kappa, given the agreement expected by chance (`Agreement.expected`); 1 = full agreement."""
        if not 0 <= expected < 1:
            raise ValueError(f"'expected' must be at least 0 and below 1, got {expected}.")
        return (self.mean - expected) / (1 - expected)


def accuracy_floor(accuracies: np.ndarray, *, n_categories: int | None = None) -> AccuracyFloor:
    r"""Least agreement that accuracies leave possible: 1 = all models must agree, 0 = nothing is enforced; in [0, 1].

    Two models that are right on shares :math:`a_i` and :math:`a_j` of the stimuli are both right, and agree, on at
    least :math:`\max(0, a_i + a_j - 1)`. For all models jointly, agreement on a stimulus is a convex function of how
    many models are right there, so its mean is least where that number differs by at most one between stimuli:
    three models that are right on half of the stimuli cannot all avoid one another.

    Parameters
    ----------
    accuracies : floats of shape (n_models,)
        Each in [0, 1], all measured on the stimuli for which the floor is asked; every model answered all of them.
    n_categories : int, optional
        With few categories wrong answers must coincide too. By default there are enough for all to differ.

    Returns
    -------
    AccuracyFloor
        Both floors are attained by some set of answers (to within the rounding of accuracies to whole stimuli).

    Raises
    ------
    ValueError
        If there are fewer than two accuracies, one is outside [0, 1], or there are fewer than two categories.

    Examples
    --------
    >>> floor = accuracy_floor([0.9, 0.7, 0.5])
    >>> floor.pairwise.round(2)
    array([[1. , 0.6, 0.4],
           [0.6, 1. , 0.2],
           [0.4, 0.2, 1. ]])
    >>> round(floor.mean, 2), round(floor.kappa(expected=0.1), 2)
    (0.4, 0.33)
    """
    accuracies = np.asarray(accuracies, dtype=np.float64)
    if accuracies.ndim != 1 or len(accuracies) < 2:
        raise ValueError(f"'accuracies' must have shape (n_models,) with at least 2 models, got {accuracies.shape}.")
    if not ((accuracies >= 0) & (accuracies <= 1)).all():
        raise ValueError(f"'accuracies' must be from 0 to 1, got {accuracies.min()} to {accuracies.max()}.")
    n_wrong = len(accuracies) if n_categories is None else _at_least(2, n_categories, "n_categories") - 1
    pairwise = _least_agreement(accuracies[:, None] + accuracies, 2, n_wrong)
    np.fill_diagonal(pairwise, 1)
    return AccuracyFloor(pairwise, float(_least_agreement(accuracies.sum(), len(accuracies), n_wrong)))


def _least_agreement(n_right, n_models: int, n_wrong: int) -> np.ndarray:
    """Least mean agreement where `n_right` models are right on average and the others spread over wrong answers."""
    right = np.arange(n_models + 1)
    each, left = np.divmod(n_models - right, n_wrong)
    agreeing = right * (right - 1) + n_wrong * each * (each - 1) + 2 * each * left
    return np.interp(n_right, right, agreeing / (n_models * (n_models - 1)))

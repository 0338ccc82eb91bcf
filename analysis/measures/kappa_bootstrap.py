"""How sure Fleiss' kappa is: bootstrap intervals over stimuli or over models."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from analysis.checks import as_count, as_generator, as_share, choose
from analysis.intervals import Measured
from analysis.measures._counting import (
    all_statistics,
    as_predictions,
    blocks,
    count,
    divide,
    p_agree,
    statistics,
    summary,
)
from analysis.measures._products import cores_for_numpy


@dataclass(frozen=True)
class KappaBootstrap:
    """Fleiss' kappa with its bootstrap.

    Attributes
    ----------
    kappa : Measured
        The estimate and its percentile interval.
    resamples : numpy.ndarray of shape (n_resamples,), float64
        Kappa of each resample; NaN where it is undefined. These the interval leaves out.
    """

    kappa: Measured
    resamples: np.ndarray


def bootstrap_kappa(
    predictions: np.ndarray,
    n_categories: int,
    *,
    over: str = "stimuli",
    n_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> KappaBootstrap:
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
    KappaBootstrap
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
    >>> print(bootstrap_kappa(predictions, 4, over="models").kappa)
    0.48 [0.45, 0.51]
    """
    predictions = as_predictions(predictions, n_categories)
    as_share(level, "level")
    over_stimuli = choose(over, "over", ("stimuli", "models")) == "stimuli"
    drawn = _multiplicities(predictions.shape[over_stimuli], as_count(n_resamples, "n_resamples"), seed)
    resamples = (_kappa_over_stimuli if over_stimuli else _kappa_over_models)(predictions, n_categories, drawn)
    _warn_of_undefined(resamples)
    what = f"bootstrap, {predictions.shape[over_stimuli]} {over}"
    kappa = Measured.from_draws(summary(all_statistics(predictions, n_categories))[-1], resamples, what, level=level)
    return KappaBootstrap(kappa, resamples)


def _warn_of_undefined(resamples: np.ndarray) -> None:
    n_undefined = int(np.isnan(resamples).sum())
    if n_undefined:
        cause = f"is undefined in {n_undefined} of {len(resamples)} resamples, which the interval leaves out"
        warnings.warn(f"Fleiss' kappa {cause}.", RuntimeWarning, stacklevel=3)


def _multiplicities(n: int, n_resamples: int, seed: int) -> np.ndarray:
    """How often each of n items is drawn in each resample: (n_resamples, n), float32 for the products to come."""
    rng = as_generator(seed)
    drawn = np.empty((n_resamples, n), np.float32)
    for row in drawn:
        row[:] = np.bincount(rng.integers(n, size=n), minlength=n)
    return drawn


def _kappa_over_stimuli(predictions: np.ndarray, n_categories: int, drawn: np.ndarray) -> np.ndarray:
    agreed, n_defined, totals = (np.zeros(shape) for shape in (len(drawn), len(drawn), (len(drawn), n_categories)))
    with cores_for_numpy():
        for rows in blocks(predictions, n_categories):
            counts, weights = count(predictions[:, rows], n_categories), drawn[:, rows]
            n_answers, squares, _ = statistics(counts)
            agreed += weights @ np.nan_to_num(p_agree(n_answers, squares))
            n_defined += weights @ (n_answers >= 2)
            totals += weights @ counts.astype(np.float32)  # exact: a block's sums stay far below 2**24
    return _kappa(divide(agreed, n_defined), totals)


def _kappa_over_models(predictions: np.ndarray, n_categories: int, drawn: np.ndarray) -> np.ndarray:
    agreed, n_defined = np.zeros((2, len(drawn)))
    weights = drawn.T.astype(np.float64)
    size = max(1, 2**13 // min(len(predictions), n_categories))
    for start in range(0, predictions.shape[1], size):
        agreeing, pairs = _weighted_pairs(predictions[:, start : start + size], n_categories, weights)
        agreed += np.nan_to_num(divide(agreeing, pairs)).sum(0)
        n_defined += (pairs > 0).sum(0)
    totals = np.concatenate([count(answers[:, None], n_categories) for answers in predictions])
    return _kappa(divide(agreed, n_defined), drawn @ totals)


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
    expected = np.square(divide(totals, totals.sum(1, keepdims=True))).sum(1)
    return divide(observed - expected, 1 - expected)

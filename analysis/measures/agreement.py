"""How far models answer alike: agreement per stimulus, Fleiss' kappa, contrastive stimuli."""

import warnings
from dataclasses import dataclass

import numpy as np

from analysis.checks import as_count, as_floats
from analysis.measures._counting import (
    all_statistics,
    as_counts,
    as_predictions,
    as_table,
    blocks,
    count,
    statistics,
    summary,
)


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
        n_categories = int(as_table(predictions, "predictions").max()) + 1
    predictions = as_predictions(predictions, n_categories)
    return np.concatenate([count(predictions[:, rows], n_categories) for rows in blocks(predictions, n_categories)])


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
    return Agreement(*summary([statistics(as_counts(counts))])).per_stimulus


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
    agreement = Agreement(*summary([statistics(as_counts(counts))]))
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
    agreement = Agreement(*summary(all_statistics(as_predictions(predictions, n_categories), n_categories)))
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
    agreement = as_floats(agreement, "agreement")
    if agreement.ndim != 1:
        raise ValueError(f"'agreement' must have shape (n_stimuli,), got {agreement.shape}.")
    n_defined = int((~np.isnan(agreement)).sum())
    if as_count(k, "k") > n_defined:
        raise ValueError(f"'k' must be at most {n_defined}, the stimuli with two or more answers, got {k}.")
    return np.argsort(agreement, kind="stable")[:k]  # NaN sorts last


def _warn_if_undefined(agreement: Agreement) -> None:
    if np.isnan(agreement.kappa):
        cause = "no stimulus has two answers" if np.isnan(agreement.observed) else "all answers are one category"
        warnings.warn(f"Fleiss' kappa is undefined: {cause}.", RuntimeWarning, stacklevel=3)

r"""Choosing what to show: how much each triplet is worth, by what the models at hand predict about it.

A policy sees the models' predicted probabilities, how much each model is believed, and a seed. It never sees who
answers. Scores are in nats, but for *random* and *disagreement*; what scores higher is shown first:

========================  ============================================================================================
``random``                a random number: the baseline
``uncertainty``           :math:`H(\bar p)`, entropy of the mixture :math:`\bar p = \sum_k w_k p_k`
``disagreement``          1 − the chance that two models give the same most likely answer (Golan et al., 2023)
``information``           :math:`H(\bar p) - \sum_k w_k H(p_k)`: what an answer says about which model it is
========================  ============================================================================================

Batches of triplets, and objects, are chosen by these scores in `analysis.recovery.design_batches`; policies that also
ask what a transform can still learn or undo are in `analysis.recovery.design_fitted`.
"""

from itertools import product

import numpy as np
from scipy.special import entr, logsumexp

from analysis.checks import ArrayLike, as_floats, as_generator, choose
from analysis.recovery.triplets import Seed

POLICIES = ("random", "uncertainty", "disagreement", "information")
_LARGEST_BATCH = 9  # whose joint answers, 3⁹ of them, are still counted one by one


def triplet_scores(
    probabilities: ArrayLike, policy: str, weights: ArrayLike | None = None, seed: Seed = 0
) -> np.ndarray:
    r"""How much a policy wants each triplet: higher = shown first; at least 0, at most log 3 nats, or 1.

    Parameters
    ----------
    probabilities : array of shape (n_models, n, 3)
        What each model predicts: chances of the three positions, rows that sum to 1.
    policy : {"random", "uncertainty", "disagreement", "information"}
        See the module.
    weights : array of shape (n_models,), optional
        How much each model is believed, at least 0; by default all alike.
    seed : int, sequence of int, or numpy.random.Generator
        Of the policy ``"random"``.

    Returns
    -------
    numpy.ndarray
        float64 of shape (n,).

    Raises
    ------
    ValueError
        On probabilities that are none, negative weights, or an unknown policy.

    References
    ----------
    Golan et al. (2023), doi:10.1038/s42256-023-00718-1 (disagreement); Houlsby et al. (2011), arXiv:1112.5745
    (information).

    Examples
    --------
    Of a triplet on which two models contradict each other an answer says more than of one that both find hard:

    >>> sure_a, sure_b, unsure = [0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [1 / 3] * 3
    >>> probabilities = np.array([[sure_a, unsure], [sure_b, unsure]])
    >>> triplet_scores(probabilities, "information").round(3)
    array([0.463, 0.   ])
    >>> triplet_scores(probabilities, "uncertainty").round(3)
    array([0.857, 1.099])
    """
    choose(policy, "policy", POLICIES)
    probabilities = check_probabilities(probabilities)
    weights = check_weights(weights, len(probabilities))
    if policy == "random":
        return as_generator(seed).random(probabilities.shape[1])
    if policy == "disagreement":
        return _disagreement(probabilities.argmax(axis=2), weights)
    mixture = np.tensordot(weights, probabilities, 1)
    score = entr(mixture).sum(axis=1)
    if policy == "information":
        score -= np.tensordot(weights, entr(probabilities).sum(axis=2), 1)
    return score.clip(min=0)


def _disagreement(answers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Chance that two different models, drawn by their weights, differ in their most likely answer."""
    shares = np.stack([weights @ (answers == odd) for odd in range(3)])
    twice = (weights**2).sum()
    if not twice < 1:
        return np.zeros(answers.shape[1])
    found = (1 - (shares**2).sum(axis=0)) / (1 - twice)
    return found.clip(min=0).round(12)  # so that what ties in truth ties here


def batch_information(probabilities: ArrayLike, weights: ArrayLike | None = None) -> float:
    """What the answers to a whole small batch say about which model it is: 0 = nothing, log n_models = all; in nats.

    Answers to different triplets are independent given the model, but not without it: two triplets that tell the same
    models apart say less together than the sum of their scores.

    Parameters
    ----------
    probabilities : array of shape (n_models, n, 3)
        Predictions about the triplets of the batch, at most nine: every combination of answers is counted.
    weights : array of shape (n_models,), optional
        As in `triplet_scores`.

    Raises
    ------
    ValueError
        As in `triplet_scores`, or on a larger batch.

    Examples
    --------
    >>> sure = np.array([[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]])
    >>> round(batch_information(sure), 3), round(batch_information(np.repeat(sure, 2, axis=1)), 3)
    (0.693, 0.693)
    """
    probabilities = check_probabilities(probabilities)
    weights = check_weights(weights, len(probabilities))
    size = probabilities.shape[1]
    if size > _LARGEST_BATCH:
        raise ValueError(f"'probabilities' must be of at most {_LARGEST_BATCH} triplets, got {size}.")
    outcomes = np.array(list(product(range(3), repeat=size)), dtype=np.int64).reshape(3**size, size)
    joint = probabilities[:, np.arange(size), outcomes].prod(axis=2)
    return float(entr(weights @ joint).sum() - weights @ entr(joint).sum(axis=1))


def model_weights(log_likelihoods: ArrayLike, uniform: float = 0.05) -> np.ndarray:
    """How much each model is believed after what it predicted: weights from 0 to 1 that sum to 1.

    Parameters
    ----------
    log_likelihoods : array of shape (n_models,)
        Sum of the log-probabilities, in nats, that each model gave the answers *before* it was fitted to them.
    uniform : float
        From 0 to 1: share of the weight that is spread evenly, so that no model is ever given up.

    Returns
    -------
    numpy.ndarray
        float64 of shape (n_models,).

    Examples
    --------
    >>> model_weights([-10.0, -10.0, -900.0], uniform=0.06).round(2)
    array([0.49, 0.49, 0.02])
    """
    values = as_floats(log_likelihoods, "log_likelihoods", shape=(None,))
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"'log_likelihoods' must be finite, at least 1 of them, got {values.tolist()}.")
    if not 0 <= uniform <= 1:
        raise ValueError(f"'uniform' must be from 0 to 1, got {uniform!r}.")
    believed = np.exp(values - logsumexp(values))
    return (1 - uniform) * believed / believed.sum() + uniform / len(values)


def check_probabilities(probabilities) -> np.ndarray:
    """Probabilities as float64 (n_models, n, 3), or a ValueError."""
    probabilities = as_floats(probabilities, "probabilities", shape=(None, None, 3))
    if len(probabilities) == 0:
        raise ValueError("'probabilities' must be of at least 1 model, got none.")
    sums = probabilities.sum(axis=2)
    if not (probabilities.min(initial=0) >= 0 and np.abs(sums - 1).max(initial=0) < 1e-4):  # NaN fails too
        wrong = sums.ravel()[np.abs(sums.ravel() - 1).argmax()] if sums.size else np.nan
        raise ValueError(f"'probabilities' must be at least 0 and sum to 1 over the positions, got a sum of {wrong}.")
    return probabilities


def check_weights(weights, n_models: int) -> np.ndarray:
    """Weights as float64 (`n_models`,) that sum to 1, or a ValueError."""
    if weights is None:
        return np.full(n_models, 1 / n_models)
    weights = as_floats(weights, "weights", shape=(n_models,))
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.sum() > 0):
        raise ValueError(f"'weights' must be at least 0 and not all 0, got {weights.tolist()}.")
    return weights / weights.sum()

r"""Choosing what to show when transforms are still to be fitted: what could they learn, and what could they undo?

- `transform_information`: how much an answer says about a model's *transform*. With what it says about *which model* it
  is (``"information"``) this makes BALD in full. The posterior of the transform is Laplace's, at the optimum, with the
  fit's penalty as the prior, within the leading axes of the features: that low rank is the approximation.
- `refitted_divergences` and `separating_batch`: how far a rival still is from a model's predictions once it has been
  refitted *to these*. The batch that keeps the nearest rival farthest is T-optimal; like the algorithm of Atkinson &
  Fedorov (1975), each round refits the rivals to what has been shown and adds where they are still apart.
"""

from collections.abc import Mapping

import numpy as np
from scipy.linalg import solve_triangular

from analysis.checks import ArrayLike, as_count, as_features, as_floats
from analysis.recovery.design import check_probabilities, check_weights
from analysis.recovery.design_batches import PairBudget
from analysis.recovery.probes import Probe, fit_probes
from analysis.recovery.triplets import check_triplets, choice_probabilities

_FREE = 1e-6  # precision, relative to the largest, of what neither the answers nor the penalty hold


def transform_information(
    features: ArrayLike, probe: Probe, shown: ArrayLike, candidates: ArrayLike, *, axes: int = 24
) -> np.ndarray:
    r"""What the answer to each candidate says about a model's transform: 0 = nothing, higher = more, in nats.

    .. math:: \tfrac12 \log\det(I + B J \Sigma J^\top B^\top), \quad
              \Sigma^{-1} = 2 N \lambda P + \sum_t J_t^\top (\operatorname{diag} p_t - p_t p_t^\top) J_t

    with J the slopes of a triplet's three similarities in the transform, :math:`B^\top B = \operatorname{diag} p -
    p p^\top` and P the curvature of the shrinkage: the answer's information in a Gaussian posterior.

    Parameters
    ----------
    features : array of shape (n_objects, p)
        As the probe was fitted to them.
    probe : Probe
        The model's fit, full or diagonal with shrinkage; nothing is to be learnt of a zero-shot transform.
    shown : integer array of shape (n_shown, 3)
        The triplets it was fitted to.
    candidates : integer array of shape (n, 3)
        A shortlist.
    axes : int
        How many directions may be uncertain: the leading principal axes of the objects shown, or, of a diagonal
        transform, the units of largest variance. Memory and time grow with the square and the cube of their square.

    Returns
    -------
    numpy.ndarray
        float64 of shape (n,).

    References
    ----------
    Houlsby et al. (2011), Bayesian active learning, arXiv:1112.5745.

    Examples
    --------
    >>> from analysis import fit_probe
    >>> features = np.random.default_rng(0).normal(size=(6, 2))
    >>> shown = [[0, 1, 2], [1, 2, 3], [0, 2, 3]]
    >>> probe = fit_probe(features, shown, [0, 1, 2], penalty=0.1)
    >>> bool((transform_information(features, probe, shown, [[3, 4, 5]]) > 0).all())
    True
    """
    table = as_features(features, "features").numpy().astype(np.float64)
    shown, candidates = check_triplets(shown, len(table)), check_triplets(candidates, len(table))
    as_count(axes, "axes")
    if probe.transform == "zero-shot":
        return np.zeros(len(candidates))
    if probe.transform not in ("full", "diagonal"):
        raise ValueError(f"'probe' must be of a full, a diagonal or a zero-shot transform, got {probe.transform!r}.")
    chances = choice_probabilities(probe.similarity(table), np.concatenate([shown, candidates]))
    slopes = _slopes_of(table, probe, np.unique(shown), axes)
    known = _whitened(slopes, shown, chances[: len(shown)])
    new = _whitened(slopes, candidates, chances[len(shown) :])
    flat = known.reshape(-1, known.shape[2])
    precision = flat.T @ flat + 2 * len(shown) * probe.penalty * slopes.shrinkage
    precision[np.diag_indices_from(precision)] += _FREE * precision.diagonal().max()
    factor = np.linalg.cholesky(precision)
    spread = solve_triangular(factor, new.reshape(-1, new.shape[2]).T, lower=True).T.reshape(new.shape)
    return np.linalg.slogdet(np.eye(3) + spread @ spread.transpose(0, 2, 1))[1] / 2


class _Slopes:
    """Slopes of similarities in the transform, and the curvature of the shrinkage, in the axes kept."""

    def __init__(self, inside: np.ndarray, moved: np.ndarray, *, full: bool):
        self.inside, self.moved, self.full = inside, moved, full
        width = inside.shape[1]
        scalar = np.eye(width).ravel() if full else np.ones(width)
        self.shrinkage = np.eye(len(scalar)) - np.outer(scalar, scalar) / width

    def of_pairs(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """(n, parameters)"""
        if not self.full:
            return self.inside[one] * self.moved[other] + self.inside[other] * self.moved[one]
        product = self.inside[one][:, :, None] * self.moved[other][:, None, :]
        product += self.inside[other][:, :, None] * self.moved[one][:, None, :]
        return product.reshape(len(one), -1)


def _slopes_of(table: np.ndarray, probe: Probe, used: np.ndarray, axes: int) -> _Slopes:
    if probe.transform == "diagonal":
        kept = np.argsort(-(table[used] ** 2).sum(axis=0), kind="stable")[:axes]
        return _Slopes(table[:, kept], table[:, kept] * probe.core.numpy().astype(np.float64)[kept], full=False)
    basis = probe.basis.numpy().astype(np.float64)  # of principal axes, the leading ones first
    kept = min(axes, basis.shape[1])
    inside = table @ basis
    return _Slopes(inside[:, :kept], (inside @ probe.core.numpy())[:, :kept], full=True)


def _whitened(slopes: _Slopes, triplets: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """B J of each triplet, (n, 3, parameters)."""
    a, b, c = triplets.T
    jacobian = np.stack([slopes.of_pairs(*pair) for pair in ((b, c), (a, c), (a, b))], axis=1)
    jacobian -= np.einsum("na,nad->nd", chances, jacobian)[:, None]
    return np.sqrt(chances)[:, :, None] * jacobian


def refitted_divergences(
    features: Mapping[str, ArrayLike],
    shown: ArrayLike,
    predicted: ArrayLike,
    candidates: ArrayLike,
    expected: ArrayLike,
    *,
    penalty: float,
    transform: str = "full",
    tolerance: float = 1e-4,
) -> np.ndarray:
    """How far each rival is from each model's predictions after it was refitted to them: 0 = it undid all; in nats.

    Parameters
    ----------
    features : mapping of arrays of shape (n_objects, p)
        One entry a model.
    shown : integer array of shape (n_shown, 3)
        Triplets that rivals are refitted on: the design so far.
    predicted : array of shape (n_models, n_shown, 3)
        What each model, as it is fitted now, predicts of them.
    candidates : integer array of shape (n, 3)
        A shortlist.
    expected : array of shape (n_models, n, 3)
        What each model, as it is fitted now, predicts of these.
    penalty, transform, tolerance
        Of the rivals' fits, as in `fit_probe`.

    Returns
    -------
    numpy.ndarray
        float64 (n_models, n_models, n): KL divergence of rival (second axis) from model (first axis).

    References
    ----------
    Atkinson & Fedorov (1975), The design of experiments for discriminating between two rival models, Biometrika 62.

    Examples
    --------
    >>> from analysis import draw_triplets
    >>> rng = np.random.default_rng(0)
    >>> features = {"a": rng.normal(size=(9, 2)), "b": rng.normal(size=(9, 2))}
    >>> shown, candidates = draw_triplets(9, 10, 0), draw_triplets(9, 4, 1)
    >>> p, q = (np.stack([choice_probabilities(x @ x.T, t) for x in features.values()]) for t in (shown, candidates))
    >>> refitted_divergences(features, shown, p, candidates, q, penalty=0.01).shape
    (2, 2, 4)
    """
    tables = {name: as_features(table, f"features[{name!r}]") for name, table in features.items()}
    n_objects = len(next(iter(tables.values())))
    shown, candidates = check_triplets(shown, n_objects), check_triplets(candidates, n_objects)
    predicted, expected = check_probabilities(predicted), check_probabilities(expected)
    for name, values, triplets in (("predicted", predicted, shown), ("expected", expected, candidates)):
        if values.shape[:2] != (len(tables), len(triplets)):
            wanted = (len(tables), len(triplets), 3)
            raise ValueError(f"'{name}' must have shape {wanted}, got {values.shape}.")
    options = {"penalties": [penalty], "transform": transform, "tolerance": tolerance}
    found = np.empty((len(tables), len(tables), len(candidates)))
    datasets = [(shown, chances) for chances in predicted]
    for place, table in enumerate(tables.values()):
        fits = fit_probes([table], datasets, **options)[0]
        for model, (probe,) in enumerate(fits):
            rival = choice_probabilities(probe.similarity(table), candidates)
            found[model, place] = divergence(expected[model], rival)
    return found


def divergence(expected: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Kullback–Leibler divergence (n,) of predictions from what is expected, (n, 3) each, in nats."""
    tiny = np.finfo(np.float64).tiny
    return (expected * (np.log(expected.clip(tiny)) - np.log(predicted.clip(tiny)))).sum(axis=1).clip(min=0)


def separating_batch(
    divergences: ArrayLike, triplets: ArrayLike, n: int, *, weights: ArrayLike | None = None
) -> np.ndarray:
    """The batch that keeps each model's nearest refitted rival farthest: each row comes once, without near-copies.

    Parameters
    ----------
    divergences : array of shape (n_models, n_models, n_candidates)
        As `refitted_divergences` returns them; the diagonal does not count.
    triplets : integer array of shape (n_candidates, 3)
        The candidates.
    n : int
        How many to choose.
    weights : array of shape (n_models,), optional
        How much each model is believed to be the one that answers.

    Returns
    -------
    numpy.ndarray
        int64 of shape (n,): rows of the candidates.

    Notes
    -----
    Greedy: each step adds the triplet that most raises the weighted mean, over models, of the summed divergence of the
    nearest rival. In small cases greedy batches reach on average 96 % of the best one's (the tests measure it).

    Examples
    --------
    Model 0 has two rivals; the batch keeps both of them away:

    >>> d = np.zeros((3, 3, 3))
    >>> d[0, 1], d[0, 2] = [1.0, 0.9, 0.0], [0.0, 0.1, 0.8]
    >>> separating_batch(d, [[0, 1, 2], [3, 4, 5], [6, 7, 8]], 2, weights=[1, 0, 0]).tolist()
    [1, 2]
    """
    divergences = as_floats(divergences, "divergences", shape=(None, None, None))
    n_models, n_rivals, n_candidates = divergences.shape
    if n_rivals != n_models or n_models < 2 or not (np.isfinite(divergences).all() and divergences.min(initial=0) >= 0):
        raise ValueError("'divergences' must be finite, at least 0, of shape (n_models, n_models, n_candidates) with "
                         f"at least 2 models, got shape {divergences.shape}.")  # fmt: skip
    weights = check_weights(weights, n_models)
    budget = PairBudget(triplets, n_candidates, n)
    rivals = divergences.copy()
    rivals[np.arange(n_models), np.arange(n_models)] = np.inf
    so_far = np.zeros((n_models, n_models, 1))
    chosen: list[int] = []
    every = np.arange(n_candidates)
    while len(chosen) < n:
        free = every[budget.admits(every)]
        if not len(free):
            budget.widen()
            continue
        worth = weights @ (so_far + rivals[:, :, free]).min(axis=1)
        best = int(free[worth.argmax()])
        budget.take(best)
        chosen.append(best)
        so_far = so_far + divergences[:, :, [best]]
    return np.array(chosen, dtype=np.int64)

"""What neuronal correlation reaches by chance: by shuffling, and in closed form."""

from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import betainc, xlogy

from analysis.checks import ArrayLike, as_count, as_floats, as_generator, as_integers
from analysis.measures._units import Depths, Network, mean_match, pair


def permutation_scores(
    source: ArrayLike,
    target: ArrayLike,
    *,
    source_layer: ArrayLike | None = None,
    target_layer: ArrayLike | None = None,
    penalty: str | None = "index",
    n_permutations: int = 20,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> np.ndarray:
    """Scores source → target that are left by chance, the target's stimuli shuffled: each from 0 to 1.

    Unlike `chance_level` this keeps the distribution of every unit and the dependence between units.

    Parameters
    ----------
    source, target, source_layer, target_layer, penalty, device
        As in `neuronal_correlation`, errors too.
    n_permutations : int
        Shuffles, at least 1.
    seed : int
        Of the shuffles.

    Returns
    -------
    ndarray of float64, shape (n_permutations,)
        Their mean is `permutation_floor`; the score's rank among them is a permutation test.

    Examples
    --------
    >>> a = np.arange(40.0).reshape(20, 2) % 7
    >>> permutation_scores(a, a, n_permutations=3).shape
    (3,)
    """
    a, b = pair(source, target, source_layer, target_layer, penalty, device)
    return _shuffled_scores(a, b, n_permutations, seed)


def permutation_floor(source: ArrayLike, target: ArrayLike, **options: Any) -> float:
    """Score that is left by chance, 0 to 1: the mean of `permutation_scores`, which takes the same options."""
    return float(permutation_scores(source, target, **options).mean())


def chance_level(n_stimuli: int, n_target_units: int | list[int], distance: float | list[float] = 0) -> float:
    r"""Match that a unit finds among unrelated ones: near 0 = none by luck, 1 = every unit has a "twin" by luck.

    The expected maximum over independent Gaussian units, in closed form: with :math:`m_k` units at distance
    :math:`d_k`,

    .. math:: \int_0^1 1 - \prod_k F(r (1 + d_k))^{m_k} \, dr, \qquad
              F(x) = I_{\min(x, 1)^2}\left(\tfrac12, \tfrac{N - 2}{2}\right)

    where :math:`F` is the distribution of :math:`|r|` over :math:`N` stimuli (regularised incomplete beta function).

    Parameters
    ----------
    n_stimuli : int
        N, at least 3.
    n_target_units : int or list of int
        Units of the target, of each of its layers, each at least 1.
    distance : float or list of float
        Distance of each layer from the unit's own, 0 or more; one number serves all layers.

    Returns
    -------
    float
        Exact to 1e-9.

    Examples
    --------
    >>> [round(chance_level(n, 49), 3) for n in (10, 100, 1000)]
    [0.742, 0.249, 0.079]
    """
    as_count(n_stimuli, "n_stimuli", 3)
    sizes = as_integers(np.atleast_1d(n_target_units), "n_target_units", shape=(None,))
    distances = np.atleast_1d(as_floats(distance, "distance"))
    if not len(sizes) or sizes.min() < 1:
        raise ValueError(f"'n_target_units' must be at least 1 in every layer, got {n_target_units!r}.")
    if distances.shape not in ((1,), sizes.shape):
        raise ValueError(f"'distance' must be one number or one a layer ({len(sizes)}), got {distance!r}.")
    if not (np.isfinite(distances).all() and (distances >= 0).all()):
        raise ValueError(f"'distance' must be finite and not negative, got {distance!r}.")
    return _expected_maximum(n_stimuli, sizes, np.broadcast_to(distances, sizes.shape))


def chance_score(
    n_stimuli: int,
    source_layer: ArrayLike,
    target_layer: ArrayLike,
    *,
    penalty: str | None = "index",
    source_varying: ArrayLike | None = None,
    target_varying: ArrayLike | None = None,
) -> float:
    """Score of unrelated networks with these layers, 0 to 1: the mean of `chance_level` over the source's units.

    Parameters
    ----------
    n_stimuli : int
        At least 3.
    source_layer, target_layer : integers, shape (n_units,)
        Index of each unit's layer.
    penalty : {"index", "relative", None}
        As in `neuronal_correlation`.
    source_varying, target_varying : booleans, shape (n_units,), optional
        Which units vary over the stimuli (`varying_units`). A constant source unit matches with 0, a constant target
        unit is no candidate. None: all vary.

    Raises
    ------
    ValueError
        If a vector does not fit, there are fewer than 3 stimuli, or the penalty is unknown.

    Examples
    --------
    >>> round(chance_score(10, np.zeros(100, int), np.repeat([0, 1], [5408, 1600])), 3)
    0.925
    """
    as_count(n_stimuli, "n_stimuli", 3)
    source = Depths.of(source_layer, source_varying, "source", penalty)
    return _mean_chance(n_stimuli, source, Depths.of(target_layer, target_varying, "target", penalty))


def _shuffled_scores(a: Network, b: Network, n_permutations: int, seed: int) -> np.ndarray:
    as_count(n_permutations, "n_permutations")
    random = as_generator(seed)
    scores = np.empty(n_permutations)
    for turn in range(n_permutations):
        shuffle = torch.from_numpy(random.permutation(b.units.vectors.shape[1])).to(b.units.place.device)
        scores[turn] = mean_match(a, b._replace(units=b.units._replace(vectors=b.units.vectors[:, shuffle])))
    return scores


def _expected_maximum(n_stimuli: int, sizes: np.ndarray, distances: np.ndarray) -> float:
    """The integral of `chance_level`: between the points where the product leaves 0 and reaches 1, by Gauss's rule."""
    distances, layer = np.unique(distances, return_inverse=True)
    sizes = np.bincount(layer, weights=sizes)

    def below(r: np.ndarray) -> np.ndarray:
        r_squared = np.minimum(np.multiply.outer(r, 1 + distances), 1) ** 2
        return np.exp(xlogy(sizes, betainc(0.5, n_stimuli / 2 - 1, r_squared)).sum(axis=-1))

    low, high = (brentq(lambda r, p=p: below(r) - p, 0, 1, xtol=1e-15) for p in (1e-10, 1 - 1e-10))
    edges = np.sort(np.concatenate([np.linspace(low, high, 65), np.clip(1 / (1 + distances), low, high)]))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    s, width = (1 + nodes) / 2, np.diff(edges)[:, None]
    r = edges[1:, None] - width * s**2  # a panel may end like a square root (N = 3); in s it is smooth
    return float(low + np.sum(width * s * weights * (1 - below(r))))


def _mean_chance(n_stimuli: int, source: Depths, target: Depths) -> float:
    """Mean of the closed form over the source's units; 0 for the constant ones."""
    if not (len(source.varying) and len(target.varying)):
        return 0.0
    depths, counts = np.unique(source.varying, return_counts=True)
    layers, sizes = np.unique(target.varying, return_counts=True)
    levels = [_expected_maximum(n_stimuli, sizes, np.abs(layers - depth)) for depth in depths]
    return float(counts @ levels / source.n_units)

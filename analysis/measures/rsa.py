"""Representational similarity analysis (RSA) of many models at once: do they find the same stimuli alike?"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from scipy.spatial.distance import squareform
from torch.nn.functional import pdist

from analysis.checks import ArrayLike, choose
from analysis.measures._products import product, side_by_side
from analysis.measures._representations import as_representations, inner_products, normalised


def rsa_matrix(
    features: Sequence[ArrayLike],
    *,
    dissimilarity: str = "correlation",
    compare: str = "spearman",
    device: str | torch.device | None = None,
) -> np.ndarray:
    """RSA of all pairs of models: 1 = their dissimilarities rank the stimulus pairs alike, 0 = unrelated; in [-1, 1].

    Each model's dissimilarity between every two stimuli is laid out as a vector; the similarity of two models is the
    correlation of their vectors.

    Parameters
    ----------
    features : sequence of arrays or tensors, each of shape (n_stimuli, n_units_k)
        One representation a model; the stimuli in the same order, at least 3.
    dissimilarity : {"correlation", "euclidean"}
        Between two stimuli: 1 minus Pearson's r over units, or the Euclidean distance.
    compare : {"spearman", "pearson"}
        Between two models: correlation of ranks (ties, to within rounding, share their mean rank) or of the
        dissimilarities themselves.
    device : str or torch.device, optional
        Where to compute; by default where the features are.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_models), float64
        Symmetric, ones on the diagonal.

    Raises
    ------
    ValueError
        As in :func:`cka_matrix`; also if a stimulus evokes the same activation in all units of a model
        (``"correlation"``), or if all dissimilarities of a model are equal.

    Notes
    -----
    Ranks need a model's whole vector: working memory is ``n_models * n_stimuli**2 / 2`` entries (400 MB for
    200 models and 1,000 stimuli in float32).

    References
    ----------
    Kriegeskorte, Mur, Bandettini (2008), *Representational similarity analysis*, doi:10.3389/neuro.06.004.2008.

    Examples
    --------
    >>> features = np.random.default_rng(0).normal(size=(2, 30, 50))
    >>> rsa_matrix([features[0], 2 * features[0] + 1, features[1]]).round(2)
    array([[ 1.  ,  1.  , -0.03],
           [ 1.  ,  1.  , -0.03],
           [-0.03, -0.03,  1.  ]])
    """
    distances = _DISSIMILARITIES[choose(dissimilarity, "dissimilarity", _DISSIMILARITIES)]
    ranked = choose(compare, "compare", ("spearman", "pearson")) == "spearman"
    tensors = as_representations(features, min_stimuli=3, device=device)
    names = [f"features[{k}]" for k in range(len(tensors))]
    if dissimilarity == "correlation":
        for x, name in zip(tensors, names, strict=True):
            _refuse_flat_patterns(x, name)
    n_stimuli = len(tensors[0])
    vectors = tensors[0].new_empty(len(tensors), n_stimuli * (n_stimuli - 1) // 2)
    side_by_side(partial(_unit_vector, distances, ranked), tensors, names, vectors, device=vectors.device)
    return normalised(inner_products(vectors))


def _refuse_flat_patterns(x: torch.Tensor, name: str) -> None:
    flat = (x == x[:, :1]).all(1)
    if flat.any():
        raise ValueError(
            f"'{name}' must vary over units for every stimulus (dissimilarity 'correlation'), got {int(flat.sum())} "
            f"stimuli with one activation throughout, the first in row {int(flat.nonzero()[0])}."
        )


def _correlation_distances(x: torch.Tensor) -> torch.Tensor:
    """1 − r. Standardised patterns are of one length, so that a product rounds no distance by more than another."""
    patterns = x - x[:, :1]
    patterns -= patterns.mean(1, keepdim=True)
    patterns /= patterns.norm(dim=1, keepdim=True)
    similarity = product(patterns, patterns.T).cpu().numpy()
    return torch.from_numpy(1 - squareform(similarity, checks=False))


_DISSIMILARITIES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "correlation": _correlation_distances,
    "euclidean": pdist,
}


def _unit_vector(
    distances: Callable[[torch.Tensor], torch.Tensor], ranked: bool, x: torch.Tensor, name: str, out: torch.Tensor
) -> None:
    """Into `out`: distances (or their ranks) with mean 0 and length 1, so that inner products are correlations.

    Distances are taken in float64: there those that are equal differ by rounding alone, and near ones by more.
    """
    values = distances(x.double()).cpu().numpy()
    tolerance = (32 + np.sqrt(x.shape[1])) * np.finfo(values.dtype).eps * values.max()
    if np.ptp(values) <= tolerance:
        raise ValueError(f"'{name}' must vary in its dissimilarities, got {values[0]:.6g} for every pair.")
    centred = _ranks(values, tolerance) if ranked else values
    centred -= centred.mean()
    centred /= np.linalg.norm(centred)
    out.copy_(torch.from_numpy(centred))


def _ranks(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Ranks from 1, ties at their mean rank.

    Neighbours no further apart than the tolerance are one tie: rounding alone tells them apart.
    """
    order = _order(values)
    starts = np.flatnonzero(np.diff(values[order], prepend=-np.inf) > tolerance)
    lengths = np.diff(starts, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (lengths + 1) / 2, lengths)
    return ranks


def _order(values: np.ndarray) -> np.ndarray:
    """As `numpy.argsort`, in half the time: integers are sorted that hold a value's leading bits and its place.

    With half a million values these are 43 bits, and values that are equal in them keep their order.
    """
    n_bits = (len(values) - 1).bit_length()
    keys = values - values.min()
    keys *= 2.0 ** (62 - n_bits) / keys.max()
    keys = keys.astype(np.uint64)
    keys <<= np.uint64(n_bits)
    keys |= np.arange(len(values), dtype=np.uint64)
    keys.sort()
    keys &= np.uint64(2**n_bits - 1)
    return keys.view(np.int64)

"""How a transform changes a geometry, and how many dimensions a geometry has."""

import numpy as np

from analysis.checks import ArrayLike, as_features


def geometry_shift(features: ArrayLike, weights: ArrayLike) -> float:
    """1 − correlation of the dissimilarities before and after a transform: 0 = same geometry, up to 2; higher = moved.

    The dissimilarity of two objects is the Euclidean distance of their features; the correlation is Pearson's, over the
    pairs of objects.

    Parameters
    ----------
    features : array of shape (n_objects, p)
        At least 3 objects.
    weights : array of shape (p, k)
        The transform, as in ``Probe.weights``.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If the shapes do not fit, or all distances are equal before or after, which leaves the correlation undefined.

    Examples
    --------
    >>> features = np.random.default_rng(0).normal(size=(20, 4))
    >>> abs(round(geometry_shift(features, 3 * np.eye(4)), 6))
    0.0
    """
    features = _centred(features, min_objects=3)
    weights = _scaled(as_features(weights, "weights").double().cpu().numpy())
    if len(weights) != features.shape[1]:
        raise ValueError(f"'weights' must have {features.shape[1]} rows, one per unit, got {len(weights)}.")
    distances = [_distances(table) for table in (features, features @ weights)]
    for name, values in zip(("features", "weights"), distances, strict=True):
        if values.std() <= 1e-12 * values.mean():
            raise ValueError(f"'{name}' must leave distances that differ, got {values.mean():.6g} for every pair.")
    return float(1 - np.corrcoef(distances)[0, 1])


def _distances(features: np.ndarray) -> np.ndarray:
    similarity = features @ features.T
    lengths = similarity.diagonal()
    squared = lengths[:, None] + lengths - 2 * similarity
    return np.sqrt(squared[np.triu_indices(len(features), 1)].clip(min=0))


def effective_dimensionality(features: ArrayLike) -> float:
    r"""Participation ratio of the features: 1 = all variance along one axis, up to p; higher = more evenly spread.

    .. math:: (\sum_i \lambda_i)^2 / \sum_i \lambda_i^2, \quad \lambda_i \text{ eigenvalues of the covariance}

    Parameters
    ----------
    features : array of shape (n_objects, p)
        At least 2 objects that are not all equal.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        If all objects are equal.

    Examples
    --------
    >>> round(effective_dimensionality(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])), 6)
    2.0
    """
    centred = _centred(features, min_objects=2)
    if not centred.any():
        raise ValueError("'features' must differ between objects, got equal rows.")
    gram = centred.T @ centred if centred.shape[1] < len(centred) else centred @ centred.T
    return float(np.trace(gram) ** 2 / (gram**2).sum())


def _centred(features: ArrayLike, *, min_objects: int) -> np.ndarray:
    """Features in float64 with mean 0 and a largest difference from the first object of 1.

    Taken from the first object on, a large offset costs no digits and equal rows are exactly 0.
    """
    features = as_features(features, "features", min_stimuli=min_objects).double().cpu().numpy()
    moved = _scaled(features - features[0])
    return moved - moved.mean(axis=0)


def _scaled(table: np.ndarray) -> np.ndarray:
    """Brought to a largest entry of 1: its squares leave no range, whatever the unit."""
    size = np.abs(table).max()
    return table / size if size > 0 else table

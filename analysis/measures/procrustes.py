"""Procrustes shape comparison of representations: what is left after the best rotation."""

from collections.abc import Sequence

import numpy as np
import torch

from analysis.checks import ArrayLike
from analysis.measures._representations import as_representations


def procrustes_distance(first: ArrayLike, second: ArrayLike, *, device: str | torch.device | None = None) -> float:
    r"""Angular Procrustes distance, radians: 0 = equal up to rotation and scaling, π/2 = nothing shared; lower = alike.

    Both representations are centred and scaled to norm 1. The distance is the angle that is left between them after the
    best orthogonal alignment (rotations and reflections; the narrower one is padded with silent units),

    .. math:: \theta(X, Y) = \min_Q \arccos \langle X, Y Q \rangle = \arccos \lVert X^\top Y \rVert_*

    with the nuclear norm, the sum of singular values. It is a metric: symmetric, and with the triangle inequality. Its
    cosine is :func:`procrustes_matrix`, which is higher for more alike models.

    Parameters
    ----------
    first, second : array or tensor, shape (n_stimuli, n_units), (n_stimuli, n_other_units)
        The stimuli in the same order, at least 2.
    device : str or torch.device, optional
        Where to compute; by default where the features are.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        As in :func:`procrustes_matrix`.

    References
    ----------
    Williams, Kunz, Kornblith, Linderman (2021), *Generalized shape metrics on neural representations*,
    arXiv:2110.14739, Eq. 7 (angular variant, linear alignments). Schönemann (1966), *A generalized solution of the
    orthogonal Procrustes problem*, doi:10.1007/BF02289451.

    Examples
    --------
    >>> square = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    >>> turned = 3 * square @ np.array([[0.6, 0.8], [-0.8, 0.6]]) + 5
    >>> round(procrustes_distance(square, turned), 6)
    0.0
    """
    names = ("first", "second")
    shapes = [
        _shape(x, name) for x, name in zip(as_representations((first, second), 2, device, names), names, strict=True)
    ]
    return float(np.arccos(_alignment(*shapes)))


def procrustes_matrix(features: Sequence[ArrayLike], *, device: str | torch.device | None = None) -> np.ndarray:
    r"""Procrustes similarity of all pairs of models: 1 = equal up to rotation and scaling, 0 = unrelated; in [0, 1].

    The cosine of :func:`procrustes_distance`, higher = more alike:
    :math:`\lVert X_a^\top X_b \rVert_* / (\lVert X_a \rVert_F \lVert X_b \rVert_F)` of centred representations. Where
    CKA weighs shared dimensions by the square of their variance, this weighs them by the variance itself, so that small
    dimensions count for more. Unrelated models score far above 0 when there are more units than stimuli.

    Parameters
    ----------
    features : sequence of arrays or tensors, each of shape (n_stimuli, n_units_k)
        One representation a model; the stimuli in the same order, at least 2. Computed in float64.
    device : str or torch.device, optional
        Where to compute; by default where the features are.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_models), float64
        Symmetric, ones on the diagonal.

    Raises
    ------
    ValueError
        If there is no representation, their stimulus counts differ, there are too few stimuli, an entry is not finite,
        or a representation is entirely constant.

    Notes
    -----
    A representation with more units than stimuli is replaced by a square one of the same geometry (from a QR
    decomposition), so a pair costs one product and the singular values of a matrix of min(n_stimuli, n_units) rows and
    columns. All reduced representations are held at once.

    References
    ----------
    As in :func:`procrustes_distance`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> first, second = rng.normal(size=(2, 200, 10))
    >>> rotation, _ = np.linalg.qr(rng.normal(size=(10, 10)))
    >>> procrustes_matrix([first, 3 * first @ rotation, second]).round(2)
    array([[1.  , 1.  , 0.19],
           [1.  , 1.  , 0.19],
           [0.19, 0.19, 1.  ]])
    """
    shapes = [_shape(x, f"features[{k}]") for k, x in enumerate(as_representations(features, 2, device))]
    similarity = np.eye(len(shapes))
    for j, second in enumerate(shapes):
        for i, first in enumerate(shapes[:j]):
            similarity[i, j] = similarity[j, i] = _alignment(first, second)
    return similarity


def _shape(features: torch.Tensor, name: str) -> torch.Tensor:
    """A representation in float64, centred, of norm 1, and no wider than it has stimuli."""
    moved = features.double() - features[0].double()  # from the first stimulus on a large offset costs no digits
    centred = moved - moved.mean(0)
    norm = torch.linalg.vector_norm(centred)
    if not moved.any():
        raise ValueError(f"'{name}' must vary over stimuli, got an entirely constant representation.")
    centred /= norm
    if centred.shape[1] <= len(centred):
        return centred
    return torch.linalg.qr(centred.T, mode="r").R.T  # another basis of the stimuli's span: a rotation, free of charge


def _alignment(first: torch.Tensor, second: torch.Tensor) -> float:
    """Inner product after the best rotation."""
    return min(1.0, float(torch.linalg.svdvals(first.T @ second).sum()))

"""Centred kernel alignment (CKA) of many models at once: every model becomes one vector over pairs of stimuli."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations_with_replacement

import numpy as np
import torch
from torch.linalg import vector_norm

from analysis.checks import ArrayLike, as_count
from analysis.measures._products import product, side_by_side
from analysis.measures._representations import as_representations, inner_products, normalised


def cka_matrix(
    features: Sequence[ArrayLike],
    *,
    debiased: bool = False,
    block_size: int = 512,
    device: str | torch.device | None = None,
) -> np.ndarray:
    r"""Linear CKA of all pairs of models: 1 = equal up to rotation and isotropic scaling, 0 = unrelated; within [0, 1].

    With the centred Gram matrices :math:`K_a = X_a X_a^\top`,

    .. math:: \mathrm{CKA}(a, b) = \frac{\langle K_a, K_b \rangle}{\lVert K_a \rVert_F \, \lVert K_b \rVert_F}

    With fewer stimuli than units, unrelated representations score far above 0. The debiased variant replaces each
    :math:`K` by its U-centred form, whose inner product is the unbiased HSIC: unrelated models then score 0 on
    average, single values within [-1, 1].

    Parameters
    ----------
    features : sequence of arrays or tensors, each of shape (n_stimuli, n_units_k)
        One representation a model; the stimuli in the same order. Computed in float32 with float64 accumulation, in
        float64 throughout if any representation is float64.
    debiased : bool
        Use the unbiased estimate of HSIC; needs at least 4 stimuli.
    block_size : int
        Gram matrices are built in tiles of ``block_size`` × ``block_size`` stimuli; working memory is one tile a model.
    device : str or torch.device, optional
        Where to compute; by default where the features are.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_models), float64
        Symmetric, ones on the diagonal.

    Raises
    ------
    ValueError
        If there is no representation, their stimulus counts differ, there are too few stimuli, an entry is not
        finite, or a representation is entirely constant (debiased: or holds all stimuli equally far apart).

    References
    ----------
    Kornblith, Norouzi, Lee, Hinton (2019), *Similarity of neural network representations revisited*, Eq. 4 to 6,
    arXiv:1905.00414. Unbiased HSIC: Song, Smola, Gretton, Bedo, Borgwardt (2012), *Feature selection via dependence
    maximization*, Eq. 5. U-centring: Székely, Rizzo (2014), *Partial distance correlation with methods for
    dissimilarities*, Definition 2, doi:10.1214/14-AOS1255.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> first, second = rng.normal(size=(2, 40, 100))
    >>> rotation, _ = np.linalg.qr(rng.normal(size=(100, 100)))
    >>> cka_matrix([first, 3 * first @ rotation, second]).round(2)
    array([[1.  , 1.  , 0.71],
           [1.  , 1.  , 0.71],
           [0.71, 0.71, 1.  ]])
    >>> cka_matrix([first, second], debiased=True).round(2)
    array([[ 1.  , -0.01],
           [-0.01,  1.  ]])
    """
    as_count(block_size, "block_size")
    tensors = as_representations(features, min_stimuli=4 if debiased else 2, device=device)
    models = [_Centred.of(x, f"features[{k}]", debiased) for k, x in enumerate(tensors)]
    products = _gram_products(models, len(tensors[0]), block_size)
    _refuse_vanishing(products.diagonal(), len(tensors[0]), models[0].features.dtype)
    return normalised(products)


@dataclass(frozen=True)
class _Centred:
    """A representation that is centred and scaled block by block, when needed, so that no copy of it is kept."""

    features: torch.Tensor
    origin: torch.Tensor  # one stimulus, taken off first: exact where activations are large and differ little
    shift: torch.Tensor  # from there to the mean, after scaling
    scale: torch.Tensor  # brings the mean squared norm of a stimulus to 1: no overflow, whatever the units
    lift: torch.Tensor | None  # (n_stimuli,): added to rows and columns of the Gram matrix, U-centres it

    @classmethod
    def of(cls, features: torch.Tensor, name: str, debiased: bool) -> "_Centred":
        origin = features[0]
        parts = features.split(max(1, 2**15 // len(origin)))  # in cache; larger ones would leave holes in memory
        mean = sum((part - origin).sum(0, dtype=torch.float64) for part in parts) / len(features)
        centred = ((part - origin).sub_(mean.to(features.dtype)) for part in parts)
        norms = torch.cat([vector_norm(part, dim=1, dtype=torch.float64).square() for part in centred])
        if not norms.any():
            raise ValueError(f"'{name}' must vary over stimuli, got an entirely constant representation.")
        scale = (len(norms) / norms.sum()).sqrt()
        lift = _lift(norms * scale**2).to(features.dtype) if debiased else None
        return cls(features, origin, (-mean * scale).to(features.dtype), scale.to(features.dtype), lift)

    def rows(self, block: slice) -> torch.Tensor:
        return torch.addcmul(self.shift, self.features[block] - self.origin, self.scale)

    def gram(self, out: torch.Tensor, *, rows: slice, columns: slice) -> None:
        left = self.rows(rows)
        product(left, (left if rows == columns else self.rows(columns)).T, out=out)
        if self.lift is not None:
            out += self.lift[rows, None] + self.lift[columns]
            if rows == columns:
                out.fill_diagonal_(0)


def _lift(norms: torch.Tensor) -> torch.Tensor:
    """What U-centring adds: without its diagonal, a row of a centred Gram matrix sums to minus its diagonal entry."""
    n = len(norms)
    return norms / (n - 2) - norms.sum() / (2 * (n - 1) * (n - 2))


def _gram_products(models: list[_Centred], n_stimuli: int, block_size: int) -> torch.Tensor:
    """Inner products of all (centred) Gram matrices; tiles below the diagonal equal those above and count twice."""
    blocks = [slice(start, min(start + block_size, n_stimuli)) for start in range(0, n_stimuli, block_size)]
    products = models[0].features.new_zeros(len(models), len(models), dtype=torch.float64)
    memory = models[0].features.new_empty(len(models) * blocks[0].stop ** 2)  # of the first tile, the largest
    for rows, columns in combinations_with_replacement(blocks, 2):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        tiles = memory[: len(models) * height * width].view(len(models), height, width)
        side_by_side(partial(_Centred.gram, rows=rows, columns=columns), models, tiles, device=memory.device)
        products += inner_products(tiles.flatten(1)) * (1 if rows == columns else 2)
    return products


def _refuse_vanishing(self_products: torch.Tensor, n_stimuli: int, dtype: torch.dtype) -> None:
    """Equidistant stimuli leave a U-centred Gram matrix of rounding errors: there is nothing to compare."""
    vanishing = self_products <= (16 * torch.finfo(dtype).eps * n_stimuli) ** 2
    if vanishing.any():
        k = int(vanishing.nonzero()[0])
        raise ValueError(f"'features[{k}]' must vary in its distances, got stimuli that are all equally far apart.")

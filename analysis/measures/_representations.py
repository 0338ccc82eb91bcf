"""Representations of many models at once: checked, and compared by one matrix product."""

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from analysis.checks import ArrayLike, as_features
from analysis.measures._products import product, side_by_side

_ROWS = 4096  # float64 stimuli in hand while scaling


def as_representations(
    features: Iterable[ArrayLike],
    min_stimuli: int,
    device: str | torch.device | None,
    names: Sequence[str] | None = None,
) -> list[torch.Tensor]:
    """One tensor a model, all of one type and about one size; errors call them ``features[k]``, or as `names` says."""
    listed = list(features)
    if not listed:
        raise ValueError("'features' must hold at least 1 representation, got none.")
    names = names or [f"features[{k}]" for k in range(len(listed))]
    tensors = [
        as_features(x, name, min_stimuli=min_stimuli, device=device) for x, name in zip(listed, names, strict=True)
    ]
    counts = [len(tensor) for tensor in tensors]
    if len(set(counts)) > 1:
        who = "'features' must all" if names[0].endswith("]") else f"{' and '.join(map(repr, names))} must"
        raise ValueError(f"{who} have the same number of stimuli, got {counts}.")
    tensors = [_scaled(tensor) for tensor in tensors]
    dtype = torch.float64 if any(tensor.dtype == torch.float64 for tensor in tensors) else torch.float32
    return [tensor.to(dtype) for tensor in tensors]


def _scaled(features: torch.Tensor) -> torch.Tensor:
    """Features of extreme size brought to about 1 by a power of two, which rounds nothing; others as they are.

    Comparisons of representations ignore their scale, but squares of 1e30 or 1e-22 leave the range of float32.
    """
    size = float(features.abs().max())
    if size == 0 or 2.0**-30 < size < 2.0**30:
        return features
    scale = 2.0 ** -max(np.floor(np.log2(size)), -1000)
    return torch.cat([(rows.double() * scale).to(features.dtype) for rows in features.split(_ROWS)])


def inner_products(vectors: torch.Tensor) -> torch.Tensor:
    """All inner products; float32 sums 65,536 entries at most before float64 takes over."""
    parts = side_by_side(_of_part, vectors.split(2**16, dim=1), device=vectors.device)
    return torch.stack(parts).sum(0)


def _of_part(part: torch.Tensor) -> torch.Tensor:
    return product(part, part.T).double()


def normalised(products: torch.Tensor) -> np.ndarray:
    products = (products + products.T) / 2
    norms = products.diagonal().sqrt()
    similarity = (products / (norms * norms[:, None])).clamp(-1, 1)
    return similarity.fill_diagonal_(1).cpu().numpy()

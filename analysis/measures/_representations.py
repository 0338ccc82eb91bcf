"""Representations of many models at once: checked, and compared by one matrix product."""

from collections.abc import Sequence

import numpy as np
import torch

from analysis.checks import ArrayLike, as_features

_ROWS = 4096  # float64 stimuli in hand while scaling


def as_representations(
    features: Sequence[ArrayLike], min_stimuli: int, device: str | torch.device | None
) -> list[torch.Tensor]:
    tensors = [as_features(x, f"features[{k}]", min_stimuli=min_stimuli, device=device) for k, x in enumerate(features)]
    if not tensors:
        raise ValueError("'features' must hold at least 1 representation, got none.")
    counts = [len(tensor) for tensor in tensors]
    if len(set(counts)) > 1:
        raise ValueError(f"'features' must all have the same number of stimuli, got {counts}.")
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
    return sum((part @ part.T).double() for part in vectors.split(2**16, dim=1))


def normalised(products: torch.Tensor) -> np.ndarray:
    products = (products + products.T) / 2
    norms = products.diagonal().sqrt()
    similarity = (products / (norms * norms[:, None])).clamp(-1, 1)
    return similarity.fill_diagonal_(1).cpu().numpy()

"""Matrix products in full precision, by the library that is fast where the matrices are."""

import numpy as np
import torch


def product(left: torch.Tensor, right: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
    """`left` (n, k) times `right` (k, m), however low a precision the caller has set for training.

    On a CPU NumPy multiplies: its OpenBLAS has kernels for the processor at hand, where the MKL of PyTorch has them for
    some makes only (half as fast on a recent AMD), and it does half the work where `right` is the transpose of `left`.
    """
    if left.device.type == "cpu":
        numbers = np.matmul(left.numpy(), right.numpy(), out=None if out is None else out.numpy())
        return torch.from_numpy(numbers) if out is None else out
    backend = torch.backends.cuda.matmul
    before, backend.fp32_precision = backend.fp32_precision, "ieee"
    try:
        with torch.autocast(left.device.type, enabled=False):
            return torch.mm(left, right, out=out)
    finally:
        backend.fp32_precision = before

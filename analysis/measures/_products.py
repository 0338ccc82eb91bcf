"""Matrix products in full precision, by the library that is fast where the matrices are, on all cores."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import numpy as np
import torch
from threadpoolctl import ThreadpoolController

T = TypeVar("T")
_WORTH_THREADS = 3  # tasks; to begin with, threads may wait for milliseconds until PyTorch's stop spinning


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


def side_by_side(function: Callable[..., T], *items: Iterable[Any], device: torch.device) -> list[T]:
    """``map``; on a CPU in as many threads as PyTorch takes, each of which works on one core.

    For work in which `product` and PyTorch take turns: threads of either's own pool spin while they wait for more, and
    would take the cores from those of the other.
    """
    if device.type != "cpu":
        return list(map(function, *items))
    tasks = list(zip(*items, strict=True))
    inference = torch.is_inference_mode_enabled()  # a thread does not take it over, and could not write to its tensors

    def done(task: tuple) -> T:
        with torch.inference_mode(inference):
            return function(*task)

    with _pools().limit(limits=1, user_api="blas"):
        if len(tasks) < _WORTH_THREADS:
            return [done(task) for task in tasks]
        with ThreadPoolExecutor(torch.get_num_threads(), initializer=_on_one_core) as pool:
            return list(pool.map(done, tasks))


@contextmanager
def cores_for_numpy() -> Iterator[None]:
    """For work in which the products take the time: what PyTorch does beside them stays on one core, and none spins."""
    torch.get_num_threads()  # takes over what the process has set, which would undo the next line later
    with _pools().limit(limits=1, user_api="openmp"):  # of this thread alone
        yield


@cache
def _pools() -> ThreadpoolController:
    return ThreadpoolController()  # looking for them takes milliseconds


def _on_one_core() -> None:
    torch.get_num_threads()  # takes over what the process has set, which would undo the next line later
    _pools().limit(limits=1, user_api="openmp")  # of this thread alone

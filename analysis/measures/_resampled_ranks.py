"""Spearman's ρ of all pairs of metrics in all bootstrap resamples, by matrix products of signs."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits

_BATCH = 1 << 21  # ranks in one task


def resampled_pairs(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Spearman's ρ of every pair (upper triangle with diagonal) in every resample: (n_pairs, n_resamples)."""
    n_metrics = values.shape[1]
    pairs = np.full((n_metrics * (n_metrics + 1) // 2, len(counts)), np.nan)
    tasks, lock = _tasks(values, counts), Lock()

    def work() -> None:
        while True:
            with lock:
                task = next(tasks, None)
            if task is None:
                return
            rows, batch, *block = task
            pairs[rows, batch] = _correlate(*block)

    # One thread of linear algebra in each of ours: the library's own wait for each other wherever cores are shared.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(cpu_count()) as pool:
        for worker in [pool.submit(work) for _ in range(cpu_count())]:
            worker.result()
    return pairs


def _tasks(values: np.ndarray, counts: np.ndarray) -> Iterator[tuple]:
    """Rows of pairs, batch of resamples, and what `_correlate` needs: a block of metrics that miss the same models."""
    place = pair_places(values.shape[1])
    patterns, member = np.unique(np.isfinite(values), axis=1, return_inverse=True)
    blocks = [np.flatnonzero(member.ravel() == pattern) for pattern in range(patterns.shape[1])]
    for i, first in enumerate(blocks):
        for j, second in enumerate(blocks[: i + 1]):
            common = patterns[:, i] & patterns[:, j]
            if not common.any():
                continue  # the pairs stay undefined
            weights: np.ndarray = counts[:, common].astype(_exact_dtype(counts[:, common]))
            sides = [first] if i == j else [first, second]
            signs = [_signs(values[np.ix_(common, metrics)], weights.dtype) for metrics in sides]
            used = np.triu_indices(len(first)) if i == j else np.indices((len(first), len(second))).reshape(2, -1)
            rows = place[first[used[0]], second[used[1]]]
            step = max(1, _BATCH // max(sign.shape[1] for sign in signs))
            for start in range(0, len(counts), step):
                batch = slice(start, start + step)
                yield rows, batch, weights[batch], signs, used


def _exact_dtype(counts: np.ndarray) -> type:
    """float32 while it holds the largest sum of squared ranks, n³ / 3, as an exact integer; else float64."""
    return np.float32 if counts.sum(axis=1).max() ** 3 / 3 < 2**24 else np.float64


def pair_places(n_metrics: int) -> np.ndarray:
    """Where `resampled_pairs` keeps each pair: a symmetric matrix of its rows."""
    place = np.empty((n_metrics, n_metrics), dtype=np.int64)
    upper = np.triu_indices(n_metrics)
    place[upper] = place[upper[::-1]] = np.arange(len(upper[0]))
    return place


def _signs(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """sign(x_i − x_j) with j in the rows, and the metrics' columns i side by side: (n_models, n_metrics · n_models)."""
    n_models, n_metrics = values.shape
    signs: np.ndarray = np.empty((n_models, n_metrics, n_models), dtype)
    for metric, column in enumerate(values.T):
        signs[:, metric] = (column > column[:, None]).view(np.int8) - (column < column[:, None]).view(np.int8)
    return signs.reshape(n_models, -1)


def _correlate(counts: np.ndarray, signs: list[np.ndarray], used: tuple) -> np.ndarray:
    """Spearman's ρ of the used pairs in every resample, (n_used, n_resamples); NaN where a metric does not vary."""
    ranks = [_centred_ranks(counts, sign).reshape(len(counts), -1, counts.shape[1]) for sign in signs]
    weighted = [each * counts[:, None, :] for each in ranks]
    norms = [np.einsum("bki,bki->kb", *pair).astype(np.float64) for pair in zip(ranks, weighted, strict=True)]
    products = weighted[0] @ ranks[-1].swapaxes(1, 2)
    scale = norms[0][used[0]] * norms[-1][used[1]]
    with np.errstate(invalid="ignore"):
        return products[:, used[0], used[1]].T / np.sqrt(scale, out=scale)


def _centred_ranks(counts: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """counts @ signs, in half the time: the first half of the resamples carries the second in its upper bits.

    The products are integers of at most n; while n < shift / 2 both fit one float's mantissa and come apart exactly.
    """
    shift = counts.dtype.type(2 ** ((np.finfo(counts.dtype).nmant + 1) // 2))
    half = (len(counts) + 1) // 2
    packed = counts[:half].copy()
    packed[: len(counts) - half] += shift * counts[half:]
    ranks = np.empty((len(counts), signs.shape[1]), counts.dtype)
    lower, upper = ranks[:half], ranks[half:]
    np.matmul(packed, signs, out=lower)
    np.rint(lower[: len(upper)] / shift, out=upper)
    lower[: len(upper)] -= shift * upper
    return ranks

"""Answers and their counts, as agreement and its bootstrap both need them."""

import numpy as np
import torch

from analysis.checks import ArrayLike, as_array, as_count
from analysis.measures._products import side_by_side


def as_table(value: ArrayLike, name: str) -> np.ndarray:
    """A non-empty integer table as it is: a cast would cost more memory than all that follows."""
    table = as_array(value, name)
    if table.dtype.kind not in "iu" or table.ndim != 2 or table.size == 0:
        raise ValueError(f"'{name}' must be a non-empty table of integers, got {table.dtype} of shape {table.shape}.")
    return table


def as_counts(counts: ArrayLike) -> np.ndarray:
    counts = as_table(counts, "counts").astype(np.int64, copy=False)
    if counts.min() < 0:
        raise ValueError(f"'counts' must not be negative, got {counts.min()}.")
    return counts


def as_predictions(predictions: ArrayLike, n_categories: int) -> np.ndarray:
    predictions = as_table(predictions, "predictions")
    as_count(n_categories, "n_categories")
    low, high = int(predictions.min()), int(predictions.max())
    if low < -1 or high >= n_categories:
        raise ValueError(f"'predictions' must be from -1 to {n_categories - 1}, got values from {low} to {high}.")
    return predictions


def blocks(predictions: np.ndarray, n_categories: int) -> list[slice]:
    """Blocks of stimuli whose answers and counts stay in the processor's cache."""
    n_models, n_stimuli = predictions.shape
    size = max(1, 2**18 // max(n_models, n_categories))
    return [slice(start, start + size) for start in range(0, n_stimuli, size)]


def count(block: np.ndarray, n_categories: int) -> np.ndarray:
    """The count table of one block of stimuli; a column for "no answer" comes first and is cut off.

    PyTorch counts integers of 32 bits as they are, where NumPy turns them to 64 bits first: half the time.
    """
    width, n_stimuli = n_categories + 1, block.shape[1]
    cells = torch.from_numpy(np.add(block, np.arange(n_stimuli, dtype=np.int32) * width + 1, dtype=np.int32))
    return torch.bincount(cells.reshape(-1), minlength=n_stimuli * width).numpy().reshape(n_stimuli, width)[:, 1:]


def statistics(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All that agreement needs of a count table: answers and squared counts per stimulus, answers per category."""
    return counts.sum(1), np.einsum("ij,ij->i", counts, counts), counts.sum(0)


def all_statistics(predictions: np.ndarray, n_categories: int) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The statistics of every block of stimuli; the full count table is never held."""

    def of_block(rows: slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return statistics(count(predictions[:, rows], n_categories))

    return side_by_side(of_block, blocks(predictions, n_categories), device=torch.device("cpu"))


def summary(
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, float, float, float]:
    """From the blocks' statistics: agreement and answers per stimulus, observed and expected agreement, and kappa."""
    n_answers, squares = (np.concatenate(column) for column in list(zip(*parts, strict=True))[:2])
    per_stimulus, defined = p_agree(n_answers, squares), n_answers >= 2
    observed = float(per_stimulus[defined].mean()) if defined.any() else np.nan
    totals = np.sum([part[2] for part in parts], axis=0)
    expected = float(np.square(divide(totals, totals.sum())).sum())
    return per_stimulus, n_answers, observed, expected, float(divide(observed - expected, 1 - expected))


def p_agree(n_answers: np.ndarray, squares: np.ndarray) -> np.ndarray:
    return divide(squares - n_answers, n_answers * (n_answers - 1))


def divide(numerator: np.ndarray | float, denominator: np.ndarray | float) -> np.ndarray:
    """The quotient; NaN, without a word, where the denominator is 0."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    return np.divide(numerator, denominator, out=np.full(shape, np.nan), where=np.not_equal(denominator, 0))

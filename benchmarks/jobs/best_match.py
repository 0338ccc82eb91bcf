"""Neuronal correlation: the best match of every unit among all units of another network."""

import numpy as np
import torch

from analysis.measures.neurons import neuronal_correlation
from benchmarks.harness import LIMIT, Aim, Job, Way

N_LAYERS = 10
PAIRS = 2000


def prepare(units: int, stimuli: int):
    source, target = np.random.default_rng(0).standard_normal((2, stimuli, units), dtype=np.float32)
    return source, target, np.arange(units) * N_LAYERS // units


def ours(data):
    source, target, layer = data
    return neuronal_correlation(source, target, source_layer=layer, target_layer=layer).match


def product_in_torch(data, rows=4096, columns=512):
    """In blocks that stay in the cache and are thrown away, as the measure has to."""
    source, target = (torch.from_numpy(x).T.contiguous() for x in data[:2])
    for start in range(0, len(source), rows):
        for first in range(0, len(target), columns):
            torch.mm(source[start : start + rows], target[first : first + columns].T)


def product_in_numpy(data, rows=4096, columns=2048):
    source, target = data[0].T, data[1]
    for start in range(0, len(source), rows):
        for first in range(0, target.shape[1], columns):
            source[start : start + rows] @ target[:, first : first + columns]


def matrix_in_torch(data):
    """All correlations at once, then all penalties, then the maximum."""
    a, b = (torch.from_numpy(x) - torch.from_numpy(x.mean(0)) for x in data[:2])
    layer = torch.from_numpy(data[2]).float()
    match = ((a / a.norm(dim=0)).T @ (b / b.norm(dim=0))).abs_()
    match /= (layer[:, None] - layer).abs_().add_(1)
    return match.amax(dim=1).numpy()


def matrix_in_numpy(data):
    a, b = (x - x.mean(0) for x in data[:2])
    layer = data[2].astype(np.float32)
    match = np.abs((a / np.linalg.norm(a, axis=0)).T @ (b / np.linalg.norm(b, axis=0)))
    match /= 1 + np.abs(layer[:, None] - layer)
    return match.max(axis=1)


def loop(data):
    """The definition, pair by pair, for some pairs of the first unit."""
    source, target, layer = data
    for j in range(min(PAIRS, target.shape[1])):
        abs(np.corrcoef(source[:, 0], target[:, j])[0, 1]) / (1 + abs(layer[0] - layer[j]))


def looped(units: int, **_) -> float:
    return min(PAIRS, units) / units**2


JOBS = [
    Job(
        name="best_match",
        title="Best-match correlation",
        says="{units:,} × {units:,} units, {stimuli:,} stimuli",
        prepare=prepare,
        ways=(
            Way("neuronal_correlation", ours),
            Way("product in PyTorch", product_in_torch, LIMIT),
            Way("product in NumPy", product_in_numpy, LIMIT),
            Way("whole matrix in PyTorch", matrix_in_torch, once=True),
            Way("whole matrix in NumPy", matrix_in_numpy, once=True),
            Way("double loop", loop, part=looped, once=True),
        ),
        sizes=tuple({"units": units, "stimuli": 1000} for units in (2500, 5000, 10_000, 20_000)),
        tiny={"units": 40, "stimuli": 20},
        grows="units",
        aims=(Aim("of the limit", 1.15), Aim("gigabytes", 0.5)),
    )
]

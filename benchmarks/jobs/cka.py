"""Linear CKA of all pairs of models."""

import itertools

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from analysis.measures.cka import cka_matrix
from benchmarks.harness import LIMIT, Aim, Job, Way
from benchmarks.jobs._models import representations
from benchmarks.jobs._thingsvision import part

PAIRED = 5


def ours(features):
    return cka_matrix(features)


def products_in_numpy(features):
    """One Gram matrix a model and the product of all, neither centred nor normalised."""
    grams = np.empty((len(features), len(features[0]), len(features[0])), dtype=np.float32)
    for x, gram in zip(features, grams, strict=True):
        np.matmul(x, x.T, out=gram)
    flat = grams.reshape(len(features), -1)
    flat @ flat.T


def products_in_torch(features):
    """The same."""
    grams = torch.empty(len(features), len(features[0]), len(features[0]))
    for x, gram in zip(features, grams, strict=True):
        torch.mm(torch.from_numpy(x), torch.from_numpy(x).T, out=gram)
    flat = grams.flatten(1)
    flat @ flat.T


def thingsvisions_loop(features):
    """Pair by pair, for the pairs of a few models."""
    compare = part("cka", "cka_numpy").CKANumPy(m=len(features[0]), kernel="linear").compare
    found = np.full((len(features), len(features)), np.nan)
    for pair in itertools.combinations(range(min(PAIRED, len(features))), 2):
        found[pair] = compare(*(features[k] for k in pair))
    return found


class _Given(nn.Module):
    """A model whose layers are the representations."""

    def __init__(self, features):
        super().__init__()
        self.layers = nn.ModuleList(_Fixed(x) for x in features)

    def forward(self, _):
        for layer in self.layers:
            layer(None)


class _Fixed(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.features = torch.from_numpy(features)

    def forward(self, _):
        return self.features


def torch_ckas_loop(features):
    """Its comparison of all layers of two networks, each a few of the models; all stimuli are one batch."""
    from torch_cka import CKA

    models = [_Given(features[:PAIRED]) for _ in range(2)]
    layers = [f"layers.{k}" for k in range(len(models[0].layers))]
    comparison = CKA(*models, model1_name="a", model2_name="b", model1_layers=layers, model2_layers=layers)
    batch = DataLoader(TensorDataset(torch.zeros(1, 1)))
    comparison.compare(batch, batch)


def pairs(models: int, **_) -> float:
    """The share of all pairs of different models."""
    few = min(PAIRED, models)
    return few * (few - 1) / (models * (models - 1))


def pairs_both_ways(models: int, **_) -> float:
    """As if the loop did not compare every pair twice, and every model with itself."""
    return 2 * min(PAIRED, models) ** 2 / (2 * models**2)


JOBS = [
    Job(
        name="cka",
        title="CKA, all pairs",
        says="{models:,} models, {stimuli:,} stimuli, {units:,} units",
        prepare=representations,
        ways=(
            Way("cka_matrix", ours),
            Way("its own products, in NumPy", products_in_numpy, LIMIT),
            Way("its own products, in PyTorch", products_in_torch, LIMIT),
            Way("thingsvision, pair by pair", thingsvisions_loop, needs="thingsvision", part=pairs, once=True),
            Way("torch-cka, pair by pair", torch_ckas_loop, needs="torch-cka", part=pairs_both_ways, once=True),
        ),
        sizes=tuple({"models": models, "stimuli": 1000, "units": 768} for models in (25, 50, 100, 200)),
        tiny={"models": 3, "stimuli": 12, "units": 8},
        grows="models",
        aims=(
            Aim("of the limit", 1.1),
            Aim("times faster", 100, "thingsvision, pair by pair"),
            Aim("times faster", 100, "torch-cka, pair by pair"),
        ),
    )
]

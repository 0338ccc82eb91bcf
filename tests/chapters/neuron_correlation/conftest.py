"""A laboratory whose units are known, and a zoo of made-up scores."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch

from analysis.chapters.neuron_correlation import experiments
from analysis.chapters.neuron_correlation.experiments import Laboratory, ZooScores
from analysis.chapters.neuron_correlation.reported import NETS
from analysis.data.images import load_images
from analysis.intervals import bootstrap_interval
from analysis.models.activations import Activations

FAMILIES = ("mlp", "cnn", "resnet", "vit")


def units(values, name="layer"):
    return Activations(values, torch.zeros(values.shape[1], dtype=torch.int64), (name,))


@pytest.fixture(scope="session")
def laboratory():
    """net1 to net4 share their units with the CNN, in another order and scale; net5 is noise."""
    generator = torch.Generator().manual_seed(0)
    test = load_images("digits", size=8).subset(np.arange(60))
    shared = torch.randn(60, 12, generator=generator)
    seen = {"CNN": units(shared)}
    for number, net in enumerate(NETS):
        order = torch.randperm(12, generator=generator)
        seen[net] = units((number + 1) * shared[:, order] + number)
    seen["net5"] = units(torch.randn(60, 12, generator=generator))
    return Laboratory(3, {}, seen, test)


@pytest.fixture(scope="session")
def predictions(zoo):
    """The zoo's rank correlations, with few resamples."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiments, "bootstrap_interval", partial(bootstrap_interval, n_resamples=50))
        return experiments.prediction_table(zoo)


@pytest.fixture(scope="session")
def zoo():
    """Sixteen networks: those of a family are alike (0.8, else 0.3), and who is like the trusted one is accurate."""
    rng = np.random.default_rng(0)
    family = np.repeat(FAMILIES, 4)
    matrix = np.where(family[:, None] == family, 0.8, 0.3)
    np.fill_diagonal(matrix, 1)
    score = np.linspace(0.2, 0.9, 16)
    table = pd.DataFrame({"name": [f"{name}-{i}" for i, name in enumerate(family)], "family": family})
    table["training"] = "normal"
    table.loc[[3, 7], "training"] = "label noise"
    for outcome, noise in (("clean", 0.0), ("corrupted", 0.05), ("attacked", 0.5)):
        table[outcome] = (score + noise * rng.normal(size=16)).clip(0, 1)
    for column in ("score (index)", "score (relative)", "score (none)", "corrected (index)", "shuffled (index)"):
        table[column] = score if "shuffled" not in column else rng.random(16) / 10
    draws = [(n, d, images) for n in (5, 10) for d in range(3) for images in ("same images", "shuffled")]
    stability = pd.DataFrame(draws, columns=["n_probe", "draw", "images"])
    stability["rank correlation"] = np.where(stability["images"] == "same images", 0.9, 0.1)
    names = np.repeat(table["name"][table["training"] == "normal"], 3)
    controls = pd.DataFrame({"control": "untrained", "name": names, "corrected": 0.1})
    return ZooScores(table, matrix, stability, controls)

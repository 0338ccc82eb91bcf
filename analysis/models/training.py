"""Training of small classifiers: the same bits for the same seed, whatever the machine's number of cores."""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from analysis.alone import alone
from analysis.checks import choose

OPTIMISERS = {"sgd": torch.optim.SGD, "adam": torch.optim.AdamW}
_WEIGHTS, _EXAMPLES, _STEPS = range(3)  # independent random streams of one seed


@dataclass(frozen=True)
class Recipe:
    """How to train a network.

    Parameters
    ----------
    optimiser : {"adam", "sgd"}
        Adam with decoupled weight decay, or plain stochastic gradient descent.
    lr : float
        Learning rate; the highest one under the one-cycle schedule.
    batch, epochs : int
        Images in a batch, and passes over the training images. No epoch leaves the network as it was initialised.
    schedule : {"constant", "one-cycle"}
        Learning rate over the steps: constant, or linear up over the first fifth and then down a cosine to 0.
    weight_decay : float
        Decoupled weight decay of Adam, L2 penalty of gradient descent.
    validation : float
        Share of the images that is set aside and never trained on.
    fraction : float
        Share of the remaining images that is trained on ("few examples").
    label_noise : float
        Share of the training labels replaced by labels drawn evenly from the other classes.
    """

    optimiser: str = "adam"
    lr: float = 1e-3
    batch: int = 128
    epochs: int = 10
    schedule: str = "constant"
    weight_decay: float = 0.0
    validation: float = 0.0
    fraction: float = 1.0
    label_noise: float = 0.0

    def __post_init__(self):
        choose(self.optimiser, "optimiser", tuple(OPTIMISERS))
        choose(self.schedule, "schedule", ("constant", "one-cycle"))
        self._require("lr", "above 0", self.lr > 0)
        self._require("batch", "at least 1", self.batch >= 1)
        self._require("epochs", "at least 0", self.epochs >= 0)
        self._require("weight_decay", "at least 0", self.weight_decay >= 0)
        self._require("validation", "a share from 0 to below 1", 0 <= self.validation < 1)
        self._require("fraction", "a share above 0, up to 1", 0 < self.fraction <= 1)
        self._require("label_noise", "a share from 0 to 1", 0 <= self.label_noise <= 1)

    def _require(self, name: str, rule: str, holds: bool) -> None:
        if not holds:
            raise ValueError(f"'{name}' must be {rule}, got {getattr(self, name)}.")


PAPER_MLP = Recipe(optimiser="sgd", lr=0.1, batch=128, epochs=20, validation=0.2)
"""Perceptrons of the neuron-correlation paper (arXiv 2408.08448, experiment 1)."""

PAPER_CNN = Recipe(optimiser="adam", lr=2e-3, batch=128, epochs=10, validation=0.2)
"""Convolutional network of the neuron-correlation paper (arXiv 2408.08448, experiment 1)."""


def train(
    build: Callable[[], nn.Module],
    recipe: Recipe,
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    seed: int,
    device: str | torch.device = "cpu",
) -> nn.Module:
    """A network, initialised and trained by a seed, in evaluation mode; equal seeds give equal bits on one machine.

    Parameters
    ----------
    build : callable
        Returns a new network from images to class scores.
    recipe : Recipe
    x : tensor of shape (n, ...), float32
    y : tensor of shape (n,), int64
        Classes from 0.
    seed : int
        Decides the initial weights, the choice and order of the examples, label noise and dropout. No global random
        state is read or changed.
    device : str or torch.device
        Where to train; the network stays there.

    Returns
    -------
    torch.nn.Module

    Examples
    --------
    >>> from functools import partial
    >>> from analysis.models.architectures import mlp
    >>> x, y = torch.tensor([0.0, 1.0]).repeat(50)[:, None, None, None], torch.tensor([0, 1]).repeat(50)
    >>> network = train(partial(mlp, (8,), size=1, n_classes=2), Recipe(lr=0.1, batch=20), x, y, seed=0)
    >>> accuracy(network, x, y)
    1.0
    """
    with _reproducible(_stream(seed, _WEIGHTS), device):
        network = build().to(device)
    return fit(network, recipe, x, y, seed=seed)


def trained_weights(build, recipe: Recipe, x, y, seed: int, device: str) -> dict[str, np.ndarray]:
    """Parameters and buffers, by name, of the network that `train` returns."""
    network = train(build, recipe, x, y, seed=seed, device=device)
    return {name: tensor.cpu().numpy() for name, tensor in network.state_dict().items()}


def fit(network: nn.Module, recipe: Recipe, x: torch.Tensor, y: torch.Tensor, *, seed: int) -> nn.Module:
    """Train a network further, in place and from its present weights, with a new optimiser; returns it in evaluation
    mode.

    Parameters are those of `train`.
    """
    x, y = _examples(recipe, x, y, seed)
    device = next(network.parameters()).device
    with _reproducible(_stream(seed, _STEPS), device):
        network.train()
        _descend(network, recipe, x.to(device), y.to(device))
    return network.eval()


@torch.no_grad()
def predict(network: nn.Module, x: torch.Tensor, *, batch: int = 512) -> torch.Tensor:
    """Class with the highest score for every image, int64 on the CPU, shape (n,); the network is left in evaluation
    mode."""
    network.eval()
    device = next(network.parameters()).device
    return torch.cat([network(part.to(device)).argmax(1).cpu() for part in x.split(batch)])


def accuracy(network: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Share of images classified as `y`: 1 = all right, 0 = none; in [0, 1]."""
    return float((predict(network, x) == y).double().mean())


def _examples(recipe: Recipe, x: torch.Tensor, y: torch.Tensor, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    if len(x) != len(y):
        raise ValueError(f"'x' and 'y' must have the same length, got {len(x)} and {len(y)}.")
    generator = torch.Generator().manual_seed(_stream(seed, _EXAMPLES))
    n_left = len(x) - round(len(x) * recipe.validation)
    n_kept = round(n_left * recipe.fraction)
    if n_kept == 0:
        raise ValueError(f"'x' must leave at least 1 training image, got {len(x)} images for {recipe}.")
    kept = torch.randperm(len(x), generator=generator)[:n_kept]
    return x[kept], _with_noise(y[kept], recipe.label_noise, int(y.max()) + 1, generator)


def _with_noise(y: torch.Tensor, share: float, n_classes: int, generator: torch.Generator) -> torch.Tensor:
    wrong = torch.randperm(len(y), generator=generator)[: round(len(y) * share)]
    shift = torch.randint(1, max(n_classes, 2), (len(wrong),), generator=generator)
    return y.index_copy(0, wrong, (y[wrong] + shift) % n_classes)


def _descend(network: nn.Module, recipe: Recipe, x: torch.Tensor, y: torch.Tensor) -> None:
    optimiser = OPTIMISERS[recipe.optimiser](
        network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True
    )
    n_steps = recipe.epochs * math.ceil(len(x) / recipe.batch)
    for step, rows in enumerate(_batches(len(x), recipe)):
        rows = rows.to(x.device)
        optimiser.param_groups[0]["lr"] = recipe.lr * _rate(recipe.schedule, (step + 0.5) / n_steps)
        optimiser.zero_grad()
        F.cross_entropy(network(x[rows]), y[rows]).backward()
        optimiser.step()
    optimiser.zero_grad()


def _batches(n_images: int, recipe: Recipe) -> Iterator[torch.Tensor]:
    for _ in range(recipe.epochs):
        yield from torch.randperm(n_images).split(recipe.batch)


def _rate(schedule: str, progress: float, warm_up: float = 0.2) -> float:
    if schedule == "constant":
        return 1.0
    if progress < warm_up:
        return progress / warm_up
    return 0.5 + 0.5 * math.cos(math.pi * (progress - warm_up) / (1 - warm_up))


def _stream(seed: int, purpose: int) -> int:
    return int(np.random.SeedSequence((seed, purpose)).generate_state(1)[0])


@contextlib.contextmanager
def _reproducible(seed: int, device: str | torch.device):
    """Seed the global generators that torch's layers draw from, give them back after, and compute on one thread.

    Sums depend on the number of threads. Small networks gain little from them: trainings side by side gain more.
    """
    cuda = [torch.device(device)] if torch.device(device).type == "cuda" else []
    cudnn = torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True)
    with alone(), torch.random.fork_rng(cuda), cudnn:
        torch.random.default_generator.manual_seed(seed)
        for place in cuda:
            with torch.cuda.device(place):
                torch.cuda.manual_seed(seed)
        yield

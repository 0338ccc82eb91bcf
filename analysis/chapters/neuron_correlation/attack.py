"""The attack on the perceptrons: a module of its own, since half an hour of work is kept until just this changes."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import nn

from analysis.cache import kept
from analysis.chapters.neuron_correlation.reported import NETS
from analysis.data.images import Images
from analysis.models.architectures import cnn
from analysis.models.attacks import accumulated_sign_gradient
from analysis.models.training import Recipe, accuracy, predict
from analysis.models.zoo_networks import CNN_RECIPE


@dataclass(frozen=True, eq=False)
class Attack:
    """What an attack on one laboratory's test images did.

    `accuracies` has one row a net and round (round 0: before the attack). `examples` holds one image of every class by
    round, `labels` their classes, `answers` what net1 says to them, by round.
    """

    accuracies: pd.DataFrame
    examples: torch.Tensor
    labels: torch.Tensor
    answers: torch.Tensor


def attack_laboratory(
    networks: dict[str, nn.Module], test: Images, seed: int, n_rounds: int, step: float, recipe: Recipe
) -> Attack:
    """Attack the test images and watch the perceptrons round by round; kept in the cache."""
    found = kept("attacks", _attacked, networks, test, seed, n_rounds, step, recipe)
    table = pd.DataFrame(found["accuracies"], columns=list(NETS)).rename_axis("round")
    rows = table.reset_index().melt("round", var_name="net", value_name="accuracy").assign(seed=seed)
    return Attack(rows, *(torch.from_numpy(found[name]) for name in ("examples", "labels", "answers")))


def _attacked(networks, test: Images, seed: int, n_rounds: int, step: float, recipe: Recipe) -> dict[str, np.ndarray]:
    rounds = attacked_rounds(test, n_rounds=n_rounds, step=step, seed=seed, recipe=recipe)
    shown = [int((test.y == label).nonzero()[0]) for label in range(test.n_classes)]
    return {
        "accuracies": np.array([[accuracy(networks[net], x, test.y) for net in NETS] for x in rounds]),
        "examples": rounds[:, shown].numpy(),
        "labels": test.y[shown].numpy(),
        "answers": torch.stack([predict(networks["net1"], x[shown]) for x in rounds]).numpy(),
    }


def attacked_rounds(
    test: Images, *, n_rounds: int, step: float, seed: int, recipe: Recipe = CNN_RECIPE
) -> torch.Tensor:
    """The images before the attack and after each round, shape (n_rounds + 1, n, 1, size, size)."""
    adversary = partial(cnn, size=test.size, n_classes=test.n_classes)
    rounds = accumulated_sign_gradient(
        adversary, recipe, test.x, test.y, n_rounds=n_rounds, epsilon=step / 255, seed=seed + 1000
    )
    return torch.cat([test.x[None], rounds])

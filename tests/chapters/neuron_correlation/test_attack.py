"""The attack: starts from the clean images, moves by its step a round, and is computed once."""

import numpy as np
import torch
from torch import nn

from analysis.chapters.neuron_correlation import attack
from analysis.chapters.neuron_correlation.reported import NETS
from analysis.data.images import load_images
from analysis.models.training import Recipe, accuracy

SHORT = Recipe(epochs=1)


def digits():
    return load_images("digits", size=12).subset(np.arange(80))


def linear(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(144, 10))


def test_rounds_start_clean_and_move_by_one_step():
    test = digits()
    rounds = attack.attacked_rounds(test, n_rounds=2, step=10, seed=0, recipe=SHORT)
    assert rounds.shape == (3, *test.x.shape)
    assert torch.equal(rounds[0], test.x)
    moved = (rounds[1:] - rounds[:-1]).abs().amax((1, 2, 3, 4))
    assert (moved > 0).all()
    assert (moved <= 10 / 255 + 1e-6).all()
    assert rounds.min() >= 0
    assert rounds.max() <= 1
    again = attack.attacked_rounds(test, n_rounds=2, step=10, seed=0, recipe=SHORT)
    assert torch.equal(rounds, again)


def test_a_laboratory_is_watched_round_by_round_and_attacked_once(monkeypatch):
    test, networks = digits(), {net: linear(number) for number, net in enumerate(NETS)}
    found = attack.attack_laboratory(networks, test, 0, 1, 10, SHORT)
    table = found.accuracies
    assert len(table) == 2 * len(NETS)
    before = table[(table["round"] == 0) & (table["net"] == "net3")]["accuracy"].item()
    assert before == accuracy(networks["net3"], test.x, test.y)
    assert found.labels.tolist() == list(range(10))
    assert found.examples.shape == (2, 10, 1, 12, 12)
    monkeypatch.setattr(attack, "attacked_rounds", None)
    again = attack.attack_laboratory(networks, test, 0, 1, 10, SHORT)
    assert again.accuracies.equals(table)

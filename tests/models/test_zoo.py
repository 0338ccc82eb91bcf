"""The zoo: what is in it, and a cache that is neither trusted blindly nor disturbed by company."""

import numpy as np
import pytest
import torch
from torch import nn

from analysis.cache import cache_dir
from analysis.data.images import load_images
from analysis.models.training import accuracy
from analysis.models.zoo import load_network, load_zoo

HALF = np.arange(0, 1797, 2)


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_networks_come_in_order_with_their_labels(small_digits, tiny_zoo):
    networks = load_zoo(["tiny-raw", "tiny-6"], images=small_digits, train_indices=HALF, seed=2, n_jobs=1)
    assert [(network.name, network.training, network.seed) for network in networks] == [
        ("tiny-raw", "untrained", 2),
        ("tiny-6", "normal", 2),
    ]
    assert networks[0].layers == ("stage0", "stage1", "stage2", "stage3")
    assert networks[0].landmarks == {"early": "stage0", "middle": "stage1", "late": "stage3"}
    assert networks[1].landmarks == {"early": "stage0", "middle": "stage0", "late": "stage0"}
    assert not any(part.training for network in networks for part in network.module.modules())


def test_a_network_of_the_default_zoo_sees_digits_it_was_not_trained_on():
    digits = load_images("digits")
    network = load_network("resnet-8-b1", digits, HALF, seed=0)
    rest = digits.subset(np.setdiff1d(np.arange(len(digits)), HALF))
    assert (network.family, network.motif) == ("resnet", "convolution")
    assert accuracy(network.module, rest.x, rest.y) > 0.9


def test_the_number_of_workers_changes_nothing(small_digits, tiny_zoo, monkeypatch, tmp_path):
    alone = load_zoo(images=small_digits, train_indices=HALF, n_jobs=1)
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path / "another"))
    together = load_zoo(images=small_digits, train_indices=HALF, n_jobs=2)
    assert len(list((cache_dir() / "zoo").glob("*"))) == 3
    assert all(same(a.module, b.module) for a, b in zip(alone, together, strict=True))


def test_an_unknown_name_suggests_the_nearest(small_digits):
    with pytest.raises(ValueError, match="got 'vit-24-d3'; the nearest is 'vit-24-d3-p8'"):
        load_network("vit-24-d3", small_digits, HALF, seed=0)

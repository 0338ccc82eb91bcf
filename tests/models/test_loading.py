"""Models from entries: module, preprocessing, layers and classes."""

import pytest
import torch
from torch import nn

from analysis.data.categories import CIFAR10
from analysis.models.entries import Entry, LineupError
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model, stages
from analysis.models.preprocessing import Grey, Normalised

SQUARE = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "size": 32}
RESNET = {"name": "resnet", "source": "analysis.models.cifar10:resnet20", "training": "untrained"}


def test_a_builder_with_its_preprocessing_and_classes():
    model = load_model(Entry(**RESNET, **SQUARE, classes="cifar10"))
    assert model.prepare == Normalised(32, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert model.classes == CIFAR10
    assert model.layers == ("stem", "stage1", "stage2", "stage3")
    assert not model.module.training


def test_without_preprocessing_there_is_no_guess():
    with pytest.raises(LineupError, match="must have 'mean', 'std' and 'size': its source prescribes none"):
        load_model(Entry(**RESNET))


def test_an_untrained_twin_follows_the_seed_and_leaves_the_global_state_alone():
    before = torch.get_rng_state()
    first, second, other = (load_model(Entry(**RESNET, **SQUARE), seed=seed).module for seed in (0, 0, 1))
    weights = [next(module.parameters()) for module in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(before, torch.get_rng_state())


def test_a_layer_that_does_not_exist_is_named_with_the_nearest():
    with pytest.raises(LineupError, match="has no layer 'stage4': did you mean 'stage"):
        load_model(Entry(**RESNET, **SQUARE, layers=("stage4",)))
    assert load_model(Entry(**RESNET, **SQUARE), layers=["stage1.0"]).layers == ("stage1.0",)


def test_the_zoos_networks_are_a_source():
    (entry,) = read_lineup("zoo:vit-40-d4-p4-untrained")
    model = load_model(entry)
    assert model.prepare == Grey(16)
    assert model.classes == tuple("0123456789")


def test_a_users_file_is_run_beside_its_neighbours(tmp_path):
    (tmp_path / "parts.py").write_text("from torch import nn\nhead = nn.Linear(4, 2)\n")
    (tmp_path / "nets.py").write_text(
        "from torch import nn\nfrom parts import head\n\ndef build():\n"
        "    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)\n"
    )
    model = load_model(Entry(name="mine", source=f"{tmp_path / 'nets.py'}:build", classes=("a", "b"), **SQUARE))
    assert model.layers == ("0",)
    assert model.classes == ("a", "b")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def build():\n    return 3\n", "must make a torch module, got int"),
        ("import nowhere_at_all\ndef build():\n    pass\n", "could not be run: ModuleNotFoundError"),
        ("from torch import nn\ndef build():\n    return nn.Flatten()\n", "must have 'layers'"),
    ],
)
def test_a_file_that_makes_no_model_is_refused(tmp_path, source, message):
    (tmp_path / "nets.py").write_text(source)
    with pytest.raises(LineupError, match=message):
        load_model(Entry(name="mine", source=f"{tmp_path / 'nets.py'}:build", **SQUARE))


def test_unknown_classes_are_refused():
    with pytest.raises(LineupError, match="'classes' must be names, 'cifar10' or 'imagenet', got 'cifar'"):
        load_model(Entry(**RESNET, **SQUARE, classes="cifar"))


# Stages


class Wrapper(nn.Module):
    def __init__(self, inside):
        super().__init__()
        self.inside = inside


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Conv2d(3, 8, 4)
        self.blocks = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
        self.drop, self.norm, self.head = nn.Dropout(), nn.LayerNorm(8), nn.Linear(8, 2)


def test_stages_open_wrappers_and_lists_and_leave_out_the_answers():
    blocks = ("embed", "blocks.0", "blocks.1", "blocks.2", "norm")
    assert stages(Blocks()) == blocks
    assert stages(Wrapper(Blocks())) == tuple(f"inside.{name}" for name in blocks)


def test_stages_open_the_largest_container_while_there_are_few():
    features = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))
    network = nn.Sequential(features, nn.Flatten(), nn.Linear(8, 2))
    assert stages(network) == ("0.0", "0.2", "0.4")

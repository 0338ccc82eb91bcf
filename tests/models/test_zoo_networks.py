"""What the zoo holds."""

import pytest
import torch

from analysis.models.architectures import recorded_layers
from analysis.models.zoo_networks import ZOO


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    return tmp_path / "zoo"


@pytest.fixture(scope="module")
def built():
    return {name: kind.build(size=16, n_classes=10) for name, kind in ZOO.items()}


def test_enough_distinct_architectures_of_every_motif():
    good = [kind for kind in ZOO.values() if kind.training == "normal"]
    motifs = [kind.motif for kind in good]
    assert len(ZOO) >= 24
    assert motifs.count("convolution") >= 12
    assert motifs.count("attention") >= 12
    assert {kind.family for kind in good} == {"mlp", "cnn", "resnet", "densenet", "vit"}
    assert {kind.training for kind in ZOO.values()} == {"normal", "label noise", "few examples", "untrained"}


def test_architectures_differ_from_each_other(built):
    assert len({str(network) for network in built.values()}) == len(ZOO)


def test_the_papers_networks_are_there():
    widths = [ZOO[name].build.args[0] for name in ("mlp-100", "mlp-60-40", "mlp-40-60", "mlp-50-50", "mlp-20x5")]
    assert widths == [(100,), (60, 40), (40, 60), (50, 50), (20, 20, 20, 20, 20)]
    assert ZOO["cnn"].build.args == ((32, 64),)


def test_labels_say_how_a_network_is_trained():
    for kind in ZOO.values():
        expected = {
            "untrained": kind.recipe.epochs == 0,
            "few examples": kind.recipe.fraction < 0.1,
            "label noise": kind.recipe.label_noise > 0,
        }
        assert [label for label, holds in expected.items() if holds] == (
            [] if kind.training == "normal" else [kind.training]
        )


@pytest.mark.parametrize("name", ZOO)
def test_every_entry_works_at_other_sizes_and_has_layers(built, name):
    network = ZOO[name].build(size=28, n_classes=3).eval()
    assert network(torch.rand(2, 1, 28, 28)).shape == (2, 3)
    assert recorded_layers(network) == recorded_layers(built[name])
    assert len(recorded_layers(network)) >= (1 if ZOO[name].family in ("mlp", "cnn") else 2)

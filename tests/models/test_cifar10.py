"""Published CIFAR-10 networks: their built-in line-up, untrained twins, and the measured accuracies."""

from importlib.resources import files

import pytest
import torch
import yaml

from analysis.data import registry
from analysis.models import cifar10
from analysis.models.activations import record

MODELS = yaml.safe_load((files("analysis.models") / "lineups" / "cifar10.yml").read_text())["models"]
TRAINED = [model for model in MODELS if model["training"] != "untrained"]
UNTRAINED = [model for model in MODELS if model["training"] == "untrained"]
FIRST_THOUSAND = {
    "resnet20": 915,
    "resnet32": 928,
    "resnet44": 933,
    "resnet56": 926,
    "resnet2b": 702,
    "resnet4b": 771,
    "marabou_small": 630,
    "marabou_medium": 706,
    "marabou_large": 755,
    "oval_base": 611,
    "oval_deep": 565,
    "oval_wide": 636,
    "biasfield_base": 847,
    "vit_ibp": 622,
    "vit_pgd": 611,
    "resnet8": 881,
    "wide_resnet8": 915,
}
"""Right answers to the first 1,000 test photographs; of all 10,000, the shares are those that were published."""


def ids(models) -> list[str]:
    return [model["name"] for model in models]


def built(model, **weights) -> torch.nn.Module:
    return getattr(cifar10, model["source"].removeprefix("analysis.models.cifar10:"))(**weights)


def stages(network) -> list[str]:
    return [name for name, _ in network.named_children()]


def test_every_trained_network_has_an_untrained_twin_that_sees_the_same_pixels():
    assert ids(UNTRAINED) == [f"{name}_untrained" for name in ids(TRAINED)]
    for trained, twin in zip(TRAINED, UNTRAINED, strict=True):
        same = trained.keys() - {"name", "weights", "training"}
        assert {key: trained[key] for key in same} == {key: twin[key] for key in twin.keys() - {"name", "training"}}


@pytest.mark.parametrize("name", ["resnet20", "resnet2b", "marabou_small", "oval_deep"])
def test_a_network_without_weights_is_drawn_by_the_seed(name):
    x, outputs = torch.rand(3, 3, 32, 32), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        network = getattr(cifar10, name)()
        assert not any(part.training for part in network.modules())
        outputs.append(network(x))
    assert outputs[0].shape == (3, 10)
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.parametrize("name", ["resnet20", "resnet4b", "marabou_large", "oval_wide"])
def test_every_stage_can_be_recorded(name):
    network = getattr(cifar10, name)()
    activations = record(network, torch.rand(2, 3, 32, 32), stages(network))
    for stage in stages(network):
        assert activations.by_layer(stage).std(0).gt(0).any(), stage


@pytest.mark.parametrize(("name", "millions"), [("resnet20", 0.27), ("resnet32", 0.46), ("resnet44", 0.66)])
def test_residual_networks_have_as_many_weights_as_in_the_paper(name, millions):
    assert round(sum(p.numel() for p in getattr(cifar10, name)().parameters()) / 1e6, 2) == millions


def test_a_shortcut_without_weights_keeps_every_second_pixel_between_maps_of_zeros():
    x = torch.rand(1, 2, 4, 4)
    wider = cifar10._Subsampled(4)(x)
    assert wider.shape == (1, 4, 2, 2)
    assert torch.equal(wider[:, 1:3], x[:, :, ::2, ::2])
    assert wider[:, [0, 3]].eq(0).all()


@pytest.mark.public_data
@pytest.mark.parametrize("name", ["biasfield_base", "vit_ibp", "vit_pgd", "resnet8", "wide_resnet8"])
def test_a_twin_of_a_file_of_operators_has_its_architecture_and_weights_of_its_own(name):
    (model,) = (model for model in TRAINED if model["name"] == name)
    weights = public_file(model["weights"])
    trained, twins = built(model, weights=weights), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        twins.append(built(model))
    x = 255 * torch.rand(2, 3, 32, 32)
    assert stages(twins[0]) == stages(trained)
    assert torch.equal(twins[0](x), twins[1](x))
    assert not torch.equal(twins[0](x), twins[2](x))
    assert not torch.equal(twins[0](x), trained(x))
    activations = record(twins[0], x, model["layers"])
    assert all(activations.by_layer(layer).gt(0).any() for layer in model["layers"])


def public_file(name):
    try:
        return registry.public_path(name.removeprefix("public:"))
    except registry.DataError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def photographs():
    try:
        x, y = registry.read_cifar10(registry.cifar10_path())
    except registry.DataError as error:
        pytest.skip(str(error))
    return torch.from_numpy(x[:1000]).permute(0, 3, 1, 2) / 255, torch.from_numpy(y[:1000])


@pytest.mark.public_data
@pytest.mark.parametrize("model", TRAINED, ids=ids(TRAINED))
def test_trained_networks_answer_as_published(model, photographs):
    x, labels = photographs
    network = built(model, weights=public_file(model["weights"]))
    mean, std = (torch.tensor(model[name]).view(3, 1, 1) for name in ("mean", "std"))
    with torch.no_grad():
        answers = torch.cat([network((batch - mean) / std).argmax(1) for batch in x.split(250)])
    assert int((answers == labels).sum()) == FIRST_THOUSAND[model["name"]]

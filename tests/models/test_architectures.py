"""Architectures: shapes, recorded layers, and the paper's networks to the unit."""

import itertools
from functools import partial

import pytest
import torch

from analysis.models.activations import record
from analysis.models.architectures import cnn, densenet, mlp, recorded_layers, resnet, vit

BUILDERS = {
    "mlp": partial(mlp, (12, 8)),
    "cnn": partial(cnn, (4, 6)),
    "resnet": partial(resnet, (4, 8), 2),
    "densenet": partial(densenet, 3, (2, 1)),
    "vit": partial(vit, 8, 3, patch=4, n_heads=2),
}


@pytest.mark.parametrize("size", [10, 16, 28])
@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("family", BUILDERS)
def test_every_builder_takes_any_image_size_and_number_of_classes(family, size, n_classes):
    network = BUILDERS[family](size=size, n_classes=n_classes).eval()
    assert network(torch.rand(3, 1, size, size)).shape == (3, n_classes)


@pytest.mark.parametrize("family", BUILDERS)
def test_every_parameter_learns(family):
    network = BUILDERS[family](size=16).train()
    network(torch.rand(8, 1, 16, 16)).square().sum().backward()
    assert [name for name, parameter in network.named_parameters() if parameter.grad is None] == []


@pytest.mark.parametrize("family", BUILDERS)
def test_images_do_not_influence_each_other_in_evaluation(family):
    network = BUILDERS[family](size=16).eval()
    x = torch.rand(6, 1, 16, 16)
    torch.testing.assert_close(network(x)[2:4], network(x[2:4]))


@pytest.mark.parametrize(
    ("build", "layers"),
    [
        (partial(mlp, (100,)), 1),
        (partial(mlp, (20,) * 5), 5),
        (cnn, 2),
        (partial(resnet, (4, 8, 16), 2), 3),
        (partial(densenet, 4, (2, 2)), 2),
        (partial(vit, 8, 4), 4),
    ],
)
def test_recorded_layers_are_modules_in_order_of_depth(build, layers):
    network = build(size=16)
    names = recorded_layers(network)
    assert names == tuple(f"stage{i}" for i in range(layers))
    order = []
    for name in names:
        network.get_submodule(name).register_forward_hook(lambda *_, name=name: order.append(name))
    network.eval()(torch.rand(2, 1, 16, 16))
    assert tuple(order) == names


def test_the_papers_cnn_has_its_units():
    network = cnn(size=28)
    activations = record(network, torch.rand(2, 1, 28, 28), recorded_layers(network))
    assert torch.bincount(activations.layer).tolist() == [32 * 13 * 13, 64 * 5 * 5] == [5408, 1600]
    # 3 × 3 kernels, and dense layers of 100 and 10 on the 1,600 pooled units, with their biases
    expected = (9 + 1) * 32 + (9 * 32 + 1) * 64 + (1600 + 1) * 100 + (100 + 1) * 10
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


@pytest.mark.parametrize("widths", [(100,), (60, 40), (40, 60), (50, 50), (20, 20, 20, 20, 20)])
def test_the_papers_perceptrons_have_their_units(widths):
    network = mlp(widths, size=28)
    activations = record(network, torch.rand(4, 1, 28, 28), recorded_layers(network))
    assert torch.bincount(activations.layer).tolist() == list(widths)
    assert float(activations.values.min()) >= 0  # after the ReLU
    chain = (784, *widths, 10)
    expected = sum((n_in + 1) * n_out for n_in, n_out in itertools.pairwise(chain))
    assert sum(parameter.numel() for parameter in network.parameters()) == expected


def test_perceptron_drops_units_before_the_readout_in_training_only():
    network = mlp((1000,), size=4)
    x = torch.rand(1, 1, 4, 4)
    hidden = network.stage0(network.input(x))
    dropped = network.train().dropout(hidden)
    alive = hidden > 0
    assert 0.4 < float((dropped[alive] == 0).double().mean()) < 0.6
    assert torch.equal(network.eval().dropout(hidden), hidden)


def test_attention_equals_the_textbook_formula():
    block = vit(12, 1, patch=4, n_heads=3, size=8).stage0.attention.double()
    x = torch.rand(2, 5, 12, dtype=torch.float64)
    query, key, value = block.query_key_value(block.norm(x)).split(12, dim=2)
    heads = []
    for head in range(3):
        part = slice(4 * head, 4 * head + 4)
        weights = (query[..., part] @ key[..., part].mT / 2).softmax(-1)
        heads.append(weights @ value[..., part])
    torch.testing.assert_close(block(x), block.output(torch.cat(heads, 2)))


def test_patches_are_the_images_squares_and_padding_adds_the_border():
    patches = vit(8, 1, patch=4, n_heads=2, size=6).patches
    x = torch.rand(2, 1, 6, 6)
    padded = torch.zeros(2, 1, 8, 8)
    padded[..., :6, :6] = x
    expected = patches.embed(padded[:, 0, 4:8, 0:4].flatten(1)) + patches.position[2]
    torch.testing.assert_close(patches(x)[:, 2], expected)
    assert patches(x).shape == (2, 4, 8)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (partial(cnn, size=9), "'size' must be at least 10"),
        (partial(densenet, 4, (2, 2, 2), size=7), "'size' must be at least 8"),
        (partial(vit, 30, 2, n_heads=4, size=16), "'width' must be a multiple of n_heads=4, got 30"),
    ],
)
def test_settings_that_make_no_network(build, message):
    with pytest.raises(ValueError, match=message):
        build()

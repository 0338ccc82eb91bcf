"""Recording activations of any module: what hooks see, and what they leave behind."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from analysis.models.activations import record


class Reused(nn.Module):
    """One ReLU called twice, as torchvision's residual blocks do, and one branch that never runs."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.unused = nn.Linear(6, 4), nn.Linear(4, 3), nn.Linear(6, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.second(self.relu(self.first(x))))


class Returns(nn.Module):
    """Gives its input back in some container."""

    def __init__(self, wrap):
        super().__init__()
        self.wrap = wrap

    def forward(self, x):
        return self.wrap(x)


def after(layer: nn.Module, rest: nn.Module) -> nn.Module:
    network = nn.Sequential()
    network.add_module("layer", layer)
    network.add_module("rest", rest)
    return network


@pytest.mark.parametrize("batch_size", [1, 4, 7, 100])
def test_values_are_the_layers_outputs_in_any_batches(batch_size):
    network = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3)).eval()
    x = torch.rand(10, 6)
    activations = record(network, x, ["1", "2"], batch_size=batch_size)
    torch.testing.assert_close(activations.by_layer("1"), network[:2](x).detach())
    torch.testing.assert_close(activations.by_layer(1), network(x).detach())
    assert activations.layer.tolist() == [0] * 5 + [1] * 3
    assert (activations.values.dtype, activations.layer.dtype) == (torch.float32, torch.int64)
    assert activations.names == ("1", "2")


def test_layers_are_numbered_as_asked_for():
    network = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 3))
    activations = record(network, torch.rand(4, 6), ["1", "0"])
    assert activations.layer.tolist() == [0] * 3 + [1] * 5


def test_an_in_place_relu_behind_the_layer_does_not_change_the_record():
    network = nn.Sequential(nn.Linear(6, 5), nn.ReLU(inplace=True))
    x = torch.randn(10, 6)
    recorded = record(network, x, "0").values
    assert float(recorded.min()) < 0
    torch.testing.assert_close(recorded, network[0](x).detach())


def test_calls_of_a_reused_module_are_side_by_side():
    network, x = Reused(), torch.randn(5, 6)
    activations = record(network, x, ["relu"], batch_size=2)
    first = network.first(x).relu()
    torch.testing.assert_close(activations.values, torch.cat([first, network.second(first).relu()], 1).detach())
    assert activations.layer.tolist() == [0] * 7


def test_a_module_registered_under_two_names_is_known_by_both():
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    network.add_module("twin", network[0])
    x = torch.rand(4, 3)
    activations = record(network, x, ["0", "twin"])
    torch.testing.assert_close(activations.by_layer("0"), activations.by_layer("twin"))


@pytest.mark.parametrize(
    "wrap",
    [
        lambda x: (x, x * 2),
        lambda x: [x],
        lambda x: {"last_hidden_state": x, "other": None},
        lambda x: (None, (x,)),
        lambda x: x,
    ],
)
def test_the_first_tensor_of_a_container_is_recorded(wrap):
    x = torch.rand(5, 3)
    network = after(Returns(wrap), Returns(lambda _: x))
    torch.testing.assert_close(record(network, x, "layer").values, x)


def test_maps_are_flattened_or_averaged_over_space():
    network = nn.Sequential(nn.Conv2d(1, 4, 3))
    x = torch.rand(5, 1, 6, 6)
    maps = network(x).detach()
    torch.testing.assert_close(record(network, x, "0").values, maps.flatten(1))
    torch.testing.assert_close(record(network, x, "0", pool="mean").values, maps.mean((2, 3)))


def test_square_maps_with_channels_last_are_averaged_over_space():
    """As Swin transformers give them: an average over the wrong sizes would have as many units as the map has rows."""
    x = torch.rand(5, 7, 7, 16)
    torch.testing.assert_close(record(Returns(lambda x: x), x, "", pool="mean").values, x.mean((1, 2)))
    first = x.permute(0, 3, 1, 2)
    torch.testing.assert_close(record(Returns(lambda x: x), first, "", pool="mean").values, x.mean((1, 2)))


def test_tokens_are_flattened_or_averaged_over_tokens():
    network = nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))
    x = torch.rand(5, 7, 8)
    tokens = network.eval()(x).detach()
    torch.testing.assert_close(record(network, x, "0").values, tokens.flatten(1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(record(network, x, "0", pool="mean").values, tokens.mean(1), rtol=1e-4, atol=1e-5)


def test_layers_inside_torchs_own_transformer_and_attention_tuples():
    network = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    names = ["layers.0.linear1", "layers.1.self_attn", "layers.1"]
    activations = record(network, torch.rand(5, 7, 8), names, pool="mean")
    assert torch.bincount(activations.layer).tolist() == [16, 8, 8]


def test_one_value_a_stimulus_is_one_unit():
    network = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0))
    x = torch.rand(5, 3)
    torch.testing.assert_close(record(network, x, "1").values, network(x).detach()[:, None])


def test_the_module_itself_is_the_layer_with_the_empty_name():
    network, x = nn.Linear(3, 2), torch.rand(4, 3)
    torch.testing.assert_close(record(network, x, "").values, network(x).detach())


def test_half_precision_comes_back_as_float32_and_arrays_go_in():
    network = nn.Sequential(nn.Linear(3, 2)).to(torch.bfloat16)
    x = np.random.default_rng(0).random((4, 3), dtype=np.float32)
    network.register_forward_pre_hook(lambda _, inputs: inputs[0].to(torch.bfloat16))
    assert record(network, x, "0").values.dtype == torch.float32


def test_the_network_is_left_as_it_was():
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 2))
    network.train()
    network[1].eval()  # a frozen normalisation
    before = copy.deepcopy(network.state_dict())
    x = torch.rand(9, 3)
    first = record(network, x, ["2", "3"])
    assert [part.training for part in network.modules()] == [True, True, False, True, True]
    assert all(torch.equal(value, network.state_dict()[name]) for name, value in before.items())
    assert not any(part._forward_hooks for part in network.modules())
    torch.testing.assert_close(record(network, x, ["2", "3"]).values, first.values)  # no dropout
    assert not first.values.requires_grad
    assert torch.is_grad_enabled()


def test_hooks_and_flags_are_undone_after_an_error():
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).train()
    with pytest.raises(RuntimeError):
        record(network, torch.rand(5, 7), ["0", "1"])
    with pytest.raises(ValueError):
        record(after(network, Returns(lambda x: x[:1])), torch.rand(5, 3), ["layer.0", "rest"])
    assert not any(part._forward_hooks for part in network.modules())
    assert all(part.training for part in network.modules())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_cuda_device_is_used_and_given_back():
    network = nn.Sequential(nn.Linear(3, 2))
    x = torch.rand(4, 3)
    recorded = record(network, x, "0", device="cuda")
    assert recorded.values.device.type == next(network.parameters()).device.type == "cpu"
    torch.testing.assert_close(recorded.values, network(x).detach())


def test_a_given_device_is_used_for_modules_and_batches():
    network = nn.Sequential(nn.Linear(3, 2))
    x = torch.rand(4, 3)
    torch.testing.assert_close(record(network, x, "0", device="cpu").values, network(x).detach())


def test_a_units_layer_can_be_asked_for_only_if_it_was_recorded():
    activations = record(nn.Sequential(nn.Linear(3, 2)), torch.rand(4, 3), "0")
    for layer in ("1", 1, -1):
        with pytest.raises(ValueError, match="'layer' must be one of"):
            activations.by_layer(layer)


def changing(x):
    return x.repeat(1, len(x))


BAD = {
    "unknown": (Reused(), "frist", {}, "got 'frist'; the nearest is 'first'"),
    "no layer": (Reused(), [], {}, "'layers' must be one or more different names"),
    "twice": (Reused(), ["relu", "relu"], {}, "'layers' must be one or more different names"),
    "never called": (Reused(), ["relu", "unused"], {}, "got 'unused', which was never called"),
    "no tensor": (after(Returns(lambda x: 3), Returns(lambda _: _)), "layer", {}, "must give a tensor, got int"),
    "transposed": (
        after(Returns(lambda x: x.T), nn.Identity()),
        "layer",
        {},
        r"one row .* shape \(6, 10\) from 'layer'",
    ),
    "a scalar": (after(Returns(torch.sum), nn.Identity()), "layer", {}, r"one row .* shape \(\) from 'layer'"),
    "width varies": (
        after(Returns(changing), nn.Identity()),
        "layer",
        {"batch_size": 7},
        "as many units in every batch",
    ),
    "pool": (Reused(), "relu", {"pool": "max"}, "'pool' must be one of None, 'mean', got 'max'"),
    "batch size": (Reused(), "relu", {"batch_size": 0}, "'batch_size' must be at least 1"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    network, layers, options, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        record(network, torch.rand(10, 6), layers, **options)


@pytest.mark.parametrize("x", [torch.empty(0, 6), torch.tensor(1.0)])
def test_no_stimuli(x):
    with pytest.raises(ValueError, match="'x' must have at least 1 stimulus"):
        record(Reused(), x, "relu")


def test_bytes_and_float64_are_cast_and_not_scaled():
    network = nn.Sequential(nn.Linear(3, 2))
    pixels = torch.randint(0, 256, (5, 3), dtype=torch.uint8)
    expected = network(pixels.float())
    for x in (pixels, pixels.double(), pixels.numpy(), pixels.double().numpy()):
        torch.testing.assert_close(record(network, x, "0").values, expected)
    torch.testing.assert_close(record(network.double(), pixels, "0").values, expected)


def test_tokens_stay_integers():
    network = nn.Sequential(nn.Embedding(7, 2))
    assert record(network, torch.tensor([[1, 2], [3, 6]]), "0").values.shape == (2, 4)

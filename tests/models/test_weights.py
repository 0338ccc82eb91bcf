"""Weights: read by order and kind, refused in one sentence, drawn anew."""

import pytest
import torch
from torch import nn

from analysis.models.weights import initialise, load_in_order, read_tensors


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))


def checkpoint(tmp_path, content):
    torch.save(content, tmp_path / "net.pth")
    return tmp_path / "net.pth"


@pytest.mark.parametrize("wrap", [lambda found: found, lambda found: {"state_dict": found}, lambda found: [found]])
def test_a_checkpoint_comes_back_whatever_it_is_wrapped_in_and_called(tmp_path, wrap):
    source = network()
    nn.init.uniform_(source[1].running_var, 1, 2)
    renamed = {f"module.{name}": tensor for name, tensor in source.state_dict().items()}
    path = checkpoint(tmp_path, wrap(renamed))
    loaded = load_in_order(network(), read_tensors(path), path)
    x = torch.rand(5, 3, 4, 4)
    torch.testing.assert_close(loaded.eval()(x), source.eval()(x), rtol=0, atol=0)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    path = checkpoint(tmp_path, nn.Linear(16, 2).state_dict())
    with pytest.raises(ValueError, match=r"'weights' must fit 7 tensors of 158 numbers, got 2 tensors of 34 numbers"):
        load_in_order(network(), read_tensors(path), path)


def test_tensors_in_another_order_are_refused(tmp_path):
    tensors = network().state_dict()
    path = checkpoint(tmp_path, dict(reversed(tensors.items())))
    with pytest.raises(ValueError, match="'weights' must fit"):
        load_in_order(network(), read_tensors(path), path)


@pytest.mark.parametrize("keep", [0, 10, 500])
def test_a_damaged_file_is_refused_by_name(tmp_path, keep):
    path = checkpoint(tmp_path, network().state_dict())
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"'weights' must be a PyTorch file of tensors, '.*net\.pth' is damaged"):
        read_tensors(path)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    with pytest.raises(ValueError, match="damaged or not one"):
        read_tensors(checkpoint(tmp_path, network()))


def test_a_file_of_something_else_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds int"):
        read_tensors(checkpoint(tmp_path, 3))


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_tensors(tmp_path / "none.pth")


def test_untrained_twins_follow_the_seed_and_forget_what_was_learnt():
    twins = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        start = network()
        nn.init.uniform_(start[1].running_mean)
        nn.init.uniform_(start[1].weight)
        torch.manual_seed(seed)
        twins.append(initialise(start))
    assert torch.equal(twins[0][0].weight, twins[1][0].weight)
    assert not torch.equal(twins[0][0].weight, twins[2][0].weight)
    assert twins[0][1].running_mean.eq(0).all()
    assert twins[0][1].weight.eq(1).all()


def test_untrained_activations_keep_their_size_through_many_layers():
    torch.manual_seed(0)
    deep = initialise(nn.Sequential(*(layer for _ in range(20) for layer in (nn.Linear(300, 300), nn.ReLU()))))
    x = torch.randn(50, 300)
    assert 0.2 < deep(x).square().mean() / x.square().mean() < 5

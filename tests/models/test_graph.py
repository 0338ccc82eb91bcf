"""Graphs of nodes: values are computed once, stages are where everything passes, padding is TensorFlow's."""

import copy

import pytest
import torch
from torch import nn

from analysis.models.activations import record
from analysis.models.graph import (
    BatchNorm,
    Function,
    Graph,
    Node,
    SamePadding,
    ShapeOf,
    batch_norm,
    convolution,
    linear,
)
from analysis.models.loading import stages


def layer(name, inputs, output, module=None):
    return Node(name, module or nn.Linear(4, 4), inputs, output)


def residual() -> Graph:
    """Two blocks with shortcuts and an activation between, and a shape that nothing but a reshape takes."""
    return Graph(
        [
            layer("shape", ("x",), "s", ShapeOf()),
            layer("first", ("x",), "a"),
            layer("relu", ("a",), "b", nn.ReLU()),
            layer("second", ("b",), "c"),
            layer("add", ("b", "c"), "d", Function(torch.add)),
            layer("third", ("d",), "e"),
            layer("same_shape", ("e", "s"), "f", Function(lambda e, s: e.reshape(s.tolist()))),
            layer("sum", ("d", "f"), "g", Function(torch.add)),
            layer("readout", ("g",), "y"),
        ],
        "x",
        "y",
    )


def test_a_graph_computes_what_its_nodes_say():
    graph, x = residual(), torch.randn(3, 4)
    b = graph.first(x).relu()
    d = b + graph.second(b)
    torch.testing.assert_close(graph(x), graph.readout(d + graph.third(d)))


def test_stages_are_where_all_passes_and_weights_follow():
    assert residual().stages() == ("relu", "add", "sum")
    assert stages(residual()) == ("relu", "add", "sum")


def test_every_node_can_be_recorded():
    graph, x = residual(), torch.randn(3, 4)
    activations = record(graph, x, ["first", "relu", "readout"])
    assert torch.equal(activations.by_layer("relu"), activations.by_layer("first").relu())
    assert torch.equal(activations.by_layer("readout"), graph(x).detach())


def test_a_copy_has_weights_of_its_own():
    graph, x = residual(), torch.randn(3, 4)
    twin = copy.deepcopy(graph)
    before = graph(x)
    for parameter in twin.parameters():
        nn.init.zeros_(parameter)
    assert torch.equal(graph(x), before)
    assert not torch.equal(twin(x), before)


def test_a_softmax_at_the_end_is_left_out_and_one_within_is_kept():
    steps = [("dense", nn.Linear(4, 4)), ("within", nn.Softmax(1)), ("last", nn.Linear(4, 4)), ("end", nn.Softmax(1))]
    names = ["x", "a", "b", "c", "d"]
    nodes = [Node(name, module, (names[i],), names[i + 1]) for i, (name, module) in enumerate(steps)]
    scores = Graph(nodes, "x", "d").without_softmax()
    assert [name for name, _ in scores.named_children()] == ["dense", "within", "last"]
    x = torch.randn(2, 4)
    torch.testing.assert_close(scores(x).softmax(1), Graph(nodes, "x", "d")(x))


def test_what_the_output_does_not_need_is_left_out():
    nodes = [layer("used", ("x",), "y"), layer("unused", ("x",), "z")]
    assert [name for name, _ in Graph(nodes, "x", "y").named_children()] == ["used"]


def test_a_graph_that_cannot_run_is_refused():
    with pytest.raises(ValueError, match=r"'nodes' must take values that are computed before, 'late' takes \['b'\]"):
        Graph([layer("late", ("b",), "y"), layer("early", ("x",), "b")], "x", "y")
    with pytest.raises(ValueError, match="'nodes' must have different names, got 'twin' twice"):
        Graph([layer("twin", ("x",), "a"), layer("twin", ("a",), "y")], "x", "y")
    with pytest.raises(ValueError, match="'output' must be a value of the graph, got 'z'"):
        Graph([layer("only", ("x",), "y")], "x", "z")


def test_shapes_made_for_one_image_are_refused_for_more():
    graph = Graph([layer("fixed", ("x",), "y", Function(lambda x: x.reshape(1, -1)))], "x", "y")
    assert graph(torch.rand(1, 4)).shape == (1, 4)
    with pytest.raises(
        ValueError, match=r"'x' must have the number of images .* got 3 and an output of shape \(1, 12\)"
    ):
        graph(torch.rand(3, 4))


@pytest.mark.parametrize("side", range(3, 12))
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_gives_as_many_windows_as_strides_fit_with_the_odd_pixel_at_the_end(side, kernel, stride):
    ones = torch.ones(1, 1, side, side + 1)
    padded = SamePadding((kernel, kernel), (stride, stride))(ones)
    windows = nn.functional.max_pool2d(padded, kernel, stride)
    assert windows.shape[2:] == (-(-side // stride), -(-(side + 1) // stride))
    rows = padded[0, 0].any(1).nonzero().ravel()
    before, after = int(rows[0]), padded.shape[2] - 1 - int(rows[-1])
    assert after - before in (0, 1)
    assert padded.shape[2] <= max(side, (-(-side // stride) - 1) * stride + kernel)


def test_batch_normalisation_treats_any_shape_alike():
    weight, bias, mean = torch.randn(3, 5)
    variance = torch.rand(5) + 0.5
    layer = batch_norm(weight, bias, mean, variance, epsilon=1e-3)
    assert isinstance(layer, BatchNorm)
    flat = torch.randn(7, 5)
    expected = (flat - mean) / (variance + 1e-3).sqrt() * weight + bias
    torch.testing.assert_close(layer(flat), expected)
    torch.testing.assert_close(layer(flat[:, :, None]), expected[:, :, None])
    torch.testing.assert_close(layer(flat[:, :, None, None]), expected[:, :, None, None])


def test_layers_hold_the_weights_they_are_given():
    kernel, matrix = torch.randn(6, 2, 3, 3), torch.randn(3, 4)
    assert torch.equal(convolution(kernel, None, groups=2).weight, kernel)
    assert torch.equal(linear(matrix, torch.ones(3)).weight, matrix)

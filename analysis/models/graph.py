"""Networks that a file describes node by node: one named module a node, so that every node can be recorded."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from analysis.data.registry import public_path
from analysis.models.weights import initialise


class Node(NamedTuple):
    """One step of a graph: the values that `module` takes, by name, and the name of the value that it gives."""

    name: str
    module: nn.Module
    inputs: tuple[str, ...]
    output: str


class Graph(nn.Module):
    """A network from images to its output, its nodes run in their order; the children are the nodes.

    Nodes that the output does not need are left out.

    Parameters
    ----------
    nodes : sequence of Node
        In an order in which every value is computed before it is used.
    input, output : str
        Names of the value that the images are, and of the value to return.

    Raises
    ------
    ValueError
        If a node takes a value that nothing computes, or two nodes have one name.

    Examples
    --------
    >>> squared = Node("square", Function(torch.square), ("x",), "y")
    >>> Graph([squared, Node("sum", Function(torch.add), ("x", "y"), "z")], "x", "z")(torch.full((1, 2), 3.0))
    tensor([[12., 12.]])
    """

    def __init__(self, nodes: Sequence[Node], input: str, output: str):
        super().__init__()
        self.input, self.output = input, output
        self.nodes = _needed(nodes, output)
        computed = {input}
        for node in self.nodes:
            unknown = [name for name in node.inputs if name not in computed]
            if unknown:
                raise ValueError(f"'nodes' must take values that are computed before, '{node.name}' takes {unknown}.")
            if node.name in self._modules:
                raise ValueError(f"'nodes' must have different names, got '{node.name}' twice.")
            self.add_module(node.name, node.module)
            computed.add(node.output)
        if output not in computed:
            raise ValueError(f"'output' must be a value of the graph, got {output!r}.")
        self._last_use = {name: node.name for node in self.nodes for name in node.inputs}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {self.input: x}
        for node in self.nodes:
            values[node.output] = self.get_submodule(node.name)(*(values[name] for name in node.inputs))
            for name in set(node.inputs):
                if self._last_use[name] == node.name and name != self.output:
                    del values[name]
        result = values[self.output]
        if len(result) != len(x):
            raise ValueError(
                f"'x' must have the number of images that the file's shapes are made for, got {len(x)} and an output "
                f"of shape {tuple(result.shape)}."
            )
        return result

    def stages(self) -> tuple[str, ...]:
        """Names of the nodes that end a stage: all that comes later passes through them, and new weights follow.

        In a chain of layers these are the activations, in a residual network the ends of the blocks; the output, which
        holds the answers, is not among them.
        """
        users = self._users()
        open_until, features, ends = {}, {self.input}, []
        for place, node in enumerate(self.nodes):
            if isinstance(node.module, ShapeOf) or features.isdisjoint(node.inputs):
                continue
            features.add(node.output)
            open_until[node.output] = max((last for last, _ in users[node.output]), default=place)
            still_open = [name for name, last in open_until.items() if last > place]
            follows = [weighted for _, weighted in users[node.output]]
            if still_open == [node.output] and (len(follows) > 1 or any(follows)):
                ends.append(node.name)
        return tuple(ends)

    def _users(self) -> dict[str, list[tuple[int, bool]]]:
        """Of each value, the places of the nodes that take it, and whether they have weights."""
        users = defaultdict(list)
        for place, node in enumerate(self.nodes):
            for name in () if isinstance(node.module, ShapeOf) else node.inputs:
                users[name].append((place, next(node.module.parameters(), None) is not None))
        return users

    def without_softmax(self) -> "Graph":
        """The graph up to its scores, without a softmax at its end and what follows it unchanged."""
        makers, output = {node.output: node for node in self.nodes}, self.output
        while output in makers and isinstance(makers[output].module, nn.Softmax | nn.Identity):
            (output,) = makers[output].inputs
        return Graph(self.nodes, self.input, output)


class ShapeOf(nn.Module):
    """The shape of a value, as integers."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.tensor(x.shape, device=x.device)


class Function(nn.Module):
    """A function of the computed values, without weights."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        return self.function(*values)


class Reshaped(nn.Module):
    """Each image's values in another shape, in the order that TensorFlow keeps them in: channels last.

    Parameters
    ----------
    shape : tuple of int
        Of one image, channels last; one side may be -1.
    """

    def __init__(self, shape: tuple[int, ...]):
        super().__init__()
        self.shape = shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last = x.permute(0, 2, 3, 1) if x.ndim == 4 else x
        shaped = last.reshape(len(x), *self.shape)
        return shaped.permute(0, 3, 1, 2) if shaped.ndim == 4 else shaped


class SamePadding(nn.Module):
    """TensorFlow's "SAME" padding: as many windows as strides fit into the side, the odd pixel at the end.

    Parameters
    ----------
    kernel, stride : (height, width)
    value : float
        What lies around the maps.

    Examples
    --------
    >>> padding = SamePadding((3, 3), (2, 2))
    >>> padding(torch.ones(1, 1, 4, 4)).shape, padding(torch.ones(1, 1, 5, 5)).shape
    (torch.Size([1, 1, 5, 5]), torch.Size([1, 1, 7, 7]))
    """

    def __init__(self, kernel: tuple[int, int], stride: tuple[int, int], value: float = 0.0):
        super().__init__()
        self.kernel, self.stride, self.value = kernel, stride, value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sizes = zip(x.shape[2:], self.kernel, self.stride, strict=True)
        height, width = (max((-(-side // step) - 1) * step + kernel - side, 0) for side, kernel, step in sizes)
        return F.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2), value=self.value)


class BatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation of the second axis, whatever follows it."""

    def _check_input_dim(self, input):
        pass


def graph_or_twin(read: Callable[[Path], Graph], public: str, weights: Path | None) -> Graph:
    """A network that `read` makes of a file of weights, which holds its architecture too.

    Without weights it is an untrained twin: the architecture of the file `public` of the public data, drawn anew.
    """
    return initialise(read(public_path(public))) if weights is None else read(weights)


def convolution(weight: torch.Tensor, bias: torch.Tensor | None, **settings) -> nn.Conv2d:
    """A convolution of given weights (maps, inputs per group, height, width); `settings` as for `torch.nn.Conv2d`."""
    n_maps, n_inputs, *kernel = weight.shape
    groups = settings.get("groups", 1)
    return _filled(nn.Conv2d(n_inputs * groups, n_maps, kernel, bias=bias is not None, **settings), weight, bias)


def linear(weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Linear:
    """A dense layer of given weights (outputs, inputs)."""
    return _filled(nn.Linear(*reversed(weight.shape), bias=bias is not None), weight, bias)


def batch_norm(weight: torch.Tensor, bias: torch.Tensor, mean: torch.Tensor, variance: torch.Tensor, epsilon: float):
    """Batch normalisation of given weights and statistics."""
    layer = _filled(BatchNorm(len(weight), eps=epsilon), weight, bias)
    with torch.no_grad():
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)
    return layer.eval()


def node_name(text: str) -> str:
    """A name for a node and a file: letters, digits, hyphens and underscores only, and none that a module has already.

    Examples
    --------
    >>> node_name("fire2/squeeze1x1"), node_name("half")
    ('fire2_squeeze1x1', 'half_')
    """
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in text)
    return f"{name}_" if name in _TAKEN else name


def _filled(layer: nn.Module, weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Module:
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer


def _needed(nodes: Sequence[Node], output: str) -> tuple[Node, ...]:
    wanted, kept = {output}, []
    for node in reversed(nodes):
        if node.output in wanted:
            wanted.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


_TAKEN = frozenset(dir(Graph([], "", "")))

"""ncnn files as modules: one named module a layer, so that every layer can be recorded.

References
----------
ncnn, param and model file structure. https://github.com/Tencent/ncnn/wiki/param-and-model-file-structure
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from analysis.models.entries import LineupError
from analysis.models.graph import Function, Graph, Node, convolution, node_name

_PARAM_MAGIC = "7767517"
_FLOAT32, _FLOAT16 = 0, 0x01306B47  # tags before weights


def read_ncnn(param: str | Path, weights: str | Path) -> Graph:
    """A network of a ``.param`` and a ``.bin`` file, in evaluation mode; weights in float32 or float16.

    Modules are called as in the file, with ``_`` for ``/``. Images are channels-first, in the file's own units.

    Raises
    ------
    LineupError
        If a file is damaged, or has a layer, a setting of a layer or a kind of number that this reader does not know;
        the message names it.
    """
    layers = _layers(Path(param))
    content, nodes = _Weights(Path(weights)), []
    renamed, images = {}, None
    for layer in layers:
        inputs = tuple(renamed.get(name, name) for name in layer.inputs)
        if layer.kind == "Input":
            (images,) = layer.outputs
        elif layer.kind == "Split":
            renamed |= dict.fromkeys(layer.outputs, inputs[0])
        else:
            module = _BUILDERS[layer.kind](layer, content)
            layer.require_nothing_left()
            nodes.append(Node(node_name(layer.name), module, inputs, layer.outputs[0]))
    content.require_end()
    if images is None or not nodes:
        raise LineupError(f"'{param}' must have an input and layers, it is damaged or something else.")
    return Graph(nodes, images, nodes[-1].output).eval()


class _Layer:
    """A line of the file: ``kind name n_inputs n_outputs inputs... outputs... key=value...``."""

    def __init__(self, line: str, path: Path):
        try:
            self.kind, self.name, n_inputs, n_outputs, *rest = line.split()
            split = int(n_inputs), int(n_inputs) + int(n_outputs)
            self.inputs, self.outputs = rest[: split[0]], rest[split[0] : split[1]]
            pairs = (pair.split("=") for pair in rest[split[1] :])
            self.settings = {int(key): float(value) for key, value in pairs}
        except ValueError as error:
            raise LineupError(f"'{path}' must be an ncnn param file, it has a line '{line[:80]}'.") from error
        self.path = path
        if self.kind not in (*_BUILDERS, "Input", "Split"):
            known = sorted((*_BUILDERS, "Input", "Split"))
            raise LineupError(f"'{path}' must have layers of {known}, has '{self.kind}'.")

    def take(self, key: int, default: int = 0) -> int:
        return int(self.settings.pop(key, default))

    def require_nothing_left(self) -> None:
        if self.settings:
            left = ", ".join(f"{key}={value:g}" for key, value in self.settings.items())
            self.refuse(f"settings {left}")

    def refuse(self, what: str):
        raise LineupError(f"'{self.path}' has a layer {self.kind} '{self.name}' with {what}, which is not supported.")


def _layers(path: Path) -> list[_Layer]:
    try:
        magic, _counts, *lines = path.read_text(encoding="utf-8").strip().splitlines()
    except ValueError as error:  # too few lines, or not text
        raise LineupError(f"'{path}' must be an ncnn param file, it is damaged or something else.") from error
    if magic.strip() != _PARAM_MAGIC or _counts.split()[0] != str(len(lines)):
        raise LineupError(f"'{path}' must be an ncnn param file, it is damaged or something else.")
    return [_Layer(line, path) for line in lines]


class _Weights:
    """The numbers of a ``.bin`` file, one after the other."""

    def __init__(self, path: Path):
        self.path, self.content, self.place = path, path.read_bytes(), 0

    def weights(self, count: int) -> torch.Tensor:
        """Numbers behind a tag that says what they are."""
        (tag,) = self._next(np.dtype("<u4"), 1)
        if tag not in (_FLOAT32, _FLOAT16):
            raise LineupError(f"'{self.path}' must have weights in float32 or float16, has the tag {tag:#010x}.")
        numbers = self._next(np.dtype("<f4" if tag == _FLOAT32 else "<f2"), count)
        self.place += -self.place % 4
        return torch.from_numpy(numbers.astype(np.float32))

    def numbers(self, count: int) -> torch.Tensor:
        """Plain float32 numbers."""
        return torch.from_numpy(self._next(np.dtype("<f4"), count).astype(np.float32))

    def require_end(self) -> None:
        if self.place != len(self.content):
            raise LineupError(f"'{self.path}' must have {self.place} bytes of weights, got {len(self.content)}.")

    def _next(self, kind: np.dtype, count: int) -> np.ndarray:
        end = self.place + count * kind.itemsize
        if end > len(self.content):
            raise LineupError(f"'{self.path}' must have at least {end} bytes of weights, got {len(self.content)}.")
        numbers = np.frombuffer(self.content, kind, count, self.place)
        self.place = end
        return numbers


def _convolution(layer: _Layer, content: _Weights) -> nn.Module:
    n_maps, width = layer.take(0), layer.take(1)
    height, stride, padding = layer.take(11, width), layer.take(3, 1), layer.take(4)
    has_bias, n_weights, activation = layer.take(5), layer.take(6), layer.take(9)
    if activation not in (0, 1):
        layer.refuse(f"activation {activation}")
    if padding < 0:
        layer.refuse(f"padding {padding}")
    weight = content.weights(n_weights).reshape(n_maps, -1, height, width)
    bias = content.numbers(n_maps) if has_bias else None
    module = convolution(weight, bias, stride=stride, padding=padding)
    return nn.Sequential(module, nn.ReLU()) if activation else module


def _pooling(layer: _Layer, _content: _Weights) -> nn.Module:
    average, size, stride = layer.take(0), layer.take(1), layer.take(2, 1)
    if layer.take(4):
        return nn.Sequential(nn.AdaptiveAvgPool2d(1) if average else nn.AdaptiveMaxPool2d(1), nn.Flatten())
    if average:
        layer.refuse("an average of windows")
    return nn.MaxPool2d(size, stride, ceil_mode=True)  # ncnn's mode 0 reads the last, cut-off window too


def _concat(_layer: _Layer, _content: _Weights) -> nn.Module:
    return Function(_concatenated)


def _concatenated(*parts: torch.Tensor) -> torch.Tensor:
    return torch.cat(parts, 1)


def _softmax(_layer: _Layer, _content: _Weights) -> nn.Module:
    return nn.Softmax(1)


_BUILDERS = {"Concat": _concat, "Convolution": _convolution, "Pooling": _pooling, "Softmax": _softmax}

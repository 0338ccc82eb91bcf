"""TensorFlow Lite files as modules: one named module an operator, so that every layer can be recorded.

The files keep maps channels-last; the modules keep them channels-first, as PyTorch does. Quantised weights become the
numbers that they stand for, and values are kept within the range that the file's integers can hold, but not rounded.

References
----------
Jacob et al. (2018), Quantization and training of neural networks. https://doi.org/10.1109/CVPR.2018.00286
"""

import struct
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from analysis.models.entries import LineupError
from analysis.models.graph import Function, Graph, Node, Reshaped, SamePadding, convolution, linear
from analysis.models.weights import LearntRange, needed

_NUMBERS = {"FLOAT32": np.float32, "FLOAT16": np.float16, "INT32": np.int32, "INT8": np.int8, "UINT8": np.uint8}


def read_tflite(path: str | Path) -> Graph:
    """A network of a ``.tflite`` file, float or quantised, in evaluation mode.

    It takes channels-first images in the file's own units (of a quantised file: what its integers stand for). Modules
    are called by operator and number, from the input to the output: ``CONV_2D_1``, ``DEPTHWISE_CONV_2D_1``, ...

    Raises
    ------
    LineupError
        If the package ``tflite`` is not installed, or the file is damaged, has more than one input or output, or has
        an operator, a setting or a kind of number that this reader does not know; the message names it.
    """
    file = _File(needed("tflite", f"reading '{path}'"), Path(path))
    counts, nodes = Counter(), []
    for operator in file.operators:
        counts[operator.kind] += 1
        module, after = _BUILDERS[operator.kind](operator), operator.after()
        module = _Fused(module, after) if after else module
        name = f"{operator.kind}_{counts[operator.kind]}"
        nodes.append(Node(name, module, tuple(map(str, operator.computed())), str(operator.output)))
    return Graph(nodes, str(file.input), str(file.output)).eval()


class _File:
    """The one subgraph of a file: its operators, and the tensors between them by number."""

    def __init__(self, tflite, path: Path):
        self.tflite, self.path = tflite, path
        content = path.read_bytes()
        if content[4:8] != b"TFL3":
            raise LineupError(f"'{path}' must be a TensorFlow Lite file, it is damaged or something else.")
        try:
            self._read(content)
        except (struct.error, IndexError, TypeError, AttributeError, UnicodeDecodeError) as error:  # a cut-off file
            raise LineupError(f"'{path}' must be a TensorFlow Lite file, it is damaged or something else.") from error

    def _read(self, content: bytes) -> None:
        self.model = self.tflite.Model.GetRootAs(content, 0)
        self.graph = self.model.Subgraphs(0)
        ends = self.graph.InputsAsNumpy(), self.graph.OutputsAsNumpy()
        if self.model.SubgraphsLength() != 1 or [len(end) for end in ends] != [1, 1]:
            raise LineupError(f"'{self.path}' must have one subgraph with one input and one output.")
        (self.input,), (self.output,) = (map(int, end) for end in ends)
        self.operators = [_Operator(self, self.graph.Operators(i)) for i in range(self.graph.OperatorsLength())]

    def shape(self, number: int) -> tuple[int, ...]:
        return tuple(map(int, self.graph.Tensors(number).ShapeAsNumpy()))

    def is_constant(self, number: int) -> bool:
        return self.model.Buffers(self.graph.Tensors(number).Buffer()).DataLength() > 0

    def numbers(self, number: int) -> np.ndarray:
        """The content of a constant tensor, as the file has it."""
        tensor = self.graph.Tensors(number)
        content = self.model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
        return np.frombuffer(content, self._kind(tensor)).reshape(self.shape(number))

    def values(self, number: int) -> torch.Tensor:
        """What the content of a constant tensor stands for, in float32."""
        numbers = self.numbers(number)
        scale, zero, axis = self._quantisation(number)
        if scale is not None:
            shape = [1] * numbers.ndim
            shape[axis] = len(scale)
            numbers = (numbers.astype(np.int64) - zero.reshape(shape)) * scale.astype(np.float64).reshape(shape)
        return torch.from_numpy(numbers.astype(np.float32))

    def bounds(self, number: int) -> tuple[float, float] | None:
        """The lowest and the highest value that a quantised tensor can hold; None if it is not quantised."""
        scale, zero, _ = self._quantisation(number)
        if scale is None:
            return None
        integers = np.iinfo(self._kind(self.graph.Tensors(number)))
        return float((integers.min - zero[0]) * scale[0]), float((integers.max - zero[0]) * scale[0])

    def _quantisation(self, number: int):
        quantisation = self.graph.Tensors(number).Quantization()
        if quantisation is None or quantisation.ScaleLength() == 0:
            return None, None, 0
        return quantisation.ScaleAsNumpy(), quantisation.ZeroPointAsNumpy(), quantisation.QuantizedDimension()

    def _kind(self, tensor) -> type:
        name = _name(self.tflite.TensorType, tensor.Type())
        if name not in _NUMBERS:
            raise LineupError(f"'{self.path}' must hold numbers of {sorted(_NUMBERS)}, has '{name}'.")
        return _NUMBERS[name]


class _Operator:
    """An operator of the file and its settings."""

    def __init__(self, file: _File, operator):
        self.file, self.tflite, self._operator = file, file.tflite, operator
        code = file.model.OperatorCodes(operator.OpcodeIndex())
        self.kind = _name(self.tflite.BuiltinOperator, max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        if self.kind not in _BUILDERS:
            raise LineupError(f"'{file.path}' must have operators of {sorted(_BUILDERS)}, has '{self.kind}'.")
        self.inputs = [int(number) for number in operator.InputsAsNumpy()]
        (self.output,) = map(int, operator.OutputsAsNumpy())
        self.settings = self._settings()

    def _settings(self):
        options = getattr(self.tflite, _SETTINGS[self.kind])() if _SETTINGS[self.kind] else None
        table = self._operator.BuiltinOptions()
        if options is None or table is None:
            return None
        options.Init(table.Bytes, table.Pos)
        return options

    def computed(self) -> list[int]:
        return [number for number in self.inputs if number >= 0 and not self.file.is_constant(number)]

    def constant(self, place: int) -> int | None:
        """Number of a constant input, None if the operator has no such input."""
        if place >= len(self.inputs) or self.inputs[place] < 0:
            return None
        if not self.file.is_constant(self.inputs[place]):
            self.refuse(f"input {place + 1} computed, not constant,")
        return self.inputs[place]

    def weights(self, place: int) -> torch.Tensor | None:
        number = self.constant(place)
        return None if number is None else self.file.values(number)

    def after(self) -> list[nn.Module]:
        """What follows within the operator: its activation, and the bounds of a quantised output."""
        activation = getattr(self.settings, "FusedActivationFunction", None)
        name = _name(self.tflite.ActivationFunctionType, activation()) if activation else "NONE"
        if name not in _ACTIVATIONS:
            self.refuse(f"activation {name}")
        bounds = None if self.kind in ("QUANTIZE", "SOFTMAX") else self.file.bounds(self.output)  # within them anyway
        return _ACTIVATIONS[name]() + ([] if bounds is None else [LearntRange(*bounds)])

    def padding(self, kernel: tuple[int, int], stride: tuple[int, int], value: float = 0.0) -> nn.Module:
        same = self.settings.Padding() == self.tflite.Padding.SAME
        return SamePadding(kernel, stride, value) if same else nn.Identity()

    def refuse(self, what: str):
        raise LineupError(f"'{self.file.path}' has an operator {self.kind} with {what}, which is not supported.")


class _Fused(nn.Module):
    """A module of any number of inputs, and what is done to its output."""

    def __init__(self, first: nn.Module, after: list[nn.Module]):
        super().__init__()
        self.first, self.after = first, nn.Sequential(*after)

    def forward(self, *values: torch.Tensor) -> torch.Tensor:
        return self.after(self.first(*values))


def _convolution(operator: _Operator) -> nn.Module:
    weight = operator.weights(1).permute(0, 3, 1, 2)
    return _padded_convolution(operator, weight, 1)


def _depthwise_convolution(operator: _Operator) -> nn.Module:
    weight = operator.weights(1).permute(3, 0, 1, 2)
    return _padded_convolution(operator, weight, operator.file.shape(operator.inputs[0])[3])


def _padded_convolution(operator: _Operator, weight: torch.Tensor, groups: int) -> nn.Module:
    settings = operator.settings
    if (settings.DilationHFactor(), settings.DilationWFactor()) != (1, 1):
        operator.refuse("dilation")
    stride = settings.StrideH(), settings.StrideW()
    layer = convolution(weight, operator.weights(2), stride=stride, groups=groups)
    return nn.Sequential(operator.padding(tuple(weight.shape[2:]), stride), layer)


def _average_pool(operator: _Operator) -> nn.Module:
    settings = operator.settings
    kernel = settings.FilterHeight(), settings.FilterWidth()
    stride = settings.StrideH(), settings.StrideW()
    return Function(partial(_averaged, kernel=kernel, stride=stride, pad=operator.padding(kernel, stride)))


def _averaged(x: torch.Tensor, *, kernel: tuple[int, int], stride: tuple[int, int], pad: nn.Module) -> torch.Tensor:
    """Mean of each window over the pixels within the map."""
    pixels = F.avg_pool2d(pad(torch.ones_like(x[:1, :1])), kernel, stride)
    return F.avg_pool2d(pad(x), kernel, stride) / pixels


def _fully_connected(operator: _Operator) -> nn.Module:
    if len(operator.file.shape(operator.inputs[0])) != 2:
        operator.refuse("an input that is not flat")
    return linear(operator.weights(1), operator.weights(2))


def _mean(operator: _Operator) -> nn.Module:
    axes = operator.file.numbers(operator.constant(1)).ravel().tolist()
    if len(operator.file.shape(operator.inputs[0])) != 4 or sorted(axis % 4 for axis in axes) != [1, 2]:
        operator.refuse(f"axes {axes}")
    return Function(partial(torch.mean, dim=(2, 3), keepdim=bool(operator.settings.KeepDims())))


def _reshape(operator: _Operator) -> nn.Module:
    return Reshaped(operator.file.shape(operator.output)[1:])


def _add(operator: _Operator) -> nn.Module:
    if len(operator.computed()) != 2:
        operator.refuse("a constant")
    return Function(torch.add)


def _softmax(operator: _Operator) -> nn.Module:
    if operator.settings.Beta() != 1:
        operator.refuse(f"beta = {operator.settings.Beta()}")
    return nn.Softmax(1)


_BUILDERS = {
    "ADD": _add,
    "AVERAGE_POOL_2D": _average_pool,
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise_convolution,
    "FULLY_CONNECTED": _fully_connected,
    "MEAN": _mean,
    "QUANTIZE": lambda operator: nn.Identity(),
    "RESHAPE": _reshape,
    "SOFTMAX": _softmax,
}
_SETTINGS = {
    "ADD": "AddOptions",
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "CONV_2D": "Conv2DOptions",
    "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions",
    "FULLY_CONNECTED": "FullyConnectedOptions",
    "MEAN": "ReducerOptions",
    "QUANTIZE": None,
    "RESHAPE": None,
    "SOFTMAX": "SoftmaxOptions",
}
_ACTIVATIONS = {"NONE": lambda: [], "RELU": lambda: [nn.ReLU()], "RELU6": lambda: [nn.ReLU6()]}


def _name(names: type, value: int) -> str:
    """What one of the file format's enumerations calls a value."""
    return next((name for name, known in vars(names).items() if known == value), str(value))

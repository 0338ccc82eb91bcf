"""ONNX files as modules: one named module an operator, so that every layer can be recorded.

References
----------
ONNX operators. https://onnx.ai/onnx/operators/
"""

import gzip
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from analysis.models.entries import LineupError
from analysis.models.graph import Function, Graph, Node, ShapeOf, batch_norm, convolution, linear
from analysis.models.weights import needed


def read_onnx(path: str | Path) -> Graph:
    """A network of an ``.onnx`` or ``.onnx.gz`` file, in evaluation mode.

    Modules are called by operator and number, from the input to the output: ``Conv_1``, ``Relu_1``, ``Conv_2``, ...

    Parameters
    ----------
    path : str or Path
        The file; its weights must be inside.

    Raises
    ------
    LineupError
        If the package ``onnx`` is not installed, or the file is damaged, has more than one input or output, or has
        an operator, a setting or a kind of number that this reader does not know; the message names it.
    """
    onnx, path = needed("onnx", f"reading '{path}'"), Path(path)
    graph, opset = _parsed(onnx, path)
    tensors = {tensor.name: _tensor(onnx, tensor) for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in tensors]
    outputs = [value.name for value in graph.output]
    if len(inputs) != 1 or len(outputs) != 1:
        raise LineupError(f"'{path}' must have one input and one output, has {len(inputs)} and {len(outputs)}.")
    counts, nodes = Counter(), []
    for node in graph.node:
        counts[node.op_type] += 1
        name = f"{node.op_type}_{counts[node.op_type]}"
        nodes.append(_node(name, _Operator(onnx, node, tensors, opset, path)))
    return Graph(nodes, inputs[0], outputs[0]).eval()


class _Operator:
    """An operator of the file: its settings and constant inputs, each taken once, so that none is overlooked."""

    def __init__(self, onnx, node, tensors: dict[str, torch.Tensor], opset: int, path: Path):
        self.kind, self.opset, self.path = node.op_type, opset, path
        self.inputs, self.outputs = list(node.input), list(node.output)
        self.constants = {place: tensors[name] for place, name in enumerate(self.inputs) if name in tensors}
        self.settings = {setting.name: onnx.helper.get_attribute_value(setting) for setting in node.attribute}
        if isinstance(value := self.settings.get("value"), onnx.TensorProto):
            self.settings["value"] = _tensor(onnx, value)
        if node.domain not in ("", "ai.onnx") or self.kind not in _BUILDERS:
            kind = f"{node.domain}.{self.kind}" if node.domain else self.kind
            raise LineupError(f"'{path}' must have operators of {sorted(_BUILDERS)}, has '{kind}'.")

    def take(self, name: str, default=None):
        value = self.settings.pop(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def require(self, name: str, allowed: tuple) -> None:
        """Refuse a setting that is none of `allowed`; the first is what holds without it."""
        value = self.take(name, allowed[0])
        if value not in allowed:
            self.refuse(f"{name} = {value!r}")

    def constant(self, place: int) -> torch.Tensor | None:
        """A constant input, None if there is no such input; it is no longer one of the computed ones."""
        if place >= len(self.inputs) or self.inputs[place] == "":
            return None
        if place not in self.constants:
            self.refuse(f"input {place + 1} computed, not constant,")
        self.inputs[place] = ""
        return self.constants[place]

    def refuse(self, what: str):
        raise LineupError(f"'{self.path}' has an operator {self.kind} with {what}, which is not supported.")


def _node(name: str, operator: _Operator) -> Node:
    module = _BUILDERS[operator.kind](operator)
    if operator.settings:
        operator.refuse(", ".join(f"{key} = {value!r}" for key, value in operator.settings.items()))
    if len(operator.outputs) != 1:
        operator.refuse(f"{len(operator.outputs)} outputs")
    constants = {place: value for place, value in operator.constants.items() if operator.inputs[place]}
    if constants:
        module = _WithConstants(module, constants)
    computed = tuple(text for place, text in enumerate(operator.inputs) if text and place not in constants)
    return Node(name, module, computed, operator.outputs[0])


class _WithConstants(nn.Module):
    """A function with constant inputs of the file: floats are its weights, integers sizes or positions."""

    def __init__(self, function: nn.Module, constants: dict[int, torch.Tensor]):
        super().__init__()
        self.function, self.places = function, tuple(sorted(constants))
        for place in self.places:
            value = constants[place]
            if value.is_floating_point():
                self.register_parameter(f"input{place}", nn.Parameter(value))
            else:
                self.register_buffer(f"input{place}", value)

    def forward(self, *computed: torch.Tensor) -> torch.Tensor:
        values = list(computed)
        for place in self.places:
            values.insert(place, getattr(self, f"input{place}"))
        return self.function(*values)


class _Constant(nn.Module):
    def __init__(self, value: torch.Tensor):
        super().__init__()
        self.register_buffer("value", value)

    def forward(self) -> torch.Tensor:
        return self.value


def _conv(operator: _Operator) -> nn.Module:
    weight, bias = operator.constant(1), operator.constant(2)
    if weight.ndim != 4:
        operator.refuse(f"a kernel of {weight.ndim - 2} dimensions")
    operator.require("auto_pad", ("NOTSET",))
    operator.require("kernel_shape", (list(weight.shape[2:]),))
    top, left, bottom, right = operator.take("pads", [0, 0, 0, 0])
    layer = convolution(
        weight,
        bias,
        stride=tuple(operator.take("strides", [1, 1])),
        padding=(top, left) if (top, left) == (bottom, right) else 0,
        dilation=tuple(operator.take("dilations", [1, 1])),
        groups=operator.take("group", 1),
    )
    return layer if (top, left) == (bottom, right) else nn.Sequential(nn.ZeroPad2d((left, right, top, bottom)), layer)


def _gemm(operator: _Operator) -> nn.Module:
    operator.require("transA", (0,))
    weight, bias = operator.constant(1), operator.constant(2)
    weight = weight if operator.take("transB", 0) else weight.T
    alpha, beta = operator.take("alpha", 1.0), operator.take("beta", 1.0)
    return linear(alpha * weight, None if bias is None else beta * bias.expand(len(weight)))


def _matmul(operator: _Operator) -> nn.Module:
    if 1 in operator.constants and operator.constants[1].ndim == 2:
        return linear(operator.constant(1).T, None)
    return Function(torch.matmul)


def _batch_normalization(operator: _Operator) -> nn.Module:
    operator.require("training_mode", (0,))
    operator.take("momentum")  # of no consequence outside training
    return batch_norm(*(operator.constant(place) for place in range(1, 5)), epsilon=operator.take("epsilon", 1e-5))


def _flatten(operator: _Operator) -> nn.Module:
    axis = operator.take("axis", 1)
    if axis != 1:
        operator.refuse(f"axis = {axis}")
    return nn.Flatten(1)


def _softmax(operator: _Operator) -> nn.Module:
    if operator.opset >= 13:
        return nn.Softmax(operator.take("axis", -1))
    return Function(partial(_softmax_of_all_from, axis=operator.take("axis", 1)))


def _softmax_of_all_from(x: torch.Tensor, *, axis: int) -> torch.Tensor:
    return x.flatten(axis).softmax(-1).reshape(x.shape)


def _reshape(operator: _Operator) -> nn.Module:
    operator.require("allowzero", (0,))
    return Function(_reshaped)


def _reshaped(x: torch.Tensor, shape: torch.Tensor) -> torch.Tensor:
    return x.reshape([size or x.shape[place] for place, size in enumerate(shape.tolist())])


def _transpose(operator: _Operator) -> nn.Module:
    return Function(partial(_transposed, order=operator.take("perm")))


def _transposed(x: torch.Tensor, *, order: list[int] | None) -> torch.Tensor:
    return x.permute(order or tuple(reversed(range(x.ndim))))


def _with_axes(function, operator: _Operator, since: int, **settings) -> nn.Module:
    """An operator whose axes are a setting in files before version `since`, and its second input from then on."""
    axes = operator.constant(1) if operator.opset >= since else operator.take("axes")
    return Function(partial(function, axes=None if axes is None else torch.as_tensor(axes).tolist(), **settings))


def _unsqueezed(x: torch.Tensor, *, axes: list[int]) -> torch.Tensor:
    n_axes = x.ndim + len(axes)
    for axis in sorted(axis % n_axes for axis in axes):
        x = x.unsqueeze(axis)
    return x


def _reduce_mean(operator: _Operator) -> nn.Module:
    operator.require("noop_with_empty_axes", (0,))
    return _with_axes(_mean, operator, 18, keepdim=bool(operator.take("keepdims", 1)))


def _mean(x: torch.Tensor, *, axes: list[int] | None, keepdim: bool) -> torch.Tensor:
    return x.mean(axes or tuple(range(x.ndim)), keepdim)


def _slice(operator: _Operator) -> nn.Module:
    if operator.opset >= 10:
        return Function(_sliced)
    starts, ends = torch.tensor(operator.take("starts")), torch.tensor(operator.take("ends"))
    axes = torch.tensor(operator.take("axes", list(range(len(starts)))))
    return Function(partial(_sliced, starts=starts, ends=ends, axes=axes))


def _sliced(x: torch.Tensor, starts, ends, axes=None, steps=None) -> torch.Tensor:
    axes = range(len(starts)) if axes is None else axes.tolist()
    steps = [1] * len(starts) if steps is None else steps.tolist()
    for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes, steps, strict=True):
        if step < 1:
            raise LineupError(f"A slice of an ONNX file must go forward, got steps of {step}.")
        x = x.movedim(axis, 0)[slice(start, end, step)].movedim(0, axis)
    return x


def _gather(operator: _Operator) -> nn.Module:
    return Function(partial(_gathered, axis=operator.take("axis", 0)))


def _gathered(x: torch.Tensor, places: torch.Tensor, *, axis: int) -> torch.Tensor:
    axis %= x.ndim
    found = x.index_select(axis, places.flatten() % x.shape[axis])
    return found.reshape(x.shape[:axis] + places.shape + x.shape[axis + 1 :])


def _concat(operator: _Operator) -> nn.Module:
    return Function(partial(_concatenated, axis=operator.take("axis")))


def _concatenated(*parts: torch.Tensor, axis: int) -> torch.Tensor:
    return torch.cat(parts, axis)


def _constant(operator: _Operator) -> nn.Module:
    if "value" not in operator.settings:
        operator.refuse(", ".join(operator.settings))
    return _Constant(operator.take("value"))


def _constant_of_shape(operator: _Operator) -> nn.Module:
    return Function(partial(_filled_shape, value=operator.take("value", torch.zeros(1))))


def _filled_shape(shape: torch.Tensor, *, value: torch.Tensor) -> torch.Tensor:
    return value.to(shape.device).expand(shape.tolist())


_BUILDERS = {
    "Add": lambda operator: Function(torch.add),
    "BatchNormalization": _batch_normalization,
    "Concat": _concat,
    "Constant": _constant,
    "ConstantOfShape": _constant_of_shape,
    "Conv": _conv,
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Mul": lambda operator: Function(torch.mul),
    "ReduceMean": _reduce_mean,
    "Relu": lambda operator: nn.ReLU(),
    "Reshape": _reshape,
    "Shape": lambda operator: ShapeOf(),
    "Slice": _slice,
    "Softmax": _softmax,
    "Transpose": _transpose,
    "Unsqueeze": lambda operator: _with_axes(_unsqueezed, operator, 13),
}


def _parsed(onnx, path: Path):
    """The graph of the file, and the version of its operators."""
    content = path.read_bytes()
    try:
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        model = onnx.load_model_from_string(content)
        _require_weights_inside(onnx, model.graph, path)
        onnx.checker.check_model(model)
    except LineupError:
        raise
    except Exception as error:  # a damaged file fails in many ways
        raise LineupError(f"'{path}' must be an ONNX file, it is damaged or something else.") from error
    versions = {operators.domain: operators.version for operators in model.opset_import}
    return model.graph, versions.get("", versions.get("ai.onnx"))


def _require_weights_inside(onnx, graph, path: Path) -> None:
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            raise LineupError(f"'{path}' must hold its weights, '{tensor.name}' is in another file.")


def _tensor(onnx, tensor) -> torch.Tensor:
    return torch.from_numpy(np.array(onnx.numpy_helper.to_array(tensor)))

"""TensorFlow Lite files, written here operator by operator: against slow loops, and refused by name."""

import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from analysis.models.activations import record
from analysis.models.entries import LineupError
from analysis.models.tflite_reader import read_tflite

tflite = pytest.importorskip("tflite")
flatbuffers = pytest.importorskip("flatbuffers")

RNG = np.random.default_rng(0)
KINDS = {
    "float32": "FLOAT32",
    "uint8": "UINT8",
    "int8": "INT8",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FLOAT16",
}


# A writer of small files --------------------------------------------------------------------------------------------


@dataclass
class Tensor:
    shape: tuple[int, ...]
    content: np.ndarray | None = None
    kind: str = "float32"
    scale: tuple[float, ...] = ()
    zero: tuple[int, ...] = ()
    axis: int = 0


def constant(content, **quantisation) -> Tensor:
    return Tensor(content.shape, content, content.dtype.name, **quantisation)


@dataclass
class Step:
    kind: str
    inputs: list[int]
    output: int
    options: str = ""
    settings: dict | None = None


def offsets(builder, parts) -> int:
    builder.StartVector(4, len(parts), 4)
    for part in reversed(parts):
        builder.PrependUOffsetTRelative(part)
    return builder.EndVector()


def table(builder, name: str, **fields) -> int:
    getattr(tflite, f"{name}Start")(builder)
    for field, value in fields.items():
        getattr(tflite, f"{name}Add{field}")(builder, value)
    return getattr(tflite, f"{name}End")(builder)


def integers(builder, values) -> int:
    return builder.CreateNumpyVector(np.array(values, np.int32))


def written_tensor(builder, number: int, tensor: Tensor) -> int:
    fields = {}
    if tensor.scale:
        scale = builder.CreateNumpyVector(np.array(tensor.scale, np.float32))
        zero = builder.CreateNumpyVector(np.array(tensor.zero, np.int64))
        fields["Quantization"] = table(
            builder, "QuantizationParameters", Scale=scale, ZeroPoint=zero, QuantizedDimension=tensor.axis
        )
    shape, name = integers(builder, tensor.shape), builder.CreateString(f"tensor{number}")
    kind = getattr(tflite.TensorType, KINDS[tensor.kind])
    return table(builder, "Tensor", Shape=shape, Type=kind, Buffer=number + 1, Name=name, **fields)


def written_step(builder, number: int, step: Step) -> int:
    fields = {}
    if step.options:
        fields["BuiltinOptions"] = table(builder, step.options, **(step.settings or {}))
        fields["BuiltinOptionsType"] = getattr(tflite.BuiltinOptions, step.options)
    inputs, outputs = integers(builder, step.inputs), integers(builder, [step.output])
    return table(builder, "Operator", OpcodeIndex=number, Inputs=inputs, Outputs=outputs, **fields)


def written(path, tensors: list[Tensor], steps: list[Step], outputs=None):
    """A file whose input is tensor 0 and whose output is the last step's."""
    builder = flatbuffers.Builder(1024)
    contents = [np.zeros(0, np.uint8)] + [
        np.zeros(0, np.uint8) if tensor.content is None else np.frombuffer(tensor.content.tobytes(), np.uint8)
        for tensor in tensors
    ]
    buffers = []
    for content in contents:
        data = {"Data": builder.CreateNumpyVector(content)} if len(content) else {}
        buffers.append(table(builder, "Buffer", **data))
    codes = []
    for step in steps:
        code = getattr(tflite.BuiltinOperator, step.kind)
        codes.append(table(builder, "OperatorCode", BuiltinCode=code, DeprecatedBuiltinCode=min(code, 127), Version=1))
    all_tensors = offsets(builder, [written_tensor(builder, *item) for item in enumerate(tensors)])
    all_steps = offsets(builder, [written_step(builder, *item) for item in enumerate(steps)])
    ends = integers(builder, [0]), integers(builder, [steps[-1].output] if outputs is None else outputs)
    graph = table(builder, "SubGraph", Tensors=all_tensors, Inputs=ends[0], Outputs=ends[1], Operators=all_steps)
    parts = {"OperatorCodes": codes, "Subgraphs": [graph], "Buffers": buffers}
    vectors = {name: offsets(builder, part) for name, part in parts.items()}
    builder.Finish(table(builder, "Model", Version=3, **vectors), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


# Slow, obvious counterparts, channels last ---------------------------------------------------------------------------


def windows(x, kernel, stride, padding):
    """Of every output pixel (row, column), the pixels in its window as (kernel row, kernel column, values)."""
    (height, width), steps = x.shape[1:3], range(2)
    if padding == "SAME":
        sides = [-(-x.shape[1 + i] // stride[i]) for i in steps]
        before = [max((sides[i] - 1) * stride[i] + kernel[i] - x.shape[1 + i], 0) // 2 for i in steps]
    else:
        sides = [(x.shape[1 + i] - kernel[i]) // stride[i] + 1 for i in steps]
        before = [0, 0]
    for row, column in np.ndindex(*sides):
        found = []
        for i, j in np.ndindex(*kernel):
            y, z = row * stride[0] + i - before[0], column * stride[1] + j - before[1]
            if 0 <= y < height and 0 <= z < width:
                found.append((i, j, x[:, y, z]))
        yield row, column, found


def gathered(pixels) -> np.ndarray:
    rows, columns = (max(place) + 1 for place in zip(*pixels, strict=True))
    return np.stack([np.stack([pixels[row, column] for column in range(columns)], 1) for row in range(rows)], 1)


def slow_convolution(x, weight, bias, stride, padding):
    return gathered(
        {
            (row, column): sum(values @ weight[:, i, j].T for i, j, values in found) + bias
            for row, column, found in windows(x, weight.shape[1:3], stride, padding)
        }
    )


def slow_depthwise(x, weight, bias, stride, padding):
    repeated = np.repeat(x, weight.shape[3] // x.shape[3], 3)
    return gathered(
        {
            (row, column): sum(values * weight[0, i, j] for i, j, values in found) + bias
            for row, column, found in windows(repeated, weight.shape[1:3], stride, padding)
        }
    )


def slow_average(x, kernel, stride, padding):
    return gathered(
        {
            (row, column): np.mean([values for *_, values in found], 0)
            for row, column, found in windows(x, kernel, stride, padding)
        }
    )


# Tests ---------------------------------------------------------------------------------------------------------------


def floats(*shape) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def run(network, x: np.ndarray) -> np.ndarray:
    """The network's answer to channels-last maps, channels last."""
    with torch.no_grad():
        y = network(torch.from_numpy(x).permute(0, 3, 1, 2) if x.ndim == 4 else torch.from_numpy(x))
    return (y.permute(0, 2, 3, 1) if y.ndim == 4 else y).numpy()


def window_settings(stride, padding, **more):
    return {"StrideH": stride[0], "StrideW": stride[1], "Padding": getattr(tflite.Padding, padding), **more}


def convolution_file(path, side, weight, bias, stride, padding, kind="CONV_2D", activation="NONE", **dilation):
    channels = weight.shape[3] if kind == "CONV_2D" else 2
    more = {"FusedActivationFunction": getattr(tflite.ActivationFunctionType, activation)}
    more |= {"DilationHFactor": 1, "DilationWFactor": 1, **dilation}
    options = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions"}[kind]
    maps = weight.shape[0 if kind == "CONV_2D" else 3]
    tensors = [Tensor((1, side, side, channels)), constant(weight), constant(bias), Tensor((1, side, side, maps))]
    return written(path, tensors, [Step(kind, [0, 1, 2], 3, options, window_settings(stride, padding, **more))])


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (2, 1)])
@pytest.mark.parametrize("side", [6, 7])
def test_convolutions_are_those_of_a_slow_loop(tmp_path, side, stride, padding):
    x, weight, bias = floats(2, side, side, 3), floats(4, 3, 2, 3), floats(4)
    network = read_tflite(convolution_file(tmp_path / "net.tflite", side, weight, bias, stride, padding))
    expected = slow_convolution(x, weight, bias, stride, padding)
    np.testing.assert_allclose(run(network, x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("multiplier", [1, 3])
def test_depthwise_convolutions_are_those_of_a_slow_loop(tmp_path, multiplier, padding):
    x, weight, bias = floats(2, 6, 6, 2), floats(1, 3, 3, 2 * multiplier), floats(2 * multiplier)
    path = convolution_file(tmp_path / "net.tflite", 6, weight, bias, (2, 2), padding, "DEPTHWISE_CONV_2D")
    expected = slow_depthwise(x, weight, bias, (2, 2), padding)
    np.testing.assert_allclose(run(read_tflite(path), x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_averages_leave_out_what_lies_outside(tmp_path, padding):
    x = floats(2, 5, 5, 3)
    settings = window_settings((2, 2), padding, FilterHeight=3, FilterWidth=2)
    step = Step("AVERAGE_POOL_2D", [0], 1, "Pool2DOptions", settings)
    network = read_tflite(written(tmp_path / "net.tflite", [Tensor((1, 5, 5, 3)), Tensor((1, 3, 3, 3))], [step]))
    np.testing.assert_allclose(run(network, x), slow_average(x, (3, 2), (2, 2), padding), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("activation", "bounds"), [("NONE", (-9, 9)), ("RELU", (0, 9)), ("RELU6", (0, 6))])
def test_activations_are_within_their_operator(tmp_path, activation, bounds):
    x, weight, bias = 9 * floats(2, 4, 4, 1), np.ones((1, 1, 1, 1), np.float32), np.zeros(1, np.float32)
    path = convolution_file(tmp_path / "net.tflite", 4, weight, bias, (1, 1), "SAME", activation=activation)
    lowest, highest = (bound if abs(bound) < 9 else None for bound in bounds)
    expected = x if activation == "NONE" else np.clip(x, lowest, highest)
    np.testing.assert_array_equal(run(read_tflite(path), x), expected)


def head_file(path):
    """A small network: add the maps to themselves, mean over space, reshape, dense, softmax."""
    tensors = [
        Tensor((1, 4, 4, 3)),
        Tensor((1, 4, 4, 3)),
        constant(np.array([1, 2], np.int32)),
        Tensor((1, 1, 1, 3)),
        constant(np.array([-1, 3], np.int32)),
        Tensor((1, 3)),
        constant(floats(5, 3)),
        constant(floats(5)),
        Tensor((1, 5)),
        Tensor((1, 5)),
    ]
    steps = [
        Step("ADD", [0, 0], 1, "AddOptions", {}),
        Step("MEAN", [1, 2], 3, "ReducerOptions", {"KeepDims": True}),
        Step("RESHAPE", [3, 4], 5, "ReshapeOptions", {}),
        Step("FULLY_CONNECTED", [5, 6, 7], 8, "FullyConnectedOptions", {}),
        Step("SOFTMAX", [8], 9, "SoftmaxOptions", {"Beta": 1.0}),
    ]
    return written(path, tensors, steps), tensors[6].content, tensors[7].content


def test_a_file_becomes_a_module_whose_layers_can_be_recorded(tmp_path):
    path, weight, bias = head_file(tmp_path / "net.tflite")
    network, x = read_tflite(path), floats(2, 4, 4, 3)
    names = [name for name, _ in network.named_children()]
    assert names == ["ADD_1", "MEAN_1", "RESHAPE_1", "FULLY_CONNECTED_1", "SOFTMAX_1"]
    scores = (2 * x).mean((1, 2)) @ weight.T + bias
    exponentials = np.exp(scores)
    np.testing.assert_allclose(run(network, x), exponentials / exponentials.sum(1, keepdims=True), rtol=1e-4)
    np.testing.assert_allclose(run(network.without_softmax(), x), scores, rtol=1e-4, atol=1e-5)
    activations = record(network, torch.from_numpy(x).permute(0, 3, 1, 2), ["ADD_1", "FULLY_CONNECTED_1"])
    np.testing.assert_allclose(activations.by_layer("FULLY_CONNECTED_1").numpy(), scores, rtol=1e-4, atol=1e-5)


def test_maps_are_flattened_channels_last(tmp_path):
    x, tensors = floats(2, 2, 3, 4), [Tensor((1, 2, 3, 4)), Tensor((1, 24))]
    network = read_tflite(written(tmp_path / "net.tflite", tensors, [Step("RESHAPE", [0], 1)]))
    np.testing.assert_array_equal(run(network, x), x.reshape(2, 24))


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("per_channel", [False, True])
def test_quantised_weights_are_what_their_integers_stand_for(tmp_path, kind, per_channel):
    scale = (0.5, 0.25, 2.0) if per_channel else (0.5,)
    zero = (0,) * len(scale) if kind == "int8" else (100,) * len(scale)
    numbers = RNG.integers(0, 100, (3, 1, 1, 2)).astype(kind)
    bias = constant(np.array([8, 0, -8], np.int32), scale=(0.125,), zero=(0,))
    output = Tensor((1, 4, 4, 3), None, kind, (0.5,), (zero[0],))
    tensors = [Tensor((1, 4, 4, 2)), constant(numbers, scale=scale, zero=zero), bias, output]
    settings = window_settings((1, 1), "SAME", DilationHFactor=1, DilationWFactor=1)
    network = read_tflite(
        written(tmp_path / "net.tflite", tensors, [Step("CONV_2D", [0, 1, 2], 3, "Conv2DOptions", settings)])
    )
    weight = (numbers[:, 0, 0].astype(float) - zero[0]) * np.array(scale)[:, None]
    x = floats(2, 4, 4, 2)
    limits = {"uint8": (-50, 77.5), "int8": (-64, 63.5)}[kind]
    np.testing.assert_allclose(run(network, x), np.clip(x @ weight.T + [1, 0, -1], *limits), rtol=1e-4, atol=1e-4)


def test_half_precision_weights_are_read(tmp_path):
    weight = floats(5, 3).astype(np.float16)
    tensors = [Tensor((1, 3)), constant(weight), Tensor((1, 5))]
    step = Step("FULLY_CONNECTED", [0, 1, -1], 2, "FullyConnectedOptions", {})
    x = floats(2, 3)
    network = read_tflite(written(tmp_path / "net.tflite", tensors, [step]))
    np.testing.assert_allclose(run(network, x), x @ weight.T.astype(np.float32), rtol=1e-4, atol=1e-6)


IMAGE = Tensor((1, 4, 4, 2))
ONES = constant(np.ones((2, 1, 1, 2), np.float32))
CONV = window_settings((1, 1), "SAME", DilationHFactor=1, DilationWFactor=1)


@pytest.mark.parametrize(
    ("tensors", "step", "message"),
    [
        ([IMAGE, IMAGE], Step("LOGISTIC", [0], 1), "has 'LOGISTIC'"),
        ([IMAGE, IMAGE], Step("GELU", [0], 1), "has 'GELU'"),
        (
            [IMAGE, ONES, IMAGE],
            Step("CONV_2D", [0, 1], 2, "Conv2DOptions", {**CONV, "DilationHFactor": 2}),
            "CONV_2D with dilation",
        ),
        (
            [IMAGE, ONES, IMAGE],
            Step("CONV_2D", [0, 1], 2, "Conv2DOptions", {**CONV, "FusedActivationFunction": 4}),
            "CONV_2D with activation TANH",
        ),
        ([IMAGE, IMAGE], Step("CONV_2D", [0, 0], 1, "Conv2DOptions", CONV), "CONV_2D with input 2 computed"),
        ([IMAGE, ONES, IMAGE], Step("ADD", [0, 1], 2, "AddOptions", {}), "ADD with a constant"),
        (
            [IMAGE, constant(np.array([3], np.int32)), IMAGE],
            Step("MEAN", [0, 1], 2, "ReducerOptions", {}),
            r"MEAN with axes \[3\]",
        ),
        ([IMAGE, IMAGE], Step("SOFTMAX", [0], 1, "SoftmaxOptions", {"Beta": 2.0}), "SOFTMAX with beta = 2.0"),
        (
            [IMAGE, constant(np.ones((2, 1, 1, 2), np.int64)), IMAGE],
            Step("CONV_2D", [0, 1], 2, "Conv2DOptions", CONV),
            "has 'INT64'",
        ),
        (
            [IMAGE, constant(np.ones((2, 2), np.float32)), IMAGE],
            Step("FULLY_CONNECTED", [0, 1], 2, "FullyConnectedOptions", {}),
            "FULLY_CONNECTED with an input that is not flat",
        ),
    ],
)
def test_what_the_reader_does_not_know_is_refused_by_name(tmp_path, tensors, step, message):
    with pytest.raises(LineupError, match=message):
        read_tflite(written(tmp_path / "net.tflite", tensors, [step]))


def test_more_than_one_output_is_refused(tmp_path):
    steps = [Step("RESHAPE", [0], 1), Step("RESHAPE", [0], 2)]
    path = written(tmp_path / "net.tflite", [IMAGE, IMAGE, IMAGE], steps, outputs=[1, 2])
    with pytest.raises(LineupError, match="must have one subgraph with one input and one output"):
        read_tflite(path)


@pytest.mark.parametrize("keep", [0, 4, 8, 20, 0.5, 0.9, 0.99])
def test_a_damaged_file_is_refused_by_name(tmp_path, keep):
    path, *_ = head_file(tmp_path / "net.tflite")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(LineupError, match=r"net\.tflite' must be a TensorFlow Lite file, it is damaged"):
        read_tflite(path)


def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite", None)
    with pytest.raises(LineupError, match=r"needs the package 'tflite': pip install tflite"):
        read_tflite(tmp_path / "net.tflite")

"""ONNX files: every operator as the reference evaluator of the `onnx` package has it; the rest refused by name."""

import gzip

import numpy as np
import pytest
import torch

from analysis.models.activations import record
from analysis.models.entries import LineupError
from analysis.models.onnx_reader import read_onnx

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

X = np.random.default_rng(0).normal(size=(2, 3, 6, 6)).astype(np.float32)
RNG = np.random.default_rng(1)


def floats(*shape) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def written(path, nodes, constants=None, opset=18, outputs=("y",)):
    """A file with one input `x`, these nodes and constants."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", "m"]) for name in ("x", *outputs)]
    initialisers = [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()]
    graph = helper.make_graph(nodes, "g", values[:1], values[1:], initialisers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("com.acme", 1)])
    content = model.SerializeToString()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def node(kind, *inputs, y="y", **settings):
    return helper.make_node(kind, inputs, [y], **settings)


def shaped(text):
    """The shape of the images as a value, changed by a node, and what is reshaped or filled by it."""
    shape = node("Shape", "x", y="s")
    tail = [node("Unsqueeze", "d", "zero", y="u"), node("Concat", "u", "rest", y="t", axis=0)]
    return {
        "slice": [shape, node("Slice", "s", "two", "three", y="d"), node("Concat", "d", "rest", y="t", axis=0)],
        "gather": [shape, node("Gather", "s", "first", y="d"), *tail],
    }[text] + [node("Reshape", "x", "t")]


INTEGERS = {
    "two": np.array([0]),
    "three": np.array([1]),
    "rest": np.array([-1]),
    "zero": np.array([0]),
    "first": np.array(0),
    "flat": np.array([0, -1]),
    "last": np.array([3, 1]),
    "middle": np.array([0, 2]),
}
KERNEL = {"w": floats(4, 3, 3, 3), "b": floats(4)}
CASES = {
    "conv": ([node("Conv", "x", "w", "b", pads=[1, 1, 1, 1], strides=[2, 2])], KERNEL),
    "conv without bias": ([node("Conv", "x", "w", kernel_shape=[3, 3])], {"w": floats(4, 3, 3, 3)}),
    "conv padded on one side": ([node("Conv", "x", "w", "b", pads=[0, 1, 2, 3])], KERNEL),
    "conv dilated": ([node("Conv", "x", "w", "b", dilations=[2, 1], pads=[2, 0, 2, 0])], KERNEL),
    "conv in groups": ([node("Conv", "x", "w", group=3)], {"w": floats(6, 1, 2, 2)}),
    "relu": ([node("Relu", "x")], {}),
    "add": ([node("Add", "c", "x")], {"c": floats(3, 1, 1)}),
    "add twice": ([node("Add", "x", "x")], {}),
    "mul": ([node("Mul", "x", "c")], {"c": floats(6)}),
    "matmul": ([node("MatMul", "x", "c")], {"c": floats(6, 5)}),
    "matmul from the left": ([node("MatMul", "c", "x")], {"c": floats(5, 6)}),
    "matmul of two": ([node("Transpose", "x", y="t", perm=[0, 1, 3, 2]), node("MatMul", "x", "t")], {}),
    "gemm": (
        [node("Flatten", "x", y="f"), node("Gemm", "f", "w", "b", transB=1, alpha=0.5, beta=2.0)],
        {"w": floats(4, 108), "b": floats(4)},
    ),
    "gemm untransposed": ([node("Flatten", "x", y="f"), node("Gemm", "f", "w")], {"w": floats(108, 4)}),
    "batch norm": (
        [node("BatchNormalization", "x", "w", "b", "m", "v", epsilon=1e-3)],
        {"w": floats(3), "b": floats(3), "m": floats(3), "v": floats(3) ** 2},
    ),
    "softmax": ([node("Softmax", "x", axis=1)], {}),
    "mean": ([node("ReduceMean", "x", "last", keepdims=0)], {}),
    "mean of all": ([node("ReduceMean", "x", y="m"), node("Add", "x", "m")], {}),
    "transpose": ([node("Transpose", "x", perm=[0, 2, 3, 1])], {}),
    "flatten": ([node("Flatten", "x")], {}),
    "reshape": ([node("Reshape", "x", "flat")], {}),
    "concat": ([node("Concat", "x", "x", axis=-1)], {}),
    "slice": ([node("Slice", "x", "middle", "ends", "last", "steps")], {"ends": [5, 4], "steps": [2, 1]}),
    "slice from the end": ([node("Slice", "x", "back", "far", "rest")], {"back": [-2], "far": [2**40]}),
    "gather": ([node("Gather", "x", "places", axis=2)], {"places": np.array([[0, 5], [-1, 2]])}),
    "unsqueeze": ([node("Unsqueeze", "x", "last")], {}),
    "constant": (
        [helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(floats(6))), node("Add", "x", "c")],
        {},
    ),
    "constant of shape": (
        [
            node("Shape", "x", y="s"),
            node("ConstantOfShape", "s", y="c", value=numpy_helper.from_array(np.float32([3.5]))),
            node("Mul", "x", "c"),
        ],
        {},
    ),
    "shape, sliced": (shaped("slice"), {}),
    "shape, gathered": (shaped("gather"), {}),
}
OLD_CASES = {
    "slice by settings": ([node("Slice", "x", starts=[1, 0], ends=[4, 2], axes=[2, 1])], {}),
    "unsqueeze by settings": ([node("Unsqueeze", "x", axes=[1, 3])], {}),
    "mean by settings": ([node("ReduceMean", "x", axes=[2, 3], keepdims=0)], {}),
}


def used(nodes, constants):
    names = {name for step in nodes for name in step.input}
    return {name: np.asarray(value) for name, value in {**INTEGERS, **constants}.items() if name in names}


@pytest.mark.parametrize(
    ("nodes", "constants", "opset"),
    [(*case, 18) for case in CASES.values()] + [(*case, 9) for case in OLD_CASES.values()],
    ids=[*CASES, *OLD_CASES],
)
def test_an_operator_gives_what_the_reference_gives(tmp_path, nodes, constants, opset):
    path = written(tmp_path / "net.onnx", nodes, used(nodes, constants), opset)
    (expected,) = ReferenceEvaluator(str(path)).run(None, {"x": X})
    with torch.no_grad():
        np.testing.assert_allclose(read_onnx(path)(torch.from_numpy(X)).numpy(), expected, rtol=1e-4, atol=1e-5)


def test_a_softmax_of_old_files_is_over_all_axes_that_follow(tmp_path):
    """As version 11 of the operator has it; the reference evaluator knows only the later one."""
    network = read_onnx(written(tmp_path / "net.onnx", [node("Softmax", "x", axis=1)], opset=11))
    exponentials = np.exp(X)
    expected = exponentials / exponentials.sum((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(network(torch.from_numpy(X)).numpy(), expected, rtol=1e-5)


def small(path, **settings):
    nodes = [node("Conv", "x", "w", "b", y="a"), node("Relu", "a", y="r"), node("Flatten", "r", y="y")]
    return written(path, nodes, KERNEL, **settings)


@pytest.mark.parametrize("name", ["net.onnx", "net.onnx.gz"])
def test_a_file_becomes_a_module_whose_layers_can_be_recorded(tmp_path, name):
    network = read_onnx(small(tmp_path / name))
    assert [child for child, _ in network.named_children()] == ["Conv_1", "Relu_1", "Flatten_1"]
    assert not network.training
    activations = record(network, torch.from_numpy(X), ["Conv_1", "Relu_1"])
    assert torch.equal(activations.by_layer("Relu_1"), activations.by_layer("Conv_1").relu())


def test_floats_of_the_file_are_weights_and_integers_are_not(tmp_path):
    nodes = [node("Add", "x", "c", y="a"), node("Reshape", "a", "flat")]
    network = read_onnx(written(tmp_path / "net.onnx", nodes, {"c": floats(6), "flat": INTEGERS["flat"]}))
    assert [name for name, _ in network.named_parameters()] == ["Add_1.input1"]
    assert [name for name, _ in network.named_buffers()] == ["Reshape_1.input1"]


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        ([node("Erf", "x")], {}, "has 'Erf'"),
        ([helper.make_node("Relu", ["x"], ["y"], domain="com.acme")], {}, "has 'com.acme.Relu'"),
        ([node("Conv", "x", "w", auto_pad="SAME_LOWER")], KERNEL, "Conv with auto_pad = 'SAME_LOWER'"),
        ([node("Conv", "x", "w")], {"w": floats(4, 3, 3)}, "Conv with a kernel of 1 dimensions"),
        ([node("Conv", "x", "x")], {}, "Conv with input 2 computed, not constant"),
        ([node("Gemm", "x", "w", transA=1)], {"w": floats(2, 2)}, "Gemm with transA = 1"),
        ([node("Flatten", "x", axis=0)], {}, "Flatten with axis = 0"),
        ([node("Reshape", "x", "flat", allowzero=1)], {}, "Reshape with allowzero = 1"),
        (
            [helper.make_node("Constant", [], ["c"], value_float=1.0), node("Add", "x", "c")],
            {},
            "Constant with value_float",
        ),
    ],
)
def test_what_the_reader_does_not_know_is_refused_by_name(tmp_path, nodes, constants, message):
    path = written(tmp_path / "net.onnx", nodes, used(nodes, constants))
    with pytest.raises(LineupError, match=message):
        read_onnx(path)


def test_more_than_one_output_is_refused(tmp_path):
    nodes = [node("Relu", "x"), node("Relu", "x", y="z")]
    with pytest.raises(LineupError, match=r"must have one input and one output, has 1 and 2"):
        read_onnx(written(tmp_path / "net.onnx", nodes, outputs=("y", "z")))


@pytest.mark.parametrize("name", ["net.onnx", "net.onnx.gz"])
@pytest.mark.parametrize("keep", [0, 20, 0.5, 0.9])
def test_a_damaged_file_is_refused_by_name(tmp_path, name, keep):
    path = small(tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(LineupError, match=r"net\.onnx(\.gz)?' must be an ONNX file, it is damaged or something else"):
        read_onnx(path)


def test_weights_in_another_file_are_refused(tmp_path):
    path = small(tmp_path / "net.onnx")
    model = onnx.load(path)
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.bin")
    path.write_bytes(model.SerializeToString())
    with pytest.raises(LineupError, match="must hold its weights, 'w' is in another file"):
        read_onnx(path)


def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(LineupError, match=r"needs the package 'onnx': pip install onnx"):
        read_onnx(tmp_path / "net.onnx")

"""ncnn files, written here layer by layer."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from analysis.models.activations import record
from analysis.models.entries import LineupError
from analysis.models.ncnn_reader import read_ncnn

RNG = np.random.default_rng(0)
HALF, SINGLE, INTEGERS = 0x01306B47, 0, 0x000D4B38
INPUT = "Input data 0 1 data 0=6 1=6 2=3"


def floats(*shape) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def tagged(numbers: np.ndarray, tag: int = HALF) -> bytes:
    content = numbers.astype("<f2" if tag == HALF else "<f4").tobytes()
    return np.uint32(tag).tobytes() + content + bytes(-len(content) % 4)


def written(tmp_path, lines, *parts: bytes):
    param, weights = tmp_path / "net.param", tmp_path / "net.bin"
    param.write_text("\n".join(["7767517", f"{len(lines)} {len(lines)}", *lines]) + "\n")
    weights.write_bytes(b"".join(parts))
    return param, weights


FIRE = [
    INPUT,
    "Convolution squeeze/1x1 1 1 data a 0=3 1=1 5=1 6=9 9=1",
    "Split split 1 2 a a_0 a_1",
    "Convolution one 1 1 a_0 b 0=2 1=1 5=1 6=6",
    "Convolution three 1 1 a_1 c 0=4 1=3 3=2 4=1 6=108",
    "Pooling half 1 1 b d 1=2 2=2",
    "Concat both 2 1 d c e",
    "Pooling mean 1 1 e f 0=1 4=1",
    "Softmax prob 1 1 f g",
]
PARTS = {"squeeze": floats(3, 3, 1, 1), "squeeze bias": floats(3), "one": floats(2, 3, 1, 1), "one bias": floats(2)}
PARTS["three"] = floats(4, 3, 3, 3)


def fire(tmp_path, tag):
    biases = {name: part.tobytes() for name, part in PARTS.items() if "bias" in name}
    content = [biases.get(name, tagged(part, tag)) for name, part in PARTS.items()]
    return written(tmp_path, FIRE, *content)


@pytest.mark.parametrize("tag", [HALF, SINGLE])
def test_a_network_is_what_its_layers_say(tmp_path, tag):
    network = read_ncnn(*fire(tmp_path, tag))
    kept = {name: part if "bias" in name or tag == SINGLE else part.astype(np.float16) for name, part in PARTS.items()}
    weights = {name: torch.from_numpy(part.astype(np.float32)) for name, part in kept.items()}
    x = torch.from_numpy(floats(2, 3, 6, 6))
    a = F.relu(F.conv2d(x, weights["squeeze"], weights["squeeze bias"]))
    b = F.max_pool2d(F.conv2d(a, weights["one"], weights["one bias"]), 2)
    e = torch.cat([b, F.conv2d(a, weights["three"], stride=2, padding=1)], 1)
    torch.testing.assert_close(network(x), e.mean((2, 3)).softmax(1))
    torch.testing.assert_close(network.without_softmax()(x), e.mean((2, 3)))
    torch.testing.assert_close(record(network, x, ["squeeze_1x1"]).values, a.flatten(1))


def test_the_last_cut_off_window_is_pooled_too(tmp_path):
    network = read_ncnn(*written(tmp_path, [INPUT, "Pooling pool 1 1 data y 1=3 2=2"]))
    assert network(torch.zeros(1, 3, 6, 6)).shape == (1, 3, 3, 3)


CONVOLUTION = "Convolution c 1 1 data y 0=2 1=1 6=6"


@pytest.mark.parametrize(
    ("line", "parts", "message"),
    [
        ("Sigmoid s 1 1 data y", [], "has 'Sigmoid'"),
        (f"{CONVOLUTION} 2=2", [tagged(floats(6))], "Convolution 'c' with settings 2=2"),
        (f"{CONVOLUTION} 9=2", [tagged(floats(6))], "Convolution 'c' with activation 2"),
        (f"{CONVOLUTION} 4=-233", [tagged(floats(6))], "Convolution 'c' with padding -233"),
        ("Pooling p 1 1 data y 0=1 1=2 2=2", [], "Pooling 'p' with an average of windows"),
        (CONVOLUTION, [tagged(floats(6), INTEGERS)], "float32 or float16, has the tag 0x000d4b38"),
        (CONVOLUTION, [tagged(floats(2))], "must have at least 16 bytes of weights, got 8"),
        (CONVOLUTION, [tagged(floats(9))], "must have 16 bytes of weights, got 24"),
        ("Convolution c one 1", [], "has a line 'Convolution c one 1'"),
    ],
)
def test_what_the_reader_does_not_know_is_refused_by_name(tmp_path, line, parts, message):
    with pytest.raises(LineupError, match=message):
        read_ncnn(*written(tmp_path, [INPUT, line], *parts))


@pytest.mark.parametrize(
    "content", [b"", b"7767517", b"something\nelse\n", b"\xff\xfe", b"7767517\n3 3\n" + INPUT.encode()]
)
def test_a_damaged_file_is_refused_by_name(tmp_path, content):
    param, weights = written(tmp_path, [INPUT])
    param.write_bytes(content)
    with pytest.raises(LineupError, match=r"net\.param' must be an ncnn param file"):
        read_ncnn(param, weights)

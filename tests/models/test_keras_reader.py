"""Keras files, written here layer by layer."""

import json
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from analysis.models.activations import record
from analysis.models.entries import LineupError
from analysis.models.graph import SamePadding
from analysis.models.keras_reader import read_keras

h5py = pytest.importorskip("h5py")

RNG = np.random.default_rng(0)


def floats(*shape) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def layer(kind, name, *inputs, **settings):
    inbound = [[[end, 0, 0, {}] for end in inputs]] if inputs else []
    return {"class_name": kind, "config": {"name": name, **settings}, "inbound_nodes": inbound}


def window(kind, name, source, kernel, padding="same", **settings):
    common = {"kernel_size": list(kernel), "padding": padding, "data_format": "channels_last", "activation": "linear"}
    return layer(kind, name, source, **{**common, "strides": [2, 2], "use_bias": False, **settings})


def written(path, layers, weights, outputs=("scores",)):
    ends = {"input_layers": [["images", 0, 0]], "output_layers": [[name, 0, 0] for name in outputs]}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Functional", "config": {"layers": layers, **ends}})
        for name, arrays in {**{each["config"]["name"]: {} for each in layers}, **weights}.items():
            group = file.create_group(f"model_weights/{name}")
            group.attrs["weight_names"] = [f"{name}/{key}:0" for key in arrays]
            for key, array in arrays.items():
                group[f"{name}/{key}:0"] = array
    return path


LAYERS = [
    layer("InputLayer", "images", batch_input_shape=[None, 8, 8, 3]),
    window("Conv2D", "conv", "images", (3, 2), filters=4, dilation_rate=[1, 1], groups=1),
    layer("BatchNormalization", "norm", "conv", axis=[3], momentum=0.99, epsilon=1e-3, center=True, scale=True),
    layer("ReLU", "relu", "norm", max_value=6.0, negative_slope=0.0, threshold=0.0),
    layer("ZeroPadding2D", "pad", "relu", padding=[[0, 1], [0, 1]], data_format="channels_last"),
    window("DepthwiseConv2D", "depthwise", "pad", (3, 3), "valid", depth_multiplier=2),
    layer("GlobalAveragePooling2D", "mean", "depthwise", keepdims=True, data_format="channels_last"),
    layer("Dropout", "dropout", "mean", rate=0.5, noise_shape=None, seed=None),
    window("Conv2D", "dense", "dropout", (1, 1), strides=[1, 1], use_bias=True, filters=5, bias_initializer="zeros"),
    layer("Reshape", "reshape", "dense", target_shape=[5]),
    layer("Activation", "scores", "reshape", activation="softmax"),
]
WEIGHTS = {
    "conv": {"kernel": floats(3, 2, 3, 4)},
    "norm": {"gamma": floats(4), "beta": floats(4), "moving_mean": floats(4), "moving_variance": floats(4) ** 2},
    "depthwise": {"depthwise_kernel": floats(3, 3, 4, 2)},
    "dense": {"kernel": floats(1, 1, 8, 5), "bias": floats(5)},
}


def test_a_network_is_what_its_layers_say(tmp_path):
    network, x = read_keras(written(tmp_path / "net.h5", LAYERS, WEIGHTS)), torch.from_numpy(floats(2, 3, 8, 8))
    tensors = {
        f"{name} {key}": torch.from_numpy(value) for name, part in WEIGHTS.items() for key, value in part.items()
    }
    y = F.conv2d(SamePadding((3, 2), (2, 2))(x), tensors["conv kernel"].permute(3, 2, 0, 1), stride=2)
    statistics = [tensors[f"norm {key}"] for key in ("moving_mean", "moving_variance", "gamma", "beta")]
    relu = F.batch_norm(y, *statistics, eps=1e-3).clamp(0, 6)
    kernel = tensors["depthwise depthwise_kernel"].permute(2, 3, 0, 1).reshape(8, 1, 3, 3)
    mean = F.conv2d(F.pad(relu, (0, 1, 0, 1)), kernel, stride=2, groups=4).mean((2, 3))
    scores = mean @ tensors["dense kernel"][0, 0] + tensors["dense bias"]
    torch.testing.assert_close(network(x), scores.softmax(1))
    torch.testing.assert_close(network.without_softmax()(x), scores)
    torch.testing.assert_close(record(network, x, ["relu"]).values, relu.flatten(1))


@pytest.mark.parametrize(
    ("place", "changed", "message"),
    [
        (2, layer("LayerNormalization", "norm", "conv"), "has 'LayerNormalization'"),
        (1, window("Conv2D", "conv", "images", (3, 2), dilation_rate=[2, 2]), r"'conv' with dilation_rate = \[2, 2\]"),
        (1, window("Conv2D", "conv", "images", (3, 2), activation="relu"), "'conv' with activation = 'relu'"),
        (3, layer("ReLU", "relu", "norm", max_value=6.0, negative_slope=0.1), "'relu' with negative_slope = 0.1"),
        (10, layer("Activation", "scores", "reshape", activation="tanh"), "'scores' with activation = 'tanh'"),
        (3, layer("ReLU", "relu", "norm", max_value=6.0, new_thing=1), "'relu' with new_thing = 1"),
    ],
)
def test_what_the_reader_does_not_know_is_refused_by_name(tmp_path, place, changed, message):
    layers = [*LAYERS[:place], changed, *LAYERS[place + 1 :]]
    with pytest.raises(LineupError, match=message):
        read_keras(written(tmp_path / "net.h5", layers, WEIGHTS))


def test_more_than_one_output_is_refused(tmp_path):
    with pytest.raises(LineupError, match="must have one input and one output, has 1 and 2"):
        read_keras(written(tmp_path / "net.h5", LAYERS, WEIGHTS, outputs=("scores", "relu")))


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_a_damaged_file_is_refused_by_name(tmp_path, keep):
    path = written(tmp_path / "net.h5", LAYERS, WEIGHTS)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(LineupError, match=r"net\.h5' must be a Keras file of a network, it is damaged"):
        read_keras(path)


def test_a_file_of_weights_alone_is_refused(tmp_path):
    with h5py.File(tmp_path / "net.h5", "w") as file:
        file["kernel"] = floats(3)
    with pytest.raises(LineupError, match="must be a Keras file of a network"):
        read_keras(tmp_path / "net.h5")


def test_a_missing_package_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(LineupError, match=r"needs the package 'h5py': pip install h5py"):
        read_keras(tmp_path / "net.h5")

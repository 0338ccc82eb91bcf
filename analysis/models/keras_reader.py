"""Keras networks in HDF5 files as modules: one named module a layer, so that every layer can be recorded.

The files keep maps channels-last; the modules keep them channels-first, as PyTorch does.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

from analysis.models.entries import LineupError
from analysis.models.graph import Graph, Node, Reshaped, SamePadding, batch_norm, convolution, node_name
from analysis.models.weights import needed

_IRRELEVANT = {"name", "trainable", "dtype", "momentum", "rate", "noise_shape", "seed", "filters", "kernel_size"}
_DEFAULTS = {
    "activation": "linear",
    "axis": [3],
    "center": True,
    "data_format": "channels_last",
    "dilation_rate": [1, 1],
    "groups": 1,
    "negative_slope": 0.0,
    "scale": True,
    "threshold": 0.0,
}


def read_keras(path: str | Path) -> Graph:
    """A network of a Keras ``.h5`` file that holds its architecture and its weights, in evaluation mode.

    It takes channels-first images in the file's own units. Modules are called as in the file.

    Raises
    ------
    LineupError
        If the package ``h5py`` is not installed, or the file is damaged, has more than one input or output, or has a
        layer, or a setting of a layer, that this reader does not know; the message names it.
    """
    h5py, path = needed("h5py", f"reading '{path}'"), Path(path)
    try:
        with h5py.File(path) as file:
            return _read(file, path)
    except FileNotFoundError:
        raise
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise LineupError(f"'{path}' must be a Keras file of a network, it is damaged or something else.") from error


def _read(file, path: Path) -> Graph:
    config = json.loads(file.attrs["model_config"])["config"]
    inputs, outputs = ([end[0] for end in config[ends]] for ends in ("input_layers", "output_layers"))
    if len(inputs) != 1 or len(outputs) != 1:
        raise LineupError(f"'{path}' must have one input and one output, has {len(inputs)} and {len(outputs)}.")
    nodes = []
    for described in config["layers"]:
        layer = _Layer(described, file["model_weights"], path)
        if layer.kind != "InputLayer":
            module = _BUILDERS[layer.kind](layer)
            layer.require_nothing_left()
            nodes.append(Node(node_name(layer.name), module, layer.inputs(), layer.name))
    return Graph(nodes, inputs[0], outputs[0]).eval()


class _Layer:
    """A layer of the file: its settings, each taken once so that none is overlooked, and its weights."""

    def __init__(self, described: dict, weights, path: Path):
        self.kind, self.settings, self.path = described["class_name"], dict(described["config"]), path
        self.name, self.inbound = self.settings["name"], described["inbound_nodes"]
        self._weights = weights
        if self.kind not in (*_BUILDERS, "InputLayer"):
            raise LineupError(f"'{path}' must have layers of {sorted((*_BUILDERS, 'InputLayer'))}, has '{self.kind}'.")

    def inputs(self) -> tuple[str, ...]:
        if len(self.inbound) != 1:
            self.refuse(f"{len(self.inbound)} uses")
        return tuple(end[0] for end in self.inbound[0])

    def take(self, name: str):
        return self.settings.pop(name)

    def weights(self) -> dict[str, torch.Tensor]:
        """Weights by the last part of their names: ``kernel``, ``bias``, ``gamma``, ..."""
        group = self._weights[self.name]
        names = [name.decode() if isinstance(name, bytes) else name for name in group.attrs["weight_names"]]
        return {name.rsplit("/", 1)[-1].split(":")[0]: torch.from_numpy(np.array(group[name])) for name in names}

    def require_nothing_left(self) -> None:
        for name, value in self.settings.items():
            of_training = name.endswith(("initializer", "regularizer", "constraint"))
            if not of_training and name not in _IRRELEVANT and value != _DEFAULTS.get(name, ...):
                self.refuse(f"{name} = {value!r}")

    def refuse(self, what: str):
        raise LineupError(f"'{self.path}' has a layer {self.kind} '{self.name}' with {what}, which is not supported.")


def _convolution(layer: _Layer) -> nn.Module:
    return _padded(layer, layer.weights()["kernel"].permute(3, 2, 0, 1), 1)


def _depthwise_convolution(layer: _Layer) -> nn.Module:
    layer.take("depth_multiplier")  # the shape of the weights says it
    kernel = layer.weights()["depthwise_kernel"].permute(2, 3, 0, 1)
    return _padded(layer, kernel.flatten(0, 1)[:, None], len(kernel))


def _padded(layer: _Layer, weight: torch.Tensor, groups: int) -> nn.Module:
    stride, padding = tuple(layer.take("strides")), layer.take("padding")
    bias = layer.weights()["bias"] if layer.take("use_bias") else None
    module = convolution(weight, bias, stride=stride, groups=groups)
    return nn.Sequential(SamePadding(tuple(weight.shape[2:]), stride), module) if padding == "same" else module


def _batch_normalization(layer: _Layer) -> nn.Module:
    weights = layer.weights()
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    return batch_norm(*(weights[name] for name in names), epsilon=layer.take("epsilon"))


def _relu(layer: _Layer) -> nn.Module:
    highest = layer.take("max_value")
    return nn.ReLU() if highest is None else nn.Hardtanh(0.0, highest)


def _zero_padding(layer: _Layer) -> nn.Module:
    (top, bottom), (left, right) = layer.take("padding")
    return nn.ZeroPad2d((left, right, top, bottom))


def _global_average(layer: _Layer) -> nn.Module:
    mean = nn.AdaptiveAvgPool2d(1)
    return mean if layer.take("keepdims") else nn.Sequential(mean, nn.Flatten())


def _dropout(_layer: _Layer) -> nn.Module:
    return nn.Identity()


def _reshape(layer: _Layer) -> nn.Module:
    return Reshaped(tuple(layer.take("target_shape")))


def _activation(layer: _Layer) -> nn.Module:
    kind = layer.take("activation")
    if kind != "softmax":
        layer.refuse(f"activation = {kind!r}")
    return nn.Softmax(1)


_BUILDERS = {
    "Activation": _activation,
    "BatchNormalization": _batch_normalization,
    "Conv2D": _convolution,
    "DepthwiseConv2D": _depthwise_convolution,
    "Dropout": _dropout,
    "GlobalAveragePooling2D": _global_average,
    "ReLU": _relu,
    "Reshape": _reshape,
    "ZeroPadding2D": _zero_padding,
}

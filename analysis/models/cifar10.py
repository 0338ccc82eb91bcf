"""Published networks that were trained on CIFAR-10, as modules whose stages can be recorded.

Every builder takes the path of its weights and returns a network in evaluation mode, from normalised RGB images
(n, 3, 32, 32) to (n, 10) scores before any softmax. Without weights, the same network is drawn anew (see
`weights.initialise`): an untrained twin. The top-level children are the stages, from the input to the output.

References
----------
Banbury et al. (2021), MLPerf Tiny benchmark. https://arxiv.org/abs/2106.07597
He et al. (2016), Deep residual learning for image recognition. https://doi.org/10.1109/CVPR.2016.90
Wang et al. (2021), Beta-CROWN. https://arxiv.org/abs/2103.06624
"""

import itertools
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from analysis.models.graph import Graph, graph_or_twin
from analysis.models.onnx_reader import read_onnx
from analysis.models.tflite_reader import read_tflite
from analysis.models.weights import loaded_or_drawn


def resnet20(weights: Path | None = None) -> nn.Module:
    """ResNet-20: three stages of 3 residual blocks."""
    return loaded_or_drawn(_resnet(3), weights)


def resnet32(weights: Path | None = None) -> nn.Module:
    """ResNet-32: three stages of 5 residual blocks."""
    return loaded_or_drawn(_resnet(5), weights)


def resnet44(weights: Path | None = None) -> nn.Module:
    """ResNet-44: three stages of 7 residual blocks."""
    return loaded_or_drawn(_resnet(7), weights)


def resnet56(weights: Path | None = None) -> nn.Module:
    """ResNet-56: three stages of 9 residual blocks."""
    return loaded_or_drawn(_resnet(9), weights)


def resnet2b(weights: Path | None = None) -> nn.Module:
    """One stage of two residual blocks without batch normalisation; its published weights are robust."""
    return loaded_or_drawn(_robust_resnet(8, (16,), n_features=16 * 8 * 8), weights)


def resnet4b(weights: Path | None = None) -> nn.Module:
    """Two stages of two residual blocks without batch normalisation; its published weights are robust."""
    return loaded_or_drawn(_robust_resnet(16, (32, 32), n_features=32 * 4 * 4), weights)


def marabou_small(weights: Path | None = None) -> nn.Module:
    """Two convolutions of 8 and 16 maps and three dense layers; its published weights are robust."""
    return loaded_or_drawn(_marabou(8), weights)


def marabou_medium(weights: Path | None = None) -> nn.Module:
    """Two convolutions of 16 and 32 maps and three dense layers; its published weights are robust."""
    return loaded_or_drawn(_marabou(16), weights)


def marabou_large(weights: Path | None = None) -> nn.Module:
    """Two convolutions of 32 and 64 maps and three dense layers; its published weights are robust."""
    return loaded_or_drawn(_marabou(32), weights)


def oval_base(weights: Path | None = None) -> nn.Module:
    """Two convolutions of 8 and 16 maps and two dense layers; its published weights are robust."""
    return loaded_or_drawn(_plain([(8, 4, 2, 1), (16, 4, 2, 1)], [16 * 8 * 8, 100]), weights)


def oval_wide(weights: Path | None = None) -> nn.Module:
    """Two convolutions of 16 and 32 maps and two dense layers; its published weights are robust."""
    return loaded_or_drawn(_plain([(16, 4, 2, 1), (32, 4, 2, 1)], [32 * 8 * 8, 100]), weights)


def oval_deep(weights: Path | None = None) -> nn.Module:
    """Four convolutions of 8 maps and two dense layers; its published weights are robust."""
    convolutions = [(8, 4, 2, 1), (8, 3, 1, 1), (8, 3, 1, 1), (8, 4, 2, 1)]
    return loaded_or_drawn(_plain(convolutions, [8 * 8 * 8, 100]), weights)


def biasfield_base(weights: Path | None = None) -> nn.Module:
    """Eight convolutions, of 16 to 128 maps and to the classes."""
    return _graph(read_onnx, "cifar_biasfield_base.onnx.gz", weights)


def vit_ibp(weights: Path | None = None) -> nn.Module:
    """Vision transformer of 3 blocks (patches of 8 pixels, batch normalisation); its published weights are robust."""
    return _graph(read_onnx, "ibp_3_3_8.onnx.gz", weights)


def vit_pgd(weights: Path | None = None) -> nn.Module:
    """Vision transformer of 2 blocks (patches of 16 pixels, batch normalisation); its published weights are robust."""
    return _graph(read_onnx, "pgd_2_3_16.onnx.gz", weights)


def resnet8(weights: Path | None = None) -> nn.Module:
    """ResNet-8 of MLPerf Tiny: three stages of one residual block; takes pixels from 0 to 255."""
    return _graph(read_tflite, "pretrainedResnet.tflite", weights)


def wide_resnet8(weights: Path | None = None) -> nn.Module:
    """ResNet-8 of MLPerf Tiny, 2.5 times as wide; takes pixels from 0 to 255."""
    return _graph(read_tflite, "pretrainedResnet_large_float.tflite", weights)


def _graph(read: Callable[[Path], Graph], name: str, weights: Path | None) -> nn.Module:
    return graph_or_twin(read, f"cifar10_nets/{name}", weights).without_softmax()


def _marabou(n_maps: int) -> nn.Module:
    return _plain([(n_maps, 4, 2, 0), (2 * n_maps, 4, 2, 0)], [2 * n_maps * 6 * 6, 128, 64])


def _plain(convolutions: list[tuple[int, int, int, int]], widths: list[int]) -> nn.Module:
    """Convolutions (maps, kernel, stride, padding), then dense layers of these widths, the first their input."""
    network, n_inputs = nn.Sequential(), 3
    for depth, (n_maps, *shape) in enumerate(convolutions, 1):
        network.add_module(f"convolution{depth}", nn.Sequential(nn.Conv2d(n_inputs, n_maps, *shape), nn.ReLU()))
        n_inputs = n_maps
    for depth, (n_inputs, n_outputs) in enumerate(itertools.pairwise(widths), 1):
        layers = nn.Sequential(nn.Flatten(), nn.Linear(n_inputs, n_outputs), nn.ReLU())
        network.add_module(f"dense{depth}", layers)
    network.add_module("readout", nn.Linear(widths[-1], 10))
    return network


def _resnet(n_blocks: int) -> nn.Module:
    stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
    network, n_inputs = nn.Sequential(), 16
    network.add_module("stem", stem)
    for depth, n_maps in enumerate((16, 32, 64), 1):
        first = _Residual(n_inputs, n_maps) if depth == 1 else _Residual(n_inputs, n_maps, 2, _Subsampled(n_maps))
        network.add_module(
            f"stage{depth}", nn.Sequential(first, *(_Residual(n_maps, n_maps) for _ in range(n_blocks - 1)))
        )
        n_inputs = n_maps
    network.add_module("pool", nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
    network.add_module("readout", nn.Linear(64, 10))
    return network


def _robust_resnet(n_stem: int, widths: tuple[int, ...], *, n_features: int) -> nn.Module:
    network, n_inputs = nn.Sequential(), n_stem
    network.add_module("stem", nn.Sequential(nn.Conv2d(3, n_stem, 3, 2, 1), nn.ReLU()))
    for depth, n_maps in enumerate(widths, 1):
        first = _Residual(n_inputs, n_maps, 2, nn.Conv2d(n_inputs, n_maps, 1, 2), norm=False)
        network.add_module(f"stage{depth}", nn.Sequential(first, _Residual(n_maps, n_maps, norm=False)))
        n_inputs = n_maps
    network.add_module("dense", nn.Sequential(nn.Flatten(), nn.Linear(n_features, 100), nn.ReLU()))
    network.add_module("readout", nn.Linear(100, 10))
    return network


class _Residual(nn.Module):
    """Two 3 × 3 convolutions beside a shortcut."""

    def __init__(
        self, n_inputs: int, n_maps: int, stride: int = 1, shortcut: nn.Module | None = None, norm: bool = True
    ):
        super().__init__()
        self.first = nn.Conv2d(n_inputs, n_maps, 3, stride, 1, bias=not norm)
        self.first_norm = nn.BatchNorm2d(n_maps) if norm else nn.Identity()
        self.second = nn.Conv2d(n_maps, n_maps, 3, 1, 1, bias=not norm)
        self.second_norm = nn.BatchNorm2d(n_maps) if norm else nn.Identity()
        self.shortcut = shortcut or nn.Identity()

    def forward(self, x):
        hidden = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(hidden)) + self.shortcut(x))


class _Subsampled(nn.Module):
    """Every second pixel, and maps of zeros on both sides: a shortcut without weights."""

    def __init__(self, n_maps: int):
        super().__init__()
        self.n_maps = n_maps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        before = (self.n_maps - x.shape[1]) // 2
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, before, self.n_maps - x.shape[1] - before))

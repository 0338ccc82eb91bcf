"""Weights of published networks: read without running anything, and drawn anew for untrained twins."""

import importlib
import math
from pathlib import Path
from types import ModuleType

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from analysis.models.entries import LineupError


class LearntRange(nn.Module):
    """Keeps values within a range that was found in training; an untrained twin has none.

    Parameters
    ----------
    lowest, highest : float
    """

    def __init__(self, lowest: float, highest: float):
        super().__init__()
        self.lowest, self.highest = lowest, highest

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clamp(self.lowest, self.highest)


def needed(package: str, purpose: str) -> ModuleType:
    """An optional package, or a LineupError that says what it is needed for and how to install it."""
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise LineupError(f"{purpose.capitalize()} needs the package '{package}': pip install {package}") from error


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The named tensors of a PyTorch file, in the file's order.

    A checkpoint that keeps them under ``state_dict``, or in a list of one, is looked into. Nothing in the file is run
    (``weights_only=True``).

    Raises
    ------
    LineupError
        If the file is damaged or holds something else.
    """
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # a damaged file fails in many ways
        raise LineupError(f"'weights' must be a PyTorch file of tensors, '{path}' is damaged or not one.") from error
    if isinstance(found, dict):
        found = found.get("state_dict", found)
    if isinstance(found, list) and len(found) == 1:
        (found,) = found
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise LineupError(f"'weights' must be a PyTorch file of named tensors, '{path}' holds {type(found).__name__}.")
    return found


def load_in_order(network: nn.Module, tensors: dict[str, torch.Tensor], path: Path) -> nn.Module:
    """Fill a network, its parts in the order of the file, whatever the file calls them.

    Each tensor must have the kind (``weight``, ``bias``, ``running_mean``, ...) and the shape of its place.

    Raises
    ------
    LineupError
        If a tensor is too many, is missing, or does not fit.
    """
    wanted, found = _without_counts(network.state_dict()), _without_counts(tensors)
    if [_kind_and_shape(*item) for item in wanted.items()] != [_kind_and_shape(*item) for item in found.items()]:
        raise LineupError(f"'weights' must fit {_described(wanted)}, got {_described(found)} in '{path}'.")
    network.load_state_dict(dict(zip(wanted, found.values(), strict=True)), strict=False)
    return network


def initialise(network: nn.Module) -> nn.Module:
    """Draw the weights of a network anew: an untrained twin.

    Weights are normal with variance 2 / fan-in, biases are 0, batch normalisation and learnt ranges change nothing.
    The draw follows PyTorch's global seed, as that of every new module does.

    References
    ----------
    He et al. (2015), Delving deep into rectifiers. https://doi.org/10.1109/ICCV.2015.123

    Examples
    --------
    >>> network = initialise(nn.Linear(400, 300))
    >>> bool(network.bias.eq(0).all()), round(network.weight.std().item() * 200**0.5, 1)
    (True, 1.0)
    """
    for part in network.modules():
        if isinstance(part, _BatchNorm):
            part.reset_parameters()
            continue
        if isinstance(part, LearntRange):
            part.lowest, part.highest = -math.inf, math.inf
        for parameter in part.parameters(recurse=False):
            (nn.init.kaiming_normal_ if parameter.ndim > 1 else nn.init.zeros_)(parameter)
    return network


def loaded_or_drawn(network: nn.Module, weights: Path | None) -> nn.Module:
    """The network with the weights of a PyTorch file, or with none an untrained twin; in evaluation mode."""
    if weights is None:
        return initialise(network).eval()
    return load_in_order(network, read_tensors(weights), weights).eval()


def _without_counts(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}


def _kind_and_shape(name: str, tensor: torch.Tensor) -> tuple[str, torch.Size]:
    return name.rsplit(".", 1)[-1], tensor.shape


def _described(tensors: dict[str, torch.Tensor]) -> str:
    return f"{len(tensors)} tensors of {sum(tensor.numel() for tensor in tensors.values())} numbers"

"""The embedded model zoo: small networks of several families, trained on the spot, their weights kept."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from analysis.data.images import Images
from analysis.models.architectures import recorded_layers
from analysis.models.training import trained_weights
from analysis.models.trainings import Training, cached_all, restored
from analysis.models.zoo_networks import ZOO, Architecture


@dataclass(frozen=True, eq=False)
class Network:
    """A network of the zoo.

    Parameters
    ----------
    name, family, motif, training : str
        Its entry in `ZOO`.
    seed : int
        What it was initialised and trained with.
    module : torch.nn.Module
        In evaluation mode.
    layers : tuple of str
        Names of the layers to record, from the input to the output.
    """

    name: str
    family: str
    motif: str
    training: str
    seed: int
    module: nn.Module
    layers: tuple[str, ...]

    @property
    def landmarks(self) -> dict[str, str]:
        """Names of the ``early``, ``middle`` and ``late`` layer: the first, the middle and the last recorded one.

        They coincide in networks of fewer than three recorded layers.
        """
        return {"early": self.layers[0], "middle": self.layers[(len(self.layers) - 1) // 2], "late": self.layers[-1]}


def load_network(
    name: str, images: Images, train_indices: np.ndarray, seed: int, device: str | torch.device = "cpu"
) -> Network:
    """One network of the zoo, trained on some of the images; from the cache where the same was trained before.

    Parameters
    ----------
    name : str
        One of `ZOO`.
    images : Images
    train_indices : int array
        Positions of the images to train on.
    seed : int
    device : str or torch.device
        Where to train; the network stays there.

    Returns
    -------
    Network
    """
    return load_zoo([name], images=images, train_indices=train_indices, seed=seed, n_jobs=1, device=device)[0]


def load_zoo(
    names: Sequence[str] | None = None,
    *,
    images: Images,
    train_indices: np.ndarray,
    seed: int = 0,
    n_jobs: int | None = None,
    device: str | torch.device = "cpu",
) -> list[Network]:
    """Networks of the zoo in the order of `names`; those not in the cache are trained side by side.

    Parameters
    ----------
    names : sequence of str, optional
        Entries of `ZOO`; None: all.
    images : Images
    train_indices : int array
        Positions of the images to train on.
    seed, n_jobs, device
        As in `Training` and `cached_all`.

    Returns
    -------
    list of Network

    Examples
    --------
    >>> from analysis.data.images import load_images
    >>> names = ["vit-40-d4-p4-untrained", "resnet-12-s2-b2-untrained"]
    >>> zoo = load_zoo(names, images=load_images("digits"), train_indices=np.arange(900), n_jobs=1)
    >>> [network.family for network in zoo]
    ['vit', 'resnet']
    """
    names = tuple(ZOO) if names is None else tuple(names)
    kinds = [_architecture(name) for name in names]
    trainings = _trainings(names, images, train_indices, seed, device)
    modules = cached_all(trainings, n_jobs=n_jobs)
    return [
        Network(name, kind.family, kind.motif, kind.training, seed, module, recorded_layers(module))
        for name, kind, module in zip(names, kinds, modules, strict=True)
    ]


def untrained(kind: Architecture, images: Images, *, seed: int) -> nn.Module:
    """A network of this architecture as it is before training, in evaluation mode.

    Parameters
    ----------
    kind : Architecture
        For instance an entry of `ZOO`.
    images : Images
        Decide the sizes of its input and output; they are not learnt.
    seed : int
        Of the weights.

    Examples
    --------
    >>> from analysis.data.images import load_images
    >>> network = untrained(ZOO["mlp-100"], load_images("digits"), seed=0)
    >>> network.training
    False
    """
    build = partial(kind.build, size=images.size, n_classes=images.n_classes)
    training = Training(build, replace(kind.recipe, epochs=0), images, np.arange(1), seed)
    return restored(training, trained_weights(*training.task))


def _trainings(names, images: Images, train_indices: np.ndarray, seed: int, device="cpu") -> list[Training]:
    shape = {"size": images.size, "n_classes": images.n_classes}
    kinds = [_architecture(name) for name in names]
    return [Training(partial(kind.build, **shape), kind.recipe, images, train_indices, seed, device) for kind in kinds]


def _architecture(name: str) -> Architecture:
    if name not in ZOO:
        nearest = difflib.get_close_matches(name, ZOO, n=1, cutoff=0)[0]
        raise ValueError(f"'name' must be a network of the zoo, got {name!r}; the nearest is {nearest!r}.")
    return ZOO[name]

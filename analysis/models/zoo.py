"""The embedded model zoo: small networks of several families, trained on the spot, their weights cached."""

import difflib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from analysis.cache import Arrays, cache_dir, kept, kept_all
from analysis.data.images import Images, halves
from analysis.models.architectures import cnn, densenet, mlp, recorded_layers, resnet, vit
from analysis.models.training import Recipe, trained_weights

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Architecture:
    """A kind of network and how it is trained.

    Parameters
    ----------
    build : callable
        Called with `size` and `n_classes`; returns a new network.
    recipe : Recipe
    family : {"mlp", "cnn", "resnet", "densenet", "vit"}
    motif : {"dense", "convolution", "attention"}
        What its layers are made of.
    training : {"normal", "label noise", "few examples", "untrained"}
    """

    build: Callable[..., nn.Module]
    recipe: Recipe
    family: str
    motif: str
    training: str = "normal"


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


MLP_RECIPE = Recipe(optimiser="sgd", lr=0.05, batch=16, epochs=80, schedule="one-cycle")
"""The paper's gradient descent, with enough steps for a few hundred images and a warm-up that five layers need."""
CNN_RECIPE = Recipe(optimiser="adam", lr=2e-3, batch=32, epochs=20)
"""The paper's Adam, with smaller batches and more epochs for a few hundred images."""
_BATCH_NORM = Recipe(lr=1e-2, batch=64, epochs=10, schedule="one-cycle")
_VIT = Recipe(lr=3e-3, batch=32, epochs=16, schedule="one-cycle")

_MLP = {"family": "mlp", "motif": "dense", "recipe": MLP_RECIPE}
_CNN = {"family": "cnn", "motif": "convolution", "recipe": CNN_RECIPE}
_RESNET = {"family": "resnet", "motif": "convolution", "recipe": _BATCH_NORM}
_DENSENET = {"family": "densenet", "motif": "convolution", "recipe": _BATCH_NORM}
_ATTENTION = {"family": "vit", "motif": "attention", "recipe": _VIT}


def _with(common: dict, build: Callable[..., nn.Module], *, training: str, **recipe) -> Architecture:
    changed = replace(common["recipe"], **recipe)
    return Architecture(build, changed, common["family"], common["motif"], training)


ZOO: dict[str, Architecture] = {
    "mlp-100": Architecture(partial(mlp, (100,)), **_MLP),
    "mlp-60-40": Architecture(partial(mlp, (60, 40)), **_MLP),
    "mlp-40-60": Architecture(partial(mlp, (40, 60)), **_MLP),
    "mlp-50-50": Architecture(partial(mlp, (50, 50)), **_MLP),
    "mlp-20x5": Architecture(partial(mlp, (20, 20, 20, 20, 20)), **_MLP),
    "cnn": Architecture(partial(cnn, (32, 64)), **_CNN),
    "cnn-slim": Architecture(partial(cnn, (12, 24)), **_CNN),
    "resnet-8-b1": Architecture(partial(resnet, (8, 16, 32), 1), **_RESNET),
    "resnet-8-b2": Architecture(partial(resnet, (8, 16, 32), 2), **_RESNET),
    "resnet-8-b3": Architecture(partial(resnet, (8, 16, 32), 3), **_RESNET),
    "resnet-16-b1": Architecture(partial(resnet, (16, 32, 64), 1), **_RESNET),
    "resnet-16-b2": Architecture(partial(resnet, (16, 32, 64), 2), **_RESNET),
    "resnet-24-b1": Architecture(partial(resnet, (24, 48, 96), 1), **_RESNET),
    "densenet-8-222": Architecture(partial(densenet, 8, (2, 2, 2)), **_DENSENET),
    "densenet-6-222": Architecture(partial(densenet, 6, (2, 2, 2)), **_DENSENET),
    "densenet-8-24": Architecture(partial(densenet, 8, (2, 4)), **_DENSENET),
    "densenet-10-222": Architecture(partial(densenet, 10, (2, 2, 2)), **_DENSENET),
    "vit-24-d2-p4": Architecture(partial(vit, 24, 2, patch=4), **_ATTENTION),
    "vit-32-d3-p4": Architecture(partial(vit, 32, 3, patch=4), **_ATTENTION),
    "vit-32-d5-p4": Architecture(partial(vit, 32, 5, patch=4), **_ATTENTION),
    "vit-48-d2-p4": Architecture(partial(vit, 48, 2, patch=4), **_ATTENTION),
    "vit-64-d2-p4": Architecture(partial(vit, 64, 2, patch=4), **_ATTENTION),
    "vit-24-d4-p5": Architecture(partial(vit, 24, 4, patch=5), **_ATTENTION),
    "vit-40-d3-p5": Architecture(partial(vit, 40, 3, patch=5), **_ATTENTION),
    "vit-32-d2-p6": Architecture(partial(vit, 32, 2, patch=6), **_ATTENTION),
    "vit-48-d3-p6": Architecture(partial(vit, 48, 3, patch=6), **_ATTENTION),
    "vit-24-d3-p8": Architecture(partial(vit, 24, 3, patch=8), **_ATTENTION),
    "vit-48-d4-p8": Architecture(partial(vit, 48, 4, patch=8), **_ATTENTION),
    "vit-64-d6-p8": Architecture(partial(vit, 64, 6, patch=8), **_ATTENTION),
    # Trained badly on purpose, each an architecture of its own.
    "mlp-80-noise": _with(_MLP, partial(mlp, (80,)), training="label noise", label_noise=0.6),
    "resnet-12-b1-noise": _with(_RESNET, partial(resnet, (12, 24, 48), 1), training="label noise", label_noise=0.6),
    "vit-40-d2-p4-noise": _with(_ATTENTION, partial(vit, 40, 2, patch=4), training="label noise", label_noise=0.6),
    "cnn-16-32-few": _with(_CNN, partial(cnn, (16, 32)), training="few examples", fraction=0.05, batch=16, epochs=60),
    "resnet-12-s2-few": _with(
        _RESNET, partial(resnet, (12, 24), 1), training="few examples", fraction=0.03, batch=16, epochs=30
    ),
    "vit-32-d2-p8-few": _with(
        _ATTENTION, partial(vit, 32, 2, patch=8), training="few examples", fraction=0.05, batch=16, epochs=60
    ),
    "resnet-12-s2-b2-untrained": _with(_RESNET, partial(resnet, (12, 24), 2), training="untrained", epochs=0),
    "vit-40-d4-p4-untrained": _with(_ATTENTION, partial(vit, 40, 4, patch=4), training="untrained", epochs=0),
}
"""Architectures by name: sizes in the name are widths (`s2`: two stages), blocks (`b`), depth (`d`) and patch (`p`)."""


@dataclass(frozen=True, eq=False)
class Training:
    """One training, to be run or to be found in the cache.

    Parameters
    ----------
    build : callable
        Returns a new network: a function, a class, or a `functools.partial` of one with plain settings (numbers,
        strings, tuples). It depends on nothing else: lambdas and closures are refused, as what they hide cannot be
        told apart.
    recipe : Recipe
    images : Images
    indices : int array
        Positions of the images to train on.
    seed : int
    device : str or torch.device
        Where to train; the network stays there.
    """

    build: Callable[[], nn.Module]
    recipe: Recipe
    images: Images
    indices: np.ndarray
    seed: int
    device: str | torch.device = "cpu"

    @property
    def task(self) -> tuple:
        """The arguments of `trained_weights`: all that decides the weights."""
        part = self.images.subset(self.indices)
        return self.build, self.recipe, part.x, part.y, self.seed, str(torch.device(self.device))


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
    return _restored(training, trained_weights(*training.task))


def _trainings(names, images: Images, train_indices: np.ndarray, seed: int, device="cpu") -> list[Training]:
    shape = {"size": images.size, "n_classes": images.n_classes}
    kinds = [_architecture(name) for name in names]
    return [Training(partial(kind.build, **shape), kind.recipe, images, train_indices, seed, device) for kind in kinds]


def out_of_sample_answers(
    images: Images,
    *,
    shown: torch.Tensor | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Answers of the zoo to every image, none by a network that was trained on it.

    Each architecture is trained twice, on either half of the images (`halves`), and each of the two networks answers
    the other half. A row of the result is therefore one architecture and two networks.

    Parameters
    ----------
    images : Images
        What is trained on.
    shown : tensor of shape (n_images, 1, size, size), optional
        What is answered, in the order of `images`, for instance corrupted copies. None: the images themselves.
    names, seed, n_jobs
        As in `load_zoo`; the seed also decides the halves.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_images), int64
        Classes, with one row for each of `names` (None: all of `ZOO`, in its order).

    Raises
    ------
    ValueError
        If `shown` does not hold one image of the same size for each of `images`.

    Examples
    --------
    >>> from analysis.data.images import load_images
    >>> out_of_sample_answers(load_images("digits"), names=["vit-40-d4-p4-untrained"], n_jobs=1).shape
    (1, 1797)
    """
    return _out_of_sample(images, shown, names, seed, n_jobs)["answers"]


def out_of_sample_margins(
    images: Images,
    *,
    shown: torch.Tensor | None = None,
    names: Sequence[str] | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
) -> np.ndarray:
    """How sure the answers of `out_of_sample_answers` are, whose arguments these are: 1 = certain, 0 = undecided.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_images), float32
        Probability of the answer minus that of the runner-up.
    """
    return _out_of_sample(images, shown, names, seed, n_jobs)["margins"]


def _out_of_sample(images: Images, shown, names, seed: int, n_jobs: int | None) -> Arrays:
    shown = images.x if shown is None else shown
    if shown.shape != images.x.shape:
        raise ValueError(f"'shown' must have shape {tuple(images.x.shape)}, got {tuple(shown.shape)}.")
    names = tuple(ZOO) if names is None else tuple(names)
    return kept("answers", _answers, names, images, shown, seed, how={"n_jobs": n_jobs})


def _answers(names, images: Images, shown: torch.Tensor, seed: int, *, n_jobs: int | None) -> Arrays:
    """Each half answered by the networks trained on the other, and how sure the answers are."""
    answers = np.empty((len(names), len(images)), np.int64)
    margins = np.empty(answers.shape, np.float32)
    parts = halves(images, seed)
    for trained, answered in (parts, parts[::-1]):
        zoo = load_zoo(names, images=images, train_indices=trained, seed=seed, n_jobs=n_jobs)
        for row, network in enumerate(zoo):
            answers[row, answered], margins[row, answered] = _best(network.module, shown[answered])
    return {"answers": answers, "margins": margins}


@torch.no_grad()
def _best(module: nn.Module, x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """The class of the highest score for every image, and its probability minus the runner-up's."""
    scores = torch.cat([module(part).cpu() for part in x.split(512)])
    first, second = scores.softmax(1).topk(2).values.T
    return scores.argmax(1).numpy(), (first - second).numpy()


def cached_all(trainings: Sequence[Training], *, n_jobs: int | None = None) -> list[nn.Module]:
    """The networks of several trainings, each from the cache or else trained, side by side, and put there.

    Several processes may use one cache at once. The networks do not depend on the number of workers.

    Parameters
    ----------
    trainings : sequence of Training
    n_jobs : int, optional
        Workers of joblib, which ``joblib.parallel_config`` may send to a cluster. None: one a core.

    Returns
    -------
    list of torch.nn.Module
        In evaluation mode, in the order of `trainings`.
    """
    tasks = [training.task for training in trainings]
    weights = kept_all(cache_dir() / "zoo", trained_weights, tasks, label="training networks", n_jobs=n_jobs or -1)
    return [_restored(*pair) for pair in zip(trainings, weights, strict=True)]


def _architecture(name: str) -> Architecture:
    if name not in ZOO:
        nearest = difflib.get_close_matches(name, ZOO, n=1, cutoff=0)[0]
        raise ValueError(f"'name' must be a network of the zoo, got {name!r}; the nearest is {nearest!r}.")
    return ZOO[name]


def _restored(training: Training, weights: Arrays) -> nn.Module:
    with torch.random.fork_rng([]):  # the initial weights are overwritten
        network = training.build()
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network.to(training.device).eval()

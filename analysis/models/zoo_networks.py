"""What the zoo holds: kinds of small networks of several families, and how each is trained."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from torch import nn

from analysis.models.architectures import cnn, densenet, mlp, resnet, vit
from analysis.models.training import Recipe


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

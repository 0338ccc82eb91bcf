"""Networks trained on the spot, side by side, and kept: the same training is never run twice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from analysis.alone import alone
from analysis.cache import Arrays, cache_dir, kept_all
from analysis.data.images import Images
from analysis.models.training import Recipe, trained_weights


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
    return [restored(*pair) for pair in zip(trainings, weights, strict=True)]


def restored(training: Training, weights: Arrays) -> nn.Module:
    """The network of a training with these weights, in evaluation mode."""
    with alone():  # the initial weights are overwritten
        network = training.build()
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network.to(training.device).eval()

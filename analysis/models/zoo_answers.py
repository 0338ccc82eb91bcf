"""What the zoo answers to every image, each time by a network that was not trained on it."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from analysis.cache import Arrays, kept
from analysis.data.images import Images, halves
from analysis.models.zoo import load_zoo
from analysis.models.zoo_networks import ZOO


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
    images: Images, *, names: Sequence[str] | None = None, seed: int = 0, n_jobs: int | None = None
) -> np.ndarray:
    """How sure the answers of `out_of_sample_answers` to the images are: 1 = certain, 0 = undecided.

    Returns
    -------
    numpy.ndarray of shape (n_models, n_images), float32
        Probability of the answer minus that of the runner-up.
    """
    return _out_of_sample(images, None, names, seed, n_jobs)["margins"]


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

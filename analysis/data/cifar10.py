"""What published networks and people answered to the CIFAR-10 test photographs, joined to the photographs by id."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis.data import registry
from analysis.data.answers import Predictions, load_cifar10h_counts
from analysis.data.pictures import Pictures, open_pictures

LEAST_MAJORITY = 0.9
"""Least share of photographs whose majority answer is their label; .992 in truth, .1 if the rows were shuffled."""

_FOLDER = "cifar10_logits/"


@dataclass(frozen=True, eq=False)
class PublishedLogits:
    """Outputs of published networks to the same photographs.

    Parameters
    ----------
    logits : float32 array of shape (n_models, n_stimuli, n_categories)
    predictions : Predictions
        The largest logit of each; its models, stimuli and categories name the axes of `logits`.
    """

    logits: np.ndarray
    predictions: Predictions


@dataclass(frozen=True, eq=False)
class PeoplesCounts:
    """How many people chose each category.

    Parameters
    ----------
    counts : int64 array of shape (n_stimuli, n_categories)
    stimuli, categories : tuple of str
        Names of its rows and columns.
    """

    counts: np.ndarray
    stimuli: tuple[str, ...]
    categories: tuple[str, ...]


def logit_files() -> list[str]:
    """Registry names of the outputs of eight networks to the CIFAR-10 test photographs."""
    return [name for name in registry.registry() if name.startswith(_FOLDER)]


def load_cifar10_networks() -> PublishedLogits:
    """Outputs of eight strong networks to the 10,000 CIFAR-10 test photographs.

    The files have no names of photographs, only their labels: these must be the labels of the photographs, row by row.

    Raises
    ------
    analysis.data.registry.DataError
        If a file is not to be had.
    ValueError
        If a file's labels are not those of the photographs in their order.

    References
    ----------
    Peterson et al. (2019), *Human uncertainty makes classification more robust*, arXiv:1908.07086.
    """
    photographs = open_pictures("cifar10")
    files = {Path(name).stem.removesuffix("_test"): registry.public_path(name) for name in logit_files()}
    logits = np.stack([_logits(path, photographs) for path in files.values()])
    ids, categories = photographs.ids, photographs.categories
    return PublishedLogits(logits, Predictions(logits.argmax(2), photographs.labels, tuple(files), ids, categories))


def _logits(path: Path, photographs: Pictures) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as file:
            logits, labels = file["logits"], file["labels"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"'{path}' must hold the arrays 'logits' and 'labels': {error}.") from None
    shape = (len(photographs), len(photographs.categories))
    if logits.shape != shape or not np.isfinite(logits).all():
        raise ValueError(f"'logits' of '{path}' must be finite and of shape {shape}, got {logits.shape}.")
    if not np.array_equal(labels, photographs.labels):
        raise ValueError(f"'labels' of '{path}' must be those of the photographs, in their order.")
    return logits.astype(np.float32)


def load_cifar10_people() -> PeoplesCounts:
    """Answers of about 51 people to each of the 10,000 CIFAR-10 test photographs (CIFAR-10H).

    The file has neither names nor labels: its rows are taken for the photographs' only if the majority answer is the
    label of nine photographs in ten, which it is of .992.

    Raises
    ------
    analysis.data.registry.DataError
        If a file is not to be had.
    ValueError
        If the majority answers are not those of the photographs.

    References
    ----------
    Peterson et al. (2019), *Human uncertainty makes classification more robust*, arXiv:1908.07086.
    """
    photographs, counts = open_pictures("cifar10"), load_cifar10h_counts()
    shape = (len(photographs), len(photographs.categories))
    if counts.shape != shape:
        raise ValueError(f"CIFAR-10H must have shape {shape}, got {counts.shape}.")
    right = float((counts.argmax(1) == photographs.labels).mean())
    if right < LEAST_MAJORITY:
        raise ValueError(
            f"CIFAR-10H must have the label as majority answer of at least {LEAST_MAJORITY:.0%} of the photographs, "
            f"got {right:.1%}: its rows are in another order."
        )
    return PeoplesCounts(counts, photographs.ids, photographs.categories)

"""Activations on disk: what a folder that `analysis.models.extraction` wrote holds, read as it is used."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

MODEL, STIMULI, LOGITS = "model.json", "stimuli.csv", "logits"


@dataclass(frozen=True, eq=False)
class Recording:
    """What one model recorded.

    Attributes
    ----------
    name, family, motif, training, source, preprocessing : str
        As in its line-up.
    layers : dict
        Layer → float32 array of shape (n_stimuli, n_units), read from disk as it is used.
    logits : numpy.ndarray or None
        Shape (n_stimuli, n_classes), if its outputs are answers.
    classes : tuple of str or None
        What the columns of `logits` stand for.
    """

    name: str
    family: str
    motif: str
    training: str
    source: str
    preprocessing: str
    layers: dict[str, np.ndarray]
    logits: np.ndarray | None
    classes: tuple[str, ...] | None


@dataclass(frozen=True, eq=False)
class Extracted:
    """A folder of activations: stimuli in rows, by id.

    Attributes
    ----------
    stimuli : tuple of str
        Ids.
    labels : tuple of str
        Names of categories; empty where unknown.
    models : dict
        Name → `Recording`, in alphabetical order or that of the line-up.
    """

    stimuli: tuple[str, ...]
    labels: tuple[str, ...]
    models: dict[str, Recording]


def is_extracted(folder: Path) -> bool:
    """Whether a folder was written by `extract`."""
    return (folder / STIMULI).is_file()


def read_stimuli(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids and labels of a folder's stimuli."""
    with open(folder / STIMULI, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return tuple(row["stimulus"] for row in rows), tuple(row["label"] for row in rows)


def read_extracted(folder: str | Path, names: Sequence[str] | None = None) -> Extracted:
    """Activations that `extract` wrote; nothing is read into memory before it is used.

    Parameters
    ----------
    folder : path
    names : sequence of str, optional
        Models to read, in this order. None: all finished ones, alphabetically.

    Raises
    ------
    ValueError
        If the folder holds no finished model, or a file does not fit its stimuli.
    """
    folder = Path(folder).expanduser()
    if not is_extracted(folder):
        raise ValueError(f"'{folder}' must be a folder that 'extract' wrote, and has no {STIMULI}.")
    stimuli, labels = read_stimuli(folder)
    found = names or sorted(path.parent.name for path in folder.glob(f"*/{MODEL}"))
    if not found:
        raise ValueError(f"'{folder}' must hold at least 1 finished model, got none.")
    return Extracted(stimuli, labels, {name: _recording(folder / name, len(stimuli)) for name in found})


def _recording(place: Path, n_stimuli: int) -> Recording:
    described = json.loads((place / MODEL).read_text(encoding="utf-8"))
    layers = {name: _mapped(layer_path(place, name), n_stimuli) for name in described["layers"]}
    classes = described["classes"]
    logits = None if classes is None else _mapped(layer_path(place, LOGITS), n_stimuli)
    keys = ("name", "family", "motif", "training", "source", "preprocessing")
    return Recording(*(described[key] for key in keys), layers, logits, classes and tuple(classes))


def _mapped(path: Path, n_stimuli: int) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f"'{path}' must be an array of activations: {error}.") from None
    if array.ndim != 2 or len(array) != n_stimuli:
        raise ValueError(f"'{path}' must have {n_stimuli} rows, one a stimulus, got shape {array.shape}.")
    return array


def is_finished(place: Path, made_of: str) -> bool:
    """Whether a model's folder holds all of just this extraction."""
    try:
        return json.loads((place / MODEL).read_text(encoding="utf-8"))["made_of"] == made_of
    except (OSError, ValueError, KeyError, TypeError):
        return False


def layer_path(place: Path, layer: str) -> Path:
    """The file of a layer; a name that no file system takes is written with underscores."""
    return place / f"{layer.replace('/', '_').replace(':', '_')}.npy"

"""Activations on disk: what a folder that `analysis.models.extraction` wrote holds, read as it is used."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from analysis.files import user_path
from analysis.models.lineup import STIMULI, is_extracted

MODEL = "model.json"

LOGITS = ""
"""Stands for a model's answers among its layers, none of which has this name."""


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
        If the folder holds no finished model, models that saw different pictures, or a file that does not fit.
    """
    folder = user_path(folder)
    if not is_extracted(folder):
        raise ValueError(f"'{folder}' must be a folder that 'extract' wrote, and has no {STIMULI}.")
    stimuli, labels = read_stimuli(folder)
    found = names or sorted(path.parent.name for path in folder.glob(f"*/{MODEL}"))
    if not found:
        raise ValueError(f"'{folder}' must hold at least 1 finished model, got none.")
    described = {name: _described(folder / name) for name in found}
    require_same_pictures(folder, described)
    return Extracted(
        stimuli, labels, {name: _recording(folder / name, described[name], len(stimuli)) for name in found}
    )


def _described(place: Path) -> dict[str, Any]:
    try:
        return json.loads((place / MODEL).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"'{place / MODEL}' must describe a finished model, and could not be read: {error}.") from None


def require_same_pictures(folder: Path, described: dict[str, dict[str, Any]]) -> None:
    """Refuse a folder whose models saw different pictures, though their names may be the same."""
    seen = {name: str(model["stimuli"]) for name, model in described.items()}
    different = [name for name, digest in seen.items() if digest != next(iter(seen.values()))]
    if different:
        raise ValueError(
            f"'{folder}' must hold models that saw the same pictures, and '{different[0]}' saw others than "
            f"'{next(iter(seen))}'."
        )


def finished_models(folder: Path) -> dict[str, dict[str, Any]]:
    """The descriptions of a folder's finished models by name."""
    return {path.parent.name: _described(path.parent) for path in sorted(folder.glob(f"*/{MODEL}"))}


def _recording(place: Path, described: dict[str, Any], n_stimuli: int) -> Recording:
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
    """The file of a layer, or of the model's answers (`LOGITS`); no two have one name.

    >>> layer_path(Path("net"), "block/1").name, layer_path(Path("net"), LOGITS).name, layer_path(Path(), "logits").name
    ('block%2F1.npy', 'logits.npy', '%logits.npy')
    """
    if layer == LOGITS:
        return place / "logits.npy"
    return place / f"{'%logits' if layer == 'logits' else quote(layer, safe=' ,;()[]=+')}.npy"

"""Activations and answers of a line-up, in batches to disk; a killed extraction goes on where it was.

A folder holds ``stimuli.csv`` (ids and labels) and for each model ``<model>/<layer>.npy``, ``<model>/logits.npy`` where
its outputs are one row of classes, and ``<model>/model.json``, which is written last: a model with it is finished.
"""

import contextlib
import csv
import importlib.metadata
import json
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from analysis.cache import content_hash
from analysis.checks import choose
from analysis.files import write_atomically
from analysis.models.activations import calls_of, first_tensor, one_row_a_stimulus
from analysis.models.entries import Entry
from analysis.models.loading import Model, load_model
from analysis.progress import steps
from analysis.sources import closure_hash

MAX_UNITS = 4000
"""Units of a layer that is not pooled, beyond which a seeded sample of them is kept."""

_SECONDS_BETWEEN_STATES = 1
_MODEL, _STIMULI, _LOGITS, _STATE = "model.json", "stimuli.csv", "logits", "unfinished.json"


class Pictures(Protocol):
    """What an extraction needs of a set of stimuli."""

    ids: tuple[str, ...]
    labels: np.ndarray
    categories: tuple[str, ...]
    sha256: str

    def picture(self, position: int) -> np.ndarray:
        """RGB pixels of one stimulus, uint8 of shape (height, width, 3)."""


@dataclass(frozen=True)
class Options:
    """How models are recorded.

    Attributes
    ----------
    layers : tuple of str
        Names; none: each model's own.
    pool : {"mean", "none"}
        ``"mean"``: maps are averaged over space and outputs of tokens over tokens; ``"none"``: every value is a unit.
    batch_size : int
        Stimuli in a forward pass.
    all_units : bool
        Whether a layer that is not pooled keeps more than `MAX_UNITS`.
    device : str
        Where the models run.
    """

    layers: tuple[str, ...] = ()
    pool: str = "mean"
    batch_size: int = 64
    all_units: bool = False
    device: str = "cpu"

    def __post_init__(self):
        choose(self.pool, "pool", ("mean", "none"))
        if self.batch_size < 1:
            raise ValueError(f"'batch_size' must be at least 1, got {self.batch_size}.")


def extract(entries: Sequence[Entry], stimuli: Pictures, folder: Path, options: Options) -> Path:
    """Record every model of a line-up on every stimulus.

    Parameters
    ----------
    entries : sequence of Entry
        From `analysis.models.lineup.read_lineup`.
    stimuli : Pictures
        Read one at a time, so that there may be more than memory holds.
    folder : path
        Where to write; what is finished there stays, what is not goes on, to the same bytes.
    options : Options

    Returns
    -------
    path
        `folder`.

    Raises
    ------
    ValueError
        If the folder belongs to other stimuli.
    analysis.models.entries.LineupError
        If a model cannot be loaded, or lacks a layer.
    """
    _write_stimuli(stimuli, folder)
    for entry in entries:
        extract_model(entry, stimuli, folder, options)
    return folder


def extract_model(entry: Entry, stimuli: Pictures, folder: Path, options: Options) -> float:
    """Record one model; returns how many images a second it saw, NaN if it had been finished before."""
    made_of = _made_of(entry, stimuli, options)
    place = folder / entry.name
    if is_finished(place, made_of):
        return math.nan
    model = load_model(entry, layers=options.layers or None)
    place.mkdir(parents=True, exist_ok=True)
    started, n_done = time.monotonic(), _resumed(place, made_of)
    units = _record(model, stimuli, place, options, made_of, n_done)
    seconds = time.monotonic() - started
    _finish(model, stimuli, place, made_of, units)
    return (len(stimuli.ids) - n_done) / max(seconds, 1e-9)


def is_finished(place: Path, made_of: str) -> bool:
    """Whether a model's folder holds all of just this extraction."""
    try:
        return json.loads((place / _MODEL).read_text(encoding="utf-8"))["made_of"] == made_of
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _made_of(entry: Entry, stimuli: Pictures, options: Options) -> str:
    """Hash of all that decides the files: source, weights, code, stimuli, options, versions."""
    code = closure_hash("analysis.models.extraction")
    source = _source_hash(entry)
    versions = [importlib.metadata.version(name) for name in ("torch", "numpy", "pillow")]
    return content_hash(entry.model_dump(), source, stimuli.sha256, asdict(options), code, versions)


def _source_hash(entry: Entry) -> list[str]:
    """Hashes of the files that an entry names, or the version of the package that it comes from."""
    files = [entry.source.rpartition(":")[0] if entry.kind == "file" else entry.source, entry.weights or ""]
    found = [content_hash(path.read_bytes()) for path in map(Path, files) if len(path.name) < 256 and path.is_file()]
    if entry.kind in ("torchvision", "timm", "transformers"):
        found.append(importlib.metadata.version(entry.kind))
    if entry.kind == "function" and entry.source.startswith("analysis."):
        found.append(closure_hash(entry.source.rpartition(":")[0]))
    return found


# ---------------------------------------------------------------------------------------------------------------------
# One model


def _record(model: Model, stimuli: Pictures, place: Path, options: Options, made_of: str, n_done: int) -> dict:
    """Run the model over the stimuli from `n_done` on; returns the kept units of each sampled layer."""
    module = model.module.to(options.device)
    pool = None if options.pool == "none" else options.pool
    starts = range(n_done, len(stimuli.ids), options.batch_size)
    loaded = _loaded(model, stimuli, starts, options)
    batches = steps(loaded, model.name, len(starts), unit="images", size=options.batch_size)
    files, units, said = {}, {}, time.monotonic()
    with torch.inference_mode(), calls_of(module, model.layers, pool) as calls:
        for start, batch in zip(starts, batches, strict=True):
            outputs = _outputs(model, module, batch.to(options.device), calls)
            if not files:
                units = {name: _sampled(name, x.shape[1], options) for name, x in outputs.items()}
                files = _open(place, outputs, units, len(stimuli.ids), resume=start > 0)
            for name, x in outputs.items():
                kept = units[name]
                files[name][start : start + len(x)] = x if kept is None else x[:, kept]
            if time.monotonic() - said > _SECONDS_BETWEEN_STATES:
                _keep_state(place, files, made_of, start + len(batch))
                said = time.monotonic()
    for file in files.values():
        file.flush()
    return {name: kept for name, kept in units.items() if kept is not None}


def _loaded(model: Model, stimuli: Pictures, starts: range, options: Options) -> Iterator[torch.Tensor]:
    """Batches ready for the model, the next one read while this one is seen."""

    def ready(start: int) -> torch.Tensor:
        stop = min(start + options.batch_size, len(stimuli.ids))
        return model.prepare([stimuli.picture(position) for position in range(start, stop)])

    with ThreadPoolExecutor(1) as reader:
        ahead = [reader.submit(ready, start) for start in starts[:1]]
        for following in [*starts[1:], None]:
            batch = ahead.pop().result()
            if following is not None:
                ahead.append(reader.submit(ready, following))
            yield batch


def _outputs(model: Model, module, batch: torch.Tensor, calls: dict[str, list[torch.Tensor]]) -> dict[str, np.ndarray]:
    for outputs in calls.values():
        outputs.clear()
    answer = first_tensor(module(batch))
    found = {name: one_row_a_stimulus(calls[name], name, len(batch)).numpy() for name in model.layers}
    if model.classes is not None and answer is not None and answer.shape == (len(batch), len(model.classes)):
        found[_LOGITS] = answer.float().cpu().numpy()
    return found


def _sampled(name: str, n_units: int, options: Options) -> np.ndarray | None:
    if options.pool == "mean" or options.all_units or n_units <= MAX_UNITS or name == _LOGITS:
        return None
    seed = int(content_hash(name)[:8], 16)
    return np.sort(np.random.default_rng(seed).choice(n_units, MAX_UNITS, replace=False))


def _open(place: Path, outputs: dict, units: dict, n_stimuli: int, *, resume: bool) -> dict[str, np.memmap]:
    files = {}
    for name, x in outputs.items():
        width = x.shape[1] if units[name] is None else len(units[name])
        path, shape = layer_path(place, name), {"dtype": np.float32, "shape": (n_stimuli, width)}
        files[name] = np.lib.format.open_memmap(path, "r+" if resume else "w+", **({} if resume else shape))
    return files


def layer_path(place: Path, layer: str) -> Path:
    """The file of a layer; a name that no file system takes is written with underscores."""
    return place / f"{layer.replace('/', '_').replace(':', '_')}.npy"


def _keep_state(place: Path, files: dict[str, np.memmap], made_of: str, n_done: int) -> None:
    """What a later call goes on from, once the rows that it counts on are on disk."""
    for file in files.values():
        file.flush()
    write_atomically(place / _STATE, json.dumps({"made_of": made_of, "n_done": n_done}))


def _resumed(place: Path, made_of: str) -> int:
    """How many stimuli an interrupted call of just this extraction had seen; everything else there is put away."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        state = json.loads((place / _STATE).read_text(encoding="utf-8"))
        if state["made_of"] == made_of:
            return int(state["n_done"])
    for path in [*place.glob("*.npy"), place / _MODEL, place / _STATE]:
        path.unlink(missing_ok=True)
    return 0


def _finish(model: Model, stimuli: Pictures, place: Path, made_of: str, units: dict[str, np.ndarray]) -> None:
    entry = model.entry
    described = {
        "made_of": made_of,
        "name": entry.name,
        "source": entry.source,
        "weights": entry.weights,
        "family": entry.family,
        "motif": entry.motif,
        "training": entry.training,
        "preprocessing": str(model.prepare),
        "layers": list(model.layers),
        "sampled units": {name: kept.tolist() for name, kept in units.items()},
        "classes": list(model.classes) if layer_path(place, _LOGITS).is_file() and model.classes else None,
        "stimuli": stimuli.sha256,
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "numpy", "pillow")},
    }
    write_atomically(place / _MODEL, json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    (place / _STATE).unlink(missing_ok=True)


def _write_stimuli(stimuli: Pictures, folder: Path) -> None:
    path = folder / _STIMULI
    if path.is_file() and read_stimuli(folder)[0] != stimuli.ids:
        raise ValueError(f"'{folder}' must be a new folder or one of the same stimuli, and holds others.")
    folder.mkdir(parents=True, exist_ok=True)
    rows = [["stimulus", "label"]]
    rows += [
        [stimulus, stimuli.categories[label] if label >= 0 else ""]
        for stimulus, label in zip(stimuli.ids, stimuli.labels, strict=True)
    ]
    lines = [",".join(_quoted(field) for field in row) for row in rows]
    write_atomically(path, "\n".join(lines) + "\n")


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"\n\r') else field


# ---------------------------------------------------------------------------------------------------------------------
# Reading


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
    return (folder / _STIMULI).is_file()


def read_stimuli(folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids and labels of a folder's stimuli."""
    with open(folder / _STIMULI, newline="", encoding="utf-8") as file:
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
        raise ValueError(f"'{folder}' must be a folder that 'extract' wrote, and has no {_STIMULI}.")
    stimuli, labels = read_stimuli(folder)
    found = names or sorted(path.parent.name for path in folder.glob(f"*/{_MODEL}"))
    if not found:
        raise ValueError(f"'{folder}' must hold at least 1 finished model, got none.")
    return Extracted(stimuli, labels, {name: _recording(folder / name, len(stimuli)) for name in found})


def _recording(place: Path, n_stimuli: int) -> Recording:
    described = json.loads((place / _MODEL).read_text(encoding="utf-8"))
    layers = {name: _mapped(layer_path(place, name), n_stimuli) for name in described["layers"]}
    classes = described["classes"]
    logits = None if classes is None else _mapped(layer_path(place, _LOGITS), n_stimuli)
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

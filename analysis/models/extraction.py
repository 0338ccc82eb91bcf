"""Activations and answers of a line-up, in batches to disk; a killed extraction goes on where it was.

A folder holds ``stimuli.csv`` (ids and labels) and for each model ``<model>/<layer>.npy``, ``<model>/logits.npy`` where
its outputs are one row of classes, and ``<model>/model.json``, which is written last: a model with it is finished.
"""

import contextlib
import importlib.metadata
import json
import math
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from analysis.cache import cache_dir, content_hash
from analysis.checks import choose
from analysis.data.pictures import Pictures, drawn, open_pictures
from analysis.data.registry import registered_hash
from analysis.files import write_atomically
from analysis.models.activations import calls_of, first_tensor, one_row_a_stimulus
from analysis.models.entries import PACKAGES, PUBLIC, Entry, LineupError, module_file
from analysis.models.lineup import STIMULI, extracted_folder, read_lineup
from analysis.models.loading import Model, held_out_digits, load_model
from analysis.models.recordings import (
    LOGITS,
    MODEL,
    Extracted,
    finished_models,
    is_finished,
    layer_path,
    read_extracted,
    read_stimuli,
    require_same_pictures,
)
from analysis.progress import steps
from analysis.sources import closure_hash, sha256

MAX_UNITS = 4000
"""Units of a layer that is not pooled, beyond which a seeded sample of them is kept."""

_SECONDS_BETWEEN_STATES = 1
_STATE = "unfinished.json"


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


def extract(entries: Sequence[Entry], pictures: Pictures, folder: Path, options: Options) -> Path:
    """Record every model of a line-up on every stimulus.

    Parameters
    ----------
    entries : sequence of Entry
        From `analysis.models.lineup.read_lineup`.
    pictures : Pictures
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
        If the folder belongs to other pictures.
    analysis.models.entries.LineupError
        If a model cannot be loaded, lacks a layer, or fails on the first picture.
    """
    digest = pictures.sha256()
    _write_stimuli(pictures, digest, folder)
    for entry in entries:
        extract_model(entry, pictures, folder, options, digest)
    return folder


def recorded(
    models: str,
    images: str,
    *,
    layers: Sequence[str] = (),
    pool: str = "mean",
    at_most: int | None = None,
    seed: int = 0,
) -> Extracted:
    """What a line-up records on a set of pictures: read from its folder, or extracted and kept in the cache.

    Parameters
    ----------
    models : str
        A line-up (`analysis.models.lineup.read_lineup`), or a folder that `extract` wrote, which has its own pictures.
    images : str
        As in `analysis.data.pictures.open_pictures`. Of the digits, those are shown that the zoo was not trained on.
    layers, pool
        As in `Options`.
    at_most, seed : int, optional
        How many pictures are shown, at most, and the source of their draw; all of a folder's stay.

    Returns
    -------
    Extracted
        In the order of the line-up.
    """
    if (folder := extracted_folder(models)) is not None:
        return read_extracted(folder)
    entries, options = read_lineup(models), Options(tuple(layers), pool)
    pictures = pictures_for(entries, images)
    if at_most is not None and len(pictures) > at_most:
        pictures = pictures.subset(drawn(len(pictures), at_most, seed))
    return recorded_by(entries, pictures, options)


def recorded_by(entries: Sequence[Entry], pictures: Pictures, options: Options) -> Extracted:
    """What models record on pictures, in the models' order; kept in the cache."""
    folder = cache_dir() / "extracted" / content_hash(pictures.sha256(), asdict(options))[:32]
    return read_extracted(extract(entries, pictures, folder, options), [entry.name for entry in entries])


def lineup_hash(models: str) -> str:
    """Hash of what a line-up names: descriptions, files of weights and code; of a folder, its models' records."""
    if (folder := extracted_folder(models)) is not None:
        return content_hash([path.read_bytes() for path in [folder / STIMULI, *sorted(folder.glob(f"*/{MODEL}"))]])
    return content_hash([(entry.model_dump(), _source_hash(entry)) for entry in read_lineup(models)])


def pictures_for(entries: Sequence[Entry], images: str) -> Pictures:
    """The pictures that a line-up is shown: of the digits, only those that the zoo's networks did not learn from."""
    pictures = open_pictures(images)
    if images == "digits" and any(entry.kind == "zoo" for entry in entries):
        return pictures.subset(held_out_digits())
    return pictures


def extract_model(entry: Entry, pictures: Pictures, folder: Path, options: Options, digest: str) -> float:
    """Record one model; returns how many images a second it saw, NaN if it had been finished before.

    `digest` is the hash of the pictures.
    """
    made_of = _made_of(entry, digest, options)
    place = folder / entry.name
    if is_finished(place, made_of):
        return math.nan
    model = _answering(ready_model(entry, pictures, options), pictures)
    place.mkdir(parents=True, exist_ok=True)
    started, n_done = time.monotonic(), _resumed(place, made_of)
    units = _record(model, pictures, place, options, made_of, n_done)
    seconds = time.monotonic() - started
    _finish(model, digest, place, made_of, units)
    return (len(pictures) - n_done) / max(seconds, 1e-9)


def ready_model(entry: Entry, pictures: Pictures, options: Options) -> Model:
    """The model of an entry, tried on a picture with all its layers, so that it does not fail hours later.

    Raises
    ------
    LineupError
        If it cannot be loaded, lacks a layer, or fails.
    """
    model = load_model(entry, layers=options.layers or None)
    batch = model.prepare(pictures.read([0, 0]))  # two, as a file may have been exported for one alone
    try:
        module = model.module.to(options.device)
        with torch.inference_mode(), calls_of(module, model.layers, None) as calls:
            _outputs(model, module, batch.to(options.device), calls)
    except Exception as error:  # whatever may go wrong in a module
        problem = " ".join(str(error).split()) or type(error).__name__
        raise LineupError(f"Model '{entry.name}' fails on the first picture: {problem}") from error
    return model


def _answering(model: Model, pictures: Pictures) -> Model:
    """The model; its outputs stand for the pictures' categories if nothing else says what they are and counts agree."""
    if model.classes is not None or pictures.categories is None:
        return model
    device = next((part.device for part in model.module.parameters()), torch.device("cpu"))
    with torch.inference_mode():
        answer = first_tensor(model.module(model.prepare(pictures.read([0])).to(device)))
    if answer is None or answer.shape != (1, len(pictures.categories)):
        return model
    order = f"{pictures.categories[0]!r} to {pictures.categories[-1]!r}"
    said = (
        f"Model '{model.name}' does not say what its {answer.shape[1]} outputs are: taken for the pictures' categories"
    )
    warnings.warn(f"{said} in their order, {order}; 'classes' in a models.yml says otherwise.", stacklevel=4)
    return replace(model, classes=pictures.categories)


def _made_of(entry: Entry, digest: str, options: Options) -> str:
    """Hash of all that decides the files: source, weights, code, stimuli, options, versions."""
    code = closure_hash("analysis.models.extraction")
    source = _source_hash(entry)
    versions = [importlib.metadata.version(name) for name in ("torch", "numpy", "pillow")]
    return content_hash(entry.model_dump(), source, digest, asdict(options), code, versions)


def _source_hash(entry: Entry) -> dict[str, str]:
    """Hashes of the files that an entry names, by what they are, or the version of the package that it comes from."""
    place, _, name = entry.source.rpartition(":")
    found: dict[str, str] = {}
    if entry.kind in PACKAGES:
        found[entry.kind] = importlib.metadata.version(entry.kind)
        found |= _file_hashes(*sorted(path for path in Path(name).glob("*") if path.is_file()))
    elif entry.kind == "file":
        found |= _file_hashes(*sorted(Path(place).parent.glob("*.py")))  # what lies beside it can be imported
    elif entry.kind == "function" and place.partition(".")[0] == "analysis":
        found[place] = closure_hash(place)
    elif entry.kind == "function":
        found |= _file_hashes(module_file(entry.name, place))
    elif entry.kind in ("onnx", "pt2"):
        found |= _file_hashes(Path(entry.source))
    if entry.weights and entry.weights.startswith(PUBLIC):
        found["weights"] = registered_hash(entry.weights.removeprefix(PUBLIC))
    elif entry.weights:
        found["weights"] = _file_hashes(Path(entry.weights)).popitem()[1]
    return found


def _file_hashes(*paths: Path) -> dict[str, str]:
    return {path.name: sha256(path.read_bytes()) for path in paths}


# ---------------------------------------------------------------------------------------------------------------------
# One model


def _record(model: Model, pictures: Pictures, place: Path, options: Options, made_of: str, n_done: int) -> dict:
    """Run the model over the stimuli from `n_done` on; returns the kept units of each sampled layer."""
    module = model.module.to(options.device)
    pool = None if options.pool == "none" else options.pool
    starts = range(n_done, len(pictures), options.batch_size)
    loaded = _loaded(model, pictures, starts, options)
    batches = steps(loaded, model.name, len(starts), unit="images", size=options.batch_size)
    files, units, said = {}, {}, time.monotonic()
    with torch.inference_mode(), calls_of(module, model.layers, pool) as calls:
        for start, batch in zip(starts, batches, strict=True):
            outputs = _outputs(model, module, batch.to(options.device), calls)
            if not files:
                units = {name: _sampled(name, x.shape[1], options) for name, x in outputs.items()}
                files = _open(place, outputs, units, len(pictures), resume=start > 0)
            for name, x in outputs.items():
                kept = units[name]
                files[name][start : start + len(x)] = x if kept is None else x[:, kept]
            n_seen = start + len(batch)
            if n_seen < len(pictures) and time.monotonic() - said > _SECONDS_BETWEEN_STATES:
                _keep_state(place, files, made_of, n_seen)
                said = time.monotonic()
    _flush(files)
    return {name: kept for name, kept in units.items() if kept is not None}


def _loaded(model: Model, pictures: Pictures, starts: range, options: Options) -> Iterator[torch.Tensor]:
    """Batches ready for the model, the next one read while this one is seen."""

    def ready(start: int) -> torch.Tensor:
        return model.prepare(pictures.read(slice(start, start + options.batch_size)))

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
        found[LOGITS] = answer.float().cpu().numpy()
    return found


def _sampled(name: str, n_units: int, options: Options) -> np.ndarray | None:
    if options.pool == "mean" or options.all_units or n_units <= MAX_UNITS or name == LOGITS:
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


def _flush(files: dict[str, np.memmap]) -> None:
    """To the disk, which is waited for once and not file by file."""
    with ThreadPoolExecutor(max(1, len(files))) as pool:
        list(pool.map(np.memmap.flush, files.values()))


def _keep_state(place: Path, files: dict[str, np.memmap], made_of: str, n_done: int) -> None:
    """What a later call goes on from, once the rows that it counts on are on disk."""
    _flush(files)
    shapes = {name: list(file.shape) for name, file in files.items()}
    write_atomically(place / _STATE, json.dumps({"made_of": made_of, "n_done": n_done, "shapes": shapes}))


def _resumed(place: Path, made_of: str) -> int:
    """How many stimuli an interrupted call of just this extraction had seen; everything else there is put away."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        state = json.loads((place / _STATE).read_text(encoding="utf-8"))
        whole = all(
            np.load(layer_path(place, name), mmap_mode="r").shape == tuple(shape)
            for name, shape in state["shapes"].items()
        )
        if state["made_of"] == made_of and whole:
            return int(state["n_done"])
    for path in [*place.glob("*.npy"), place / MODEL, place / _STATE]:
        path.unlink(missing_ok=True)
    return 0


def _finish(model: Model, digest: str, place: Path, made_of: str, units: dict[str, np.ndarray]) -> None:
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
        "classes": list(model.classes) if layer_path(place, LOGITS).is_file() and model.classes else None,
        "stimuli": digest,
        "hashes": _source_hash(entry),
        "versions": {name: importlib.metadata.version(name) for name in ("torch", "numpy", "pillow")},
    }
    write_atomically(place / MODEL, json.dumps(described, indent=1, ensure_ascii=False) + "\n")
    for path in [place / _STATE, *place.glob(".*.partial")]:  # a kill may leave a state half written
        path.unlink(missing_ok=True)


def _write_stimuli(pictures: Pictures, digest: str, folder: Path) -> None:
    path = folder / STIMULI
    if path.is_file() and read_stimuli(folder)[0] != pictures.ids:
        raise ValueError(f"'{folder}' must be a new folder or one of the same stimuli, and holds others.")
    require_same_pictures(folder, {"this call": {"stimuli": digest}} | finished_models(folder))
    folder.mkdir(parents=True, exist_ok=True)
    labels = [""] * len(pictures)
    if pictures.labels is not None and pictures.categories is not None:
        labels = [pictures.categories[label] for label in pictures.labels]
    rows = [("stimulus", "label"), *zip(pictures.ids, labels, strict=True)]
    lines = [",".join(_quoted(field) for field in row) for row in rows]
    write_atomically(path, "\n".join(lines) + "\n")


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if set(field) & set(',"\n\r') else field

"""The command ``extract``: everything is checked, then said, then done."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis.data.pictures import Pictures
from analysis.models.entries import Entry, LineupError
from analysis.models.extraction import Options, extract, extract_model, pictures_for
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model
from analysis.runs import processes
from analysis.runs.parameters import ParameterError


def extract_lineup(
    models: str,
    images: str,
    folder: Path,
    layers: tuple[str, ...],
    pool: str,
    all_units: bool,
    batch_size: int,
    device: str,
    n_jobs: int,
) -> Iterator[str]:
    """Extract a line-up, and say in lines what is to be done and what was.

    Raises
    ------
    ParameterError
        If a model or a picture is not to be had, a layer does not exist, or the folder belongs to other stimuli;
        nothing has been written then.
    """
    options = Options(layers, pool, batch_size, all_units, device)
    try:
        entries = read_lineup(models)
        pictures = pictures_for(entries, images)
        pictures.check()
        for entry in entries:
            yield _described(entry, options)
        yield f"{len(entries)} models, {len(pictures):,} pictures of '{pictures.name}'{_left_out(pictures)} -> {folder}"
        yield from _extracted(entries, pictures, folder, options, n_jobs)
    except (LineupError, ValueError, FileNotFoundError) as error:
        raise ParameterError(str(error)) from None


def _described(entry: Entry, options: Options) -> str:
    """A model's layers and preprocessing, before anything is run: so the model is loaded once for it."""
    model = load_model(entry, layers=options.layers or None)
    warning = " (runs this file)" if entry.runs_a_users_file else ""
    answers = "answers" if model.classes else "no answers"
    return f"{entry.name}: {entry.source}{warning}; {', '.join(model.layers)}; {model.prepare}; {answers}"


def _left_out(pictures: Pictures) -> str:
    return "".join(f", {count:,} {reason} left out" for reason, count in pictures.left_out.items())


def _extracted(
    entries: tuple[Entry, ...], pictures: Pictures, folder: Path, options: Options, n_jobs: int
) -> Iterator[str]:
    extract((), pictures, folder, options)  # the folder with its stimuli
    digest = pictures.sha256()
    tasks = [(entry, pictures, folder, options, digest) for entry in entries]
    for name, speed in processes.in_workers(_named, tasks, n_jobs=min(n_jobs, len(entries)), return_as="generator"):
        yield f"{name}: {'finished before' if np.isnan(speed) else f'{speed:,.0f} images a second'}"


def _named(entry: Entry, pictures: Pictures, folder: Path, options: Options, digest: str) -> tuple[str, float]:
    return entry.name, extract_model(entry, pictures, folder, options, digest)

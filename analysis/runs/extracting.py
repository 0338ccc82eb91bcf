"""The command ``extract``: everything is checked, then said, then done."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis.data.pictures import Pictures
from analysis.models.entries import Entry, LineupError
from analysis.models.extraction import Options, extract, extract_model, pictures_for, ready_model
from analysis.models.lineup import read_lineup
from analysis.models.loading import Model
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
        If a model or a picture is not to be had, a layer does not exist, a model fails on the first picture, or the
        folder belongs to other pictures; nothing has been written then.
    """
    options = Options(layers, pool, batch_size, all_units, device)
    try:
        entries = read_lineup(models)
        pictures = pictures_for(entries, images)
        pictures.check()
        for entry in entries:
            if entry.runs_a_users_file:
                yield f"{entry.name}: loading it runs what is in your file {entry.source}"
            yield _described(ready_model(entry, pictures, options))
        yield f"{len(entries)} models, {len(pictures):,} pictures of '{pictures.name}'{_left_out(pictures)} -> {folder}"
        yield from _extracted(entries, pictures, folder, options, n_jobs)
    except (LineupError, ValueError, FileNotFoundError) as error:
        raise ParameterError(str(error)) from None


def _described(model: Model) -> str:
    answers = "its answers" if model.classes else "answers only if its outputs are as many as the pictures' categories"
    return f"{model.name}: {model.entry.source}; {', '.join(model.layers)}; {model.prepare}; {answers}"


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

"""Sweeps: one validated run per grid point, resumable, and one tidy table of everything they measured."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import joblib
import nbformat
import pandas as pd
from nbformat import NotebookNode

from analysis import files
from analysis.files import write_atomically
from analysis.runs import harmless, processes, runner
from analysis.runs.outputs import CLAIMS, FINDINGS, HYPOTHESES, embedded
from analysis.runs.parameters import ParameterError
from analysis.runs.runner import Run, RunError
from analysis.runs.values import told


def prepare(chapter: str, points: list[dict[str, str]], *, profile: str, folder: Path) -> dict[Path, Run]:
    """The validated runs of all points, by the notebook that each writes. Nothing is executed if one is not valid."""
    runs = [runner.prepare(chapter, profile=profile, values=point) for point in points]
    return {folder / f"{_name(point)}.ipynb": run for point, run in zip(points, runs, strict=True)}


def check_folder(runs: dict[Path, Run], folder: Path) -> None:
    """Find out, before anything is executed, whether the notebooks and the table can be written to `folder`.

    Raises
    ------
    ParameterError
        If one of them cannot.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in (*runs, folder / "sweep.csv"):
            files.try_to_write(path)
    except OSError as error:
        raise ParameterError(f"'{folder}' cannot be written to: {files.reason(error)}.") from None
    finally:
        for path in made:
            with contextlib.suppress(OSError):
                path.rmdir()


def _name(point: dict[str, str]) -> str:
    """A file name that can be read, and that no other point has."""
    text = ",".join(f"{name}={value}" for name, value in point.items())
    safe = re.sub(r"[^\w=,.+-]", "-", text)
    return safe if safe == text and len(safe) < 100 else f"{safe[:80]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def run_all(runs: dict[Path, Run], *, n_jobs: int, progress: Callable[[Iterable, int], Iterable]) -> dict[Path, str]:
    """Execute the runs that are not finished, `n_jobs` at a time; the errors of those that failed, by notebook."""
    missing = [(path, run) for path, run in runs.items() if not runner.is_current(run, path)]
    share = max(1, joblib.cpu_count() // n_jobs)
    tasks = [(path, run, share) for path, run in missing]
    results = processes.in_workers(_run_one, tasks, n_jobs=n_jobs, return_as="generator_unordered")
    return {path: error for path, error in progress(results, len(missing)) if error}


def _run_one(path: Path, run: Run, cores: int) -> tuple[Path, str | None]:
    # Threads and worker processes of the notebook's kernel: its share of the cores, not all of them.
    os.environ.update({"OMP_NUM_THREADS": str(cores), "LOKY_MAX_CPU_COUNT": str(cores)})
    try:
        runner.execute(run, path, show_progress=False)
    except (RunError, ParameterError) as error:
        return path, str(error)
    return path, None


def table(runs: dict[Path, Run]) -> pd.DataFrame:
    """Every claim and every value told of the finished runs, one row each, beside the parameters that were set."""
    rows = []
    for path, run in runs.items():
        if runner.is_current(run, path):
            notebook = nbformat.read(path, as_version=4)
            point = {name: _plain(value) for name, value in run.given.items()}
            rows += [point | row for row in (*_claim_rows(notebook), *_value_rows(notebook))]
    return pd.DataFrame(rows)


def write_table(runs: dict[Path, Run], path: Path) -> None:
    """Write `table` as CSV."""
    write_atomically(path, harmless.csv(table(runs)))


def _plain(value):
    return json.dumps(value) if isinstance(value, list) else value


def _claim_rows(notebook: NotebookNode) -> list[dict]:
    kinds = {"claim": CLAIMS, "hypothesis": HYPOTHESES, "finding": FINDINGS}
    empty = {"value": None, "low": None, "high": None}
    return [
        {"kind": kind, "name": row["id"], "verdict": row["verdict"]}
        | {key: (row["measured"] or empty)[key] for key in empty}
        for kind, mime in kinds.items()
        for rows in embedded(notebook, mime)
        for row in rows
    ]


def _value_rows(notebook: NotebookNode) -> list[dict]:
    kept = ("name", "text", "value", "low", "high")
    return [{"kind": "value"} | {key: row[key] for key in kept if key in row} for row in told(notebook).values()]

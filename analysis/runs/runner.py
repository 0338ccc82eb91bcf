"""Validated, resumable papermill runs of the chapters."""

import json
import math
import os
import re
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import papermill
from nbformat import NotebookNode
from tqdm import tqdm
from traitlets.config import Config

from analysis import files, progress
from analysis.cache import cache_dir
from analysis.errors import ToldError
from analysis.files import write_atomically
from analysis.runs import catalogue, pairs, processes, provenance, results
from analysis.runs.outputs import CLAIMS, FIGURE, TABLES, embedded
from analysis.runs.parameters import ChapterParameters, ParameterError
from analysis.runs.values import complete
from analysis.sources import ROOT

_GUARD = "__import__('analysis.runs.processes', fromlist=['guard']).guard"  # leaves no name among a notebook's own
_REMEMBERED = 5  # runs whose times are kept
_CELL_ID_NAMESPACE = uuid.UUID("6f1d2b9e-0c43-5d6e-9b44-3b1f5a1c7d20")


class RunError(ToldError):
    """A chapter that could not be run, or whose notebook failed; the message is for the person who started it."""


@dataclass(frozen=True)
class Run:
    """A chapter with validated parameters: what is executed, and what its outputs are made from."""

    chapter: str
    profile: str
    parameters: ChapterParameters
    given: dict
    notebook: NotebookNode
    made_from: dict

    @property
    def key(self) -> str:
        """Hash of everything the outputs depend on."""
        return provenance.key(self.made_from)


def prepare(
    chapter: str, *, profile: str = "default", values: dict | None = None, earlier: Mapping | None = None
) -> Run:
    """Validate everything about a run without executing anything.

    Parameters
    ----------
    chapter
        One of `catalogue.chapters`.
    profile
        Starting values; `values` go on top of them.
    values
        Parameters by name; texts are converted to the parameter's type.
    earlier
        What a run of the same chapter was made from, as in `provenance.inputs`: saves time where nothing has changed.

    Raises
    ------
    ParameterError
        If the chapter, the profile or a parameter is unknown, or a value is not allowed.
    """
    parameters = catalogue.checked(chapter, profile, values)
    plain = parameters.model_dump(mode="json")
    given = {name: plain[name] for name in catalogue.given(chapter, profile, values)}
    notebook = _source(chapter, profile)
    return Run(chapter, profile, parameters, given, notebook, provenance.inputs(notebook, parameters, earlier))


def _source(chapter: str, profile: str) -> NotebookNode:
    text = catalogue.text_half(chapter, profile)
    # The notebook half of a run on public data is the executed one.
    return pairs.notebook_from_text(text) if profile == catalogue.PUBLIC else pairs.read_pair(text)


def prepare_again(chapter: str, output: Path, *, profile: str) -> Run:
    """As `prepare`; quickly, where `output` is a run of the chapter and nothing has changed since."""
    notebook = results.read(output)
    return prepare(chapter, profile=profile, earlier=notebook and notebook.metadata.analysis.made_from)


def is_current(run: Run, output: Path) -> bool:
    """Whether `output` is the finished notebook of just this run, as it was written."""
    notebook = results.read(output)
    return notebook is not None and notebook.metadata.analysis.key == run.key


def expected_seconds(run: Run) -> tuple[float, float]:
    """How long the run will take at least and at most: from the last ones of its chapter and profile here.

    Without any, from the profile's number, which is for 2 cores and nothing kept; a run that finds its networks and
    pieces kept takes a fraction. Both are scaled by the amount of work of the parameters.
    """
    amount = run.parameters.amount()
    if rates := _rates(run):
        return 0.8 * min(rates) * amount, 1.25 * max(rates) * amount
    scratch = catalogue.profile_of(run.profile, run.chapter)["seconds"] * 2 / max(2, os.cpu_count() or 2)
    scratch *= amount / catalogue.checked(run.chapter, run.profile).amount()
    return 0.2 * scratch, 2 * scratch


def _rates(run: Run) -> list[float]:
    """Seconds for one unit of work in the last runs here; none if there were none, or their record is damaged."""
    try:
        rates = [float(rate) for rate in json.loads(_timing_path(run).read_bytes())["rates"]]
    except (OSError, ValueError, LookupError, TypeError, OverflowError, RecursionError):
        return []
    return rates if all(math.isfinite(rate) and rate > 0 for rate in rates) else []


def _timing_path(run: Run) -> Path:
    return cache_dir() / "timings" / f"{run.chapter}-{run.profile}.json"


def execute(run: Run, output: Path, *, side: bool = True, show_progress: bool = True) -> NotebookNode:
    """Execute a chapter and write the notebook and, unless `side` is off, its claims and its figures' numbers.

    The notebook, which carries all of them, comes last. Nothing appears under a final name unless every cell succeeded.

    Raises
    ------
    ParameterError
        If `output` cannot be written, or another run is writing it: before anything is executed.
    RunError
        With the notebook's own error, if a cell fails or the kernel dies; or if the disk is full by then. The executed
        notebook waits in the cache, and the next call only writes it.
    """
    with reserved(output):
        waiting = cache_dir() / "unwritten" / f"{run.key}.ipynb"
        notebook = results.read(waiting) or _executed(run, show_progress)
        try:
            results.write(notebook, output, side_files(notebook, output) if side else {})
        except OSError as error:
            raise RunError(_unwritten(notebook, output, waiting, error)) from None
        waiting.unlink(missing_ok=True)
    with suppress(OSError):  # the next run is announced with another number of seconds, that is all
        rates = [*_rates(run), notebook.metadata.analysis.seconds / run.parameters.amount()]
        write_atomically(_timing_path(run), json.dumps({"rates": rates[-_REMEMBERED:]}))
    return notebook


@contextmanager
def reserved(output: Path) -> Iterator[None]:
    """Keep `output` for this process to write, or raise ParameterError."""
    with ExitStack() as stack:
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(files.reserved(output))
        except BlockingIOError:
            raise ParameterError(
                f"'{output}' is being written by another run; wait for it, or choose another."
            ) from None
        except OSError as error:
            raise ParameterError(f"'{output}' cannot be written: {files.reason(error)}.") from None
        yield


def _unwritten(notebook: NotebookNode, output: Path, waiting: Path, error: OSError) -> str:
    text = f"'{output}' could not be written: {files.reason(error)}"
    try:
        results.write(notebook, waiting, {})
    except OSError:
        return f"{text}, and there was no room in the cache either: the run has to be repeated."
    return f"{text}; the executed notebook is kept, and the same call writes it without running anything again."


def _executed(run: Run, show_progress: bool) -> NotebookNode:
    started = time.time()
    with processes.scratch_folder() as scratch:
        notebook = _papermill(run, scratch, show_progress)
    _finish(notebook, run, started)
    complete(notebook)
    return notebook


def _papermill(run: Run, scratch: Path, show_progress: bool) -> NotebookNode:
    source, target = scratch / f"{run.chapter}.ipynb", scratch / "executed.ipynb"
    nbformat.write(run.notebook, source)
    bar = {"desc": run.chapter, "mininterval": 1 if os.isatty(2) else 10} if show_progress else False
    options = {"kernel_name": "python3", "progress_bar": bar, "cwd": os.getcwd(), "config": _private_sockets(scratch)}
    options["extra_arguments"] = [f"--IPKernelApp.exec_lines={_GUARD}({str(scratch)!r})", "--IPKernelApp.log_level=50"]
    try:
        with _watched(scratch / "progress.json", show_progress):
            papermill.execute_notebook(source, target, run.given, **options)
    except papermill.PapermillExecutionError as error:
        raise RunError(f"{run.chapter}, cell {error.exec_count}: {_plain(error)}") from None
    except Exception as error:  # the kernel died, or never started: nbclient has a class for each way
        raise RunError(f"{run.chapter}: the notebook's kernel stopped ({error}).") from error
    return nbformat.read(target, as_version=4)


def _private_sockets(scratch: Path) -> Config:
    """Sockets in the run's own folder keep a notebook's messages off the network; Windows has none."""
    own = {"connection_file": str(scratch / "kernel.json")}
    sockets = {} if os.name == "nt" else {"transport": "ipc", "ip": str(scratch / "kernel")}
    return Config(KernelManager={**own, **sockets})


def _plain(error: papermill.PapermillExecutionError) -> str:
    traceback = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback))
    return f"{error.ename}: {error.evalue}\n\n{traceback}"


@contextmanager
def _watched(channel: Path, show_progress: bool) -> Iterator[None]:
    """Set up the kernel's environment and, below papermill's bar, show the steps that long cells report."""
    saved = os.environ.copy()
    # The package is found from any directory; hashes, and with them the order of sets, are the same in every run.
    search_path = os.pathsep.join(filter(None, (str(ROOT), saved.get("PYTHONPATH"))))
    os.environ.update({progress.CHANNEL: str(channel), "PYTHONPATH": search_path, "PYTHONHASHSEED": "0"})
    # Threads that wait sleep, so that runs side by side do not take each other's cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    done = threading.Event()
    watcher = threading.Thread(target=_show_steps, args=(channel, done), daemon=True)
    if show_progress and os.isatty(2):
        watcher.start()
    try:
        yield
    finally:
        done.set()
        if watcher.is_alive():
            watcher.join()
        os.environ.clear()
        os.environ.update(saved)


def _show_steps(channel: Path, done: threading.Event) -> None:
    with tqdm(position=1, leave=False, bar_format="   {desc} {n_fmt}/{total_fmt}") as bar:
        while not done.wait(0.3):
            try:
                report = json.loads(channel.read_text())
            except (OSError, json.JSONDecodeError):
                continue
            bar.set_description_str(report["label"], refresh=False)
            bar.n, bar.total = report["done"], report["total"]
            bar.refresh()


def _finish(notebook: NotebookNode, run: Run, started: float) -> None:
    """Replace papermill's record, which holds paths and times, with the run's provenance; make cell ids repeatable."""
    notebook.metadata.pop("papermill", None)
    for index, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = uuid.uuid5(_CELL_ID_NAMESPACE, f"{index}").hex[:8]
    notebook.metadata["analysis"] = {
        "chapter": run.chapter,
        "profile": run.profile,
        "key": run.key,
        "made_from": run.made_from,
        "versions": provenance.versions(),
        "device": provenance.device(),
        "started": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(started)),
        "seconds": round(time.time() - started, 1),
    }


def side_files(notebook: NotebookNode, output: Path) -> dict[Path, str]:
    """The files that go with an executed notebook: claims and other rows as JSON, each figure's numbers as CSV."""
    contents = {}
    for mime, suffix in TABLES.items():
        rows = [row for table in embedded(notebook, mime) for row in table]
        if rows or mime == CLAIMS:
            contents[output.with_suffix(suffix)] = json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    for figure in embedded(notebook, FIGURE):
        contents[output.with_suffix(f".{figure['name']}.csv")] = figure["csv"]
    return contents

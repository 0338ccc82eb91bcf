"""A job done in several ways, in turns: seconds, peak memory, and how far the answers differ.

Each way has a process of its own, so that its peak memory is its own and a crash costs one way. All of them hold their
input ready and are called one after the other, round by round: whatever else the machine does, it does to all.
"""

import contextlib
import importlib.metadata
import io
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

OURS, ALTERNATIVE, LIMIT, REFERENCE = "ours", "alternative", "limit", "reference"
_ENOUGH = 25  # seconds of the ways that take part in all rounds, after which no other round begins


class NotMeasuredError(Exception):
    """Raised by a job's `prepare` or by a way, with the reason."""


def whole(**_) -> float:
    """The share of the job that most ways do: all of it."""
    return 1.0


@dataclass(frozen=True)
class Way:
    """One way to do a job.

    Attributes
    ----------
    name : str
    call : callable
        Of what the job's `prepare` returns; returns numbers that are compared with the reference, NaN where it did not
        get to, or None. Where the reference is missing, with those of the first way.
    kind : {"ours", "alternative", "limit", "reference"}
        A limit is what the machine needs for the part of the work that no way can leave out.
    needs : str
        The distribution that must be installed.
    part : callable
        The share of the job that one call does, of the job's size; seconds are divided by it.
    once : bool
        Called in the first round only.
    """

    name: str
    call: Callable[[Any], Any]
    kind: str = ALTERNATIVE
    needs: str = ""
    part: Callable[..., float] = whole
    once: bool = False


@dataclass(frozen=True)
class Aim:
    """What a job should reach: `measure` of `analysis.runs.performance.MEASURES`, against which way, and its bound."""

    measure: str
    bound: float
    against: str = ""


@dataclass(frozen=True)
class Job:
    """What is measured.

    Attributes
    ----------
    name, title : str
        For the command line, and for the page.
    says : str
        The size in words, a format of the size's names.
    prepare : callable
        Makes the input from a size; it is not timed.
    ways : tuple of Way
        The first is ours.
    sizes : tuple of mappings
        Ascending. All ways do the last; ours does the others too, to tell how cost grows.
    tiny : mapping
        A size that takes no time: it warms libraries up, and tests use it.
    grows : str
        The entry of a size that grows; none: the job has one size.
    aims : tuple of Aim
    rounds : int
        At most; fewer where they take long.
    memory : bool
        Whether the work is done in the process that is measured, so that its memory is known.
    threads : int, optional
        By default what the libraries take: all cores.
    """

    name: str
    title: str
    says: str
    prepare: Callable[..., Any]
    ways: tuple[Way, ...]
    sizes: tuple[Mapping[str, int], ...]
    tiny: Mapping[str, int]
    grows: str = ""
    aims: tuple[Aim, ...] = ()
    rounds: int = 3
    memory: bool = True
    threads: int | None = None


def measure(job: Job, say: Callable[[str], None] = print) -> dict:
    """All that is known of a job afterwards, for JSON."""
    started = time.perf_counter()
    load = os.getloadavg()[0]
    say(f"== {job.name}: {job.title}")
    smaller = [_in_turns(job, job.ways[:1], size)[0] for size in job.sizes[:-1]]
    workers = _in_turns(job, job.ways, job.sizes[-1])
    for worker in workers:
        say(f"   {worker.way.name}: {worker.summary()}")
    points = zip(job.sizes, (*smaller, workers[0]), strict=True) if job.grows else ()
    return {
        "title": job.title,
        "size": job.says.format(**job.sizes[-1]),
        "grows": job.grows,
        "threads": job.threads,
        "load": load,
        "aims": [asdict(aim) for aim in job.aims],
        "ways": _records(workers),
        "growth": [{"size": size[job.grows], **worker.record()} for size, worker in points],
        "spent": round(time.perf_counter() - started, 1),
    }


def _in_turns(job: Job, ways: Sequence[Way], size: Mapping[str, int]) -> list["_Worker"]:
    """The ways, called one after the other in each of the rounds that there is time for."""
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(_Worker(job, way, size)) for way in ways]
        for turn in range(job.rounds):
            if sum(sum(worker.seconds) for worker in workers if not worker.way.once) > _ENOUGH:
                break
            for worker in workers:
                if turn == 0 or not worker.way.once:
                    worker.run()
    return workers


def _records(workers: list["_Worker"]) -> list[dict]:
    references = [worker.answer for worker in workers if worker.way.kind == REFERENCE]
    truth = next((answer for answer in references if answer is not None), workers[0].answer)
    return [worker.record() | _differences(worker.answer, truth) for worker in workers]


def _differences(answer: Any, truth: Any) -> dict[str, float | None]:
    """The largest and the root mean square, where both have a number."""
    if answer is None or truth is None:
        return {"difference": None, "rms": None}
    apart = np.abs(np.asarray(answer, dtype=np.float64) - truth)
    apart = apart[~np.isnan(apart)]
    return {"difference": float(apart.max()), "rms": float(np.sqrt(np.square(apart).mean()))}


class _Worker:
    """A process that holds the input of one way and calls it when asked."""

    def __init__(self, job: Job, way: Way, size: Mapping[str, int]):
        self.way, self.part, self._has_memory = way, way.part(**size), job.memory
        self.seconds: list[float] = []
        self.peak: int | None = None
        self.answer = None
        self.missing = _missing(way)
        if not self.missing:
            context = multiprocessing.get_context("forkserver")  # whose children have loaded PyTorch when they begin
            context.set_forkserver_preload(["torch", "analysis", "threadpoolctl"])
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other, job, way, dict(size)))
            self._process.start()
            other.close()
            self._receive()

    def __enter__(self) -> "_Worker":
        return self

    def __exit__(self, *_) -> None:
        if hasattr(self, "_process"):
            self._pipe.close()
            self._process.join(30)
            self._process.kill()

    def run(self) -> None:
        if self.missing:
            return
        with contextlib.suppress(OSError):  # a process that has ended says so below
            self._pipe.send("once more")
        seconds, peak, answer = self._receive() or (None, None, None)
        if seconds is not None:
            self.seconds.append(seconds)
        if len(self.seconds) == 1:
            self.peak, self.answer = peak if self._has_memory else None, answer

    def _receive(self):
        """What the process sends; a reason if it cannot go on, also if it has ended without a word."""
        try:
            kind, content = self._pipe.recv()
        except EOFError:
            self._process.join()
            kind, content = "missing", f"its process ended with code {self._process.exitcode}"
        if kind == "missing":
            self.missing = content
        return content if kind == "done" else None

    def record(self) -> dict:
        way = self.way
        return {
            "name": way.name,
            "kind": way.kind,
            "part": self.part,
            "seconds": [float(f"{value:.4g}") for value in self.seconds],
            "peak_bytes": self.peak,
            "missing": self.missing,
        }

    def summary(self) -> str:
        if self.missing:
            return f"not measured, {self.missing}"
        peak = "" if self.peak is None else f", peak {self.peak / 1e9:.2f} GB"
        return f"{float(np.median(self.seconds)) / self.part:.3g} s{peak}"


def _missing(way: Way) -> str:
    """Why a way cannot be taken here; empty if it can."""
    try:
        _ = way.needs and importlib.metadata.version(way.needs)
    except importlib.metadata.PackageNotFoundError:
        return f"{way.needs} is not installed"
    return ""


def _serve(pipe, job: Job, way: Way, size: dict) -> None:
    try:
        with _threads(job.threads), _silence():
            way.call(job.prepare(**job.tiny))
            data = job.prepare(**size)
            pipe.send(("ready", None))
            while pipe.recv():
                pipe.send(("done", _timed(way, data)))
    except EOFError:  # no more rounds
        pass
    except NotMeasuredError as reason:
        pipe.send(("missing", str(reason)))
    except Exception as error:
        pipe.send(("missing", f"{type(error).__name__}: {error}"))


@contextlib.contextmanager
def _threads(n: int | None) -> Iterator[None]:
    import threadpoolctl
    import torch

    if n is not None:
        torch.set_num_threads(n)
    with threadpoolctl.threadpool_limits(n):
        yield


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Without the progress of what is called."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _timed(way: Way, data: Any) -> tuple[float, int | None, Any]:
    """Seconds, bytes at the peak beyond those before, and the answer."""
    before = _peak_bytes(reset=True)
    started = time.perf_counter()
    answer = way.call(data)
    seconds = time.perf_counter() - started
    return seconds, _peak_bytes() - before, answer


def _peak_bytes(*, reset: bool = False) -> int:
    """The most memory that this process has held; on Linux, since it was last reset to what is held now."""
    try:
        if reset:
            with open("/proc/self/clear_refs", "w") as file:
                file.write("5")
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

"""Independent pieces of a long computation: run in parallel by joblib, kept as files, resumed after a kill."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import joblib
import numpy as np
import torch

from analysis.kept import read_arrays, write_arrays


class Pieces:
    """Runs functions on many tasks, each result a dict of arrays.

    Parameters
    ----------
    cache : path, optional
        Folder where finished pieces are kept, each in a file named by all that made it: the task's content, the
        function, the code of the modules. Files appear whole or not at all, so a killed run goes on from them.
    n_jobs : int, optional
        Processes; by default what ``joblib.parallel_config`` says.
    progress : callable
        ``progress(iterable, label, total)`` yields from the iterable and shows how far it is.
    modules : sequence of module
        Whose code the results depend on.
    """

    def __init__(self, cache, *, n_jobs: int | None, progress: Callable, modules: Sequence[ModuleType]):
        self.cache, self.n_jobs, self.progress = cache and Path(cache), n_jobs, progress
        self.code = b"".join(hashlib.sha256(Path(module.__file__).read_bytes()).digest() for module in modules)

    def __call__(self, function: Callable, tasks: list[tuple], label: str) -> list[dict[str, np.ndarray]]:
        """``function(*task)`` of every task, in order; what a file already holds is not computed again."""
        names = self._names(function, tasks) if self.cache else [""] * len(tasks)
        pieces = [self._read(name) for name in names]
        missing = [place for place, piece in enumerate(pieces) if piece is None]
        calls = (joblib.delayed(_alone)(place, function, *tasks[place]) for place in missing)
        finished = joblib.Parallel(n_jobs=self.n_jobs, return_as="generator_unordered")(calls)
        for place, piece in self.progress(finished, label, len(missing)):
            pieces[place] = piece
            if self.cache:
                write_arrays(self.cache / names[place], piece)
        return pieces

    def _read(self, name: str) -> dict[str, np.ndarray] | None:
        return read_arrays(self.cache / name) if self.cache else None

    def _names(self, function: Callable, tasks: list[tuple]) -> list[str]:
        digests = {id(part): _digest(part) for task in tasks for part in task if isinstance(part, np.ndarray)}
        contents = ([digests.get(id(part)) or _digest(part) for part in task] for task in tasks)
        code = self.code + function.__name__.encode()
        return [f"recovery-{hashlib.sha256(code + b''.join(content)).hexdigest()[:32]}.npz" for content in contents]


def _digest(part) -> bytes:
    if not isinstance(part, np.ndarray):
        return hashlib.sha256(repr(part).encode()).digest()
    return hashlib.sha256(f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes()).digest()


def _alone(place: int, function: Callable, *arguments):
    """A piece on one thread: the pieces are what runs in parallel, and sums keep their order on any machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return place, function(*arguments)
    finally:
        torch.set_num_threads(threads)

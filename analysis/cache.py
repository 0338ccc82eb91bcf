"""Results that took long are kept: under a hash of the code that computes them, its arguments and its libraries.

One mechanism serves trained networks, answers, similarity matrices and the pieces of a recovery experiment. A result's
key is made of

- the module of the function that computes it and every module that this one imports, by content (`analysis.sources`);
- the function's arguments, by content;
- the versions of NumPy, SciPy and PyTorch.

So nothing that is kept can be stale. A file carries a checksum: one that is damaged in any way is computed anew.
"""

import dataclasses
import functools
import hashlib
import importlib.metadata
import inspect
import io
import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis.alone import alone
from analysis.files import write_atomically
from analysis.progress import steps
from analysis.sources import closure_hash

Arrays = dict[str, np.ndarray]
Progress = Callable[[Iterable, str, int | None], Iterable]
"""Wraps an iterable to show how far it is: ``progress(iterable, label, total)``."""

Seen = dict[int, tuple[Any, bytes]]
"""Digests by identity, so that an array which many tasks share is hashed once; the values keep the objects alive."""

_CHECKSUM = "sha256 of the others"
_log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """Folder for what runs write: `ANALYSIS_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("ANALYSIS_CACHE") or _users_cache())


def data_dir() -> Path:
    """Folder that public files are read from: `ANALYSIS_DATA` (may be read-only), or ``data`` in the cache folder."""
    return Path(os.environ.get("ANALYSIS_DATA") or cache_dir() / "data")


def _users_cache() -> Path:
    import pooch  # takes a quarter of a second

    return Path(pooch.os_cache("network-alignment-book"))


def kept(kind: str, function: Callable[..., Arrays], *arguments: Any, how: Mapping[str, Any] | None = None) -> Arrays:
    """What ``function(*arguments)`` returns, from the cache if the same was computed before.

    Parameters
    ----------
    kind : str
        Folder below `cache_dir`.
    function : callable
        A module's own function, or a `functools.partial` of one; returns arrays by name.
    *arguments
        Numbers, texts, arrays, tensors, networks, dataclasses, and lists, tuples and mappings of these.
    how : mapping, optional
        Keyword arguments that decide how the result is computed (workers, for instance) and not what it is: they are no
        part of its key.

    Raises
    ------
    TypeError
        If an argument is of a kind whose content cannot be told.
    """
    path = cache_dir() / kind / _names(function, [arguments])[0]
    result = _read(path)
    if result is None:
        result = _write(path, function(*arguments, **how or {}))
    return result


def kept_all(
    folder: Path | None,
    function: Callable[..., Arrays],
    tasks: Sequence[tuple],
    *,
    label: str = "",
    n_jobs: int | None = 1,
    progress: Progress = steps,
) -> list[Arrays]:
    """``function(*task)`` of every task, in order, side by side; what a file already holds is not computed again.

    Each result is written as soon as it is there, whole or not at all, so a killed run goes on from it.

    Parameters
    ----------
    folder : path or None
        Where results are kept; None: nowhere.
    function, tasks
        As in `kept`; each task is the arguments of one call.
    label : str
        What the progress is called.
    n_jobs : int, optional
        Processes; None: what ``joblib.parallel_config`` says, so that a Dask cluster takes over from there. Results do
        not depend on it.
    progress : callable
        Wraps the results that are to be computed, if there is more than one.
    """
    paths = [folder / name for name in _names(function, tasks)] if folder else [None] * len(tasks)
    results = [None if path is None else _read(path) for path in paths]
    missing = [place for place, result in enumerate(results) if result is None]
    work = {place: tasks[place] for place in missing}
    for place, result in _computed(function, work, label, n_jobs, progress):
        results[place] = _write(paths[place], result)
    return [result for result in results if result is not None]


def _computed(
    function: Callable[..., Arrays], tasks: dict[int, tuple], label: str, n_jobs: int | None, progress: Progress
) -> Iterable[tuple[int, Arrays]]:
    if len(tasks) <= 1:  # no workers are started for nothing, and a single long call reports its own steps
        return (_alone(place, function, *task) for place, task in tasks.items())
    import joblib  # takes a fifth of a second

    calls = (joblib.delayed(_alone)(place, function, *task) for place, task in tasks.items())
    finished = joblib.Parallel(n_jobs=n_jobs, return_as="generator_unordered")(calls)
    return progress(finished, label, len(tasks))


def _alone(place: int, function: Callable[..., Arrays], *arguments: Any) -> tuple[int, Arrays]:
    """A piece on one thread: the pieces are what runs in parallel, and sums keep their order on any machine."""
    with alone():
        return place, function(*arguments)


# ---------------------------------------------------------------------------------------------------------------------
# Keys


def content_hash(*parts: Any) -> str:
    """SHA-256 of values by content, the order of mappings included: alike in any process.

    Raises
    ------
    TypeError
        If a part is of a kind whose content cannot be told.
    """
    return _digest(parts, {}).hex()


def _names(function: Callable, tasks: Sequence[tuple]) -> list[str]:
    seen: Seen = {}
    made_by = _digest(function, seen) + _versions()
    return [hashlib.sha256(made_by + _digest(task, seen)).hexdigest()[:40] + ".npz" for task in tasks]


@functools.cache
def _versions() -> bytes:
    return " ".join(importlib.metadata.version(name) for name in ("numpy", "scipy", "torch")).encode()


def _digest(part: Any, seen: Seen) -> bytes:
    if id(part) not in seen:
        seen[id(part)] = part, hashlib.sha256(_content(part, seen)).digest()
    return seen[id(part)][1]


def _content(part: Any, seen: Seen) -> bytes:
    """Bytes that two values share only if they are alike in kind and content."""
    kind = f"{type(part).__module__}.{type(part).__qualname__} ".encode()
    if part is None or isinstance(part, bool | int | float | complex | str | bytes | Path | np.generic):
        return kind + repr(part).encode()
    if isinstance(part, np.ndarray) and part.dtype != object:
        return kind + f"{part.dtype}{part.shape}".encode() + np.ascontiguousarray(part).tobytes()
    if isinstance(part, Mapping):
        return kind + b"".join(_digest(key, seen) + _digest(value, seen) for key, value in part.items())
    if isinstance(part, list | tuple | range):
        return kind + b"".join(_digest(item, seen) for item in part)
    if isinstance(part, functools.partial):
        return kind + _digest((part.func, part.args, part.keywords), seen)
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        return kind + _digest({field.name: getattr(part, field.name) for field in dataclasses.fields(part)}, seen)
    if inspect.isfunction(part) or isinstance(part, type):
        return kind + _code(part)
    return kind + _content_of_torch(part, seen)


def _content_of_torch(part: Any, seen: Seen) -> bytes:
    pytorch = sys.modules.get("torch")  # what is no PyTorch object does not make us load it
    if pytorch and isinstance(part, pytorch.Tensor):
        return _digest(part.detach().cpu().numpy(), seen)
    if pytorch and isinstance(part, pytorch.nn.Module):
        code = {type(module) for module in part.modules() if not type(module).__module__.startswith("torch.")}
        return repr(part).encode() + b"".join(sorted(map(_code, code))) + _digest(dict(part.state_dict()), seen)
    if pytorch and isinstance(part, pytorch.device):
        return str(part).encode()
    raise TypeError(f"The content of a {type(part).__name__} cannot be told, so nothing that it decides can be kept.")


def _code(part: Any) -> bytes:
    """Name and source of a function or class: of all its imports too where it belongs to this package."""
    name = f"{part.__module__}.{part.__qualname__}"
    if "<locals>" in name or "<lambda>" in name:
        raise TypeError(f"'{name}' must be a plain function or class of a module, whose source is all that it does.")
    if part.__module__.split(".")[0] == "analysis":
        return f"{name} {closure_hash(part.__module__)}".encode()
    return f"{name} {inspect.getsource(part)}".encode()


# ---------------------------------------------------------------------------------------------------------------------
# Files


def _read(path: Path) -> Arrays | None:
    """The arrays of a file; None if there is no file, or (said in the log) if it is damaged."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        if str(arrays.pop(_CHECKSUM)) != content_hash(arrays):
            raise ValueError("the checksum does not fit")
        return arrays
    except Exception as error:  # a damaged zip file fails in a dozen ways
        _log.warning("The kept result %s is damaged (%s: %s) and is computed anew.", path, type(error).__name__, error)
        return None


def _write(path: Path | None, result: Arrays) -> Arrays:
    """Write arrays, so that they appear whole or not at all, and return them as they will be read."""
    arrays = {name: np.asarray(value) for name, value in result.items()}
    if path is None:
        return arrays
    buffer = io.BytesIO()
    named: dict[str, Any] = {**arrays, _CHECKSUM: np.array(content_hash(arrays))}
    np.savez_compressed(buffer, **named)
    write_atomically(path, buffer.getvalue())
    return arrays

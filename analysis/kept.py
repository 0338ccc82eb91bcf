"""Results of long computations, kept in the cache under a hash of all that made them."""

import hashlib
import inspect
import io
import json
import logging
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import nn

from analysis.files import write_atomically
from analysis.folders import cache_dir

_log = logging.getLogger(__name__)
Arrays = dict[str, np.ndarray]


def kept(kind: str, made_of: dict, compute: Callable[[], Arrays]) -> Arrays:
    """What `compute` returns, from the cache if the same was computed before; a damaged file is computed anew.

    Parameters
    ----------
    kind : str
        Folder of the cache.
    made_of : dict
        Everything that decides the result, as plain values; see `code_hash` and `weights_hash`.
    compute : callable
        Returns arrays by name.

    Examples
    --------
    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     os.environ["ANALYSIS_CACHE"], before = folder, os.environ.get("ANALYSIS_CACHE", "")
    ...     [kept("squares", {"n": 3}, lambda: {"squares": np.arange(3) ** 2})["squares"].tolist() for _ in range(2)]
    ...     os.environ["ANALYSIS_CACHE"] = before
    [[0, 1, 4], [0, 1, 4]]
    """
    text = json.dumps({**made_of, "numpy": np.__version__, "torch": torch.__version__}, sort_keys=True, default=str)
    path = cache_dir() / kind / f"{hashlib.sha256(text.encode()).hexdigest()}.npz"
    found = read_arrays(path)
    if found is None:
        found = compute()
        write_arrays(path, found)
    return found


def code_hash(*modules: ModuleType) -> str:
    """SHA-256 of the sources of modules whose code decides a result."""
    return hashlib.sha256("".join(inspect.getsource(module) for module in modules).encode()).hexdigest()


def weights_hash(network: nn.Module) -> str:
    """SHA-256 of a network's parameters and buffers."""
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    return digest.hexdigest()


def read_arrays(path: Path) -> Arrays | None:
    """The arrays of a file; None if there is no file, or (said in the log) if it is damaged."""
    if not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        _log.warning("The kept piece %s is damaged and is computed anew: %s", path, error)
        return None


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays by name to a file that appears whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getvalue())

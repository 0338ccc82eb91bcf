"""Public data files: which there are, whose they are, and how to get them, checked byte for byte."""

import csv
import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pooch
import requests
from sklearn.datasets import fetch_openml

from analysis.cache import cache_dir, data_dir
from analysis.files import write_atomically

_REGISTRY = Path(__file__).with_name("public_files.csv")
MNIST = "mnist/mnist_784.npz"
_MNIST_SHA256 = {
    "x": "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96",
    "y": "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27",
}


class DataError(Exception):
    """A public file that is not to be had; the message is one sentence that says which, and what to do."""


@dataclass(frozen=True)
class PublicFile:
    """One file of the registry: `name` is its path below the data folder, `url` is pinned to a commit."""

    name: str
    url: str
    sha256: str
    bytes: int
    licence: str
    cite: str

    @property
    def dataset(self) -> str:
        """The collection that the file belongs to."""
        return self.name.split("/")[0]

    @property
    def path(self) -> Path:
        """Where the file is, or would be."""
        return data_dir() / self.name

    def is_whole(self) -> bool:
        """Whether the file is there with the registry's hash."""
        return self.path.is_file() and pooch.file_hash(str(self.path)) == self.sha256


@cache
def registry() -> dict[str, PublicFile]:
    """Every public file by name, in the order of the registry."""
    with open(_REGISTRY, newline="", encoding="utf-8") as file:
        rows = [{**row, "bytes": int(row["bytes"])} for row in csv.DictReader(file)]
    return {row["name"]: PublicFile(**row) for row in rows}


def datasets() -> dict[str, list[PublicFile]]:
    """The registry's files by dataset."""
    found: dict[str, list[PublicFile]] = {}
    for file in registry().values():
        found.setdefault(file.dataset, []).append(file)
    return found


def registered_hash(name: str) -> str:
    """SHA-256 that the registry has for a public file; for MNIST, that of its images."""
    return _MNIST_SHA256["x"] if name == MNIST else registry()[name].sha256


def public_path(name: str, *, progress: bool = False) -> Path:
    """Path of a public file, downloaded if it is not there, its hash checked either way.

    Parameters
    ----------
    name : str
        One of `registry`.
    progress : bool
        Show a bar while downloading.

    Raises
    ------
    DataError
        If the file cannot be downloaded, is not what the registry says, or the data folder cannot be written.
        Nothing half-written is left.
    """
    if name not in registry():
        raise DataError(f"Public file '{name}' is not in the registry; 'python -m analysis fetch' lists what is.")
    file = registry()[name]
    if not file.is_whole():
        _download(file, progress)
    return file.path


def _download(file: PublicFile, progress: bool) -> None:
    _check_folder(file)
    source = pooch.create(
        path=data_dir(), base_url="", registry={file.name: f"sha256:{file.sha256}"}, urls={file.name: file.url}
    )
    try:
        source.fetch(file.name, downloader=pooch.HTTPDownloader(progressbar=progress, timeout=30))
    except requests.RequestException as error:
        raise DataError(_unavailable(file, f"could not be downloaded ({type(error).__name__})")) from error
    except ValueError as error:  # pooch's word for a wrong hash
        raise DataError(_unavailable(file, "was downloaded, but is not the file of the registry (SHA-256)")) from error
    except OSError as error:
        raise DataError(_unavailable(file, f"could not be written ({error})")) from error


def _check_folder(file: PublicFile) -> None:
    """Refuse early where nothing can be written, so that a damaged file in a read-only folder is named as such."""
    existing = next(folder for folder in file.path.parents if folder.exists())
    if not os.access(existing, os.W_OK):
        state = "is damaged" if file.path.is_file() else "is missing"
        raise DataError(_unavailable(file, f"{state}, and its folder is read-only"))


def _unavailable(file: PublicFile, what: str) -> str:
    return (
        f"Public file '{file.name}' ({file.bytes / 1e6:.2g} MB, {file.url}) {what}: put it into '{data_dir()}' or set "
        "ANALYSIS_DATA to a folder that has it; the default profile needs no public file."
    )


def mnist_path() -> Path:
    """The file with MNIST's 70,000 handwritten digits, in the data folder or the cache.

    If it is in neither, it is downloaded with scikit-learn's OpenML loader (`mnist_784`) and kept in the cache.

    Raises
    ------
    DataError
        If there is neither file nor network.

    References
    ----------
    LeCun et al. (1998), Gradient-based learning applied to document recognition. https://doi.org/10.1109/5.726791
    """
    folders = [folder / MNIST for folder in (data_dir(), cache_dir())]
    found = next((path for path in folders if path.is_file()), None)
    return found or _download_mnist(folders[-1])


def _download_mnist(path: Path) -> Path:
    try:
        bunch = fetch_openml("mnist_784", version=1, as_frame=False, parser="liac-arff", data_home=cache_dir())
    except OSError as error:
        raise DataError(
            f"MNIST (about 15 MB, openml.org, 'mnist_784') could not be downloaded ({type(error).__name__}): set "
            f"ANALYSIS_DATA to a folder that has '{MNIST}'; images 'digits' need no download."
        ) from error
    arrays = {"x": bunch.data.reshape(-1, 28, 28).astype(np.uint8), "y": bunch.target.astype(np.uint8)}
    partial = path.with_suffix(".unchecked.npz")
    partial.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(partial, **arrays)
    try:
        read_mnist(partial)
        write_atomically(path, partial.read_bytes())
    finally:
        partial.unlink()
    return path


def read_mnist(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Images (70,000 × 28 × 28, uint8) and classes (70,000, uint8) from `path`, checked by their hashes."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _MNIST_SHA256}
    except Exception as error:  # a damaged zip file fails in many ways
        raise DataError(
            f"MNIST file '{path}' cannot be read ({type(error).__name__}): remove it and try again."
        ) from error
    for name, array in arrays.items():
        if hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() != _MNIST_SHA256[name]:
            raise DataError(f"MNIST file '{path}' is damaged (SHA-256 of '{name}'): remove it and try again.")
    return arrays["x"], arrays["y"]

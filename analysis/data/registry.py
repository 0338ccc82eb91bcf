"""Public data files: which there are, whose they are, and how to get them, checked byte for byte."""

import csv
import hashlib
import io
import os
import tarfile
import tempfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from analysis import files
from analysis.cache import cache_dir, data_dir
from analysis.errors import ToldError

Arrays = tuple[np.ndarray, np.ndarray]

_REGISTRY = Path(__file__).with_name("public_files.csv")
MNIST = "mnist/mnist_784.npz"
CIFAR10 = "cifar10/cifar10_test.npz"
_CONTENT = {  # SHA-256 of the bytes of images and classes: the archive that holds them may differ
    MNIST: {
        "x": "5b92582eb909c82a9bfefcd44acbe9233be3eb5b419a44cf211022ad2bf4bf96",
        "y": "671ff9d70b4811116d55c3dd479efa7a981e2e62753ef7a6d5c15fea81e63d27",
    },
    CIFAR10: {
        "x": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
        "y": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    },
}
# The binary archive of the official site holds the same photographs as the one for Python, without pickles.
_CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_CIFAR10_MEMBER = "cifar-10-batches-bin/test_batch.bin"


class DataError(ToldError):
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
        return self.path.is_file() and _file_sha256(self.path) == self.sha256


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
    """SHA-256 that the registry has for a public file; for MNIST and CIFAR-10, that of their images."""
    return _CONTENT[name]["x"] if name in _CONTENT else registry()[name].sha256


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
    import pooch  # takes a quarter of a second
    import requests

    _check_folder(file)
    files.remove_abandoned(file.path.parent)
    try:
        with files.written_beside(file.path) as partial:
            pooch.HTTPDownloader(progressbar=progress, timeout=30)(file.url, str(partial), None)
            if pooch.file_hash(str(partial)) != file.sha256:
                raise DataError(_unavailable(file, "was downloaded, but is not the file of the registry (SHA-256)"))
    except requests.RequestException as error:
        raise DataError(_unavailable(file, f"could not be downloaded ({type(error).__name__})")) from error
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


def _file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ---------------------------------------------------------------------------------------------------------------------
# Images that come from their own archives, kept in one form and checked by what they hold


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
    return _found_or_made(MNIST)


def read_mnist(path: Path) -> Arrays:
    """Images (70,000 × 28 × 28, uint8) and classes (70,000, uint8) from `path`, checked by their hashes."""
    return _read(path, MNIST)


def cifar10_path() -> Path:
    """The file with the 10,000 CIFAR-10 test photographs, in the data folder or the cache.

    If it is in neither, the official archive is downloaded (170 MB) and its test photographs are kept in the cache.

    Raises
    ------
    DataError
        If there is neither file nor network.

    References
    ----------
    Krizhevsky (2009), Learning multiple layers of features from tiny images.
    https://www.cs.toronto.edu/~kriz/cifar.html
    """
    return _found_or_made(CIFAR10)


def read_cifar10(path: Path) -> Arrays:
    """Photographs (10,000 × 32 × 32 × 3, uint8) and classes (10,000, uint8) from `path`, checked by their hashes."""
    return _read(path, CIFAR10)


ARCHIVES = {"mnist": mnist_path, "cifar10": cifar10_path}
"""Images by name, each with what finds its file or downloads it."""


def _found_or_made(name: str) -> Path:
    folders = [folder / name for folder in (data_dir(), cache_dir())]
    found = next((path for path in folders if path.is_file()), None)
    return found or _keep(folders[-1], name, *_MAKE[name]())


def _keep(path: Path, name: str, x: np.ndarray, y: np.ndarray) -> Path:
    """Write images under their final name if they are the right ones."""
    _check_content({"x": x, "y": y}, name, "The download")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=x, y=y)
    files.write_atomically(path, buffer.getvalue())
    return path


def _mnist_of_openml() -> Arrays:
    from sklearn.datasets import fetch_openml  # takes a second

    try:
        bunch = fetch_openml("mnist_784", version=1, as_frame=False, parser="liac-arff", data_home=cache_dir())
    except OSError as error:
        raise DataError(
            f"MNIST (about 15 MB, openml.org, 'mnist_784') could not be downloaded ({type(error).__name__}): set "
            f"ANALYSIS_DATA to a folder that has '{MNIST}'; images 'digits' need no download."
        ) from error
    return bunch.data.reshape(-1, 28, 28).astype(np.uint8), bunch.target.astype(np.uint8)


def _cifar10_of_the_archive() -> Arrays:
    import pooch  # takes a quarter of a second

    cache_dir().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_dir(), prefix=".cifar10-", suffix=files.PARTIAL) as folder:
        try:
            archive = pooch.retrieve(_CIFAR10_URL, None, fname="archive.tar.gz", path=folder, progressbar=True)
            with tarfile.open(archive) as members:
                member = members.extractfile(_CIFAR10_MEMBER)
                records = np.frombuffer(member.read() if member else b"", np.uint8).reshape(-1, 1 + 3 * 32 * 32)
        except (OSError, KeyError, ValueError, EOFError, zlib.error, tarfile.TarError) as error:
            raise DataError(
                f"CIFAR-10 (170 MB, {_CIFAR10_URL}) could not be downloaded ({type(error).__name__}): set "
                f"ANALYSIS_DATA to a folder that has '{CIFAR10}'; images 'digits' need no download."
            ) from error
    x = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(x), records[:, 0].copy()


def _read(path: Path, name: str) -> Arrays:
    """The images of a file; one that we made ourselves and that is damaged is made anew."""
    try:
        return _whole(path, name)
    except DataError:
        if path != cache_dir() / name:
            raise
    path.unlink(missing_ok=True)
    return _whole(_keep(path, name, *_MAKE[name]()), name)


def _whole(path: Path, name: str) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in _CONTENT[name]}
    except Exception as error:  # a damaged zip file fails in many ways
        raise DataError(f"File '{path}' cannot be read ({type(error).__name__}): remove it and try again.") from error
    _check_content(arrays, name, f"File '{path}'")
    return arrays["x"], arrays["y"]


def _check_content(arrays: dict[str, np.ndarray], name: str, what: str) -> None:
    for key, array in arrays.items():
        if hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() != _CONTENT[name][key]:
            raise DataError(f"{what} is damaged (SHA-256 of '{key}' of '{name}'): remove it and try again.")


_MAKE = {MNIST: _mnist_of_openml, CIFAR10: _cifar10_of_the_archive}

"""Sets of pictures of any size and colour: folders, arrays and named sets; every stimulus has an id."""

import csv
import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from analysis.data import decoding, registry
from analysis.data.categories import CIFAR10, imagenet_categories
from analysis.data.npz import NpzPictures
from analysis.files import user_path

NAMED = ("digits", "mnist", "cifar10", "imagenet_sample")
"""Sets that are known by name."""

LABELS = "labels.csv"
_HASH_LETTERS = 12


class Reader(Protocol):
    """Where the pictures are."""

    def read(self, positions: Sequence[int], each: Callable[[np.ndarray], Any]) -> list:
        """What `each` makes of the pictures at these positions."""

    def sha256(self) -> str:
        """Hash of all pictures."""

    def check(self) -> None:
        """Raise a ValueError for the first picture that is none, as far as can be told without unpacking."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """A set of pictures that are read when they are needed.

    Parameters
    ----------
    name : str
        What the set is called on pages.
    ids : tuple of str
        The stimuli. Of files, the path below their folder; of arrays, the file's hash and the row, so that ids are
        valid only within that file.
    labels : int64 array of shape (n_pictures,), or None
        Positions in `categories`.
    categories : tuple of str, or None
    left_out : dict
        Files of the folder that are no pictures: counts by reason.
    """

    name: str
    ids: tuple[str, ...]
    labels: np.ndarray | None
    categories: tuple[str, ...] | None
    reader: Reader = field(repr=False)
    rows: np.ndarray = field(repr=False)
    left_out: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, positions: Sequence[int] | slice, each: Callable[[np.ndarray], Any] = np.asarray) -> list:
        """Pictures at these positions: uint8 RGB arrays of shape (height, width, 3), or what `each` makes of them.

        Raises
        ------
        ValueError
            If a picture is damaged; the message names it.
        """
        return self.reader.read(self.rows[positions].tolist(), each)

    def batches(self, size: int, each: Callable[[np.ndarray], Any] = np.asarray) -> Iterator[list]:
        """All pictures in order, `size` at a time: no more than a batch is in memory."""
        if size < 1:
            raise ValueError(f"'size' must be at least 1, got {size}.")
        for start in range(0, len(self), size):
            yield self.read(slice(start, start + size), each)

    def subset(self, positions: Sequence[int]) -> "Pictures":
        """The pictures at these positions, in this order; they keep their ids and categories."""
        chosen = np.arange(len(self))[np.asarray(positions)]
        labels = None if self.labels is None else self.labels[chosen]
        return replace(self, ids=tuple(self.ids[place] for place in chosen), labels=labels, rows=self.rows[chosen])

    def check(self) -> None:
        """Raise a ValueError that names the first picture that is none, as far as headers tell."""
        self.reader.check()

    def sha256(self) -> str:
        """Hash of the pictures, their order and their labels."""
        digest = hashlib.sha256(self.reader.sha256().encode())
        for part in (self.rows, self.labels):
            digest.update(b"" if part is None else part.astype("<i8").tobytes())
        digest.update("\n".join(self.categories or ()).encode())
        return digest.hexdigest()


def open_pictures(images: str | Path) -> Pictures:
    """Pictures of a folder, of an array or of a named set; none is unpacked yet.

    Parameters
    ----------
    images : str or path
        - ``"digits"`` (scikit-learn's 1,797 handwritten digits, 8 × 8), ``"mnist"`` (70,000), ``"cifar10"`` (the 10,000
          test photographs) or ``"imagenet_sample"`` (500 photographs, one of every second class);
        - a folder of JPEG, PNG, WebP, BMP or TIFF files: in subfolders, which are then the labels; or with a file
          ``labels.csv`` (columns ``stimulus``, the path below the folder, and ``label``); or without labels;
        - an ``.npz`` file with ``x`` of shape (n, height, width), (n, height, width, 3) or (n, 3, height, width), and
          labels ``y`` if there are any.

    Returns
    -------
    Pictures

    Raises
    ------
    analysis.data.registry.DataError
        If a named set is not to be had.
    FileNotFoundError
        If `images` is neither a known name nor an existing file or folder.
    ValueError
        If the folder has no picture, labels are missing, double or unknown, or the file is not as described.

    Examples
    --------
    >>> digits = open_pictures("digits")
    >>> len(digits), digits.read([0])[0].shape, digits.categories[digits.labels[0]]
    (1797, (8, 8, 3), '0')
    """
    if images in _NAMED:
        return _NAMED[str(images)]()
    path = user_path(images)
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        names = ", ".join(map(repr, NAMED))
        raise FileNotFoundError(f"'images' must be one of {names}, a folder or an .npz file; there is no '{path}'.")
    return _of_npz(path)


def drawn(n_pictures: int, n_drawn: int, seed: int) -> np.ndarray:
    """Positions of as many different pictures, drawn at random, in their order."""
    return np.sort(np.random.default_rng(seed).choice(n_pictures, n_drawn, replace=False))


# ---------------------------------------------------------------------------------------------------------------------
# Arrays


@dataclass(frozen=True, eq=False)
class _Array:
    """Pictures in memory, of shape (n, height, width) or (n, height, width, 3)."""

    x: np.ndarray
    digest: str

    def read(self, positions, each):
        return [each(self._rgb(self.x[place])) for place in positions]

    def _rgb(self, picture):
        return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, -1)

    def sha256(self):
        return self.digest

    def check(self):
        pass


@dataclass(frozen=True, eq=False)
class _Npz:
    """Pictures of a file, unpacked as they are read."""

    file: NpzPictures

    def read(self, positions, each):
        return [each(picture) for picture in self.file.read(positions)]

    def sha256(self):
        return self.file.sha256()

    def check(self):
        pass


def _of_array(name: str, x: np.ndarray, y: np.ndarray, digest: str, categories: Sequence[str]) -> Pictures:
    labels = y.astype(np.int64)
    return Pictures(name, row_ids(digest, len(x)), labels, tuple(categories), _Array(x, digest), np.arange(len(x)))


def row_ids(digest: str, n_rows: int) -> tuple[str, ...]:
    """Ids of the rows of an array: the hash of its file, by its first letters, and the row."""
    return tuple(f"{digest[:_HASH_LETTERS]}/{row}" for row in range(n_rows))


def _of_npz(path: Path) -> Pictures:
    file = NpzPictures(path)
    y, digest = file.labels(), file.sha256()
    labels, categories = (None, None) if y is None else _numbered(y)
    return Pictures(path.stem, row_ids(digest, len(file)), labels, categories, _Npz(file), np.arange(len(file)))


def _numbered(y: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels as positions among their categories: numbers in their order, texts by the alphabet."""
    values, places = np.unique(y, return_inverse=True)
    return places.astype(np.int64), tuple(map(str, values))


def _digits() -> Pictures:
    from sklearn.datasets import load_digits  # takes a second

    digits = load_digits()
    x = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return _of_array("digits", x, digits.target, hashlib.sha256(x.tobytes()).hexdigest(), list(map(str, range(10))))


def _mnist() -> Pictures:
    x, y = registry.read_mnist(registry.mnist_path())
    return _of_array("MNIST", x, y, registry.registered_hash(registry.MNIST), list(map(str, range(10))))


def _cifar10() -> Pictures:
    x, y = registry.read_cifar10(registry.cifar10_path())
    return _of_array("CIFAR-10", x, y, registry.registered_hash(registry.CIFAR10), CIFAR10)


# ---------------------------------------------------------------------------------------------------------------------
# Files


@dataclass(frozen=True, eq=False)
class _Files:
    """Picture files, decoded side by side."""

    folder: Path
    names: tuple[str, ...]

    def read(self, positions, each):
        paths = [self.folder / self.names[place] for place in positions]
        if len(paths) == 1:
            return [_decoded(paths[0], each)]
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(partial(_decoded, each=each), paths))

    def sha256(self):
        digest = hashlib.sha256()
        for name in self.names:
            with open(self.folder / name, "rb") as file:
                digest.update(f"{name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
        return digest.hexdigest()

    def check(self):
        for name in self.names:
            decoding.check(self.folder / name)


def _decoded(path: Path, each: Callable[[np.ndarray], Any]) -> Any:
    return each(decoding.decode(path))


def _of_folder(folder: Path) -> Pictures:
    names, n_others = _listed(folder)
    if not names:
        kinds = "JPEG, PNG, WebP, BMP or TIFF file"
        raise ValueError(f"Folder '{folder}' must hold pictures, got no {kinds} among {n_others} files.")
    words = _words(folder, names)
    labels, categories = (None, None) if words is None else _numbered(np.array(words))
    left_out = {"files that are no pictures": n_others} if n_others else {}
    name = folder.resolve().name
    return Pictures(name, names, labels, categories, _Files(folder, names), np.arange(len(names)), left_out)


def _listed(folder: Path) -> tuple[tuple[str, ...], int]:
    """Pictures below `folder` by their relative paths, sorted, and how many other files there are."""
    pictures, n_others, seen = [], 0, set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [] if os.path.realpath(parent) in seen else folders  # a link that leads back up
        seen.add(os.path.realpath(parent))
        found = [name for name in files if Path(name).suffix.lower() in decoding.SUFFIXES and not name.startswith(".")]
        n_others += sum(not name.startswith(".") and name != LABELS for name in files) - len(found)
        pictures += [(Path(parent) / name).relative_to(folder).as_posix() for name in found]
    foreign = [name for name in pictures if not name.isprintable()]  # bytes that are no UTF-8, line ends
    if foreign:
        raise ValueError(f"Folder '{folder}' must have pictures with printable names, got {foreign[0]!a}.")
    return tuple(sorted(pictures)), n_others


def _words(folder: Path, names: tuple[str, ...]) -> list[str] | None:
    """Each picture's label: of the table if there is one, else its subfolder; None if there are no subfolders."""
    if (folder / LABELS).is_file():
        return _of_table(folder / LABELS, names)
    nested = [name for name in names if "/" in name]
    if nested and len(nested) < len(names):
        loose = next(name for name in names if "/" not in name)
        raise ValueError(
            f"Folder '{folder}' must hold all of its pictures in subfolders, which are their labels, or none of them, "
            f"unless '{LABELS}' has the labels; got '{nested[0]}' and '{loose}'."
        )
    return [name.split("/")[0] for name in nested] or None


def _of_table(path: Path, names: tuple[str, ...]) -> list[str]:
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file, skipinitialspace=True)
            columns = table.fieldnames or []
            rows = [(row["stimulus"] or "", row["label"] or "") for row in table] if {*_COLUMNS} <= {*columns} else None
    except (csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' must be a CSV file, and could not be read: {error}.") from None
    if rows is None:
        raise ValueError(f"'{path}' must have the columns 'stimulus' and 'label', got {', '.join(columns) or 'none'}.")
    labels = {stimulus.strip(): label.strip() for stimulus, label in rows}
    _refuse_any(
        path, "must name each picture once", [key for key, n in Counter(row[0] for row in rows).items() if n > 1]
    )
    _refuse_any(path, "must name pictures of the folder", [key for key in labels if key not in set(names)])
    _refuse_any(path, "must have a label for every picture", [key for key in names if not labels.get(key)])
    return [labels[name] for name in names]


_COLUMNS = ("stimulus", "label")


def _refuse_any(path: Path, rule: str, wrong: list[str]) -> None:
    if wrong:
        raise ValueError(f"'{path}' {rule}, got {len(wrong)} against it, the first {wrong[0]!r}.")


def _imagenet_sample() -> Pictures:
    paths = [registry.public_path(name) for name in registry.registry() if name.startswith("imagenet_sample/")]
    names = tuple(sorted(path.name for path in paths))
    reader = _Files(paths[0].parent, names)
    labels = 2 * np.arange(len(names))  # one photograph of every second class, in the order of the classes
    return Pictures("ImageNet sample", names, labels, imagenet_categories(), reader, np.arange(len(names)))


_NAMED = {"digits": _digits, "mnist": _mnist, "cifar10": _cifar10, "imagenet_sample": _imagenet_sample}

"""Pictures of an `.npz` file, read row by row: nothing is unpacked before its size is known, and never all at once."""

import hashlib
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MAX_BYTES = 4 * 2**30
"""Bytes that the pictures of one file may have when unpacked."""

_MAX_LABEL_BYTES = 2**28
_SKIPPED_AT_ONCE = 2**20


class NpzPictures:
    """The array ``x`` of a file as RGB pictures, and ``y`` as labels where there is one.

    Parameters
    ----------
    path : path
        An ``.npz`` file with ``x`` of shape (n, height, width), (n, height, width, 3) or (n, 3, height, width): uint8
        from 0 to 255, uint16 from 0 to 65535 or floats in [0, 1]. One channel is as good as none.

    Raises
    ------
    ValueError
        If the file is something else, or would unpack to more than `MAX_BYTES`.
    """

    def __init__(self, path: Path):
        self.path = path
        self.shape, self._dtype = _header(path, "x", MAX_BYTES)
        self._channels = _channel_axis(self.shape, path)
        if self._dtype.kind != "f" and (self._dtype.kind != "u" or self._dtype.itemsize > 2):
            raise ValueError(f"'x' of '{path}' must be uint8, uint16 or floats in [0, 1], got {self._dtype}.")
        self._stream, self._row = None, 0

    def __getstate__(self) -> dict:
        return {**self.__dict__, "_stream": None, "_row": 0}  # an open file stays in its process

    def __len__(self) -> int:
        return self.shape[0]

    def sha256(self) -> str:
        """Hash of the file."""
        with open(self.path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def labels(self) -> np.ndarray | None:
        """The array ``y``, or None; integers from 0 or texts, one a picture."""
        if "y" not in _members(self.path):
            return None
        _header(self.path, "y", _MAX_LABEL_BYTES)
        try:
            with np.load(self.path, allow_pickle=False) as file:
                y = file["y"]
        except Exception as error:  # a damaged zip file fails in a dozen ways
            raise _unreadable(self.path, error) from None
        if y.shape != (len(self),):
            raise ValueError(
                f"'y' of '{self.path}' must have one label for each of {len(self)} pictures, got {y.shape}."
            )
        if y.dtype.kind not in "iuU" or (y.dtype.kind != "U" and y.min() < 0):
            got = y.dtype if y.dtype.kind not in "iu" else y.min()
            raise ValueError(f"'y' of '{self.path}' must hold integers from 0 or texts, got {got}.")
        return y

    def read(self, positions: Sequence[int]) -> list[np.ndarray]:
        """Pictures at these positions, each a uint8 array of shape (height, width, 3)."""
        rows = np.unique(np.asarray(positions, np.int64))
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)  # neighbours are read at once
        try:
            contents = [self._content(int(run[0]), len(run)) for run in runs if len(run)]
        except Exception as error:  # a damaged zip file fails in a dozen ways
            self._stream = None  # it stands where nobody knows
            raise _unreadable(self.path, error) from None
        pictures = [
            picture for content, run in zip(contents, runs, strict=False) for picture in self._rgb(content, run)
        ]
        return [pictures[place] for place in np.searchsorted(rows, positions)]

    def _content(self, position: int, count: int) -> bytes:
        """Bytes of neighbours; the file stays open behind them, so that pictures in their order are unpacked once."""
        if self._stream is None or position < self._row:
            self._stream, self._row = zipfile.ZipFile(self.path).open("x.npy"), 0  # noqa: SIM115
            _read_header(self._stream)
        size = math.prod(self.shape[1:]) * self._dtype.itemsize
        skipped = (position - self._row) * size
        while skipped:
            skipped -= len(self._stream.read(min(skipped, _SKIPPED_AT_ONCE))) or skipped
        self._row = position + count
        content = self._stream.read(count * size)
        if len(content) < count * size:
            raise EOFError("it ends early")
        return content

    def _rgb(self, content: bytes, rows: np.ndarray) -> np.ndarray:
        """The pictures of these rows, (n, height, width, 3)."""
        pictures = np.frombuffer(content, self._dtype).reshape(len(rows), *self.shape[1:])
        pictures = pictures[..., None] if self._channels is None else np.moveaxis(pictures, self._channels, -1)
        return np.ascontiguousarray(np.broadcast_to(self._eight_bits(pictures, rows), (*pictures.shape[:3], 3)))

    def _eight_bits(self, pictures: np.ndarray, rows: np.ndarray) -> np.ndarray:
        if self._dtype.kind == "u":
            return pictures if self._dtype.itemsize == 1 else np.rint(pictures / 257).astype(np.uint8)
        for picture, row in zip(pictures, rows, strict=True):
            if not (np.isfinite(picture).all() and picture.min() >= 0 and picture.max() <= 1):
                got = f"values from {picture.min()} to {picture.max()} in picture {row}"
                raise ValueError(f"'x' of '{self.path}' must be finite and in [0, 1], got {got}.")
        return np.rint(pictures * 255).astype(np.uint8)


def _members(path: Path) -> set[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except Exception as error:  # a damaged zip file fails in a dozen ways
        raise _unreadable(path, error) from None


def _header(path: Path, name: str, most: int) -> tuple[tuple[int, ...], np.dtype]:
    """Shape and type of an array of the file, which is not unpacked."""
    members = _members(path)
    if name not in members:
        raise ValueError(f"'{path}' must hold the array '{name}', got {', '.join(sorted(members)) or 'none'}.")
    try:
        with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
            shape, fortran, dtype = _read_header(member)
    except Exception as error:  # a damaged zip file fails in a dozen ways
        raise _unreadable(path, error) from None
    if dtype.hasobject:
        raise ValueError(f"'{name}' of '{path}' must be a plain array, got objects.")
    size = math.prod(shape) * dtype.itemsize
    if size > most:
        raise ValueError(
            f"'{name}' of '{path}' must unpack to at most {most / 2**30:g} GiB, got {size / 2**30:.1f} GiB; "
            "more pictures go into a folder."
        )
    if fortran and len(shape) > 1:
        raise ValueError(f"'{name}' of '{path}' must be stored row by row: save numpy.ascontiguousarray({name}).")
    return shape, dtype


def _read_header(member) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(member)


def _channel_axis(shape: tuple[int, ...], path: Path) -> int | None:
    if 0 not in shape:
        if len(shape) == 3:
            return None
        if len(shape) == 4 and {shape[3], shape[1]} & {1, 3}:
            return 3 if shape[3] in (1, 3) else 1
    rule = "(n, height, width), (n, height, width, 3) or (n, 3, height, width) without a 0"
    raise ValueError(f"'x' of '{path}' must have shape {rule}, got {shape}.")


def _unreadable(path: Path, error: Exception) -> ValueError:
    return ValueError(f"'{path}' must be an .npz file of plain arrays, and could not be read: {error}.")

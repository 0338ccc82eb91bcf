"""Images and public tables: embedded ones, and files of the user's own, read defensively."""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from analysis.checks import ArrayLike, as_integers
from analysis.data import registry
from analysis.data.digits import DIGITS_SIZE
from analysis.files import user_path

MIN_PER_CLASS = 8
"""Images that every class needs, so that halves and test splits hold each class."""


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled grey images.

    Parameters
    ----------
    x : torch.Tensor of shape (n, 1, size, size), float32
        Pixels: 0 = background, 1 = brightest; in [0, 1].
    y : torch.Tensor of shape (n,), int64
        Classes from 0.
    name : str
        What the images are called on figures.
    sha256 : str
        Hash of the source's content and of all that was done to it.
    """

    x: torch.Tensor
    y: torch.Tensor
    name: str
    sha256: str

    def __len__(self) -> int:
        return len(self.x)

    @property
    def size(self) -> int:
        """Side of the square images in pixels."""
        return self.x.shape[-1]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.y.max()) + 1

    def subset(self, indices: ArrayLike) -> "Images":
        """The images at these positions, in this order."""
        rows = as_integers(indices, "indices", shape=(None,))
        if len(rows) == 0 or rows.min() < 0 or rows.max() >= len(self):
            got = f"{rows.min()} to {rows.max()}" if len(rows) else "none"
            raise ValueError(f"'indices' must be one or more positions from 0 to {len(self) - 1}, got {got}.")
        return Images(self.x[rows], self.y[rows], self.name, _digest(self.sha256, rows))


def load_images(images: str = "digits", *, size: int | None = None) -> Images:
    """Handwritten digits that come with scikit-learn, or the images of a file.

    Parameters
    ----------
    images : str
        ``"digits"`` (1,797 images, no download), ``"mnist"`` (70,000 images, public data), or the path of an ``.npz``
        file with

        - ``x``: square images of shape (n, side, side) or (n, 1, side, side), uint8 from 0 to 255 or floats in [0, 1];
        - ``y``: n integers, the classes from 0 without a gap, each with at least 8 images.
    size : int, optional
        Side in pixels to which the images are resampled (bilinear). None: 16 for the digits, which are 8 × 8, and other
        images as they are.

    Returns
    -------
    Images

    Raises
    ------
    analysis.data.registry.DataError
        If MNIST is wanted, and there is neither file nor network.
    FileNotFoundError
        If `images` is neither a known name nor an existing file.
    ValueError
        If the file is not what is described above; the message names what is wrong.

    References
    ----------
    Alpaydin & Kaynak (1998), Optical recognition of handwritten digits. https://doi.org/10.24432/C50P49

    Examples
    --------
    >>> digits = load_images("digits")
    >>> digits.x.shape, digits.n_classes
    (torch.Size([1797, 1, 16, 16]), 10)
    """
    if size is not None and size < 1:
        raise ValueError(f"'size' must be at least 1 pixel, got {size}.")
    if images == "digits":
        digits = load_digits()
        return _images(digits.images / 16, digits.target, "digits", size or DIGITS_SIZE)
    if images == "mnist":
        x, y = registry.read_mnist(registry.mnist_path())
        return _images(x.astype(np.float32) / 255, y, "MNIST", size)
    path = user_path(images)
    return _images(*_read_npz(path), path.stem, size)


def halves(images: Images, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two halves with the same share of every class; each is a sorted int64 array of positions.

    Examples
    --------
    >>> first, second = halves(load_images("digits"), seed=0)
    >>> len(first), len(second), len(set(first) & set(second))
    (898, 899, 0)
    """
    return split(images, 0.5, seed)


def split(images: Images, test_fraction: float = 0.25, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Positions for training and for testing, with the same share of every class in both.

    Parameters
    ----------
    images : Images
    test_fraction : float
        Share of the images to test on, above 0 and below 1.
    seed : int

    Returns
    -------
    train, test : sorted int64 arrays
    """
    if not 0 < test_fraction < 1:
        raise ValueError(f"'test_fraction' must be above 0 and below 1, got {test_fraction}.")
    positions = np.arange(len(images))
    train, test = train_test_split(positions, test_size=test_fraction, random_state=seed, stratify=images.y.numpy())
    return np.sort(train), np.sort(test)


def _images(x: np.ndarray, y: np.ndarray, name: str, size: int | None) -> Images:
    pixels = torch.from_numpy(np.ascontiguousarray(x, dtype=np.float32)).unsqueeze(1)
    size = size or pixels.shape[-1]
    if size != pixels.shape[-1]:
        # The resampling weights sum to 1 only up to rounding.
        smaller = size < pixels.shape[-1]
        pixels = F.interpolate(pixels, (size, size), mode="bilinear", antialias=smaller).clamp(0, 1)
    labels = torch.from_numpy(y.astype(np.int64))
    return Images(pixels, labels, name, _digest(x.astype(np.float32), y.astype(np.int64), size))


def _read_npz(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if not path.is_file():
        raise FileNotFoundError(
            f"'images' must be 'digits', 'mnist' or the path of an .npz file; there is no file '{path}'."
        )
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files if key in ("x", "y")}
    except (TypeError, ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"'{path}' must be an .npz file of plain arrays, and could not be read: {error}") from None
    if len(arrays) < 2:
        raise ValueError(f"'{path}' must hold the arrays 'x' and 'y', got {', '.join(arrays) or 'neither'}.")
    return _pixels(arrays["x"], path), _classes(arrays["y"], len(arrays["x"]), path)


def _pixels(x: np.ndarray, path: Path) -> np.ndarray:
    if x.ndim == 4 and x.shape[1] == 1:
        x = x[:, 0]
    if x.ndim != 3 or x.shape[1] != x.shape[2] or not x.size:
        raise ValueError(f"'x' of '{path}' must have shape (n, side, side) or (n, 1, side, side), got {x.shape}.")
    if x.dtype == np.uint8:
        return x.astype(np.float32) / 255
    if not np.issubdtype(x.dtype, np.floating):
        raise ValueError(f"'x' of '{path}' must be uint8 from 0 to 255 or floats in [0, 1], got {x.dtype}.")
    if not (np.isfinite(x).all() and x.min() >= 0 and x.max() <= 1):
        raise ValueError(f"'x' of '{path}' must be finite and in [0, 1], got values from {x.min()} to {x.max()}.")
    return x


def _classes(y: np.ndarray, n_images: int, path: Path) -> np.ndarray:
    if not np.issubdtype(y.dtype, np.integer):
        raise ValueError(f"'y' of '{path}' must hold integers, got {y.dtype}.")
    if y.shape != (n_images,):
        raise ValueError(f"'y' of '{path}' must have one class for each of {n_images} images, got shape {y.shape}.")
    if y.min() < 0:
        raise ValueError(f"'y' of '{path}' must hold classes from 0, got {y.min()}.")
    counts = np.bincount(y[y < len(y)], minlength=2)  # a class beyond the number of images leaves a gap below it
    if y.max() >= len(y) or counts.min() < MIN_PER_CLASS:
        got = f"{counts.min()} of class {counts.argmin()}" if y.max() < len(y) else f"class {y.max()}"
        rule = f"2 or more classes, numbered from 0 without a gap, with at least {MIN_PER_CLASS} images each"
        raise ValueError(f"'y' of '{path}' must hold {rule}, got {got}.")
    return y


def _digest(*parts: np.ndarray | str | int) -> str:
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype.str}{part.shape}".encode())
            digest.update(np.ascontiguousarray(part).data)
        else:
            digest.update(f"|{part}|".encode())
    return digest.hexdigest()

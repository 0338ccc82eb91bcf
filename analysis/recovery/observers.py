"""Whose answers a recovery experiment starts from: a simulated observer, or the files of a real study."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from analysis.checks import ArrayLike, as_features, as_integers
from analysis.files import user_path
from analysis.recovery.triplets import calibrate_temperature, check_triplets, draw_triplets, sample_choices


@dataclass(frozen=True)
class Observer:
    """Odd-one-out trials of an observer.

    Attributes
    ----------
    triplets : numpy.ndarray
        int64 (n, 3), 0-based rows of the objects.
    choices : numpy.ndarray
        int64 (n,), position 0, 1 or 2 of the odd one.
    subjects : numpy.ndarray or None
        int64 (n,), who answered; None where a file does not say.
    similarity : numpy.ndarray or None
        (n_objects, n_objects) that a simulated observer answers by, in units of its temperature; None for people.
    left_out : dict
        Trials that the source holds and that are not among these, counted by reason.
    """

    triplets: np.ndarray
    choices: np.ndarray
    subjects: np.ndarray | None = None
    similarity: np.ndarray | None = None
    left_out: dict[str, int] = field(default_factory=dict)


def simulated_observer(
    images: ArrayLike,
    labels: ArrayLike,
    n_triplets: int,
    *,
    pixels: float = 1.0,
    classes: float = 1.0,
    strokes: float = 1.0,
    ceiling: float = 0.678,
    seed: int = 0,
) -> Observer:
    """A simulated observer of images: higher similarity = alike in pixels, in class and in the strokes' directions.

    It is no model of people. It stands in where no human answers are at hand, so that a known mixture of appearance and
    meaning, with calibrated noise, drives the choices.

    Parameters
    ----------
    images : array of shape (n_images, height, width)
        Intensities.
    labels : integer array of shape (n_images,)
        Class of each image.
    n_triplets : int
        Different triplets to answer.
    pixels, classes, strokes : float
        Weights of the three similarities, each at least 0; each similarity is first scaled to unit standard deviation
        over the pairs of images. *Pixels*: inner product of the centred images. *Classes*: 1 for the same class, else
        0. *Strokes*: inner product of the centred gradient energies in four directions, in a 2 × 2 grid of cells.
    ceiling : float
        Mean of the largest choice probability, which sets the noise (`calibrate_temperature`).
    seed : int
        Source of triplets and noise.

    Returns
    -------
    Observer

    Raises
    ------
    ValueError
        On malformed images or labels, negative or all-zero weights, or a ceiling that cannot be reached.

    Examples
    --------
    >>> images = np.random.default_rng(0).random((12, 8, 8))
    >>> observer = simulated_observer(images, np.arange(12) % 3, 50)
    >>> observer.triplets.shape, observer.choices.shape, observer.similarity.shape
    ((50, 3), (50,), (12, 12))
    """
    images = np.asarray(images, dtype=np.float64)
    if images.ndim != 3 or not np.isfinite(images).all():
        raise ValueError(f"'images' must be finite, of shape (n_images, height, width), got shape {images.shape}.")
    labels = as_integers(labels, "labels", shape=(len(images),))
    weights = np.array([pixels, classes, strokes], dtype=np.float64)
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.sum() > 0):
        raise ValueError(f"'pixels', 'classes' and 'strokes' must be at least 0 and not all 0, got {weights.tolist()}.")
    views = (_inner(images.reshape(len(images), -1)), labels[:, None] == labels, _inner(_stroke_energies(images)))
    similarity = sum(weight * _unit_spread(view) for weight, view in zip(weights, views, strict=True) if weight)
    triplets = draw_triplets(len(images), n_triplets, [seed, 0])
    similarity = similarity / calibrate_temperature(similarity, triplets, ceiling)
    return Observer(triplets, sample_choices(similarity, triplets, [seed, 1]), similarity=similarity)


def _inner(vectors: np.ndarray) -> np.ndarray:
    centred = vectors - vectors.mean(axis=0)
    return centred @ centred.T


def _unit_spread(similarity: np.ndarray) -> np.ndarray:
    spread = similarity[np.triu_indices(len(similarity), 1)].std()
    if not spread > 0:
        raise ValueError("'images' and 'labels' must differ: one of their similarities is the same for all pairs.")
    return similarity / spread


def _stroke_energies(images: np.ndarray) -> np.ndarray:
    """Gradient energy in four directions (0, 45, 90, 135 degrees), in a 2 × 2 grid of cells, shape (n, 16)."""
    down, right = np.gradient(images, axis=(1, 2))
    angles = np.arange(4) * np.pi / 4
    energy = (right[..., None] * np.cos(angles) + down[..., None] * np.sin(angles)) ** 2
    rows = [part for half in np.array_split(energy, 2, axis=1) for part in np.array_split(half, 2, axis=2)]
    return np.concatenate([cell.mean(axis=(1, 2)) for cell in rows], axis=1)


def load_features(folder: str | Path) -> dict[str, np.ndarray]:
    """Features of a study, one file ``<model>.npy`` of shape (n_objects, p) a model, by name.

    Parameters
    ----------
    folder : path
        p may differ between models; the objects, and their order, may not.

    Returns
    -------
    dict
        Model name → float array (n_objects, p), in alphabetical order.

    Raises
    ------
    ValueError
        If the folder has no such file, or a file is no finite table, has other rows than the first, or repeats another.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "resnet.npy", np.eye(4))
    ...     {name: table.shape for name, table in load_features(folder).items()}
    {'resnet': (4, 4)}
    """
    paths = sorted(user_path(folder).glob("*.npy"))
    if not paths:
        raise ValueError(f"'folder' must hold files <model>.npy, got none in {folder}.")
    features: dict[str, np.ndarray] = {}
    for path in paths:
        table = as_features(np.load(path, allow_pickle=False), path.name).numpy()
        for name, other in features.items():
            if len(other) != len(table):
                raise ValueError(f"'{path.name}' must have the {len(other)} rows of '{name}.npy', got {len(table)}.")
            if np.array_equal(other, table):
                raise ValueError(f"'{path.name}' must differ from '{name}.npy', got the same features.")
        features[path.stem] = table
    return features


def load_things_triplets(path: str | Path, n_objects: int = 1854) -> Observer:
    """Human odd-one-out answers from a text file in one of the two public THINGS formats.

    Parameters
    ----------
    path : path
        Integers separated by tabs or spaces, one trial a line. Three columns: 0-based objects, the third is the odd one
        out. Five columns: three 1-based objects, the position (1 to 3) of the odd one, the subject.
    n_objects : int
        How many objects there are; 1,854 in THINGS.

    Returns
    -------
    Observer
        With `subjects` for five columns.

    Raises
    ------
    ValueError
        If a line is malformed, an object or position out of range, or an object twice in one trial.

    References
    ----------
    Hebart et al. (2023), THINGS-data, eLife 12:e82580, doi:10.7554/eLife.82580.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
    ...     _ = file.write("3 1 2\\n0 4 1\\n")
    ...     file.flush()
    ...     load_things_triplets(file.name).choices
    array([2, 2])
    """
    path = user_path(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # of no data, which is an error here
            rows = np.loadtxt(path, dtype=np.int64, ndmin=2)
    except ValueError as error:
        raise ValueError(f"'{path}' must hold integers, as many in each line: {error}.") from error
    if rows.shape[1] not in (3, 5) or len(rows) == 0:
        raise ValueError(f"'{path}' must hold lines of 3 or 5 columns, got {len(rows)} lines of {rows.shape[1]}.")
    if rows.shape[1] == 3:
        return Observer(check_triplets(rows, n_objects), np.full(len(rows), 2))
    if rows[:, 3].min() < 1 or rows[:, 3].max() > 3:
        raise ValueError(f"'{path}' must give positions 1 to 3, got {rows[:, 3].min()} to {rows[:, 3].max()}.")
    return Observer(check_triplets(rows[:, :3] - 1, n_objects), rows[:, 3] - 1, subjects=rows[:, 4])

"""Synthetic stimuli: squares placed apart at random distances."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

_ATTEMPTS = 100


def squares(
    n_images: int,
    *,
    size: int = 16,
    side: int = 3,
    n_squares: int = 2,
    distance: int | None = None,
    seed: int = 0,
) -> "torch.Tensor":
    """Images of bright squares on a dark ground, 1 = square, 0 = ground; the squares lie apart at random distances.

    Every square is placed evenly among the places whose centre is at least `distance` from those of the squares before
    it, so the distances are random from there up.

    Parameters
    ----------
    n_images : int
    size : int
        Side of the images in pixels.
    side : int
        Side of a square in pixels.
    n_squares : int
        Squares in an image.
    distance : int, optional
        Least distance between the centres of two squares in pixels, along the axis on which they are farther apart. At
        least `side`, which is the default: squares may touch and never overlap.
    seed : int

    Returns
    -------
    torch.Tensor of shape (n_images, 1, size, size), float32

    Raises
    ------
    ValueError
        If a number is out of range, or so many squares so far apart do not fit.

    Notes
    -----
    Cheung et al. (2024), *Let's disagree to agree*, CCN, show networks "squares placed at random distances" and leave
    their number and sizes open; these are this module's.

    Examples
    --------
    >>> squares(2, size=6, side=2, seed=1)[0, 0].int()
    tensor([[0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0],
            [0, 1, 1, 0, 1, 1],
            [0, 1, 1, 0, 1, 1],
            [0, 0, 0, 0, 0, 0],
            [0, 0, 0, 0, 0, 0]], dtype=torch.int32)
    """
    distance = side if distance is None else distance
    _check(n_images=n_images, side=side, n_squares=n_squares, size=size, distance=distance)
    rng = np.random.default_rng(seed)
    images = np.zeros((n_images, 1, size, size), np.float32)
    for image in images:
        for row, column in _corners(rng, size - side + 1, n_squares, distance):
            image[0, row : row + side, column : column + side] = 1
    import torch  # here, so that squares which do not fit are refused before it is loaded

    return torch.from_numpy(images)


def _check(*, side: int, size: int, distance: int, **counts: int) -> None:
    for name, value in {**counts, "side": side}.items():
        if value < 1:
            raise ValueError(f"'{name}' must be at least 1, got {value}.")
    if side > size:
        raise ValueError(f"'side' must be at most the image's side of {size} pixels, got {side}.")
    if distance < side:
        raise ValueError(f"'distance' must be at least the squares' side of {side} pixels, got {distance}.")


def _corners(rng: np.random.Generator, n_places: int, n_squares: int, distance: int) -> list[tuple[int, int]]:
    """Upper left corners of one image's squares; a placing that leaves no room for the last square starts again."""
    for _ in range(_ATTEMPTS):
        corners, free = [], np.ones((n_places, n_places), bool)
        while free.any() and len(corners) < n_squares:
            row, column = divmod(int(rng.choice(np.flatnonzero(free))), n_places)
            corners.append((row, column))
            free[max(0, row - distance + 1) : row + distance, max(0, column - distance + 1) : column + distance] = False
        if len(corners) == n_squares:
            return corners
    raise ValueError(
        f"'n_squares' must fit into the image: no place found for {n_squares} squares at least {distance} pixels apart."
    )

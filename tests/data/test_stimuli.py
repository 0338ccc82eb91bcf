"""Squares: as many, as large and as far apart as asked, wherever they are."""

import itertools

import numpy as np
import pytest
import torch
from scipy import ndimage

from analysis.data.stimuli import squares


def corners(image):
    """Upper left corner and sides of every connected bright patch."""
    labelled, _ = ndimage.label(image.numpy() > 0)
    patches = ndimage.find_objects(labelled)
    return [
        (rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start) for rows, columns in patches
    ]


@pytest.mark.parametrize(("side", "n_squares", "distance"), [(1, 1, 1), (2, 3, 4), (3, 2, 5), (3, 4, 6)])
def test_squares_are_as_asked(side, n_squares, distance):
    for image in squares(40, size=16, side=side, n_squares=n_squares, distance=distance, seed=1)[:, 0]:
        found = corners(image)
        assert len(found) == n_squares
        assert {sides for _, _, *sides in found for sides in sides} == {side}
        for (a, b, *_), (c, d, *_) in itertools.combinations(found, 2):
            assert max(abs(a - c), abs(b - d)) >= distance


def test_squares_never_overlap_by_default():
    images = squares(200, size=10, side=3, n_squares=3)
    assert (images.sum((1, 2, 3)) == 27).all()
    assert set(images.unique().tolist()) == {0.0, 1.0}
    assert images.dtype == torch.float32


def test_every_place_and_many_distances_occur():
    places, distances = set(), set()
    for image in squares(2000, size=6, side=1, n_squares=2)[:, 0]:
        (a, b), (c, d) = np.argwhere(image.numpy())
        places |= {(a, b), (c, d)}
        distances.add(max(abs(a - c), abs(b - d)))
    assert len(places) == 36
    assert distances == {1, 2, 3, 4, 5}


def test_the_seed_decides():
    assert torch.equal(squares(5, seed=3), squares(5, seed=3))
    assert not torch.equal(squares(5, seed=3), squares(5, seed=4))


def test_a_tight_fit_is_found():
    assert (squares(20, size=6, side=2, n_squares=3).sum((1, 2, 3)) == 12).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"n_images": 0}, "'n_images' must be at least 1, got 0"),
        ({"n_squares": 0}, "'n_squares' must be at least 1, got 0"),
        ({"side": 0}, "'side' must be at least 1, got 0"),
        ({"side": 17}, "'side' must be at most the image's side of 16 pixels, got 17"),
        ({"distance": 2}, "'distance' must be at least the squares' side of 3 pixels, got 2"),
        ({"n_squares": 2, "distance": 14}, "'n_squares' must fit into the image: no place found for 2 squares"),
    ],
)
def test_bad_input_is_named(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        squares(**{"n_images": 2, **options})

"""Pictures become what a model takes, in the way that is stated."""

import numpy as np
import pytest
import torch
from PIL import Image

from analysis.models.preprocessing import Grey, Normalised, Wrapped

PLAIN = {"mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)}


def pictures(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.integers(256, size=(*shape, 3), dtype=np.uint8) for shape in shapes]


def test_a_picture_of_the_right_size_is_only_normalised():
    (picture,) = pictures((8, 8))
    prepared = Normalised(8, (0.4, 0.5, 0.6), (0.1, 0.2, 0.3))([picture])
    expected = (picture / 255 - [0.4, 0.5, 0.6]) / [0.1, 0.2, 0.3]
    np.testing.assert_allclose(prepared[0].permute(1, 2, 0).numpy(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(20, 40), (40, 20), (9, 33), (8, 9), (5, 7), (1, 3)])
def test_any_picture_becomes_a_square(shape):
    assert Normalised(8, **PLAIN)(pictures(shape)).shape == (1, 3, 8, 8)
    assert Grey(8)(pictures(shape)).shape == (1, 1, 8, 8)


def test_the_middle_is_kept():
    picture = np.zeros((10, 30, 3), np.uint8)
    picture[:, 10:20] = 255
    assert Normalised(10, **PLAIN)([picture]).min() == 1


def test_pictures_in_a_batch_do_not_touch_each_other():
    mixed = pictures((20, 40), (8, 8), (50, 9))
    prepare = Normalised(8, **PLAIN)
    torch.testing.assert_close(prepare(mixed), torch.cat([prepare([picture]) for picture in mixed]), rtol=0, atol=0)


def test_brightness_of_grey_pictures_is_their_own():
    grey = np.repeat(np.arange(64, dtype=np.uint8).reshape(8, 8, 1) * 4, 3, axis=2)
    np.testing.assert_allclose(Grey(8)([grey])[0, 0].numpy(), grey[..., 0] / 255, atol=1e-6)


def test_a_packages_own_transform_is_used_and_described():
    def halved(picture: Image.Image) -> torch.Tensor:
        return torch.from_numpy(np.array(picture.reduce(2))).permute(2, 0, 1)

    prepare = Wrapped(halved, "half\n  the size")
    assert prepare(pictures((8, 8), (8, 8))).shape == (2, 3, 4, 4)
    assert str(prepare) == "half the size"

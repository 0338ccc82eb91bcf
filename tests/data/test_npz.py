"""Pictures of an `.npz` file: every accepted form gives the same RGB pixels, and bad files are named."""

import numpy as np
import pytest

from analysis.data import npz
from analysis.data.npz import NpzPictures

RGB = np.random.default_rng(0).integers(256, size=(5, 4, 6, 3), dtype=np.uint8)


@pytest.fixture
def save(tmp_path):
    def save(**arrays):
        np.savez_compressed(tmp_path / "pictures.npz", **arrays)
        return tmp_path / "pictures.npz"

    return save


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x,
        lambda x: x.transpose(0, 3, 1, 2).copy(),
        lambda x: x.astype(np.uint16) * 257,
        lambda x: (x / 255).astype(np.float32),
        lambda x: x / 255,
    ],
    ids=["channels last", "channels first", "16 bits", "float32", "float64"],
)
def test_all_forms_give_the_same_pixels(save, form):
    pictures = NpzPictures(save(x=form(RGB)))
    assert len(pictures) == 5
    np.testing.assert_array_equal(pictures.read(range(5)), RGB)


@pytest.mark.parametrize("shape", [(5, 4, 6), (5, 4, 6, 1), (5, 1, 4, 6)])
def test_grey_pictures_have_three_equal_channels(save, shape):
    grey = RGB[..., 0]
    (picture,) = NpzPictures(save(x=grey.reshape(shape))).read([2])
    assert (picture == grey[2][..., None]).all()
    assert picture.shape == (4, 6, 3)


@pytest.mark.parametrize("positions", [[0, 1, 2], [4, 0, 4], [3], []])
def test_any_order_is_read(save, positions):
    pictures = NpzPictures(save(x=RGB))
    for _ in range(2):
        found = pictures.read(positions)
        assert len(found) == len(positions)
        for picture, position in zip(found, positions, strict=True):
            np.testing.assert_array_equal(picture, RGB[position])


def test_labels_are_numbers_texts_or_none(save):
    assert NpzPictures(save(x=RGB)).labels() is None
    assert NpzPictures(save(x=RGB, y=np.arange(5))).labels().tolist() == [0, 1, 2, 3, 4]
    assert NpzPictures(save(x=RGB, y=list("abcde"))).labels().tolist() == list("abcde")


def test_the_hash_is_the_files(save):
    first = NpzPictures(save(x=RGB)).sha256()
    assert first != NpzPictures(save(x=RGB[::-1].copy())).sha256()
    assert len(first) == 64


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"z": RGB}, "must hold the array 'x', got z"),
        ({"x": RGB.astype(np.int64)}, "must be uint8, uint16 or floats in \\[0, 1\\], got int64"),
        ({"x": RGB[0, 0]}, "must have shape .* got \\(6, 3\\)"),
        ({"x": RGB[:0]}, "must have shape .* without a 0, got \\(0, 4, 6, 3\\)"),
        ({"x": np.asfortranarray(RGB)}, "must be stored row by row"),
        ({"x": np.array([{}, {}], dtype=object)}, "must be a plain array, got objects"),
    ],
)
def test_other_arrays_are_refused_before_anything_is_unpacked(save, arrays, message):
    with pytest.raises(ValueError, match=message):
        NpzPictures(save(**arrays))


@pytest.mark.parametrize("value", [-0.1, 1.1, np.nan])
def test_values_outside_the_range_are_named_with_their_picture(save, value):
    x = RGB / 255
    x[3, 0, 0, 0] = value
    pictures = NpzPictures(save(x=x))
    pictures.read([0, 1, 2, 4])
    with pytest.raises(ValueError, match="must be finite and in \\[0, 1\\], got .* in picture 3"):
        pictures.read([3])


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.arange(4), "must have one label for each of 5 pictures, got \\(4,\\)"),
        (np.arange(5) - 1, "must hold integers from 0 or texts, got -1"),
        (np.arange(5) / 2, "must hold integers from 0 or texts, got float64"),
    ],
)
def test_bad_labels_are_refused(save, y, message):
    with pytest.raises(ValueError, match=message):
        NpzPictures(save(x=RGB, y=y)).labels()


def test_what_would_unpack_to_too_much_is_refused(save, monkeypatch):
    monkeypatch.setattr(npz, "MAX_BYTES", RGB.nbytes - 1)
    with pytest.raises(ValueError, match="must unpack to at most"):
        NpzPictures(save(x=RGB))


def test_a_file_that_is_none_or_is_cut_is_named(save, tmp_path):
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(ValueError, match="must be an .npz file of plain arrays, and could not be read"):
        NpzPictures(tmp_path / "text.npz")
    path = save(x=np.random.default_rng(1).integers(256, size=(50, 40, 30), dtype=np.uint8))
    content = bytearray(path.read_bytes())
    pictures = NpzPictures(path)
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match="could not be read"):
        pictures.read(range(50))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("positions", [[], [4], [2, 3, 4], [7, 1, 1, 2, 9, 0], list(range(10))])
def test_pictures_come_in_the_order_that_is_asked_for(tmp_path, positions, dtype):
    x = np.random.default_rng(0).integers(256, size=(10, 4, 5, 3))
    scaled = x / 255 if dtype == np.float32 else x * (257 if dtype == np.uint16 else 1)
    np.savez(tmp_path / "x.npz", x=scaled.astype(dtype))
    found = NpzPictures(tmp_path / "x.npz").read(positions)
    assert len(found) == len(positions)
    assert all((picture == x[position]).all() for picture, position in zip(found, positions, strict=True))


def test_the_picture_that_is_none_is_named(tmp_path):
    x = np.full((10, 4, 5), 0.5)
    x[6, 1, 1] = 1.5
    np.savez(tmp_path / "x.npz", x=x)
    with pytest.raises(ValueError, match=r"got values from 0\.5 to 1\.5 in picture 6"):
        NpzPictures(tmp_path / "x.npz").read([3, 5, 6, 7])

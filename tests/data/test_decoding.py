"""One picture file as RGB pixels: modes, bits, orientation, transparency; files that are no pictures are named."""

import numpy as np
import pytest
from PIL import Image

from analysis.data import decoding

PIXELS = np.random.default_rng(0).integers(256, size=(6, 5, 3), dtype=np.uint8)


@pytest.fixture
def save(tmp_path):
    def save(picture, name="picture.png", **options):
        picture.save(tmp_path / name, **options)
        return tmp_path / name

    return save


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp"])
def test_lossless_formats_give_back_their_pixels(save, name):
    options = {"lossless": True} if name.endswith("webp") else {}
    np.testing.assert_array_equal(decoding.decode(save(Image.fromarray(PIXELS), name, **options)), PIXELS)


def test_a_wrong_suffix_does_not_matter(save):
    path = save(Image.fromarray(PIXELS), "picture.jpg", format="PNG")
    np.testing.assert_array_equal(decoding.decode(path), PIXELS)


def test_grey_becomes_three_equal_channels_and_sixteen_bits_become_eight(save):
    grey = PIXELS[..., 0]
    for picture in (Image.fromarray(grey), Image.fromarray(grey.astype(np.uint16) * 257)):
        np.testing.assert_array_equal(decoding.decode(save(picture)), np.repeat(grey[..., None], 3, axis=2))


def test_transparent_pixels_are_laid_on_white(save):
    alpha = np.full((6, 5, 1), 255, dtype=np.uint8)
    alpha[0] = 0
    found = decoding.decode(save(Image.fromarray(np.concatenate([PIXELS, alpha], axis=2))))
    assert (found[0] == 255).all()
    np.testing.assert_array_equal(found[1:], PIXELS[1:])


def test_pictures_are_turned_as_their_exif_data_say(save):
    picture = Image.fromarray(PIXELS)
    exif = picture.getexif()
    exif[0x0112] = 6  # a quarter turn clockwise
    np.testing.assert_array_equal(decoding.decode(save(picture, exif=exif)), np.rot90(PIXELS, -1))


def test_truncated_files_and_other_files_are_named(save, tmp_path):
    path = save(Image.fromarray(np.tile(PIXELS, (20, 20, 1))))
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(ValueError, match="is damaged or truncated"):
        decoding.decode(path)
    (tmp_path / "text.png").write_text("no picture")
    for call in (decoding.decode, decoding.check):
        with pytest.raises(ValueError, match="is no JPEG, PNG, WebP, BMP or TIFF file"):
            call(tmp_path / "text.png")
        with pytest.raises(ValueError, match="cannot be read"):
            call(tmp_path / "absent.png")


def test_floating_point_pictures_and_large_ones_are_refused(save, monkeypatch):
    path = save(Image.fromarray(PIXELS[..., 0].astype(np.float32)), "float.tif")
    with pytest.raises(ValueError, match="holds floating-point numbers"):
        decoding.decode(path)
    monkeypatch.setattr(decoding, "MAX_PIXELS", 29)
    with pytest.raises(ValueError, match="must have at most 29 pixels, got \\(5, 6\\)"):
        decoding.check(save(Image.fromarray(PIXELS)))

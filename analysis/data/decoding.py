"""One picture file as RGB pixels, whatever it holds; a file that is no whole picture is named in one sentence."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""File names that end so, in small or capital letters, are pictures."""

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF")
MAX_PIXELS = 89_478_485
"""Pixels of the largest picture: a quarter of a gigabyte once it is unpacked."""

_SIXTEEN_BIT = {"I;16", "I;16B", "I;16L", "I;16N", "I"}


def decode(path: Path) -> np.ndarray:
    """RGB pixels of a picture file, uint8 array of shape (height, width, 3).

    The picture is turned as its EXIF data say. Grey, CMYK and palette pictures become RGB, 16 bits become 8, and
    transparent pixels are laid on white. Of a file with several pictures the first is taken.

    Parameters
    ----------
    path : path
        A file of one of `FORMATS`.

    Raises
    ------
    ValueError
        If the file is truncated, no such picture, larger than `MAX_PIXELS`, or of floating-point numbers, whose white
        is not known.
    """
    with _opened(path) as picture:
        try:
            pixels = np.asarray(_rgb(ImageOps.exif_transpose(picture)))
        except _Refused as error:
            raise ValueError(f"Picture '{path}' {error}.") from None
        except Exception as error:  # a damaged picture fails in as many ways as there are decoders
            raise ValueError(f"Picture '{path}' is damaged or truncated ({_one_line(error)}).") from None
    return pixels


def check(path: Path) -> None:
    """Raise what `decode` would raise for this file, as far as its header tells."""
    with _opened(path):
        pass


class _Refused(Exception):
    """A picture that is whole and cannot be converted."""


def _opened(path: Path) -> Image.Image:
    try:
        picture = Image.open(path, formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(f"Picture '{path}' is no JPEG, PNG, WebP, BMP or TIFF file.") from None
    except Image.DecompressionBombError:
        raise ValueError(f"Picture '{path}' must have at most {MAX_PIXELS:,} pixels.") from None
    except Exception as error:  # as above
        raise ValueError(f"Picture '{path}' cannot be read ({_one_line(error)}).") from None
    if picture.width * picture.height > MAX_PIXELS:
        picture.close()
        raise ValueError(f"Picture '{path}' must have at most {MAX_PIXELS:,} pixels, got {picture.size}.")
    return picture


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "F":
        raise _Refused("holds floating-point numbers, and which of them is white is not known")
    if picture.mode in _SIXTEEN_BIT:
        return Image.fromarray(_eight_bits(np.asarray(picture))).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    return picture.convert("RGB")


def _eight_bits(values: np.ndarray) -> np.ndarray:
    """0 to 65535 as 0 to 255."""
    if values.min() < 0 or values.max() > 65535:
        raise _Refused(f"must have values from 0 to 65535, got {values.min()} to {values.max()}")
    return np.rint(values / 257).astype(np.uint8)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__

"""From a picture to what a model takes: each model's own way, never a guess."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


@dataclass(frozen=True)
class Normalised:
    """Resize the shorter side (bilinear, antialiased), cut out the middle, subtract a mean, divide by a deviation.

    Parameters
    ----------
    size : int
        Side of the square in pixels.
    mean, std : three floats
        Of the pixels in [0, 1] of the red, green and blue channel.
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, ...]

    def __call__(self, pictures: Sequence[np.ndarray]) -> torch.Tensor:
        """Pictures (height, width, 3), uint8 → tensor (n, 3, size, size), float32."""
        # In NumPy: PyTorch in the thread that reads ahead would start threads beside those of the model.
        cut = np.stack([_square(picture, self.size) for picture in pictures])
        pixels = np.ascontiguousarray(cut.transpose(0, 3, 1, 2), np.float32) / np.float32(255)
        mean, std = (np.array(values, np.float32)[:, None, None] for values in (self.mean, self.std))
        return torch.from_numpy((pixels - mean) / std)

    def __str__(self) -> str:
        mean, std = (", ".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std))
        return f"shorter side to {self.size} pixels, middle square, (x - [{mean}]) / [{std}] for x in [0, 1]"


def _square(picture: np.ndarray, size: int) -> np.ndarray:
    height, width = picture.shape[:2]
    if (height, width) == (size, size):
        return picture
    scale = size / min(height, width)
    wide, high = max(size, round(width * scale)), max(size, round(height * scale))
    resized = np.asarray(Image.fromarray(picture).resize((wide, high), Image.Resampling.BILINEAR))
    top, left = (high - size) // 2, (wide - size) // 2
    return resized[top : top + size, left : left + size]


@dataclass(frozen=True)
class Grey:
    """Brightness in [0, 1], resampled to a square (bilinear): what the zoo's networks take.

    Parameters
    ----------
    size : int
        Side of the square in pixels.
    """

    size: int

    def __call__(self, pictures: Sequence[np.ndarray]) -> torch.Tensor:
        """Pictures (height, width, 3), uint8 → tensor (n, 1, size, size), float32."""
        return torch.cat([self._one(picture) for picture in pictures])

    def _one(self, picture: np.ndarray) -> torch.Tensor:
        grey = torch.from_numpy(np.asarray(Image.fromarray(picture).convert("L"), np.float32) / 255)[None, None]
        return F.interpolate(grey, (self.size, self.size), mode="bilinear", antialias=True).clamp(0, 1)

    def __str__(self) -> str:
        return f"grey, resampled to {self.size} x {self.size} pixels in [0, 1]"


@dataclass(frozen=True)
class Wrapped:
    """The preprocessing that a package prescribes for a model's weights.

    Parameters
    ----------
    transform : callable
        Takes a PIL image, returns a tensor (channels, height, width).
    described : str
        In words, for the record of a run.
    """

    transform: Callable[[Image.Image], torch.Tensor]
    described: str

    def __call__(self, pictures: Sequence[np.ndarray]) -> torch.Tensor:
        """Pictures (height, width, 3), uint8 → tensor (n, channels, height, width), float32."""
        return torch.stack([self.transform(Image.fromarray(picture)) for picture in pictures]).to(torch.float32)

    def __str__(self) -> str:
        return " ".join(self.described.split())


Preprocessing = Normalised | Grey | Wrapped

"""Corrupted images: seven kinds, five severities, the same result for the same seed."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from analysis.checks import choose

LEVELS = {
    "gaussian noise": (0.1, 0.2, 0.3, 0.4, 0.5),
    "blur": (0.03, 0.045, 0.06, 0.08, 0.1),
    "contrast": (0.7, 0.5, 0.35, 0.2, 0.1),
    "occlusion": (0.2, 0.3, 0.4, 0.5, 0.6),
    "rotation": (10, 20, 30, 40, 50),
    "shift": (0.06, 0.12, 0.18, 0.24, 0.3),
    "pixelate": (0.5, 0.4, 0.33, 0.25, 0.2),
}
"""Strength of each kind at severities 1 to 5 (see `corrupt`)."""


def corrupt(x: torch.Tensor, kind: str, severity: int, *, seed: int = 0) -> torch.Tensor:
    """Corrupted copies of images in [0, 1], a higher severity further from the original.

    ================  =======================================================  ===================
    kind              what happens                                             severity 1 ... 5
    ================  =======================================================  ===================
    gaussian noise    independent noise on every pixel, then clipped;          0.1 ... 0.5
                      its standard deviation
    blur              Gaussian filter; its standard deviation in sides         0.03 ... 0.1
    contrast          distance from the image's mean grey, multiplied by       0.7 ... 0.1
    occlusion         grey square at a random place; its side in sides         0.2 ... 0.6
    rotation          about the centre, to a random side, in degrees           10 ... 50
    shift             in a random direction, in sides, background moves in     0.06 ... 0.3
    pixelate          averaged into square blocks; how many a pixel            0.5 ... 0.2
    ================  =======================================================  ===================

    Lengths are shares of the image's side, so that a severity means the same at every resolution.

    Parameters
    ----------
    x : tensor of shape (n, 1, size, size), float32 in [0, 1]
    kind : str
        One of `LEVELS`.
    severity : int
        1 to 5.
    seed : int
        Decides noise, places and directions, image by image.

    Returns
    -------
    tensor of the same shape, on the same device, in [0, 1]

    Examples
    --------
    >>> corrupt(torch.eye(4).reshape(1, 1, 4, 4), "contrast", 2).unique()
    tensor([0.1250, 0.6250])
    """
    choose(severity, "severity", (1, 2, 3, 4, 5))
    level = LEVELS[choose(kind, "kind", tuple(LEVELS))][severity - 1]
    if x.ndim != 4 or x.shape[2] != x.shape[3] or not x.is_floating_point():
        raise ValueError(
            f"'x' must be a float tensor of shape (n, channels, size, size), got {tuple(x.shape)} {x.dtype}."
        )
    if len(x) and not (x.min() >= 0 and x.max() <= 1):
        raise ValueError(f"'x' must be in [0, 1], got values from {float(x.min())} to {float(x.max())}.")
    generator = torch.Generator().manual_seed(seed)
    return _CORRUPTIONS[kind](x.cpu(), level, generator).clamp(0, 1).to(x.device)


def _noise(x, spread, generator):
    return x + spread * torch.randn(x.shape, generator=generator)


def _blur(x, share, _generator):
    size = x.shape[-1]
    offsets = torch.arange(size, dtype=x.dtype)[:, None] - torch.arange(size)
    weights = torch.exp(-0.5 * (offsets / (share * size)) ** 2)
    weights = weights / weights.sum(1, keepdim=True)  # the border counts only pixels that exist
    return weights @ x @ weights.T


def _contrast(x, factor, _generator):
    mean = x.mean((1, 2, 3), keepdim=True)
    return mean + factor * (x - mean)


def _occlusion(x, share, generator):
    size = x.shape[-1]
    side = max(1, round(share * size))
    corner = torch.randint(0, size - side + 1, (2, len(x), 1), generator=generator)
    inside = (torch.arange(size) >= corner) & (torch.arange(size) < corner + side)
    return x.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0.5)


def _rotation(x, degrees, generator):
    angle = math.radians(degrees) * (2.0 * torch.randint(0, 2, (len(x),), generator=generator) - 1)
    return _moved(x, angle, torch.zeros(len(x), 2))


def _shift(x, share, generator):
    direction = 2 * math.pi * torch.rand(len(x), generator=generator)
    return _moved(x, torch.zeros(len(x)), 2 * share * torch.stack([direction.cos(), direction.sin()], 1))


def _moved(x, angle, offset):
    """Rotated by radians, then shifted by halves of the side (`affine_grid` runs from -1 to 1); zeros move in."""
    rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).reshape(-1, 2, 2)
    grid = F.affine_grid(torch.cat([rotation, offset[:, :, None]], 2), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid.to(x.dtype), align_corners=False)


def _pixelate(x, share, _generator):
    blocks = F.interpolate(x, size=max(1, round(share * x.shape[-1])), mode="area")
    return F.interpolate(blocks, size=x.shape[-1], mode="nearest-exact")


_CORRUPTIONS: dict[str, Callable] = {
    "gaussian noise": _noise,
    "blur": _blur,
    "contrast": _contrast,
    "occlusion": _occlusion,
    "rotation": _rotation,
    "shift": _shift,
    "pixelate": _pixelate,
}
KINDS = tuple(_CORRUPTIONS)
"""Names of the corruptions."""

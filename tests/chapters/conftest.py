"""Models and pictures of a reader's own."""

import numpy as np
import pytest
from PIL import Image

NETS = """
import torch
from torch import nn


def net(number):
    torch.manual_seed(number)
    maps = nn.Sequential(nn.Conv2d(3, 4 + number, 3), nn.ReLU(), nn.Conv2d(4 + number, 5, 3), nn.ReLU())
    return nn.Sequential(*maps, nn.Flatten(), nn.Linear(720, 3))
"""
KINDS = ("cat", "dog", "owl")


def _line_up(folder, n_models=3, n_pictures=40, labelled=True, **keys):
    """Small networks of a user's file, and noise in folders that name its category, or in one folder."""
    builders = "".join(f"\n\ndef net{number}():\n    return net({number})\n" for number in range(n_models))
    (folder / "nets.py").write_text(NETS + builders)
    plain = {"mean": "[0.5, 0.5, 0.5]", "std": "[1, 1, 1]", "size": 16, "classes": "[cat, dog, owl]"}
    how = ", ".join(f"{key}: {value}" for key, value in (plain | keys).items())
    entries = [f"  - {{name: net{number}, source: 'nets.py:net{number}', {how}}}\n" for number in range(n_models)]
    (folder / "models.yml").write_text("models:\n" + "".join(entries))
    rng = np.random.default_rng(0)
    for number in range(n_pictures):
        place = folder / "pictures" / (KINDS[number % 3] if labelled else "")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)).save(place / f"{number:02d}.png")
    return {"models": str(folder / "models.yml"), "images": str(folder / "pictures")}


@pytest.fixture(scope="session")
def line_up():
    """Writes a line-up and pictures to a folder; returns the parameters that name them."""
    return _line_up

"""THINGS: people's odd-one-out choices among 1,854 objects, and embeddings made of such choices."""

import numpy as np

from analysis.data import registry

EMBEDDINGS = {
    "VICE, 42": "things/vice_42d.npy",
    "SPoSE, 14": "things/spose_14d.npy",
    "SPoSE, 49": "things/spose_49d.txt",
    "SPoSE, 66": "things/spose_66d.txt",
    "SPoSE, 82": "things/spose_82d.npy",
}
"""Registered files of the embeddings, by method and number of dimensions."""
TRIALS = {"1,000 triplets": "things/vice_test_triplets.csv", "2,171 triplets": "things/trials_2171_humans.txt"}
"""Registered files of people's choices, by the number of different triplets."""


def load_embeddings() -> dict[str, np.ndarray]:
    """The five embeddings, float32 (1854, dimensions) each, divided by one number: the mean squared length is 1."""
    tables = {name: _read(file) for name, file in EMBEDDINGS.items()}
    return {name: (table / np.sqrt((table**2).sum(axis=1).mean())).astype(np.float32) for name, table in tables.items()}


def _read(file: str) -> np.ndarray:
    path = registry.public_path(file)
    return np.load(path, allow_pickle=False) if path.suffix == ".npy" else np.loadtxt(path)

"""A reader's own features and answers, in files."""

import numpy as np
import pytest

from analysis.recovery.triplets import draw_triplets


def _own_files(folder):
    rng = np.random.default_rng(0)
    features = folder / "features"
    features.mkdir()
    for name in ("net-1", "net-2", "other"):
        np.save(features / f"{name}.npy", rng.normal(size=(40, 3)))
    trials = folder / "trials.txt"
    np.savetxt(trials, draw_triplets(40, 600, 0), fmt="%d")
    return features, trials


@pytest.fixture(scope="session")
def own_files():
    return _own_files

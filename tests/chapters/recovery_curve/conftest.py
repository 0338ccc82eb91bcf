"""Random accuracies, a small study, and a reader's own features and answers in files."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve.studies import Study
from analysis.recovery.features import normalised
from analysis.recovery.observers import Observer
from analysis.recovery.triplets import draw_triplets, sample_choices


@pytest.fixture
def accuracies() -> pd.DataFrame:
    """A table of random accuracies with ties, of five models at one number of triplets."""
    names = [f"m{i}" for i in range(5)]
    cells = [(g, c, 100, s) for g in names for c in names for s in range(3)]
    table = pd.DataFrame(cells, columns=["generator", "candidate", "n_triplets", "seed"])
    return table.assign(test_accuracy=np.random.default_rng(0).integers(0, 6, len(table)) / 8)


@pytest.fixture
def study() -> Study:
    """Three random models; the observer answers as the first of them does."""
    rng = np.random.default_rng(0)
    features = {name: normalised(rng.normal(size=(40, 4))) for name in ("a-1", "a-2", "b-1")}
    similarity = 20 * features["a-1"] @ features["a-1"].T
    triplets = draw_triplets(40, 2000, 0)
    observer = Observer(triplets, sample_choices(similarity, triplets, 0), similarity=similarity)
    models = pd.DataFrame({"family": ["a", "a", "b"], "training": "normal"}, index=list(features))
    return Study(features, observer, models, None)


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

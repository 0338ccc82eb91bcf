"""What the tests of several measures draw from."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(scope="session")
def draw_predictions():
    return _draw_predictions


def _draw_predictions(seed, n_models=9, n_stimuli=60, n_categories=4, missing=0.2):
    """Models of different accuracy, some answers missing; the first stimuli have no and one answer."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_categories, size=n_stimuli)
    guesses = rng.integers(n_categories, size=(n_models, n_stimuli))
    predictions = np.where(rng.random((n_models, n_stimuli)) < rng.random((n_models, 1)), truth, guesses)
    predictions[rng.random((n_models, n_stimuli)) < missing] = -1
    if missing:
        predictions[:, 0] = predictions[1:, 1] = -1
    return predictions


@pytest.fixture(scope="session")
def draw_features():
    return _draw_features


def _draw_features(seed, n_stimuli=24, widths=(5, 40, 1, 12), dtype=np.float64):
    """Models that share a latent structure to different degrees, with units of different size and offset."""
    rng = np.random.default_rng(seed)
    latent = rng.normal(size=(n_stimuli, 6))
    features = [latent @ rng.normal(size=(6, width)) + rng.normal(size=(n_stimuli, width)) for width in widths]
    return [(x * rng.lognormal(size=x.shape[1]) + rng.normal(size=x.shape[1])).astype(dtype) for x in features]


@pytest.fixture(scope="session")
def networks():
    return _networks


def _networks(seed, n_stimuli=20, n_source=30, n_target=40, n_layers=3):
    """Two related random networks, units of all layers mixed: activations and layers of both."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n_stimuli, 8))
    a, b = (shared @ rng.standard_normal((8, n)) + rng.standard_normal((n_stimuli, n)) for n in (n_source, n_target))
    return a, b, rng.integers(0, n_layers, n_source), rng.integers(0, n_layers + 2, n_target)


@pytest.fixture(scope="session")
def make_table():
    return _make_table


def _make_table(n_models=40, n_metrics=5, *, missing=0.0, digits=6, seed=0) -> pd.DataFrame:
    """Correlated metrics; few digits make ties."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_models, 1)) + rng.normal(size=(n_models, n_metrics))
    values = values.round(digits)
    values[rng.random(values.shape) < missing] = np.nan
    return pd.DataFrame(values, [f"model{i}" for i in range(n_models)], [f"m{j}" for j in range(n_metrics)])

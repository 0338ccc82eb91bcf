"""Tables of answers that are small enough to reason about, and networks that need no training."""

import itertools

import numpy as np
import pytest

from analysis.data.answers import Predictions
from analysis.data.images import halves, load_images
from analysis.models import zoo


def _table(answers, labels, n_categories=10):
    answers = np.asarray(answers)
    names = [tuple(f"{letter}{n}" for n in range(size)) for letter, size in zip("ms", answers.shape, strict=True)]
    return Predictions(answers, np.asarray(labels), *names, tuple(map(str, range(n_categories))), {})


def _simulated(n_models=16, n_stimuli=300, seed=0, hard=0.3):
    """Models of rising accuracy; the first stimuli are hard for everybody."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=n_stimuli)
    skill = np.linspace(0.5, 0.98, n_models)[:, None]
    right = rng.random((n_models, n_stimuli)) < np.where(np.arange(n_stimuli) < 60, hard, skill)
    return _table(np.where(right, labels, rng.integers(10, size=right.shape)), labels)


@pytest.fixture(scope="module")
def untrained():
    """Two networks that need no training, in the cache for both halves (one by one, so that no worker is started)."""
    names = ("resnet-12-s2-b2-untrained", "vit-40-d4-p4-untrained")
    digits = load_images("digits", size=8)
    for name, half in itertools.product(names, halves(digits, 0)):
        zoo.load_network(name, digits, half, seed=0)
    return names


@pytest.fixture(scope="session")
def table():
    return _table


@pytest.fixture(scope="session")
def simulated():
    return _simulated

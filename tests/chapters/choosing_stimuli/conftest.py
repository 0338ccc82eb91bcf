"""A study small enough to be run in a second or two: random features, digits as pictures."""

import numpy as np
import pytest

from analysis.chapters.choosing_stimuli import experiments
from analysis.chapters.choosing_stimuli.parameters import Parameters
from analysis.data.images import load_images
from analysis.recovery.generators import fit_generators


@pytest.fixture(scope="session")
def parameters():
    return Parameters(n_objects=48, sizes=[8, 16, 24, 40], ratios=[0.5], n_seeds=1, penalties=[0.1], most=120)


@pytest.fixture(scope="session")
def study():
    rng = np.random.default_rng(0)
    features = {name: rng.normal(size=(48, 6)).astype(np.float32) for name in "abcd"}
    asked = np.arange(48).reshape(16, 3)
    made = fit_generators(features, asked, [0] * 16, transform="zero-shot", progress=lambda items, *_: items)
    return experiments.Study(features, made, load_images("digits").subset(np.arange(48)))


@pytest.fixture(scope="session")
def cells(study, parameters, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANALYSIS_CACHE", str(tmp_path_factory.mktemp("cache")))
        return experiments.factorial(study, parameters)

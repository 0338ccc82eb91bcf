"""What the tests of the zoo share: three networks that train in no time, in a cache of each test's own."""

from functools import partial

import pytest

from analysis.data.images import load_images
from analysis.models import zoo, zoo_answers
from analysis.models.architectures import mlp
from analysis.models.training import Recipe
from analysis.models.zoo_networks import Architecture

RECIPE = Recipe(lr=1e-2, batch=64, epochs=1)
TINY = {
    "tiny-6": Architecture(partial(mlp, (6,)), RECIPE, "mlp", "dense"),
    "tiny-8": Architecture(partial(mlp, (8,)), RECIPE, "mlp", "dense"),
    "tiny-raw": Architecture(partial(mlp, (8, 8, 8, 8)), Recipe(epochs=0), "mlp", "dense", "untrained"),
}


@pytest.fixture(scope="session")
def small_digits():
    return load_images("digits", size=8)


@pytest.fixture
def zoo_cache(tmp_path, monkeypatch):
    """Where the networks of this test are kept."""
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    return tmp_path / "zoo"


@pytest.fixture
def tiny_zoo(monkeypatch, zoo_cache):
    for module in (zoo, zoo_answers):
        monkeypatch.setattr(module, "ZOO", TINY)
    return TINY

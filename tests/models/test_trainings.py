"""Trainings: kept under all that decides them, and not disturbed by company."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from torch import nn

from analysis.cache import content_hash
from analysis.data.images import load_images
from analysis.models import training
from analysis.models.architectures import mlp
from analysis.models.training import Recipe
from analysis.models.trainings import Training, cached_all

HALF = np.arange(0, 1797, 2)


RECIPE = Recipe(lr=1e-2, batch=64, epochs=1)


BUILD = partial(mlp, (6,), size=8)


@pytest.fixture(scope="module")
def digits():
    return load_images("digits", size=8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    return tmp_path / "zoo"


def files(cache):
    return sorted(cache.glob("*"))


def cached(build, recipe, images, indices, seed):
    return cached_all([Training(build, recipe, images, indices, seed)], n_jobs=1)[0]


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_the_second_load_reads_the_same_bits(digits, cache, monkeypatch):
    first = cached(BUILD, RECIPE, digits, HALF, 0)
    monkeypatch.setattr(training, "train", None)  # nothing is trained again
    assert same(first, cached(BUILD, RECIPE, digits, HALF, 0))
    assert len(files(cache)) == 1


def test_loading_leaves_the_global_random_state_alone(digits):
    before = torch.get_rng_state()
    for _ in range(2):
        cached(BUILD, RECIPE, digits, HALF, 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_all_that_decides_the_weights_is_in_the_key(digits):
    base = {"build": BUILD, "recipe": RECIPE, "images": digits, "indices": HALF, "seed": 0}
    changes = [
        {},
        {"build": partial(mlp, (7,), size=8)},
        {"build": partial(BUILD, dropout=0.1)},
        {"recipe": Recipe(lr=2e-2, batch=64, epochs=1)},
        {"images": load_images("digits", size=9)},
        {"indices": HALF[::-1]},
        {"indices": HALF[1:]},
        {"seed": 1},
        {"device": "cuda"},
    ]
    assert len({content_hash(Training(**base | change).task) for change in changes}) == len(changes)
    again = base | {"images": load_images("digits", size=8)}
    assert content_hash(Training(**base).task) == content_hash(Training(**again).task)


def test_several_threads_at_once(digits, cache):
    with ThreadPoolExecutor(4) as pool:
        networks = list(pool.map(lambda _: cached(BUILD, RECIPE, digits, HALF, 0), range(4)))
    assert all(same(networks[0], network) for network in networks)
    assert [path.suffix for path in files(cache)] == [".npz"]


def test_two_processes_at_once(digits, cache):
    def load(folder, seed):
        os.environ["ANALYSIS_CACHE"] = folder  # a worker may be older than this test's folder
        return cached(BUILD, RECIPE, digits, HALF, seed)

    load = joblib.wrap_non_picklable_objects(load)
    seeds = [0, 1] * 10
    networks = joblib.Parallel(2)(joblib.delayed(load)(str(cache.parent), seed) for seed in seeds)
    assert all(same(networks[seed], network) for seed, network in zip(seeds, networks, strict=True))
    assert [path.suffix for path in files(cache)] == [".npz"] * 2


def test_several_trainings_keep_their_order(digits):
    trainings = [Training(BUILD, RECIPE, digits, HALF, seed) for seed in (2, 0, 1)]
    for module, job in zip(cached_all(trainings, n_jobs=2), trainings, strict=True):
        build, recipe, x, y, seed, _ = job.task
        assert same(module, training.train(build, recipe, x, y, seed=seed))


def test_builders_that_cannot_be_told_apart_are_refused(digits):
    width = 5

    def closure():
        return mlp((width,), size=8)

    for build in (closure, lambda: mlp((5,), size=8)):
        with pytest.raises(TypeError, match="must be a plain function"):
            cached(build, RECIPE, digits, HALF, 0)


def test_positions_outside_the_images_are_refused(digits):
    with pytest.raises(ValueError, match="'indices' must be one or more positions"):
        cached(BUILD, RECIPE, digits, np.array([1797]), 0)

"""The zoo: what is in it, and a cache that is neither trusted blindly nor disturbed by company."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import joblib
import numpy as np
import pytest
import torch
from torch import nn

from analysis.cache import cache_dir, content_hash
from analysis.data.images import halves, load_images
from analysis.models import training, zoo
from analysis.models.architectures import mlp, recorded_layers
from analysis.models.training import Recipe, accuracy, predict
from analysis.models.zoo import (
    ZOO,
    Architecture,
    Training,
    cached_all,
    load_network,
    load_zoo,
    out_of_sample_answers,
)

HALF = np.arange(0, 1797, 2)
RECIPE = Recipe(lr=1e-2, batch=64, epochs=1)
BUILD = partial(mlp, (6,), size=8)
TINY = {
    "tiny-6": Architecture(partial(mlp, (6,)), RECIPE, "mlp", "dense"),
    "tiny-8": Architecture(partial(mlp, (8,)), RECIPE, "mlp", "dense"),
    "tiny-raw": Architecture(partial(mlp, (8, 8, 8, 8)), Recipe(epochs=0), "mlp", "dense", "untrained"),
}


@pytest.fixture(scope="module")
def digits():
    return load_images("digits", size=8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    return tmp_path / "zoo"


@pytest.fixture
def tiny_zoo(monkeypatch):
    monkeypatch.setattr(zoo, "ZOO", TINY)


def files(cache):
    return sorted(cache.glob("*"))


def cached(build, recipe, images, indices, seed):
    return cached_all([Training(build, recipe, images, indices, seed)], n_jobs=1)[0]


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


# What the zoo holds


@pytest.fixture(scope="module")
def built():
    return {name: kind.build(size=16, n_classes=10) for name, kind in ZOO.items()}


def test_enough_distinct_architectures_of_every_motif():
    good = [kind for kind in ZOO.values() if kind.training == "normal"]
    motifs = [kind.motif for kind in good]
    assert len(ZOO) >= 24
    assert motifs.count("convolution") >= 12
    assert motifs.count("attention") >= 12
    assert {kind.family for kind in good} == {"mlp", "cnn", "resnet", "densenet", "vit"}
    assert {kind.training for kind in ZOO.values()} == {"normal", "label noise", "few examples", "untrained"}


def test_architectures_differ_from_each_other(built):
    assert len({str(network) for network in built.values()}) == len(ZOO)


def test_the_papers_networks_are_there():
    widths = [ZOO[name].build.args[0] for name in ("mlp-100", "mlp-60-40", "mlp-40-60", "mlp-50-50", "mlp-20x5")]
    assert widths == [(100,), (60, 40), (40, 60), (50, 50), (20, 20, 20, 20, 20)]
    assert ZOO["cnn"].build.args == ((32, 64),)


def test_labels_say_how_a_network_is_trained():
    for kind in ZOO.values():
        expected = {
            "untrained": kind.recipe.epochs == 0,
            "few examples": kind.recipe.fraction < 0.1,
            "label noise": kind.recipe.label_noise > 0,
        }
        assert [label for label, holds in expected.items() if holds] == (
            [] if kind.training == "normal" else [kind.training]
        )


@pytest.mark.parametrize("name", ZOO)
def test_every_entry_works_at_other_sizes_and_has_layers(built, name):
    network = ZOO[name].build(size=28, n_classes=3).eval()
    assert network(torch.rand(2, 1, 28, 28)).shape == (2, 3)
    assert recorded_layers(network) == recorded_layers(built[name])
    assert len(recorded_layers(network)) >= (1 if ZOO[name].family in ("mlp", "cnn") else 2)


# Loading


def test_networks_come_in_order_with_their_labels(digits, tiny_zoo):
    networks = load_zoo(["tiny-raw", "tiny-6"], images=digits, train_indices=HALF, seed=2, n_jobs=1)
    assert [(network.name, network.training, network.seed) for network in networks] == [
        ("tiny-raw", "untrained", 2),
        ("tiny-6", "normal", 2),
    ]
    assert networks[0].layers == ("stage0", "stage1", "stage2", "stage3")
    assert networks[0].landmarks == {"early": "stage0", "middle": "stage1", "late": "stage3"}
    assert networks[1].landmarks == {"early": "stage0", "middle": "stage0", "late": "stage0"}
    assert not any(part.training for network in networks for part in network.module.modules())


def test_a_network_of_the_default_zoo_sees_digits_it_was_not_trained_on():
    digits = load_images("digits")
    network = load_network("resnet-8-b1", digits, HALF, seed=0)
    rest = digits.subset(np.setdiff1d(np.arange(len(digits)), HALF))
    assert (network.family, network.motif) == ("resnet", "convolution")
    assert accuracy(network.module, rest.x, rest.y) > 0.9


def test_the_number_of_workers_changes_nothing(digits, tiny_zoo, monkeypatch, tmp_path):
    alone = load_zoo(images=digits, train_indices=HALF, n_jobs=1)
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path / "another"))
    together = load_zoo(images=digits, train_indices=HALF, n_jobs=2)
    assert len(files(cache_dir() / "zoo")) == 3
    assert all(same(a.module, b.module) for a, b in zip(alone, together, strict=True))


def test_an_unknown_name_suggests_the_nearest(digits):
    with pytest.raises(ValueError, match="got 'vit-24-d3'; the nearest is 'vit-24-d3-p8'"):
        load_network("vit-24-d3", digits, HALF, seed=0)


# The cache


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


# Answers out of sample


def test_every_image_is_answered_by_the_network_of_the_other_half(digits, tiny_zoo):
    answers = out_of_sample_answers(digits, seed=3, n_jobs=1)
    assert answers.shape == (len(TINY), len(digits))
    first, second = halves(digits, 3)
    for trained, answered in ((first, second), (second, first)):
        network = load_network("tiny-6", digits, trained, seed=3)
        assert (answers[0, answered] == predict(network.module, digits.x[answered]).numpy()).all()


def test_other_images_are_answered_in_the_same_order(digits, tiny_zoo):
    clean = out_of_sample_answers(digits, names=["tiny-8"], n_jobs=1)
    blank = torch.zeros_like(digits.x)
    blank[17] = digits.x[17]
    answers = out_of_sample_answers(digits, shown=blank, names=["tiny-8"], n_jobs=1)
    assert answers[0, 17] == clean[0, 17]
    assert len(np.unique(np.delete(answers[0], 17))) <= 2  # a blank image gets one answer from each of two networks


def test_what_is_shown_must_fit_the_images(digits, tiny_zoo):
    with pytest.raises(ValueError, match=r"'shown' must have shape \(1797, 1, 8, 8\)"):
        out_of_sample_answers(digits, shown=digits.x[:5], n_jobs=1)

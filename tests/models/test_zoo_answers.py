"""Answers of the zoo to images that it was not trained on."""

from functools import partial

import numpy as np
import pytest
import torch

from analysis.data.images import halves, load_images
from analysis.models import zoo, zoo_answers
from analysis.models.architectures import mlp
from analysis.models.training import Recipe, predict
from analysis.models.zoo import load_network
from analysis.models.zoo_answers import out_of_sample_answers
from analysis.models.zoo_networks import Architecture

RECIPE = Recipe(lr=1e-2, batch=64, epochs=1)


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
    for module in (zoo, zoo_answers):
        monkeypatch.setattr(module, "ZOO", TINY)


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

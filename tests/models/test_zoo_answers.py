"""Answers of the zoo to images that it was not trained on."""

import numpy as np
import pytest
import torch

from analysis.data.images import halves
from analysis.models.training import predict
from analysis.models.zoo import load_network
from analysis.models.zoo_answers import out_of_sample_answers


def test_every_image_is_answered_by_the_network_of_the_other_half(small_digits, tiny_zoo):
    answers = out_of_sample_answers(small_digits, seed=3, n_jobs=1)
    assert answers.shape == (len(tiny_zoo), len(small_digits))
    first, second = halves(small_digits, 3)
    for trained, answered in ((first, second), (second, first)):
        network = load_network("tiny-6", small_digits, trained, seed=3)
        assert (answers[0, answered] == predict(network.module, small_digits.x[answered]).numpy()).all()


def test_other_images_are_answered_in_the_same_order(small_digits, tiny_zoo):
    clean = out_of_sample_answers(small_digits, names=["tiny-8"], n_jobs=1)
    blank = torch.zeros_like(small_digits.x)
    blank[17] = small_digits.x[17]
    answers = out_of_sample_answers(small_digits, shown=blank, names=["tiny-8"], n_jobs=1)
    assert answers[0, 17] == clean[0, 17]
    assert len(np.unique(np.delete(answers[0], 17))) <= 2  # a blank image gets one answer from each of two networks


def test_what_is_shown_must_fit_the_images(small_digits, tiny_zoo):
    with pytest.raises(ValueError, match=r"'shown' must have shape \(1797, 1, 8, 8\)"):
        out_of_sample_answers(small_digits, shown=small_digits.x[:5], n_jobs=1)

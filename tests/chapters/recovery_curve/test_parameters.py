"""The chapter's parameters: a study of one's own is read, bad ones are refused in one sentence."""

import numpy as np
import pytest
import torch

from analysis.chapters.recovery_curve.parameters import NARROWEST, Parameters
from analysis.models.activations import record
from analysis.models.architectures import recorded_layers
from analysis.models.zoo_names import TRAINED, UNTRAINED
from analysis.models.zoo_networks import ZOO
from analysis.runs.parameters import ParameterError

LINEUP = "zoo:cnn,zoo:mlp-100,zoo:cnn-slim"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"triplets": "simulated"}, "must be a file of answers"),
        ({"triplets": "absent.txt"}, "absent.txt"),
        ({"features": "nowhere"}, "must hold files <model>.npy"),
        ({"models": "zoo:cnn,zoo:cnnn,zoo:mlp-100"}, "did you mean 'cnn'"),
        ({"models": "zoo:cnn,zoo:cnn,zoo:mlp-100"}, "must name every model once"),
        ({"models": "zoo:cnn,zoo:mlp-100"}, "must be at least 3 models, got only 'zoo:cnn,zoo:mlp-100'"),
        ({"models": LINEUP}, "'features': must be 'zoo' beside 'models'"),
        ({"sizes": [100, 100]}, "must be different, got"),
        ({"penalties": [0.1, -1]}, "each a number of more than 0, got -1"),
        ({"penalties": [0.1, float("inf")]}, "each a number of more than 0, got inf"),
        ({"rank": 4}, "must be at most 3, the units of the narrowest model, got 4"),
        ({"pixels": 0, "classes": 0, "strokes": 0}, "the observer must see something"),
        ({"n_objects": 900}, "must be at most 899, the images held out, got 900"),
        ({"first_seed": 2**32}, "at most 1000000000"),
        ({"ceiling": 0.2}, "more than 0.34"),
    ],
)
def test_bad_parameters_are_refused_in_one_sentence(change, sentence, tmp_path, own_files):
    features, trials = own_files(tmp_path)
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked({"features": str(features), "triplets": str(trials), "rank": 3} | change)


def test_the_default_rank_is_checked_against_ones_own_features(tmp_path, own_files):
    features, trials = own_files(tmp_path)
    with pytest.raises(ParameterError, match="'rank': must be at most 3, the units of the narrowest model, got 8"):
        Parameters.checked({"features": str(features), "triplets": str(trials)})


def test_no_network_of_the_zoo_is_narrower_than_the_largest_rank():
    widths = {}
    for name in TRAINED + UNTRAINED:
        module = ZOO[name].build(size=16, n_classes=10)
        last = record(module, torch.rand(2, 1, 16, 16), recorded_layers(module)[-1], pool="mean")
        widths[name] = last.values.shape[1]
    assert min(widths.values()) == NARROWEST


def test_own_features_need_answers_even_if_none_are_named(tmp_path, own_files):
    with pytest.raises(ParameterError, match="must be a file of answers"):
        Parameters.checked({"features": str(own_files(tmp_path)[0])})


def test_answers_about_objects_that_the_features_lack_are_refused(tmp_path, own_files):
    features, trials = own_files(tmp_path)
    trials.write_text("0 1 99\n")
    with pytest.raises(ParameterError, match="objects 0 to 39"):
        Parameters.checked({"features": str(features), "triplets": str(trials)})


def test_a_line_up_needs_enough_pictures(tmp_path):
    np.savez(tmp_path / "few.npz", x=np.zeros((20, 8, 8), np.uint8), y=np.arange(20) % 2)
    with pytest.raises(ParameterError, match="'images': must be at least 30 pictures, got 20"):
        Parameters.checked({"models": LINEUP, "images": str(tmp_path / "few.npz")})
    assert Parameters.checked({"models": LINEUP, "n_objects": 2000}).models == LINEUP


def test_answers_about_a_line_up_count_its_pictures(tmp_path):
    np.savez(tmp_path / "pictures.npz", x=np.zeros((40, 8, 8), np.uint8), y=np.arange(40) % 2)
    values = {"models": LINEUP, "images": str(tmp_path / "pictures.npz"), "triplets": str(tmp_path / "trials.txt")}
    (tmp_path / "trials.txt").write_text("0 1 39\n")
    assert Parameters.checked(values).triplets == values["triplets"]
    (tmp_path / "trials.txt").write_text("0 1 40\n")
    with pytest.raises(ParameterError, match="objects 0 to 39"):
        Parameters.checked(values)

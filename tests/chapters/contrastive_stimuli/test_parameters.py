"""The chapter's parameters: files of answers are read and hashed, what does not fit is refused in a sentence."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.contrastive_stimuli.parameters import Parameters, PublicParameters
from analysis.data.registry import registry
from analysis.runs.parameters import ParameterError


def csv(tmp_path, n_models, n_stimuli=30):
    frame = pd.DataFrame(np.random.default_rng(0).integers(3, size=(n_models + 1, n_stimuli)))
    frame.index = ["label", *(f"m{n}" for n in range(n_models))]
    frame.to_csv(tmp_path / "answers.csv", index_label="model")
    return str(tmp_path / "answers.csv")


def test_a_file_of_answers_is_accepted_and_hashed(tmp_path):
    path = csv(tmp_path, 8)
    parameters = Parameters.checked({"predictions": path, "n_bins": 2, "n_contrastive": 10})
    assert set(parameters.data_hashes()) == {"predictions"}
    assert Parameters.checked({}).data_hashes() == {}


FOUR = "zoo:cnn,zoo:cnn-slim,zoo:mlp-100,zoo:resnet-8-b1"


def test_a_line_up_takes_as_many_bins_as_it_can():
    assert Parameters.checked({"models": FOUR, "n_bins": 6}).n_bins == 6


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"n_bins": 3, "n_contrastive": 10}, "'n_bins': must be at most 2 for 8 models"),
        ({"n_bins": 2, "n_contrastive": 30}, "'n_contrastive': must be below the 30 stimuli that there are, got 30"),
    ],
)
def test_parameters_must_fit_the_file(tmp_path, values, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked({"predictions": csv(tmp_path, 8), **values})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"predictions": "nowhere.csv"}, "Parameter 'predictions': .* there is no file 'nowhere.csv'"),
        ({"n_bins": 9}, "'n_bins': must be at most 8 for 35 models"),
        ({"n_contrastive": 1797}, "'n_contrastive': must be below the 1797 stimuli"),
        ({"square_side": 8, "square_distance": 9}, "'square_distance': 'n_squares' must fit into the image"),
        ({"square_distance": 2}, "'distance' must be at least the squares' side of 3 pixels"),
        ({"layer": "last"}, "'layer' must be one of 'early', 'middle', 'late', got 'last'"),
        ({"noise": 1.0}, "'noise' must be a number of at least 0.* and less than 1"),
        ({"models": "zoo:cnn,zoo:cnn-slim,zoo:mlp-100"}, "'models': must be at least 4 models, so that one half"),
        ({"models": FOUR, "predictions": "answers.csv"}, "'predictions': must be 'zoo' beside 'models'"),
        ({"images": "mnist"}, "'images': must be 'digits' for this book's own networks, got 'mnist'"),
    ],
)
def test_bad_parameters_are_sentences(values, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked(values)


def test_few_models_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="must hold at least 4 models, got 3"):
        Parameters.checked({"predictions": csv(tmp_path, 3)})


def test_the_public_run_names_registered_files():
    assert set(PublicParameters().public_files()) <= set(registry())
    assert len(PublicParameters().public_files()) == 14 + 41 * 3 + 37 + 35 + 1

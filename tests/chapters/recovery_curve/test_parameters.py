"""The chapter's parameters: a study of one's own is read, bad ones are refused in one sentence."""

import pytest

from analysis.chapters.recovery_curve.parameters import Parameters
from analysis.runs.parameters import ParameterError


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"triplets": "simulated"}, "must be a file of answers"),
        ({"triplets": "absent.txt"}, "absent.txt"),
        ({"features": "nowhere"}, "must hold files <model>.npy"),
        ({"models": ["cnn", "cnnn", "mlp-100"]}, "three or more different networks"),
        ({"models": ["cnn", "cnn", "mlp-100"]}, "three or more different networks"),
        ({"models": ["cnn", "mlp-100"]}, "three or more different networks"),
        ({"sizes": [100, 100]}, "must be different and above 0"),
        ({"penalties": [0.1, -1]}, "must be different and above 0"),
        ({"ceiling": 0.2}, "more than 0.34"),
    ],
)
def test_bad_parameters_are_refused_in_one_sentence(change, sentence, tmp_path, own_files):
    features, trials = own_files(tmp_path)
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked({"features": str(features), "triplets": str(trials)} | change)


def test_own_features_need_answers_even_if_none_are_named(tmp_path, own_files):
    with pytest.raises(ParameterError, match="must be a file of answers"):
        Parameters.checked({"features": str(own_files(tmp_path)[0])})


def test_answers_about_objects_that_the_features_lack_are_refused(tmp_path, own_files):
    features, trials = own_files(tmp_path)
    trials.write_text("0 1 99\n")
    with pytest.raises(ParameterError, match="objects 0 to 39"):
        Parameters.checked({"features": str(features), "triplets": str(trials)})

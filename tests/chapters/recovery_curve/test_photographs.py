"""The line-up without its twins, and how a sample of triplets is held against all of them."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import photographs
from analysis.chapters.recovery_curve.parameters import PhotographsParameters
from analysis.chapters.recovery_curve.studies import Study
from analysis.models.lineup import read_lineup
from analysis.recovery.features import normalised
from analysis.recovery.generators import Generators


def test_ten_trained_networks_take_part():
    entries = read_lineup(photographs.trained_models())
    assert len(entries) == 10
    assert all(entry.training != "untrained" for entry in entries)


def test_whoever_says_less_than_a_guess_is_overconfident():
    table = pd.DataFrame({"log_likelihood": [-1.0, -1.09, -1.11, -4.0]})
    assert photographs.overconfident(table) == 0.5


def test_a_sample_of_triplets_ends_near_all_of_them():
    rng = np.random.default_rng(0)
    features = {"a": normalised(rng.normal(size=(90, 6)))}
    similarity = 3 * features["a"] @ features["a"].T
    made = Generators(pd.DataFrame({"temperature": [1.0]}, index=["a"]), {"a": similarity})
    study = Study(features, None, pd.DataFrame(), None)
    parameters = PhotographsParameters(n_objects=90, penalties=[0.001, 0.00001], most=4000)
    found = photographs.sampling_error(study, made, "a", "a", parameters)
    assert sorted(set(found["triplets"])) == [4000, 42 * 41 * 40 // 6]
    accuracy = found.pivot(index="penalty", columns="triplets", values="test accuracy")
    assert (accuracy[4000] - accuracy[11480]).abs().max() < 0.01
    assert accuracy.loc[0.00001].to_numpy() == pytest.approx(found["test accuracy"].max(), abs=0.01)

"""The page's tables and sentences, on a study small enough to read."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.your_models import experiments
from analysis.data.answers import Predictions
from analysis.models.study import Study

CATEGORIES = ("cat", "dog", "owl")


def made(answers=((0, 1, 2), (0, 1, 1), (0, 0, -1)), labels=(0, 1, -1), people=None, **parts):
    answers = np.array(answers)
    names = tuple(f"m{number}" for number in range(len(answers)))
    stimuli = tuple(f"s{number}" for number in range(answers.shape[1]))
    models = pd.DataFrame({"family": "f", "motif": "", "training": "normal"}, index=list(names))
    given = Predictions(answers, np.array(labels), names, stimuli, CATEGORIES, {})
    return Study(models, {}, stimuli, answers=given, people=people, **parts)


def test_the_most_contrastive_come_first_with_everybodys_answers():
    people = np.array([[5, 0, 0], [2, 3, 0], [0, 1, 4]])
    found = experiments.contrastive(made(people=people), n_shown=2)
    assert found["stimulus"].tolist() == ["s2", "s1"]
    assert found["models"].tolist() == ["dog (1) | owl (1)", "dog (2) | cat (1)"]
    assert found["people"].tolist() == ["owl (4) | dog (1)", "dog (3) | cat (2)"]
    assert found["label"].tolist() == ["", "dog"]


def test_untrained_models_decide_nothing():
    study = made([[0, 1, 2], [1, 1, 2], [2, 2, 2], [2, 2, 2]])
    study.models["training"] = ["normal", "robust", "untrained", "untrained"]
    found = experiments.contrastive(study, n_shown=1)
    assert found[["stimulus", "models"]].values.tolist() == [["s0", "cat (1) | dog (1)"]]
    assert experiments.told_agreement(study).startswith("2 trained models choose")
    study.models["training"] = ["normal", "untrained", "untrained", "untrained"]
    assert experiments.told_agreement(study).startswith("4 models choose")


def test_stimuli_with_fewer_than_two_answers_are_never_shown():
    found = experiments.contrastive(made([[0, 1, -1], [0, 0, 2]]), n_shown=10)
    assert found["stimulus"].tolist() == ["s1", "s0"]


@pytest.mark.parametrize("study", [made(answers=[[0, 1, 2]]), Study(made().models, {}, ("s0",))])
def test_one_model_has_nobody_to_agree_with(study):
    assert experiments.contrastive(study, 3).empty
    assert experiments.told_agreement(study).startswith("Fewer than two of the models")


def test_agreement_and_what_was_left_out_are_told():
    assert "3 models choose between 3 categories" in experiments.told_agreement(made())
    assert experiments.told_left_out(made()) == "Nothing was left out."
    assert experiments.told_left_out(made(left_out={"pictures without an answer": 1200})) == (
        "Left out or missing: pictures without an answer: 1,200."
    )


def test_a_study_of_few_stimuli_is_not_planned():
    found = experiments.planned(made(), 2000, seed=0)
    assert found.empty
    assert "With 3 stimuli it cannot be told" in experiments.told_recovery(made(), found, 2000)


def test_a_planned_study_is_told_in_shares_and_repetitions():
    row = {"recovery": 0.8, "low": 0.7, "high": 0.9, "n_objects": 10.0, "n_triplets": 1600.0, "chance": 1 / 3}
    table = pd.DataFrame([row | {"transform": "zero-shot"}, row | {"transform": "full", "recovery": 0.75}])
    told = experiments.told_recovery(made(), table, 2000)
    assert "80% [70%, 90%] of the time" in told
    assert "75% [70%, 90%]; by luck, 33%" in told
    assert "only 120 different triplets" in told
    assert "different triplets" not in experiments.told_recovery(made(), table, 100)
    assert experiments.told_recovery(made(), table, 2000).startswith("Of 2,000 trials")
    of_two = experiments.told_recovery(made(), table.assign(chance=0.5), 2000)
    assert of_two.startswith("Among the 2 trained models: of 2,000 trials")


def test_untrained_models_are_no_candidates(monkeypatch, tmp_path):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    rng = np.random.default_rng(0)
    models = pd.DataFrame({"family": "f", "training": ["normal", "untrained", "normal"]}, list("abc"))
    layers = {name: {"last": rng.normal(size=(40, 3))} for name in "abc"}
    found = experiments.planned(Study(models, layers, tuple(map(str, range(40)))), 200, seed=0)
    assert found["chance"].tolist() == [0.5, 0.5]


def test_correlations_of_few_models_are_told_with_their_room():
    rho = pd.DataFrame([[1, 0.2, 0.4], [0.2, 1, 0.6], [0.4, 0.6, 1]])
    assert experiments.told_metrics(rho, 12) == (
        "The mean correlation between 3 metrics is 0.40. "
        f"With 12 models, a single correlation of 0 comes out anywhere within ±{np.tanh(1.96 / 3):.2f}."
    )
    assert "±1.00" in experiments.told_metrics(rho, 3)
    assert experiments.told_metrics(rho.iloc[:1, :1], 12) == "Fewer than two metrics vary over these models."


def test_pairs_are_averaged_by_what_was_trained():
    study = made([[0, 1, 2]] * 4)
    study.models["training"] = ["normal", "robust", "untrained", "untrained"]
    pairs = [("m0", "m1", 0.8), ("m0", "m2", 0.4), ("m3", "m1", 0.2), ("m2", "m3", 0.1)]
    means = experiments.by_training(pd.DataFrame(pairs, columns=["model", "other", "score"]), study, "score")
    assert means.to_dict() == pytest.approx({"trained": 0.8, "one of each": 0.3, "untrained": 0.1})

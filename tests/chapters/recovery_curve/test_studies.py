"""What experiments start from: the zoo, line-ups and the user's own files."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.chapters.recovery_curve import studies
from analysis.chapters.recovery_curve.parameters import Parameters
from analysis.recovery.features import normalised
from analysis.recovery.observers import Observer
from analysis.runs.parameters import ParameterError

KINDS = ("cat", "dog", "owl")


def test_all_axes_give_the_same_geometry():
    table = normalised(np.random.default_rng(0).normal(size=(20, 5)))
    turned = studies.leading_axes(table, 5)
    assert np.allclose(turned @ turned.T, table @ table.T, atol=1e-5)


def test_own_files_make_a_study(tmp_path, own_files):
    features, trials = own_files(tmp_path)
    study = studies.study_of(Parameters(features=str(features), triplets=str(trials), rank=3))
    assert list(study.models["family"]) == ["net", "net", "other"]
    assert not study.simulated
    assert study.n_objects == 40


@pytest.fixture
def values(tmp_path, line_up):
    return line_up(tmp_path) | {"rank": 3}


def test_models_of_a_line_up_look_at_the_users_pictures(values):
    study = studies.study_of(Parameters(**values, n_objects=30, n_answers=500))
    assert list(study.models.index) == list(study.features) == ["net0", "net1", "net2"]
    assert study.models["layer"].tolist() == ["2"] * 3
    assert study.models["units"].tolist() == [720] * 3
    assert (study.n_objects, len(study.objects), study.objects[0].shape) == (30, 30, (20, 24, 3))
    assert study.simulated
    pooled = studies.study_of(Parameters(**values, pooled=True))
    assert pooled.n_objects == 40
    assert pooled.models["units"].tolist() == [5] * 3


def test_the_simulated_observer_has_no_use_for_classes_that_no_two_pictures_share(values):
    with_classes = studies.study_of(Parameters(**values)).observer
    (Path(values["images"]) / "labels.csv").write_text(
        "stimulus,label\n" + "".join(f"{KINDS[n % 3]}/{n:02d}.png,{n}\n" for n in range(40))
    )
    unlike = studies.study_of(Parameters(**values)).observer
    none = studies.study_of(Parameters(**values, classes=0)).observer
    assert np.array_equal(unlike.similarity, none.similarity)
    assert not np.allclose(unlike.similarity, with_classes.similarity)


def test_answers_about_a_line_up_are_about_all_its_pictures(values, tmp_path):
    (tmp_path / "trials.txt").write_text("0 1 39\n2 3 4\n")
    study = studies.study_of(Parameters(**values, triplets=str(tmp_path / "trials.txt"), n_objects=30))
    assert not study.simulated
    assert study.n_objects == 40


def test_a_rank_above_the_units_of_the_narrowest_model_is_refused(values):
    with pytest.raises(ValueError, match="'rank' must be at most 5, the units of the narrowest model, got 8"):
        studies.study_of(Parameters(**values | {"rank": 8}, pooled=True))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "the last recorded layer but one of each model, every unit of it"),
        ({"pooled": True}, "the last recorded layer of each model, averaged over space or tokens"),
        ({"models": "zoo:cnn,zoo:cnn-slim,zoo:mlp-100"}, "the last recorded layer of each model, every unit of it, or"),
    ],
)
def test_features_in_words(values, told):
    assert studies.told_features(Parameters(**values)).startswith(told)


def test_more_objects_than_images_are_refused():
    with pytest.raises(ValueError, match="must be at most 899, the images held out"):
        studies.study_of(Parameters(n_objects=1000))


def test_people_who_repeat_say_how_noisy_they_are(tmp_path, own_files):
    features, trials = own_files(tmp_path)
    once = studies.own_study(str(features), str(trials))
    parameters = Parameters(features=str(features), triplets=str(trials), rank=3)
    assert studies.calibrated(parameters, once).ceiling == parameters.ceiling
    triplets = np.tile(once.observer.triplets[:40], (4, 1))
    choices = np.repeat([2, 2, 2, 0], 40)  # three of four agree: each of the three is predicted by the others
    answered = replace(once, observer=Observer(triplets, choices))
    assert studies.calibrated(parameters, answered).ceiling == 0.75


def test_rows_of_features_may_have_names(tmp_path, own_files):
    features, _ = own_files(tmp_path)
    (tmp_path / "named.csv").write_text("image1,image2,odd\n" + "3.png,4.png,39.png\n" * 2)
    with pytest.raises(ParameterError, match="got '3.png'"):
        Parameters.checked({"features": str(features), "triplets": str(tmp_path / "named.csv"), "rank": 3})
    rows = "".join(f"set/{number}.png,\n" for number in range(40))
    (features / "stimuli.csv").write_text(f"stimulus,label\n{rows}")
    parameters = Parameters.checked({"features": str(features), "triplets": str(tmp_path / "named.csv"), "rank": 3})
    assert studies.study_of(parameters).observer.triplets.tolist() == [[3, 4, 39]] * 2
    assert "features/stimuli.csv" in parameters.data_files()

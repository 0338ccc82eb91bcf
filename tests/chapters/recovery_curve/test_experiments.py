"""The chapter's experiments, on tables and features small enough to check by hand."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import experiments
from analysis.chapters.recovery_curve.parameters import Parameters
from analysis.recovery.experiment import Recovery
from analysis.recovery.features import normalised
from analysis.recovery.observers import Observer
from analysis.recovery.summaries import recovery_curve
from analysis.recovery.triplets import draw_triplets, sample_choices
from analysis.runs.parameters import ParameterError

KINDS = ("cat", "dog", "owl")


def simulations(n_models: int = 5, n_seeds: int = 3, seed: int = 0) -> pd.DataFrame:
    """A table of random accuracies with ties, at one number of triplets."""
    rng = np.random.default_rng(seed)
    names = [f"m{i}" for i in range(n_models)]
    cells = [(g, c, 100, s) for g in names for c in names for s in range(n_seeds)]
    table = pd.DataFrame(cells, columns=["generator", "candidate", "n_triplets", "seed"])
    return table.assign(test_accuracy=rng.integers(0, 6, len(table)) / 8)


def small_study(n_objects: int = 40, seed: int = 0) -> experiments.Study:
    rng = np.random.default_rng(seed)
    features = {name: normalised(rng.normal(size=(n_objects, 4))) for name in ("a-1", "a-2", "b-1")}
    similarity = 20 * features["a-1"] @ features["a-1"].T
    triplets = draw_triplets(n_objects, 2000, seed)
    observer = Observer(triplets, sample_choices(similarity, triplets, seed), similarity=similarity)
    models = pd.DataFrame({"family": ["a", "a", "b"], "training": "normal"}, index=list(features))
    return experiments.Study(features, observer, models, None)


def test_all_axes_give_the_same_geometry():
    table = normalised(np.random.default_rng(0).normal(size=(20, 5)))
    turned = experiments.leading_axes(table, 5)
    assert np.allclose(turned @ turned.T, table @ table.T, atol=1e-5)


@pytest.mark.parametrize(
    ("recoveries", "size"),
    [((0.2, 0.55, 1.0), 20), ((0.5, 0.6, 0.7), 20), ((1.0, 1.0, 1.0), 30), ((0.1, 0.1, 0.1), 30)],
)
def test_halfway_between_chance_and_one_the_larger_of_equals(recoveries, size):
    curve = pd.DataFrame({"n_triplets": [10, 20, 30], "recovery": recoveries, "chance": 0.2})
    assert experiments.halfway_size(curve) == size


def test_fewer_candidates_equals_the_average_over_all_subsets():
    table = simulations()
    found = experiments.fewer_candidates(table, 100).set_index(["generator", "k"])["recovery"]
    for generator, rows in table.groupby("generator"):
        others = sorted(set(table["candidate"]) - {generator})
        for k in range(2, 6):
            subsets = [rows[rows["candidate"].isin([generator, *chosen])] for chosen in combinations(others, k - 1)]
            expected = np.mean([recovery_curve(subset)["recovery"].item() for subset in subsets])
            assert found[generator, k] == pytest.approx(expected, abs=1e-12)


def test_false_winners_share_all_that_is_lost():
    table = simulations()
    shares = experiments.false_winners(table, 100)
    assert shares.sum().tolist() == pytest.approx([1, 1])
    assert shares["taken"].is_monotonic_decreasing


def test_a_winner_of_everything_is_systematic_and_a_perfect_recovery_has_none():
    table = simulations()
    always = table.assign(test_accuracy=(table["candidate"] == "m2").astype(float))
    excess = experiments.systematic_winner(always, 100)
    assert excess.value == excess.low == pytest.approx(1 - 1 / 4)
    perfect = table.assign(test_accuracy=(table["candidate"] == table["generator"]).astype(float))
    assert not np.isfinite(experiments.systematic_winner(perfect, 100).value)
    assert experiments.false_winners(perfect, 100).to_numpy().max() == 0


def test_groups_of_one_are_left_out_and_groups_have_their_own_chance():
    models = pd.DataFrame({"family": ["x", "x", "y", "y", "z"]}, index=[f"m{i}" for i in range(5)])
    groups = experiments.within_groups(simulations(), models, "family", 100)
    assert sorted(set(groups["group"])) == ["x", "y"]
    assert set(groups["k"]) == {2}
    assert groups["recovery"].between(0, 1).all()


def test_without_the_truth_another_wins():
    seen = experiments.without_truth(simulations())
    left_out = seen[seen["true model"] == "left out"]
    assert (left_out["winner"] != left_out["generator"]).all()
    assert seen["agreement"].between(0, 1).all()
    best = simulations().assign(test_accuracy=lambda t: (t["candidate"] == t["generator"]).astype(float))
    among = experiments.without_truth(best).query("`true model` == 'among the candidates'")
    assert (among["winner"] == among["generator"]).all()
    assert (among["agreement"] == 1).all()
    assert (among["short"] == 0).all()


def test_regression_finds_the_coefficient_that_made_the_margins():
    names = [f"m{i}" for i in range(12)]
    rng = np.random.default_rng(0)
    made = pd.DataFrame({"geometry_shift": rng.random(12), "effective_dimensionality": rng.random(12)}, index=names)
    cells = [(g, c, 100, 0, -made.loc[c, "geometry_shift"] * (c != g)) for g in names for c in names]
    table = pd.DataFrame(cells, columns=["generator", "candidate", "n_triplets", "seed", "test_accuracy"])
    pairs = experiments.margins(Recovery(table, made, {}), 100)
    found = experiments.regression(pairs, n_resamples=200).set_index("property")
    assert found.loc["candidate's shift", "beta"] == pytest.approx(1, abs=1e-9)
    assert found["beta"].drop("candidate's shift").abs().max() < 1e-9
    assert (found["low"] <= found["beta"] + 1e-9).all()


def test_penalties_of_a_fold_are_chosen_on_the_others():
    rows = [("s", "m", fold, penalty) for fold in range(3) for penalty in (1.0, 2.0)]
    table = pd.DataFrame(rows, columns=["setting", "model", "fold", "penalty"])
    table["accuracy"] = [0.0, 1.0, 0.6, 0.5, 0.6, 0.5]  # fold 0 prefers 2, the others, by less, 1
    assert experiments.at_best_penalty(table)["accuracy"].item() == pytest.approx((0.0 + 0.5 + 0.5) / 3)


def test_the_observer_is_predicted_above_guessing_and_ridge_falls_to_it():
    study = small_study()
    path = experiments.penalty_path(study, (0.001, 1000.0), n_folds=2, seed=0)
    accuracy = path.set_index(["setting", "model", "penalty"])["accuracy"]
    assert accuracy["shrinkage", "a-1", 0.001] > 0.45
    assert accuracy["ridge", "a-1", 1000.0] == pytest.approx(1 / 3, abs=0.06)
    assert accuracy["shrinkage", "a-1", 1000.0] == pytest.approx(accuracy["zero-shot", "a-1", 1.0], abs=0.02)


def test_geometries_are_compared_with_the_observer_or_with_each_other():
    study = small_study()
    same = Recovery(None, None, {name: table @ table.T for name, table in study.features.items()})
    found = experiments.convergence(study, same).set_index("model")
    assert found["gain"].abs().max() < 1e-12
    assert found.loc["a-1", "before"] == pytest.approx(1, abs=1e-6)
    assert experiments.nearest_models(same.similarities).index.tolist() == list(study.features)


def test_own_files_make_a_study(tmp_path, own_files):
    features, trials = own_files(tmp_path)
    study = experiments.study_of(Parameters(features=str(features), triplets=str(trials), rank=3))
    assert list(study.models["family"]) == ["net", "net", "other"]
    assert not study.simulated
    assert study.n_objects == 40


@pytest.fixture
def values(tmp_path, line_up):
    return line_up(tmp_path) | {"rank": 3}


def test_models_of_a_line_up_look_at_the_users_pictures(values):
    study = experiments.study_of(Parameters(**values, n_objects=30, n_answers=500))
    assert list(study.models.index) == list(study.features) == ["net0", "net1", "net2"]
    assert study.models["layer"].tolist() == ["2"] * 3
    assert study.models["units"].tolist() == [720] * 3
    assert (study.n_objects, len(study.objects), study.objects[0].shape) == (30, 30, (20, 24, 3))
    assert study.simulated
    pooled = experiments.study_of(Parameters(**values, pooled=True))
    assert pooled.n_objects == 40
    assert pooled.models["units"].tolist() == [5] * 3


def test_the_simulated_observer_has_no_use_for_classes_that_no_two_pictures_share(values):
    with_classes = experiments.study_of(Parameters(**values)).observer
    (Path(values["images"]) / "labels.csv").write_text(
        "stimulus,label\n" + "".join(f"{KINDS[n % 3]}/{n:02d}.png,{n}\n" for n in range(40))
    )
    unlike = experiments.study_of(Parameters(**values)).observer
    none = experiments.study_of(Parameters(**values, classes=0)).observer
    assert np.array_equal(unlike.similarity, none.similarity)
    assert not np.allclose(unlike.similarity, with_classes.similarity)


def test_answers_about_a_line_up_are_about_all_its_pictures(values, tmp_path):
    (tmp_path / "trials.txt").write_text("0 1 39\n2 3 4\n")
    study = experiments.study_of(Parameters(**values, triplets=str(tmp_path / "trials.txt"), n_objects=30))
    assert not study.simulated
    assert study.n_objects == 40


def test_a_rank_above_the_units_of_the_narrowest_model_is_refused(values):
    with pytest.raises(ValueError, match="'rank' must be at most 5, the units of the narrowest model, got 8"):
        experiments.study_of(Parameters(**values | {"rank": 8}, pooled=True))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "the last recorded layer but one of each model, every unit of it"),
        ({"pooled": True}, "the last recorded layer of each model, averaged over space or tokens"),
        ({"models": "zoo:cnn,zoo:cnn-slim,zoo:mlp-100"}, "the last recorded layer of each model, every unit of it, or"),
    ],
)
def test_features_in_words(values, told):
    assert experiments.told_features(Parameters(**values)).startswith(told)


def test_more_objects_than_images_are_refused():
    with pytest.raises(ValueError, match="must be at most 899, the images held out"):
        experiments.study_of(Parameters(n_objects=1000))


def test_people_who_repeat_say_how_noisy_they_are(tmp_path, own_files):
    features, trials = own_files(tmp_path)
    once = experiments.own_study(str(features), str(trials))
    parameters = Parameters(features=str(features), triplets=str(trials), rank=3)
    assert experiments.calibrated(parameters, once).ceiling == parameters.ceiling
    triplets = np.tile(once.observer.triplets[:40], (4, 1))
    choices = np.repeat([2, 2, 2, 0], 40)  # three of four agree: each of the three is predicted by the others
    answered = replace(once, observer=Observer(triplets, choices))
    assert experiments.calibrated(parameters, answered).ceiling == 0.75


def test_rows_of_features_may_have_names(tmp_path, own_files):
    features, _ = own_files(tmp_path)
    (tmp_path / "named.csv").write_text("image1,image2,odd\n" + "3.png,4.png,39.png\n" * 2)
    with pytest.raises(ParameterError, match="got '3.png'"):
        Parameters.checked({"features": str(features), "triplets": str(tmp_path / "named.csv"), "rank": 3})
    rows = "".join(f"set/{number}.png,\n" for number in range(40))
    (features / "stimuli.csv").write_text(f"stimulus,label\n{rows}")
    parameters = Parameters.checked({"features": str(features), "triplets": str(tmp_path / "named.csv"), "rank": 3})
    assert experiments.study_of(parameters).observer.triplets.tolist() == [[3, 4, 39]] * 2
    assert "features/stimuli.csv" in parameters.data_files()


def test_leads_move_as_much_as_the_formula_says():
    """Two fitted models, each right by itself, on seeds of independent test triplets."""
    rng = np.random.default_rng(0)
    study = small_study()
    similarities = {name: table @ table.T for name, table in study.features.items()}
    chances = [np.mean(right_of(similarities[name], study.observer)) for name in similarities]
    seeds, size = 400, 1600
    draws = rng.binomial(3 * (size // 8), chances, (seeds, 3)) / (3 * (size // 8))
    rows = [("a-1", name, size, seed, draws[seed, i]) for seed in range(seeds) for i, name in enumerate(similarities)]
    table = pd.DataFrame(rows, columns=["generator", "candidate", "n_triplets", "seed", "test_accuracy"])
    found = experiments.error_of_a_lead(study, Recovery(table, None, similarities), Parameters(), size)
    independent = [np.sqrt((p * (1 - p) + q * (1 - q)) / (3 * (size // 8))) for p, q in combinations(chances, 2)]
    assert found["spread"].to_numpy() == pytest.approx(independent, rel=0.15)
    discordant = [np.mean(right_of(similarities[a], study.observer) != right_of(similarities[b], study.observer))
                  for a, b in combinations(similarities, 2)]  # fmt: skip
    assert found["formula"].to_numpy() == pytest.approx(np.sqrt(np.array(discordant) / (3 * (size // 8))))


def right_of(similarity, observer):
    """One triplet at a time: whether the pair left by the odd one is the most similar."""
    return np.array([similarity[np.delete(t, c)[0], np.delete(t, c)[1]]
                     == max(similarity[t[0], t[1]], similarity[t[0], t[2]], similarity[t[1], t[2]])
                     for t, c in zip(observer.triplets, observer.choices, strict=True)])  # fmt: skip

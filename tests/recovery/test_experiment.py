"""The recovery experiment: its table and its pieces, and that neither workers nor kills change a number."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits

from analysis.recovery.experiment import _Fold, recovery_experiment
from analysis.recovery.generators import TOLERANCE, fit_generators
from analysis.recovery.plan import Plan
from analysis.recovery.summaries import confusion_matrix, mean_ranks, recovery_curve
from analysis.recovery.triplets import choice_probabilities, draw_triplets, sample_choices

COLUMNS = ["generator", "candidate", "n_triplets", "seed", "penalty", "at_edge"]
COLUMNS += ["validation_accuracy", "test_accuracy", "log_likelihood"]
PENALTIES = (0.1, 0.01)


def study(n_models=3, n_objects=60, width=4, n=300):
    """Models that see different pixels of handwritten digits, and an observer with noise."""
    digits = load_digits()
    images = digits.data[:n_objects] / 16
    rng = np.random.default_rng(0)
    features = {f"model {i}": images @ rng.normal(size=(64, width)) / 4 for i in range(n_models)}
    triplets = draw_triplets(n_objects, n, rng)
    return features, triplets, sample_choices(images @ images.T, triplets, rng)


def experiment(features, triplets, choices, n_triplets=(40, 80), n_seeds=2, **options):
    options = {"penalties": PENALTIES, "widen": False, "progress": quiet, "ceiling": 0.6} | options
    return recovery_experiment(
        features, n_triplets, n_seeds, observer_triplets=triplets, observer_choices=choices, **options
    )


def quiet(iterable, label, total):
    return iterable


@pytest.fixture(scope="module")
def finished():
    return experiment(*study())


# What an experiment gives ---------------------------------------------------------------------------------------------


def test_table_is_tidy_and_complete(finished):
    table = finished.table
    assert list(table.columns) == COLUMNS
    assert len(table) == 3 * 3 * 2 * 2
    assert not table.duplicated(COLUMNS[:4]).any()
    assert set(table.penalty) <= set(PENALTIES)
    assert table.validation_accuracy.between(0, 1).all()
    assert table.test_accuracy.between(0, 1).all()
    assert (table.log_likelihood < 0).all()
    assert not table.isna().any().any()


def test_generators_answer_with_the_calibrated_noise(finished):
    _, triplets, _ = study()
    for name, similarity in finished.similarities.items():
        temperature = finished.generators.temperature[name]
        best = choice_probabilities(similarity, triplets, temperature).max(1).mean()
        assert best == pytest.approx(0.6, abs=1e-5)
    assert finished.generators.geometry_shift.between(0, 2).all()
    assert finished.generators.effective_dimensionality.between(1, 4).all()


def test_separated_models_are_recovered_with_many_triplets():
    rng = np.random.default_rng(1)
    features = {name: np.linalg.qr(rng.normal(size=(90, 3)))[0] * 6 for name in "abc"}
    triplets = draw_triplets(90, 2000, rng)
    choices = sample_choices(features["a"] @ features["a"].T, triplets, rng)
    found = experiment(features, triplets, choices, [16, 2000], 3, ceiling=0.85)
    curve = recovery_curve(found.table).set_index("n_triplets")
    assert curve.recovery[2000] == 1
    assert (confusion_matrix(found.table, 2000).to_numpy() == np.eye(3)).all()
    ranks = mean_ranks(found.table)
    assert (ranks[ranks.n_triplets == 2000].own == 1).all()


def test_identical_candidates_split_their_ties_at_chance():
    features, triplets, choices = study(n_models=1)
    twins = dict.fromkeys("abcd", features["model 0"])
    found = experiment(twins, triplets, choices, [40], 2)
    curve = recovery_curve(found.table)
    assert curve.recovery.tolist() == [0.25]
    assert curve.chance.tolist() == [0.25]
    np.testing.assert_allclose(confusion_matrix(found.table, 40), 0.25)
    assert (mean_ranks(found.table)[["own", "others"]] == 2.5).all().all()


@pytest.mark.parametrize("options", [{"transform": "zero-shot"}, {"transform": "diagonal", "regularizer": "ridge"},
                                     {"transform": "low-rank", "rank": 2}])  # fmt: skip
def test_other_transforms_run_through(options):
    found = experiment(*study(), [40], 1, **options)
    assert len(found.table) == 9
    if options["transform"] == "zero-shot":
        np.testing.assert_allclose(found.generators.geometry_shift, 0, atol=1e-9)


def test_features_may_be_a_folder_of_files(tmp_path):
    features, triplets, choices = study(n_models=2)
    for name, table in features.items():
        np.save(tmp_path / f"{name}.npy", table)
    pd.testing.assert_frame_equal(
        experiment(tmp_path, triplets, choices, [40], 1).table, experiment(features, triplets, choices, [40], 1).table
    )


def test_a_grid_widens_until_its_ends_are_not_chosen_or_are_the_papers():
    features, triplets, choices = study()
    found = experiment(features, triplets, choices, [40], 2, widen=True)
    assert not set(found.table.penalty) <= set(PENALTIES)
    assert found.table.penalty[found.table.at_edge].isin([1e-6, 1e4]).all()
    narrow = experiment(features, triplets, choices, [40], 2).table
    assert (narrow.at_edge == narrow.penalty.isin(PENALTIES)).all()
    decades = [10.0**power for power in range(-6, 5)]
    np.testing.assert_array_equal(np.isin(found.table.penalty, decades), True)
    alone = experiment(features, triplets, choices, [40], 2, widen=True, penalties=[0.02]).table
    assert (set(alone.penalty), alone.at_edge.any()) == ({0.02}, False)


def test_generators_made_otherwise_take_the_place_of_the_observer(finished):
    features, triplets, choices = study()
    made = fit_generators(features, triplets, choices, ceiling=0.6, penalties=PENALTIES, widen=False, progress=quiet)
    pd.testing.assert_frame_equal(made.table, finished.generators, check_exact=True)
    options = {"penalties": PENALTIES, "widen": False, "progress": quiet}
    again = recovery_experiment(features, (40, 80), 2, generators=made, **options)
    pd.testing.assert_frame_equal(again.table, finished.table, check_exact=True)
    with pytest.raises(ValueError, match="must be given, and not both"):
        experiment(features, triplets, choices, generators=made)
    fewer = {name: table[:50] for name, table in features.items()}
    with pytest.raises(ValueError, match="'generators' must have the 50 objects of 'features'"):
        recovery_experiment(fewer, (40,), 1, generators=made, **options)


def test_generators_by_objects_and_as_they_are():
    features, triplets, choices = study()
    plain = fit_generators(features, triplets, choices, ceiling=0.6, transform="zero-shot", progress=quiet)
    table = features["model 1"].astype(np.float32)
    np.testing.assert_allclose(plain.similarities["model 1"], table @ table.T, rtol=1e-5)
    by_objects = fit_generators(features, triplets, choices, ceiling=0.6, folds_over="objects", progress=quiet).table
    assert by_objects.accuracy.between(1 / 3, 1).all()
    with pytest.raises(ValueError, match="'triplets' must leave some within every fold"):
        fit_generators(features, triplets[:5], choices[:5], folds_over="objects", progress=quiet)


# Determinism, workers, resumption -------------------------------------------------------------------------------------


def test_seed_decides_everything_and_workers_nothing(finished):
    again = experiment(*study(), n_jobs=2)
    pd.testing.assert_frame_equal(again.table, finished.table, check_exact=True)
    pd.testing.assert_frame_equal(again.generators, finished.generators, check_exact=True)
    other = experiment(*study(), seed=1)
    assert not other.table.test_accuracy.equals(finished.table.test_accuracy)


def test_a_dask_cluster_of_two_workers_gives_the_same_numbers(finished):
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        again = experiment(*study())
    pd.testing.assert_frame_equal(again.table, finished.table, check_exact=True)


def test_other_models_do_not_change_what_a_model_answers(finished):
    scaled = np.stack(list(finished.similarities.values()))
    names = np.array(list(finished.similarities))
    plan = Plan(PENALTIES, False, 3, "shrinkage", "full", None, TOLERANCE, 0, None)
    all_, fewer = (_Fold.of(names[rows], scaled[rows], 40, 1, 2, False, plan) for rows in ([0, 1, 2], [2, 0]))
    for mine, theirs in zip(fewer.answers, (all_.answers[2], all_.answers[0]), strict=True):
        for part, other in zip(mine, theirs, strict=True):
            np.testing.assert_array_equal(part, other)


class Killed(Exception):
    pass


def test_a_killed_run_goes_on_from_its_pieces(finished, tmp_path):
    def dying(iterable, label, total):
        for done, item in enumerate(iterable):
            yield item
            if label == "Recovering models" and done == 4:
                raise Killed

    counted = []

    def counting(iterable, label, total):
        counted.append((label, total))
        return iterable

    with pytest.raises(Killed):
        experiment(*study(), cache=tmp_path, progress=dying)
    assert len(list(tmp_path.iterdir())) == 3 + 5
    resumed = experiment(*study(), cache=tmp_path, progress=counting)
    assert counted == [("Recovering models", 12 - 5)]
    pd.testing.assert_frame_equal(resumed.table, finished.table, check_exact=True)
    pd.testing.assert_frame_equal(resumed.generators, finished.generators, check_exact=True)
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]


def test_pieces_survive_a_process_that_is_shot(tmp_path):
    """SIGKILL leaves no chance to clean up: what is there must be whole."""
    test_folder = Path(__file__).parent
    code = (
        f"import sys; sys.path.insert(0, {str(test_folder)!r})\n"
        "import test_experiment as t\n"
        f"t.experiment(*t.study(), [40, 80, 120, 160], 8, cache={str(tmp_path)!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("*.npz"))) < 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    pieces = list(tmp_path.glob("*.npz"))
    assert 6 <= len(pieces) < 3 + 4 * 8 * 3
    for path in pieces:
        with np.load(path, allow_pickle=False) as piece:
            assert all(np.isfinite(piece[name]).all() for name in piece.files if piece[name].dtype.kind == "f")


def test_other_inputs_take_other_pieces(tmp_path):
    features, triplets, choices = study()
    experiment(features, triplets, choices, [40], 1, cache=tmp_path)
    before = len(list(tmp_path.iterdir()))
    features["model 0"] = features["model 0"] * 1.5
    experiment(features, triplets, choices, [40], 1, cache=tmp_path)
    # One new generator; its answers are what all three candidates are fitted to.
    assert len(list(tmp_path.iterdir())) == before + 1 + 3


# Bad input ------------------------------------------------------------------------------------------------------------

FEATURES, TRIPLETS, CHOICES = study()
BAD = [
    ({"features": {"a": FEATURES["model 0"]}}, "'features' must hold at least 2 models, got 1"),
    ({"features": {"a": np.ones((5, 2)), "b": np.ones((6, 2))}}, "'features' must share their objects"),
    ({"features": {"a": np.full((5, 2), np.nan), "b": np.ones((5, 2))}}, r"'features\['a'\]' must be finite"),
    ({"n_triplets": []}, "'n_triplets' must be different numbers of at least 1"),
    ({"n_triplets": [40, 40]}, "'n_triplets' must be different numbers of at least 1"),
    ({"n_triplets": [0]}, "'n_triplets' must be different numbers of at least 1"),
    ({"n_triplets": [100_000]}, "'n_triplets' must leave every part enough triplets: 100000 for training need 100000"),
    ({"n_seeds": 0}, "'n_seeds' must be at least 1"),
    ({"n_folds": 1}, "'n_folds' must be 2 to 60"),
    ({"penalties": ()}, "'penalties' must hold at least 1 value"),
    ({"penalties": (-1.0,)}, "'penalty' must be finite and at least 0"),
    ({"transform": "sparse"}, "'transform' must be one of"),
    ({"choices": CHOICES[:-1]}, "'choices' must hold one answer for each of the 300 triplets"),
    ({"triplets": TRIPLETS + 1}, "'triplets' must index objects 0 to 59"),
    ({"ceiling": 1.0}, "'ceiling' must lie between 1/3 and"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input_is_named(change, message):
    arguments = {"features": FEATURES, "triplets": TRIPLETS, "choices": CHOICES} | change
    with pytest.raises(ValueError, match=message):
        experiment(**arguments)

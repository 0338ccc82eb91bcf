"""The recovery experiment, its pieces, its summaries, and the observers it starts from."""

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
from scipy.spatial.distance import pdist
from sklearn.datasets import load_digits
from statsmodels.stats.proportion import proportion_confint

from analysis.measures.geometry import effective_dimensionality, geometry_shift
from analysis.recovery.experiment import recovery_experiment
from analysis.recovery.observers import load_features, load_things_triplets, simulated_observer
from analysis.recovery.summaries import confusion_matrix, mean_ranks, recovery_curve
from analysis.recovery.triplets import choice_probabilities, draw_triplets, sample_choices

COLUMNS = ["generator", "candidate", "n_triplets", "seed", "penalty"]
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
    options = {"penalties": PENALTIES, "progress": quiet, "ceiling": 0.6} | options
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
    features, triplets, choices = study()
    fewer = experiment({name: features[name] for name in ("model 2", "model 0")}, triplets, choices).table
    both = fewer.merge(finished.table, on=COLUMNS[:4])
    assert len(both) == len(fewer)
    np.testing.assert_array_equal(both.test_accuracy_x, both.test_accuracy_y)


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


# Summaries ------------------------------------------------------------------------------------------------------------


def made_up(n_seeds=40):
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([list("abc"), list("abc"), [10, 20], range(n_seeds)], names=COLUMNS[:4])
    return pd.DataFrame({"test_accuracy": rng.integers(0, 6, len(index)) / 5}, index=index).reset_index()


def test_summaries_against_a_slow_count():
    table = made_up()
    curve = recovery_curve(table).set_index("n_triplets")
    for size in (10, 20):
        wins, own, others = {}, {}, {}
        for generator in "abc":
            for seed in range(40):
                rows = table[(table.generator == generator) & (table.n_triplets == size) & (table.seed == seed)]
                scores = dict(zip(rows.candidate, rows.test_accuracy, strict=True))
                best = [name for name, score in scores.items() if score == max(scores.values())]
                for name, score in scores.items():
                    wins[generator, name] = wins.get((generator, name), 0) + (name in best) / len(best)
                    above = sum(other > score for other in scores.values())
                    equal = sum(other == score for other in scores.values())
                    (own if name == generator else others).setdefault(name, []).append(above + (equal + 1) / 2)
        assert curve.recovery[size] == pytest.approx(sum(wins[name, name] for name in "abc") / 120)
        matrix = confusion_matrix(table, size)
        np.testing.assert_allclose(matrix.to_numpy(), [[wins[g, c] / 40 for c in "abc"] for g in "abc"])
        np.testing.assert_allclose(matrix.sum(axis=1), 1)
        ranks = mean_ranks(table).query("n_triplets == @size").set_index("model")
        for name in "abc":
            assert ranks.own[name] == pytest.approx(np.mean(own[name]))
            assert ranks.others[name] == pytest.approx(np.mean(others[name]))


def test_interval_is_wilsons():
    table = made_up(n_seeds=7)
    curve = recovery_curve(table, level=0.9)
    for row in curve.itertuples():
        wins = row.recovery * row.n_simulations
        low, high = proportion_confint(wins, row.n_simulations, alpha=0.1, method="wilson")
        assert (row.low, row.high) == pytest.approx((low, high))


def test_without_the_true_model_the_winner_can_still_be_seen():
    table = made_up()
    missing = table[table.generator != table.candidate]
    np.testing.assert_allclose(confusion_matrix(missing, 10).sum(axis=1), 1)
    with pytest.raises(ValueError, match="'table' must hold every generator as a candidate"):
        recovery_curve(missing[missing.candidate != "a"])


# Geometry -------------------------------------------------------------------------------------------------------------


def test_geometry_shift_ignores_rotation_and_scale_and_is_one_minus_a_correlation():
    rng = np.random.default_rng(0)
    features, weights = rng.normal(size=(25, 6)), rng.normal(size=(6, 4))
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0]
    assert geometry_shift(features, 2.5 * rotation) == pytest.approx(0, abs=1e-9)
    expected = 1 - np.corrcoef(pdist(features), pdist(features @ weights))[0, 1]
    assert geometry_shift(features, weights) == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(50, 8), (8, 50)])
def test_effective_dimensionality_is_the_participation_ratio(shape):
    features = np.random.default_rng(0).normal(size=shape) * np.arange(1, shape[1] + 1)
    eigenvalues = np.linalg.eigvalsh(np.cov(features.T))
    expected = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    assert effective_dimensionality(features) == pytest.approx(expected)
    assert effective_dimensionality(3 * features + 1) == pytest.approx(expected)


# Observers ------------------------------------------------------------------------------------------------------------


def digits(n=60):
    data = load_digits()
    return data.images[:n], data.target[:n]


def test_simulated_observer_answers_with_the_calibrated_noise_and_by_its_seed():
    images, labels = digits()
    observer = simulated_observer(images, labels, 2000, seed=3)
    best = choice_probabilities(observer.similarity, observer.triplets).max(1).mean()
    assert best == pytest.approx(0.678, abs=1e-6)
    again = simulated_observer(images, labels, 2000, seed=3)
    np.testing.assert_array_equal(observer.choices, again.choices)
    assert (simulated_observer(images, labels, 2000, seed=4).triplets != observer.triplets).any()


@pytest.mark.parametrize("part", ["pixels", "classes", "strokes"])
def test_each_part_of_the_simulated_observer_counts(part):
    images, labels = digits()
    weights = {"pixels": 0.0, "classes": 0.0, "strokes": 0.0, part: 1.0}
    alone = simulated_observer(images, labels, 500, ceiling=0.45, **weights).similarity
    mixed = simulated_observer(images, labels, 500, ceiling=0.45).similarity
    upper = np.triu_indices(len(alone), 1)
    assert 0.2 < np.corrcoef(alone[upper], mixed[upper])[0, 1] < 0.95


def test_features_are_read_by_model_name(tmp_path):
    rng = np.random.default_rng(0)
    tables = {name: rng.normal(size=(30, width)) for name, width in (("b", 3), ("a", 5))}
    for name, table in tables.items():
        np.save(tmp_path / f"{name}.npy", table)
    found = load_features(tmp_path)
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["b"], tables["b"])
    triplets = draw_triplets(30, 60, 0)
    choices = sample_choices(tables["a"] @ tables["a"].T, triplets, 0)
    assert len(experiment(tmp_path, triplets, choices, [20], 1, ceiling=0.5).table) == 4


@pytest.mark.parametrize("separator", ["\t", " "])
def test_both_public_formats_are_read(tmp_path, separator):
    three, five = tmp_path / "three.txt", tmp_path / "five.csv"
    three.write_text("".join(separator.join(row) + "\n" for row in (["0", "7", "3"], ["4", "1", "2"])))
    five.write_text("".join(separator.join(row) + "\n" for row in (["1", "8", "4", "3", "17"],
                                                                   ["5", "2", "3", "1", "4"])) + "\n")  # fmt: skip
    short, long = load_things_triplets(three, 8), load_things_triplets(five, 8)
    np.testing.assert_array_equal(short.triplets, [[0, 7, 3], [4, 1, 2]])
    np.testing.assert_array_equal(short.triplets, long.triplets)
    assert (short.choices.tolist(), long.choices.tolist()) == ([2, 2], [2, 0])
    assert short.subjects is None
    assert long.subjects.tolist() == [17, 4]


@pytest.mark.public_data
def test_the_public_trials_are_read():
    folder = Path(os.environ.get("ANALYSIS_DATA", "")) / "things"
    if not folder.is_dir():
        pytest.skip("ANALYSIS_DATA does not name a folder with the public trials")
    repeated = load_things_triplets(folder / "vice_test_triplets.csv")
    assert repeated.triplets.shape == (20_000, 3)
    assert len(np.unique(np.sort(repeated.triplets, axis=1), axis=0)) == 1000
    assert load_things_triplets(folder / "trials_2171_humans.txt").triplets.shape == (2171, 3)


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


IMAGES, LABELS = digits(12)
BAD_OBSERVERS = [
    (lambda: simulated_observer(IMAGES[0], LABELS, 10), "'images' must be finite, of shape"),
    (lambda: simulated_observer(IMAGES, LABELS[:-1], 10), "'labels' must have shape"),
    (lambda: simulated_observer(IMAGES, LABELS, 10, pixels=-1.0), "'pixels', 'classes' and 'strokes' must be"),
    (lambda: simulated_observer(IMAGES, LABELS * 0, 10), "'images' and 'labels' must differ"),
    (lambda: simulated_observer(IMAGES, LABELS, 1000), "'n' must be 0 to 220"),
    (lambda: geometry_shift(np.eye(4), np.eye(3)), "'weights' must have 4 rows"),
    (lambda: geometry_shift(np.eye(4), np.eye(4)), "'features' must leave distances that differ"),
    (lambda: geometry_shift(np.random.default_rng(0).normal(size=(5, 2)), np.zeros((2, 2))), "'weights' must leave"),
    (lambda: effective_dimensionality(np.ones((4, 2))), "'features' must differ between objects"),
    (lambda: recovery_curve(made_up().drop(columns="seed")), "'table' must have the columns"),
    (lambda: confusion_matrix(made_up(), 30), r"'n_triplets' must be one of \[10, 20\], got 30"),
]


@pytest.mark.parametrize(("call", "message"), BAD_OBSERVERS)
def test_bad_observers_geometries_and_tables_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


BAD_FILES = [
    ("1 2\n", "must hold lines of 3 or 5 columns, got 1 lines of 2"),
    ("1 2 3\n1 2\n", "must hold integers, as many in each line"),
    ("1 2 x\n", "must hold integers, as many in each line"),
    ("1 2 9\n", "'triplets' must index objects 0 to 7, got 1 to 9"),
    ("1 2 2\n", r"'triplets' must name three different objects, got \[1, 2, 2\] in row 0"),
    ("0 2 3 1 5\n", "'triplets' must index objects 0 to 7, got -1 to 2"),
    ("1 2 3 0 5\n", "must give positions 1 to 3, got 0 to 0"),
]


@pytest.mark.parametrize(("text", "message"), BAD_FILES)
def test_bad_trial_files_are_named(tmp_path, text, message):
    path = tmp_path / "trials.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load_things_triplets(path, 8)


def test_bad_feature_folders_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"'folder' must hold files <model>.npy, got none"):
        load_features(tmp_path)
    np.save(tmp_path / "a.npy", np.ones((4, 2)))
    np.save(tmp_path / "b.npy", np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"'b.npy' must differ from 'a.npy'"):
        load_features(tmp_path)
    np.save(tmp_path / "b.npy", np.zeros((5, 2)))
    with pytest.raises(ValueError, match=r"'b.npy' must have the 4 rows of 'a.npy', got 5"):
        load_features(tmp_path)
    np.save(tmp_path / "b.npy", np.array([{"pickled": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle=False"):
        load_features(tmp_path)

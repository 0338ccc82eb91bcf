"""Observers: simulated ones answer as calibrated, recorded ones and features are read defensively."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from analysis.recovery.observers import load_features, load_things_triplets, simulated_observer
from analysis.recovery.triplets import choice_probabilities


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


IMAGES, LABELS = digits(12)


BAD = [
    (lambda: simulated_observer(IMAGES[0], LABELS, 10), "'images' must be finite, of shape"),
    (lambda: simulated_observer(IMAGES, LABELS[:-1], 10), "'labels' must have shape"),
    (lambda: simulated_observer(IMAGES, LABELS, 10, pixels=-1.0), "'pixels', 'classes' and 'strokes' must be"),
    (lambda: simulated_observer(IMAGES, LABELS * 0, 10), "'images' and 'labels' must differ"),
    (lambda: simulated_observer(IMAGES, LABELS, 1000), "'n' must be 0 to 220"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_bad_input_is_named(call, message):
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

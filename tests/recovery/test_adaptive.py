"""Adaptive experiments: what must not matter, what was shown and scored when, and the same by another route."""

import numpy as np
import pytest

from analysis.recovery import adaptive
from analysis.recovery.adaptive import adaptive_experiment
from analysis.recovery.adaptive_split import Split, fit_models
from analysis.recovery.generators import fit_generators
from analysis.recovery.plan import TRAIN, Plan

RNG = np.random.default_rng(0)
FEATURES = {name: RNG.normal(size=(40, 3)).astype(np.float32) for name in "abc"}
ASKED = np.arange(39).reshape(13, 3)
MADE = fit_generators(FEATURES, ASKED, [0] * 13, transform="zero-shot", progress=lambda items, *_: items)
OPTIONS = {"generators": MADE, "n_folds": 2, "penalties": [0.1, 0.01], "progress": lambda items, *_: items}
PLAN = Plan((0.1, 0.01), False, 2, "shrinkage", "full", None, 1e-4, 0, None)


@pytest.fixture(scope="module")
def found():
    return adaptive_experiment(FEATURES, [12, 24, 48], 1, train=["random", "information"], **OPTIONS)


def a_split():
    scaled = np.stack(list(MADE.scaled.values())).astype(np.float64)
    return Split.of("abc", scaled, 0, 0, 10_000, PLAN)


@pytest.fixture(scope="module")
def split():
    return a_split()


def test_every_cell_is_there_once_and_finite(found):
    keys = ["mode", "train", "test", "generator", "split", "n_triplets"]
    assert len(found.table) == 2 * 2 * 3 * 3 * 2 * 3 * 3
    assert not found.table.duplicated([*keys, "candidate"]).any()
    assert np.isfinite(found.table[["log_likelihood", "test_accuracy", "predicted", "everywhere"]]).all().all()
    assert len(found.designs) == 2 * 2 * 3 * 3 * 2 * 3
    assert found.table["log_likelihood"].max() < 0


def test_a_model_is_its_own_best_candidate_in_the_limit(found):
    limit = found.table[np.isinf(found.table["n_triplets"]) & (found.table["mode"] == "refitted")]
    best = limit.loc[limit.groupby(["train", "test", "generator", "split"]).everywhere.idxmax()]
    assert (best["candidate"] == best["generator"]).mean() > 0.9


def test_frozen_transforms_do_not_see_the_training_policy(found):
    frozen = found.table[found.table["mode"] == "frozen"]
    by_policy = frozen.pivot_table("log_likelihood", ["test", "generator", "candidate", "split", "n_triplets"], "train")
    np.testing.assert_array_equal(by_policy["random"], by_policy["information"])


def test_where_nothing_is_fitted_frozen_and_refitted_are_one():
    plain = adaptive_experiment(FEATURES, [12, 24], 1, transform="zero-shot", train=["information"], **OPTIONS).table
    modes = [plain[plain["mode"] == mode].drop(columns="mode").reset_index(drop=True) for mode in adaptive.MODES]
    assert modes[0].equals(modes[1])


def test_policies_ask_more_than_chance_does(found):
    rows = found.designs[(found.designs["n_triplets"] == 48) & (found.designs["mode"] == "frozen")]
    means = rows[rows["train"] == "random"].groupby("test")["test_divergence"].mean()
    assert means["information"] > means["random"]


def test_a_batch_is_predicted_before_it_is_fitted(found, split):
    """The first training batch of the random design, predicted by fits to the seed batch alone."""
    seed, batch = np.arange(12), np.arange(12, 24)
    fitted = fit_models(list(FEATURES.values()), split, [seed] * 3, [np.arange(3)] * 3, 0.678, PLAN)
    rows = found.table.query("mode == 'refitted' and train == 'random' and test == 'random' and split == '0.0'")
    for place, name in enumerate("abc"):
        logs = np.log(fitted.predict(place, split.pools[TRAIN][batch]))
        slow = logs[:, np.arange(12), split.answers[TRAIN][place, batch]].sum(axis=1)
        at = rows[(rows["n_triplets"] == 24) & (rows["generator"] == name)].set_index("candidate")["predicted"]
        np.testing.assert_allclose(at["a":"c"], slow, rtol=1e-6)


def test_finished_pieces_are_not_computed_again(tmp_path, monkeypatch):
    options = OPTIONS | {"cache": tmp_path, "transform": "zero-shot", "train": ["random"], "test": ["random"]}
    first = adaptive_experiment(FEATURES, [8, 16], 1, **options)
    monkeypatch.setattr(adaptive._Run, "rounds", lambda self: pytest.fail("computed again"))
    again = adaptive_experiment(FEATURES, [8, 16], 1, **options)
    assert first.table.equals(again.table)


@pytest.mark.parametrize(
    ("sizes", "options", "says"),
    [
        ([20], {}, "'sizes' must be at least 2 rising numbers from 4 on, got \\[20\\]"),
        ([20, 10], {}, "'sizes' must be at least 2 rising numbers"),
        ([10, 10**6], {}, "'sizes' must leave every part enough triplets"),
        ([10, 20], {"train": ["best"]}, "'policy' must be one of .*'refit', got 'best'"),
        ([10, 20], {"test": ["bald"], "train": []}, "'policy' must be one of .*, got 'bald'"),
        ([10, 20], {"transform": "low-rank"}, "'transform' must be one of"),
        ([10, 20], {"choosers": "none"}, "'choosers' must be one of 'all', 'others', 'half', got 'none'"),
        ([10, 20], {"n_folds": 1}, "'n_folds' must be 2 to 40"),
    ],
)
def test_what_is_refused(sizes, options, says):
    with pytest.raises(ValueError, match=says):
        adaptive_experiment(FEATURES, sizes, 1, **OPTIONS | options)


def test_generators_of_other_models_are_refused():
    with pytest.raises(ValueError, match="'generators' must be the models of 'features'"):
        adaptive_experiment({"a": FEATURES["a"], "z": FEATURES["b"]}, [10, 20], 1, **OPTIONS)

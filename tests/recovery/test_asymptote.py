"""The limit of infinitely many answers: equal to the sampled experiment, and honest about what it does not resolve."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis.recovery.asymptote import (
    all_triplets,
    answers_per_pair,
    asymptotic_recovery,
    at_penalty,
    margins_at_limit,
    recovery_asymptote,
)
from analysis.recovery.experiment import recovery_experiment
from analysis.recovery.generators import fit_generators
from analysis.recovery.triplets import draw_triplets, sample_choices

PENALTIES = (0.1, 0.01)
KEYS = ["generator", "candidate", "seed"]


def quiet(iterable, label, total):
    return iterable


@pytest.fixture(scope="module")
def made():
    """Three models with more units than training objects, and generators that answer."""
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(27, 4))
    features = {name: np.hstack([shared, 0.7 * rng.normal(size=(27, 20))]) / 5 for name in "abc"}
    triplets = draw_triplets(27, 1500, rng)
    choices = sample_choices(3 * shared @ shared.T, triplets, rng)
    return features, fit_generators(features, triplets, choices, penalties=[0.01], ceiling=0.6, progress=quiet)


def limit(made, **options):
    features, generators = made
    options = {"generators": generators, "penalties": PENALTIES, "widen": False, "progress": quiet} | options
    return recovery_asymptote(features, options.pop("n_seeds", 2), **options)


@pytest.fixture(scope="module")
def finished(made):
    return limit(made)


def test_the_table_is_tidy_and_complete(finished):
    assert len(finished) == 3 * 3 * 2 * 3 * 2
    assert not finished.duplicated([*KEYS, "fold", "penalty"]).any()
    assert finished.test_accuracy.between(0.2, 0.75).all()
    assert (finished.log_likelihood < 0).all()
    assert (finished.gap < 1e-8).all()
    assert (finished.n_triplets == 286).all()  # all of 13 training objects


def test_the_sampled_experiment_with_replacement_approaches_the_limit(made, finished):
    features, generators = made
    options = {"generators": generators, "penalties": PENALTIES, "widen": False, "progress": quiet}
    far = recovery_experiment(features, [1000, 50_000], 2, replacement=True, **options).table
    end = at_penalty(finished).set_index(KEYS)
    away = []
    for _, part in far.groupby("n_triplets"):
        both = part.set_index(KEYS).join(end, rsuffix="_limit")
        both = both[both.penalty == both.penalty_limit]  # which λ is best is itself a matter of chance
        away.append((both.log_likelihood - both.log_likelihood_limit).abs().max())
    few, many = away
    assert many < 0.01
    assert many < 0.3 * few
    winners = far[far.n_triplets == 50_000].sort_values("test_accuracy").drop_duplicates(KEYS[::2], keep="last")
    at_end = margins_at_limit(at_penalty(finished))
    clear = at_end[at_end.margin > 0.01]
    assert len(clear) > 2
    found = winners.set_index(KEYS[::2]).candidate
    assert [found[row.generator, row.seed] for row in clear.itertuples()] == clear.winner.tolist()


def test_a_tighter_solver_changes_no_winner_that_was_resolved(made):
    rough, fine = (limit(made, tolerance=tolerance, n_seeds=1) for tolerance in (1e-6, 1e-10))
    for criterion in ("accuracy", "likelihood"):
        first, last = (margins_at_limit(at_penalty(table, 0.01), criterion) for table in (rough, fine))
        assert last.resolved.sum() >= first.resolved.sum() > 0
        assert (first.winner == last.winner)[first.resolved].all()


def test_a_sample_of_the_triplets_stands_for_all(made, finished):
    sampled = limit(made, most=200, n_seeds=1)
    assert (sampled.n_triplets == 200).all()
    whole = finished[finished.seed == 0]
    assert np.abs(sampled.log_likelihood.to_numpy() - whole.log_likelihood.to_numpy()).mean() < 0.02
    assert len(all_triplets(np.array([7, 2, 5, 9]), None, 0)) == 4
    assert sorted(map(tuple, all_triplets(np.arange(6), 20, 0))) == list(combinations(range(6), 3))


def test_a_grid_widens_where_its_end_is_chosen(made):
    table = limit(made, widen=True, n_seeds=1, tolerance=1e-6)
    assert table.penalty.nunique() > 2
    chosen = at_penalty(table)
    assert chosen.penalty[chosen.at_edge].isin([1e-6, 1e4]).all()


def test_identical_candidates_are_counted_and_not_ranked(made):
    features, generators = made
    twins = dict.fromkeys("abc", features["a"])
    found = asymptotic_recovery(limit((twins, generators), n_seeds=1))
    assert (found.n_resolved == 0).all()
    assert found.recovery.isna().all()
    assert (found.n_simulations == 3).all()


def test_the_share_is_a_count_of_the_resolved():
    table = pd.DataFrame({
        "generator": list("aabb"), "candidate": list("abab"), "seed": 0, "fold": 0, "penalty": 0.1, "gap": 0.0,
        "validation_accuracy": 0.5, "test_accuracy": [0.6, 0.5, 0.7, 0.6], "log_likelihood": [-1.0, -1.1, -0.9, -0.8],
        "accuracy_error": 0.01, "likelihood_error": [0.3, 0.0, 0.0, 0.01], "n_triplets": 10,
    })  # fmt: skip
    found = asymptotic_recovery(table).set_index(["penalty", "criterion"])
    assert found.loc[("chosen", "accuracy"), ["recovery", "n_resolved"]].tolist() == [0.5, 2]
    assert found.loc[(0.1, "likelihood"), ["recovery", "n_resolved"]].tolist() == [1.0, 1]
    assert margins_at_limit(at_penalty(table)).own_lead.tolist() == pytest.approx([0.1, -0.1])
    with pytest.raises(ValueError, match=r"'penalty' must be one that all were fitted with, \[0.1\], got 0.2"):
        at_penalty(table, 0.2)


def test_answers_per_pair_of_the_paper():
    assert answers_per_pair(1_000_000, 865) == pytest.approx(8.03, abs=0.01)
    assert answers_per_pair(4_200_000, 865) == pytest.approx(33.7, abs=0.1)


def test_kept_pieces_are_not_computed_again(made, tmp_path):
    first = limit(made, cache=tmp_path, n_seeds=1)

    def refuse(iterable, label, total):
        raise AssertionError(label)

    pd.testing.assert_frame_equal(limit(made, cache=tmp_path, n_seeds=1, progress=refuse), first, check_exact=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_seeds": 0}, "'n_seeds' must be at least 1"),
        ({"penalties": ()}, "'penalties' must hold at least 1 value"),
        ({"n_folds": 14}, "'features' must leave 3 objects in every part"),
        ({"n_folds": 1}, "'n_folds' must be 2 to 27"),
        ({"generators": None}, "'observer_triplets' and 'observer_choices', or 'generators', must be given"),
    ],
)
def test_bad_input_is_named(made, change, message):
    with pytest.raises(ValueError, match=message):
        limit(made, **change)

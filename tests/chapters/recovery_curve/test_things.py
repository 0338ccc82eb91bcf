"""The helpers of the public run on THINGS, on answers small enough to check by hand."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import things
from analysis.recovery.observers import Observer
from analysis.recovery.triplets import draw_triplets


def test_clusters_that_repeat_one_answer_widen_the_interval():
    rng = np.random.default_rng(0)
    answers = rng.integers(0, 2, 50).astype(float)
    single = things.clustered_mean(answers, np.arange(50), over="answers")
    repeated = things.clustered_mean(np.repeat(answers, 20), np.repeat(np.arange(50), 20), over="triplets")
    naive = things.clustered_mean(np.repeat(answers, 20), np.arange(1000), over="answers")
    assert repeated.value == single.value
    assert (repeated.low, repeated.high) == (single.low, single.high)
    assert (naive.high - naive.low) < 0.4 * (repeated.high - repeated.low)


def test_a_cluster_counts_by_its_answers():
    found = things.clustered_mean(np.array([1.0, 0, 0, 0]), np.array([7, 9, 9, 9]), over="subjects")
    assert found.value == 0.25
    assert (found.low, found.high) == (0, 1)


def test_agreement_with_the_others_by_hand():
    triplets = np.array([[0, 1, 2], [2, 1, 0], [1, 0, 2], [3, 4, 5]])
    choices = np.array([0, 2, 1, 0])  # object 0 three times; nobody else answered the last triplet
    assert things.agreement_ceiling(Observer(triplets, choices)) == 1
    split = np.array([0, 2, 0, 0])  # 0, 0 and 1 are named: the others of the first two tie, of the third agree on 0
    assert things.agreement_ceiling(Observer(triplets, split)) == pytest.approx((0.5 + 0.5 + 0) / 3)


def test_every_triplet_is_kept_once_with_one_of_its_answers():
    triplets = np.array([[0, 1, 2], [2, 1, 0], [3, 4, 5]])
    both = {"a": Observer(triplets, np.array([0, 2, 1])), "b": Observer(triplets, np.zeros(3, int))}
    kept = things.one_answer_each(both)
    assert len(kept.triplets) == len(np.unique(np.sort(kept.triplets, axis=1), axis=0)) == 2


def test_the_lead_of_the_best_is_over_the_second():
    triplets = draw_triplets(30, 300, 0)
    rng = np.random.default_rng(0)
    embeddings = {name: rng.random((30, 3)) for name in "abc"}
    first = things.predicted(embeddings, Observer(triplets, np.zeros(300, int)))
    table = things.accuracy_table({"few": first})
    assert set(table["cluster"]) == {"triplet"}
    ordered = table.sort_values("accuracy", ascending=False)
    assert ordered["lead"].iloc[0] == pytest.approx(ordered["accuracy"].iloc[0] - ordered["accuracy"].iloc[1])
    assert ordered["rival"].iloc[1] == ordered["embedding"].iloc[0]


def test_answers_needed_reach_the_promised_power():
    rng = np.random.default_rng(0)
    values, chances = np.array([-1, 0, 1]), np.array([0.15, 0.65, 0.2])
    spread = np.sqrt(chances @ values**2 - (chances @ values) ** 2)
    needed = things.trials_needed(float(chances @ values), float(spread))
    drawn = rng.choice(values, (2000, round(needed.n)), p=chances)
    clear = drawn.mean(axis=1) > 1.96 * drawn.std(axis=1) / np.sqrt(round(needed.n))
    assert clear.mean() == pytest.approx(0.8, abs=0.03)


def test_no_lead_takes_for_ever():
    assert things.trials_needed(0.0, 1.0).n == np.inf


def test_the_true_embedding_leads_in_the_simulation():
    rng = np.random.default_rng(0)
    embeddings = {name: rng.random((60, 4)) for name in "ab"}
    leads = things.all_leads(embeddings, ceiling=0.6, n_triplets=20_000)
    assert isinstance(leads, pd.DataFrame)
    assert (leads["lead"] > 0).all()

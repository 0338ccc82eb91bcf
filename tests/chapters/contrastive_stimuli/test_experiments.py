"""The chapter's experiments on tables of answers that are small enough to reason about."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.chapters.contrastive_stimuli import experiments
from analysis.chapters.contrastive_stimuli.parameters import Parameters
from analysis.data.images import load_images
from analysis.measures.agreement import fleiss_kappa
from analysis.models import zoo, zoo_answers
from analysis.models.zoo_networks import ZOO


def test_bins_hold_models_of_neighbouring_accuracy():
    bins = experiments.accuracy_bins(np.array([0.9, 0.1, 0.5, 0.4, 0.8]), 2)
    assert bins.tolist() == [1, 0, 0, 0, 1]


@pytest.mark.parametrize("n_models", [8, 13, 37])
def test_random_halves_are_complements_that_halve_every_bin(n_models):
    bins = experiments.accuracy_bins(np.arange(n_models) / n_models, 2)
    masks = list(experiments.random_halves(bins, 5, seed=0))
    assert len(masks) == 10
    for half, other in zip(masks[::2], masks[1::2], strict=True):
        assert (half == ~other).all()
        assert all(abs(half[bins == b].sum() - other[bins == b].sum()) <= 1 for b in (0, 1))
    assert len({tuple(mask) for mask in masks}) > 2


def test_kappa_by_bin_agrees_with_the_measure_and_drops(simulated):
    answers = simulated()
    found = experiments.kappa_by_bin(answers, n_bins=2, k=40, n_splits=4)
    bins = experiments.accuracy_bins(answers.accuracies, 2)
    rows = found.table.set_index(["bin", "stimuli"])
    worst = experiments.chosen(answers, 40)
    for position in (0, 1):
        counts = np.stack([np.bincount(column, minlength=10) for column in answers.answers[bins == position].T])
        assert rows.loc[(position, "all"), "kappa"] == pytest.approx(fleiss_kappa(counts))
        assert rows.loc[(position, "contrastive"), "kappa"] == pytest.approx(fleiss_kappa(counts[worst]))
    assert (rows["floor"].dropna() <= rows["kappa"][rows["floor"].notna()]).all()
    drops = rows["kappa"].unstack()
    smallest = (drops["all"] - drops["contrastive"]).min()
    assert found.drops[experiments.CONTRASTIVE].value == pytest.approx(smallest)
    assert found.drops[experiments.ELSEWHERE].low > 0


def test_without_hard_stimuli_the_drop_is_all_selection(table):
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=40_000)
    right = rng.random((16, 40_000)) < 0.7
    same = table(np.where(right, labels, rng.integers(10, size=right.shape)), labels)
    effect = experiments.selection_effect(same, n_bins=1, k=4000, n_splits=5).mean()
    assert effect["all"] - effect["own choice"] > 0.25
    assert abs(effect["all"] - effect["others' choice"]) < 0.01


def test_with_hard_stimuli_most_of_the_drop_survives(simulated):
    effect = experiments.selection_effect(simulated(), n_bins=2, k=40, n_splits=5).mean()
    assert effect["all"] - effect["others' choice"] > 0.8 * (effect["all"] - effect["own choice"])


def test_a_set_of_all_stimuli_is_no_choice(simulated):
    sizes = experiments.by_set_size(simulated(), n_bins=2, n_splits=3)
    assert sizes["k"].is_monotonic_increasing
    assert sizes["own choice"].iloc[0] < sizes["own choice"].iloc[-1]
    last = sizes.iloc[-1]
    assert last["all"] == pytest.approx(last["own choice"]) == pytest.approx(last["others' choice"])


def test_missing_answers_leave_no_floor_and_break_nothing(table, simulated):
    answers = simulated()
    gaps = np.where(np.random.default_rng(0).random(answers.answers.shape) < 0.1, -1, answers.answers)
    found = experiments.kappa_by_bin(table(gaps, answers.labels), n_bins=2, k=40, n_splits=2)
    assert found.table["floor"].isna().all()
    assert found.table["kappa"].notna().all()


def test_one_answer_everywhere_is_undefined_and_silent(recwarn, table):
    constant = table(np.zeros((8, 30), np.int64), np.zeros(30, np.int64))
    found = experiments.kappa_by_bin(constant, n_bins=2, k=5, n_splits=2)
    assert found.table["kappa"].isna().all()
    assert not np.isfinite(found.drops[experiments.CONTRASTIVE].value)
    assert not np.isfinite(experiments.stability(constant, n_bins=2).value)
    assert [warning for warning in recwarn if issubclass(warning.category, RuntimeWarning)] == []


def test_categories_and_models_have_no_order(table, simulated):
    answers = simulated()
    names = np.random.default_rng(1).permutation(10)
    renamed = table(names[answers.answers[::-1]], names[answers.labels])
    assert (experiments.chosen(answers, 40) == experiments.chosen(renamed, 40)).all()
    assert experiments.agreement(answers).kappa == pytest.approx(experiments.agreement(renamed).kappa)


def test_sorted_agreement_rises_and_keeps_every_stimulus(simulated):
    answers = simulated()
    rows = experiments.sorted_agreement(answers, n_bins=1, n_groups=10)
    ours = rows[rows["sorted by"] == "all models"]["agreement"]
    assert (np.diff(ours) >= 0).all()
    assert ours.mean() == pytest.approx(experiments.agreement(answers).per_stimulus.mean())


def test_agreement_ranks_alike_where_the_stimuli_decide(table, simulated):
    assert experiments.stability(simulated(hard=0.2), n_bins=2).low > 0.2
    rng = np.random.default_rng(0)
    noise = table(rng.integers(3, size=(16, 300)), rng.integers(3, size=300), 3)
    interval = experiments.stability(noise, n_bins=2)
    assert interval.low < 0.1 < 0.3 > interval.high


def test_no_pair_agrees_less_than_its_floor(simulated):
    pairs = experiments.pair_agreement(simulated())
    assert len(pairs) == 16 * 15 / 2
    assert (pairs["agreement"] >= pairs["floor"] - 1e-12).all()


def test_pair_agreement_by_hand(table):
    pair = experiments.pair_agreement(table([[0, 1, 1, 0], [0, 1, 0, -1]], [0, 1, 1, 1], 2)).iloc[0]
    assert pair["agreement"] == pytest.approx(2 / 3)  # the last stimulus has one answer only
    assert pair["floor"] == pytest.approx(3 / 4 + 2 / 3 - 1)
    assert pair["independent"] == pytest.approx(3 / 4 * 2 / 3 + 1 / 4 * 1 / 3)


def test_accurate_models_agree(simulated):
    assert experiments.accuracy_against_agreement(simulated()).low > 0.5


def test_without_noise_different_models_are_always_identified(table):
    rng = np.random.default_rng(0)
    found = experiments.identification(
        table(rng.integers(10, size=(12, 60)), rng.integers(10, size=60)), noise=0, n_bins=1, n_splits=2, n_draws=2
    )
    assert (found[found["k"] >= 10]["identified"] == 1).all()


def test_twins_share_the_credit(table):
    answers = np.tile(np.random.default_rng(0).integers(10, size=60), (12, 1))
    found = experiments.identification(table(answers, answers[0]), noise=0.2, n_bins=1, n_splits=2, n_draws=2)
    assert np.allclose(found["identified"], found["chance"])


def test_contrastive_stimuli_identify_better_where_most_are_easy(table):
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=400)
    answers = np.tile(labels, (16, 1))
    answers[:, :40] = rng.integers(10, size=(16, 40))
    found = experiments.identification(table(answers, labels), noise=0.2, n_bins=1, n_splits=3, n_draws=5)
    assert experiments.identification_gain(found).low > 0.2


def test_contact_sheet_counts_the_answers(table):
    sheet = experiments.contact_sheet(table([[0, 1, 2], [0, 1, 1], [0, 0, -1]], [0, 1, 1], 3), n_shown=1)
    assert sheet["stimulus"].tolist() == ["s2", "s0"]
    assert sheet["answers"].tolist() == ["2 (1) | 1 (1)", "0 (3)"]
    assert sheet["agreement"].tolist() == [0, 1]


def test_ties_on_the_contact_sheet_are_broken_by_the_margin(table):
    answers = table([[0, 1, 2, 0, 1], [0, 1, 2, 1, 0]], [0, 1, 2, 0, 1], 3)
    sheet = experiments.contact_sheet(answers, np.array([0.2, 0.9, 0.5, 0.3, 0.1]), n_shown=2)
    assert sheet["stimulus"].tolist() == ["s4", "s3", "s1", "s2"]
    assert experiments.contact_sheet(answers, n_shown=2)["stimulus"].tolist() == ["s3", "s4", "s0", "s1"]


def test_every_corruption_is_used_equally_often():
    digits = load_images("digits", size=8)
    copies = experiments.corrupted_copies(digits, 3, seed=0)
    assert copies.shape == digits.x.shape
    changed = (copies != digits.x).flatten(1).any(1)
    assert changed.float().mean() > 0.98
    assert torch.equal(copies, experiments.corrupted_copies(digits, 3, seed=0))
    assert not torch.equal(copies, experiments.corrupted_copies(digits, 3, seed=1))


def test_the_zoo_answers_clean_and_corrupted_images(untrained, monkeypatch):
    tiny = {name: ZOO[name] for name in untrained}
    monkeypatch.setattr(experiments, "ZOO", tiny)
    monkeypatch.setattr(experiments, "TRAINED", tuple(tiny))
    for module in (zoo, zoo_answers):
        monkeypatch.setattr(module, "ZOO", tiny)
    found = experiments.answer_sets("zoo", load_images("digits", size=8), severity=3, seed=0)
    assert list(found) == ["clean", "corrupted"]
    assert found["clean"].answers.shape == (2, 1797)
    assert experiments.described_answers(found["clean"])["stimuli that all answered"] == "1,797"


def test_without_labels_accuracy_and_its_floor_are_not_known(simulated):
    answers = replace(simulated(), labels=np.full(300, -1))
    assert np.isnan(answers.accuracies).all()
    assert experiments.described_answers(answers)["accuracy of the models"] == "not known"
    found = experiments.kappa_by_bin(answers, n_bins=1, k=40, n_splits=2).table.set_index("stimuli")
    assert found["floor"].isna().all()
    assert found.loc[experiments.CONTRASTIVE, "kappa"] < found.loc[experiments.ALL, "kappa"]
    assert set(experiments.told_floor(experiments.pair_agreement(answers)).values()) == {"not known without labels"}


def test_one_bin_has_no_others_to_be_sorted_by(simulated):
    found = experiments.sorted_agreement(simulated(), n_bins=1)
    assert set(found["sorted by"]) == {"all models"}


def test_the_floor_is_told_set_by_set(simulated):
    pairs = experiments.stacked({name: experiments.pair_agreement(simulated(seed=n)) for n, name in enumerate("ab")})
    told = experiments.told_floor(pairs)
    share = pairs[pairs["set"] == "a"][["floor", "agreement"]].sum()
    assert told["enforced"].startswith(f"{share['floor'] / share['agreement']:.0%} (a), ")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "are theirs."),
        ({"models": "zoo:cnn,zoo:cnn-slim,zoo:mlp-100,zoo:resnet-8-b1"}, "of your line-up to your pictures."),
    ],
)
def test_whose_answers_the_page_is_about(values, told):
    assert experiments.told_source(Parameters(**values)).endswith(told)

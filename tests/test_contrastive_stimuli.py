"""The chapter's experiments on tables of answers that are small enough to reason about."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from analysis.chapters.contrastive_stimuli import experiments, people, representations
from analysis.chapters.contrastive_stimuli.parameters import Parameters, PublicParameters
from analysis.data.answers import ModelVsHuman, Predictions
from analysis.data.images import halves, load_images
from analysis.data.registry import registry
from analysis.measures.agreement import fleiss_kappa, stimulus_agreement
from analysis.models import zoo
from analysis.runs.parameters import ParameterError


def table(answers, labels, n_categories=10):
    answers = np.asarray(answers)
    names = [tuple(f"{letter}{n}" for n in range(size)) for letter, size in zip("ms", answers.shape, strict=True)]
    return Predictions(answers, np.asarray(labels), *names, tuple(map(str, range(n_categories))), {})


def simulated(n_models=16, n_stimuli=300, seed=0, hard=0.3):
    """Models of rising accuracy; the first stimuli are hard for everybody."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(10, size=n_stimuli)
    skill = np.linspace(0.5, 0.98, n_models)[:, None]
    right = rng.random((n_models, n_stimuli)) < np.where(np.arange(n_stimuli) < 60, hard, skill)
    return table(np.where(right, labels, rng.integers(10, size=right.shape)), labels)


# Squares against natural images


def test_separation_of_blocks_by_hand():
    groups = np.array(["a", "a", "a", "b", "b", "b"])
    within, between = [0.9, 0.8, 0.7, 0.9, 0.8, 0.7], [0.3, 0.5] * 4 + [0.4]
    matrix = np.ones((6, 6))
    values = {True: iter(within), False: iter(between)}
    for i, j in itertools.combinations(range(6), 2):
        matrix[i, j] = matrix[j, i] = next(values[bool(groups[i] == groups[j])])
    squared = sum(((np.array(part) - np.mean(part)) ** 2).sum() for part in (within, between))
    assert representations.separation(matrix, groups) == pytest.approx((0.8 - 0.4) / np.sqrt(squared / 13))


def test_separation_ignores_order_names_scale_and_the_diagonal():
    rng = np.random.default_rng(0)
    matrix = rng.random((8, 8))
    matrix = matrix + matrix.T
    groups = np.repeat(["a", "b"], 4)
    found = representations.separation(matrix, groups)
    order = rng.permutation(8)
    assert representations.separation(matrix[np.ix_(order, order)], groups[order]) == pytest.approx(found)
    assert representations.separation(matrix, np.repeat([1, 0], 4)) == found
    assert representations.separation(3 * matrix + 1, groups) == pytest.approx(found)
    assert representations.separation(matrix + 50 * np.eye(8), groups) == found


def test_a_network_drawn_twice_is_not_paired_with_itself():
    matrix = np.array([[1, 0.2, 0.3, 0.4], [0.2, 1, 0.5, 0.6], [0.3, 0.5, 1, 0.1], [0.4, 0.6, 0.1, 1]])
    groups = np.array([0, 0, 1, 1])
    within, between = [0.2, 0.2, 0.1], [0.3, 0.4, 0.3, 0.4, 0.5, 0.6]
    squared = sum(((np.array(part) - np.mean(part)) ** 2).sum() for part in (within, between))
    expected = (np.mean(within) - np.mean(between)) / np.sqrt(squared / 7)
    assert representations.separation(matrix, groups, np.array([0, 0, 1, 2, 3])) == pytest.approx(expected)


def test_separation_without_a_pair_of_each_kind_is_undefined():
    assert np.isnan(representations.separation(np.eye(3), np.zeros(3)))


def test_blocks_are_found_and_shuffled_labels_give_chance():
    rng = np.random.default_rng(1)
    motifs = np.repeat(["convolution", "attention"], 6)
    noise = rng.normal(0, 0.05, (12, 12))
    blocks = 0.5 + 0.3 * (motifs[:, None] == motifs) + noise + noise.T
    geometry = representations.Geometry(list("abcdefghijkl"), motifs, {("squares", "late"): blocks})
    row = representations.separations(geometry, n_permutations=200).iloc[0]
    assert row["separation"] > 2
    assert row["low"] > row["chance high"]
    assert row["chance low"] < 0 < row["chance high"]
    assert len(geometry.long()) == 66
    assert representations.separation_interval([blocks, blocks], motifs).value == 0


@pytest.fixture(scope="module")
def untrained():
    """Two networks that need no training, in the cache for both halves (one by one, so that no worker is started)."""
    names = ("resnet-12-s2-b2-untrained", "vit-40-d4-p4-untrained")
    digits = load_images("digits", size=8)
    for name, half in itertools.product(names, halves(digits, 0)):
        zoo.load_network(name, digits, half, seed=0)
    return names


def test_block_means_by_hand():
    matrix = np.array([[1, 0.8, 0.1, 0.2], [0.8, 1, 0.3, 0.4], [0.1, 0.3, 1, 0.6], [0.2, 0.4, 0.6, 1]])
    motifs = np.array(["convolution", "convolution", "attention", "attention"])
    geometry = representations.Geometry(
        list("abcd"), motifs, {("squares", "late"): matrix, ("squares", "early"): matrix * 0}
    )
    assert representations.block_means(geometry, "late").loc["squares"].tolist() == pytest.approx([0.8, 0.6, 0.25])


def test_geometry_of_a_tiny_zoo(untrained):
    digits, names = load_images("digits", size=8), list(untrained)
    sets = representations.stimulus_sets(digits, torch.rand(12, 1, 8, 8), seed=0)
    geometry = representations.compare_geometry(digits, sets, debiased=True, seed=0, names=names)
    again = representations.compare_geometry(digits, sets, debiased=True, seed=0, names=names)
    assert set(geometry.matrices) == set(itertools.product(("squares", "digits"), representations.LAYERS))
    for key, matrix in geometry.matrices.items():
        assert matrix.shape == (2, 2)
        assert (matrix == again.matrices[key]).all()
    assert geometry.motifs.tolist() == ["convolution", "attention"]


def test_the_natural_images_were_not_trained_on():
    digits = load_images("digits")
    shown = representations.stimulus_sets(digits, torch.zeros(50, 1, 16, 16), seed=3)["digits"]
    trained = digits.x[halves(digits, 3)[0]].flatten(1)
    assert len(shown) == 50
    assert torch.cdist(shown.flatten(1), trained).min() > 0


# Agreement


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


def test_kappa_by_bin_agrees_with_the_measure_and_drops():
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


def test_without_hard_stimuli_the_drop_is_all_selection():
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=40_000)
    right = rng.random((16, 40_000)) < 0.7
    same = table(np.where(right, labels, rng.integers(10, size=right.shape)), labels)
    effect = experiments.selection_effect(same, n_bins=1, k=4000, n_splits=5).mean()
    assert effect["all"] - effect["own choice"] > 0.25
    assert abs(effect["all"] - effect["others' choice"]) < 0.01


def test_with_hard_stimuli_most_of_the_drop_survives():
    effect = experiments.selection_effect(simulated(), n_bins=2, k=40, n_splits=5).mean()
    assert effect["all"] - effect["others' choice"] > 0.8 * (effect["all"] - effect["own choice"])


def test_missing_answers_leave_no_floor_and_break_nothing():
    answers = simulated()
    gaps = np.where(np.random.default_rng(0).random(answers.answers.shape) < 0.1, -1, answers.answers)
    found = experiments.kappa_by_bin(table(gaps, answers.labels), n_bins=2, k=40, n_splits=2)
    assert found.table["floor"].isna().all()
    assert found.table["kappa"].notna().all()


def test_one_answer_everywhere_is_undefined_and_silent(recwarn):
    constant = table(np.zeros((8, 30), np.int64), np.zeros(30, np.int64))
    found = experiments.kappa_by_bin(constant, n_bins=2, k=5, n_splits=2)
    assert found.table["kappa"].isna().all()
    assert not np.isfinite(found.drops[experiments.CONTRASTIVE].value)
    assert not np.isfinite(experiments.stability(constant, n_bins=2).value)
    assert [warning for warning in recwarn if issubclass(warning.category, RuntimeWarning)] == []


def test_categories_and_models_have_no_order():
    answers = simulated()
    names = np.random.default_rng(1).permutation(10)
    renamed = table(names[answers.answers[::-1]], names[answers.labels])
    assert (experiments.chosen(answers, 40) == experiments.chosen(renamed, 40)).all()
    assert experiments.agreement(answers).kappa == pytest.approx(experiments.agreement(renamed).kappa)


def test_sorted_agreement_rises_and_keeps_every_stimulus():
    answers = simulated()
    rows = experiments.sorted_agreement(answers, n_bins=1, n_groups=10)
    ours = rows[rows["sorted by"] == "all models"]["agreement"]
    assert (np.diff(ours) >= 0).all()
    assert ours.mean() == pytest.approx(experiments.agreement(answers).per_stimulus.mean())


def test_agreement_ranks_alike_where_the_stimuli_decide():
    assert experiments.stability(simulated(hard=0.2), n_bins=2).low > 0.2
    rng = np.random.default_rng(0)
    noise = table(rng.integers(3, size=(16, 300)), rng.integers(3, size=300), 3)
    interval = experiments.stability(noise, n_bins=2)
    assert interval.low < 0.1 < 0.3 > interval.high


# Floor


def test_no_pair_agrees_less_than_its_floor():
    pairs = experiments.pair_agreement(simulated())
    assert len(pairs) == 16 * 15 / 2
    assert (pairs["agreement"] >= pairs["floor"] - 1e-12).all()


def test_pair_agreement_by_hand():
    pair = experiments.pair_agreement(table([[0, 1, 1, 0], [0, 1, 0, -1]], [0, 1, 1, 1], 2)).iloc[0]
    assert pair["agreement"] == pytest.approx(2 / 3)  # the last stimulus has one answer only
    assert pair["floor"] == pytest.approx(3 / 4 + 2 / 3 - 1)
    assert pair["independent"] == pytest.approx(3 / 4 * 2 / 3 + 1 / 4 * 1 / 3)


def test_accurate_models_agree():
    assert experiments.accuracy_against_agreement(simulated()).low > 0.5


# Identification


def test_without_noise_different_models_are_always_identified():
    rng = np.random.default_rng(0)
    found = experiments.identification(
        table(rng.integers(10, size=(12, 60)), rng.integers(10, size=60)), noise=0, n_bins=1, n_splits=2, n_draws=2
    )
    assert (found[found["k"] >= 10]["identified"] == 1).all()


def test_twins_share_the_credit():
    answers = np.tile(np.random.default_rng(0).integers(10, size=60), (12, 1))
    found = experiments.identification(table(answers, answers[0]), noise=0.2, n_bins=1, n_splits=2, n_draws=2)
    assert np.allclose(found["identified"], found["chance"])


def test_contrastive_stimuli_identify_better_where_most_are_easy():
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=400)
    answers = np.tile(labels, (16, 1))
    answers[:, :40] = rng.integers(10, size=(16, 40))
    found = experiments.identification(table(answers, labels), noise=0.2, n_bins=1, n_splits=3, n_draws=5)
    assert experiments.identification_gain(found).low > 0.2


# Contact sheet


def test_contact_sheet_counts_the_answers():
    sheet = experiments.contact_sheet(table([[0, 1, 2], [0, 1, 1], [0, 0, -1]], [0, 1, 1], 3), n_shown=1)
    assert sheet["stimulus"].tolist() == ["s2", "s0"]
    assert sheet["answers"].tolist() == ["2 (1) | 1 (1)", "0 (3)"]
    assert sheet["agreement"].tolist() == [0, 1]


# Answers of the zoo


def test_every_corruption_is_used_equally_often():
    digits = load_images("digits", size=8)
    copies = experiments.corrupted_copies(digits, 3, seed=0)
    assert copies.shape == digits.x.shape
    changed = (copies != digits.x).flatten(1).any(1)
    assert changed.float().mean() > 0.98
    assert torch.equal(copies, experiments.corrupted_copies(digits, 3, seed=0))
    assert not torch.equal(copies, experiments.corrupted_copies(digits, 3, seed=1))


def test_the_zoo_answers_clean_and_corrupted_images(untrained, monkeypatch):
    tiny = {name: zoo.ZOO[name] for name in untrained}
    monkeypatch.setattr(experiments, "ZOO", tiny)
    monkeypatch.setattr(zoo, "ZOO", tiny)
    found = experiments.answer_sets("zoo", load_images("digits", size=8), severity=3, seed=0)
    assert list(found) == ["clean", "corrupted"]
    assert found["clean"].answers.shape == (2, 1797)
    assert experiments.described_answers(found["clean"])["stimuli that all answered"] == "1,797"


# People


def test_people_and_networks_that_agree_where_the_other_does():
    networks, humans = simulated(12, 200, seed=1), simulated(8, 200, seed=2)
    sets = {"set": ModelVsHuman(networks, humans)}
    shared = people.shared_contrast(sets, n_splits=3).iloc[0]
    assert shared["low"] > 0.2
    drop = people.by_set(people.error_consistencies(sets, 0.1, n_splits=3)).iloc[0]
    assert drop["all"] > drop["contrastive"]
    kappas = people.kappas(sets, 0.1).set_index(["who", "images"])["kappa"]
    assert kappas["networks", "contrastive"] < kappas["networks", "all"]
    assert people.described(sets)["observers"].tolist() == [12, 8]


def test_pairs_without_error_consistency_are_counted():
    perfect = table(np.zeros((4, 20), np.int64), np.zeros(20, np.int64))
    mixed = table(np.random.default_rng(0).integers(2, size=(4, 20)), np.zeros(20, np.int64))
    mixed.answers[0] = 0
    found = people.error_consistencies({"set": ModelVsHuman(mixed, perfect)}, 0.5, n_splits=1)
    assert found["undefined"].sum() == 4  # the perfect network, in one of the two halves, with four perfect people


def test_equal_raters_are_drawn_from_those_there_are():
    counts = np.array([[5, 3, 0], [0, 0, 6], [2, 2, 2]])
    drawn = people.equal_raters(counts, 6, seed=0)
    assert (drawn.sum(1) == 6).all()
    assert (drawn <= counts).all()


def test_cifar_tables_are_sorted_and_told():
    counts = np.zeros((3, 10), np.int64)
    counts[0, 3], counts[1, [3, 5]], counts[2, [0, 1, 2]] = 9, (6, 4), (3, 3, 3)
    rows = people.cifar_agreement(counts)
    assert rows["image"].tolist() == [2, 1, 0]
    assert rows["answers"].tolist() == ["airplane (3), automobile (3), bird (3)", "cat (6), dog (4)", "cat (9)"]
    assert np.allclose(rows["agreement"], np.sort(stimulus_agreement(counts)))
    kappas = people.cifar_kappas(np.tile(counts, (10, 1)), n_draws=2)
    assert kappas["people an image"].tolist() == ["9 to 10", "9, drawn 2 times"]


# Parameters


def csv(tmp_path, n_models, n_stimuli=30):
    frame = pd.DataFrame(np.random.default_rng(0).integers(3, size=(n_models + 1, n_stimuli)))
    frame.index = ["label", *(f"m{n}" for n in range(n_models))]
    frame.to_csv(tmp_path / "answers.csv", index_label="model")
    return str(tmp_path / "answers.csv")


def test_a_file_of_answers_is_accepted_and_hashed(tmp_path):
    path = csv(tmp_path, 8)
    parameters = Parameters.checked({"predictions": path, "n_bins": 2, "n_contrastive": 10})
    assert set(parameters.data_hashes()) == {"predictions"}
    assert Parameters.checked({}).data_hashes() == {}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"n_bins": 3, "n_contrastive": 10}, "'n_bins': must be at most 2 for 8 models"),
        ({"n_bins": 2, "n_contrastive": 30}, "'n_contrastive': must be below the 30 stimuli that there are, got 30"),
    ],
)
def test_parameters_must_fit_the_file(tmp_path, values, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked({"predictions": csv(tmp_path, 8), **values})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"predictions": "nowhere.csv"}, "Parameter 'predictions': .* there is no file 'nowhere.csv'"),
        ({"n_bins": 10}, "'n_bins': must be at most 9 for 37 models"),
        ({"n_contrastive": 1797}, "'n_contrastive': must be below the 1797 stimuli"),
        ({"square_side": 8, "square_distance": 9}, "'square_distance': 'n_squares' must fit into the image"),
        ({"square_distance": 2}, "'distance' must be at least the squares' side of 3 pixels"),
        ({"layer": "last"}, "'layer' must be one of 'early', 'middle', 'late', got 'last'"),
        ({"noise": 1.0}, "'noise' must be a number of at least 0.* and less than 1"),
    ],
)
def test_bad_parameters_are_sentences(values, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked(values)


def test_few_models_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="must hold at least 4 models, got 3"):
        Parameters.checked({"predictions": csv(tmp_path, 3)})


def test_the_public_run_names_registered_files():
    assert set(PublicParameters().public_files()) <= set(registry())
    assert len(PublicParameters().public_files()) == 14 + 41 * 3 + 37 + 35 + 1

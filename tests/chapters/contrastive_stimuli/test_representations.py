"""Separation of architectures in matrices that are known, and the geometry of a tiny zoo."""

import itertools

import numpy as np
import pytest
import torch

from analysis.chapters.contrastive_stimuli import representations
from analysis.data.images import halves, load_images


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
    geometry = representations.Geometry(list("abcdefghijkl"), motifs, {("squares", "late"): blocks}, {})
    row = representations.separations(geometry, n_permutations=200).iloc[0]
    assert row["separation"] > 2
    assert row["low"] > row["chance high"]
    assert row["chance low"] < 0 < row["chance high"]
    assert len(geometry.long()) == 66
    assert representations.separation_interval([blocks, blocks], motifs).value == 0


def test_block_means_by_hand():
    matrix = np.array([[1, 0.8, 0.1, 0.2], [0.8, 1, 0.3, 0.4], [0.1, 0.3, 1, 0.6], [0.2, 0.4, 0.6, 1]])
    motifs = np.array(["convolution", "convolution", "attention", "attention"])
    geometry = representations.Geometry(
        list("abcd"),
        motifs,
        {("squares", "late"): matrix, ("squares", "early"): matrix * 0},
        {("squares", "late"): np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 0.7, 0.7]])},
    )
    means = representations.block_means(geometry, "late").loc["squares"]
    assert means.tolist() == pytest.approx([0.8, 0.6, 0.25, 0.25, 0.6])
    assert means.index[3:].tolist() == ["with raw pixels", "with total ink"]


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

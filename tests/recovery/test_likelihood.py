"""The objective of many fits at once: against a loop over the triplets, its gradient against autograd."""

from itertools import combinations

import numpy as np
import pytest
import torch

from analysis.recovery import likelihood
from analysis.recovery.likelihood import Batch
from analysis.recovery.triplets import choice_probabilities, draw_triplets

REGULARIZERS = ("shrinkage", "ridge")
SHAPES = {"full": (4, 4), "diagonal": (4,), "low-rank": (4, 2)}


def whole_design(n_objects=14, width=5, seed=0):
    """Features, all triplets of the objects, and the probabilities that another geometry of them gives."""
    features = np.random.default_rng(seed).normal(size=(n_objects, width))
    truth = features @ np.random.default_rng(seed + 1).normal(size=(width, width))
    triplets = np.array(list(combinations(range(n_objects), 3)))
    return features, triplets, choice_probabilities(truth @ truth.T, triplets)


@pytest.mark.parametrize("transform", ["full", "diagonal", "low-rank"])
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_all_triplets_at_once_are_the_triplets_one_by_one(monkeypatch, transform, regularizer):
    features, triplets, answers = whole_design(11, 4)
    shuffled = np.random.default_rng(3).permuted(triplets, axis=1)
    other = np.random.default_rng(4).dirichlet(np.ones(3), len(triplets))
    batches = []
    for sketch in (10**9, 20):
        monkeypatch.setattr(likelihood, "SKETCH", sketch)
        data = [(shuffled, answers), (shuffled, 7 * other)]
        batches.append(Batch.of(torch.from_numpy(features), data, regularizer, transform))
    assert [batch.complete is None for batch in batches] == [True, False]
    shape = {"full": (4, 4), "diagonal": (4,), "low-rank": (4, 2)}[transform]
    core = torch.randn(2, *shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for one, all_ in zip(*(batch.evaluate(core, 0.1) for batch in batches), strict=True):
        torch.testing.assert_close(one, all_, rtol=1e-10, atol=1e-12)
    for one, all_ in zip(*(batch.take(torch.tensor([1])).evaluate(core[1:], 0.1) for batch in batches), strict=True):
        torch.testing.assert_close(one, all_, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("spoil", ["a triplet twice", "uneven rows", "a sure answer", "choices"])
def test_only_whole_designs_are_taken_at_once(monkeypatch, spoil):
    monkeypatch.setattr(likelihood, "SKETCH", 20)
    features, triplets, answers = whole_design(11, 4)
    if spoil == "a triplet twice":
        triplets = np.concatenate([triplets[1:], triplets[1:2]])
    elif spoil == "uneven rows":
        answers[0] *= 2
    elif spoil == "a sure answer":
        answers[0] = [1, 0, 0]
    else:
        answers = answers.argmax(1)
    assert Batch.of(torch.from_numpy(features), [(triplets, answers)], "ridge", "full").complete is None


def core_of(transform, count):
    generator = torch.Generator().manual_seed(0)
    core = torch.randn(count, *SHAPES[transform], generator=generator, dtype=torch.float64)
    return (core + core.mT) / 2 if transform == "full" else core  # with shrinkage, only such cores are searched


def penalty_of(core, transform, regularizer):
    weights = torch.diag(core) if transform == "diagonal" else core
    if regularizer == "ridge":
        return (weights**2).sum()
    if transform == "low-rank":
        gram = weights.mT @ weights
        return ((gram - gram.diagonal().mean() * torch.eye(len(gram), dtype=torch.float64)) ** 2).sum()
    return ((weights - weights.diagonal().mean() * torch.eye(len(weights), dtype=torch.float64)) ** 2).sum()


def by_hand(features, triplets, shares, core, transform, regularizer, penalty):
    """The mean negative log-likelihood, one triplet after the other, and the penalty."""
    embedded = torch.from_numpy(features) @ (torch.diag(core) if transform == "diagonal" else core)
    similarity, loss = embedded @ embedded.mT, 0.0
    for (a, b, c), share in zip(triplets, shares, strict=True):
        left = torch.stack([similarity[b, c], similarity[a, c], similarity[a, b]])
        loss = loss - (torch.log_softmax(left, 0) * torch.from_numpy(share)).sum()
    return loss / shares.sum() + penalty * penalty_of(core, transform, regularizer)


@pytest.mark.parametrize("n_triplets", [3, 40])
@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("transform", SHAPES)
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_value_and_gradient_are_those_of_a_loop(n_triplets, soft, transform, regularizer):
    rng = np.random.default_rng(5)
    features = rng.normal(size=(12, 4))
    datasets = []
    for size in (n_triplets, n_triplets - 1):  # one is padded
        answers = rng.dirichlet(np.ones(3), size) if soft else rng.integers(3, size=size)
        datasets.append((draw_triplets(12, size, size), answers))
    batch, core = Batch.of(torch.from_numpy(features), datasets, regularizer, transform), core_of(transform, 2)
    values, gradients = batch.evaluate(core, 0.3)
    for row, (triplets, answers) in enumerate(datasets):
        own = core[row].clone().requires_grad_()
        shares = answers if soft else np.eye(3)[answers]
        expected = by_hand(features, triplets, shares, own, transform, regularizer, 0.3)
        expected.backward()
        gradient = (own.grad + own.grad.mT) / 2 if batch.symmetric else own.grad
        torch.testing.assert_close(values[row], expected.detach(), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(gradients[row], gradient, rtol=1e-9, atol=1e-11)


def test_used_objects_are_those_that_appear():
    assert likelihood.used_objects([np.array([[5, 1, 2]]), np.array([[2, 0, 5]])], 8).tolist() == [0, 1, 2, 5]


def test_pairs_are_looked_up_one_by_one_only_if_they_are_few():
    assert likelihood.few_pairs(6, 10)
    assert not likelihood.few_pairs(7, 10)

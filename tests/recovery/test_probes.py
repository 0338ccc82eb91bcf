"""Fits of transforms: gradients, optima, exact reductions, convergence."""

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from analysis.recovery import likelihood
from analysis.recovery.likelihood import Batch
from analysis.recovery.probes import fit_probe, fit_probes
from analysis.recovery.triplets import choice_probabilities, draw_triplets, sample_choices

REGULARIZERS = ("shrinkage", "ridge")


@pytest.fixture(autouse=True)
def _one_thread():
    """Problems this small are slower on several threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def problem(seed=0, n_objects=30, width=6, rank=None, n=400, noise=1.0):
    """Features of a given rank, and answers by another geometry with noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n_objects, rank or width))
    features = features @ rng.normal(size=(rank or width, width)) / 3 if rank else features / 2
    truth = features @ rng.normal(size=(width, width))
    triplets = draw_triplets(n_objects, n, rng)
    return features, triplets, sample_choices(truth @ truth.T, triplets, rng, temperature=noise)


def penalty_of(weights, regularizer, low_rank=False):
    if regularizer == "ridge":
        return (weights**2).sum()
    if low_rank:
        gram = weights.T @ weights
        return (gram**2).sum() - gram.trace() ** 2 / len(gram)
    return (weights**2).sum() - weights.trace() ** 2 / len(weights)


def objective(features, triplets, choices, weights, penalty, regularizer, low_rank=False):
    """The definition, in differentiable float64."""
    features = torch.as_tensor(features, dtype=torch.float64)
    embedded = features @ weights
    similarity = embedded @ embedded.T
    a, b, c = torch.as_tensor(triplets).T
    logits = torch.stack([similarity[b, c], similarity[a, c], similarity[a, b]], 1)
    loss = torch.nn.functional.cross_entropy(logits, torch.as_tensor(choices))
    return loss + penalty * penalty_of(weights, regularizer, low_rank)


def reference(features, triplets, choices, penalty, regularizer, *, diagonal=False, iterations=400):
    """A long plain float64 fit in the coordinates of the features."""
    width = features.shape[1]
    variables = torch.ones(width, dtype=torch.float64) if diagonal else torch.eye(width, dtype=torch.float64)
    variables.requires_grad_()
    solver = torch.optim.LBFGS([variables], max_iter=iterations, max_eval=5 * iterations, history_size=50,
                               tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe")  # fmt: skip

    def closure():
        solver.zero_grad()
        weights = torch.diag(variables) if diagonal else variables
        value = objective(features, triplets, choices, weights, penalty, regularizer)
        value.backward()
        return value

    solver.step(closure)
    return closure().item()


# Gradient and objective -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", ["full", "diagonal", "low-rank"])
@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("n", [60, 3000])  # below and above the switch from single pairs to all of S
def test_gradient_is_that_of_autograd(transform, regularizer, n):
    features, triplets, choices = problem(n_objects=60, n=n)
    data = [(triplets, choices), (triplets[::-1].copy(), choices)]
    batch = Batch.of(torch.from_numpy(features), data, regularizer, transform)
    assert type(batch.pairs).__name__ == ("_SparsePairs" if n == 60 else "_DensePairs")
    shape = {"full": (6, 6), "diagonal": (6,), "low-rank": (6, 3)}[transform]
    core = torch.from_numpy(np.random.default_rng(1).normal(size=shape))
    symmetric = transform == "full" and regularizer == "shrinkage"
    core = core + core.T if symmetric else core
    values, gradients = batch.evaluate(core.expand(2, *shape), 0.1)
    for value, gradient, answers in zip(values, gradients, [triplets, triplets[::-1].copy()], strict=True):
        weights = core.clone().requires_grad_()
        matrix = torch.diag(weights) if transform == "diagonal" else weights
        expected = objective(features, answers, choices, matrix, 0.1, regularizer, transform == "low-rank")
        expected.backward()
        slope = (weights.grad + weights.grad.T) / 2 if symmetric else weights.grad
        torch.testing.assert_close(value, expected.detach(), rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(gradient, slope, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("transform", ["full", "diagonal", "low-rank"])
def test_single_pairs_and_all_of_s_agree(monkeypatch, transform, dtype):
    features, triplets, choices = problem(n_objects=60, n=200)
    data = [
        (triplets, choices),
        (triplets[:90], choices[:90]),
        (np.repeat(triplets[:3], 5, 0), np.repeat(choices[:3], 5)),
    ]
    core = torch.randn((3, 6) if transform == "diagonal" else (3, 6, 6), generator=torch.Generator().manual_seed(0))
    found = []
    for few in (True, False):
        monkeypatch.setattr(likelihood, "few_pairs", lambda *_, few=few: few)
        batch = Batch.of(torch.from_numpy(features).to(dtype), data, "ridge", transform)
        part = batch.take(torch.tensor([2, 0]))
        found.append([*batch.evaluate(core.to(dtype), 0.1), *part.evaluate(core[[2, 0]].to(dtype), 0.1)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4 if dtype == torch.float32 else 1e-10, atol=1e-5)


@pytest.mark.parametrize("transform", ["full", "diagonal", "low-rank"])
def test_curvature_is_about_the_sum_of_squared_slopes(transform):
    features, triplets, choices = problem(n_objects=60, n=3000)
    features = features @ np.linalg.svd(features, full_matrices=False)[2].T
    shape = {"full": (6, 6), "diagonal": 6, "low-rank": (6, 3)}[transform]
    core = np.random.default_rng(1).normal(size=shape) / 3
    embedded = features * core if transform == "diagonal" else features @ core
    chances = choice_probabilities(embedded @ embedded.T, triplets)
    expected = np.zeros_like(core)
    for triplet, chance in zip(triplets, chances, strict=True):
        for odd in range(3):
            i, j = np.delete(triplet, odd)
            weight = chance[odd] * (1 - chance[odd]) / len(triplets)
            if transform == "diagonal":
                expected += weight * (2 * core * features[i] * features[j]) ** 2
            else:
                expected += weight * np.outer(features[i] ** 2, embedded[j] ** 2)
                expected += weight * np.outer(features[j] ** 2, embedded[i] ** 2)
    batch = Batch.of(torch.from_numpy(features), [(triplets, choices)], "ridge", transform)
    core = torch.from_numpy(core)[None]
    ratios = batch.curvature(core, batch.likelihood(core))[0].numpy() / expected
    assert 0.6 < ratios.min() < ratios.max() < 1.7


@pytest.mark.parametrize("transform", ["full", "diagonal", "low-rank", "zero-shot"])
@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_objective_is_what_the_weights_give(transform, regularizer):
    features, triplets, choices = problem(width=8, rank=5)
    rank = 3 if transform == "low-rank" else None
    found = fit_probe(
        features, triplets, choices, penalty=0.02, regularizer=regularizer, transform=transform, rank=rank
    )
    weights = torch.from_numpy(found.weights)
    assert weights.shape == (8, rank or 8)
    if transform == "low-rank" and regularizer == "shrinkage":
        expected = objective(features, triplets, choices, weights, 0.02, regularizer, low_rank=True)
    else:
        expected = objective(features, triplets, choices, weights, 0.02, regularizer)
    assert found.objective == pytest.approx(float(expected), abs=1e-9)
    embedded = features @ found.weights
    np.testing.assert_allclose(found.similarity(features), embedded @ embedded.T, atol=1e-10)


@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_gradient_norm_is_that_of_the_objective(regularizer):
    features, triplets, choices = problem(width=8, rank=5)
    found = fit_probe(features, triplets, choices, penalty=0.02, regularizer=regularizer)
    weights = torch.from_numpy(found.weights).requires_grad_()
    objective(features, triplets, choices, weights, 0.02, regularizer).backward()
    slope = (weights.grad + weights.grad.T) / 2 if regularizer == "shrinkage" else weights.grad
    assert found.gradient_norm == pytest.approx(float(slope.norm()), rel=1e-6, abs=1e-9)
    assert found.gradient_norm < 1e-2


# The optimum ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize(("width", "rank"), [(1, None), (5, None), (9, 4), (24, None)])
@pytest.mark.parametrize("penalty", [1e-3, 0.05])
def test_full_fit_reaches_the_reference_optimum_in_single_precision(regularizer, width, rank, penalty):
    features, triplets, choices = problem(width=width, rank=rank, n=500, n_objects=30)
    expected = reference(features, triplets, choices, penalty, regularizer)
    found = fit_probe(features.astype(np.float32), triplets, choices, penalty=penalty, regularizer=regularizer)
    assert found.converged
    assert abs(found.objective - expected) < 2e-5


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("seed", range(4))
def test_random_starts_end_at_one_optimum(regularizer, seed):
    features, triplets, choices = problem(width=7, rank=5)
    expected = reference(features, triplets, choices, 0.01, regularizer)
    start = np.random.default_rng(seed).normal(size=(7, 7))
    found = fit_probe(features, triplets, choices, penalty=0.01, regularizer=regularizer, start=start)
    assert found.converged
    assert abs(found.objective - expected) < 2e-5


@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_diagonal_fit_reaches_the_reference_optimum(regularizer):
    features, triplets, choices = problem(width=6)
    expected = reference(features, triplets, choices, 0.01, regularizer, diagonal=True)
    found = fit_probe(features, triplets, choices, penalty=0.01, regularizer=regularizer, transform="diagonal")
    assert abs(found.objective - expected) < 2e-5
    assert (found.weights == np.diag(found.weights.diagonal())).all()


def test_low_rank_fit_has_no_slope_left_and_nests():
    features, triplets, choices = problem(width=6, n=800)
    fits = [
        fit_probe(features, triplets, choices, penalty=1e-3, regularizer="ridge", transform="low-rank", rank=rank)
        for rank in (1, 2, 4, 6)
    ]
    full = fit_probe(features, triplets, choices, penalty=1e-3, regularizer="ridge")
    assert all(fit.converged for fit in fits)
    assert all(fit.gradient_norm < 5e-3 for fit in fits)
    objectives = [fit.objective for fit in fits]
    assert objectives == sorted(objectives, reverse=True)
    assert abs(objectives[-1] - full.objective) < 2e-5  # as many columns as units: nothing is left out


def test_answers_at_random_to_features_that_predict_nothing_shrink_towards_nothing():
    features, triplets, _ = problem(width=3, n_objects=90, n=2000)
    choices = np.random.default_rng(5).integers(3, size=2000)
    for answers in (choices, choice_probabilities(-features @ features.T, triplets).argmax(1)):
        found = fit_probe(features, triplets, answers, penalty=0.3)
        assert found.objective == pytest.approx(np.log(3), abs=2e-3)
        assert found.objective <= np.log(3) + 2e-5


def test_zero_shot_is_the_identity():
    features, triplets, choices = problem()
    found = fit_probe(features, triplets, choices, penalty=5.0, transform="zero-shot")
    expected = choice_probabilities(features @ features.T, triplets)[np.arange(len(choices)), choices]
    np.testing.assert_array_equal(found.weights, np.eye(6))
    assert found.objective == pytest.approx(-np.log(expected).mean())
    assert (found.converged, found.gradient_norm) == (True, 0.0)


def test_strong_penalties_lead_to_a_scalar_or_to_nothing():
    features, triplets, choices = problem()
    shrunk = fit_probe(features, triplets, choices, penalty=1e4).weights
    np.testing.assert_allclose(shrunk, np.eye(6) * np.trace(shrunk) / 6, atol=1e-3)
    assert np.trace(shrunk) > 0.1
    ridge = fit_probe(features, triplets, choices, penalty=1e4, regularizer="ridge")
    assert np.abs(ridge.weights).max() < 1e-2
    assert ridge.objective == pytest.approx(np.log(3), abs=1e-4)


# Exact reductions, and where they do not hold -------------------------------------------------------------------------


@pytest.mark.parametrize("regularizer", REGULARIZERS)
def test_units_beyond_the_rank_change_nothing_but_the_coordinates(regularizer):
    features, triplets, choices = problem(n_objects=12, width=5, n=150)
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(40, 40)))[0][:, :5]
    wide = features @ axes.T  # 40 units, rank 5
    expected = reference(wide, triplets, choices, 0.01, regularizer)
    found = fit_probe(wide, triplets, choices, penalty=0.01, regularizer=regularizer)
    narrow = fit_probe(features, triplets, choices, penalty=0.01, regularizer=regularizer)
    assert abs(found.objective - expected) < 2e-5
    assert abs(found.objective - narrow.objective) < 2e-5
    outside = np.eye(40) - axes @ axes.T
    gamma = np.trace(found.weights) / 40 if regularizer == "shrinkage" else 0
    np.testing.assert_allclose(found.weights @ outside, gamma * outside, atol=1e-9)


def test_objects_without_triplets_keep_the_scale_of_the_others():
    features, triplets, choices = problem(n_objects=12, width=30, n=150)
    seen = triplets.max(axis=1) < 9
    found = fit_probe(features, triplets[seen], choices[seen], penalty=0.05)
    expected = reference(features, triplets[seen], choices[seen], 0.05, "shrinkage")
    assert abs(found.objective - expected) < 2e-5
    _, _, axes = np.linalg.svd(features[:9])
    gamma = np.trace(found.weights) / 30
    np.testing.assert_allclose(axes[9:] @ found.weights @ axes[9:].T, gamma * np.eye(21), atol=1e-9)


def test_rotating_the_features_matters_to_a_diagonal_transform_only():
    features, triplets, choices = problem(n_objects=12, width=5, n=150)
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(5, 5)))[0]
    gaps = {}
    for transform, rank in (("full", None), ("low-rank", 2), ("diagonal", None)):
        options = {"penalty": 0.01, "regularizer": "ridge", "transform": transform, "rank": rank, "tolerance": 1e-7}
        fits = [fit_probe(table, triplets, choices, **options) for table in (features, features @ rotation)]
        gaps[transform] = abs(fits[0].objective - fits[1].objective)
    assert gaps["full"] < 1e-6
    assert gaps["low-rank"] < 1e-6
    assert gaps["diagonal"] > 1e-3


def test_units_no_object_uses_would_make_low_rank_shrinkage_vanish():
    """Why a low-rank W stays in the row space: outside of it, columns orthonormalise WᵀW for free."""
    features, triplets, choices = problem(width=4)
    found = fit_probe(features, triplets, choices, penalty=1.0, transform="low-rank", rank=2)
    inside = found.weights
    gram = inside.T @ inside
    top = np.linalg.eigvalsh(gram)[-1] + 0.1
    outside = np.linalg.cholesky(top * np.eye(2) - gram).T
    wide = np.hstack([features, np.zeros((len(features), 2))])
    free = objective(wide, triplets, choices, torch.from_numpy(np.vstack([inside, outside])), 1.0, "shrinkage", True)
    assert float(free) < found.objective - 1e-4
    padded = fit_probe(wide, triplets, choices, penalty=1.0, transform="low-rank", rank=2)
    assert padded.objective == pytest.approx(found.objective, abs=1e-6)


# Probabilities and counts as answers ----------------------------------------------------------------------------------


def whole_design(n_objects=14, width=5, seed=0):
    """Features, all triplets of the objects, and the probabilities that another geometry of them gives."""
    features, *_ = problem(seed, n_objects=n_objects, width=width, n=10)
    truth = features @ np.random.default_rng(seed + 1).normal(size=(width, width))
    triplets = np.array(list(combinations(range(n_objects), 3)))
    return features, triplets, choice_probabilities(truth @ truth.T, triplets)


def slow_objective(flat, features, triplets, answers, penalty, regularizer):
    """The definition; its gradient is left to finite differences."""
    weights = flat.reshape(features.shape[1], -1)
    logs = np.log(choice_probabilities((features @ weights) @ (features @ weights).T, triplets))
    return -(answers * logs).sum() / answers.sum() + penalty * penalty_of(weights, regularizer)


@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("kind", ["probabilities", "counts"])
def test_fits_to_probabilities_and_counts_reach_the_optimum_of_an_independent_solver(regularizer, kind):
    features, triplets, answers = whole_design(9, 3)
    if kind == "counts":
        answers = np.random.default_rng(0).multinomial(5, answers).astype(float)
        answers[::2] *= 3  # rows that count more
    terms = (features, triplets, answers, 0.01, regularizer)
    solved = minimize(slow_objective, np.eye(3).ravel(), terms, method="BFGS", options={"gtol": 1e-9, "maxiter": 500})
    found = fit_probe(features, triplets, answers, penalty=0.01, regularizer=regularizer, tolerance=1e-12)
    assert found.converged
    assert found.objective == pytest.approx(solved.fun, abs=1e-9)


def test_counts_are_answers_given_again():
    features, triplets, answers = whole_design(9, 3)
    counts = np.random.default_rng(0).multinomial(3, answers)
    rows = np.repeat(np.repeat(np.arange(len(triplets)), 3), counts.ravel())
    choices = np.repeat(np.tile(np.arange(3), len(triplets)), counts.ravel())
    single = fit_probe(features, triplets[rows], choices, penalty=0.01, tolerance=1e-10)
    merged = fit_probe(features, triplets, counts, penalty=0.01, tolerance=1e-10)
    assert merged.objective == pytest.approx(single.objective, abs=1e-9)
    np.testing.assert_allclose(merged.similarity(features), single.similarity(features), atol=1e-3)


def test_sampled_answers_approach_the_fit_to_probabilities_as_there_are_more():
    features, triplets, answers = whole_design()
    limit = fit_probe(features, triplets, answers, penalty=0.01, tolerance=1e-10)
    chances = choice_probabilities(limit.similarity(features), triplets)
    rng = np.random.default_rng(2)
    away = []
    for per_triplet in (1, 25, 625):
        sampled = rng.multinomial(per_triplet, answers)
        fit = fit_probe(features, triplets, sampled, penalty=0.01, tolerance=1e-10)
        away.append(np.abs(choice_probabilities(fit.similarity(features), triplets) - chances).mean())
    assert away[1] < 0.5 * away[0]  # an error of 1/√n falls to a fifth each time
    assert away[2] < 0.5 * away[1]
    assert away[2] < 0.005


@pytest.mark.parametrize(("penalty", "factor"), [(1e-1, 3), (1e-2, 3), (1e-3, 3), (1e-5, 20)])
def test_the_gap_says_how_far_the_optimum_is(penalty, factor):
    for seed in range(4):
        features, triplets, answers = whole_design(12, 20, seed)  # more units than objects: the ill-posed case
        answers = 0.5 / 3 + 0.5 * answers  # as noisy as people
        rough, fine = (fit_probe(features, triplets, answers, penalty=penalty, tolerance=t) for t in (1e-5, 1e-12))
        assert rough.converged
        assert rough.gap <= 1e-5
        assert 0 <= rough.objective - fine.objective + 1e-12 <= factor * rough.gap


# Starts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", ["full", "diagonal", "low-rank"])
@pytest.mark.parametrize("regularizer", REGULARIZERS)
@pytest.mark.parametrize("start", ["zeros", "one direction"])
def test_a_start_at_a_saddle_still_ends_at_the_optimum(transform, regularizer, start):
    features, triplets, choices = problem(width=4)
    rank = 2 if transform == "low-rank" else None
    first = np.zeros((4, rank or 4))
    first[0, 0] = start != "zeros"
    options = {"penalty": 0.01, "regularizer": regularizer, "transform": transform, "rank": rank, "tolerance": 1e-8}
    usual = fit_probe(features, triplets, choices, **options)
    found = fit_probe(features, triplets, choices, start=first, **options)
    assert found.converged
    assert found.objective == pytest.approx(usual.objective, abs=1e-6)


# Many at once ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transform", ["full", "diagonal", "low-rank", "zero-shot"])
def test_many_fits_are_the_single_fits(transform):
    tables = [problem(seed)[0] for seed in (0, 1)] + [problem(2, width=9, rank=4)[0]]
    data = [problem(seed, n=n)[1:] for seed, n in ((0, 40), (1, 700), (2, 300), (3, 41))]
    penalties = [0.01, 0.3, 0.001, 0.05]
    options = {"transform": transform, "rank": 2 if transform == "low-rank" else None, "tolerance": 1e-6}
    batched = fit_probes(tables, data, penalties=penalties, **options)
    assert [len(batched), len(batched[0]), len(batched[0][0])] == [3, 4, 4]
    for table, row in zip(tables, batched, strict=True):
        for answers, path in zip(data, row, strict=True):
            for penalty, probe in zip(penalties, path, strict=True):
                assert probe.penalty == penalty
                if transform == "low-rank":
                    continue  # local optima may differ along a path
                alone = fit_probe(table, *answers, penalty=penalty, **options)
                assert abs(alone.objective - probe.objective) < 5e-6
                chances = [choice_probabilities(fit.similarity(table), answers[0]) for fit in (probe, alone)]
                np.testing.assert_allclose(*chances, atol=0.02)


def test_nothing_to_fit_gives_nothing():
    features, triplets, choices = problem()
    assert fit_probes([features], [], penalties=[1.0]) == [[]]
    assert fit_probes([features], [(triplets, choices)], penalties=[]) == [[[]]]
    assert fit_probes([], [(triplets, choices)], penalties=[1.0]) == []


# Data without an optimum ----------------------------------------------------------------------------------------------


def noiseless():
    features, triplets, _ = problem()
    return features, triplets, choice_probabilities(features @ features.T, triplets).argmax(1)


@pytest.mark.parametrize("transform", ["full", "diagonal"])
def test_choices_that_the_features_predict_without_error_have_no_shrinkage_optimum(transform):
    found = fit_probe(*noiseless(), penalty=0.1, transform=transform)
    assert not found.converged
    assert np.isfinite(found.weights).all()


def test_one_choice_against_the_features_is_enough_for_an_optimum():
    features, triplets, choices = noiseless()
    choices[0] = (choices[0] + 1) % 3
    found = fit_probe(features, triplets, choices, penalty=0.1)
    assert found.converged
    assert abs(found.objective - reference(features, triplets, choices, 0.1, "shrinkage")) < 2e-5


def test_ridge_has_an_optimum_whatever_the_choices_unless_it_is_off():
    assert fit_probe(*noiseless(), penalty=0.1, regularizer="ridge").converged
    assert not fit_probe(*noiseless(), penalty=0.0, regularizer="ridge").converged
    assert not fit_probe(*noiseless(), penalty=0.0, regularizer="ridge", transform="diagonal").converged


def test_low_rank_shrinkage_of_choices_without_error_has_no_optimum():
    features = np.random.default_rng(0).normal(size=(9, 2)) * [1, 0.01]
    triplets = draw_triplets(9, 60, seed=0)
    choices = choice_probabilities(features[:, :1] @ features[:, :1].T, triplets).argmax(1)
    assert not fit_probe(features, triplets, choices, penalty=0.1, transform="low-rank", rank=1).converged


def test_running_out_of_iterations_is_not_convergence():
    found = fit_probe(*problem(), penalty=1e-3, max_iterations=2)
    assert not found.converged


# Bad input ------------------------------------------------------------------------------------------------------------

FEATURES, TRIPLETS, CHOICES = problem(n=10)
BAD = [
    ({"penalty": -1.0}, "'penalty' must be finite and at least 0"),
    ({"penalty": np.nan}, "'penalty' must be finite and at least 0"),
    ({"regularizer": "lasso"}, "'regularizer' must be one of 'shrinkage', 'ridge'"),
    ({"transform": "sparse"}, "'transform' must be one of"),
    ({"rank": 2}, "'rank' must be given for a low-rank transform and for no other"),
    ({"transform": "low-rank"}, "'rank' must be given for a low-rank transform and for no other"),
    ({"transform": "low-rank", "rank": 7}, "'rank' must be 1 to 6"),
    ({"transform": "low-rank", "rank": 0}, "'rank' must be 1 to 6"),
    ({"tolerance": 0.0}, "'tolerance' must be positive"),
    ({"start": np.eye(5)}, r"'start' must have shape \(6, 6\)"),
    ({"choices": CHOICES[:-1]}, "'choices' must hold one answer for each of the 10 triplets, got 9"),
    ({"choices": CHOICES + 1}, "'choices' must be 0, 1 or 2"),
    ({"choices": CHOICES.astype(float)}, "'choices' must hold integers"),
    ({"choices": np.ones((9, 3))}, r"'choices' must have shape \(10,\) or \(10, 3\), got \(9, 3\)"),
    ({"choices": np.full((10, 3), np.nan)}, "'choices' must be finite and at least 0, got nan"),
    ({"choices": -np.ones((10, 3))}, "'choices' must be finite and at least 0, got -1.0"),
    ({"choices": np.zeros((10, 3))}, "'choices' must hold an answer in every row, got none in 10 rows"),
    ({"choices": np.ones((10, 3), complex)}, "'choices' must hold real numbers"),
    ({"triplets": TRIPLETS + 25}, "'triplets' must index objects 0 to 29"),
    ({"triplets": TRIPLETS * 0}, "'triplets' must name three different objects"),
    ({"triplets": TRIPLETS[:0], "choices": CHOICES[:0]}, "'triplets' must hold at least 1 triplet"),
    ({"features": FEATURES * np.nan}, "'features' must be finite"),
    ({"features": FEATURES[0]}, "'features' must have shape"),
]


@pytest.mark.parametrize(("change", "message"), BAD)
def test_bad_input_is_named(change, message):
    arguments = {"features": FEATURES, "triplets": TRIPLETS, "choices": CHOICES, "penalty": 0.1} | change
    with pytest.raises(ValueError, match=message):
        fit_probe(**arguments)


def test_tables_of_different_objects_are_refused():
    with pytest.raises(ValueError, match="'features' must share their objects"):
        fit_probes([FEATURES, FEATURES[:-1]], [(TRIPLETS % 20, CHOICES)], penalties=[1.0])


def test_similarity_of_other_units_is_refused():
    with pytest.raises(ValueError, match="'features' must have the 6 units of the fit, got 5"):
        fit_probe(FEATURES, TRIPLETS, CHOICES, penalty=0.1).similarity(np.ones((4, 5)))

"""What transforms may learn or undo: bounds, oracles by finite differences and by every batch, the gap of greedy."""

from itertools import combinations

import numpy as np
import pytest

from analysis.recovery.design_fitted import (
    divergence,
    refitted_divergences,
    separating_batch,
    transform_information,
)
from analysis.recovery.probes import fit_probe
from analysis.recovery.triplets import choice_probabilities, draw_triplets, sample_choices

RNG = np.random.default_rng(0)
FEATURES = {name: RNG.normal(size=(14, 3)) for name in "abc"}
SHOWN, CANDIDATES = draw_triplets(14, 60, 0), draw_triplets(14, 25, 1)
CHOICES = sample_choices(FEATURES["a"] @ FEATURES["a"].T, SHOWN, 2)


def probe_of(transform="full", penalty=0.01, shown=SHOWN, choices=CHOICES):
    return fit_probe(FEATURES["a"], shown, choices, penalty=penalty, transform=transform, tolerance=1e-9)


def slow_information(probe, penalty):
    """The same posterior with slopes by finite differences of the probe's own similarities."""
    x, weights = FEATURES["a"], probe.weights.astype(np.float64)
    full = probe.transform == "full"
    directions = [np.outer(*pair) for pair in ((np.eye(3)[i], np.eye(3)[j]) for i in range(3) for j in range(3))]
    directions = directions if full else [np.diag(np.eye(3)[i]) for i in range(3)]

    def logits(transform, triplets):
        s = (x @ transform) @ (x @ transform).T
        a, b, c = triplets.T
        return np.stack([s[b, c], s[a, c], s[a, b]], axis=1)

    def slopes(triplets, step=1e-5):
        return np.stack([(logits(weights + step * d, triplets) - logits(weights - step * d, triplets)) / (2 * step)
                         for d in directions], axis=2)  # fmt: skip

    def spread(triplets):
        p = choice_probabilities(x @ weights @ weights.T @ x.T, triplets)
        return np.stack([np.diag(row) - np.outer(row, row) for row in p])

    flat = np.stack([d.ravel() if full else np.diag(d) for d in directions])
    scalar = flat @ (np.eye(3).ravel() if full else np.ones(3))
    precision = 2 * len(SHOWN) * penalty * (np.eye(len(directions)) - np.outer(scalar, scalar) / 3)
    precision += np.einsum("nai,nab,nbj->ij", slopes(SHOWN), spread(SHOWN), slopes(SHOWN))
    posterior = np.linalg.inv(precision)
    inside = slopes(CANDIDATES) @ posterior @ slopes(CANDIDATES).transpose(0, 2, 1)
    return np.linalg.slogdet(np.eye(3) + spread(CANDIDATES) @ inside)[1] / 2


@pytest.mark.parametrize("transform", ["full", "diagonal"])
def test_information_about_the_transform_against_finite_differences(transform):
    probe = probe_of(transform)
    found = transform_information(FEATURES["a"], probe, SHOWN, CANDIDATES)
    np.testing.assert_allclose(found, slow_information(probe, 0.01), rtol=2e-3)


def test_it_is_positive_and_falls_with_answers_and_with_the_penalty():
    few = transform_information(FEATURES["a"], probe_of(), SHOWN[:20], CANDIDATES)
    many = transform_information(FEATURES["a"], probe_of(), SHOWN, CANDIDATES)
    assert few.min() > 0
    assert (many < few).all()
    stiff = transform_information(FEATURES["a"], probe_of(penalty=100.0), SHOWN, CANDIDATES)
    assert stiff.mean() < many.mean()


def test_fewer_axes_leave_less_to_learn():
    found = [
        transform_information(FEATURES["a"], probe_of(), SHOWN, CANDIDATES, axes=axes).mean() for axes in (1, 2, 3)
    ]
    assert found[0] < found[1] < found[2]
    all_axes = transform_information(FEATURES["a"], probe_of(), SHOWN, CANDIDATES, axes=99)
    assert all_axes.mean() == pytest.approx(found[2])


def test_nothing_is_to_be_learnt_of_what_is_not_fitted():
    assert transform_information(FEATURES["a"], probe_of("zero-shot"), SHOWN, CANDIDATES).tolist() == [0.0] * 25


def test_a_low_rank_probe_is_refused():
    probe = fit_probe(FEATURES["a"], SHOWN, CHOICES, penalty=0.1, transform="low-rank", rank=2)
    with pytest.raises(ValueError, match="'probe' must be of a full, a diagonal or a zero-shot transform, got 'low-"):
        transform_information(FEATURES["a"], probe, SHOWN, CANDIDATES)


def predicted(triplets):
    return np.stack([choice_probabilities(x @ x.T, triplets) for x in FEATURES.values()])


def test_a_model_undoes_itself_and_rivals_come_nearer_than_they_were():
    found = refitted_divergences(FEATURES, SHOWN, predicted(SHOWN), CANDIDATES, predicted(CANDIDATES), penalty=1e-6)
    assert found[np.arange(3), np.arange(3)].max() < 0.01
    before = predicted(CANDIDATES)
    frozen = np.array([[divergence(p, q).mean() for q in before] for p in before])
    rivals = ~np.eye(3, dtype=bool)
    assert (found.mean(axis=2)[rivals] < frozen[rivals]).all()


def test_a_rotated_rival_undoes_everything():
    turned = {"a": FEATURES["a"], "b": FEATURES["a"] @ np.linalg.qr(RNG.normal(size=(3, 3)))[0]}
    p, q = predicted(SHOWN)[[0, 0]], predicted(CANDIDATES)[[0, 0]]
    assert refitted_divergences(turned, SHOWN, p, CANDIDATES, q, penalty=1e-6).max() < 0.01


def test_divergence_is_zero_for_the_same_and_only_there():
    p, q = predicted(CANDIDATES)[:2]
    np.testing.assert_allclose(divergence(p, p), 0, atol=1e-15)
    assert divergence(p, q).min() > 0
    np.testing.assert_allclose(divergence(p, q), (p * np.log(p / q)).sum(axis=1))


def worth(divergences, rows, weights):
    away = divergences[:, :, list(rows)].sum(axis=2)
    np.fill_diagonal(away, np.inf)
    return weights @ away.min(axis=1)


def test_greedy_separation_comes_near_the_best_of_all_batches():
    """Over 30 cases of 12 triplets without a pair in common, four models, batches of four."""
    shares, triplets, weights = [], np.arange(36).reshape(12, 3), np.full(4, 0.25)
    for seed in range(30):
        divergences = np.random.default_rng(seed).gamma(0.7, size=(4, 4, 12))
        best = max(worth(divergences, rows, weights) for rows in combinations(range(12), 4))
        shares.append(worth(divergences, separating_batch(divergences, triplets, 4), weights) / best)
    assert max(shares) <= 1 + 1e-12
    assert np.mean(shares) > 0.95
    assert min(shares) > 0.7


def test_a_separating_batch_is_diverse():
    divergences = np.ones((2, 2, 4))
    chosen = separating_batch(divergences, [[0, 1, 2], [0, 1, 3], [0, 1, 4], [5, 6, 7]], 2)
    assert 3 in chosen

"""Choosing the next triplets by the policies that need no fits."""

import numpy as np

from analysis.recovery.design import POLICIES, triplet_scores
from analysis.recovery.design_batches import choose_triplets
from analysis.recovery.features import normalised
from analysis.recovery.triplets import choice_probabilities, draw_triplets
from benchmarks.harness import Aim, Job, Way

N_OBJECTS, N_FEATURES, BATCH = 200, 60, 500
LOOPED = 1000
JUDGED = [policy for policy in POLICIES if policy != "random"]


def prepare(models: int, candidates: int):
    rng = np.random.default_rng(0)
    tables = [normalised(rng.normal(size=(N_OBJECTS, N_FEATURES))) for _ in range(models)]
    triplets = draw_triplets(N_OBJECTS, candidates, 0)
    probabilities = np.stack([choice_probabilities(10 * x @ x.T, triplets) for x in tables])
    return probabilities, triplets, rng.dirichlet(np.ones(models))


def ours(data):
    """A round of every policy: scores and the batch. The scores that the loop has, too, are returned."""
    probabilities, triplets, weights = data
    for policy in JUDGED:
        choose_triplets(probabilities, triplets, min(BATCH, len(triplets)), policy, weights=weights)
    return [triplet_scores(probabilities[:, :LOOPED], policy, weights) for policy in JUDGED]


def loop(data):
    """Scores of some candidates, one after the other, as one would write the formulas down."""
    probabilities, _, weights = data
    return [[_score(p, policy, weights) for p in probabilities[:, :LOOPED].transpose(1, 0, 2)] for policy in JUDGED]


def _score(p, policy, weights):
    """Of one triplet, p (n_models, 3)."""
    if policy == "disagreement":
        answers = p.argmax(axis=1)
        pairs = [(i, j) for i in range(len(p)) for j in range(len(p)) if i != j]
        apart = sum(weights[i] * weights[j] for i, j in pairs if answers[i] != answers[j])
        return apart / sum(weights[i] * weights[j] for i, j in pairs)
    uncertainty = _entropy(weights @ p)
    if policy == "uncertainty":
        return uncertainty
    return uncertainty - sum(weight * _entropy(row) for weight, row in zip(weights, p, strict=True))


def _entropy(p):
    return -(p * np.log(p)).sum()


def looped(candidates: int, **_) -> float:
    return min(LOOPED, candidates) / candidates


JOBS = [
    Job(
        name="choosing_triplets",
        title="Choosing triplets, a round of each policy without refits",
        says="{candidates:,} candidates, {models:,} models",
        prepare=prepare,
        ways=(Way("choose_triplets", ours), Way("plain loop", loop, part=looped)),
        sizes=tuple({"models": 20, "candidates": n} for n in (12_500, 25_000, 50_000, 100_000)),
        tiny={"models": 3, "candidates": 50},
        grows="candidates",
        aims=(Aim("times faster", 50, "plain loop"),),
    )
]

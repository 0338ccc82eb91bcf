"""Choosing triplets: 100,000 candidates × 20 models a round against a plain loop over triplets, in one run.

    python benchmarks/bench_design.py [--models 20] [--candidates 100000] [--objects 200] [--batch 500] [--rounds 5]

The loop scores triplet by triplet with NumPy, as one would write it down from the formulas; it is extrapolated from
2,000 candidates. Then the two policies that look at transforms, on a shortlist: for BALD the information about each
model's transform, for T-optimality one rival fit a pair of models.
"""

import argparse
import time
from statistics import median

import numpy as np

from analysis.recovery.design import POLICIES, triplet_scores
from analysis.recovery.design_batches import choose_triplets
from analysis.recovery.design_fitted import refitted_divergences, separating_batch, transform_information
from analysis.recovery.features import normalised
from analysis.recovery.probes import fit_probes
from analysis.recovery.triplets import choice_probabilities, draw_triplets, sample_choices

LOOPED = 2000
SHORTLIST = 2000
SHOWN = 1600


def timed(call, *arguments, **options):
    start = time.perf_counter()
    result = call(*arguments, **options)
    return time.perf_counter() - start, result


def entropy(p):
    return -(p * np.log(p)).sum()


def score_of_one(p, policy, weights, rng):
    """The score of one triplet, p (n_models, 3), by the formula."""
    if policy == "random":
        return rng.random()
    if policy == "disagreement":
        answers = p.argmax(axis=1)
        pairs = [(i, j) for i in range(len(p)) for j in range(len(p)) if i != j]
        apart = sum(weights[i] * weights[j] for i, j in pairs if answers[i] != answers[j])
        return apart / sum(weights[i] * weights[j] for i, j in pairs)
    uncertainty = entropy(weights @ p)
    if policy == "uncertainty":
        return uncertainty
    return uncertainty - sum(weight * entropy(row) for weight, row in zip(weights, p, strict=True))


def looped(probabilities, policy, weights):
    rng = np.random.default_rng(0)
    return np.array([score_of_one(probabilities[:, t], policy, weights, rng) for t in range(probabilities.shape[1])])


def compare_with_loop(probabilities, triplets, batch, rounds):
    weights = np.random.default_rng(0).dirichlet(np.ones(len(probabilities)))
    part = probabilities[:, :LOOPED]
    for policy in POLICIES:
        seconds = [timed(choose_triplets, probabilities, triplets, batch, policy, weights=weights)[0]
                   for _ in range(rounds)]  # fmt: skip
        loop, slow = timed(looped, part, policy, weights)
        loop *= probabilities.shape[1] / LOOPED
        apart = 0.0 if policy == "random" else np.abs(slow - triplet_scores(part, policy, weights)).max()
        ratio = loop / median(seconds)
        print(f"{policy:12} {median(seconds):6.3f} s a round   plain loop {loop:7.2f} s   {ratio:7.1f}×"
              f"   differ by {apart:.0e}")  # fmt: skip


def time_fitted(tables, n_objects, batch):
    """The policies on a shortlist, with fits to one simulated observer; none of it is compared with a loop."""
    shown, shortlist = draw_triplets(n_objects, SHOWN, 0), draw_triplets(n_objects, SHORTLIST, 1)
    similarity = next(iter(tables.values()))
    choices = sample_choices(10 * similarity @ similarity.T, shown, 2)
    options = {"penalties": [0.01], "tolerance": 1e-4}
    seconds, fits = timed(fit_probes, list(tables.values()), [(shown, choices)], **options)
    print(f"fits of {len(tables)} models to {SHOWN} answers: {seconds:.2f} s")
    probes = [fit[0][0] for fit in fits]
    pairs = list(zip(tables.values(), probes, strict=True))
    seconds, _ = timed(lambda: [transform_information(table, probe, shown, shortlist) for table, probe in pairs])
    print(f"bald         {seconds:6.2f} s a round, shortlist of {SHORTLIST}")
    predicted, expected = (np.stack([choice_probabilities(probe.similarity(table), triplets) for table, probe in pairs])
                           for triplets in (shown, shortlist))  # fmt: skip
    arguments = (tables, shown, predicted, shortlist, expected)
    refits, divergences = timed(refitted_divergences, *arguments, penalty=0.01, tolerance=1e-4)
    chosen, _ = timed(separating_batch, divergences, shortlist, batch)
    print(f"refit        {refits + chosen:6.2f} s a round: {len(tables) ** 2} rival fits {refits:.2f} s, batch "
          f"{chosen:.2f} s")  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = {"models": 20, "candidates": 100_000, "objects": 200, "batch": 500, "rounds": 5}
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    tables = {f"m{k}": normalised(rng.normal(size=(options.objects, 60))) for k in range(options.models)}
    triplets = draw_triplets(options.objects, options.candidates, 0)
    probabilities = np.stack([choice_probabilities(10 * x @ x.T, triplets) for x in tables.values()])
    compare_with_loop(probabilities, triplets, options.batch, options.rounds)
    time_fitted(tables, options.objects, min(options.batch, 200))


if __name__ == "__main__":
    main()

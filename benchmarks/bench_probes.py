"""Fits a second of `fit_probes` against plain `torch.optim.LBFGS` through autograd, with the objective reached.

Run ``python benchmarks/bench_probes.py [--seeds 8] [--folds 1] [--large]``. The grid is the recovery chapter's: ten
candidates of rank 16 to 145 on handwritten digits, 100 to 25,600 triplets, four penalties, folds over objects, several
seeds. Both solvers see the same problems, turn by turn; the plain one fits the first seed of each grid point only. A
float64 fit of tolerance 1e-8 gives the optimum that both are held against (the tests hold such fits against an
independent reference). ``--large`` times one evaluation of objective and gradient for 4.2 million triplets of 1,854
objects in 512 dimensions instead.

Times are processor seconds of one thread, which is what a worker of the experiment has: on a machine with nothing else
to do they are wall-clock seconds, and on a busy one they stay comparable.
"""

import argparse
import resource
import time

import numpy as np
import torch
from sklearn.datasets import load_digits

from analysis.recovery.generators import TOLERANCE
from analysis.recovery.likelihood import Batch
from analysis.recovery.probes import fit_probe, fit_probes
from analysis.recovery.triplets import draw_triplets, sample_choices

RANKS = (16, 24, 32, 48, 64, 80, 96, 112, 128, 145)
SIZES = (100, 400, 1600, 6400, 25_600)
PENALTIES = (3e-1, 3e-2, 3e-3, 3e-4)
TARGET = 2e-4


def candidates(images: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Random networks of one to three layers on the images, centred, of unit mean squared length."""
    return [_network(images, width, 1 + place % 3, rng) for place, width in enumerate(RANKS)]


def _network(images, width, depth, rng):
    hidden = images
    for _ in range(depth):
        weights = rng.normal(size=(hidden.shape[1], width)) * np.sqrt(2 / hidden.shape[1])
        hidden = np.maximum(hidden @ weights + 0.3 * rng.normal(size=width), 0.1 * hidden @ weights)
    hidden = hidden - hidden.mean(0)
    return (hidden / np.sqrt((hidden**2).sum(1).mean())).astype(np.float32)


def observer(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Similarity that mixes pixels and class, noisy enough to be answered wrongly now and then."""
    centred = images - images.mean(0)
    return 4 * (centred @ centred.T / (centred**2).sum(1).mean() + (labels[:, None] == labels))


def plain_fit(features, triplets, choices, penalty):
    """L-BFGS with strong Wolfe conditions and 50 pairs of memory, gradients by autograd; the weights.

    It stops at a change of 1e-5, the loosest that ends within the target nearly always.
    """
    features, triplets = torch.as_tensor(features), torch.as_tensor(triplets)
    a, b, c = triplets.T
    pairs, choices = (
        torch.stack([b * len(features) + c, a * len(features) + c, a * len(features) + b], 1),
        torch.as_tensor(choices),
    )
    width = features.shape[1]
    weights = torch.eye(width)
    weights.requires_grad_()
    settings = {"history_size": 50, "line_search_fn": "strong_wolfe", "tolerance_change": 1e-5, "tolerance_grad": 1e-9}
    solver = torch.optim.LBFGS([weights], max_iter=1000, max_eval=10_000, **settings)

    def closure():
        solver.zero_grad()
        embedded = features @ weights
        loss = torch.nn.functional.cross_entropy((embedded @ embedded.T).flatten()[pairs], choices)
        value = loss + penalty * ((weights**2).sum() - weights.trace() ** 2 / width)
        value.backward()
        return value

    solver.step(closure)
    return weights.detach()


def objective(features, triplets, choices, weights, penalty) -> float:
    """The fits' common yardstick, in float64."""
    embedded = features.astype(np.float64) @ np.asarray(weights, np.float64)
    similarity = embedded @ embedded.T
    a, b, c = triplets.T
    logits = np.stack([similarity[b, c], similarity[a, c], similarity[a, b]], 1)
    top = logits.max(1)
    loss = np.log(np.exp(logits - top[:, None]).sum(1)) + top - logits[np.arange(len(choices)), choices]
    weights = np.asarray(weights, np.float64)
    return float(loss.mean() + penalty * ((weights**2).sum() - np.trace(weights) ** 2 / len(weights)))


def grid(n_seeds: int, n_folds: int):
    """(features, data sets) for each candidate, fold and size."""
    images, labels = load_digits(return_X_y=True)
    images, labels, rng = images[:898] / 16, labels[:898], np.random.default_rng(0)
    similarity, models = observer(images, labels), candidates(images, rng)
    for fold in range(n_folds):
        objects = rng.permutation(898)[:420]
        inside = similarity[np.ix_(objects, objects)]
        for size in SIZES:
            data = [_answers(inside, size, [fold, size, seed]) for seed in range(n_seeds)]
            for features in models:
                yield size, features[objects], data


def _answers(similarity, size, seed):
    triplets = draw_triplets(len(similarity), size, seed)
    return triplets, sample_choices(similarity, triplets, seed)


def compare(n_seeds: int, n_folds: int, tolerance: float) -> None:
    """Print, per number of triplets and over all, milliseconds a fit, their ratio, and how far from the optimum."""
    rows = []
    for size, features, data in grid(n_seeds, n_folds):
        begin = time.process_time()
        probes = fit_probes([features], data, penalties=PENALTIES, tolerance=tolerance)[0]
        ours = (time.process_time() - begin) / (n_seeds * len(PENALTIES))
        for probe, penalty in zip(probes[0], PENALTIES, strict=True):
            begin = time.process_time()
            weights = plain_fit(features, *data[0], penalty)
            plain = time.process_time() - begin
            reached = [objective(features, *data[0], found, penalty) for found in (probe.weights, weights)]
            exact = fit_probe(features.astype(np.float64), *data[0], penalty=penalty, tolerance=1e-8)
            optimum = min(exact.objective, *reached)
            rows.append((size, ours, plain, reached[0] - optimum, reached[1] - optimum))
    table = np.array(rows)
    print("triplets  plain ms  ours ms  ratio   gap ours max  within   gap plain max  within")
    for size in (*SIZES, None):
        part = table if size is None else table[table[:, 0] == size]
        ours, plain = part[:, 1].mean(), part[:, 2].mean()
        gaps = [f"{gap.max():12.1e}  {(gap <= TARGET).mean():6.1%}" for gap in part[:, 3:].T]
        print(f"{size or 'all':>8}  {1e3 * plain:8.1f} {1e3 * ours:8.1f} {plain / ours:6.1f}  {'  '.join(gaps)}")


def large() -> None:
    """Print the seconds of one evaluation at the size of the public behavioural data, and the peak memory."""
    rng = np.random.default_rng(0)
    features = torch.from_numpy((rng.normal(size=(1854, 512)) / np.sqrt(512)).astype(np.float32))
    triplets = draw_triplets(1854, 4_200_000, 0)
    choices = rng.integers(3, size=len(triplets))
    batch = Batch.of(features, [(triplets, choices)], "shrinkage", "full")
    seconds, core = [], torch.eye(512)[None]
    for _ in range(10):
        begin = time.process_time()
        batch.evaluate(core, 1e-3)
        seconds.append(time.process_time() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{min(seconds):.3f} s at best, {np.median(seconds):.3f} s in the median, peak {peak:.2f} GB in all")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--folds", type=int, default=1)
    parser.add_argument("--tolerance", type=float, default=TOLERANCE)
    parser.add_argument("--large", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    large() if arguments.large else compare(arguments.seeds, arguments.folds, arguments.tolerance)

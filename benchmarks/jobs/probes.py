"""Fits of probes: the recovery chapter's grid, and one fit of many triplets in a wide space, on one thread each.

One thread is what a worker of the recovery experiment has.
"""

import numpy as np
import torch
from sklearn.datasets import load_digits

from analysis.recovery.generators import TOLERANCE
from analysis.recovery.probes import fit_probe, fit_probes
from analysis.recovery.triplets import draw_triplets, sample_choices
from benchmarks.harness import REFERENCE, Aim, Job, NotMeasuredError, Way

RANKS = (16, 64, 145)
PENALTIES = (3e-1, 3e-2, 3e-3, 3e-4)
N_OBJECTS, N_SEEDS = 420, 8
TARGET = 2e-4  # nats, from the optimum
WIDE_OBJECTS, WIDE_PENALTY = 1854, 1e-3


def grid(largest: int):
    """Candidates on digits, and for each number of triplets the answers of an observer to several seeds' triplets."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    objects = rng.permutation(898)[:N_OBJECTS]
    images, labels = images[objects] / 16, labels[objects]
    similarity = _observer(images, labels)
    tables = [_network(images, width, 1 + place % 3, rng) for place, width in enumerate(RANKS)]
    sizes = [size for size in (100, 400, 1600, 6400, 25_600) if size <= largest]
    return tables, [[_answers(similarity, size, [size, seed]) for seed in range(N_SEEDS)] for size in sizes]


def _observer(images, labels):
    """Similarity that mixes pixels and class, noisy enough to be answered wrongly now and then."""
    centred = images - images.mean(0)
    return 4 * (centred @ centred.T / (centred**2).sum(1).mean() + (labels[:, None] == labels))


def _network(images, width, depth, rng):
    """A random network of `depth` layers, centred, of unit mean squared length."""
    hidden = images
    for _ in range(depth):
        weights = rng.normal(size=(hidden.shape[1], width)) * np.sqrt(2 / hidden.shape[1])
        hidden = np.maximum(hidden @ weights + 0.3 * rng.normal(size=width), 0.1 * hidden @ weights)
    hidden = hidden - hidden.mean(0)
    return (hidden / np.sqrt((hidden**2).sum(1).mean())).astype(np.float32)


def _answers(similarity, size, seed):
    triplets = draw_triplets(len(similarity), size, seed)
    return triplets, sample_choices(similarity, triplets, seed)


def ours_on_grid(data, dtype=np.float32, tolerance=TOLERANCE, seeds=slice(None)):
    """Objectives of the first seed's fits."""
    tables, sizes = data
    found = []
    for datasets in sizes:
        fits = fit_probes([x.astype(dtype) for x in tables], datasets[seeds], penalties=PENALTIES, tolerance=tolerance)
        found += [
            objective(x, *datasets[0], probe.weights, probe.penalty)
            for x, per_data in zip(tables, fits, strict=True)
            for probe in per_data[0]
        ]
    return found


def optimum_on_grid(data):
    return ours_on_grid(data, np.float64, 1e-8, slice(1))


def plain_on_grid(data):
    """One fit at a time; the first seed's."""
    tables, sizes = data
    return [
        objective(x, *datasets[0], plain_fit(x, *datasets[0], penalty), penalty)
        for datasets in sizes
        for x in tables
        for penalty in PENALTIES
    ]


def wide(triplets: int, features: int):
    """One model and a simulated observer that answers by another transform of the same features."""
    rng = np.random.default_rng(0)
    table = (rng.normal(size=(WIDE_OBJECTS, features)) / np.sqrt(features)).astype(np.float32)
    seen = table * rng.exponential(4, size=features).astype(np.float32)
    return table, *_answers(seen @ table.T, triplets, 0)


def ours_wide(data, tolerance=TOLERANCE, device=None):
    table, *answers = data
    options = {"penalty": WIDE_PENALTY, "tolerance": tolerance, "device": device}
    return objective(table, *answers, fit_probe(table, *answers, **options).weights, WIDE_PENALTY)


def ours_wide_on_gpu(data):
    if not torch.cuda.is_available():
        raise NotMeasuredError("there is no NVIDIA GPU")
    return ours_wide(data, device="cuda")


def optimum_wide(data):
    return ours_wide(data, tolerance=1e-6)


def plain_wide(data):
    table, *answers = data
    return objective(table, *answers, plain_fit(table, *answers, WIDE_PENALTY), WIDE_PENALTY)


def plain_fit(features, triplets, choices, penalty):
    """L-BFGS with strong Wolfe conditions and 50 pairs of memory, gradients by autograd; the weights.

    It stops at a change of 1e-5, the loosest that ends within the target nearly always.
    """
    features, triplets = torch.as_tensor(features), torch.as_tensor(triplets)
    a, b, c = triplets.T
    n, width = features.shape
    pairs, choices = torch.stack([b * n + c, a * n + c, a * n + b], 1), torch.as_tensor(choices)
    weights = torch.eye(width).requires_grad_()
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
    weights = np.asarray(weights, np.float64)
    embedded = features.astype(np.float64) @ weights
    similarity = embedded @ embedded.T
    a, b, c = np.asarray(triplets).T
    logits = np.stack([similarity[b, c], similarity[a, c], similarity[a, b]], 1)
    top = logits.max(1)
    loss = np.log(np.exp(logits - top[:, None]).sum(1)) + top - logits[np.arange(len(choices)), choices]
    return float(loss.mean() + penalty * ((weights**2).sum() - np.trace(weights) ** 2 / len(weights)))


def one_seed(**_) -> float:
    return 1 / N_SEEDS


JOBS = [
    Job(
        name="probe_grid",
        title="Probe fits, the chapter's grid",
        says=f"ranks {', '.join(map(str, RANKS))}, 100 to {{largest:,}} triplets, {len(PENALTIES)} penalties, "
        f"{N_SEEDS} seeds",
        prepare=grid,
        ways=(
            Way("fit_probes", ours_on_grid),
            Way("torch.optim.LBFGS", plain_on_grid, part=one_seed, once=True),
            Way("float64, tolerance 1e-8", optimum_on_grid, REFERENCE, part=one_seed, once=True),
        ),
        sizes=tuple({"largest": n} for n in (400, 1600, 6400, 25_600)),
        tiny={"largest": 100},
        grows="largest",
        aims=(
            Aim("times faster", 20, "torch.optim.LBFGS"),
            Aim("from the optimum", TARGET),
        ),
        threads=1,
    ),
    Job(
        name="probe_wide",
        title="One probe of many triplets in a wide space",
        says="{triplets:,} triplets, {features:,} features",
        prepare=wide,
        ways=(
            Way("fit_probe", ours_wide),
            Way("fit_probe on a GPU", ours_wide_on_gpu),
            Way("torch.optim.LBFGS", plain_wide, once=True),
            Way("tolerance 1e-6", optimum_wide, REFERENCE, once=True),
        ),
        sizes=tuple({"triplets": n, "features": 1024} for n in (12_500, 25_000, 50_000, 100_000)),
        tiny={"triplets": 50, "features": 6},
        grows="triplets",
        aims=(
            Aim("times faster", 5, "torch.optim.LBFGS"),
            Aim("from the optimum", TARGET),
        ),
        rounds=2,
        threads=1,
    ),
]

"""Where a recovery curve ends: fits to choice probabilities against fits to ever more sampled answers."""

import numpy as np
from sklearn.datasets import load_digits

from analysis.recovery.asymptote import all_triplets
from analysis.recovery.features import normalised
from analysis.recovery.generators import TOLERANCE
from analysis.recovery.probes import fit_probes
from analysis.recovery.triplets import calibrate_temperature, choice_probabilities, draw_triplets, sample_choices
from benchmarks.harness import REFERENCE, Aim, Job, Way

N_MODELS, N_TEST = 8, 80
RANK, PENALTY = 60, 1e-3
ANSWERS = 4  # sampled for each triplet that there is


def prepare(objects: int):
    """Random projections of digits; each answers by a transform of itself, with people's noise."""
    rng = np.random.default_rng(0)
    images = load_digits().data[rng.permutation(898)[: objects + N_TEST]]
    rank = min(RANK, objects // 2)
    tables = [normalised(np.maximum(images @ rng.normal(size=(64, rank)), 0)) for _ in range(N_MODELS)]
    wholes = [(seen := table * rng.exponential(size=rank)) @ seen.T for table in tables]
    train, test = (all_triplets(part, None, 0) for part in (np.arange(objects), np.arange(objects, len(images))))
    scaled = [whole / calibrate_temperature(whole, train) for whole in wholes]
    return tables, scaled, train, test


def exact(data, tolerance=1e-6):
    """Every model fitted to the probabilities of every model: expected accuracy on triplets of other objects."""
    tables, scaled, train, _ = data
    answered = [(train, choice_probabilities(similarity, train)) for similarity in scaled]
    return _accuracies(data, [x.astype(np.float64) for x in tables], answered, tolerance)


def to_the_end(data):
    return exact(data, 1e-9)


def sampled(data):
    """The same with answers drawn with replacement, fitted as finite experiments are."""
    tables, scaled, train, _ = data
    objects = np.arange(train.max() + 1)
    drawn = [draw_triplets(objects, ANSWERS * len(train), [0, k], replacement=True) for k in range(len(scaled))]
    answered = [
        (triplets, sample_choices(similarity, triplets, [1, k]))
        for k, (similarity, triplets) in enumerate(zip(scaled, drawn, strict=True))
    ]
    return _accuracies(data, [x.astype(np.float32) for x in tables], answered, TOLERANCE)


def _accuracies(data, tables, answered, tolerance):
    _, scaled, _, test = data
    expected = [choice_probabilities(similarity, test) for similarity in scaled]
    fits = fit_probes(tables, answered, penalties=[PENALTY], tolerance=tolerance)
    return [
        [_accuracy(probe, table, test, chances) for (probe,), chances in zip(paths, expected, strict=True)]
        for table, paths in zip(tables, fits, strict=True)
    ]


def _accuracy(probe, table, test, chances) -> float:
    guessed = choice_probabilities(probe.similarity(table), test).argmax(axis=1)
    return float(chances[np.arange(len(test)), guessed].mean())


JOBS = [
    Job(
        name="recovery_limit",
        title="Recovery in the limit",
        says="{objects} training objects, 8 models, one fold",
        prepare=prepare,
        ways=(
            Way("fits to probabilities, all triplets", exact),
            Way("fits to sampled answers", sampled, once=True),
            Way("tolerance 1e-9", to_the_end, REFERENCE, once=True),
        ),
        sizes=tuple({"objects": objects} for objects in (28, 56, 84, 112)),
        tiny={"objects": 16},
        grows="objects",
        aims=(Aim("times faster at equal error", 50, "fits to sampled answers"),),
        rounds=2,
        threads=1,
    )
]

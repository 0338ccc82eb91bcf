"""What the simulations of one split share: its pools of triplets, everybody's answers to them, and the models' fits."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.recovery.asymptote import all_triplets
from analysis.recovery.plan import TRAIN, VALIDATION, Plan, outcome, within
from analysis.recovery.probes import Probe
from analysis.recovery.triplets import calibrate_temperature, choice_probabilities, sample_choices

Rows = list[np.ndarray]
"""Rows of a pool, one array a generator."""


@dataclass(frozen=True)
class Split:
    """Objects of three parts, a pool of triplets within each, and each generator's probabilities and answers.

    A triplet's answer is drawn once: whichever design shows it, it is the same.
    """

    parts: list[np.ndarray]
    pools: list[np.ndarray]
    chances: list[np.ndarray]
    answers: list[np.ndarray]

    @classmethod
    def of(cls, names: Sequence[str], scaled: np.ndarray, repeat: int, fold: int, most: int, plan: Plan) -> "Split":
        """`scaled` are the generators' similarities in units of their temperatures (n_generators, n, n)."""
        parts = plan.parts(scaled.shape[1], repeat, fold)
        source = [plan.seed, repeat, fold]
        pools = [all_triplets(objects, most, [*source, part]) for part, objects in enumerate(parts)]
        pools = [np.random.default_rng([*source, part]).permutation(pool) for part, pool in enumerate(pools)]
        chances = [np.stack([choice_probabilities(similarity, pool) for similarity in scaled]) for pool in pools]
        answers = [
            np.stack([sample_choices(similarity, pool, [*source, part, zlib.crc32(name.encode())])
                      for name, similarity in zip(names, scaled, strict=True)])
            for part, pool in enumerate(pools)
        ]  # fmt: skip
        return cls(parts, pools, chances, answers)

    def answered(self, part: int, rows: Rows, *, expected: bool = False) -> list[tuple[np.ndarray, np.ndarray]]:
        """Triplets and answers of each generator; `expected`: probabilities, as if each were answered for ever."""
        answers = self.chances[part] if expected else self.answers[part]
        return [(self.pools[part][chosen], own[chosen]) for chosen, own in zip(rows, answers, strict=True)]


@dataclass(frozen=True)
class Fitted:
    """Each model fitted to each generator's answers: probes ``[model][generator]`` and their similarities."""

    probes: list[list[Probe | None]]
    similarities: list[list[np.ndarray]]

    def predict(self, generator: int, triplets: np.ndarray) -> np.ndarray:
        """What the models, fitted to this generator, predict: (n_models, n, 3)."""
        return np.stack([choice_probabilities(of_model[generator], triplets) for of_model in self.similarities])


def fit_models(
    tables: Sequence[np.ndarray], split: Split, train: Rows, validation: Rows, ceiling: float, plan: Plan,
    *, expected: bool = False,
) -> Fitted:  # fmt: skip
    """All models fitted to all generators' answers, λ by the likelihood of the validation answers.

    Nothing is fitted to a zero-shot transform: its temperature is the one at which its largest probability has the
    ceiling as its mean over the pool.
    """
    if plan.transform == "zero-shot":
        scaled = [_at_ceiling(table, split, ceiling) for table in tables]
        return Fitted([[None] * len(train) for _ in tables], [[similarity] * len(train) for similarity in scaled])
    data = split.answered(TRAIN, train, expected=expected)
    held_out = split.answered(VALIDATION, validation, expected=expected)
    held_out = [(within(split.parts[VALIDATION], triplets), answers) for triplets, answers in held_out]
    probes = [
        [_best(path, table[split.parts[VALIDATION]], *own)
         for path, own in zip(plan.fit(table, data), held_out, strict=True)]
        for table in tables
    ]  # fmt: skip
    similarities = [[probe.similarity(table) for probe in row] for row, table in zip(probes, tables, strict=True)]
    return Fitted(probes, similarities)


def _at_ceiling(table: np.ndarray, split: Split, ceiling: float) -> np.ndarray:
    similarity = table @ table.T
    return similarity / calibrate_temperature(similarity, split.pools[TRAIN], ceiling)


def _best(path: list[Probe], table: np.ndarray, triplets: np.ndarray, answers: np.ndarray) -> Probe:
    """The probe under which the validation answers are likeliest, of the strongest penalty among equals."""
    return max(path, key=lambda probe: (outcome(probe.similarity(table), triplets, answers)[1], probe.penalty))

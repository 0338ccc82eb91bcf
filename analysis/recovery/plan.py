"""What generators, finite experiments and their limit share: the parts of the objects, the fits, the choice of λ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from analysis.checks import as_features
from analysis.recovery.observers import load_features
from analysis.recovery.probes import Probe, fit_probes
from analysis.recovery.triplets import choice_probabilities

LIMITS = (1e-6, 1e4)
"""Weakest and strongest λ of the paper, as far as a grid widens by itself."""

TRAIN, VALIDATION, TEST = range(3)
_VALIDATION_SHARE = 0.3  # of the objects that are not for testing: 371 of 1,236 in the paper


@dataclass(frozen=True)
class Plan:
    """How everything is fitted; part of the key of every kept piece."""

    penalties: tuple[float, ...]
    widen: bool
    n_folds: int
    regularizer: str
    transform: str
    rank: int | None
    tolerance: float
    seed: int
    device: str | None

    def __post_init__(self):
        if not self.penalties:
            raise ValueError("'penalties' must hold at least 1 value, got none.")

    def check_folds(self, n_objects: int) -> None:
        """Refuse a number of folds that the objects cannot make."""
        if not 2 <= self.n_folds <= n_objects:
            raise ValueError(f"'n_folds' must be 2 to {n_objects}, the number of objects, got {self.n_folds!r}.")

    def with_tolerance(self, tolerance: float) -> "Plan":
        """The same but for where fits stop."""
        return replace(self, tolerance=tolerance)

    def fit(self, table: np.ndarray, datasets, penalties: Sequence[float] | None = None) -> list[list[Probe]]:
        """One list of probes per data set, in the order of the penalties."""
        return fit_probes(
            [table],
            datasets,
            penalties=self.penalties if penalties is None else penalties,
            regularizer=self.regularizer,
            transform=self.transform,
            rank=self.rank,
            tolerance=self.tolerance,
            device=self.device,
        )[0]

    def parts(self, n_objects: int, repeat: int, fold: int) -> list[np.ndarray]:
        """Training, validation and test objects of one fold; the folds of one repetition share a shuffle."""
        order = np.random.default_rng([self.seed, repeat]).permutation(n_objects)
        folds = np.array_split(order, self.n_folds)
        rest = np.concatenate(folds[:fold] + folds[fold + 1 :])
        rest = np.random.default_rng([self.seed, repeat, fold]).permutation(rest)
        cut = round(_VALIDATION_SHARE * len(rest))
        return [rest[cut:], rest[:cut], folds[fold]]

    def beyond(self, tried: Iterable[float], chosen: Iterable[float]) -> list[float]:
        """Penalties to try next, because an end of those tried was chosen: one step further, within the paper's limits.

        A single penalty is a decision and stays alone, as does a transform that no penalty acts on.
        """
        grid, chosen = sorted(tried), set(chosen)
        if not self.widen or len(self.penalties) == 1 or self.transform == "zero-shot":
            return []
        step = max(high / low for low, high in pairwise(sorted(self.penalties)))
        weaker, stronger = _tidy(max(grid[0] / step, LIMITS[0])), _tidy(min(grid[-1] * step, LIMITS[1]))
        found = [stronger] if grid[-1] in chosen and stronger > grid[-1] else []
        return found + ([weaker] if grid[0] in chosen and weaker < grid[0] else [])


def _tidy(penalty: float) -> float:
    """Without the rounding of repeated products, so that what is one λ is one number."""
    return float(f"{penalty:.12g}")


def checked_features(features: Mapping[str, np.ndarray] | str | Path) -> dict[str, np.ndarray]:
    """At least two models' features of the same objects, in float32, or a ValueError."""
    named = load_features(features) if isinstance(features, str | Path) else features
    tables = {name: as_features(table, f"features[{name!r}]").float().cpu().numpy() for name, table in named.items()}
    if len(tables) < 2:
        raise ValueError(f"'features' must hold at least 2 models, got {len(tables)}.")
    rows = {name: len(table) for name, table in tables.items()}
    if len(set(rows.values())) > 1:
        raise ValueError(f"'features' must share their objects, got rows {rows}.")
    return tables


def within(objects: np.ndarray, triplets: np.ndarray) -> np.ndarray:
    """Positions in `objects` of the triplets' members."""
    order = np.argsort(objects)
    return order[np.searchsorted(objects, triplets, sorter=order)]


def outcome(similarity, triplets, answers: np.ndarray) -> tuple[float, float]:
    """Share of answers that were the most likely ones, and their mean log-likelihood in nats.

    Answers are choices (n,), or probabilities of the three choices (n, 3): then both are expected values.
    """
    chances = choice_probabilities(similarity, triplets)
    rows, logs = np.arange(len(chances)), np.log(chances.clip(min=1e-300))
    if answers.ndim == 1:
        return float((chances.argmax(axis=1) == answers).mean()), float(logs[rows, answers].mean())
    return float(answers[rows, chances.argmax(axis=1)].mean()), float((answers * logs).sum(axis=1).mean())


def best(accuracies: np.ndarray, penalties: Sequence[float]) -> int:
    """The place of the penalty of highest accuracy, the strongest of equals."""
    return max(range(len(penalties)), key=lambda place: (accuracies[place], penalties[place]))

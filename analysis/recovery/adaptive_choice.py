"""How a batch is chosen within an adaptive experiment: one call for every policy, and who is asked."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.checks import choose
from analysis.recovery.adaptive_split import Fitted, Split
from analysis.recovery.design import POLICIES, triplet_scores
from analysis.recovery.design_batches import choose_triplets, diverse_batch
from analysis.recovery.design_fitted import refitted_divergences, separating_batch, transform_information
from analysis.recovery.plan import Plan

FITTED_POLICIES = ("bald", "refit")
"""Policies for training triplets that look at the transforms, on a shortlist."""
SHORTLIST = 500
CHOOSERS = ("all", "others", "half")


def choosers_of(which: str, n_models: int, seed: Sequence[int]) -> np.ndarray:
    """Whose predictions choose for each generator: booleans (n_generators, n_models).

    ``"all"`` models; all ``"others"``, so that the true model is left out; or the ``"half"`` of the models, drawn at
    random, that the generator does not belong to.
    """
    choose(which, "choosers", CHOOSERS)
    if which == "all":
        return np.ones((n_models, n_models), dtype=bool)
    if which == "others":
        return ~np.eye(n_models, dtype=bool)
    first = np.random.default_rng(seed).permutation(n_models) < n_models // 2
    return first[:, None] != first[None, :]


@dataclass(frozen=True)
class Chooser:
    """What a policy may look at: the models' fits to the answers so far, and how much each model is believed."""

    tables: Sequence[np.ndarray]
    split: Split
    fitted: Fitted
    plan: Plan

    def batch(
        self, policy: str, part: int, generator: int, shown: np.ndarray, n: int, weights: np.ndarray, seed
    ) -> np.ndarray:
        """Rows of the pool to show next, none of which has been shown; models of weight 0 are not asked.

        Pools are in random order, so the random policy takes the next ones.
        """
        left = np.setdiff1d(np.arange(len(self.split.pools[part])), shown)
        if policy == "random":
            return left[:n]
        asked = np.flatnonzero(weights)
        if policy in POLICIES:
            predicted = self._predicted(generator, part, left, asked)
            return left[choose_triplets(predicted, self.split.pools[part][left], n, policy,
                                        weights=weights[asked], seed=seed)]  # fmt: skip
        left = np.random.default_rng(seed).permutation(left)[: max(SHORTLIST, 2 * n)]
        chosen = self._bald if policy == "bald" else self._refit
        return left[chosen(part, generator, shown, left, n, weights[asked], asked, seed)]

    def _predicted(self, generator: int, part: int, rows: np.ndarray, asked: np.ndarray) -> np.ndarray:
        return self.fitted.predict(generator, self.split.pools[part][rows])[asked]

    def _bald(self, part, generator, shown, left, n, weights, asked, seed) -> np.ndarray:
        pool, score = self.split.pools[part], triplet_scores(self._predicted(generator, part, left, asked),
                                                             "information", weights)  # fmt: skip
        for weight, model in zip(weights / weights.sum(), asked, strict=True):
            probe = self.fitted.probes[model][generator]
            if probe is not None:
                score += weight * transform_information(self.tables[model], probe, pool[shown], pool[left])
        return diverse_batch(score, pool[left], n, seed)

    def _refit(self, part, generator, shown, left, n, weights, asked, seed) -> np.ndarray:
        pool = self.split.pools[part]
        penalties = [probe.penalty for probe in (self.fitted.probes[model][generator] for model in asked) if probe]
        divergences = refitted_divergences(
            {str(model): self.tables[model] for model in asked},
            pool[shown],
            self._predicted(generator, part, shown, asked),
            pool[left],
            self._predicted(generator, part, left, asked),
            penalty=float(np.median(penalties)) if penalties else 1.0,
            transform=self.plan.transform,
            tolerance=self.plan.tolerance,
        )
        return separating_batch(divergences, pool[left], n, weights=weights)

"""What the chapter's rules say of noise: the random design against itself, on other splits, where nothing is found."""

from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from analysis.chapters.choosing_stimuli.experiments import lift_of_answers, over_generators
from analysis.intervals import Measured, bootstrap_interval, mean_interval, spearman
from analysis.recovery.adaptive import Adaptive
from analysis.recovery.adaptive_summaries import identified, survival, trial_factor
from analysis.runs.verdicts import Noise

ITSELF = "the random design against itself, on other splits"
N_RUNS = 6


def _halves(splits: list[str]) -> list[tuple[list[str], list[str]]]:
    """Ways to part the splits into two halves, as many as are wanted at most; with one split it is against itself."""
    size = max(1, len(splits) // 2)
    found = [(list(one), [name for name in splits if name not in one]) for one in combinations(splits, size)]
    return [(one, other or one) for one, other in found][:N_RUNS]


def _relabelled(wins: pd.DataFrame, one: list[str], other: list[str], *, test: bool) -> pd.DataFrame:
    """Wins of the random design, those of the other splits under the name of a policy."""
    random = wins[(wins["train"] == "random") & (wins["test"] == "random")]
    named = {"test": "policy"} if test else {"train": "policy"}
    return pd.concat([random[random["split"].isin(one)], random[random["split"].isin(other)].assign(**named)])


def _factors(found: Adaptive, mode: str, *, test: bool):
    wins = identified(found.table, "log_likelihood" if test else "predicted")
    policies = {"train": "random", "test": "policy"} if test else {"train": "policy", "test": "random"}
    ends = "limit" if test else "last"
    return [trial_factor(_relabelled(wins, *half, test=test), mode=mode, ends=ends, **policies)
            for half in _halves(sorted(set(wins["split"])))]  # fmt: skip


def factors(found: Adaptive, mode: str, *, test: bool = True) -> Noise:
    """log G by test triplets, or by the prediction of the next batch."""
    return Noise(ITSELF, [factor.log_g for factor in _factors(found, mode, test=test)])


def survivals(found: Adaptive) -> Noise:
    """Survival by the prediction of the next batch."""
    pairs = zip(*(_factors(found, mode, test=False) for mode in ("refitted", "frozen")), strict=True)
    return Noise(ITSELF, [survival(*pair) for pair in pairs])


def differences(found: Adaptive, mode: str, *, test: bool = True) -> Noise:
    """Difference of two log G, as in `factors`."""
    made = _factors(found, mode, test=test)
    pairs = zip(made, made[1:] + made[:1], strict=True)
    return Noise(ITSELF, [_difference(one, other) for one, other in pairs])


def _difference(one, other) -> Measured:
    value = one.log_g.value - other.log_g.value
    return Measured.from_draws(value, one.draws - other.draws, "bootstrap over generators")


def gains(table: pd.DataFrame, value: str) -> Noise:
    """Difference of a mean between halves of the splits, over generators; rows are of the random design alone."""
    runs = []
    for half in _halves(sorted(set(table["split"]))):
        one, other = (table[table["split"].isin(part)].groupby("generator")[value].mean() for part in half)
        runs.append(over_generators(one - other))
    return Noise(ITSELF, runs)


def sureness(table: pd.DataFrame) -> Noise:
    """Difference of the ceilings of random test triplets between rounds, over splits."""
    means = table[table["test"] == "random"].pivot_table("test_ceiling", "split", "n_triplets", aggfunc="mean")
    pairs = list(pairwise(means.columns))
    return Noise("random triplets of two rounds", [mean_interval((means[b] - means[a]).to_numpy(), over="splits")
                                                   for a, b in pairs])  # fmt: skip


def lift(found: Adaptive) -> Noise:
    """What the rule must not take for no lift."""
    return Noise("a lift that is there, by infinitely many answers", [lift_of_answers(found)])


def order(table: pd.DataFrame, n_runs: int = 20) -> Noise:
    """Rank correlation of log G with the predictions of other designs."""
    known = table[table["never"] != "both"]
    shuffled = [np.random.default_rng(seed).permutation(known["expected"]) for seed in range(n_runs)]
    runs = [bootstrap_interval(spearman, expected, known["log G"].to_numpy(), over="designs", n_resamples=500)
            for expected in shuffled]  # fmt: skip
    return Noise("predictions shuffled", runs)

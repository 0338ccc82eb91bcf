"""Shares of simulations that are won, by model, with intervals over models."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.intervals import Measured, bootstrap_interval, mean_interval, mean_share_interval, spearman
from analysis.recovery.summaries import confusion_matrix


def by_generator(table: pd.DataFrame, n_triplets: int) -> pd.Series:
    """Share of each generator's simulations that it wins itself, by model."""
    won = confusion_matrix(table, n_triplets)
    return pd.Series({name: won.loc[name, name] for name in won.index}, name="recovery")


def own_wins(won: pd.DataFrame) -> pd.Series:
    """Share of each generator's simulations that it wins itself, of those that are resolved."""
    ranked = won[won["resolved"]]
    return (ranked["winner"] == ranked["generator"]).groupby(ranked["generator"]).mean()


def halfway_size(curve: pd.DataFrame) -> int:
    """The number of triplets with recovery nearest to halfway between chance and 1, the larger of equals.

    There are hits and mistakes to look at, where the largest number may leave no mistakes and the smallest only noise.
    """
    away = (curve["recovery"] - (1 + curve["chance"]) / 2).abs()
    return int(curve["n_triplets"][away <= away.min() + 1e-12].max())


def by_likelihood(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the geometric mean of the test answers' probabilities as what candidates are ranked by."""
    return table.assign(test_accuracy=np.exp(table["log_likelihood"]))


def saved_by_model(table: pd.DataFrame) -> pd.Series:
    """Recovery by likelihood minus recovery by accuracy, mean over numbers of triplets, by model."""
    sizes = sorted(set(table["n_triplets"]))
    gains = [by_generator(by_likelihood(table), size) - by_generator(table, size) for size in sizes]
    return sum(gains) / len(gains)


def trials_saved(table: pd.DataFrame) -> Measured:
    """Recovery by likelihood minus recovery by accuracy, mean over numbers of triplets, over models."""
    return over_models(saved_by_model(table))


def over_models(values: Sequence[float]) -> Measured:
    """Mean with Student's interval over models: the bootstrap's is too narrow for six, and takes noise for effects."""
    return mean_interval(np.asarray(values, dtype=float), over="models")


def share_over_models(values: Sequence[float]) -> Measured:
    """Mean of shares with its interval over models, which has a width even where all are 0 or all are 1."""
    return mean_share_interval(np.asarray(values, dtype=float), over="models")


def above_chance(shares: Sequence[float], chance: float) -> Measured:
    """The mean of shares beyond chance, with the interval of `share_over_models`."""
    found = share_over_models(shares)
    return replace(found, value=found.value - chance, low=found.low - chance, high=found.high - chance)


def spearman_interval(x: Sequence[float], y: Sequence[float]) -> Measured:
    """Spearman's ρ with its bootstrap interval over models."""
    return bootstrap_interval(spearman, np.asarray(x), np.asarray(y), over="models")

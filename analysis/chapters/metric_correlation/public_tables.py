"""The public run's tables: Brain-Score's leaderboard, and tables of accuracies as a contrast."""

import numpy as np
import pandas as pd

from analysis.chapters.metric_correlation.experiments import overall_scores, part_scores, r_squared
from analysis.chapters.metric_correlation.parameters import BRAINSCORE, MIN_MODELS, TESTBED, TIMM
from analysis.chapters.metric_correlation.reported import (
    EXPLAINED,
    MEAN_RHO,
    MEAN_RHO_HEATMAP,
    RHO_MEAN_RANK,
    RHO_MEAN_Z,
)
from analysis.data.brainscore import read_brainscore
from analysis.data.leaderboards import Leaderboard
from analysis.data.registry import public_path
from analysis.intervals import Measured, bootstrap_interval, spearman
from analysis.measures.aggregation import aggregate
from analysis.measures.spearman import spearman_matrix
from analysis.measures.spearman_bootstrap import bootstrap_spearman

ODD_ONE_OUT, ACCURACY = "Hebart2023-match", "ImageNet-top1"
PUBLISHED = "published average"
"""Brain-Score's own overall column, which counts a missing or failed run as 0 and averages newer metrics too."""
_PUBLISHED_PARTS = {"neural": "neural_vision", "behaviour": "behavior_vision"}
_ENGINEERING = ("top1", "Hermann2020")  # accuracies and shape bias: properties of a network, not alignment
_NEARLY_EMPTY = 100  # models; a metric that fewer have is left out (Kar2019-ost)


def read_leaderboard() -> Leaderboard:
    """Brain-Score's leaderboard of May 2025."""
    return read_brainscore(public_path(BRAINSCORE))


def read_timm() -> pd.DataFrame:
    """Top-1 accuracy (%) of timm's models on six test sets; one row a model and image size."""
    columns = {}
    for name, file in TIMM.items():
        table = pd.read_csv(public_path(file)).set_index(["model", "img_size"])["top1"]
        columns[name] = table[~table.index.duplicated()]
    return pd.DataFrame(columns)


def read_testbed() -> pd.DataFrame:
    """Top-1 accuracy (%) of the ImageNet testbed's models, without ImageNet-C and subsets of other columns.

    ImageNet-C stands there in five severities and two file formats: near copies, which agree with one another.
    """
    table = pd.read_csv(public_path(TESTBED)).set_index("model")
    copies = table.columns.str.startswith(("imagenet-c", "val-on", "val_sub")) | table.columns.str.contains(
        "subsampled"
    )
    return table.loc[:, ~copies]


def all_alignment(board: Leaderboard) -> pd.DataFrame:
    """Leaf metrics and all newer alignment metrics; no accuracies, and none that next to no model has."""
    full = board.scores.join(board.others[_newer(board)])
    return full.loc[:, full.notna().sum() >= _NEARLY_EMPTY]


def _newer(board: Leaderboard) -> list[str]:
    return [name for name in board.others if not any(word in name for word in _ENGINEERING)]


def metric_choices(board: Leaderboard) -> dict[str, pd.DataFrame]:
    """Other choices of metrics of the leaderboard, all models, pairwise complete."""
    leaves = board.scores
    marques = leaves.columns.str.startswith("Marques2020")
    geirhos = leaves.columns.str.startswith("Geirhos2021")
    return {
        "the leaf metrics": leaves,
        "without Marques2020 (properties of V1)": leaves.loc[:, ~marques],
        "without Geirhos2021 (error consistencies)": leaves.loc[:, ~geirhos],
        "without either": leaves.loc[:, ~(marques | geirhos)],
        "with the odd-one-out column": leaves.join(board.others[[ODD_ONE_OUT]]),
        "with all newer alignment metrics": all_alignment(board),
    }


def choice_means(choices: dict[str, pd.DataFrame], *, n_resamples: int, seed: int) -> pd.DataFrame:
    """Mean correlation between metrics for every choice of metrics, with its interval over models."""
    rows = [
        {
            "models": name,
            "n_models": len(table),
            "n_metrics": table.shape[1],
            "mean": bootstrap_spearman(table, n_resamples, seed=seed, min_models=MIN_MODELS).mean,
        }
        for name, table in choices.items()
    ]
    return pd.DataFrame(rows)


def with_published(board: Leaderboard) -> pd.DataFrame:
    """The overall scores of the complete models, Brain-Score's own average among them."""
    overall = overall_scores(board)
    overall.insert(0, PUBLISHED, published_average(board))
    return overall


def published_average(board: Leaderboard) -> pd.Series:
    """Brain-Score's own average of the complete models."""
    return board.parents.loc[board.complete.index, "average_vision"].rename(PUBLISHED)


def published_parts(board: Leaderboard, models: pd.Index) -> pd.DataFrame:
    """Brain-Score's own overall, neural and behavioural averages of some models."""
    names = {"overall": "average_vision", **_PUBLISHED_PARTS}
    return pd.DataFrame({name: board.parents.loc[models, column] for name, column in names.items()})


def unmeasured_share(board: Leaderboard) -> float:
    """Spearman's ρ between Brain-Score's own behavioural average and how many of its newer metrics a model has."""
    models = board.complete.index
    count = board.others.loc[models, _newer(board)].notna().sum(axis=1)
    return spearman(published_parts(board, models)["behaviour"].to_numpy(), count.to_numpy())


def paper_beside(board: Leaderboard, *, n_resamples: int, seed: int) -> pd.DataFrame:
    """Every number that the paper reports, beside this leaderboard's."""
    resampling = {"n_resamples": n_resamples, "seed": seed}
    return pd.DataFrame(_mean_rows(board, resampling) + _overall_rows(board, resampling))


def _mean_rows(board: Leaderboard, resampling: dict) -> list[dict]:
    """The mean correlations: the paper's number, and the table that comes closest to the paper's."""
    odd = board.scores.join(board.others[[ODD_ONE_OUT]])
    heatmap, more_models = MEAN_RHO_HEATMAP.values()
    entries = [
        ("mean ρ (leaves)", "80 × 69", MEAN_RHO, board.complete),
        ("mean ρ (all, no gaps)", "80 × 69", MEAN_RHO, all_alignment(board).dropna()),
        ("mean ρ (leaves and odd one out)", "42", heatmap, odd.dropna()),
        ("mean ρ (the same, more models)", "80", more_models, odd),
    ]
    return [
        _beside(*entry, bootstrap_spearman(entry[-1], min_models=MIN_MODELS, **resampling).mean) for entry in entries
    ]


def _overall_rows(board: Leaderboard, resampling: dict) -> list[dict]:
    """Explained shares and orders: of the leaves' averages, and of the published ones with and without gaps."""
    complete, gapless = board.complete, all_alignment(board).dropna()
    versions = {
        "leaves": (complete, part_scores(board)["raw"]),
        "published": (complete, published_parts(board, complete.index)),
        "published, no gaps": (gapless, published_parts(board, gapless.index)),
    }
    rows = []
    for label, (table, parts) in versions.items():
        for part, reported in EXPLAINED.items():
            found = bootstrap_interval(r_squared, parts["overall"], parts[part], over="models", **resampling)
            rows.append(_beside(f"share explained by {part} ({label})", "80 × 69", reported, table, found))
        for method, reported in (("rank", RHO_MEAN_RANK), ("z", RHO_MEAN_Z)):
            other = aggregate(table, method)
            found = bootstrap_interval(spearman, parts["overall"], other, over="models", **resampling)
            rows.append(_beside(f"ρ of mean and mean {method} ({label})", "80 × 69", reported, table, found))
    return sorted(rows, key=lambda row: row["number"].split(" (")[0])


def _beside(number: str, paper_table: str, reported: float, table: pd.DataFrame, found: Measured) -> dict:
    return {
        "number": number,
        "paper's table": paper_table,
        "paper": reported,
        "this table": f"{len(table)} × {table.shape[1]}",
        "this run": found,
        "difference": found.value - reported,
    }


def agreement_of_tables(tables: dict[str, pd.DataFrame], *, n_resamples: int, seed: int) -> pd.DataFrame:
    """All pairwise correlations of several tables, one row a pair, with the mean of each table and its interval."""
    rows = []
    for name, table in tables.items():
        rho = spearman_matrix(table, min_models=MIN_MODELS).rho.to_numpy()
        mean = bootstrap_spearman(table, n_resamples, seed=seed, min_models=MIN_MODELS).mean
        pairs = rho[np.triu_indices(len(rho), 1)]
        label = f"{name} ({len(table)} × {table.shape[1]})"
        rows.append(pd.DataFrame({"table": label, "rho": pairs[np.isfinite(pairs)].round(6), "mean": mean}))
    return pd.concat(rows, ignore_index=True)


def columns_of_tables(pairs: pd.DataFrame) -> pd.DataFrame:
    """`agreement_of_tables` for a CSV file, one column a table: its mean, low and high, then its pairs."""
    columns = {}
    for name, rows in pairs.groupby("table", sort=False):
        mean = rows["mean"].iloc[0]
        columns[name] = pd.Series([mean.value, mean.low, mean.high, *rows["rho"]])
    table = pd.DataFrame(columns)
    table.insert(0, "row", ["mean", "low", "high"] + ["pair"] * (len(table) - 3))
    return table


def summary_of(board: Leaderboard) -> pd.DataFrame:
    """Every metric in numbers: how many models have a score or why not, and the lowest, median and highest score."""
    scores = board.scores.agg(["min", "median", "max"]).T
    return board.coverage.loc[scores.index].join(scores).rename_axis("metric").reset_index()

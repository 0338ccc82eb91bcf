"""The recorded run's tables: Brain-Score's leaderboard, and tables of accuracies as a contrast."""

import numpy as np
import pandas as pd

from analysis.chapters.metric_correlation.experiments import HIERARCHY, RANK, Z, overall_scores, part_scores, r_squared
from analysis.chapters.metric_correlation.parameters import BRAINSCORE, MIN_MODELS, TESTBED, TIMM
from analysis.chapters.metric_correlation.reported import (
    EXPLAINED,
    MEAN_RHO,
    MEAN_RHO_HEATMAP,
    RHO_MEAN_RANK,
    RHO_MEAN_Z,
)
from analysis.intervals import Measured, bootstrap_interval, spearman
from analysis.leaderboard import Leaderboard, read_brainscore
from analysis.public import public_path
from analysis.scores import bootstrap_spearman, spearman_matrix

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


def metric_choices(board: Leaderboard) -> dict[str, pd.DataFrame]:
    """Other choices of metrics of the leaderboard, all models, pairwise complete."""
    leaves = board.scores
    others = [name for name in board.others if not any(word in name for word in _ENGINEERING)]
    full = leaves.join(board.others[others])
    full = full.loc[:, full.notna().sum() >= _NEARLY_EMPTY]
    marques = leaves.columns.str.startswith("Marques2020")
    geirhos = leaves.columns.str.startswith("Geirhos2021")
    return {
        "the leaf metrics": leaves,
        "without Marques2020 (22 properties of V1)": leaves.loc[:, ~marques],
        "without Geirhos2021 (17 error consistencies)": leaves.loc[:, ~geirhos],
        "without either": leaves.loc[:, ~(marques | geirhos)],
        "with the odd-one-out column": leaves.join(board.others[[ODD_ONE_OUT]]),
        "with all newer alignment metrics": full,
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
    overall.insert(0, PUBLISHED, board.parents.loc[overall.index, "average_vision"])
    return overall


def published_parts(board: Leaderboard) -> pd.DataFrame:
    """Brain-Score's own overall, neural and behavioural averages of the complete models."""
    names = {"overall": "average_vision", **_PUBLISHED_PARTS}
    parents = board.parents.loc[board.complete.index]
    return pd.DataFrame({name: parents[column] for name, column in names.items()})


def unmeasured_share(board: Leaderboard) -> float:
    """Spearman's ρ between Brain-Score's own behavioural average and how many of its newer metrics a model has."""
    newer = [name for name in board.others if not any(word in name for word in _ENGINEERING)]
    count = board.others.loc[board.complete.index, newer].notna().sum(axis=1)
    return spearman(published_parts(board)["behaviour"].to_numpy(), count.to_numpy())


def paper_beside(board: Leaderboard, *, n_resamples: int, seed: int) -> pd.DataFrame:
    """Every number that the paper reports, beside this leaderboard's."""
    complete = board.complete
    odd = board.scores.join(board.others[[ODD_ONE_OUT]])
    resampling = {"n_resamples": n_resamples, "seed": seed}
    rows = [
        ("mean ρ", "80 × 69", MEAN_RHO, complete, _mean_rho(complete, **resampling)),
        ("mean ρ, with odd one out", "42", MEAN_RHO_HEATMAP["42 models of the heatmap"], odd.dropna(),
         _mean_rho(odd.dropna(), **resampling)),
        ("mean ρ, the same metrics, more models", "80", MEAN_RHO_HEATMAP["the heatmap's metrics on 80 models"], odd,
         _mean_rho(odd, **resampling)),
    ]  # fmt: skip
    for part, reported in EXPLAINED.items():
        for label, table in (("leaves", part_scores(board)["raw"]), ("published", published_parts(board))):
            found = bootstrap_interval(r_squared, table["overall"], table[part], over="models", **resampling)
            rows.append((f"variance explained by {part} ({label})", "80 × 69", reported, complete, found))
    overall = with_published(board)
    for other, reported in ((RANK, RHO_MEAN_RANK), (Z, RHO_MEAN_Z)):
        for anchor in (HIERARCHY, PUBLISHED):
            found = bootstrap_interval(spearman, overall[anchor], overall[other], over="models", **resampling)
            rows.append((f"ρ of {anchor} and {other}", "80 × 69", reported, complete, found))
    return pd.DataFrame([_beside(*row) for row in rows])


def _beside(number: str, paper_table: str, reported: float, table: pd.DataFrame, found: Measured) -> dict:
    return {
        "number": number,
        "paper's table": paper_table,
        "paper": reported,
        "this table": f"{len(table)} × {table.shape[1]}",
        "this run": found,
        "difference": found.value - reported,
    }


def _mean_rho(table: pd.DataFrame, *, n_resamples: int, seed: int) -> Measured:
    return bootstrap_spearman(table, n_resamples, seed=seed, min_models=MIN_MODELS).mean


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

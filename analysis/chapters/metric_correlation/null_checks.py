"""What the chapter's rules say of noise: every metric's scores shuffled over models, all measured again."""

from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.chapters.metric_correlation import experiments
from analysis.chapters.metric_correlation.experiments import HIERARCHY, RANK, Z
from analysis.data.leaderboards import Leaderboard
from analysis.intervals import Measured
from analysis.measures.spearman import spearman_matrix
from analysis.measures.spearman_bootstrap import bootstrap_spearman
from analysis.progress import steps
from analysis.runs.verdicts import Noise

SHUFFLED = "each metric shuffled over models"
_N_RESAMPLES = 200


def shuffled(scores: pd.DataFrame, seed: int | tuple[int, ...]) -> pd.DataFrame:
    """Every column's measured scores in another order; gaps stay where they are."""
    rng, table = np.random.default_rng(seed), scores.to_numpy(copy=True)
    for column in table.T:
        measured = np.flatnonzero(np.isfinite(column))
        column[measured] = column[rng.permutation(measured)]
    return pd.DataFrame(table, scores.index, scores.columns)


def checks(
    board: Leaderboard, published: pd.Series | None = None, *, n_runs: int = 20, seed: int = 0
) -> dict[str, Noise]:
    """What every claim about the table measures when the metrics are noise, by the claim's name.

    `published` is an average of the complete models by other people, which no shuffling touches.
    """
    runs = [
        measured(replace(board, scores=shuffled(board.scores, seed + run)), published)
        for run in steps(range(n_runs), "noise")
    ]
    return {name: Noise(SHUFFLED, [run[name] for run in runs]) for name in runs[0]}


def apart(scores: pd.DataFrame, metric: str, *, n_runs: int = 20) -> Noise:
    """How far one metric stands apart from the others, all of them shuffled."""
    tables = [bootstrap_spearman(shuffled(scores, run), _N_RESAMPLES, seed=0) for run in range(n_runs)]
    return Noise(SHUFFLED, [experiments.apart(table, metric) for table in tables])


def measured(board: Leaderboard, published: pd.Series | None = None) -> dict[str, Measured]:
    """All measurements of the chapter's claims on one table, by the claim's name."""
    first, second = experiments.parts_of(board)
    metrics = [experiments.metrics_of(board, part) for part in (first, second)]
    options = {"n_resamples": _N_RESAMPLES, "seed": 0}
    table = bootstrap_spearman(board.complete, **options)
    matrix, parts = spearman_matrix(board.complete), experiments.part_scores(board)
    overall = experiments.overall_scores(board)
    starts = {"": HIERARCHY}
    if published is not None:
        starts["-published"] = published.name
        overall[published.name] = published
    orders = bootstrap_spearman(overall, **options)
    found = {
        "mean-correlation": table.mean,
        "weak-agreement": table.mean,
        "behaviour-agrees-more": experiments.contrast(table, metrics[1], metrics[0]),
        "negative-pairs": experiments.most_negative(matrix, *metrics),
        "behaviour-dominates": experiments.share_difference(parts["raw"], second, first, **options),
        "behaviour-dominates-z": experiments.share_difference(parts["z-scored"], second, first, **options),
    }
    for key, start in starts.items():
        found[f"ranks-differ{key}"] = experiments.order_agreement(orders, start, RANK)
        found[f"ranks-further-than-z{key}"] = experiments.order_difference(orders, start, Z, RANK)
    return found

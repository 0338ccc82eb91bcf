"""Figures of a line-up, which several chapters show: tables in, figures out."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.runs.plots import GREY, PALETTE

_NAMED = 20  # more models than this are not all named on an axis
_SIZE = 8.5  # points: the smallest text


def unit_scores(table: pd.DataFrame, names: list[str]) -> Figure:
    """Scores of all pairs beside what shuffled stimuli reach, and what is left of them once luck is taken out."""
    ordered = table.sort_values("score", ascending=False).reset_index(drop=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(1, 1.15))
    place = np.arange(len(ordered))
    left.vlines(place, ordered["floor"], ordered["score"], color=GREY, linewidth=1)
    left.plot(place, ordered["score"], "o", color=PALETTE[0], markersize=4, label="score")
    left.plot(place, ordered["floor"], "_", color=PALETTE[1], markersize=7, label="shuffled stimuli (floor)")
    left.plot(place, ordered["ceiling"], "_", color=GREY, markersize=7, label="ceiling")
    left.set(xlabel="pairs of models, by score", ylabel="matched units", ylim=(0, 1.05), xticks=[])
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=_SIZE, handletextpad=0.2)
    _heatmap(right, _square(table, "corrected", names), names, "corrected score")
    return figure


def _square(table: pd.DataFrame, column: str, names: list[str]) -> np.ndarray:
    matrix = np.eye(len(names))
    for row in table.itertuples():
        i, j = names.index(row.model), names.index(row.other)
        matrix[i, j] = matrix[j, i] = getattr(row, column)
    return matrix


def _heatmap(axis: Axes, matrix: np.ndarray, names: list[str], label: str, *, lowest: float = 0.0) -> None:
    shown = names if len(names) <= _NAMED else False
    colours = {"vmin": min(lowest, float(np.nanmin(matrix))), "vmax": 1, "cmap": "viridis"}
    sns.heatmap(matrix, ax=axis, square=True, cbar_kws={"label": label}, **colours)
    if shown:
        axis.set_xticks(np.arange(len(names)) + 0.5, names, rotation=90, fontsize=_SIZE)
        axis.set_yticks(np.arange(len(names)) + 0.5, names, rotation=0, fontsize=_SIZE)
    else:
        axis.set(xticks=[], yticks=[], ylabel=f"{len(names)} models, in the order of the first table")


def layer_scores(table: pd.DataFrame) -> Figure:
    """All compared layers of all models against one another, models parted by lines."""
    ends = [*zip(table["model"], table["layer"], strict=True), *zip(table["other"], table["other layer"], strict=True)]
    cells = list(dict.fromkeys(ends))
    places = {cell: place for place, cell in enumerate(cells)}
    matrix = np.eye(len(cells))
    for row in table.to_dict("records"):
        i, j = places[row["model"], row["layer"]], places[row["other"], row["other layer"]]
        matrix[i, j] = matrix[j, i] = row["corrected"]
    figure, axis = plt.subplots(figsize=(7.5, 6.5))
    sns.heatmap(matrix, ax=axis, square=True, cmap="viridis", vmax=1, cbar_kws={"label": "corrected score"})
    models = [model for model, _ in cells]
    edges = [place for place in range(1, len(models)) if models[place] != models[place - 1]]
    axis.hlines(edges, 0, len(models), color="white", linewidth=1)
    axis.vlines(edges, 0, len(models), color="white", linewidth=1)
    middles = pd.Series(range(len(models))).groupby(models, sort=False).mean() + 0.5
    step = max(1, len(middles) // _NAMED)
    axis.set_xticks(middles[::step], middles.index[::step], rotation=90, fontsize=_SIZE)
    axis.set_yticks(middles[::step], middles.index[::step], rotation=0, fontsize=_SIZE)
    axis.set_title("first to last layer within each model", fontsize=10, fontweight="normal")
    return figure


def representations(matrices: Mapping[str, np.ndarray], names: list[str]) -> Figure:
    """One heatmap a measure."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 8.6))
    for axis, (name, matrix) in zip(axes.flat, matrices.items(), strict=True):
        _heatmap(axis, matrix, names, "likeness")
        axis.set_title(name)
    return figure


def contact_sheet(table: pd.DataFrame, pictures: Sequence[np.ndarray] | None) -> Figure:
    """The contrastive stimuli, one a row of `table`, with everybody's answers; ids where there are no pictures."""
    n_columns = 4
    n_rows = -(-len(table) // n_columns)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=(2.5 * n_columns, 3.2 * n_rows), squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for place, (axis, row) in enumerate(zip(axes.flat, table.to_dict("records"), strict=False)):
        _stimulus(axis, row, None if pictures is None else pictures[place])
    return figure


def _stimulus(axis: Axes, row: dict, pixels: np.ndarray | None) -> None:
    axis.set_axis_on()
    if pixels is None:
        axis.text(
            0.5, 0.5, row["stimulus"], ha="center", va="center", fontsize=_SIZE, transform=axis.transAxes, wrap=True
        )
        axis.set_box_aspect(1)
    else:
        axis.imshow(small(pixels), interpolation="nearest")
    title = f"label: {row['label']}" if row["label"] else "no label"
    axis.set_title(title, fontsize=_SIZE, loc="center", fontweight="normal")
    lines = [f"models: {_shortened(row['models'])}"]
    if "people" in row:
        lines.append(f"people: {_shortened(row['people'])}")
    axis.set(xticks=[], yticks=[])
    axis.set_xlabel("\n".join(lines), fontsize=_SIZE)


def small(pixels: np.ndarray, most: int = 96) -> np.ndarray:
    """At most `most` pixels a side, so that a page of photographs stays small."""
    step = -(-max(pixels.shape[:2]) // most)
    return pixels[::step, ::step]


def _shortened(told: str, n_shown: int = 2) -> str:
    answers = told.split(" | ")
    return ", ".join(answers[:n_shown]) + (f", {len(answers) - n_shown} more" if len(answers) > n_shown else "")


def metric_correlations(rho: pd.DataFrame) -> Figure:
    """Spearman correlations between the metrics, over models."""
    figure, axis = plt.subplots(figsize=(8, 6.4))
    colours = {"cmap": "RdBu_r", "vmin": -1, "vmax": 1, "annot": len(rho) <= 12, "fmt": ".1f"}
    sns.heatmap(rho, ax=axis, square=True, annot_kws={"fontsize": _SIZE}, cbar_kws={"label": "Spearman's ρ"}, **colours)
    axis.set(xlabel="", ylabel="")
    axis.tick_params(labelsize=_SIZE)
    return figure

"""Figures of a line-up, which several chapters show: tables in, figures out."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.models.study import UNTRAINED
from analysis.runs.plots import GREY, PALETTE

_NAMED = 16  # more models than this are not all named on an axis
_FEW_PAIRS = 60  # more than this are drawn as a band
_SIZE = 8.5  # points: the smallest text
_LINE = 25  # characters below a picture, so that neighbours do not touch


def grouped(models: pd.DataFrame) -> pd.Series:
    """What each model is, by name, in the order of the figures: those of one family together, untrained ones last.

    Examples
    --------
    >>> rows = [["vit", "normal"], ["resnet", "untrained"], ["resnet", "normal"]]
    >>> grouped(pd.DataFrame(rows, ["a", "b", "c"], ["family", "training"])).to_dict()
    {'c': 'resnet, normal', 'a': 'vit, normal', 'b': 'resnet, untrained'}
    """
    known = models[["family", "training"]].fillna("").replace("unknown", "")
    order = known.assign(last=known["training"] == UNTRAINED).sort_values(["last", "family", "training"], kind="stable")
    return order["family"].str.cat(order["training"], sep=", ").str.strip(", ")


def unit_scores(table: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Scores of all pairs beside what shuffled stimuli reach, and what is left of them once luck is taken out."""
    ordered = table.sort_values("score", ascending=False).reset_index(drop=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), width_ratios=(1, 1.15))
    place = np.arange(len(ordered))
    size = 4 if len(ordered) <= _FEW_PAIRS else 1.5
    left.vlines(place, ordered["floor"], ordered["score"], color=GREY, linewidth=size / 4, alpha=size / 4)
    left.plot(place, ordered["score"], "o", color=PALETTE[0], markersize=size, label="score")
    left.plot(place, ordered["floor"], "_", color=PALETTE[1], markersize=2 * size, label="shuffled stimuli (floor)")
    left.plot(place, ordered["ceiling"], "_", color=GREY, markersize=2 * size, label="ceiling")
    left.set(xlabel="pairs of models, by score", ylabel="matched units", ylim=(0, 1.05), xticks=[])
    left.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3, fontsize=_SIZE, handletextpad=0.2, markerscale=4 / size
    )
    heatmap(right, _square(table, "corrected", list(models.index)), models, "corrected score")
    return figure


def _square(table: pd.DataFrame, column: str, names: list[str]) -> np.ndarray:
    matrix = np.eye(len(names))
    for row in table.itertuples():
        i, j = names.index(row.model), names.index(row.other)
        matrix[i, j] = matrix[j, i] = getattr(row, column)
    return matrix


def heatmap(axis: Axes, matrix: np.ndarray, models: pd.DataFrame, label: str) -> None:
    """Models against models, in the order of `grouped`; `matrix` has them in their own; NaN stays empty."""
    groups = grouped(models)
    places = models.index.get_indexer(groups.index)
    colours = {"vmin": min(0.0, float(np.nanmin(matrix))), "vmax": 1, "cmap": "viridis"}
    sns.heatmap(matrix[np.ix_(places, places)], ax=axis, square=True, cbar_kws={"label": label}, **colours)
    _name(axis, pd.Series(1, groups.index), groups)


def _name(axis: Axes, widths: pd.Series, groups: pd.Series) -> None:
    """Label rows and columns with the models, `widths` of them each; many models, with what they are."""
    ends = widths.reindex(groups.index).cumsum()
    starts = ends - widths.reindex(groups.index)
    runs = (groups != groups.shift()).cumsum()
    labels = groups.index
    if len(groups) > _NAMED:
        starts, ends = starts.groupby(runs).min(), ends.groupby(runs).max()
        labels = groups.groupby(runs).first()
    if len(labels) > _NAMED or not all(labels):
        axis.set(xticks=[], yticks=[], ylabel=f"{len(groups)} models, families together")
        return
    axis.set_xticks((starts + ends) / 2, labels, rotation=90, fontsize=_SIZE)
    axis.set_yticks((starts + ends) / 2, labels, rotation=0, fontsize=_SIZE)
    if len(groups) > _NAMED or (widths > 1).any():
        edges = ends.to_numpy()[:-1]
        axis.hlines(edges, 0, widths.sum(), color="white", linewidth=1)
        axis.vlines(edges, 0, widths.sum(), color="white", linewidth=1)


def layer_scores(table: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """All compared layers of all models against one another, models parted by lines, many models by what they are."""
    ends = [*zip(table["model"], table["layer"], strict=True), *zip(table["other"], table["other layer"], strict=True)]
    groups = grouped(models)
    cells = sorted(dict.fromkeys(ends), key=lambda cell: groups.index.get_loc(cell[0]))
    places = {cell: place for place, cell in enumerate(cells)}
    matrix = np.eye(len(cells))
    for row in table.to_dict("records"):
        i, j = places[row["model"], row["layer"]], places[row["other"], row["other layer"]]
        matrix[i, j] = matrix[j, i] = row["corrected"]
    figure, axis = plt.subplots(figsize=(7.5, 6.5))
    sns.heatmap(matrix, ax=axis, square=True, cmap="viridis", vmax=1, cbar_kws={"label": "corrected score"})
    _name(axis, pd.Series([model for model, _ in cells]).value_counts(), groups)
    axis.set_title("first to last layer within each model", fontsize=10, fontweight="normal")
    return figure


def representations(matrices: Mapping[str, np.ndarray], models: pd.DataFrame) -> Figure:
    """One heatmap a measure."""
    figure, axes = plt.subplots(2, 2, figsize=(10, 8.6))
    for axis, (name, matrix) in zip(axes.flat, matrices.items(), strict=True):
        heatmap(axis, matrix, models, "likeness")
        axis.set_title(name)
    return figure


def contact_sheet(table: pd.DataFrame, pictures: Sequence[np.ndarray] | None) -> Figure:
    """The contrastive stimuli, one a row of `table`, with everybody's answers; ids where there are no pictures."""
    n_columns = 4
    n_rows = -(-len(table) // n_columns)
    figure, axes = plt.subplots(n_rows, n_columns, figsize=(2.5 * n_columns, 3.6 * n_rows), squeeze=False)
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
    axis.set_xlabel("\n".join(textwrap.fill(line, _LINE) for line in lines), fontsize=_SIZE)


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

"""The page's own figures; those of a line-up are in `analysis.runs.lineup_figures`."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.chapters.your_models.choices import Choices
from analysis.runs.plots import GREY, PALETTE

_SIZE = 8.5  # points: the smallest text


def recoveries(table: pd.DataFrame, chance: float) -> Figure:
    """Share of generators that are found again, by transform, with intervals."""
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    place = np.arange(len(table))
    low, high = table["recovery"] - table["low"], table["high"] - table["recovery"]
    axis.errorbar(place, table["recovery"], yerr=[low, high], fmt="o", color=PALETTE[0], capsize=4, markersize=8)
    axis.axhline(chance, color=GREY, linestyle="--", linewidth=1, label="chance")
    axis.set_xticks(place, table["transform"])
    axis.set(ylabel="true model found", ylim=(-0.03, 1.03), xlim=(-0.5, len(table) - 0.5), xlabel="transform")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=_SIZE)
    return figure


def people_predicted(found: Choices) -> Figure:
    """Share of people's choices that each model predicts, as it is and fitted, beside luck and other people."""
    order = found.table.groupby("model")["accuracy"].max().sort_values().index
    figure, axis = plt.subplots(figsize=(7.2, 1.4 + 0.24 * len(order)))
    for turn, (transform, rows) in enumerate(found.table.groupby("transform", sort=False)):
        rows = rows.set_index("model").reindex(order)
        place = np.arange(len(order)) + 0.16 * (1 - 2 * turn)
        ends = [rows["accuracy"] - rows["low"], rows["high"] - rows["accuracy"]]
        axis.errorbar(rows["accuracy"], place, xerr=ends, fmt="os"[turn], color=PALETTE[turn], label=transform)
    axis.axvline(1 / 3, color=GREY, linestyle="--", linewidth=1, label="luck")
    if found.ceiling is not None:
        axis.axvspan(found.ceiling.low, found.ceiling.high, color=GREY, alpha=0.25, linewidth=0, label="other people")
        axis.axvline(found.ceiling.value, color=GREY, linewidth=1)
    axis.set_yticks(np.arange(len(order)), order, fontsize=_SIZE)
    axis.set(xlabel="people's choices predicted", ylim=(-0.6, len(order) - 0.4))
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=_SIZE)
    return figure

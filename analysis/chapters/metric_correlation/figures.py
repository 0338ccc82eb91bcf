"""The chapter's figures: one function each, tables in, figure out."""

import re
from collections.abc import Mapping
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from analysis.chapters.metric_correlation.competence import Falls
from analysis.chapters.metric_correlation.experiments import HIERARCHY, RANK, Z, places, relative_ranks
from analysis.chapters.metric_correlation.reported import MANY_PLACES, RHO_MEAN_RANK, RHO_MEAN_Z
from analysis.data.leaderboards import FAILED, IMPOSSIBLE, MISSING, Leaderboard
from analysis.intervals import Measured
from analysis.measures.spearman import SpearmanMatrix
from analysis.measures.spectrum import Spectrum
from analysis.runs.plots import GREY, PALETTE

_GAPS = {
    MISSING: ("#e8e8e8", "not measured"),
    FAILED: (PALETTE[1], "run failed"),
    IMPOSSIBLE: ("#000000", "impossible"),
}
_MANY = 60  # more rows than this cannot all be labelled
_MANY_METRICS = 30  # more columns than this cannot all be labelled
_MOVERS = 15  # of many models, so many are drawn: those that move most
_CLIMBS, _FALLS, _STAYS = PALETTE[0], PALETTE[1], "#c4c4c4"


def fewer_metrics(table: pd.DataFrame) -> dict[int, Figure]:
    """Places of the models by some metrics against those by all, a figure for each number of metrics."""
    return {int(kept): _places_by(rows, int(kept)) for kept, rows in table.groupby("metrics")}


def _places_by(rows: pd.DataFrame, kept: int) -> Figure:
    figure, axis = plt.subplots(figsize=(5, 4.6))
    top = rows["place by all"] <= 10
    for chosen, colour, label in ((top, PALETTE[1], "top ten by all metrics"), (~top, PALETTE[0], "others")):
        axis.scatter(rows["place by all"][chosen], rows["place"][chosen], s=24, color=colour, label=label)
    ends = (0.5, rows["place by all"].max() + 0.5)
    axis.plot(ends, ends, color=GREY, linewidth=0.8)
    axis.set(xlim=ends, ylim=ends[::-1], xlabel="place by all metrics", ylabel=f"place by {kept} of them")
    axis.set_title(f"{kept} metrics: mean ρ = {rows['rho'].iloc[0]:.2f}")
    axis.legend(loc="upper right", fontsize=9)
    return figure


def beside_baselines(compared: pd.DataFrame) -> Figure:
    """Scores of models beside those of what needs no network, one row a metric."""
    names = list(dict.fromkeys(compared["metric"]))
    place = compared["metric"].map(names.index)
    jitter = np.random.default_rng(0).uniform(-0.18, 0.18, len(compared))
    figure, axis = plt.subplots(figsize=(8, 0.42 * len(names) + 1.2))
    models = ~compared["baseline"]
    axis.scatter(compared["score"][models], (place + jitter)[models], s=10, color=GREY, alpha=0.6, label="networks")
    medians = compared[models].groupby("metric")["score"].median()[names]
    axis.scatter(medians, range(len(names)), marker="|", s=260, linewidth=2.5, color=PALETTE[0], label="their median")
    for name, marker, colour in zip(compared["scored"][~models].unique(), "D^", PALETTE[1:], strict=False):
        rows = compared["scored"] == name
        axis.scatter(compared["score"][rows], place[rows], marker=marker, s=52, color=colour, label=name, zorder=3)
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="score", ylim=(len(names) - 0.4, -0.6))
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncol=4, fontsize=9)
    return figure


def table_picture(board: Leaderboard) -> Figure:
    """Who was measured on what: rank of every score within its metric, gaps in the colours of their kind."""
    scores = relative_ranks(board.scores)
    order = (board.scores.notna().sum(axis=1) + scores.mean(axis=1)).sort_values(ascending=False).index
    named = len(order) <= _MANY
    figure, axis = plt.subplots(figsize=(9, 8 if named else 6.5))
    image = axis.imshow(scores.loc[order], aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="nearest")
    status = board.status.loc[order, scores.columns]
    shown = {kind: entry for kind, entry in _GAPS.items() if (status == kind).to_numpy().any()}
    for kind, (colour, _) in shown.items():
        axis.imshow(np.ma.masked_where(status != kind, np.ones(status.shape)), aspect="auto",
                    cmap=ListedColormap([colour]), interpolation="nearest")  # fmt: skip
    handles = [Patch(color=colour, label=label) for colour, label in shown.values()]
    if handles:
        axis.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.01), ncol=3, fontsize=9, borderaxespad=0)
    figure.colorbar(image, label="rank within the metric (0 lowest, 1 highest)", shrink=0.6)
    groups = board.metrics["group"]
    if scores.shape[1] > _MANY_METRICS:
        _group_ticks(axis.xaxis, groups)
    else:
        _metric_ticks(axis.xaxis, scores.columns)
    axis.set_yticks(range(len(order)) if named else [], order if named else [], fontsize=7)
    axis.set_ylabel("" if named else f"{len(order)} models, the most complete on top")
    _group_lines(axis, groups, horizontal=False)
    return figure


def heatmap(matrix: SpearmanMatrix, board: Leaderboard) -> Figure:
    """Spearman's ρ of all pairs of metrics; dots mark pairs that differ from 0 after Bonferroni."""
    rho = matrix.rho.to_numpy(copy=True)
    np.fill_diagonal(rho, np.nan)
    many = len(rho) > _MANY_METRICS
    figure, axis = plt.subplots(figsize=(8.2, max(7.4, 1.4 + 0.15 * len(rho))))
    axis.set_facecolor("#e8e8e8")
    aspect = "auto" if many else "equal"
    image = axis.imshow(rho, cmap="RdBu_r", vmin=-1, vmax=1, interpolation="nearest", aspect=aspect)
    rows, columns = np.nonzero(matrix.p_bonferroni.to_numpy() < 0.05)
    size = max(1.0, 110 / len(rho))
    axis.plot(columns, rows, ".", color="black", ms=size, rasterized=True)
    figure.colorbar(image, label="Spearman's ρ", shrink=0.6)
    groups = board.metrics["group"].loc[matrix.rho.columns]
    _metric_ticks(axis.yaxis, matrix.rho.columns)
    _group_lines(axis, groups)
    if many:  # the columns are in the order of the rows
        _group_ticks(axis.xaxis, groups)
    else:
        _metric_ticks(axis.xaxis, matrix.rho.columns)
        _group_names(axis, groups)
    return figure


def _metric_ticks(axis, names) -> None:
    axis.set_ticks(range(len(names)), [_short(name) for name in names], fontsize=8)
    if axis.axis_name == "x":
        axis.set_tick_params(rotation=90)


def _short(name: str) -> str:
    """A metric's name without what its group says anyway."""
    name = re.sub(r"^Marques2020_\w+?-", "Marques: ", name)
    return re.sub(r"^Geirhos2021(\w+)-error_consistency$", r"errors: \1", name)


def _edges(groups: pd.Series) -> np.ndarray:
    """Places between neighbouring metrics of different groups."""
    labels = groups.to_numpy()
    return np.flatnonzero(labels[1:] != labels[:-1]) + 0.5


def _group_ticks(axis, groups: pd.Series) -> None:
    """The name of every group at its middle, where single metrics have no room."""
    bounds = [-0.5, *_edges(groups), len(groups) - 0.5]
    middles = [(start + end) / 2 for start, end in pairwise(bounds)]
    axis.set_ticks(middles, [groups.iloc[int(start + 0.5)] for start in bounds[:-1]])
    axis.set_tick_params(rotation=90, length=0)


def _group_lines(axis, groups: pd.Series, *, horizontal: bool = True) -> None:
    for edge in _edges(groups):
        axis.axvline(edge, color="black", lw=1)
        if horizontal:
            axis.axhline(edge, color="black", lw=1)


def _group_names(axis, groups: pd.Series) -> None:
    """Names of the groups above the matrix, in two heights so that narrow neighbours do not collide."""
    bounds = [-0.5, *_edges(groups), len(groups) - 0.5]
    for place, (start, end) in enumerate(pairwise(bounds)):
        name = groups.iloc[int(start + 0.5)]
        axis.text(
            (start + end) / 2, -0.7 - 0.03 * len(groups) * (place % 2), name, ha="center", va="bottom", fontsize=9
        )


def block_intervals(blocks: pd.DataFrame) -> Figure:
    """Mean correlation within and between parts, with bootstrap intervals."""
    rows = blocks[blocks["n_pairs"] > 0].reset_index()
    within = rows["first"] == rows["second"]
    rows["label"] = np.where(within, "within " + rows["first"], rows["first"] + " – " + rows["second"])
    rows = pd.concat([rows[within], rows[~within]])
    figure, axis = plt.subplots(figsize=(7.5, 0.9 + 0.38 * len(rows)))
    for place, row in enumerate(rows.itertuples()):
        colour = PALETTE[0] if row.first == row.second else PALETTE[1]
        axis.plot([row.low, row.high], [place] * 2, "-", color=colour)
        axis.plot(row.value, place, "o", color=colour)
    axis.axvline(0, color=GREY, lw=1)
    labels = [f"{row.label} ({row.n_pairs} pairs)" for row in rows.itertuples()]
    axis.set(yticks=range(len(rows)), yticklabels=labels, xlim=(min(-0.2, rows["low"].min() - 0.05), 1.02))
    axis.set_xlabel("mean Spearman's ρ\n(95 % bootstrap over models)")
    axis.invert_yaxis()
    return figure


def part_scatter(scores: dict[str, pd.DataFrame], shares: pd.DataFrame) -> Figure:
    """One part of the score against another, raw and z-scored, coloured by overall rank; and what each explains."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.9), width_ratios=(1, 1, 0.9))
    for axis, (name, table) in zip(axes, scores.items(), strict=False):
        x, y = table.columns[1:3]
        rank = table["overall"].rank(ascending=False)
        points = axis.scatter(table[x], table[y], c=rank, cmap="viridis_r", s=28, edgecolor="white", linewidth=0.3)
        unit = " (mean score)" if name == "raw" else " (mean z-score)"
        axis.set_title(f"{name.capitalize()} metrics")
        axis.set_xlabel(x + unit, fontsize=10)
        axis.set_ylabel(y + unit, fontsize=10)
    figure.colorbar(points, ax=axes[1], label="overall rank (1 is best)").ax.invert_yaxis()
    _share_panel(axes[2], shares)
    return figure


def _share_panel(axis, shares: pd.DataFrame) -> None:
    names, parts = list(dict.fromkeys(shares["scores"])), list(dict.fromkeys(shares["part"]))
    for row in shares.itertuples():
        place = parts.index(row.part) + 0.2 * (names.index(row.scores) - 0.5)
        _interval(
            axis, row.share, place, PALETTE[names.index(row.scores)], row.scores if row.part == parts[0] else None
        )
    axis.set(yticks=range(len(parts)), yticklabels=parts, xlim=(0, 1.02))
    axis.set_xlabel("share (95 % bootstrap)", fontsize=10)
    axis.set_title("Explained share")
    axis.set_ylim(len(parts) - 0.5, -0.5)
    axis.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncol=2)


def _interval(axis, measured: Measured, position: float, colour: str, label: str | None = None) -> None:
    axis.plot([measured.low, measured.high], [position] * 2, "-", color=colour)
    axis.plot(measured.value, position, "o", color=colour, label=label)


def slopes(overall: pd.DataFrame) -> Figure:
    """Places of the models under the overall scores; in colour where one stands far from its place under the first.

    Of many models only those are drawn that move most, with their names on the right.
    """
    place = places(overall)
    figure, axis = plt.subplots(figsize=(7.5, 7))
    many = len(place) > _MANY
    moved = place.sub(place[place.columns[0]], axis=0).abs().max(axis=1).sort_values(ascending=False, kind="stable")
    drawn = place.loc[moved.index[:_MOVERS]] if many else place
    kinds = {
        "closer": (_STAYS, 0.8),
        f"more than {MANY_PLACES} places higher": (_CLIMBS, 1.2),
        f"more than {MANY_PLACES} places lower": (_FALLS, 1.2),
    }
    used = dict.fromkeys(kinds, False)
    for row in drawn.to_numpy():
        for left, (before, after) in enumerate(pairwise(row)):
            change = row[0] - after
            kind = list(kinds)[0 if abs(change) <= MANY_PLACES else 1 if change > 0 else 2]
            colour, width = kinds[kind]
            label = None if used[kind] else kind
            axis.plot([left, left + 1], [before, after], color=colour, lw=width, zorder=width, label=label)
            used[kind] = True
    title = f"compared with the {place.columns[0]}"
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.09), ncol=3, fontsize=9, title=title)
    axis.set_xticks(range(len(place.columns)), [name.replace(" ", "\n", 1) for name in place.columns])
    axis.set(ylim=(len(place) + 0.5, 0.5), ylabel="place (1 is best)", xlim=(-0.05, len(place.columns) - 0.95))
    if many:
        _name_at_the_end(axis, drawn, gap=len(place) / 32)
    else:
        _name_both_ends(axis, place)
    return figure


def _name_at_the_end(axis, place: pd.DataFrame, gap: float) -> None:
    """Names of the models at their last places, pushed apart where they would collide."""
    height = -np.inf
    for name, last in place[place.columns[-1]].sort_values(kind="stable").items():
        height = max(last, height + gap)
        end = len(place.columns) - 1
        axis.annotate(f"{last}  {name[:26]}", (end, last), (end + 0.06, height), va="center", annotation_clip=False,
                      fontsize=8, arrowprops={"arrowstyle": "-", "color": _STAYS, "lw": 0.6})  # fmt: skip


def _name_both_ends(axis, place: pd.DataFrame) -> None:
    """Names of the models at their places on the left and on the right."""
    right = axis.secondary_yaxis("right")
    for side, column in ((axis.yaxis, place.columns[0]), (right.yaxis, place.columns[-1])):
        ordered = place[column].sort_values(kind="stable")
        side.set_ticks(range(1, len(ordered) + 1), [f"{name}  {n}" for name, n in ordered.items()], fontsize=7)
    axis.set_ylabel("")


def order_intervals(pairs: pd.DataFrame) -> Figure:
    """Rank correlations between the overall scores, with intervals; diamonds are the paper's printed numbers.

    These start from the published average, which is the first score where there is one, else the leaderboard's mean.
    """
    start = pairs["metric"].iloc[0]
    printed = {(start, Z): RHO_MEAN_Z, (start, RANK): RHO_MEAN_RANK}
    figure, axis = plt.subplots(figsize=(7.5, 0.9 + 0.38 * len(pairs)))
    for place, row in enumerate(pairs.itertuples()):
        _interval(axis, Measured(row.rho, row.low, row.high), place, PALETTE[0])
        if (row.metric, row.other) in printed:
            axis.plot(printed[row.metric, row.other], place, "D", mfc="none", color="black")
    labels = [f"{row.metric} – {row.other}" for row in pairs.itertuples()]
    axis.set(yticks=range(len(pairs)), yticklabels=labels, xlim=(min(0, pairs["low"].min() - 0.05), 1.02))
    axis.set_xlabel("Spearman's ρ between two orders\n(95 % bootstrap over models)")
    axis.invert_yaxis()
    return figure


def top_ten(stability: pd.DataFrame, overall: pd.DataFrame) -> Figure:
    """How often models are among the first ten when metrics or models are resampled."""
    panels = [
        ("metrics", list(overall)),
        ("models", stability.loc[stability["resampled"] == "models", "score"].unique()),
    ]
    shown = _contenders(stability, overall)
    figure, axes = plt.subplots(1, 2, figsize=(9, 1.6 + 0.27 * len(shown)), sharey=True, width_ratios=(4, 2.2))
    for axis, (resampled, scores) in zip(axes, panels, strict=True):
        shares = stability[stability["resampled"] == resampled].pivot(index="model", columns="score", values="share")
        sns.heatmap(shares.loc[shown, list(scores)], cmap="viridis", vmin=0, vmax=1, annot=True, fmt=".2f", ax=axis,
                    annot_kws={"fontsize": 8}, cbar=resampled == "models",
                    cbar_kws={"label": "share of resamples in the top ten"})  # fmt: skip
        axis.set(title=f"{resampled.capitalize()} resampled", xlabel="", ylabel="")
        axis.set_xticks(np.arange(len(scores)) + 0.5, [name.replace(" ", "\n") for name in scores], rotation=0)
        axis.tick_params(labelsize=8)
    return figure


def _contenders(stability: pd.DataFrame, overall: pd.DataFrame, most: int = 25) -> list[str]:
    """Models in some top ten more often than not, or now, by the leaderboard's order; at most `most` of them."""
    often = stability.loc[stability["share"] > 0.5, "model"]
    now = overall.index[(places(overall) <= 10).any(axis=1)]
    return [name for name in overall[HIERARCHY].sort_values(ascending=False).index if name in {*often, *now}][:most]


def dimensions(spectrum: Spectrum) -> Figure:
    """Eigenvalues of the correlation matrix against those of metrics that have nothing in common."""
    figure, axis = plt.subplots(figsize=(7, 3.6))
    number = np.arange(1, len(spectrum.eigenvalues) + 1)
    axis.plot(number, spectrum.eigenvalues, "o-", color=PALETTE[0], ms=4, label="this table")
    axis.plot(number, spectrum.floor, "--", color=PALETTE[1], label="every metric permuted, 95 % quantile")
    axis.set(xlabel="dimension", ylabel="eigenvalue of Spearman's matrix", yscale="log")
    axis.set_ylim(bottom=max(spectrum.eigenvalues.min(), 1e-2))
    axis.legend()
    return figure


def population_means(table: pd.DataFrame) -> Figure:
    """Mean correlation between metrics under other choices of models and metrics."""
    figure, axis = plt.subplots(figsize=(7.5, 0.9 + 0.42 * len(table)))
    for place, row in enumerate(table.itertuples()):
        _interval(axis, row.mean, place, PALETTE[0])
    labels = [f"{row.models} ({row.n_models} × {row.n_metrics})" for row in table.itertuples()]
    axis.set(yticks=range(len(table)), yticklabels=labels, xlim=(min(-0.05, *(m.low for m in table["mean"])), 1.02))
    axis.axvline(0, color=GREY, lw=1)
    axis.set_xlabel("mean Spearman's ρ between metrics\n(95 % bootstrap)")
    axis.invert_yaxis()
    return figure


def against_all(rows: pd.DataFrame, board: Leaderboard) -> Figure:
    """Rank correlation of single metrics with every other, in the order of the table, with intervals."""
    singles = list(dict.fromkeys(rows["with"]))
    metrics = [name for name in board.scores.columns if name in set(rows["metric"])]
    size = (5.2 + 2.2 * len(singles), 1.2 + 0.22 * len(metrics))
    figure, axes = plt.subplots(1, len(singles), figsize=size, sharey=True, sharex=True, squeeze=False)
    groups = board.metrics["group"].loc[metrics]
    for axis, single in zip(axes[0], singles, strict=True):
        found = rows[rows["with"] == single].set_index("metric")
        for place, metric in enumerate(metrics):
            if metric in found.index and np.isfinite(found.loc[metric, "rho"]):
                row = found.loc[metric]
                _interval(axis, Measured(row["rho"], row["low"], row["high"]), place, PALETTE[0])
        axis.axvline(0, color=GREY, lw=1)
        for edge in _edges(groups):
            axis.axhline(edge, color="#c4c4c4", lw=0.8)
        axis.set(title=_short(single), xlim=(-1, 1), xlabel="Spearman's ρ (95 % bootstrap)")
    _metric_ticks(axes[0, 0].yaxis, metrics)
    axes[0, 0].set_ylim(len(metrics) - 0.5, -0.5)
    return figure


def table_contrast(pairs: pd.DataFrame) -> Figure:
    """All pairwise correlations of several tables, with the mean of each and its interval."""
    tables = list(dict.fromkeys(pairs["table"]))
    figure, axis = plt.subplots(figsize=(9, 0.9 + 0.62 * len(tables)))
    jitter = np.random.default_rng(0).uniform(-0.28, 0.28, len(pairs))
    place = pairs["table"].map(tables.index)
    axis.plot(pairs["rho"], place + jitter, ".", color=PALETTE[5], ms=3, alpha=0.6)
    for row, table in enumerate(tables):
        mean = pairs.loc[pairs["table"] == table, "mean"].iloc[0]
        _interval(axis, mean, row, "black")
    axis.axvline(0, color=GREY, lw=1)
    axis.set(yticks=range(len(tables)), yticklabels=tables, xlim=(-1, 1.02))
    axis.set_xlabel("Spearman's ρ of a pair of metrics; black: mean (95 % bootstrap)")
    axis.invert_yaxis()
    return figure


def falls(found: Mapping[str, Falls]) -> Figure:
    """Mean correlation of the metrics against the accuracy cut-off: in each table, and by the narrower range alone."""
    figure, axes = plt.subplots(1, len(found), figsize=(3.6 * len(found), 3.8), sharey=True, squeeze=False)
    for axis, (name, entry) in zip(axes[0], found.items(), strict=True):
        series = (("the table", entry.observed, "o-"), ("narrower range alone", entry.expected, "s--"))
        for colour, (label, measured, style) in zip(PALETTE, series, strict=False):
            axis.plot(entry.cut_offs, [point.value for point in measured], style, color=colour, ms=4, label=label)
            ends = [[getattr(point, end) for point in measured] for end in ("low", "high")]
            axis.fill_between(entry.cut_offs, *ends, color=colour, alpha=0.15, lw=0)
        axis.axhline(0, color=GREY, lw=1)
        axis.set(title=f"{name} ({entry.n_models[0]} models)", xlabel="lowest accuracy kept (top-1)", ylim=(-0.05, 1))
    axes[0, 0].set_ylabel("mean Spearman's ρ between metrics\n(band: 95 % bootstrap over families)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure

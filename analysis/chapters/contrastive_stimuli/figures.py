"""The chapter's figures: one function each, tables in, figure out."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.chapters.contrastive_stimuli.experiments import ALL, CONTRASTIVE, ELSEWHERE
from analysis.chapters.contrastive_stimuli.representations import LAYERS, Geometry
from analysis.runs.lineup_figures import small
from analysis.runs.plots import GREY, PALETTE

_SERIES = {
    ALL: ("o", PALETTE[0], "all stimuli"),
    CONTRASTIVE: ("s", PALETTE[1], "contrastive, chosen on the models shown"),
    ELSEWHERE: ("D", PALETTE[2], "contrastive, chosen on other models"),
}


def example_stimuli(sets: dict[str, torch.Tensor], n_shown: int = 10) -> Figure:
    """The first images of each set."""
    figure, axes = plt.subplots(len(sets), n_shown, figsize=(0.9 * n_shown, 1.0 * len(sets)), squeeze=False)
    for row, (name, images) in zip(axes, sets.items(), strict=True):
        for axis, image in zip(row, images[:, 0], strict=False):
            axis.imshow(image.numpy(), cmap="gray", vmin=0, vmax=1)
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel(name)
    return figure


def cka_matrices(geometry: Geometry, layer: str, separation: Mapping[str, float]) -> Figure:
    """CKA between networks, one panel a stimulus set, columns in the order of rows; lines part the motifs.

    `separation` of convolution and attention is by stimulus set; a set without one is shown without it.
    """
    sets = [stimuli for stimuli, name in geometry.matrices if name == layer]
    figure, axes = plt.subplots(1, len(sets), figsize=(4.8 * len(sets), 4.4), squeeze=False)
    shown = [np.where(np.eye(len(geometry.names)) > 0, np.nan, geometry.matrices[name, layer]) for name in sets]
    low, high = min(map(np.nanmin, shown)), max(map(np.nanmax, shown))
    for axis, name, matrix in zip(axes[0], sets, shown, strict=True):
        labels = geometry.names if axis is axes[0, 0] else False
        sns.heatmap(matrix, vmin=low, vmax=high, cmap="viridis", square=True, ax=axis, rasterized=True,
                    xticklabels=False, yticklabels=labels, cbar=axis is axes[0, -1],
                    cbar_kws={"label": "CKA", "shrink": 0.7})  # fmt: skip
        edges = np.flatnonzero(geometry.motifs[1:] != geometry.motifs[:-1]) + 1
        axis.hlines(edges, 0, len(matrix), color="white", lw=2)
        axis.vlines(edges, 0, len(matrix), color="white", lw=2)
        axis.tick_params(labelsize=8)
        axis.set_title(_title(name) + (f": separation {separation[name]:.2f}" if name in separation else ""))
    return figure


def separations(table: pd.DataFrame) -> Figure:
    """Separation of the motifs by layer, with what shuffled motifs would give."""
    figure, axis = plt.subplots(figsize=(7, 4))
    sets = list(dict.fromkeys(table["stimuli"]))
    for shift, (name, colour) in zip((-0.12, 0.12), zip(sets, PALETTE, strict=False), strict=False):
        rows = table[table["stimuli"] == name].set_index("layer").loc[list(LAYERS)]
        places = np.arange(len(rows)) + shift
        axis.vlines(places, rows["chance low"], rows["chance high"], color=GREY, lw=9, alpha=0.35)
        axis.vlines(places, rows["low"], rows["high"], color=colour, lw=2)
        axis.plot(places, rows["separation"], "o", color=colour, label=f"{name}, 95 % bootstrap over networks")
    axis.plot([], [], color=GREY, lw=9, alpha=0.35, label="95 % of shuffled motifs")
    axis.axhline(0, color=GREY, lw=1)
    axis.set(xticks=range(len(LAYERS)), xticklabels=[f"{layer} layer" for layer in LAYERS])
    axis.set_ylabel("separation: (within − between)\nin standard deviations")
    figure.legend(loc="outside lower center", ncol=2, fontsize=9)
    return figure


def kappa_by_accuracy(table: pd.DataFrame) -> Figure:
    """κ against the mean accuracy of each bin, one panel a set of answers; dashed: accuracy's floor under κ.

    `table` has a column `set` beside those of `Kappas.table`.
    """
    sets = list(dict.fromkeys(table["set"]))
    figure, axes = _panels(len(sets))
    for axis, name in zip(axes, sets, strict=True):
        rows = table[table["set"] == name]
        for series, (marker, colour, label) in _SERIES.items():
            _kappa_line(axis, rows[rows["stimuli"] == series].sort_values("bin"), marker, colour, label)
        axis.axhline(0, color=GREY, lw=1)
        axis.set(xlabel="mean accuracy of the bin", ylabel="Fleiss' κ", title=_title(name))
        if rows["accuracy"].isna().all():
            axis.set(xticks=[], xlabel="all models; their accuracy is not known")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncol=min(2, len(sets)), fontsize=9)
    return figure


def _kappa_line(axis: Axes, rows: pd.DataFrame, marker: str, colour: str, label: str) -> None:
    places = rows["accuracy"].fillna(0)
    axis.plot(places, rows["kappa"], marker=marker, color=colour, label=label)
    axis.vlines(places, rows["low"], rows["high"], color=colour, lw=2, alpha=0.6)
    if rows["floor"].notna().any():
        mark = "_" if len(rows) == 1 else ""  # a line through one point is not seen
        label = f"floor: {label.split(',')[0]}"
        axis.plot(rows["accuracy"], rows["floor"], "--", marker=mark, ms=14, color=colour, lw=1.2, label=label)


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]


def _panels(n: int, width: float = 5.2, height: float = 4.2) -> tuple[Figure, list[Axes]]:
    figure, axes = plt.subplots(1, n, figsize=(width * n, height), sharey=True, squeeze=False)
    return figure, list(axes[0])


def by_set_size(table: pd.DataFrame, per_stimulus: np.ndarray) -> dict[int, Figure]:
    """The k most contrastive stimuli among all, and κ on them, a figure for each k."""
    return {int(row.k): _set_of(row, np.sort(per_stimulus)) for _, row in table.iterrows()}


def _set_of(row: pd.Series, agreement: np.ndarray) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.6), width_ratios=(3, 2))
    left.plot(np.arange(1, len(agreement) + 1), agreement, color=GREY)
    left.fill_between(np.arange(1, int(row.k) + 1), agreement[: int(row.k)], color=PALETTE[1], alpha=0.5)
    left.set(xlabel="stimuli, the most contrastive first", ylabel="agreement", ylim=(0, 1.03), xlim=(0, len(agreement)))
    names = {"all": "all\nstimuli", "own choice": "chosen by\nthese models", "others' choice": "chosen by\nothers"}
    for place, (name, colour) in enumerate(zip(names, PALETTE, strict=False)):
        right.bar(place, row[name], color=colour, width=0.6)
        right.annotate(f"{row[name]:.2f}", (place, max(row[name], 0)), (0, 3), textcoords="offset points", ha="center")
    right.axhline(0, color=GREY, linewidth=0.8)
    right.set_xticks(range(len(names)), names.values())
    right.set(ylabel="Fleiss' κ", ylim=(-0.2, 1.1))
    figure.suptitle(f"{int(row.k):,} stimuli chosen", fontsize=12, fontweight="bold")
    return figure


def sorted_agreement(table: pd.DataFrame) -> Figure:
    """Agreement of each bin on the stimuli, the most contrastive first; a row of panels a set, a column an order.

    `table` has a column `set` beside those of `experiments.sorted_agreement`.
    """
    sets, orders = (list(dict.fromkeys(table[name])) for name in ("set", "sorted by"))
    height = max(1.6, 0.7 + 0.35 * table["bin"].nunique()) * len(sets)
    figure, axes = plt.subplots(len(sets), len(orders), figsize=(5.2 * len(orders), height), squeeze=False)
    for row, name in zip(axes, sets, strict=True):
        for axis, order in zip(row, orders, strict=True):
            shown = table[(table["set"] == name) & (table["sorted by"] == order)]
            _agreement_rows(axis, shown, colour_bar=axis is row[-1])
            axis.set_title(f"{_title(name)}, sorted by {order}")
        row[0].set_ylabel("accuracy of the bin")
    for axis in axes[-1]:
        axis.set_xlabel("stimuli, the most contrastive first")
    return figure


def _agreement_rows(axis: Axes, table: pd.DataFrame, *, colour_bar: bool) -> None:
    rows = table.pivot(index="bin", columns="group", values="agreement").iloc[::-1]
    accuracies = table.groupby("bin")["accuracy"].first()[rows.index]
    labels = [f"{value:.0%}" if np.isfinite(value) else "not known" for value in accuracies]
    sns.heatmap(rows, vmin=0, vmax=1, cmap="viridis", ax=axis, xticklabels=False, rasterized=True, yticklabels=labels,
                cbar=colour_bar, cbar_kws={"label": "agreement"})  # fmt: skip
    axis.set(xlabel="", ylabel="")
    axis.tick_params(axis="y", rotation=0)


def pair_floor(table: pd.DataFrame) -> Figure:
    """Agreement of every pair of models against what their accuracies enforce and what independent errors would give.

    `table` has a column `set` beside those of `pair_agreement`.
    """
    sets = list(dict.fromkeys(table["set"]))
    figure, axes = _panels(len(sets), 4.6, 4.2)
    for axis, name in zip(axes, sets, strict=True):
        rows = table[table["set"] == name].sort_values("floor")
        axis.scatter(rows["floor"], rows["agreement"], s=9, alpha=0.5, color=PALETTE[0], label="pair of models")
        axis.scatter(rows["floor"], rows["independent"], s=4, color=PALETTE[1], label="if errors were independent")
        axis.plot([0, 1], [0, 1], "--", color=GREY, label="floor: nothing lies below")
        axis.set(xlabel="agreement that their accuracies enforce", ylabel="agreement", title=_title(name))
        axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes[0].legend(fontsize=9, loc="lower right")
    return figure


def identification(table: pd.DataFrame) -> Figure:
    """Models identified against the number of stimuli, one panel a set of answers; the band holds 95 % of the halves.

    `table` has a column `set` beside those of `experiments.identification`.
    """
    sets = list(dict.fromkeys(table["set"]))
    figure, axes = _panels(len(sets), 5, 3.8)
    for axis, name in zip(axes, sets, strict=True):
        rows = table[table["set"] == name]
        sns.lineplot(rows, x="k", y="identified", hue="stimuli", style="stimuli", markers=True, ax=axis,
                     palette=[PALETTE[1], PALETTE[0]], hue_order=[CONTRASTIVE, "random"],
                     style_order=[CONTRASTIVE, "random"], errorbar=("pi", 95), legend=axis is axes[0])  # fmt: skip
        axis.axhline(rows["chance"].mean(), color=GREY, ls="--", lw=1)
        axis.set_xscale("log")
        shown = sorted(set(rows["k"]))
        axis.set_xticks(shown, list(map(str, shown)))
        axis.minorticks_off()
        axis.set(xlabel="stimuli answered", ylabel="models identified (share)", ylim=(0, 1.02), title=_title(name))
    axes[0].legend(title=None, fontsize=9)
    return figure


def contact_sheet(sheet: pd.DataFrame, pictures: Sequence[np.ndarray] | None) -> Figure:
    """The most and the least contrastive stimuli with the answers that models gave; names where there are no pictures.

    `pictures`, one a row of the sheet, are grey in [0, 1] of shape (height, width), or RGB of shape (height, width, 3).
    """
    rows = list(dict.fromkeys(sheet["contrastive"]))
    n_columns = int((sheet["contrastive"] == rows[0]).sum())
    figure, axes = plt.subplots(len(rows), n_columns, figsize=(1.35 * n_columns, 2.4 * len(rows)), squeeze=False)
    for row, name in zip(axes, rows, strict=True):
        places = np.flatnonzero(sheet["contrastive"] == name)
        for axis, place in zip(row, places, strict=True):
            _stimulus(axis, sheet.iloc[place], None if pictures is None else pictures[place])
        row[0].set_ylabel(f"{name} contrastive")
    return figure


def _stimulus(axis: Axes, entry: pd.Series, picture: np.ndarray | None) -> None:
    if picture is None:
        axis.text(0.5, 0.5, entry.stimulus, ha="center", va="center", fontsize=8, transform=axis.transAxes, wrap=True)
        axis.set_box_aspect(1)
    else:
        axis.imshow(_squared(small(picture)), cmap="gray", vmin=0, vmax=1)  # the last three are for grey ones
    axis.set(xticks=[], yticks=[])
    label = f"label {entry.label}" if entry.label else "no label"
    axis.set_title(f"{label}\nagreement {entry.agreement:.2f}", fontsize=8, loc="center", fontweight="normal")
    answers = entry.answers.split(" | ")
    told = [_short(answer) for answer in answers[:3]] + ([f"{len(answers) - 3} more"] if len(answers) > 3 else [])
    axis.set_xlabel("\n".join(told), fontsize=8)


def _squared(picture: np.ndarray) -> np.ndarray:
    """The picture in the middle of a white square, so that all of a row are alike."""
    missing = max(picture.shape[:2]) - np.array(picture.shape[:2])
    margins = [(part // 2, part - part // 2) for part in missing] + [(0, 0)] * (picture.ndim - 2)
    return np.pad(picture, margins, constant_values=255 if picture.dtype == np.uint8 else 1)


def _short(answer: str, n_letters: int = 16) -> str:
    """An answer and its count in one line: the first of a category's names, cut if it is long.

    >>> _short("house finch, linnet, Carpodacus mexicanus (10)"), _short("European fire salamander (2)")
    ('house finch (10)', 'European fire sa… (2)')
    """
    category, _, count = answer.rpartition(" ")
    name = category.split(", ")[0]
    return f"{name if len(name) <= n_letters else name[:n_letters] + '…'} {count}"


# ---------------------------------------------------------------------------------------------------------------------
# Public data


def people_kappas(table: pd.DataFrame) -> Figure:
    """κ of networks and people on all images and on those that split the networks, one panel a kind of observer."""
    figure, axes = _panels(2, 5, 3.8)
    sets = list(dict.fromkeys(table["set"]))
    for axis, who in zip(axes, ("networks", "people"), strict=True):
        for images, (marker, colour, _) in zip(("all", "contrastive"), _SERIES.values(), strict=False):
            rows = table[(table["who"] == who) & (table["images"] == images)].set_index("set").loc[sets]
            axis.vlines(range(len(sets)), rows["low"], rows["high"], color=colour, lw=2, alpha=0.6)
            axis.plot(range(len(sets)), rows["kappa"], marker, color=colour, ms=7, label=f"{images} images")
        axis.axhline(0, color=GREY, lw=1)
        axis.set(ylabel="Fleiss' κ", title=_title(who))
        axis.set_xticks(range(len(sets)), sets, rotation=25)
        axis.set_ylim(top=1)
    axes[0].legend(fontsize=9)
    return figure


def shared_contrast(table: pd.DataFrame) -> Figure:
    """Rank correlation of agreement per image: networks with people, and within each."""
    figure, axis = plt.subplots(figsize=(7.5, 3.6))
    places = np.arange(len(table))
    axis.vlines(places, table["low"], table["high"], color=PALETTE[0], lw=2)
    axis.plot(places, table["rho"], "o", color=PALETTE[0], label="networks with people, 95 % bootstrap over images")
    axis.plot(
        places + 0.15, table["people with people"], "^", color=PALETTE[1], label="one half of the people with the other"
    )
    axis.plot(
        places - 0.15,
        table["networks with networks"],
        "v",
        color=PALETTE[2],
        label="one half of the networks with the other",
    )
    axis.axhline(0, color=GREY, lw=1)
    axis.set_xticks(places, table["set"])
    axis.set(ylabel="Spearman's ρ of\nagreement per image", ylim=(min(-0.1, table["low"].min() - 0.05), 1.02))
    figure.legend(loc="outside lower center", fontsize=9)
    return figure


def error_consistency(table: pd.DataFrame) -> Figure:
    """Error consistency between people and networks on all images and on contrastive ones; a line a random half."""
    sets = list(dict.fromkeys(table["set"]))
    figure, axis = plt.subplots(figsize=(7.5, 3.6))
    for place, name in enumerate(sets):
        rows = table[table["set"] == name]
        ends = np.array([place - 0.2, place + 0.2])
        axis.plot(ends, rows[["all", "contrastive"]].to_numpy().T, color=GREY, lw=0.7, alpha=0.5)
        for end, column, colour in zip(ends, ("all", "contrastive"), PALETTE, strict=False):
            label = f"{column} images, mean over halves" if place == 0 else None
            axis.plot(end, rows[column].mean(), "o", color=colour, ms=8, label=label)
    axis.axhline(0, color=GREY, lw=1)
    axis.set_xticks(range(len(sets)), sets)
    axis.set_ylabel("error consistency (Cohen's κ)\nof people and networks")
    figure.legend(loc="outside lower center", ncol=2, fontsize=9)
    return figure


def cifar_agreement(table: pd.DataFrame) -> Figure:
    """People's agreement on CIFAR-10 images, sorted from the most contrastive on."""
    figure, axis = plt.subplots(figsize=(6.5, 3.4))
    axis.plot(np.arange(1, len(table) + 1), table["agreement"], color=PALETTE[0], lw=2, rasterized=True)
    axis.set(xscale="log", xlabel="images, the most contrastive first", ylabel="agreement", ylim=(0, 1.02))
    return figure


def joint_agreement(networks: np.ndarray, people: np.ndarray) -> Figure:
    """How many photographs there are of each agreement of networks and of people."""
    figure, axis = plt.subplots(figsize=(5.6, 4.4))
    bins = np.linspace(0, 1, 11)
    found = np.histogram2d(networks, people, bins=(bins, bins))[0].T
    image = axis.pcolormesh(bins, bins, np.where(found > 0, found, np.nan), norm="log", cmap="viridis", rasterized=True)
    figure.colorbar(image, label="photographs", shrink=0.8)
    axis.set(xlabel="agreement of the networks", ylabel="agreement of the people", xlim=(0, 1), ylim=(0, 1))
    return figure


def split_sheet(sheet: pd.DataFrame, pictures: Sequence[np.ndarray]) -> Figure:
    """Photographs of each kind in a row, with the commonest answers of networks and of people; `pictures` are RGB."""
    kinds = list(dict.fromkeys(sheet["split"]))
    n_columns = len(sheet) // len(kinds)
    figure, axes = plt.subplots(len(kinds), n_columns, figsize=(1.65 * n_columns, 3.1 * len(kinds)), squeeze=False)
    for axis, picture, row in zip(axes.flat, pictures, sheet.to_dict("records"), strict=True):
        axis.imshow(picture, interpolation="nearest")
        axis.set(xticks=[], yticks=[])
        axis.set_title(f"label {row['label']}", fontsize=8.5, loc="center", fontweight="normal")
        told = [f"{who}:\n" + "\n".join(row[who].split(" | ")[:2]) for who in ("networks", "people")]
        axis.set_xlabel("\n".join(told), fontsize=8.5)
    for row, kind in zip(axes, kinds, strict=True):
        row[0].set_ylabel(kind.replace(", ", ",\n"), fontsize=9)
    return figure

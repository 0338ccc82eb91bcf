"""The chapter's figures: one function each, tables in, figure out."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from analysis.chapters.neuron_correlation.attack import Attack
from analysis.chapters.neuron_correlation.experiments import ZooScores
from analysis.chapters.neuron_correlation.reported import CNN_LAYER_SIZES, NET_NET, NETS
from analysis.intervals import Measured, mean_interval
from analysis.models.study import Study
from analysis.runs import lineup_figures
from analysis.runs.plots import GREY, PALETTE

NET_COLOURS = dict(zip(NETS, PALETTE, strict=False))
_FAMILY_COLOURS = dict(zip(("mlp", "cnn", "resnet", "densenet", "vit"), PALETTE, strict=False))
_SPOILED = {"normal": "o", "label noise": "X", "few examples": "s", "untrained": "v"}


def attacked_digits(attack: Attack) -> Figure:
    """One image of every class before the attack and after some rounds, with net1's answers; wrong ones in colour."""
    n_rounds, n_classes = len(attack.examples) - 1, len(attack.labels)
    shown = sorted({0, min(2, n_rounds), n_rounds // 2, n_rounds})
    size = (0.9 * n_classes, 1.15 * len(shown))
    figure, axes = plt.subplots(len(shown), n_classes, figsize=size, squeeze=False)
    for row, number in zip(axes, shown, strict=True):
        for axis, image, label, answer in zip(
            row, attack.examples[number, :, 0], attack.labels, attack.answers[number], strict=True
        ):
            axis.imshow(image, cmap="gray", vmin=0, vmax=1)
            axis.set_title(str(int(answer)), fontsize=10, loc="center", color=GREY if answer == label else PALETTE[1])
            axis.set(xticks=[], yticks=[])
        row[0].set_ylabel("original" if number == 0 else f"round {number}")
    return figure


def clean_accuracies(accuracies: pd.DataFrame) -> Figure:
    """Accuracy of every network before any attack, one dot a seed."""
    figure, axis = plt.subplots(figsize=(7.5, 3.2))
    sns.stripplot(accuracies, x="accuracy", y="network", hue="network", palette=PALETTE[:7], legend=False, ax=axis, s=6)
    axis.set(ylabel="", xlabel="accuracy on the test images")
    axis.grid(axis="x", alpha=0.4)
    return figure


def pair_scores(pairs: pd.DataFrame) -> Figure:
    """Scores of the ten pairs of perceptrons with their chance level, and the paper's MNIST numbers."""
    figure, axis = plt.subplots(figsize=(7.5, 4.2))
    for row, ((a, b), printed) in enumerate(NET_NET.items()):
        found = pairs[(pairs["source"] == a) & (pairs["target"] == b)]
        _interval(axis, mean_interval(found["score"].to_numpy()), row, PALETTE[0])
        axis.plot(found["floor"].mean(), row, "|", color=PALETTE[1], ms=14, mew=2)
        axis.plot(found["ceiling"].mean(), row, "|", color=GREY, ms=14, mew=2)
        axis.plot(printed, row, "D", mfc="none", color="black", ms=6)
    _legend(axis, PALETTE[0], "this run: mean and 95 % interval over seeds")
    axis.set(yticks=range(10), yticklabels=[f"{a} → {b}" for a, b in NET_NET], xlim=(0, 1.02), xlabel="score")
    axis.invert_yaxis()
    return figure


def _legend(axis, colour: str, label: str) -> None:
    axis.plot([], [], "o-", color=colour, label=label)
    axis.plot([], [], "|", color=PALETTE[1], ms=12, mew=2, label="chance level: stimuli shuffled")
    axis.plot([], [], "|", color=GREY, ms=12, mew=2, label="ceiling under the depth penalty")
    axis.plot([], [], "D", mfc="none", color="black", label="printed in the paper (MNIST)")
    axis.legend(loc="upper center", bbox_to_anchor=(0.45, -0.16), ncol=2, fontsize=9)


def _interval(axis, measured: Measured, position: float, colour: str, label: str | None = None) -> None:
    axis.plot(measured.value, position, "o", color=colour, label=label)
    if np.isfinite(measured.high - measured.low):
        axis.plot([measured.low, measured.high], [position] * 2, "-", color=colour)


def floor_lesson(paper: pd.DataFrame, cnn: pd.DataFrame) -> Figure:
    """Net → CNN: the paper's printed scores beside unrelated noise, and this run's scores beside their chance level."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8), sharey=True, sharex=True)
    for row, net in enumerate(NETS):
        entry = paper[paper["net"] == net].iloc[0]
        left.plot(entry["chance"], row, "|", color=PALETTE[1], ms=18, mew=3)
        left.plot(entry["ceiling"], row, "|", color=GREY, ms=18, mew=2)
        left.plot(entry["printed"], row, "D", mfc="none", color="black", ms=7)
        found = cnn[cnn["net"] == net]
        right.plot(found["floor"].mean(), row, "|", color=PALETTE[1], ms=18, mew=3)
        right.plot(found["ceiling"].mean(), row, "|", color=GREY, ms=18, mew=2)
        _interval(right, mean_interval(found["score"].to_numpy()), row, PALETTE[0])
    left.plot([], [], "D", mfc="none", color="black", label="printed score")
    left.plot([], [], "|", color=PALETTE[1], ms=12, mew=3, label="unrelated noise of the same layer sizes")
    right.plot([], [], "o-", color=PALETTE[0], label="score: mean and 95 % interval over seeds")
    right.plot([], [], "|", color=PALETTE[1], ms=12, mew=3, label="the same networks, stimuli shuffled")
    for axis in (left, right):
        axis.plot([], [], "|", color=GREY, ms=12, mew=2, label="ceiling under the depth penalty")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.24), fontsize=9)
        axis.set(xlim=(0, 1.02), xlabel="score with the CNN")
    left.set(yticks=range(len(NETS)), yticklabels=list(NETS), title="Printed (MNIST, 10 images)")
    right.set_title(f"This run ({cnn['n_probe'].iloc[0]} images)")
    left.invert_yaxis()
    return figure


def floor_by_units(table: pd.DataFrame) -> dict[int, Figure]:
    """What a unit finds among unrelated ones, a figure for each number of images; the paper's CNN is marked."""
    return {images: _floor_curve(rows, images) for images, rows in table.groupby("images")}


def _floor_curve(rows: pd.DataFrame, images: int) -> Figure:
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    axis.plot(rows["units"], rows["chance"], color=PALETTE[1])
    n_units = sum(CNN_LAYER_SIZES)
    axis.axvline(n_units, color=GREY, linestyle=":")
    axis.annotate(
        f"the paper's CNN:\n{n_units:,} units", (n_units, 0.03), (-6, 0), textcoords="offset points", ha="right"
    )
    axis.set(xscale="log", ylim=(0, 1.02), xlabel="units to choose from", ylabel="best match by luck")
    axis.set_title(f"{images:,} images")
    return figure


def probe_curves(curve: pd.DataFrame) -> Figure:
    """Score, chance level and corrected score against the number of probe images, one panel a penalty."""
    penalties = list(dict.fromkeys(curve["penalty"]))
    figure, axes = plt.subplots(1, len(penalties), figsize=(10, 3.6), sharey=True)
    means = curve.groupby(["penalty", "n_probe", "seed"])[["score", "floor", "corrected"]].mean().reset_index()
    styles = {"score": (PALETTE[0], "-", "score"), "floor": (PALETTE[1], "--", "chance level (shuffled)")}
    styles["corrected"] = (PALETTE[2], "-", "corrected score")
    for axis, penalty in zip(axes, penalties, strict=True):
        for column, (colour, line, label) in styles.items():
            shown = means[means["penalty"] == penalty].rename(columns={column: "value"})
            sns.lineplot(shown, x="n_probe", y="value", color=colour, linestyle=line, label=label, ax=axis,
                         errorbar=("pi", 100), legend=False)  # fmt: skip
        axis.set(ylim=(0, 1), ylabel="mean over the five nets")
        _count_axis(axis, curve["n_probe"])
        axis.set_title(f"penalty: {penalty}")
    axes[0].legend(fontsize=9)
    return figure


def robustness(accuracies: pd.DataFrame, final: pd.DataFrame) -> Figure:
    """Accuracy of the five nets during the attack, and at its end against the score with the CNN."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), width_ratios=(1.2, 1, 1))
    sns.lineplot(accuracies, x="round", y="accuracy", hue="net", palette=NET_COLOURS, ax=axes[0], errorbar=("pi", 100))
    axes[0].set(xlabel="rounds of the attack", ylim=(0, 1), title="Under attack")
    axes[0].legend(fontsize=9, title=None)
    for axis, column, title in zip(axes[1:], ("score", "corrected"), ("As in the paper", "Corrected"), strict=True):
        sns.scatterplot(final, x=column, y="accuracy", hue="net", palette=NET_COLOURS, ax=axis, legend=False, s=45)
        axis.set(xlabel=f"{'score' if column == 'score' else 'corrected score'} with the CNN", title=title)
        axis.set_ylabel("accuracy after the last round")
    return figure


def zoo_matrix(zoo: ZooScores) -> Figure:
    """Corrected scores of all pairs of the zoo, ordered by family."""
    order = zoo.table.sort_values(["training", "family", "name"], key=_family_order, kind="stable").index
    names, matrix = zoo.table["name"][order], zoo.matrix[np.ix_(order, order)]
    labels = zoo.table["family"].where(zoo.table["training"] == "normal", "spoiled")[order].to_numpy()
    figure, axis = plt.subplots(figsize=(8, 7))
    shown = np.where(np.eye(len(matrix), dtype=bool), np.nan, matrix)
    sns.heatmap(shown, cmap="viridis", square=True, ax=axis, xticklabels=names, yticklabels=names, rasterized=True,
                cbar_kws={"label": "corrected score, both directions", "shrink": 0.7})  # fmt: skip
    for edge in np.flatnonzero(labels[1:] != labels[:-1]) + 1:
        axis.axhline(edge, color="white", lw=2)
        axis.axvline(edge, color="white", lw=2)
    axis.tick_params(labelsize=8)
    return figure


def _family_order(column: pd.Series) -> pd.Series:
    orders = {"training": list(_SPOILED), "family": list(_FAMILY_COLOURS)}
    return column.map(orders[column.name].index) if column.name in orders else column


def prediction(zoo: ZooScores) -> Figure:
    """Accuracy on clean, corrupted and attacked images against the score with the trusted network."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 4), sharey=True)
    for axis, outcome in zip(axes, ("clean", "corrupted", "attacked"), strict=True):
        sns.scatterplot(zoo.table, x="corrected (index)", y=outcome, hue="family", style="training", ax=axis, s=60,
                        palette=_FAMILY_COLOURS, markers=_SPOILED, legend=outcome == "attacked")  # fmt: skip
        axis.set(title=f"{outcome.capitalize()} images", xlabel="", ylabel="accuracy", ylim=(0, 1.02))
    figure.supxlabel("corrected score with the trusted CNN", fontsize=12)
    axes[-1].legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return figure


def prediction_intervals(table: pd.DataFrame) -> Figure:
    """Rank correlations between score and accuracy with their bootstrap intervals."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.8), sharex=True, sharey=True)
    outcomes = dict(zip(("clean", "corrupted", "attacked"), PALETTE, strict=False))
    for axis, (group, rows) in zip(axes, table.groupby("networks", sort=False), strict=True):
        scores = list(dict.fromkeys(rows["score"]))
        for row in rows.itertuples():
            shift = 0.22 * (list(outcomes).index(row.accuracy) - 1)
            label = row.accuracy if row.score == scores[0] else None
            _interval(axis, row.rho, scores.index(row.score) + shift, outcomes[row.accuracy], label)
        axis.axvline(0, color=GREY, lw=1)
        axis.set(
            yticks=range(len(scores)),
            yticklabels=scores,
            xlim=(-1, 1),
            xticks=(-1, -0.5, 0, 0.5, 1),
            title=group.capitalize(),
        )
    figure.supxlabel("Spearman's ρ between score and accuracy", fontsize=12)
    axes[0].invert_yaxis()
    axes[1].legend(title="accuracy on", fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def stability(table: pd.DataFrame) -> Figure:
    """How well few probe images rank the zoo as all images do, and how well shuffled ones do."""
    figure, axis = plt.subplots(figsize=(6.5, 3.6))
    sns.lineplot(table, x="n_probe", y="rank correlation", hue="images", style="images", ax=axis, markers=True,
                 palette=PALETTE[:2], errorbar=("pi", 100))  # fmt: skip
    axis.axhline(0.95, color=GREY, lw=1, ls="--")
    axis.set(ylabel="Spearman's ρ with the\nranking by all images", ylim=(min(0, axis.get_ylim()[0]), 1.02))
    _count_axis(axis, table["n_probe"])
    axis.legend(title=None)
    return figure


def _count_axis(axis, counts) -> None:
    """A logarithmic axis of probe images with plain numbers."""
    shown = sorted(set(counts))
    axis.set_xscale("log")
    axis.set_xticks(shown, [f"{count:,}" for count in shown])
    axis.minorticks_off()
    axis.set_xlabel("probe images")


# ---------------------------------------------------------------------------------------------------------------------
# Published networks


def printed_scores(tables: dict[str, pd.DataFrame]) -> Figure:
    """Scores on ten images of one channel, pair by pair, beside the chance level of as many unrelated units."""
    figure, axes = plt.subplots(1, len(tables), figsize=(10, 3.8), sharey=True)
    for axis, (name, table) in zip(axes, tables.items(), strict=True):
        means = table.groupby(["model", "other", "family"], as_index=False)[["score", "chance"]].mean()
        means = means.sort_values("chance").reset_index(drop=True)
        for colour, family in zip(PALETTE, ("same", "other"), strict=False):
            chosen = means[means["family"] == family]
            axis.plot(chosen.index, chosen["score"], "o", color=colour, markersize=4, label=f"{family} family")
        axis.plot(means.index, means["chance"], "D", color=GREY, markersize=3, label="unrelated units", zorder=0)
        axis.set(title=name, xlabel="pairs of trained networks", xticks=[], ylim=(0, 1))
    axes[0].set_ylabel("score on 10 images")
    axes[-1].legend(loc="lower right", fontsize=9)
    return figure


def scores_by_images(summary: pd.DataFrame) -> Figure:
    """Score, floor and corrected score by the number of images, for trained and untrained pairs."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8))
    means = summary[summary["state"] != "mixed"].groupby(["images", "state"], as_index=False).mean(numeric_only=True)
    for colour, (state, rows) in zip(PALETTE, means.groupby("state", sort=False), strict=False):
        left.plot(rows["images"], rows["score"], "o-", color=colour, label=state)
        left.plot(rows["images"], rows["floor"], "o--", color=colour, markersize=3)
        right.plot(rows["images"], rows["corrected"], "o-", color=colour, label=state)
    for axis, label in ((left, "score (dashed: floor)"), (right, "corrected score")):
        axis.set(xscale="log", xlabel="photographs", ylabel=label, ylim=(0, 1))
    right.legend(fontsize=9)
    return figure


def blocks(tables: dict[str, tuple[pd.DataFrame, Study]]) -> Figure:
    """Corrected scores of all pairs of each line-up, trained models first, families parted by lines."""
    figure, axes = plt.subplots(1, len(tables), figsize=(10, 4.6), layout="compressed")
    for axis, (name, (pairs, study)) in zip(axes, tables.items(), strict=True):
        means = pairs.groupby(["model", "other"])["corrected"].mean().unstack()
        square = means.reindex(index=study.names, columns=study.names)
        square = square.combine_first(square.T).loc[study.names, study.names].to_numpy(copy=True)
        np.fill_diagonal(square, np.nan)
        lineup_figures.heatmap(axis, square, study.models, "corrected score")
        axis.set_title(name)
    return figure


def accuracy_by_score(table: pd.DataFrame) -> Figure:
    """Accuracy against the corrected score with the trusted network."""
    figure, axis = plt.subplots(figsize=(6.5, 4))
    for colour, (training, rows) in zip(PALETTE, table.groupby("training", sort=False), strict=False):
        axis.plot(rows["score"], rows["accuracy"], "o", color=colour, label=training)
    axis.set(xlabel="corrected score with the trusted network", ylabel="accuracy")
    axis.legend(title="training", fontsize=9)
    return figure

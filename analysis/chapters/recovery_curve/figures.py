"""The chapter's figures: one function each, tables in, figure out."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from analysis.chapters.recovery_curve import reported
from analysis.chapters.recovery_curve.flexibility import FLEXIBILITY
from analysis.chapters.recovery_curve.outcomes import over_models
from analysis.chapters.recovery_curve.studies import Study
from analysis.intervals import Measured
from analysis.recovery.asymptote import answers_per_pair as answers
from analysis.recovery.summaries import confusion_matrix
from analysis.recovery.triplets import choice_probabilities
from analysis.runs.plots import GREY, PALETTE

_SETTING_COLOURS = dict(zip(FLEXIBILITY, PALETTE, strict=False))


def trials(study: Study, n_trials: int = 5) -> Figure:
    """A few triplets with the chances of a simulated observer and the answer given (framed)."""
    figure, axes = plt.subplots(n_trials, 3, figsize=(4.2, 1.45 * n_trials), squeeze=False)
    triplets, choices = study.observer.triplets[:n_trials], study.observer.choices[:n_trials]
    chances = None
    if study.simulated:
        chances = choice_probabilities(study.observer.similarity, triplets)
    for i, row in enumerate(axes):
        for position, axis in enumerate(row):
            axis.set(xticks=[], yticks=[])
            _object(axis, study, triplets[i, position])
            if chances is not None:
                axis.set_title(f"{chances[i, position]:.0%}", fontsize=10, loc="center", fontweight="normal")
            for spine in axis.spines.values():
                odd = position == choices[i]
                spine.set(visible=True, color=PALETTE[1] if odd else GREY, linewidth=4 if odd else 0.5)
    figure.suptitle("Simulated observer" if study.simulated else "Human answers", fontsize=11)
    return figure


def _object(axis, study: Study, number: int) -> None:
    if study.objects is None:
        axis.text(0.5, 0.5, f"object\n{number}", ha="center", va="center", transform=axis.transAxes)
    else:
        axis.imshow(study.objects[number], cmap="gray_r", vmin=0, vmax=1)  # the last three are for grey ones


def calibration(table: pd.DataFrame, ceiling: float) -> Figure:
    """Mean of the largest choice probability of every generator before and after calibration, and its distribution."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.6))
    order, colours = ("before", "after"), {"before": GREY, "after": PALETTE[0]}
    means = table.groupby(["model", "calibration"], sort=False)["largest probability"].mean().unstack()
    for row, model in enumerate(means.index):
        left.plot(means.loc[model, list(order)], [row, row], "-", color=GREY, lw=1)
        for when, marker in zip(order, "so", strict=True):
            left.plot(means.loc[model, when], row, marker, color=colours[when], label=when if row == 0 else None)
    left.axvline(ceiling, color=PALETTE[1], ls="--", lw=1.5, label=f"ceiling {ceiling:g}")
    left.set(yticks=range(len(means)), yticklabels=means.index, xlabel="mean of the largest choice probability")
    left.set(xlim=(1 / 3, 1), title="Simulated answers: noise")
    left.invert_yaxis()
    left.legend(loc="upper center", bbox_to_anchor=(0.4, -0.2), ncol=3, fontsize=9)
    first = table[table["model"] == table["model"].iloc[0]]
    sns.histplot(first, x="largest probability", hue="calibration", hue_order=order, palette=colours, common_norm=False,
                 stat="probability", bins=np.linspace(1 / 3, 1, 25), element="step", ax=right)  # fmt: skip
    right.set(title=f"All triplets, {first['model'].iloc[0]}", ylabel="share of triplets")
    right.set_xlabel("largest choice probability")
    return figure


def recovery_curve(curve: pd.DataFrame, who: str, limit: Measured | None = None) -> Figure:
    """Recovery accuracy against training triplets with binomial intervals, chance, and the paper's points.

    With `limit`, the recovery at infinitely many answers is a line with its band.
    """
    figure, axis = plt.subplots(figsize=(7.5, 4.2))
    if limit is not None:
        axis.axhline(limit.value, color=PALETTE[2], ls="--", label="this run, infinitely many answers")
        axis.axhspan(limit.low, limit.high, color=PALETTE[2], alpha=0.12, lw=0)
    axis.fill_between(curve["n_triplets"], curve["low"], curve["high"], color=PALETTE[0], alpha=0.2, lw=0)
    axis.plot(curve["n_triplets"], curve["recovery"], "o-", color=PALETTE[0],
              label=f"this run, {who}: share and 95 % binomial interval")  # fmt: skip
    chance = curve["chance"].iloc[0]
    axis.axhline(chance, color=PALETTE[0], ls=":", label=f"chance, {round(1 / chance)} candidates")
    axis.plot(*zip(*reported.RECOVERY.items(), strict=True), "D--", mfc="none", color="black", lw=0.8,
              label="paper: about so much, 20 ImageNet models")  # fmt: skip
    axis.plot(*reported.LARGEST, "v", mfc="none", color="black", ms=9, label="paper: below this")
    axis.axhline(1 / reported.N_MODELS, color="black", ls=":", lw=0.8, label=f"chance, {reported.N_MODELS} candidates")
    axis.set(xscale="log", ylim=(0, 1), xlabel="training triplets", ylabel="simulations won by the true model")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return figure


def answers_per_pair(curves: pd.DataFrame, limit: Measured, paper_objects: int) -> Figure:
    """Recovery by accuracy and by likelihood against answers per pair of training objects, beside the paper's."""
    figure, axis = plt.subplots(figsize=(7.5, 4.2))
    for (criterion, rows), colour in zip(curves.groupby("criterion", sort=False), PALETTE[:2], strict=False):
        axis.fill_between(rows["answers per pair"], rows["low"], rows["high"], color=colour, alpha=0.15, lw=0)
        axis.plot(rows["answers per pair"], rows["recovery"], "o-", color=colour, label=f"this run, by {criterion}")
    axis.axhline(limit.value, color=PALETTE[2], ls="--", label="this run, infinitely many answers")
    axis.axhspan(limit.low, limit.high, color=PALETTE[2], alpha=0.12, lw=0)
    paper = {answers(number, paper_objects): share for number, share in reported.RECOVERY.items()}
    axis.plot(*zip(*paper.items(), strict=True), "D--", mfc="none", color="black", lw=0.8, label="paper: about so much")
    axis.plot(answers(reported.LARGEST[0], paper_objects), reported.LARGEST[1], "v", mfc="none", color="black", ms=9,
              label="paper: below this")  # fmt: skip
    axis.set(xscale="log", ylim=(0, 1.02), xlabel="answers per pair of training objects")
    axis.set_ylabel("simulations won by the true model")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return figure


def ways_to_make(ways: pd.DataFrame, chance: float) -> Figure:
    """Recovery in the limit by how generators were made, beside how alike they are and what of themselves they keep."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.4), sharey=True)
    rows = range(len(ways))
    left.plot(ways["recovery"], rows, "o", color=PALETTE[0], label="by accuracy")
    left.plot(ways["by likelihood"], rows, "s", mfc="none", color=PALETTE[1], label="by likelihood")
    left.axvline(chance, color=GREY, ls=":", label="chance")
    left.set(yticks=rows, yticklabels=ways["made"], xlim=(-0.02, 1.04), xlabel="recovered at infinitely many answers")
    right.plot(ways["alike"], rows, "o", color=PALETTE[0], label="with each other")
    right.plot(ways["observer"], rows, "s", mfc="none", color=PALETTE[1], label="with the observer")
    right.plot(ways["kept"], rows, "^", mfc="none", color=PALETTE[2], label="with their own features")
    right.set(xlabel="mean correlation of generators' similarities", xlim=(0, 1.04))
    for axis in (left, right):
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=9, ncol=2)
    left.invert_yaxis()
    return figure


def series(
    rows: pd.DataFrame, x: str, chance: float, *, by: str | None = None, label: str | None = None, log: bool = True
) -> Figure:
    """Mean recovery of `intervals` against what changes from case to case, one line a value of `by`, with intervals."""
    figure, axis = plt.subplots(figsize=(7, 3.6))
    groups = rows.groupby(by, sort=False) if by else [("this run", rows)]
    for place, (name, part) in enumerate(groups):
        arms = np.maximum([part["recovery"] - part["low"], part["high"] - part["recovery"]], 0)
        beside = part[x] * 1.02**place if log else part[x]  # so that intervals of two lines do not hide each other
        axis.errorbar(beside, part["recovery"], yerr=arms, fmt="os^D"[place % 4] + "-", capsize=3, label=name,
                      color=PALETTE[place], mfc=PALETTE[place] if place == 0 else "none")  # fmt: skip
    axis.axhline(chance, color=GREY, ls=":", label="chance")
    if log:
        axis.set_xscale("log")
        axis.minorticks_off()
    values = list(dict.fromkeys(rows[x]))
    axis.set_xticks(values, [f"{value:,g}" for value in values])
    axis.set(ylim=(-0.02, 1.03), xlabel=label or x, ylabel="simulations won by the true model")
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return figure


def told_apart(rows: pd.DataFrame) -> Figure:
    """How often the true model is told from one rival, by what the two have in common, one colour a way."""
    figure, axis = plt.subplots(figsize=(7, 3.2))
    kinds = list(dict.fromkeys(rows["common"]))
    for place, (way, part) in enumerate(rows.groupby("way", sort=False)):
        height = [kinds.index(kind) + 0.2 * (place - 0.5) for kind in part["common"]]
        arms = np.maximum([part["recovery"] - part["low"], part["high"] - part["recovery"]], 0)
        axis.errorbar(
            part["recovery"], height, xerr=arms, fmt="os"[place % 2], capsize=3, color=PALETTE[place], label=way
        )
    axis.axvline(0.5, color=GREY, ls=":", label="chance")
    axis.set(yticks=range(len(kinds)), yticklabels=kinds, xlim=(-0.02, 1.03), xlabel="true model ahead of the rival")
    axis.invert_yaxis()
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9, title="generators")
    return figure


def objects_or_trials(planned: pd.DataFrame, budget: int) -> Figure:
    """Recovery against the number of objects at one budget of answers, one line a transform."""
    figure, axis = plt.subplots(figsize=(7, 3.8))
    for transform, rows in planned.groupby("transform", sort=False):
        axis.plot(rows["n_objects"], rows["recovery"], "o-", color=_SETTING_COLOURS[transform], label=transform)
        axis.fill_between(rows["n_objects"], rows["low"], rows["high"], color=_SETTING_COLOURS[transform], alpha=0.12)
    axis.axhline(planned["chance"].iloc[0], color=GREY, ls=":", label="chance")
    axis.set(ylim=(0, 1.02), xlabel=f"objects shown, {budget:,} answers in all", title="Simulated answers")
    axis.set_ylabel("simulations won by the true model")
    axis.legend(title="transform", loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return figure


def confusion(matrix: pd.DataFrame, ranks: pd.DataFrame, title: str) -> Figure:
    """Who wins whose simulations, and the mean ranks of each model for its own answers and for those of others."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.6), width_ratios=(1.5, 1))
    names = list(matrix.index)
    sns.heatmap(matrix[names], annot=True, fmt=".1f", cmap="viridis", vmin=0, vmax=1, ax=left, square=True,
                cbar_kws={"label": "share of simulations won", "shrink": 0.8}, annot_kws={"fontsize": 8})  # fmt: skip
    left.set(xlabel="winning candidate", ylabel="true model (generator)", title=title)
    ranks = ranks.set_index("model").loc[names]
    right.plot(ranks["own"], range(len(names)), "o", color=PALETTE[0], label="for its own answers")
    right.plot(ranks["others"], range(len(names)), "s", mfc="none", color=PALETTE[1], label="for the others' answers")
    right.axvline(2, color=GREY, lw=1, ls="--")
    right.set(yticks=range(len(names)), yticklabels=names, xlim=(0.8, len(names) + 0.2), ylim=(len(names) - 0.5, -0.5))
    right.set(xlabel="mean rank (1: best)", title="Mean ranks")
    right.legend(loc="upper center", bbox_to_anchor=(0.4, -0.18), fontsize=9)
    left.tick_params(labelsize=9)
    left.tick_params(axis="y", rotation=0)
    return figure


def at_each_number(table: pd.DataFrame, curve: pd.DataFrame, limit: Measured) -> dict[str, Figure]:
    """The recovery curve with one number of triplets marked, and who wins whose simulations there; one figure each."""
    return {f"{size:,}": _at_number(confusion_matrix(table, size), curve, size, limit) for size in curve["n_triplets"]}


def _at_number(matrix: pd.DataFrame, curve: pd.DataFrame, size: int, limit: Measured) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.4), width_ratios=(1, 1.35))
    left.axhline(limit.value, color=PALETTE[2], ls="--", label="infinitely many answers")
    left.plot(
        curve["n_triplets"], curve["recovery"], "o-", color=PALETTE[0], mfc="white", label="won by the true model"
    )
    left.axhline(curve["chance"].iloc[0], color=GREY, ls=":", label="chance")
    share = curve.set_index("n_triplets").loc[size, "recovery"]
    left.plot(size, share, "o", color=PALETTE[1], ms=12)
    left.set(xscale="log", ylim=(0, 1.02), xlabel="training triplets", ylabel="simulations won by the true model")
    left.minorticks_off()
    left.set_xticks(curve["n_triplets"], [f"{number:,}" for number in curve["n_triplets"]])
    left.set_title(f"{size:,} triplets: {share:.0%}")
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=9)
    names = list(matrix.index)
    sns.heatmap(matrix[names], annot=True, fmt=".1f", cmap="viridis", vmin=0, vmax=1, ax=right, square=True,
                cbar_kws={"label": "share of simulations won", "shrink": 0.8}, annot_kws={"fontsize": 8})  # fmt: skip
    right.set(xlabel="winning candidate", ylabel="true model (generator)")
    right.tick_params(labelsize=9)
    right.tick_params(axis="y", rotation=0)
    return figure


def convergence(table: pd.DataFrame, target: str) -> Figure:
    """Likeness of the models' geometries to the observer's, before and after the fit, and the gain by the start."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 3.8))
    for number, row in enumerate(table.itertuples()):
        left.annotate(
            "", (row.after, number), (row.before, number), arrowprops={"arrowstyle": "->", "color": PALETTE[0]}
        )
        left.plot(row.before, number, "o", color=PALETTE[0], ms=5)
    left.set(yticks=range(len(table)), yticklabels=table["model"], xlim=(min(0, table["before"].min() - 0.05), 1))
    left.set(xlabel=f"correlation with {target}", title="Before → after the fit")
    left.invert_yaxis()
    sns.scatterplot(table, x="before", y="gain", ax=right, color=PALETTE[0], s=50)
    right.set(xlabel="correlation before the fit", ylabel="gain by the fit", title="Who starts farther")
    return figure


def flexibility(table: pd.DataFrame, n_models: int, title: str) -> Figure:
    """Predictive accuracy and recovery of every level of flexibility, with intervals over models."""
    figure, axis = plt.subplots(figsize=(7.5, 4.2))
    for setting, rows in table.groupby("setting", sort=False):
        accuracy, recovery = over_models(rows["accuracy"]), over_models(rows["recovery"])
        axis.errorbar(accuracy.value, recovery.value, xerr=_arms(accuracy), yerr=_arms(recovery), fmt="o", capsize=3,
                      color=_SETTING_COLOURS[setting], label=setting)  # fmt: skip
    axis.axhline(1 / n_models, color=GREY, ls=":", label="chance recovery")
    axis.set(xlabel="accuracy on the observer's answers, unseen objects", ylim=(0, 1.03), title=title)
    axis.set_ylabel("simulations won by the true model")
    axis.legend(title="transform", loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return figure


def _arms(measured: Measured) -> list[list[float]]:
    arms = [measured.value - measured.low, measured.high - measured.value]
    return [[arm if np.isfinite(arm) else 0.0] for arm in arms]


def penalty_path(path: pd.DataFrame, who: str) -> Figure:
    """Accuracy on unseen objects against λ for ridge and shrinkage; the features as they are as a line."""
    figure, axis = plt.subplots(figsize=(7, 3.8))
    fitted = path[path["setting"] != "zero-shot"]
    sns.lineplot(fitted, x="penalty", y="accuracy", hue="setting", style="setting", markers=True, dashes=False, ax=axis,
                 palette=PALETTE[:2], errorbar=("ci", 95), seed=0)  # fmt: skip
    plain = path[path["setting"] == "zero-shot"]["accuracy"].mean()
    axis.axhline(plain, color="black", ls="--", lw=1, label="zero-shot: features as they are")
    axis.axhline(1 / 3, color=GREY, ls=":", label="guessing")
    axis.set(xscale="log", xlabel="strength of the penalty, λ", ylabel="accuracy, mean over models", title=who)
    axis.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=9)
    return figure


def candidates(fewer: pd.DataFrame, groups: pd.DataFrame, title: str) -> Figure:
    """Recovery against the number of candidates, one line a number of triplets, and within groups of like models beside
    random candidates as many.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2))
    counts, numbers = sorted(set(fewer["k"])), sorted(set(fewer["n_triplets"]))
    for number, colour in zip(numbers, sns.color_palette("crest", len(numbers)), strict=True):
        at_number = fewer[fewer["n_triplets"] == number]
        means = [at_number[at_number["k"] == k]["recovery"].mean() for k in counts]
        left.plot(counts, means, "o-", color=colour, label=f"{number:,} triplets")
    left.plot(counts, [1 / k for k in counts], ":", color=GREY, label="chance")
    left.set(xticks=counts, xlabel="candidates", ylabel="simulations won by the true model", ylim=(0, 1.02))
    left.set_title("All kinds of candidates")
    left.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.5, -0.18), ncol=2)
    for number, (_, rows) in enumerate(groups.groupby("group", sort=False)):
        for shift, column, colour in ((-0.12, "recovery", PALETTE[0]), (0.12, "random", PALETTE[1])):
            mean = over_models(rows[column])
            label = {"recovery": "like the true model", "random": "random, as many"}[column] if number == 0 else None
            right.errorbar(mean.value, number + shift, xerr=_arms(mean), fmt="o", color=colour, capsize=3, label=label)
        right.plot(1 / rows["k"].iloc[0], number, "|", color=GREY, ms=14, mew=2, label=None if number else "chance")
    names = [f"{group} ({rows['k'].iloc[0]})" for group, rows in groups.groupby("group", sort=False)]
    right.set(yticks=range(len(names)), yticklabels=names, xlim=(0, 1.02), xlabel="simulations won by the true model")
    right.set_title(title)
    right.invert_yaxis()
    if names:
        right.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def regression(table: pd.DataFrame, pairs: pd.DataFrame) -> Figure:
    """Standardised coefficients with their intervals and the paper's; the margin against the candidate's shift."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.6), width_ratios=(1.2, 1))
    for number, row in enumerate(table.itertuples()):
        if np.isfinite([row.low, row.high]).all():
            left.plot([row.low, row.high], [number] * 2, "-", color=PALETTE[0])
        left.plot(row.beta, number, "o", color=PALETTE[0], label="this run, simulated" if number == 0 else None)
        if row.property in reported.BETAS:
            label = "paper" if number == 0 else None
            left.plot(reported.BETAS[row.property], number, "D", mfc="none", color="black", label=label)
    left.axvline(0, color=GREY, lw=1)
    left.set(yticks=range(len(table)), yticklabels=table["property"], xlabel="standardised coefficient β")
    left.set_title("What goes with a larger margin")
    left.invert_yaxis()
    left.legend(fontsize=9, loc="upper center", bbox_to_anchor=(0.4, -0.2), ncol=2)
    sns.scatterplot(pairs, x="candidate's shift", y="margin", color=PALETTE[0], ax=right)
    right.axhline(0, color=GREY, lw=1)
    right.set(ylabel="own − candidate's accuracy", title="All pairs")
    return figure


def without_truth(table: pd.DataFrame, chance: float, who: str) -> Figure:
    """How sure the winner looks with the true model among the candidates and without it, by number of triplets."""
    figure, axes = plt.subplots(1, 3, figsize=(10.5, 3.6))
    sizes = sorted(set(table["n_triplets"]))
    labels = {"agreement": "share of seeds won by the winner", "lead": "lead over the runner-up",
              "short": "behind the true model"}  # fmt: skip
    for axis, (column, label) in zip(axes, labels.items(), strict=True):
        sns.lineplot(table, x="n_triplets", y=column, hue="true model", style="true model", markers=True, ax=axis,
                     dashes=False, palette=PALETTE[:2], errorbar=("ci", 95), seed=0)  # fmt: skip
        axis.set(xscale="log", xlabel="training triplets", ylabel=label)
        axis.minorticks_off()
        axis.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=45)
        axis.get_legend().set_visible(axis is axes[0])
    axes[0].set_ylim(0, 1.02)
    axes[0].axhline(chance, color=GREY, ls=":")
    axes[0].legend(title="true model", fontsize=9, title_fontsize=9, loc="lower left", bbox_to_anchor=(0, 0.2))
    axes[1].set_title(who, loc="center")
    for axis in axes[1:]:
        axis.axhline(0, color=GREY, lw=1)
        axis.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g} pp")
    return figure


def embedding_accuracy(table: pd.DataFrame, ceiling: float) -> Figure:
    """Accuracy of each embedding on people's answers, with intervals by triplet and by subject."""
    sets = list(dict.fromkeys(table["trials"]))
    figure, axes = plt.subplots(1, len(sets), figsize=(9.5, 3.6), sharey=True, squeeze=False)
    for axis, trials in zip(axes[0], sets, strict=True):
        shown = table[table["trials"] == trials]
        names = list(dict.fromkeys(shown["embedding"]))
        for shift, colour, cluster in ((-0.13, PALETTE[0], "triplet"), (0.13, PALETTE[1], "subject")):
            for row in shown[shown["cluster"] == cluster].itertuples():
                place = names.index(row.embedding) + shift
                label = f"95 % bootstrap over {cluster}s" if row.embedding == names[0] else None
                axis.plot([row.low, row.high], [place] * 2, "-", color=colour)
                axis.plot(row.accuracy, place, "o", color=colour, label=label)
        axis.set(yticks=range(len(names)), yticklabels=names, title=f"Human answers, {trials}", xlabel="accuracy")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=9)
    axes[0, 0].axvline(ceiling, color=GREY, ls="--")
    axes[0, 0].invert_yaxis()
    return figure


def embedding_leads(leads: pd.DataFrame) -> Figure:
    """Answers needed to tell each true embedding from each rival, on a logarithmic scale of colours."""
    figure, axis = plt.subplots(figsize=(6.2, 4.2))
    names = list(dict.fromkeys(leads["true"]))
    grid = leads.pivot(index="true", columns="rival", values="answers").loc[names, names]
    labels = grid.map(lambda value: "" if np.isnan(value) else f"{value:,.0f}")
    sns.heatmap(np.log10(grid), annot=labels, fmt="", cmap="viridis_r", ax=axis, annot_kws={"fontsize": 9},
                cbar_kws={"label": "log10 of the answers needed"})  # fmt: skip
    axis.set(xlabel="rival", ylabel="who answers (simulated)", title="Simulated: answers to tell two apart")
    return figure

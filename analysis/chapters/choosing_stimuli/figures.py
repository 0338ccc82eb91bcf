"""The chapter's figures: tables in, figures out."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from analysis.chapters.choosing_stimuli.experiments import PARTS, design, last_round
from analysis.runs.plots import GREY, PALETTE

_IN_A_ROW = 4  # panels of designs; more are one row a transform
COLOURS = {"random": GREY, "disagreement": PALETTE[1], "information": PALETTE[0], "uncertainty": PALETTE[4],
           "bald": PALETTE[2], "refit": PALETTE[3]}  # fmt: skip
"""One colour a policy, in all figures."""


def six_triplets(scores: pd.DataFrame) -> Figure:
    """Scores of the six triplets of the hand-sized case under three policies; the first choice of each is filled."""
    figure, axes = plt.subplots(1, len(scores.columns), figsize=(8.5, 2.8), sharey=True)
    for axis, (policy, values) in zip(axes, scores.items(), strict=True):
        best = values >= values.max() - 1e-9
        colours = [COLOURS[policy] if first else "white" for first in best]
        axis.barh(range(len(values)), values, color=colours, edgecolor=COLOURS[policy])
        axis.set(title=policy, xlabel="score", yticks=range(len(values)), yticklabels=scores.index)
    axes[0].invert_yaxis()
    return figure


def shown(pictures: Sequence[np.ndarray], chosen: dict[str, np.ndarray]) -> Figure:
    """The first triplets of every policy, three images each; grey ones are drawn as ink on paper."""
    n_triplets = len(next(iter(chosen.values())))
    figure, axes = plt.subplots(len(chosen), 4 * n_triplets - 1, figsize=(9, 0.95 * len(chosen) + 0.3), squeeze=False)
    for row, (policy, triplets) in zip(axes, chosen.items(), strict=True):
        for axis in row:
            axis.axis("off")
        for place, triplet in enumerate(triplets):
            for column, number in enumerate(triplet):
                row[4 * place + column].imshow(pictures[int(number)], cmap="gray_r")
        row[0].set_title(policy, loc="left", color=COLOURS[policy], fontsize=12)
    return figure


def curves(table: pd.DataFrame, policies: list[str]) -> Figure:
    """Share identified against trials: refitted and frozen, one column a part that the policies choose for."""
    figure, axes = plt.subplots(2, len(PARTS), figsize=(9.5, 5.6), sharex=True, sharey=True)
    chance = table["chance"].iloc[0]
    for line, mode in zip(axes, ("refitted", "frozen"), strict=True):
        for axis, part in zip(line, PARTS, strict=True):
            for policy in policies:
                names = design(part, policy)
                rows = table[(table["mode"] == mode) & (table["train"] == names["train"])]
                rows = rows[(rows["test"] == names["test"]) & np.isfinite(rows["n_trials"])]
                axis.plot(rows["n_trials"], rows["identified"], "o-", ms=4, color=COLOURS[policy], label=policy)
            axis.axhline(chance, color=GREY, ls=":")
            axis.set(xscale="log", ylim=(0, 1.02))
            _tick_trials(axis, table)
    for axis, part in zip(axes[0], PARTS, strict=True):
        axis.set_title(f"chosen: {part}")
    for axis, mode in zip(axes[:, 0], ("refitted every round", "frozen at the seed batch"), strict=True):
        axis.set_ylabel(f"identified,\n{mode}")
    for axis in axes[1]:
        axis.set_xlabel("trials")
    axes[1, 1].legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncol=len(policies), fontsize=10)
    return figure


def by_trials(table: pd.DataFrame, policies: list[str]) -> dict[int, Figure]:
    """Share identified by every design, a figure for each number of trials since the seed batch."""
    rounds = sorted(set(table["n_trials"][np.isfinite(table["n_trials"])]))
    return {int(number): _after(table[table["n_trials"] == number], policies, int(number)) for number in rounds}


def _after(table: pd.DataFrame, policies: list[str], n_trials: int) -> Figure:
    figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.4), sharey=True)
    shares = table.set_index(["mode", "train", "test"])["identified"]
    shifts = np.linspace(-0.25, 0.25, len(policies))
    for axis, mode in zip(axes, ("refitted", "frozen"), strict=True):
        for shift, policy in zip(shifts, policies, strict=True):
            names = [design(part, policy) for part in PARTS]
            values = [shares[mode, name["train"], name["test"]] for name in names]
            axis.bar(np.arange(len(PARTS)) + shift, values, width=0.22, color=COLOURS[policy], label=policy)
        axis.axhline(table["chance"].iloc[0], color="black", ls=":", lw=1)
        axis.set(xticks=range(len(PARTS)), xticklabels=list(PARTS), ylim=(0, 1.02), title=mode)
    axes[0].set_ylabel("identified")
    axes[1].legend(fontsize=10, loc="upper left", bbox_to_anchor=(1, 1))
    figure.suptitle(f"{n_trials} trials", fontsize=12, fontweight="bold")
    return figure


def _tick_trials(axis, table: pd.DataFrame) -> None:
    """A tick at every other round, with whole numbers."""
    trials = sorted(set(table["n_trials"][np.isfinite(table["n_trials"])]))[::2]
    axis.minorticks_off()
    axis.set_xticks(trials, [f"{number:.0f}" for number in trials])


def factors(table: pd.DataFrame) -> Figure:
    """log G of every design with its interval: refitted filled, frozen hollow, a cross where the nearest rival says."""
    cells = list(dict.fromkeys(zip(table["transform"], table["axes / objects"], strict=True)))
    designs = list(dict.fromkeys(zip(table["part"], table["policy"], strict=True)))
    wide = len(cells) if len(cells) <= _IN_A_ROW else len(set(table["axes / objects"]))
    high = len(cells) // wide
    size = (2.4 * wide + 1.6, (0.45 * len(designs) + 1.4) * high + 0.5)
    figure, axes = plt.subplots(high, wide, figsize=size, sharey=True, squeeze=False)
    for axis, cell in zip(axes.flat, cells, strict=True):
        rows = table[(table["transform"] == cell[0]) & (table["axes / objects"] == cell[1])]
        for row in rows.itertuples(index=False):
            values = dict(zip(table.columns, row, strict=True))
            frozen = values["mode"] == "frozen"
            place = designs.index((values["part"], values["policy"])) + (0.17 if frozen else -0.17)
            colour = COLOURS[values["policy"]]
            if np.isfinite([values["low"], values["high"]]).all():
                axis.plot([values["low"], values["high"]], [place, place], color=colour, lw=1.5)
            axis.plot(values["log G"], place, "o", color=colour, mfc="white" if frozen else colour)
            axis.plot(values["expected"], place, "x", color="black", ms=5)
        axis.axvline(0, color=GREY, lw=1)
        axis.set_title(f"{cell[0]}, {cell[1]:g}")
    for axis in axes[-1]:
        axis.set_xlabel("log G")
    for axis in axes[:, 0]:
        axis.set(yticks=range(len(designs)), yticklabels=[f"{part}: {policy}" for part, policy in designs])
    axes[0, 0].invert_yaxis()
    return figure


def asymptotes(ends: pd.DataFrame) -> Figure:
    """Recovery from infinitely many answers to the training triplets chosen, by policy, one group a cell."""
    cells = list(dict.fromkeys(zip(ends["transform"], ends["ratio"], strict=True)))
    policies = list(dict.fromkeys(ends["train"]))
    figure, axis = plt.subplots(figsize=(max(7.5, 1.15 * len(cells)), 3.4))
    for shift, policy in zip(np.linspace(-0.25, 0.25, len(policies)), policies, strict=True):
        for place, cell in enumerate(cells):
            rows = ends[(ends["transform"] == cell[0]) & (ends["ratio"] == cell[1]) & (ends["train"] == policy)]
            own = rows.groupby("generator")["identified"].mean()
            jitter = place + shift + np.linspace(-0.05, 0.05, len(own))
            axis.plot(jitter, own, ".", color=COLOURS[policy], alpha=0.4)
            axis.plot(place + shift, own.mean(), "D", color=COLOURS[policy], label=None if place else policy)
    axis.set(xticks=range(len(cells)), xticklabels=[f"{transform},\n{ratio:g}" for transform, ratio in cells])
    axis.set(ylim=(-0.03, 1.05), xlabel="transform, axes per training object")
    axis.set_ylabel("identified, infinitely many answers")
    axis.legend(title="training triplets", loc="upper left", bbox_to_anchor=(1, 1))
    return figure


def controls(half: pd.DataFrame, absent: pd.DataFrame, ceilings: pd.DataFrame) -> Figure:
    """Who chose does not take part; the true model is absent; how sure the generators are on what was chosen."""
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9.5, 3.4))
    rows = half[(half["mode"] == "refitted") & np.isfinite(half["n_trials"])]
    for policy, own in rows.groupby("test", sort=False):
        left.plot(own["n_trials"], own["identified"], "o-", ms=4, color=COLOURS[policy], label=policy)
    left.axhline(half["chance"].iloc[0], color=GREY, ls=":")
    left.set(xscale="log", ylim=(0, 1.02), xlabel="trials", ylabel="identified", title="The other half chose")
    _tick_trials(left, rows)
    for policy, own in absent.groupby("test", sort=False):
        mean = own.groupby("n_trials")["nearest"].mean()
        middle.plot(mean.index, mean, "o-", ms=4, color=COLOURS[policy])
    middle.set(xscale="log", ylim=(0, 1.02), xlabel="trials", ylabel="the nearest wins", title="Truth left out")
    _tick_trials(middle, absent)
    for place, (policy, own) in enumerate(last_round(ceilings).groupby("test", sort=False)):
        values = own.groupby("generator")["test_ceiling"].mean()
        right.plot(np.full(len(values), place), values, "o", color=COLOURS[policy], alpha=0.6)
    names = list(dict.fromkeys(ceilings["test"]))
    right.set(xticks=range(len(names)), xticklabels=names, ylim=(1 / 3, 1), title="How sure the truth is")
    right.set_ylabel("mean largest probability")
    right.tick_params(axis="x", labelrotation=20)
    left.legend(fontsize=10, loc="lower right")
    return figure


def score_errors(table: pd.DataFrame) -> Figure:
    """Bias and error of a candidate's score by how its test triplets came about, one dot a generator and candidate."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 2.8), sharey=True)
    ways = list(dict.fromkeys(table["way"]))
    for axis, column in zip(axes, ("bias", "error"), strict=True):
        for place, way in enumerate(ways):
            values = table[table["way"] == way][column]
            axis.plot(values, np.full(len(values), place), "o", color=PALETTE[place], alpha=0.4, ms=4)
        axis.axvline(0, color=GREY, lw=1)
        axis.set(yticks=range(len(ways)), yticklabels=ways, xlabel=f"{column}, nats a triplet")
        axis.locator_params(axis="x", nbins=4)
    axes[0].invert_yaxis()
    return figure


WAY_COLOURS = {"random": GREY, "contrastive": PALETTE[1], "adaptive": PALETTE[0]}


def labels(tables: dict[str, pd.DataFrame]) -> Figure:
    """Networks identified from k noisy labels, one panel a set of answers and one line a way of choosing."""
    n_rows = -(-len(tables) // 2)
    figure, axes = plt.subplots(n_rows, 2, figsize=(8.5, 2.9 * n_rows + 0.3), sharey=True, squeeze=False)
    for axis, (name, table) in zip(axes.flat, tables.items(), strict=True):
        for way, rows in table.groupby("way", sort=False):
            mean = rows.groupby("k")["identified"].mean()
            axis.plot(mean.index, mean, color=WAY_COLOURS[way], label=way)
        n_networks = table["network"].nunique()
        axis.axhline(1 / n_networks, color=GREY, ls=":")
        axis.set(title=f"{name}, {n_networks} networks", ylim=(0, 1.02))
    for axis in axes[-1]:
        axis.set_xlabel("noisy labels")
    for axis in axes[:, 0]:
        axis.set_ylabel("identified")
    axes[0, 0].legend(fontsize=10, loc="center right", bbox_to_anchor=(1, 0.4))
    return figure


def consistency(table: pd.DataFrame) -> Figure:
    """How often the winner by k answers is the winner of other people's answers, one panel a transform."""
    transforms = list(dict.fromkeys(table["transform"]))
    figure, axes = plt.subplots(1, len(transforms), figsize=(8.5, 3.2), sharey=True, squeeze=False)
    for axis, transform in zip(axes[0], transforms, strict=True):
        for policy, rows in table[table["transform"] == transform].groupby("policy", sort=False):
            mean = rows.groupby("k")["consistent"].mean()
            axis.plot(mean.index, mean, "o-", ms=4, color=COLOURS[policy], label=policy)
        axis.set(title=transform, xscale="log", xlabel="answers", ylim=(0, 1.02))
    axes[0, 0].set_ylabel("same winner")
    axes[0, -1].legend(fontsize=10, loc="upper left")
    return figure


def contested(table: pd.DataFrame, noise: pd.DataFrame) -> Figure:
    """Rank correlations within condition with the spread of half of the networks, beside shuffled trials."""
    names = {"time": "people's reaction time", "accuracy": "people's accuracy", "other half": "spread, other half"}
    figure, axis = plt.subplots(figsize=(7.5, 2.4))
    for place, name in enumerate(names):
        for shift, values, colour in ((-0.15, table[name], PALETTE[0]), (0.15, noise[name], GREY)):
            low, high = np.percentile(values, [2.5, 97.5])
            axis.plot([low, high], [place + shift] * 2, color=colour)
            label = {0: "measured", 1: "trials shuffled"}[int(shift > 0)] if place == 0 else None
            axis.plot(values.mean(), place + shift, "o", color=colour, label=label)
    axis.axvline(0, color=GREY, lw=1)
    axis.set(yticks=range(len(names)), yticklabels=names.values(), xlabel="rank correlation within condition")
    axis.invert_yaxis()
    axis.legend(fontsize=10, loc="upper left", bbox_to_anchor=(1, 1))
    return figure

"""The chapter's experiments: networks and tables of answers in, tidy tables out."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import torch
from scipy import stats

from analysis.chapters.contrastive_stimuli.parameters import MODELS_PER_BIN
from analysis.data.answers import Predictions, read_predictions
from analysis.data.corruptions import KINDS, corrupt
from analysis.data.images import Images
from analysis.intervals import Measured, bootstrap_interval, percentile_bounds, spearman
from analysis.measures.accuracy_floor import accuracy_floor
from analysis.measures.agreement import Agreement, agreement_from_predictions, contrastive_stimuli
from analysis.measures.kappa_bootstrap import bootstrap_kappa
from analysis.models.zoo_answers import out_of_sample_answers, out_of_sample_margins
from analysis.models.zoo_names import TRAINED
from analysis.models.zoo_networks import ZOO
from analysis.progress import steps

ALL, CONTRASTIVE, ELSEWHERE = "all", "contrastive", "contrastive, chosen on other models"
LEVEL = 0.95

# ---------------------------------------------------------------------------------------------------------------------
# Agreement


def answer_sets(source: str, images: Images, *, severity: int, seed: int) -> dict[str, Predictions]:
    """The zoo's answers to all images, clean and corrupted, each out of sample; or the answers of a file."""
    if source != "zoo":
        return {"your stimuli": read_predictions(source)}
    shown = {"clean": images.x, "corrupted": corrupted_copies(images, severity, seed)}
    return {name: _zoo_predictions(images, x, seed) for name, x in shown.items()}


def corrupted_copies(images: Images, severity: int, seed: int) -> torch.Tensor:
    """Every image corrupted in one of the seven ways, drawn at random, each equally often."""
    kinds = np.random.default_rng(seed).permutation(len(images)) % len(KINDS)
    copies = images.x.clone()
    for position, kind in enumerate(KINDS):
        rows = torch.from_numpy(np.flatnonzero(kinds == position))
        copies[rows] = corrupt(images.x[rows], kind, severity, seed=seed)
    return copies


def _zoo_predictions(images: Images, shown: torch.Tensor, seed: int) -> Predictions:
    answers = out_of_sample_answers(images, shown=shown, names=TRAINED, seed=seed)
    stimuli, categories = (tuple(map(str, range(n))) for n in (len(images), images.n_classes))
    left_out = {"missing answers": 0, "untrained networks left out": len(ZOO) - len(TRAINED)}
    return Predictions(answers, images.y.numpy(), TRAINED, stimuli, categories, left_out)


def zoo_margins(images: Images, *, seed: int) -> np.ndarray:
    """How sure the zoo's answers to every clean image are, mean over networks: 1 = certain, 0 = undecided."""
    return out_of_sample_margins(images, names=TRAINED, seed=seed).mean(0)


def agreement(predictions: Predictions, stimuli: np.ndarray | slice = slice(None)) -> Agreement:
    """Agreement on some of the stimuli; κ is NaN, without a warning, where all answers are one."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Fleiss' kappa", RuntimeWarning)
        return agreement_from_predictions(predictions.answers[:, stimuli], len(predictions.categories))


def chosen(predictions: Predictions, k: int) -> np.ndarray:
    """The k stimuli on which these models agree least, or all on which at least two answered if those are fewer."""
    per_stimulus = agreement(predictions).per_stimulus
    return contrastive_stimuli(per_stimulus, min(k, int(np.isfinite(per_stimulus).sum())))


def fitting(predictions: Predictions, n_bins: int, n_contrastive: int) -> tuple[int, int]:
    """Numbers of bins and of contrastive stimuli that these answers allow, no more than asked for.

    A bin has `MODELS_PER_BIN` models or more, and there is only one where accuracies are not known; contrastive are at
    most a third of the stimuli.
    """
    n_models, n_stimuli = predictions.answers.shape
    most = n_models // MODELS_PER_BIN if labelled(predictions) else 1
    return min(n_bins, most), min(n_contrastive, max(2, n_stimuli // 3))


def labelled(predictions: Predictions) -> bool:
    """Whether the right answer to every stimulus is known."""
    return bool((predictions.labels >= 0).all())


def accuracy_bins(accuracies: np.ndarray, n_bins: int) -> np.ndarray:
    """Bin of each model, 0 = the least accurate; bins differ in size by at most one."""
    bins = np.empty(len(accuracies), np.int64)
    for position, members in enumerate(np.array_split(np.argsort(accuracies, kind="stable"), n_bins)):
        bins[members] = position
    return bins


def random_halves(bins: np.ndarray, n_splits: int, seed: int) -> Iterator[np.ndarray]:
    """Masks of random halves of the models, half of each bin; every half is followed by its complement."""
    rng = np.random.default_rng(seed)
    for split in range(n_splits):
        mask = np.zeros(len(bins), bool)
        for position in range(bins.max() + 1):
            members = rng.permutation(np.flatnonzero(bins == position))
            mask[members[: (len(members) + (split + position) % 2) // 2]] = True  # an odd one changes sides
        yield mask
        yield ~mask


@dataclass(frozen=True, eq=False)
class Kappas:
    """κ by accuracy bin. `drops` maps "contrastive" and "contrastive, chosen on other models" to the smallest drop."""

    table: pd.DataFrame
    drops: dict[str, Measured]


def kappa_by_bin(predictions: Predictions, *, n_bins: int, k: int, n_splits: int, seed: int = 0) -> Kappas:
    """κ of the models in each accuracy bin: on all stimuli, on contrastive ones, and on those that others chose.

    The first two rows of a bin have a bootstrap interval over its models; the third is the mean over random halves of
    all models, half of which choose the stimuli and half of which report, with the interval that holds 95 % of them.
    """
    bins = accuracy_bins(predictions.accuracies, n_bins)
    stimuli = {ALL: np.arange(predictions.answers.shape[1]), CONTRASTIVE: chosen(predictions, k)}
    rows, resamples = [], {}
    for position in steps(range(n_bins), "κ by accuracy"):
        members = predictions.of(bins == position)
        for name, columns in stimuli.items():
            row, resamples[position, name] = _bin_row(members, columns, seed + position)
            rows.append({"bin": position, "stimuli": name} | row)
    halves_table = _kappa_on_halves(predictions, bins, k, n_splits, seed)
    table = pd.concat([pd.DataFrame(rows), _mean_over_halves(halves_table, pd.DataFrame(rows))], ignore_index=True)
    drops = {CONTRASTIVE: _smallest_drop(table, resamples, n_bins), ELSEWHERE: _smallest_drop_elsewhere(halves_table)}
    return Kappas(table.sort_values(["bin", "stimuli"], ignore_index=True), drops)


def _bin_row(members: Predictions, columns: np.ndarray, seed: int) -> tuple[dict, np.ndarray]:
    answers, n_categories = members.answers[:, columns], len(members.categories)
    with warnings.catch_warnings():  # a resample of one model alone has no κ, and the interval leaves it out
        warnings.filterwarnings("ignore", "Fleiss' kappa", RuntimeWarning)
        found = bootstrap_kappa(answers, n_categories, over="models", n_resamples=500, level=LEVEL, seed=seed)
    row = {"n_models": len(answers), "accuracy": _mean(members.accuracies), "kappa": found.kappa.value}
    ends = {"low": found.kappa.low, "high": found.kappa.high}
    return row | ends | {"floor": _floor(members, columns)}, found.resamples


def _floor(members: Predictions, columns: np.ndarray) -> float:
    """The least κ that the models' accuracies on these stimuli allow; NaN if an answer or a label is missing."""
    answers = members.answers[:, columns]
    if (answers < 0).any() or (members.labels[columns] < 0).any():
        return np.nan
    accuracies = (answers == members.labels[columns]).mean(1)
    expected = agreement(members, columns).expected
    return accuracy_floor(accuracies, n_categories=len(members.categories)).kappa(expected) if expected < 1 else np.nan


def _kappa_on_halves(predictions: Predictions, bins: np.ndarray, k: int, n_splits: int, seed: int) -> pd.DataFrame:
    """One row a half and bin: κ of the bin's models outside of the half, on all stimuli and on those it chose."""
    rows = []
    for number, half in enumerate(steps(random_halves(bins, n_splits, seed), "choosing elsewhere", 2 * n_splits)):
        columns = chosen(predictions.of(half), k)
        for position in range(bins.max() + 1):
            held_out = predictions.of(~half & (bins == position))
            found = {"all": agreement(held_out).kappa, "kappa": agreement(held_out, columns).kappa}
            rows.append({"half": number, "bin": position} | found)
    return pd.DataFrame(rows)


def _mean_over_halves(table: pd.DataFrame, described: pd.DataFrame) -> pd.DataFrame:
    by_bin = table.groupby("bin")["kappa"]
    ends = by_bin.apply(lambda kappa: pd.Series(percentile_bounds(kappa, LEVEL), ["low", "high"])).unstack()
    means = ends.assign(kappa=by_bin.mean()).reset_index()
    known = described.loc[described["stimuli"] == ALL, ["bin", "n_models", "accuracy"]]
    return known.merge(means).assign(stimuli=ELSEWHERE, floor=np.nan)


def _smallest_drop(table: pd.DataFrame, resamples: dict, n_bins: int) -> Measured:
    kappa = table.pivot(index="bin", columns="stimuli", values="kappa")
    drawn = np.stack([resamples[position, ALL] - resamples[position, CONTRASTIVE] for position in range(n_bins)])
    return _smallest(kappa[ALL] - kappa[CONTRASTIVE], drawn, "bootstrap, models within bins")


def _smallest_drop_elsewhere(halves_table: pd.DataFrame) -> Measured:
    drops = halves_table.assign(drop=halves_table["all"] - halves_table["kappa"])
    by_half = drops.pivot(index="bin", columns="half", values="drop")
    return _smallest(by_half.mean(axis=1), by_half.to_numpy(), _half_sampling(by_half.shape[1]))


def _half_sampling(n_halves: int) -> str:
    """What the spread over random halves of the models is an interval of.

    A mean over half of a sample, drawn without replacement, varies between halves as much as a mean over the whole
    sample varies between samples (McCarthy 1969, Pseudo-replication: half samples). So halves give an interval over
    models.
    """
    return f"half-sampling of models, {n_halves} halves"


def _smallest(drops: pd.Series, drawn: np.ndarray, what: str) -> Measured:
    """The smallest drop over bins; for its interval the smallest is taken anew in every resample."""
    if np.isnan(drops).any():
        return Measured.without_interval(np.nan, "a bin has no κ")
    return Measured.from_draws(drops.min(), drawn.min(axis=0), what, level=LEVEL)


def selection_effect(predictions: Predictions, *, n_bins: int, k: int, n_splits: int, seed: int = 0) -> pd.DataFrame:
    """κ of all models in random halves: on all stimuli, on those chosen by the half itself, and by the other half."""
    bins = accuracy_bins(predictions.accuracies, n_bins)
    rows = []
    for half in random_halves(bins, n_splits, seed):
        mine, others = predictions.of(half), predictions.of(~half)
        stimuli = {"all": slice(None), "own choice": chosen(mine, k), "others' choice": chosen(others, k)}
        rows.append({name: agreement(mine, columns).kappa for name, columns in stimuli.items()})
    return pd.DataFrame(rows)


def by_set_size(predictions: Predictions, *, n_bins: int, n_splits: int, seed: int = 0) -> pd.DataFrame:
    """The means of `selection_effect` for sets of 10 stimuli to all of them, one row a size."""
    n_stimuli = predictions.answers.shape[1]
    numbers = [*(k for k in (10, 20, 50, 100, 200, 500, 1000) if k < n_stimuli), n_stimuli]
    found = [selection_effect(predictions, n_bins=n_bins, k=k, n_splits=n_splits, seed=seed).mean() for k in numbers]
    return pd.DataFrame(found).assign(k=numbers)


def mean_of_halves(values: pd.Series) -> Measured:
    """Mean over random halves, with the interval that holds 95 % of them."""
    return Measured.from_draws(values.mean(), values, f"of {len(values)} random halves", level=LEVEL)


def agreement_of_bins(predictions: Predictions, n_bins: int) -> np.ndarray:
    """Agreement on every stimulus within each accuracy bin, shape (n_bins, n_stimuli)."""
    bins = accuracy_bins(predictions.accuracies, n_bins)
    return np.stack([agreement(predictions.of(bins == position)).per_stimulus for position in range(n_bins)])


def sorted_agreement(predictions: Predictions, *, n_bins: int, n_groups: int = 60) -> pd.DataFrame:
    """Agreement within each bin, stimuli sorted from the most contrastive on and averaged in groups of neighbours.

    Sorted by the agreement of all models, as in the paper, and for each bin by that of the models outside of it, if
    there are any.
    """
    bins = accuracy_bins(predictions.accuracies, n_bins)
    accuracies = predictions.accuracies
    overall = np.argsort(agreement(predictions).per_stimulus, kind="stable")
    rows = []
    for position, own in enumerate(agreement_of_bins(predictions, n_bins)):
        orders = {"all models": overall}
        if n_bins > 1:
            outside = agreement(predictions.of(bins != position)).per_stimulus
            orders["the other bins"] = np.argsort(outside, kind="stable")
        for sorted_by, order in orders.items():
            groups = np.array_split(own[order], min(n_groups, len(own)))
            rows += [
                {"sorted by": sorted_by, "bin": position, "accuracy": accuracies[bins == position].mean()}
                | {"group": number, "agreement": _mean(group)}
                for number, group in enumerate(groups)
            ]
    return pd.DataFrame(rows)


def _mean(values: np.ndarray) -> float:
    """Mean of what is defined; NaN if nothing is."""
    defined = values[np.isfinite(values)]
    return float(defined.mean()) if len(defined) else np.nan


def stability(predictions: Predictions, *, n_bins: int, n_resamples: int = 500, seed: int = 0) -> Measured:
    """Mean rank correlation between bins of their agreement per stimulus; bootstrap over stimuli, ranks held fixed."""
    table = agreement_of_bins(predictions, n_bins)
    table = table[:, np.isfinite(table).all(0)]
    table = table[np.ptp(table, axis=1) > 0] if table.size else table[:0]
    if len(table) < 2:
        return Measured.without_interval(np.nan, "at least two bins must vary in agreement")
    pairs = np.triu_indices(len(table), 1)

    def mean_correlation(ranks: np.ndarray) -> float:
        return float(np.corrcoef(ranks.T)[pairs].mean())

    ranks = stats.rankdata(table, axis=1).T
    return bootstrap_interval(mean_correlation, ranks, over="stimuli", n_resamples=n_resamples, seed=seed)


# ---------------------------------------------------------------------------------------------------------------------
# Accuracy puts a floor under agreement


def pair_agreement(predictions: Predictions) -> pd.DataFrame:
    """Every pair of models: how often they agree, must agree, and would if their errors were independent."""
    answers, accuracies, n_wrong = predictions.answers, predictions.accuracies, len(predictions.categories) - 1
    rows = []
    for i, j in combinations(range(len(answers)), 2):
        both = (answers[i] >= 0) & (answers[j] >= 0)
        a, b = accuracies[i], accuracies[j]
        rows.append(
            {"model": predictions.models[i], "other": predictions.models[j]}
            | {"agreement": float((answers[i] == answers[j])[both].mean()) if both.any() else np.nan}
            | {"floor": float(np.maximum(0, a + b - 1)), "independent": a * b + (1 - a) * (1 - b) / n_wrong}
        )
    return pd.DataFrame(rows)


def accuracy_against_agreement(predictions: Predictions, *, seed: int = 0) -> Measured:
    """Rank correlation over models between accuracy and mean agreement with the other models."""
    pairs = pair_agreement(predictions)
    both = pd.concat([pairs, pairs.rename(columns={"model": "other", "other": "model"})])
    means = both.groupby("model")["agreement"].mean().loc[list(predictions.models)]
    return bootstrap_interval(spearman, predictions.accuracies, means.to_numpy(), over="models", seed=seed)


# ---------------------------------------------------------------------------------------------------------------------
# What contrastive stimuli are good for


def sizes(n_stimuli: int) -> list[int]:
    """Numbers of stimuli to identify a model from."""
    return [k for k in (2, 5, 10, 20, 50, 100, 200) if k <= n_stimuli]


def identification(
    predictions: Predictions, *, noise: float, n_bins: int, n_splits: int, n_draws: int = 20, seed: int = 0
) -> pd.DataFrame:
    """How often a model is identified from noisy answers to k stimuli: 1 = always, chance = 1 / candidates.

    One half of the models chooses the contrastive stimuli, the models of the other half are the candidates. Each
    candidate in turn answers k stimuli, a share `noise` of its answers replaced by random categories; the guess is the
    candidate with most answers in common, and n that tie count 1 / n.
    """
    rng = np.random.default_rng(seed)
    bins = accuracy_bins(predictions.accuracies, n_bins)
    rows = []
    for number, half in enumerate(steps(random_halves(bins, n_splits, seed), "identifying models", 2 * n_splits)):
        candidates, n_stimuli = predictions.of(~half), len(predictions.stimuli)
        ranked = chosen(predictions.of(half), n_stimuli)
        for k in sizes(len(ranked)):
            stimuli = {CONTRASTIVE: np.tile(ranked[:k], (n_draws, 1)), "random": _draws(rng, n_stimuli, k, n_draws)}
            for name, columns in stimuli.items():
                found = float(np.mean([_identified(candidates, drawn, noise, rng) for drawn in columns]))
                chance = 1 / len(candidates.models)
                rows.append({"half": number, "k": k, "stimuli": name, "identified": found, "chance": chance})
    return pd.DataFrame(rows)


def _draws(rng: np.random.Generator, n_stimuli: int, k: int, n_draws: int) -> np.ndarray:
    return np.stack([rng.choice(n_stimuli, k, replace=False) for _ in range(n_draws)])


def _identified(candidates: Predictions, columns: np.ndarray, noise: float, rng: np.random.Generator) -> float:
    """Share of candidates that their own noisy answers point to."""
    answers = candidates.answers[:, columns]
    guesses = rng.integers(len(candidates.categories), size=answers.shape)
    noisy = np.where(rng.random(answers.shape) < noise, guesses, answers)
    common = ((noisy[:, None] == answers[None]) & (answers[None] >= 0)).sum(2)
    best = common == common.max(1, keepdims=True)
    return float((best.diagonal() / best.sum(1)).mean())


def identification_gain(table: pd.DataFrame) -> Measured:
    """Identified with contrastive minus with random stimuli, averaged over their numbers."""
    means = table.groupby(["half", "stimuli"])["identified"].mean().unstack()
    gain = means[CONTRASTIVE] - means["random"]
    return Measured.from_draws(gain.mean(), gain, _half_sampling(len(gain)), level=LEVEL)


# ---------------------------------------------------------------------------------------------------------------------
# A contact sheet


def contact_sheet(predictions: Predictions, margins: np.ndarray | None = None, n_shown: int = 6) -> pd.DataFrame:
    """The stimuli of lowest and of highest agreement, with how many models gave each answer, the commonest first.

    Of stimuli on which equally many agree, those come first whose answers are the least (or most) sure by `margins`,
    shape (n_stimuli,); without margins, those that stand first.
    """
    per_stimulus = agreement(predictions).per_stimulus
    margins = np.zeros(len(per_stimulus)) if margins is None else margins
    n_shown = min(n_shown, int(np.isfinite(per_stimulus).sum()) // 2)
    rows = []
    for name, sign in {"most": 1, "least": -1}.items():
        for stimulus in np.lexsort((sign * margins, sign * per_stimulus))[:n_shown]:  # undefined agreement sorts last
            votes = pd.Series(predictions.answers[:, stimulus]).loc[lambda given: given >= 0].value_counts()
            told = " | ".join(f"{predictions.categories[answer]} ({count})" for answer, count in votes.items())
            label = predictions.categories[predictions.labels[stimulus]] if predictions.labels[stimulus] >= 0 else ""
            rows.append(
                {"contrastive": name, "position": int(stimulus), "stimulus": predictions.stimuli[stimulus]}
                | {"agreement": float(per_stimulus[stimulus]), "label": label, "answers": told}
            )
    return pd.DataFrame(rows)


# ---------------------------------------------------------------------------------------------------------------------
# Tables for the page


def stacked(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of several sets of answers below one another, the set's name in the first column."""
    return pd.concat([table.assign(set=name) for name, table in tables.items()], ignore_index=True)


def told_source(parameters) -> str:
    """Whose answers the page is about, in a sentence."""
    if parameters.models != "zoo":
        return "The answers further down are those of your line-up to your pictures."
    whose = "theirs" if parameters.predictions == "zoo" else "those of your file"
    return f"The answers further down are {whose}."


def told_floor(pairs: pd.DataFrame) -> dict[str, str]:
    """How much of the agreement accuracy enforces, and how much there is beyond independent errors, set by set."""
    if pairs["floor"].isna().all():
        return dict.fromkeys(("enforced", "excess"), "not known without labels")
    sums = pairs.groupby("set", sort=False)[["floor", "agreement"]].sum()
    excess = (pairs["agreement"] - pairs["independent"]).groupby(pairs["set"], sort=False).mean()
    found = {
        "enforced": (sums["floor"] / sums["agreement"]).map("{:.0%}".format),
        "excess": excess.map("{:.3f}".format),
    }
    return {name: ", ".join(f"{share} ({key})" for key, share in shares.items()) for name, shares in found.items()}


def described_answers(predictions: Predictions) -> dict[str, str]:
    """What a table of answers holds, and what is missing from it."""
    accuracies, found = predictions.accuracies, agreement(predictions)
    return {
        "models": f"{len(predictions.models)}",
        "stimuli": f"{len(predictions.stimuli):,}",
        "categories": f"{len(predictions.categories):,}",
        "accuracy of the models": "not known"
        if np.isnan(accuracies).all()
        else f"{np.nanmin(accuracies):.2f} to {np.nanmax(accuracies):.2f}",
        "κ on all stimuli": f"{found.kappa:.3f}",
        "stimuli that all answered": f"{int((predictions.answers >= 0).all(0).sum()):,}",
        **{name: f"{count:,}" for name, count in predictions.left_out.items()},
    }

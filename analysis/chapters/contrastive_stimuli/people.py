"""The chapter's experiments with people's answers: public tables in, tidy tables out."""

import warnings
from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.chapters.contrastive_stimuli.experiments import agreement, chosen, mean_of_halves, random_halves
from analysis.data.answers import ModelVsHuman, Predictions
from analysis.data.categories import CIFAR10
from analysis.intervals import Measured, bootstrap_interval, spearman
from analysis.measures.agreement import fleiss_kappa, stimulus_agreement
from analysis.measures.error_consistency import correctness, error_consistency_matrix
from analysis.measures.kappa_bootstrap import bootstrap_kappa
from analysis.progress import steps

# ---------------------------------------------------------------------------------------------------------------------
# Networks and people on the same images


def described(sets: dict[str, ModelVsHuman]) -> pd.DataFrame:
    """What each image set holds and what is missing from it, one row a set and kind of observer."""
    rows = []
    for name, both in sets.items():
        for kind, table in {"networks": both.networks, "people": both.humans}.items():
            row = {"images": len(table.stimuli), "observers": len(table.models), "accuracy": table.accuracies.mean()}
            rows.append({"set": name, "who": kind} | row | table.left_out)
    return pd.DataFrame(rows)


def kappas(sets: dict[str, ModelVsHuman], share: float, *, seed: int = 0) -> pd.DataFrame:
    """κ of networks and of people, on all images and on a share of them: those on which the networks agree least.

    `low` and `high` bound the bootstrap over observers.
    """
    rows = []
    for name, both in sets.items():
        contrastive = chosen(both.networks, contrastive_size(both, share))
        for kind, table in {"networks": both.networks, "people": both.humans}.items():
            for images, columns in {"all": slice(None), "contrastive": contrastive}.items():
                found = _kappa(table.answers[:, columns], len(table.categories), seed)
                rows.append({"set": name, "who": kind, "images": images} | found)
    return pd.DataFrame(rows)


def _kappa(answers: np.ndarray, n_categories: int, seed: int) -> dict[str, float]:
    with warnings.catch_warnings():  # a resample of one observer alone has no κ, and the interval leaves it out
        warnings.filterwarnings("ignore", "Fleiss' kappa", RuntimeWarning)
        found = bootstrap_kappa(answers, n_categories, over="models", n_resamples=500, seed=seed)
    return {"kappa": found.kappa.value, "low": found.kappa.low, "high": found.kappa.high}


def contrastive_size(both: ModelVsHuman, share: float) -> int:
    """How many images a share of the set is, at least two."""
    return max(2, round(share * len(both.networks.stimuli)))


def shared_contrast(sets: dict[str, ModelVsHuman], *, n_splits: int, seed: int = 0) -> pd.DataFrame:
    """Rank correlation of agreement per image between networks and people, with its interval over images.

    Beside it, the same correlation between random halves of the networks, and of the people: what few observers leave
    of an order that they share.
    """
    rows = []
    for name, both in steps(sets.items(), "agreement of people and networks", len(sets)):
        columns = np.stack([agreement(table).per_stimulus for table in (both.networks, both.humans)])
        columns = columns[:, np.isfinite(columns).all(0)]
        measured = bootstrap_interval(spearman, *columns, over="images", n_resamples=500, seed=seed)
        rows.append(
            {"set": name, "rho": measured.value, "low": measured.low, "high": measured.high}
            | {"networks with networks": between_halves(both.networks, n_splits, seed).value}
            | {"people with people": between_halves(both.humans, n_splits, seed).value}
        )
    return pd.DataFrame(rows)


def between_halves(table: Predictions, n_splits: int, seed: int) -> Measured:
    """Rank correlation of agreement per image between random halves of the observers."""
    found = []
    for half in list(random_halves(np.zeros(len(table.models), np.int64), n_splits, seed))[::2]:
        pair = np.stack([agreement(table.of(mask)).per_stimulus for mask in (half, ~half)])
        found.append(spearman(*pair[:, np.isfinite(pair).all(0)]))
    return mean_of_halves(pd.Series(found))


def error_consistencies(sets: dict[str, ModelVsHuman], share: float, *, n_splits: int, seed: int = 0) -> pd.DataFrame:
    """Error consistency between people and networks, on all images and on contrastive ones; a row a set and half.

    One half of the networks chooses the images, the error consistency is that of the other half with all people,
    averaged over pairs. `undefined` counts the pairs that are left out: both right, or both wrong, on every image.
    """
    rows = []
    for name, both in steps(sets.items(), "error consistency", len(sets)):
        bins = np.zeros(len(both.networks.models), np.int64)
        for number, half in enumerate(random_halves(bins, n_splits, seed)):
            images = chosen(both.networks.of(half), contrastive_size(both, share))
            others = both.networks.of(~half)
            found = [_consistency(both.humans, others, columns) for columns in (slice(None), images)]
            row = {"set": name, "half": number, "all": found[0][0], "contrastive": found[1][0]}
            rows.append(row | {"undefined": found[1][1]})
    return pd.DataFrame(rows)


def _consistency(people: Predictions, networks: Predictions, images) -> tuple[float, int]:
    right = [correctness(table.answers[:, images], table.labels[images]) for table in (people, networks)]
    with warnings.catch_warnings():  # undefined pairs are counted instead
        warnings.filterwarnings("ignore", "Error consistency", RuntimeWarning)
        kappa = error_consistency_matrix(*right).kappa
    return float(np.nanmean(kappa)), int(np.isnan(kappa).sum())


def by_set(table: pd.DataFrame) -> pd.DataFrame:
    """Error consistencies and their drop for each set: means over halves, and the interval that holds 95 % of them."""
    rows = []
    for name, found in table.groupby("set", sort=False):
        drop = mean_of_halves(found["all"] - found["contrastive"])
        means = {"all": found["all"].mean(), "contrastive": found["contrastive"].mean()}
        rows.append({"set": name} | means | {"drop": drop.value, "low": drop.low, "high": drop.high})
    return pd.DataFrame(rows)


# ---------------------------------------------------------------------------------------------------------------------
# CIFAR-10H


def cifar_kappas(counts: np.ndarray, *, n_draws: int = 5, seed: int = 0) -> pd.DataFrame:
    """κ of people who label CIFAR-10 images: as they are, and with equal numbers of them drawn for every image."""
    measured = bootstrap_interval(fleiss_kappa, counts, over="images", n_resamples=300, seed=seed)
    fewest = int(counts.sum(1).min())
    drawn = [fleiss_kappa(equal_raters(counts, fewest, seed + draw)) for draw in range(n_draws)]
    raters = f"{fewest} to {int(counts.sum(1).max())}"
    return pd.DataFrame(
        [
            {"people an image": raters, "kappa": measured.value, "low": measured.low, "high": measured.high},
            {"people an image": f"{fewest}, drawn {n_draws} times", "kappa": np.mean(drawn)}
            | {"low": min(drawn), "high": max(drawn)},
        ]
    )


def equal_raters(counts: np.ndarray, n_raters: int, seed: int) -> np.ndarray:
    """Counts of as many answers for every image, drawn without replacement."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.multivariate_hypergeometric(row, n_raters) for row in counts])


def cifar_agreement(counts: np.ndarray) -> pd.DataFrame:
    """Agreement and commonest answers of every image, the most contrastive first."""
    order = np.argsort(stimulus_agreement(counts), kind="stable")
    commonest = np.argsort(-counts, axis=1, kind="stable")
    rows = {"image": order, "agreement": stimulus_agreement(counts)[order], "people": counts.sum(1)[order]}
    rows["answers"] = [told(counts[image], commonest[image]) for image in order]
    return pd.DataFrame(rows)


def told(counts: np.ndarray, order: Iterable[int], n_shown: int = 3) -> str:
    """The commonest answers in words: ``"cat (25), dog (20)"``."""
    return ", ".join(f"{CIFAR10[answer]} ({counts[answer]})" for answer in list(order)[:n_shown] if counts[answer])

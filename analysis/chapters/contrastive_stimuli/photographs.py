"""Published networks and people on the same 10,000 photographs: joined by id, tidy tables out."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.chapters.contrastive_stimuli import lineups
from analysis.chapters.contrastive_stimuli.experiments import agreement, chosen
from analysis.chapters.contrastive_stimuli.people import between_halves
from analysis.chapters.contrastive_stimuli.representations import MOTIFS
from analysis.data.answers import Predictions
from analysis.data.cifar10 import load_cifar10_networks
from analysis.data.joining import join
from analysis.intervals import Measured, bootstrap_interval, spearman
from analysis.measures.agreement import fleiss_kappa, stimulus_agreement
from analysis.models.study import CIFAR10H, Study, study_of
from analysis.progress import steps
from analysis.runs.verdicts import Noise

LINE_UP = PICTURES = "cifar10"
PUBLISHED, ROBUST = "published answers", "robust"
LIKE = 0.05
"""Robustly trained networks whose accuracies differ by no more than this are compared by motif."""
SHUFFLED = "networks' photographs shuffled"


@dataclass(frozen=True, eq=False)
class Photographs:
    """Everybody's answers to the same photographs.

    Attributes
    ----------
    study : Study
        The line-up, its representations included.
    networks : Predictions
        Answers of its trained networks and of those whose answers are published.
    groups : numpy.ndarray of str, shape (n_networks,)
        How a network was trained, or `PUBLISHED`.
    people : integer array of shape (n_photographs, n_categories)
        How many people gave each answer.
    """

    study: Study
    networks: Predictions
    groups: np.ndarray
    people: np.ndarray

    def of(self, group: str) -> Predictions:
        """The networks of one group."""
        return self.networks.of(self.groups == group)


def load() -> Photographs:
    """The CIFAR-10 line-up, the networks whose answers are published, and people (CIFAR-10H)."""
    study = study_of(LINE_UP, PICTURES, people=CIFAR10H)
    line_up, published = lineups.answers_of(study), load_cifar10_networks().predictions
    if line_up.categories != published.categories:
        raise ValueError(f"'categories' must be those of the line-up, got {', '.join(published.categories)}.")
    rows = join({"line-up": line_up.stimuli, "published": published.stimuli}).positions
    answers = np.concatenate([line_up.answers[:, rows["line-up"]], published.answers[:, rows["published"]]])
    labels, people = line_up.labels[rows["line-up"]], study.people[rows["line-up"]]
    stimuli = tuple(line_up.stimuli[row] for row in rows["line-up"])
    names = (*line_up.models, *published.models)
    networks = Predictions(answers, labels, names, stimuli, line_up.categories, line_up.left_out)
    training = study.models.loc[list(line_up.models), "training"]
    return Photographs(study, networks, np.array([*training, *[PUBLISHED] * len(published.models)]), people)


def described(both: Photographs) -> pd.DataFrame:
    """How many networks of each group there are, how accurate they are, and how far they agree; people below."""
    rows = []
    for group in dict.fromkeys(both.groups):
        table = both.of(group)
        low, high = table.accuracies.min(), table.accuracies.max()
        rows.append([group, len(table.models), f"{low:.3f} to {high:.3f}", agreement(table).kappa])
    counts, labels = both.people, both.networks.labels
    right = counts[np.arange(len(labels)), labels].sum() / counts.sum()
    per_photograph = counts.sum(1)
    rows.append(
        ["people", f"{per_photograph.min()} to {per_photograph.max()}", f"{right:.3f} (mean)", fleiss_kappa(counts)]
    )
    return pd.DataFrame(rows, columns=["who", "how many", "accuracy", "κ"]).set_index("who")


# ---------------------------------------------------------------------------------------------------------------------
# Are people split where networks are?


def entropy(counts: np.ndarray) -> np.ndarray:
    """Entropy of the answers to each photograph in bits: 0 = all the same."""
    shares = counts / counts.sum(1, keepdims=True)
    return -np.where(shares > 0, shares * np.log2(np.where(shares > 0, shares, 1)), 0).sum(1)


def shared_contrast(both: Photographs, *, n_splits: int, seed: int = 0) -> pd.DataFrame:
    """Rank correlation of agreement per photograph between people and each group of networks, and all together.

    Beside it the correlation with people's entropy (its sign turned), and that within each kind of observer: random
    halves of the networks, of the people. These say what so few observers leave of an order that they share.
    """
    theirs, unsure = stimulus_agreement(both.people), entropy(both.people)
    ceiling = people_with_people(both.people, n_splits, seed)
    tables = {"all networks": both.networks} | {group: both.of(group) for group in dict.fromkeys(both.groups)}
    rows = []
    for name, table in steps(tables.items(), "agreement of people and networks", len(tables)):
        ours = agreement(table).per_stimulus
        rho = bootstrap_interval(spearman, ours, theirs, over="photographs", n_resamples=500, seed=seed)
        row = {"set": name, "networks": len(table.models), "rho": rho.value, "low": rho.low, "high": rho.high}
        row["with entropy"] = spearman(ours, -unsure)
        row["networks with networks"] = between_halves(table, n_splits, seed).value
        rows.append(row | {"people with people": ceiling})
    return pd.DataFrame(rows)


def people_with_people(counts: np.ndarray, n_splits: int, seed: int) -> float:
    """Mean rank correlation of agreement per photograph between random halves of the answers to each."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(n_splits):
        half = np.stack([rng.multivariate_hypergeometric(row, row.sum() // 2) for row in counts])
        found.append(spearman(stimulus_agreement(half), stimulus_agreement(counts - half)))
    return float(np.mean(found))


def people_and_networks(networks: Predictions, counts: np.ndarray, *, seed: int = 0) -> Measured:
    """Rank correlation over photographs of the agreement of networks and of people."""
    columns = agreement(networks).per_stimulus, stimulus_agreement(counts)
    return bootstrap_interval(spearman, *columns, over="photographs", n_resamples=500, seed=seed)


def nearer(both: Photographs, groups: np.ndarray | None = None, *, seed: int = 0) -> Measured:
    """How much better the agreement of the published networks follows people's than that of robust ones does.

    `groups` takes the place of the networks' own, for noise.
    """
    groups = both.groups if groups is None else groups
    columns = [agreement(both.networks.of(groups == group)).per_stimulus for group in (PUBLISHED, ROBUST)]

    def difference(first: np.ndarray, second: np.ndarray, theirs: np.ndarray) -> float:
        return spearman(first, theirs) - spearman(second, theirs)

    theirs = stimulus_agreement(both.people)
    return bootstrap_interval(difference, *columns, theirs, over="photographs", n_resamples=300, seed=seed)


def people_drop(networks: Predictions, counts: np.ndarray, k: int, *, seed: int = 0) -> Measured:
    """κ of people on all photographs minus on the k that split the networks, in whose choice people had no part."""
    contrastive = np.zeros(len(counts), bool)
    contrastive[chosen(networks, k)] = True

    def drop(rows: np.ndarray) -> float:
        return fleiss_kappa(counts[rows]) - fleiss_kappa(counts[rows[contrastive[rows]]])

    return bootstrap_interval(drop, np.arange(len(counts)), over="photographs", n_resamples=300, seed=seed)


# ---------------------------------------------------------------------------------------------------------------------
# Null checks


def _permuted(networks: Predictions, seed: int) -> Predictions:
    """The networks' answers to the photographs in another order, the same for all networks."""
    order = np.random.default_rng(seed).permutation(len(networks.stimuli))
    return replace(networks, answers=networks.answers[:, order])


def shuffled_people(both: Photographs, n_runs: int = 10) -> Noise:
    """What `people_and_networks` makes of networks that saw other photographs."""
    tables = [_permuted(both.networks, seed) for seed in range(n_runs)]
    return Noise(SHUFFLED, [people_and_networks(table, both.people) for table in tables])


def shuffled_drop(both: Photographs, k: int, n_runs: int = 10) -> Noise:
    """What `people_drop` makes of networks that saw other photographs."""
    return Noise(SHUFFLED, [people_drop(_permuted(both.networks, seed), both.people, k) for seed in range(n_runs)])


def shuffled_nearer(both: Photographs, n_runs: int = 10) -> Noise:
    """What `nearer` makes of published and robust networks that are dealt out at random."""
    compared = np.isin(both.groups, (PUBLISHED, ROBUST))
    runs = []
    for seed in range(n_runs):
        groups = both.groups.copy()
        groups[compared] = np.random.default_rng(seed).permutation(groups[compared])
        runs.append(nearer(both, groups))
    return Noise("published and robust networks dealt out at random", runs)


# ---------------------------------------------------------------------------------------------------------------------
# Convolution and attention


def alike_in_accuracy(study: Study) -> Study:
    """The robustly trained attention networks, and the convolutional ones that are within `LIKE` of one of them."""
    answers = study.answers
    accuracy = pd.Series(answers.accuracies, list(answers.models))
    robust = study.models[study.models["training"] == ROBUST]
    convolution, attention = (robust.index[robust["motif"] == motif] for motif in MOTIFS)
    near = [name for name in convolution if (accuracy[attention] - accuracy[name]).abs().min() <= LIKE]
    return study.of([*near, *attention])


# ---------------------------------------------------------------------------------------------------------------------
# Contact sheet

SPLIT = {
    "both": "both are split",
    "networks": "networks are split, people agree",
    "people": "people are split, networks agree",
}


def contact_sheet(both: Photographs, n_shown: int = 6) -> pd.DataFrame:
    """Photographs that split both, the networks alone, and people alone, with everybody's answers."""
    ours, theirs = agreement(both.networks).per_stimulus, stimulus_agreement(both.people)
    ranks = {name: pd.Series(values).rank(pct=True).to_numpy() for name, values in (("n", ours), ("p", theirs))}
    scores = {
        "both": np.maximum(ranks["n"], ranks["p"]),
        "networks": ranks["n"] - ranks["p"],
        "people": ranks["p"] - ranks["n"],
    }
    networks = both.networks
    counts = np.stack([(networks.answers == place).sum(0) for place in range(len(networks.categories))], axis=1)
    rows = []
    for kind, score in scores.items():
        for photograph in np.argsort(score, kind="stable")[:n_shown]:
            row = {"split": SPLIT[kind], "photograph": int(photograph), "stimulus": networks.stimuli[photograph]}
            row |= {"label": networks.categories[networks.labels[photograph]]}
            row |= {"agreement of networks": ours[photograph], "agreement of people": theirs[photograph]}
            row |= {"networks": _told(counts[photograph], networks.categories)}
            rows.append(row | {"people": _told(both.people[photograph], networks.categories)})
    return pd.DataFrame(rows)


def _told(counts: np.ndarray, categories: tuple[str, ...]) -> str:
    order = np.argsort(-counts, kind="stable")
    return " | ".join(f"{categories[place]} ({counts[place]})" for place in order if counts[place])

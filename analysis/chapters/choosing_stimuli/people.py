"""People's trials: do chosen triplets agree sooner with all answers, and what do contested trials cost people?"""

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from analysis.data import registry
from analysis.data.things import TRIALS, load_embeddings
from analysis.intervals import Measured
from analysis.recovery.design import triplet_scores
from analysis.recovery.observers import load_things_triplets
from analysis.recovery.probes import fit_probes
from analysis.recovery.triplets import calibrate_temperature, choice_probabilities

MOCHI = "mochi/benchmark.csv"
POLICIES = ("random", "disagreement", "information")
FEWEST = 20
"""Trials of a condition that still says something."""
_PENALTY, _FOLDS = 0.01, 5


def load_things() -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """The embeddings, the 1,000 triplets, and of every answer its triplet and position beside who gave it.

    Returns
    -------
    embeddings, triplets, answers, subjects
        By name (1854, dimensions); (1000, 3); (n, 2) number of the triplet and position in it; (n,).
    """
    tables = load_embeddings()
    observer = load_things_triplets(registry.public_path(TRIALS["1,000 triplets"]))
    ordered = np.sort(observer.triplets, axis=1)
    triplets, number = np.unique(ordered, axis=0, return_inverse=True)
    odd = np.take_along_axis(observer.triplets, observer.choices[:, None], axis=1)
    position = (triplets[number.ravel()] == odd).argmax(axis=1)
    return tables, triplets, np.stack([number.ravel(), position], axis=1), observer.subjects


def counts_of(answers: np.ndarray, n_triplets: int) -> np.ndarray:
    """How many answers named each position of each triplet (n_triplets, 3)."""
    counts = np.zeros((n_triplets, 3))
    np.add.at(counts, (answers[:, 0], answers[:, 1]), 1)
    return counts


def predictions(tables, triplets: np.ndarray, counts: np.ndarray, transform: str, ceiling: float) -> np.ndarray:
    """What each embedding predicts (n_models, n, 3): as it is, or diagonal, fitted to the answers of other triplets."""
    found = []
    for table in tables.values():
        if transform == "zero-shot":
            similarity = table @ table.T
            temperature = calibrate_temperature(similarity, triplets, ceiling)
            found.append(choice_probabilities(similarity, triplets, temperature))
            continue
        fold = np.arange(len(triplets)) % _FOLDS
        answered = counts.sum(axis=1) > 0
        data = [(triplets[(fold != f) & answered], counts[(fold != f) & answered]) for f in range(_FOLDS)]
        fits = fit_probes([table], data, penalties=[_PENALTY], transform="diagonal", tolerance=1e-5)[0]
        chances = np.empty((len(triplets), 3))
        for f, (probe,) in enumerate(fits):
            chances[fold == f] = choice_probabilities(probe.similarity(table), triplets[fold == f])
        found.append(chances)
    return np.stack(found)


def consistency(
    tables, triplets, answers, subjects, *, sizes, n_splits: int, ceiling: float, seed: int
) -> pd.DataFrame:
    """Does the winner by k answers of one half of the subjects win by all answers of the other half? 1 = yes.

    One row a transform, policy, split of the subjects and k. Triplets are ordered without their answers; one answer to
    each is drawn from the first half, and the winner is the embedding under which the answers are likeliest.
    """
    rows, people = [], np.unique(subjects)
    for split in range(n_splits):
        rng = np.random.default_rng([seed, split])
        first = np.isin(subjects, rng.permutation(people)[: len(people) // 2])
        ours, theirs = (counts_of(answers[part], len(triplets)) for part in (first, ~first))
        for transform in ("zero-shot", "diagonal"):
            predicted = predictions(tables, triplets, ours, transform, ceiling)
            logs = np.log(predicted)
            winner = (theirs * logs).sum(axis=(1, 2)).argmax()
            drawn = _one_answer_each(ours, rng)
            known = np.flatnonzero(drawn >= 0)
            gained = logs[:, known, drawn[known]]
            for policy in POLICIES:
                scores = triplet_scores(predicted[:, known], policy, seed=rng)
                order = np.lexsort([rng.random(len(known)), -scores])
                totals = gained[:, order].cumsum(axis=1)
                rows += [(transform, policy, split, k, float(totals[:, min(k, len(order)) - 1].argmax() == winner))
                         for k in sizes]  # fmt: skip
    return pd.DataFrame(rows, columns=["transform", "policy", "split", "k", "consistent"])


def _one_answer_each(counts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The position of one answer of each triplet, drawn at random; −1 where there is none."""
    totals = counts.sum(axis=1)
    below = rng.random(len(counts)) * totals
    return np.where(totals > 0, (below[:, None] >= counts.cumsum(axis=1)[:, :2]).sum(axis=1), -1)


def consistency_gain(table: pd.DataFrame, transform: str, policy: str) -> Measured:
    """How much more often the winner is the same with a policy than at random, mean over k; over halves of subjects."""
    rows = table[table["transform"] == transform]
    mean = rows.pivot_table("consistent", "split", "policy", aggfunc="mean")
    draws = (mean[policy] - mean["random"]).to_numpy()
    return Measured.from_draws(draws.mean(), draws, f"of {len(draws)} halves of the subjects")


def load_mochi() -> tuple[pd.DataFrame, np.ndarray]:
    """People's accuracy and reaction time by trial and condition, and the margins of 11 networks (n_trials, 11).

    Conditions of fewer than `FEWEST` trials are left out; ``left_out`` in the table's attributes counts their trials.
    """
    table = pd.read_csv(registry.public_path(MOCHI))
    margins = table.filter(regex="_svm_avg$")
    if margins.shape[1] != 11 or margins.isna().any().any():
        raise ValueError(f"'{MOCHI}' must hold margins of 11 networks without a gap, got {margins.shape[1]} columns.")
    condition = table["dataset"] + ", " + table["condition"]
    large = condition.map(condition.value_counts()) >= FEWEST
    people = pd.DataFrame({"condition": condition, "accuracy": table["human_accuracy"], "time": table["human_rt"]})
    people = people[large].reset_index(drop=True)
    people.attrs["left_out"] = int((~large).sum())
    return people, margins[large].to_numpy(float)


def contested(people: pd.DataFrame, margins: np.ndarray, *, n_halves: int, seed: int) -> pd.DataFrame:
    """What goes with the spread of margins over one half of the networks: rank correlations within condition.

    One row a half: with people's ``time``, with their ``accuracy``, and with the spread over the ``other half``. In
    each the trials of every condition are resampled too, so that the rows spread as another sample would.
    """
    groups = [np.flatnonzero(people["condition"] == name) for name in sorted(set(people["condition"]))]
    rows = []
    for half in range(n_halves):
        rng = np.random.default_rng([seed, half])
        networks = rng.permutation(margins.shape[1])
        cut = len(networks) // 2
        one, other = (margins[:, part].std(axis=1) for part in (networks[:cut], networks[cut:]))
        drawn = [rng.choice(group, len(group)) for group in groups]
        values = {"time": people["time"].to_numpy(), "accuracy": people["accuracy"].to_numpy(), "other half": other}
        rows.append({name: _within(one, value, drawn) for name, value in values.items()})
    return pd.DataFrame(rows)


def shuffled(people: pd.DataFrame, margins: np.ndarray, seed: int) -> np.ndarray:
    """The margins of other trials of the same condition, the same for all networks."""
    order = np.arange(len(people))
    for name in set(people["condition"]):
        rows = np.flatnonzero(people["condition"] == name)
        order[rows] = np.random.default_rng([seed, len(rows), rows[0]]).permutation(rows)
    return margins[order]


def _within(x: np.ndarray, y: np.ndarray, groups: list[np.ndarray]) -> float:
    """Correlation of ranks within groups, each group's ranks centred and scaled to the same spread."""
    ranked = []
    for values in (x, y):
        ranks = [rankdata(values[group]) / len(group) for group in groups]
        ranked.append(np.concatenate([rank - rank.mean() for rank in ranks]))
    return float(np.corrcoef(*ranked)[0, 1])


def correlation_of(table: pd.DataFrame, name: str) -> Measured:
    """Mean over halves of the networks and resamples of the trials, with the interval that holds 95 % of them."""
    return Measured.from_draws(table[name].mean(), table[name], f"of {len(table)} halves with resampled trials")

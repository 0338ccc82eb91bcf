"""The run on THINGS: five human-derived embeddings of 1,854 objects, and answers of people."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.data import registry
from analysis.data.things import TRIALS
from analysis.intervals import Measured
from analysis.recovery.observers import Observer, load_things_triplets
from analysis.recovery.people import others_answer, triplet_numbers
from analysis.recovery.triplets import calibrate_temperature, choice_probabilities, draw_triplets, sample_choices


def load_trials() -> dict[str, Observer]:
    """People's answers; the first set has twenty answers to each triplet and says who gave them."""
    return {name: load_things_triplets(registry.public_path(file)) for name, file in TRIALS.items()}


def one_answer_each(trials: dict[str, Observer], seed: int = 0) -> Observer:
    """All different triplets with one random answer of each, so that no answer helps to predict its own repetition."""
    triplets = np.concatenate([observer.triplets for observer in trials.values()])
    choices = np.concatenate([observer.choices for observer in trials.values()])
    order = np.random.default_rng(seed).permutation(len(triplets))
    _, first = np.unique(np.sort(triplets[order], axis=1), axis=0, return_index=True)
    kept = np.sort(order[first])
    return Observer(triplets[kept], choices[kept])


@dataclass(frozen=True, eq=False)
class Answers:
    """Which answers each embedding predicts.

    `right` has one row an answer and one column an embedding; `triplet` and `subject` are numbers of the triplet and of
    the person who answered (None where the file does not say).
    """

    right: pd.DataFrame
    triplet: np.ndarray
    subject: np.ndarray | None


def predicted(embeddings: dict[str, np.ndarray], observer: Observer) -> Answers:
    """Whether the most similar pair of each embedding, as it is, leaves the object that the person named."""
    right = {}
    for name, table in embeddings.items():
        chances = choice_probabilities(table @ table.T, observer.triplets)
        right[name] = (chances.argmax(axis=1) == observer.choices).astype(float)
    return Answers(pd.DataFrame(right), triplet_numbers(observer), observer.subjects)


def clustered_mean(
    values: np.ndarray, clusters: np.ndarray, *, over: str, n_resamples: int = 4000, seed: int = 0
) -> Measured:
    """Mean with a bootstrap interval that draws whole clusters with replacement.

    Answers of one person, or to one triplet, are not independent; drawing single answers would promise too much.
    """
    _, member = np.unique(clusters, return_inverse=True)
    sums, counts = np.bincount(member, values), np.bincount(member)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=n_resamples)
    return Measured.from_draws(np.mean(values), (drawn @ sums) / (drawn @ counts), f"bootstrap, {len(sums)} {over}")


def accuracy_table(answers: dict[str, Answers]) -> pd.DataFrame:
    """Accuracy of each embedding and its lead over the most accurate one, with intervals by triplet and by subject.

    One row a set of trials, embedding and kind of cluster: ``accuracy``, ``low``, ``high``, and ``lead`` (own accuracy
    − that of the best of the others) with ``lead_low`` and ``lead_high``.
    """
    rows = []
    for trials, seen in answers.items():
        for cluster, members in {"triplet": seen.triplet, "subject": seen.subject}.items():
            if members is not None:
                rows += [{"trials": trials, "cluster": cluster, **_row(seen.right, name, members, cluster)}
                         for name in seen.right]  # fmt: skip
    return pd.DataFrame(rows)


def _row(right: pd.DataFrame, name: str, members: np.ndarray, cluster: str) -> dict:
    rival = right.drop(columns=name).mean().idxmax()
    own = clustered_mean(right[name].to_numpy(), members, over=f"{cluster}s")
    lead = clustered_mean((right[name] - right[rival]).to_numpy(), members, over=f"{cluster}s")
    return {"embedding": name, "accuracy": own.value, "low": own.low, "high": own.high,
            "rival": rival, "lead": lead.value, "lead_low": lead.low, "lead_high": lead.high}  # fmt: skip


def agreement_ceiling(observer: Observer) -> float:
    """Share of answers that the most frequent answer of the *others* to the same triplet would have predicted.

    Ties share the credit. Answers to triplets that nobody else answered are left out.
    """
    return float(np.nanmean(others_answer(observer)))


@dataclass(frozen=True)
class Needed:
    """What it takes to tell two embeddings apart: `lead` and `spread` of the difference per answer, `n` answers."""

    lead: float
    spread: float
    n: float


def trials_needed(lead: float, spread: float, *, power: float = 0.8, level: float = 0.95) -> Needed:
    """Answers to different triplets at which the lead's interval excludes 0 with this power (normal approximation).

    Examples
    --------
    >>> round(trials_needed(0.1, 1.0).n)
    785
    """
    quantiles = norm.ppf((1 + level) / 2) + norm.ppf(power)
    return Needed(lead, spread, (quantiles * spread / lead) ** 2 if lead else np.inf)


def simulated_lead(
    embeddings: dict[str, np.ndarray],
    true: str,
    rival: str,
    *,
    ceiling: float,
    n_triplets: int,
    seed: int,
) -> Needed:
    """Simulated: `true` answers with calibrated noise; how many answers tell it from `rival`, both as they are."""
    triplets = draw_triplets(len(embeddings[true]), n_triplets, [seed, 0])
    similarity = embeddings[true] @ embeddings[true].T
    temperature = calibrate_temperature(similarity, triplets, ceiling)
    choices = sample_choices(similarity, triplets, [seed, 1], temperature)
    both = {name: embeddings[name] for name in (true, rival)}
    right = predicted(both, Observer(triplets, choices)).right
    difference = right[true] - right[rival]
    return trials_needed(float(difference.mean()), float(difference.std()))


def all_leads(
    embeddings: dict[str, np.ndarray], *, ceiling: float, n_triplets: int = 200_000, seed: int = 0
) -> pd.DataFrame:
    """Simulated lead and answers needed for every ordered pair of embeddings."""
    rows = []
    for true in embeddings:
        for rival in embeddings:
            if rival != true:
                found = simulated_lead(embeddings, true, rival, ceiling=ceiling, n_triplets=n_triplets, seed=seed)
                rows.append({"true": true, "rival": rival, "lead": found.lead, "answers": found.n})
    return pd.DataFrame(rows)

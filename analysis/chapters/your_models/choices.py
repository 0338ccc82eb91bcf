"""The page's part about people's odd-one-out choices: which of the models predicts them, and how much that says."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.cache import cache_dir
from analysis.chapters.your_models.experiments import FEWEST_OBJECTS, MOST_OBJECTS
from analysis.chapters.your_models.parameters import repetitions
from analysis.intervals import Measured
from analysis.models.study import Study
from analysis.recovery.features import normalised
from analysis.recovery.observers import Observer
from analysis.recovery.people import others_answer, prediction_of_people, share_predicted
from analysis.recovery.planning import planned_recovery
from analysis.recovery.trials import load_trials


@dataclass(frozen=True, eq=False)
class Choices:
    """People's choices beside the models' predictions.

    Attributes
    ----------
    people : Observer
        Their triplets; rows of the objects that were shown.
    n_objects : int
        Objects that were shown.
    table : pandas.DataFrame
        One row a transform and model: ``accuracy`` with ``low``, ``high``, ``n_answers``; ``behind`` the best one, with
        ``behind_low``, ``behind_high``; and what intervals ``draw``.
    ceiling : Measured or None
        How well other people's answers predict an answer; None where none repeat.
    recovery : pandas.DataFrame
        What simulated studies of as many answers recover, as from `planned_recovery`; empty if objects are too few.
    """

    people: Observer
    n_objects: int
    table: pd.DataFrame
    ceiling: Measured | None
    recovery: pd.DataFrame


def choices(study: Study, path: str, *, seed: int) -> Choices | None:
    """What a file of people's choices says about the models of a study; None without a file (``"none"``)."""
    if path == "none":
        return None
    people = load_trials(path, study.stimuli, missing="count")
    objects = np.unique(people.triplets)
    people = replace(people, triplets=np.searchsorted(objects, people.triplets))
    features = {name: normalised(table) for name, table in study.last(objects).items()}
    right = prediction_of_people(features, people, seed=seed, cache=cache_dir() / "recovery")
    table = pd.concat([_ranked(share, people, seed).assign(transform=name) for name, share in right.items()])
    credit = others_answer(people)
    ceiling = share_predicted(credit, people, seed=seed) if np.isfinite(credit).any() else None
    found = _recovered(features, len(people.triplets), ceiling, seed)
    return Choices(people, len(objects), table.reset_index(drop=True), ceiling, found)


def _ranked(right: pd.DataFrame, people: Observer, seed: int) -> pd.DataFrame:
    """The models by accuracy, and how far each is behind the best one on the same answers."""
    best = right.mean().idxmax()
    rows = []
    for name, values in right.items():
        own = share_predicted(values.to_numpy(), people, seed=seed)
        behind = share_predicted((right[best] - values).to_numpy(), people, seed=seed)
        rows.append(
            {"model": name, "accuracy": own.value, "low": own.low, "high": own.high}
            | {"behind": behind.value, "behind_low": behind.low, "behind_high": behind.high}
            | {"n_answers": int(values.notna().sum()), "draw": own.interval.partition(", ")[2]}
        )
    return pd.DataFrame(rows).sort_values("accuracy", ascending=False, kind="stable")


def _recovered(features: dict, n_answers: int, ceiling: Measured | None, seed: int) -> pd.DataFrame:
    n_objects = len(next(iter(features.values())))
    if n_objects < FEWEST_OBJECTS or n_answers < 10:
        return pd.DataFrame()
    shown = np.sort(np.random.default_rng(seed).permutation(n_objects)[:MOST_OBJECTS])
    noise = {} if ceiling is None else {"ceiling": float(np.clip(ceiling.value, 0.35, 0.99))}
    return planned_recovery(
        {name: table[shown] for name, table in features.items()},
        n_answers,
        n_seeds=repetitions(len(features)),
        seed=seed,
        cache=cache_dir() / "recovery",
        **noise,
    )


def told_choices(found: Choices | None) -> str:
    """Who fits people's choices best, and what that is worth, in a few sentences."""
    if found is None:
        return "There is no file of people's odd-one-out choices (`triplets`), so this part is left out."
    people = found.people
    who = "people who are not told apart" if people.subjects is None else f"{len(set(people.subjects)):,} people"
    told = [f"{len(people.triplets):,} answers of {who} about {found.n_objects:,} stimuli."]
    if people.left_out:
        reasons = [f"{reason}: {count:,}" for reason, count in people.left_out.items()]
        more = f"; and {len(reasons) - 3} more reasons" if len(reasons) > 3 else ""
        told.append(f"Left out: {'; '.join(reasons[:3])}{more}.")
    told += [_told_best(rows) for _, rows in found.table.groupby("transform", sort=False)]
    if found.table["transform"].nunique() == 1:
        told.append("Too few answers are about objects of one fold, so that no transform could be tested.")
    told.append(
        "No answer repeats, so that how well people predict each other is not known."
        if found.ceiling is None
        else f"The most frequent answer of the others predicts {_percent(found.ceiling)} of the answers."
    )
    return " ".join([*told, _told_worth(found)])


def _told_best(rows: pd.DataFrame) -> str:
    best, others = rows.iloc[0], rows.iloc[1:]
    close = int((others["behind_low"] <= 0).sum())
    share = _percent(Measured(best.accuracy, best.low, best.high))
    apart = f"{close} of the {len(others)} others cannot be told from it" if close else "all others are behind it"
    if best["transform"] == "zero-shot":
        return f"As the features are, {best.model} fits best, with {share} of the answers predicted; {apart}."
    tested = f"{best.n_answers:,} answers about objects that no fitted answer was about"
    return f"With a transform fitted to the answers, {best.model} does, with {share} of {tested}; {apart}."


def _told_worth(found: Choices) -> str:
    start = "The best of these models need not be the true one, and the true one need not be among them"
    if found.recovery.empty:
        return f"{start}; with so few stimuli or answers it cannot be said how often it would be found."
    shares = {
        row.transform: f"{row.recovery:.0%} [{row.low:.0%}, {row.high:.0%}]" for row in found.recovery.itertuples()
    }
    return (
        f"{start}: in simulated studies of as many answers, which one of them generates, it is found "
        f"{shares['zero-shot']} of the time as it is, {shares['full']} once all are fitted (by luck "
        f"{found.recovery['chance'].iloc[0]:.0%})."
    )


def _percent(share: Measured) -> str:
    return f"{share.value:.0%} [{share.low:.0%}, {share.high:.0%}]"

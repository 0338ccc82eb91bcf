"""The page's tables: a study in, tidy tables out. Every one is about the models at hand; no paper is tested."""

from math import comb

import numpy as np
import pandas as pd

from analysis.cache import cache_dir
from analysis.chapters.your_models.parameters import layer_names, repetitions
from analysis.data.answers import Predictions
from analysis.measures.agreement import contrastive_stimuli, count_table, fleiss_kappa, stimulus_agreement
from analysis.models.study import UNTRAINED, Study, some, study_of
from analysis.recovery.features import normalised
from analysis.recovery.planning import planned_recovery


def study(parameters) -> Study:
    """The study that the page's parameters describe; what takes long is kept in the cache."""
    people = None if parameters.people == "none" else parameters.people
    return study_of(
        parameters.models, parameters.images, layers=layer_names(parameters.layers), pool=parameters.pool, people=people
    )


def by_training(pairs: pd.DataFrame, study: Study, score: str) -> pd.Series:
    """Mean score of pairs of models, by whether both, none or one of them was trained."""
    one, other = (pairs[side].map(study.models["training"] != UNTRAINED) for side in ("model", "other"))
    both, either = one & other, one | other
    kind = np.select([both, ~either], ["trained", "untrained"], "one of each")
    return pairs.groupby(kind)[score].mean()


# ---------------------------------------------------------------------------------------------------------------------
# Answers


def deciding(study: Study) -> Predictions | None:
    """Answers of the models that were trained, of all where fewer than two were; None without two that answer.

    A model with random weights gives one answer to nearly everything: it would pick the stimuli by itself.
    """
    answers = study.answers
    if answers is None or len(answers.models) < 2:
        return None
    chosen = np.isin(answers.models, _trained(study.models.loc[list(answers.models)]))
    return answers.of(chosen)


def _trained(models: pd.DataFrame) -> list[str]:
    """The models that were trained; all, where fewer than two are known to be."""
    trained = models.index[models["training"] != UNTRAINED]
    return list(trained if len(trained) > 1 else models.index)


def contrastive(study: Study, n_shown: int) -> pd.DataFrame:
    """The stimuli of lowest agreement, with the deciding models' and people's answers, the commonest first."""
    answers = deciding(study)
    if answers is None:
        return pd.DataFrame(columns=["stimulus", "row", "agreement", "label", "models"])
    counts = count_table(answers.answers, len(answers.categories))
    per_stimulus = stimulus_agreement(counts)
    n_shown = min(n_shown, int(np.isfinite(per_stimulus).sum()))
    rows = []
    for place in contrastive_stimuli(per_stimulus, n_shown):
        row = {"stimulus": answers.stimuli[place], "row": int(place), "agreement": float(per_stimulus[place])}
        label = answers.labels[place]
        row["label"] = answers.categories[label] if label >= 0 else ""
        row["models"] = told(counts[place], answers.categories)
        if study.people is not None:
            row["people"] = told(study.people[place], answers.categories)
        rows.append(row)
    return pd.DataFrame(rows)


def told(counts: np.ndarray, categories: tuple[str, ...]) -> str:
    """Counts in words, the commonest answer first: ``"cat (5) | dog (2)"``."""
    order = np.argsort(-counts, kind="stable")
    return " | ".join(f"{categories[place]} ({int(counts[place])})" for place in order if counts[place] > 0)


# ---------------------------------------------------------------------------------------------------------------------
# A planned study

FEWEST_OBJECTS = 30
"""Stimuli below which folds over objects leave too few triplets to say anything."""
MOST_OBJECTS = 150
"""Stimuli that a planned study shows, at most: more would only thin out its trials."""


def planned(study: Study, n_planned: int, *, seed: int) -> pd.DataFrame:
    """What the planned study would recover, without and with a flexible transform; empty below `FEWEST_OBJECTS`.

    Models with random weights take no part: nobody expects people to be like them.
    """
    if len(study.stimuli) < FEWEST_OBJECTS:
        return pd.DataFrame(columns=["transform", "recovery", "low", "high", "n_objects", "n_triplets"])
    objects = some(len(study.stimuli), MOST_OBJECTS, seed)
    last = study.of(_trained(study.models)).last(objects)
    features = {name: normalised(table) for name, table in last.items()}
    return planned_recovery(
        features, n_planned, n_seeds=repetitions(len(features)), seed=seed, cache=cache_dir() / "recovery"
    )


# ---------------------------------------------------------------------------------------------------------------------
# Sentences


def told_left_out(study: Study) -> str:
    """What could not take part, in a sentence."""
    if not study.left_out:
        return "Nothing was left out."
    counts = "; ".join(f"{reason}: {count:,}" for reason, count in study.left_out.items())
    return f"Left out or missing: {counts}."


def told_agreement(study: Study) -> str:
    """How far the models' answers agree, in a sentence."""
    answers = deciding(study)
    if answers is None:
        return "Fewer than two of the models choose between the same categories, so there are no answers to compare."
    kappa = fleiss_kappa(count_table(answers.answers, len(answers.categories)))
    trained = "trained " if len(answers.models) < len(study.answers.models) else ""
    told_models = f"{len(answers.models)} {trained}models choose between {len(answers.categories):,} categories"
    return f"{told_models}; they agree with Fleiss' κ = {kappa:.2f} (1 = always, 0 = as by chance)."


def told_recovery(study: Study, recovery: pd.DataFrame, n_planned: int) -> str:
    """Whether the planned study would find the right model, in plain words."""
    n_stimuli = len(study.stimuli)
    if recovery.empty:
        return f"With {n_stimuli} stimuli it cannot be told: at least {FEWEST_OBJECTS} are needed to set some aside."
    found = recovery.set_index("transform")
    shares = {name: f"{row.recovery:.0%} [{row.low:.0%}, {row.high:.0%}]" for name, row in found.iterrows()}
    row = found.iloc[0]
    n_models = round(1 / row.chance)
    of = "Of" if n_models == len(study.names) else f"Among the {n_models} trained models: of"
    told = (
        f"{of} {n_planned:,} trials on {row.n_objects:.0f} stimuli, {row.n_triplets:,.0f} are fitted, the rest test. "
        f"As the features are, the right model wins {shares['zero-shot']} of the time; once every model may transform "
        f"its features to fit the answers, {shares['full']}; by luck, {row.chance:.0%}."
    )
    n_distinct = comb(int(row.n_objects), 3)
    repeated = f" There are only {n_distinct:,} different triplets: further trials would repeat them."
    return told + (repeated if n_planned > n_distinct else "")


def told_metrics(rho: pd.DataFrame, n_models: int) -> str:
    """How far the metrics agree, and how little a few models can say of that, in a sentence or two."""
    if len(rho) < 2:
        return "Fewer than two metrics vary over these models."
    values = rho.to_numpy()[np.triu_indices(len(rho), 1)]
    mean = f"The mean correlation between {len(rho)} metrics is {np.nanmean(values):.2f}."
    half = np.tanh(1.96 / np.sqrt(n_models - 3)) if n_models > 3 else 1.0
    return f"{mean} With {n_models} models, a single correlation of 0 comes out anywhere within ±{half:.2f}."

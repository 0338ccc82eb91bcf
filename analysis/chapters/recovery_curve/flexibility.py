"""Levels of flexibility and strengths of penalties: what they predict, and what they recover."""

from collections.abc import Mapping, Sequence

import joblib
import numpy as np
import pandas as pd
import torch

from analysis.chapters.recovery_curve.outcomes import by_generator, over_models
from analysis.chapters.recovery_curve.simulations import recover_study
from analysis.chapters.recovery_curve.studies import Study, leading_axes
from analysis.intervals import Measured
from analysis.progress import steps
from analysis.recovery.generators import TOLERANCE
from analysis.recovery.observers import Observer
from analysis.recovery.probes import fit_probes
from analysis.recovery.triplets import choice_probabilities

FLEXIBILITY = ("zero-shot", "diagonal", "low-rank", "full", "full, few axes")

PENALTY_PATH = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def flexibility_settings(rank: int) -> dict[str, dict]:
    """Options of `fit_probes` for every level of flexibility; `rank` columns, or axes."""
    settings = {name: {"transform": name} for name in FLEXIBILITY[:4]}
    settings["low-rank"]["rank"] = rank
    return settings | {FLEXIBILITY[4]: {"transform": "full", "n_axes": rank}}


def by_level(study: Study, parameters, size: int, n_seeds: int) -> pd.DataFrame:
    """Predictive accuracy and recovery for every level of flexibility, one row a level and model.

    Generators and candidates have the same flexibility. Recovery is at one number of triplets.
    """
    settings = flexibility_settings(parameters.rank)
    predicted = predictions(
        study, settings, parameters.penalties, n_folds=parameters.n_folds, seed=parameters.first_seed
    )
    won = []
    for name, setting in settings.items():
        fit = {key: value for key, value in setting.items() if key != "n_axes"}
        features = {model: _prepared(table, setting) for model, table in study.features.items()}
        found = recover_study(study, parameters, [size], n_seeds, features=features, widen=False, **fit)
        own = by_generator(found.table, size).rename_axis("model").reset_index()
        won.append(own.assign(setting=name))
    return at_best_penalty(predicted).merge(pd.concat(won), on=["setting", "model"])


def predictions(
    study: Study, settings: Mapping[str, dict], penalties: Sequence[float], *, n_folds: int, seed: int
) -> pd.DataFrame:
    """Accuracy on the observer's answers about unseen objects: one row a setting, model, fold and penalty.

    In each fold a part of the objects is held out; triplets that straddle the parts are not used. A setting is a
    dictionary of options for `fit_probes`; its entry `n_axes` keeps that many principal axes of the features.
    """
    order = np.random.default_rng([seed, 1]).permutation(len(next(iter(study.features.values()))))
    folds = np.array_split(order, n_folds)
    jobs = [(setting, model, fold) for setting in settings for model in study.features for fold in range(n_folds)]
    calls = (
        joblib.delayed(_predicted)(study.features[model], study.observer, folds[fold], settings[setting], penalties)
        for setting, model, fold in jobs
    )
    parallel = joblib.Parallel(n_jobs=-1, return_as="generator")
    found = steps(parallel(calls), "predicting the observer", len(jobs))
    rows = [
        {"setting": setting, "model": model, "fold": fold, "penalty": penalty, "accuracy": accuracy}
        for (setting, model, fold), accuracies in zip(jobs, found, strict=True)
        for penalty, accuracy in zip(penalties, accuracies, strict=True)
    ]
    return pd.DataFrame(rows)


def _predicted(table, observer: Observer, test_objects, setting: dict, penalties) -> list[float]:
    torch.set_num_threads(1)
    options = {key: value for key, value in setting.items() if key != "n_axes"}
    table = _prepared(table, setting)
    tested = np.isin(observer.triplets, test_objects).sum(axis=1)
    train, test = ((observer.triplets[tested == n], observer.choices[tested == n]) for n in (0, 3))
    if len(train[0]) == 0 or len(test[0]) == 0:
        raise ValueError(f"'triplets' must leave some within each part of the objects, got {len(observer.triplets)}.")
    probes = fit_probes([table], [train], penalties=penalties, tolerance=TOLERANCE, **options)[0][0]
    return [_accuracy(probe.similarity(table), *test) for probe in probes]


def _prepared(table: np.ndarray, setting: dict) -> np.ndarray:
    return leading_axes(table, setting["n_axes"]) if "n_axes" in setting else table


def _accuracy(similarity: np.ndarray, triplets: np.ndarray, choices: np.ndarray) -> float:
    """Share of answers that were the most likely; equally likely ones share the credit."""
    chance = choice_probabilities(similarity, triplets)
    best = np.isclose(chance, chance.max(axis=1, keepdims=True), rtol=0, atol=1e-9)
    return float((best[np.arange(len(choices)), choices] / best.sum(axis=1)).mean())


def at_best_penalty(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy by setting and model, each fold with the penalty that the *other* folds prefer."""
    rows = []
    for (setting, model), part in table.groupby(["setting", "model"], sort=False):
        grid = part.pivot_table("accuracy", "fold", "penalty")
        chosen = [grid.loc[fold, grid.drop(index=fold).mean().idxmax()] for fold in grid.index]
        rows.append({"setting": setting, "model": model, "accuracy": float(np.mean(chosen))})
    return pd.DataFrame(rows)


def differences(table: pd.DataFrame, column: str, first: str, second: str) -> pd.Series:
    """First − second, by model."""
    wide = table.pivot(index="model", columns="setting", values=column)
    return wide[first] - wide[second]


def contrast(table: pd.DataFrame, column: str, first: str, second: str) -> Measured:
    """Mean of first − second over models, with its interval."""
    return over_models(differences(table, column, first, second))


def penalty_path(study: Study, penalties: Sequence[float] = PENALTY_PATH, *, n_folds: int, seed: int) -> pd.DataFrame:
    """Accuracy on unseen objects against λ for ridge and shrinkage, with the features as they are for comparison."""
    settings = {kind: {"regularizer": kind} for kind in ("shrinkage", "ridge")}
    fitted = predictions(study, settings, penalties, n_folds=n_folds, seed=seed)
    plain = predictions(study, {"zero-shot": {"transform": "zero-shot"}}, [1.0], n_folds=n_folds, seed=seed)
    table = pd.concat([fitted, plain], ignore_index=True)
    return table.groupby(["setting", "model", "penalty"], sort=False)["accuracy"].mean().reset_index()


def strongest_minus_plain_by_model(path: pd.DataFrame, regularizer: str) -> pd.Series:
    """Accuracy under the strongest penalty minus zero-shot accuracy, by model."""
    rows = path[path["setting"] == regularizer]
    strongest = rows[rows["penalty"] == rows["penalty"].max()].set_index("model")["accuracy"]
    return strongest - path[path["setting"] == "zero-shot"].set_index("model")["accuracy"]


def strongest_minus_plain(path: pd.DataFrame, regularizer: str) -> Measured:
    """Accuracy under the strongest penalty minus zero-shot accuracy, over models."""
    return over_models(strongest_minus_plain_by_model(path, regularizer))

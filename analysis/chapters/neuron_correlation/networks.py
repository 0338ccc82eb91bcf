"""Experiment 3 on real networks: do like-built networks match, do trained ones, and does it predict accuracy?"""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.data.pictures import open_pictures
from analysis.intervals import Measured, bootstrap_interval, spearman
from analysis.measures.neuron_floor import chance_level
from analysis.measures.neurons import symmetric_score
from analysis.models.activations import record
from analysis.models.likeness import unit_scores
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model
from analysis.models.study import UNTRAINED, Study
from analysis.progress import steps

N_PRINTED = 10  # images of the paper's batch


def middle(study: Study) -> Study:
    """The study with only each model's middle recorded layer; the paper takes one layer of a network, too."""
    layers = {
        name: dict([list(study.layers[name].items())[(len(study.layers[name]) - 1) // 2]]) for name in study.names
    }
    return Study(study.models, layers, study.stimuli, study.answers, study.people, study.left_out)


def scores_by_images(study: Study, sizes: list[int], *, n_draws: int, seed: int) -> pd.DataFrame:
    """Scores, floors and corrected scores of all pairs, by the number of images they rest on."""
    tables = []
    for size in sizes:
        for draw in range(n_draws if size < len(study.stimuli) else 1):
            rng = np.random.default_rng((seed, size, draw))
            rows = np.sort(rng.choice(len(study.stimuli), min(size, len(study.stimuli)), replace=False))
            tables.append(unit_scores(study, rows).assign(images=len(rows), draw=draw))
    return with_kinds(pd.concat(tables, ignore_index=True), study)


def with_kinds(pairs: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Pairs with what they compare: trained or untrained models, of one family or of two."""
    trained = study.models["training"] != UNTRAINED
    sides = [pairs[side].map(trained) for side in ("model", "other")]
    state = np.select([sides[0] & sides[1], ~sides[0] & ~sides[1]], ["trained", "untrained"], "mixed")
    families = [pairs[side].map(study.models["family"]) for side in ("model", "other")]
    return pairs.assign(state=state, family=np.where(families[0] == families[1], "same", "other"))


def channel_scores(models: str, images: str, *, n_draws: int, seed: int) -> pd.DataFrame:
    """As printed: one channel of the middle layer, not averaged over space, on ten images, and the chance level.

    A layer without channels is taken whole.
    """
    entries = [entry for entry in read_lineup(models) if entry.training != UNTRAINED]
    pictures = open_pictures(images)
    draws = [
        np.random.default_rng((seed, draw)).choice(len(pictures), N_PRINTED, replace=False) for draw in range(n_draws)
    ]
    units = {entry.name: [_channel(load_model(entry), pictures.read(rows)) for rows in draws] for entry in entries}
    rows = []
    for pair in steps(list(combinations(entries, 2)), "one channel"):
        for draw in range(n_draws):
            a, b = (units[entry.name][draw] for entry in pair)
            chance = (chance_level(N_PRINTED, b.shape[1]) + chance_level(N_PRINTED, a.shape[1])) / 2
            family = "same" if pair[0].family == pair[1].family else "other"
            score = symmetric_score(a, b, penalty=None)
            rows.append([pair[0].name, pair[1].name, family, draw, score, chance])
    return pd.DataFrame(rows, columns=["model", "other", "family", "draw", "score", "chance"])


def _channel(model, pictures: list[np.ndarray]) -> np.ndarray:
    """Activations of the first channel of the middle layer at all places, shape (n_pictures, n_places)."""
    layer = model.layers[(len(model.layers) - 1) // 2]
    x = model.prepare(pictures)
    whole, pooled = (record(model.module, x, layer, pool=pool).values for pool in (None, "mean"))
    n_places = whole.shape[1] // pooled.shape[1]
    return (whole if n_places == 1 else whole[:, :n_places]).numpy()


def family_contrast(pairs: pd.DataFrame, study: Study, score: str, *, seed: int = 0) -> Measured:
    """Mean score of trained pairs within families minus between; the interval resamples models."""
    names = [name for name in study.names if study.models.loc[name, "training"] != UNTRAINED]
    matrix = _matrix(pairs, names, score)
    families = study.models.loc[names, "family"].to_numpy()

    def contrast(rows: np.ndarray) -> float:
        different = rows[:, None] != rows
        same = families[rows][:, None] == families[rows]
        scores = matrix[np.ix_(rows, rows)]
        within, between = scores[different & same], scores[different & ~same]
        return float(within.mean() - between.mean()) if within.size and between.size else np.nan

    return bootstrap_interval(contrast, np.arange(len(names)), over="models", seed=seed)


def shuffled_contrast(pairs: pd.DataFrame, study: Study, score: str, *, seed: int = 0) -> Measured:
    """The same with the families dealt out anew: what the rule says of noise."""
    shuffled = study.models.copy()
    trained = shuffled["training"] != UNTRAINED
    families = shuffled.loc[trained, "family"].to_numpy()
    shuffled.loc[trained, "family"] = np.random.default_rng(seed).permutation(families)
    return family_contrast(pairs, replace(study, models=shuffled), score, seed=seed)


def _matrix(pairs: pd.DataFrame, names: list[str], score: str) -> np.ndarray:
    means = pairs.groupby(["model", "other"])[score].mean()
    matrix = np.full((len(names), len(names)), np.nan)
    for i, j in combinations(range(len(names)), 2):
        key = (names[i], names[j])
        matrix[i, j] = matrix[j, i] = means[key if key in means.index else key[::-1]]
    return matrix


def training_contrast(pairs: pd.DataFrame, *, seed: int = 0) -> Measured:
    """Mean corrected score of trained pairs minus that of the untrained twins of the same two models."""
    corrected = pairs.groupby(["model", "other"])["corrected"].mean()
    rows = []
    for (model, other), trained in corrected.items():
        twins = (f"{model}_untrained", f"{other}_untrained")
        found = next((corrected[key] for key in (twins, twins[::-1]) if key in corrected.index), None)
        if found is not None:
            rows.append(trained - found)
    return bootstrap_interval(np.mean, np.array(rows), over="pairs of models", seed=seed)


def most_accurate(study: Study) -> str:
    """The model with the highest accuracy."""
    return study.answers.models[int(np.argmax(study.answers.accuracies))]


def prediction(pairs: pd.DataFrame, study: Study, trusted: str, score: str) -> pd.DataFrame:
    """Every trained model's score with the trusted one, beside its accuracy."""
    accuracy = pd.Series(study.answers.accuracies, index=list(study.answers.models))
    rows = []
    for name in study.names:
        if name == trusted or study.models.loc[name, "training"] == UNTRAINED:
            continue
        with_trusted = pairs[(pairs[["model", "other"]].isin([name, trusted])).all(axis=1)]
        rows.append([name, study.models.loc[name, "family"], study.models.loc[name, "training"]])
        rows[-1] += [float(with_trusted[score].mean()), float(accuracy[name])]
    return pd.DataFrame(rows, columns=["model", "family", "training", "score", "accuracy"])


def predicted(table: pd.DataFrame, *, seed: int = 0) -> Measured:
    """Spearman's ρ over models between the score with the trusted network and accuracy."""
    columns = table["score"].to_numpy(), table["accuracy"].to_numpy()
    return bootstrap_interval(spearman, *columns, over="models", seed=seed)


def shuffled_prediction(table: pd.DataFrame, *, seed: int = 0) -> Measured:
    """The same with the accuracies dealt out anew."""
    dealt = np.random.default_rng(seed).permutation(table["accuracy"].to_numpy())
    return predicted(table.assign(accuracy=dealt), seed=seed)


def summary(pairs: pd.DataFrame) -> pd.DataFrame:
    """Mean score, floor and corrected score by images, state of training and family."""
    columns = ["score", "floor", "corrected"]
    return pairs.groupby(["images", "state", "family"], as_index=False)[columns].mean()


def stacked(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Tables of several line-ups below one another, the line-up's name in the first column."""
    return pd.concat([table.assign(lineup=name) for name, table in tables.items()], ignore_index=True)

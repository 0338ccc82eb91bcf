"""How alike the models of a study are, unit by unit, as representations and in their answers: tidy tables."""

from itertools import combinations

import numpy as np
import pandas as pd

from analysis.data.answers import Predictions
from analysis.intervals import share_interval
from analysis.measures.agreement import contrastive_stimuli, count_table, stimulus_agreement
from analysis.measures.cka import cka_matrix
from analysis.measures.error_consistency import correctness, error_consistency_matrix
from analysis.measures.linear_predictivity import linear_predictivity_matrix
from analysis.measures.neuron_ceiling import attainable_ceiling, corrected_score
from analysis.measures.neuron_floor import permutation_floor
from analysis.measures.neurons import neuronal_correlation
from analysis.measures.procrustes import procrustes_matrix
from analysis.measures.rsa import rsa_matrix
from analysis.measures.spearman import spearman_matrix
from analysis.models.study import Layers, Study
from analysis.progress import steps

N_LAYERS = 4
"""Layers of a model in the comparison layer by layer, at most: evenly spaced from the first to the last recorded."""
MOST_LAYERS = 140
"""Layers of all models together in that comparison, at most: every pair of them is compared."""


def participants(study: Study) -> pd.DataFrame:
    """Who takes part: family, training, layers, units of the last one, and accuracy where there are labels."""
    rows = []
    for name in study.names:
        layers = study.layers[name]
        last = list(layers.values())[-1]
        constant = int((np.ptp(np.asarray(last), axis=0) == 0).sum())
        rows.append({"layers": len(layers), "units": last.shape[1], "constant units": constant})
    table = study.models.join(pd.DataFrame(rows, index=study.models.index))
    if study.answers is None or not study.labelled:
        return table
    shares = [share_interval(int(right), int(given)) for right, given in _right(study.answers)]
    accuracy = pd.Series([str(share) for share in shares], index=list(study.answers.models))
    return table.assign(accuracy=accuracy.reindex(table.index).fillna("no answers"))


def _right(answers: Predictions) -> list[tuple[int, int]]:
    given = answers.answers >= 0
    return list(zip(((answers.answers == answers.labels) & given).sum(1), given.sum(1), strict=True))


# ---------------------------------------------------------------------------------------------------------------------
# Unit by unit


def unit_scores(study: Study, rows: np.ndarray, *, n_permutations: int = 3) -> pd.DataFrame:
    """Matched units between the last layers of all pairs, both ways averaged, with floor, ceiling and correction."""
    features = study.last(rows)
    table = []
    for pair in steps(list(combinations(study.names, 2)), "matching units"):
        ways = [_matched(features[a], features[b], n_permutations) for a, b in (pair, pair[::-1])]
        means = {key: float(np.mean([way[key] for way in ways])) for key in ways[0]}
        table.append({"model": pair[0], "other": pair[1], **means})
    return pd.DataFrame(table)


def _matched(source: np.ndarray, target: np.ndarray, n_permutations: int) -> dict[str, float]:
    varying = [np.ptp(units, axis=0) > 0 for units in (source, target)]
    layers = [np.zeros(units.shape[1], int) for units in (source, target)]
    floor = permutation_floor(source, target, n_permutations=n_permutations)
    ceiling = attainable_ceiling(*layers, source_varying=varying[0], target_varying=varying[1])
    score = neuronal_correlation(source, target).score
    corrected = corrected_score(score, floor, ceiling) if floor < ceiling else np.nan
    return {"score": score, "floor": floor, "ceiling": ceiling, "corrected": corrected}


def n_layers(study: Study) -> int:
    """Layers of each model in `layer_scores`, at most: fewer where there are many models."""
    return int(np.clip(MOST_LAYERS // len(study.names), 1, N_LAYERS))


def layer_scores(study: Study, rows: np.ndarray) -> pd.DataFrame:
    """Matched units between `n_layers` layers of all models, both ways averaged, with the shuffled floor taken off."""
    chosen = {
        (name, layer): np.asarray(x[rows])
        for name in study.names
        for layer, x in _spread(study.layers[name], n_layers(study))
    }
    table = []
    for first, second in steps(list(combinations(chosen, 2)), "layer by layer"):
        ways = [
            _matched(chosen[a], chosen[b], n_permutations=1)["corrected"] for a, b in ((first, second), (second, first))
        ]
        table.append(
            {"model": first[0], "layer": first[1], "other": second[0], "other layer": second[1]}
            | {"corrected": float(np.mean(ways))}
        )
    return pd.DataFrame(table)


def _spread(layers: Layers, most: int) -> list[tuple[str, np.ndarray]]:
    """Evenly spaced layers with the first and the last one, or the last one alone."""
    places = np.unique(np.linspace(len(layers) - 1, 0, min(most, len(layers))).round().astype(int))
    listed = list(layers.items())
    return [listed[place] for place in places]


# ---------------------------------------------------------------------------------------------------------------------
# Representations

MEASURES = {
    "CKA (debiased)": lambda features: cka_matrix(features, debiased=True),
    "RSA (Spearman)": rsa_matrix,
    "Procrustes": procrustes_matrix,
    "Linear predictivity": lambda features: _symmetric(linear_predictivity_matrix(features)),
}
"""Likeness of two representations, all of them 1 for equal ones."""


def _symmetric(matrix: np.ndarray) -> np.ndarray:
    return (matrix + matrix.T) / 2


def representations(study: Study, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Likeness of the last layers by every measure: name → (n_models, n_models)."""
    features = list(study.last(rows).values())
    return {name: measure(features) for name, measure in steps(list(MEASURES.items()), "representations")}


def long(matrices: dict[str, np.ndarray], names: list[str]) -> pd.DataFrame:
    """One row a measure and pair of models."""
    rows = [
        {"measure": measure, "model": names[i], "other": names[j], "likeness": float(matrix[i, j])}
        for measure, matrix in matrices.items()
        for i, j in combinations(range(len(names)), 2)
    ]
    return pd.DataFrame(rows)


# ---------------------------------------------------------------------------------------------------------------------
# Metrics


def metrics(study: Study, units: pd.DataFrame, matrices: dict[str, np.ndarray], k: int) -> pd.DataFrame:
    """Models in rows, metrics in columns, higher = better or more like the others (or people); NaN: no answers."""
    columns = {name: pd.Series(_mean_with_others(matrix), index=study.names) for name, matrix in matrices.items()}
    columns["Matched units"] = pd.Series(_mean_of_pairs(units, study.names), index=study.names)
    if study.answers is not None and len(study.answers.models) > 1:
        columns |= _answer_metrics(study.answers, k, labelled=study.labelled)
    if study.people is not None:
        columns["Answers shared with people"] = likeness_to_people(study)
    return pd.DataFrame(columns, index=pd.Index(study.names, name="model"))


def _mean_with_others(matrix: np.ndarray) -> np.ndarray:
    others = ~np.eye(len(matrix), dtype=bool)
    return np.array([row[mask].mean() for row, mask in zip(matrix, others, strict=True)])


def _mean_of_pairs(units: pd.DataFrame, names: list[str]) -> np.ndarray:
    return np.array([units.loc[(units[["model", "other"]] == name).any(axis=1), "corrected"].mean() for name in names])


def _answer_metrics(answers: Predictions, k: int, *, labelled: bool) -> dict[str, pd.Series]:
    columns = {"Agreement with the others": _mean_with_others(_pair_agreement(answers.answers))}
    if labelled:
        right = correctness(answers.answers, answers.labels)
        hard = contrastive_stimuli(stimulus_agreement(count_table(answers.answers, len(answers.categories))), k)
        columns["Accuracy"] = answers.accuracies
        columns["Error consistency"] = _mean_with_others(error_consistency_matrix(right).kappa)
        columns["Accuracy on contrastive stimuli"] = (right[:, hard] == 1).mean(axis=1)
    return {name: pd.Series(values, index=list(answers.models)) for name, values in columns.items()}


def _pair_agreement(answers: np.ndarray) -> np.ndarray:
    """Share of the stimuli both answered on which two models say the same, (n_models, n_models)."""
    return np.array([[_same(a, b) for b in answers] for a in answers])


def _same(a: np.ndarray, b: np.ndarray) -> float:
    both = (a >= 0) & (b >= 0)
    return float((a == b)[both].mean()) if both.any() else np.nan


def metric_correlations(table: pd.DataFrame) -> pd.DataFrame:
    """Spearman's ρ between the metrics that vary, over the models that have both."""
    varying = table.loc[:, table.nunique() > 1]
    return spearman_matrix(varying, min_models=3).rho


def likeness_to_people(study: Study) -> pd.Series:
    """Mean share of people who gave a model's answer, by model: 1 = always everybody's."""
    shares = study.people / study.people.sum(axis=1, keepdims=True)
    rows = np.arange(len(study.stimuli))
    means = [shares[rows[given >= 0], given[given >= 0]].mean() for given in study.answers.answers]
    return pd.Series(means, index=list(study.answers.models))

"""Tables of alignment scores beside Brain-Score's leaderboard: read, checked, one row a model.

Traps that these tables hold, and what happens to them here:

- Accuracies mean something only where all models were tested on one thing: those of models trained on other data than
  ImageNet are no accuracies on ImageNet, and an accuracy of exactly 0 stands for a model without a classifier.
- Scores of every layer are no scores of a model: the best layer is taken, for each metric anew.
- One task has two names in two of the files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

_REGIONS = {"V1": "V1", "V2": "V2", "V4": "V4", "IT": "IT", "Behavioral": "behaviour"}
_METRICS = {
    "crsa": "similarity of stimuli",
    "wrsa": "similarity of stimuli, reweighted",
    "srpr": "voxels predicted",
}
_SYNONYMS = {"Unsup Seg": "Unsupervised Segmentation", "Van Point Est": "Vanishing Point Estimation"}


@dataclass(frozen=True)
class AlignmentTable:
    """Models and how well each agrees with brains or people.

    Attributes
    ----------
    scores : DataFrame of shape (n_models, n_metrics)
        Higher is more aligned, in the units of each metric; NaN is not measured.
    models : DataFrame, indexed as `scores`
        Columns family (networks that are not independent), trained (bool) and accuracy (top-1 on ImageNet, from 0 to 1;
        NaN where there is none).
    """

    scores: pd.DataFrame
    models: pd.DataFrame


def read_scaling(path: str | Path) -> AlignmentTable:
    """The scaling study's networks on five benchmarks: higher is more aligned, 1 is the noise ceiling.

    Parameters
    ----------
    path : str or Path
        `benchmark_scores.csv` of the study, one row a network and benchmark.

    Returns
    -------
    AlignmentTable
        Networks of one architecture are a family. Six networks lack V2.

    Raises
    ------
    ValueError
        If a column is absent, a benchmark is unknown, or a network has a benchmark twice.

    References
    ----------
    Gokce, Schrimpf (2024), *Scaling laws for task-optimized models of the primate visual ventral stream*,
    arXiv:2411.05712.
    """
    columns = ("model_id", "region", "score", "arch", "dataset", "acc", "is_random")
    long = _read(path, columns)
    scores = _wide(long, path, "model_id", "region", _REGIONS)
    models = long.drop_duplicates("model_id").set_index("model_id").loc[scores.index]
    accuracy = models["acc"].where((models["dataset"] == "imagenet") & (models["acc"] > 0))
    return AlignmentTable(scores, _described(models["arch"], ~models["is_random"].astype(bool), accuracy))


def read_deepnsd(results: str | Path, accuracies: str | Path) -> AlignmentTable:
    """Networks on human brain responses to photographs, by three metrics: 1 is the noise ceiling's or a perfect match.

    Parameters
    ----------
    results : str or Path
        `results_summary.csv` of the study, one row a network and metric.
    accuracies : str or Path
        `imagenet1k.csv` of the study: top-1 accuracy in per cent of some of its networks.

    Returns
    -------
    AlignmentTable
        Networks of one architecture are a family.

    Raises
    ------
    ValueError
        If a column is absent, a metric is unknown, or a network has a metric or an accuracy twice.

    References
    ----------
    Conwell, Prince, Kay, Alvarez, Konkle (2024), *A large-scale examination of inductive biases shaping high-level
    visual representation in brains and machines*, doi:10.1038/s41467-024-53147-y.
    """
    long = _read(results, ("model_string", "metric", "score", "architecture", "train_task"))
    scores = _wide(long, results, "model_string", "metric", _METRICS)
    top1 = _read(accuracies, ("model_string", "imagnet1k_top1"))
    _refuse_twice(top1, ["model_string"], accuracies)
    accuracy = top1.set_index("model_string")["imagnet1k_top1"].reindex(scores.index) / 100
    models = long.drop_duplicates("model_string").set_index("model_string").loc[scores.index]
    return AlignmentTable(scores, _described(models["architecture"], models["train_task"] != "random", accuracy))


def read_encoding(paths: Mapping[str, str | Path]) -> AlignmentTable:
    """Networks on brain regions, by the best layer of each: correlation of predicted responses, 1 is perfect.

    Parameters
    ----------
    paths : mapping from metric to path
        One file a region, one row a layer.

    Returns
    -------
    AlignmentTable
        Two architectures under many tasks: every network is its own family. No accuracies.

    Raises
    ------
    ValueError
        If a column is absent, a layer stands twice, or the files are about different networks.

    References
    ----------
    Elmoznino, Bonner (2024), *High-performing neural network models of visual cortex benefit from high latent
    dimensionality*, doi:10.1371/journal.pcbi.1011792.
    """
    columns = {name: _best_layers(path) for name, path in paths.items()}
    scores = pd.DataFrame(columns)
    incomplete = scores.index[scores.isna().any(axis=1)]
    if len(incomplete):
        raise ValueError(f"'paths' must be about the same networks, got a gap for {incomplete[0]!r}.")
    trained = ~scores.index.str.contains(", None, Untrained")
    nothing = pd.Series(np.nan, scores.index)
    return AlignmentTable(
        scores, _described(pd.Series(scores.index, scores.index), pd.Series(trained, scores.index), nothing)
    )


def _best_layers(path: str | Path) -> pd.Series:
    """Highest score over the layers of each network."""
    labels = ["architecture", "task", "kind", "source"]
    layers = _read(path, ("layer", "score", *labels))
    for short, full in _SYNONYMS.items():
        layers["task"] = layers["task"].str.replace(short, full, regex=False)
    _refuse_twice(layers, [*labels, "layer"], path)
    return layers.groupby(layers[labels].agg(", ".join, axis=1).rename("model"))["score"].max()


def _read(path: str | Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """The file's columns; the word None is a task's name, and no gap."""
    table = pd.read_csv(path, keep_default_na=False, na_values=["", "NA"], low_memory=False)
    absent = [name for name in columns if name not in table]
    if absent:
        raise ValueError(f"'{Path(path).name}' must have the columns {', '.join(columns)}, got no {absent[0]!r}.")
    return table[list(columns)]


def _wide(long: pd.DataFrame, path: str | Path, model: str, metric: str, names: Mapping[str, str]) -> pd.DataFrame:
    """Models in rows, metrics in columns, by their names here and in their order."""
    if set(long[metric]) != set(names):
        got = ", ".join(sorted(map(str, set(long[metric]))))
        raise ValueError(f"'{Path(path).name}' must hold the metrics {', '.join(names)}, got {got}.")
    _refuse_twice(long, [model, metric], path)
    wide = long.pivot(index=model, columns=metric, values="score")[list(names)].rename(columns=names)
    return wide.rename_axis(index="model", columns=None)


def _refuse_twice(table: pd.DataFrame, keys: list[str], path: str | Path) -> None:
    repeated = table.loc[table.duplicated(keys), keys]
    if len(repeated):
        raise ValueError(f"'{Path(path).name}' must have one row for each {', '.join(keys)}, got two of "
                         f"{', '.join(map(str, repeated.iloc[0]))}.")  # fmt: skip


def _described(family: pd.Series, trained: pd.Series, accuracy: pd.Series) -> pd.DataFrame:
    columns = {"family": family, "trained": trained.astype(bool), "accuracy": accuracy.astype(float)}
    return pd.DataFrame(columns).rename_axis("model")

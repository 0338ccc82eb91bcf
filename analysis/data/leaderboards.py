"""Reading a leaderboard: which model was measured on what, which runs failed, and what had to be left out, and why.

Traps that Brain-Score's public table holds, and what happens to them here:

- A failed run (X) and a run that never took place (an empty cell) are both no score; `Leaderboard.status` tells them
  apart. The published averages count either as **zero**, so that they mix alignment with completeness.
- Parent columns are averages of others; correlating them with their children would count everything twice.
- Names repeat. Some rows are one network submitted again, others are two networks of one name.
- Some scores cannot be. Scores are divided by a noise ceiling and may pass 1, but nobody predicts every choice of
  people who disagree with each other.
- Families of near-copies (fifty MobileNets) are not independent models.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.checks import choose
from analysis.files import user_path
from analysis.measures.trees import Tree, check_tree, tree_children, tree_leaves
from analysis.plain_yaml import read_yaml

MEASURED, FAILED, MISSING, IMPOSSIBLE = "measured", "failed", "missing", "impossible"
FAILED_MARK = "X"
MISSING_MARKS = ("", "NA", "NaN", "nan")

BRAINSCORE_TREE: Tree = {
    "neural": {
        "V1": [
            "FreemanZiemba2013.V1-pls",
            {
                "Marques2020": {
                    "V1-orientation": [
                        "Marques2020_DeValois1982-pref_or",
                        "Marques2020_Ringach2002-circular_variance",
                        "Marques2020_Ringach2002-cv_bandwidth_ratio",
                        "Marques2020_Ringach2002-opr_cv_diff",
                        "Marques2020_Ringach2002-or_bandwidth",
                        "Marques2020_Ringach2002-or_selective",
                        "Marques2020_Ringach2002-orth_pref_ratio",
                    ],
                    "V1-receptive_field_size": [
                        "Marques2020_Cavanaugh2002-grating_summation_field",
                        "Marques2020_Cavanaugh2002-surround_diameter",
                    ],
                    "V1-response_magnitude": [
                        "Marques2020_FreemanZiemba2013-max_noise",
                        "Marques2020_FreemanZiemba2013-max_texture",
                        "Marques2020_Ringach2002-max_dc",
                    ],
                    "V1-response_selectivity": [
                        "Marques2020_FreemanZiemba2013-texture_selectivity",
                        "Marques2020_FreemanZiemba2013-texture_sparseness",
                        "Marques2020_FreemanZiemba2013-texture_variance_ratio",
                        "Marques2020_Ringach2002-modulation_ratio",
                    ],
                    "V1-spatial_frequency": [
                        "Marques2020_DeValois1982-peak_sf",
                        "Marques2020_Schiller1976-sf_bandwidth",
                        "Marques2020_Schiller1976-sf_selective",
                    ],
                    "V1-surround_modulation": ["Marques2020_Cavanaugh2002-surround_suppression_index"],
                    "V1-texture_modulation": [
                        "Marques2020_FreemanZiemba2013-abs_texture_modulation_index",
                        "Marques2020_FreemanZiemba2013-texture_modulation_index",
                    ],
                }
            },
        ],
        "V2": ["FreemanZiemba2013.V2-pls"],
        "V4": [
            f"{study}.V4-pls" for study in ("MajajHong2015", "Sanghavi2020", "SanghaviJozwik2020", "SanghaviMurty2020")
        ],
        "IT": [
            f"{study}.IT-pls" for study in ("MajajHong2015", "Sanghavi2020", "SanghaviJozwik2020", "SanghaviMurty2020")
        ],
    },
    "behaviour": [
        "Rajalingham2018-i2n",
        {
            "Geirhos2021-error_consistency": [
                f"Geirhos2021{condition}-error_consistency"
                for condition in (
                    *("colour", "contrast", "cueconflict", "edge", "eidolonI", "eidolonII", "eidolonIII"),
                    *("falsecolour", "highpass", "lowpass", "phasescrambling", "powerequalisation", "rotation"),
                    *("silhouette", "sketch", "stylized", "uniformnoise"),
                )
            ]
        },
    ],
}
"""Brain-Score's neural and behavioural leaf metrics that most models have, as its leaderboard averages them."""

_BRAINSCORE_PARENTS = (
    *("average_vision", "neural_vision", "behavior_vision", "engineering_vision", "V1", "V2", "V4", "IT"),
    *("Marques2020", "V1-orientation", "V1-receptive_field_size", "V1-response_magnitude", "V1-response_selectivity"),
    *("V1-spatial_frequency", "V1-surround_modulation", "V1-texture_modulation", "Geirhos2021-error_consistency"),
    *("Baker2022", "BMD2024", "Ferguson2024", "Maniquet2024", "ImageNet-C-top1", "Geirhos2021-top1", "Hermann2020"),
)
_BRAINSCORE_RANGE = (-1.0, 1.5)  # divided by a noise ceiling that is itself an estimate
_BRAINSCORE_RANGES = {"Hebart2023-match": (-1.0, 0.99)}  # single choices of people: they disagree on a third of them
_RERUN = 0.01  # submissions of one network differ by less, being scored by runs with other random numbers

# The first that a name contains; the longer of two that overlap comes first.
_ARCHITECTURES = (
    *("realnet", "cornet", "inception", "mobilenet_v1", "mobilenet_v2", "mobilevit", "efficientnet", "alexnet"),
    *("resnext", "res2net", "densenet", "resnet", "grcnn", "nasnet", "convnext", "swin", "deit", "cvt", "mvit", "vit"),
    *("vgg", "squeezenet", "shufflenet", "regnet", "xception", "bit-", "selavi"),
)
_ABBREVIATED = {"rn50": "resnet50", "effnet": "efficientnet"}


@dataclass(frozen=True)
class Leaderboard:
    """A table of models × metrics with its gaps explained.

    Attributes
    ----------
    scores : DataFrame of shape (n_models, n_metrics)
        The metrics of the tree, in its order; NaN for whatever is not measured. Indexed by the model's name, with its
        identifier in brackets where two models share it.
    status : DataFrame of shape (n_models, n_metrics + n_others)
        "measured", "failed", "missing" or "impossible" for every cell of `scores` and `others`.
    others : DataFrame of shape (n_models, n_others)
        Metrics that the tree does not name; never part of an average.
    parents : DataFrame of shape (n_models, n_parents)
        The file's own averages, as they stand there.
    models : DataFrame, indexed as `scores`
        Columns name, identifier, family.
    metrics : DataFrame, indexed by metric
        Columns part (the tree's first level) and group (its second level, where the first is divided into groups).
    tree : nested mapping
        How the metrics are averaged, see `analysis.measures.aggregation.hierarchical_mean`.
    report : DataFrame with columns what, model, metric, value, reason
        Everything that was read but is not in `scores`.
    """

    scores: pd.DataFrame
    status: pd.DataFrame
    others: pd.DataFrame
    parents: pd.DataFrame
    models: pd.DataFrame
    metrics: pd.DataFrame
    tree: Tree
    report: pd.DataFrame

    @property
    def complete(self) -> pd.DataFrame:
        """The models that have every metric of the tree."""
        return self.scores.dropna()

    @property
    def coverage(self) -> pd.DataFrame:
        """How many models were measured on each metric, failed, are missing, or have an impossible score."""
        counts = self.status.apply(lambda column: column.value_counts()).T
        return counts.reindex(columns=[MEASURED, FAILED, MISSING, IMPOSSIBLE]).fillna(0).astype(int)

    def one_per_family(self) -> pd.DataFrame:
        """Scores of one model of each family: the most complete, of those the first in the table."""
        order = self.scores.notna().sum(axis=1).sort_values(ascending=False, kind="stable").index
        chosen = ~self.models.loc[order, "family"].duplicated()
        return self.scores.loc[chosen.reindex(self.scores.index)]


def read_brainscore(path: str | Path, *, duplicates: str = "drop") -> Leaderboard:
    """Brain-Score's vision leaderboard as a table of leaf metrics: higher is more aligned, 1 is the noise ceiling.

    Parameters
    ----------
    path : str or Path
        The leaderboard as CSV, one row per submission.
    duplicates : {"drop", "keep"}
        "drop" keeps the most complete of the submissions that share a name and agree within 0.01, the scatter of
        repeated runs, on every metric of the tree that both have.

    Returns
    -------
    Leaderboard
        `others` holds what is outside `BRAINSCORE_TREE`: newer behavioural metrics, the THINGS odd-one-out match
        ("Hebart2023-match"), the nearly empty "Kar2019-ost", and the accuracies ("ImageNet-top1" and others).

    Raises
    ------
    ValueError
        If a column is absent, an identifier repeats, or a cell is neither a score, empty, nor X.
    """
    choose(duplicates, "duplicates", ("drop", "keep"))
    cells = _read_cells(path)
    absent = [name for name in ("model_name", "model_id", *tree_leaves(BRAINSCORE_TREE)) if name not in cells]
    if absent:
        raise ValueError(f"'path' must hold Brain-Score's leaderboard, got no column {absent[0]!r} in {path}.")
    models = pd.DataFrame({"name": cells["model_name"], "identifier": cells["model_id"]})
    models["family"] = models["name"].map(model_family)
    cells = cells.drop(columns=["model_name", "model_id", "rank", "layers"], errors="ignore")
    parents = [name for name in _BRAINSCORE_PARENTS if name in cells]
    ranges = dict.fromkeys(cells.columns, _BRAINSCORE_RANGE) | _BRAINSCORE_RANGES
    tolerance = _RERUN if duplicates == "drop" else None
    return _assemble(cells, models, BRAINSCORE_TREE, parents, ranges, tolerance)


def read_table(
    path: str | Path,
    groups: str | Path | Tree | None = None,
    *,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    duplicates: str = "drop",
) -> Leaderboard:
    """Your own table of models × metrics, higher is more aligned, in the units of its metrics.

    The first column names the models, every other one is a metric. An empty cell is not measured, an X is a failed run.
    Two columns are optional: `model_id`, and `family` for networks that are not independent (else `model_family`).

    Parameters
    ----------
    path : str or Path
        A CSV such as::

            model,V1 fit,IT fit,odd one out
            alexnet,0.31,0.42,0.55
            resnet50,0.35,X,0.61

    groups : path of a YAML file, or nested mapping, optional
        Groups of metrics in the order in which figures show them; groups may be grouped again. Without it all metrics
        are one group, "metrics". The YAML that goes with the table above::

            neural:
              V1: [V1 fit]
              IT: [IT fit]
            behaviour: [odd one out]

    ranges : mapping from metric to (low, high), optional
        Scores outside are impossible: not used, and reported.
    duplicates : {"drop", "keep"}
        "drop" keeps the most complete of the rows that share a name and have the same score wherever both have one.

    Raises
    ------
    ValueError
        If a cell is no score, a column repeats, or the groups name an unknown metric or one metric twice.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "mine.csv"
    >>> _ = path.write_text("model,V1 fit,odd one out\\nalexnet,0.31,0.55\\nresnet50,X,0.61\\n")
    >>> mine = read_table(path, {"neural": ["V1 fit"], "behaviour": ["odd one out"]})
    >>> mine.scores["V1 fit"].tolist(), mine.status["V1 fit"].tolist(), mine.metrics["part"].tolist()
    ([0.31, nan], ['measured', 'failed'], ['neural', 'behaviour'])
    """
    choose(duplicates, "duplicates", ("drop", "keep"))
    cells = _read_cells(path)
    names = cells.pop(cells.columns[0])
    rows = pd.Series([f"row {row}" for row in range(1, len(cells) + 1)])
    models = pd.DataFrame({"name": names, "identifier": cells.pop("model_id") if "model_id" in cells else rows})
    models["family"] = cells.pop("family") if "family" in cells else names.map(model_family)
    tree = {"metrics": list(cells.columns)} if groups is None else groups
    tree = read_groups(tree) if isinstance(tree, str | Path) else _as_groups(tree)
    unknown = [name for name in (*tree_leaves(tree), *(ranges or {})) if name not in cells]
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), cells.columns, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise ValueError(f"'groups' and 'ranges' must name columns of {Path(path).name}, got {unknown[0]!r}{hint}")
    ranges = dict.fromkeys(cells.columns, (-np.inf, np.inf)) | dict(ranges or {})
    return _assemble(cells, models, tree, [], ranges, 0.0 if duplicates == "drop" else None)


def read_groups(path: str | Path) -> Tree:
    """The groups of metrics that a YAML file names, as `read_table` takes them.

    Raises
    ------
    ValueError
        If the file holds anything but nested names and lists of metrics.
    """
    return _as_groups(read_yaml(user_path(path)))


def model_family(name: str) -> str:
    """The family of a network by its name: the architecture it contains, else the letters it starts with.

    Examples
    --------
    >>> model_family("alexnet_training_seed_03"), model_family("voneresnet-50"), model_family("hmax")
    ('alexnet', 'resnet', 'hmax')
    """
    plain = name.strip().lower()
    for short, full in _ABBREVIATED.items():
        plain = plain.replace(short, full)
    found = (architecture for architecture in _ARCHITECTURES if architecture in plain)
    start = re.search(r"[a-z]+", plain)
    return next(found, start.group() if start else plain).rstrip("-")


def _as_groups(groups) -> Tree:
    if not isinstance(groups, Mapping):
        raise ValueError(f"'groups' must be a mapping from group to metrics, got {groups!r}.")
    tree_leaves(groups)
    return groups


def _read_cells(path: str | Path) -> pd.DataFrame:
    """The file's cells as stripped strings; pandas would rename repeated columns without a word."""
    raw = pd.read_csv(user_path(path), header=None, dtype=str, keep_default_na=False, skipinitialspace=True)
    raw = raw.apply(lambda column: column.str.strip())
    header, cells = raw.iloc[0], raw.iloc[1:].reset_index(drop=True)
    repeated = header[header.duplicated()]
    if len(repeated):
        raise ValueError(f"'path' must name each column once, got {repeated.iloc[0]!r} again in {path}.")
    if len(cells) == 0 or len(header) < 2:
        raise ValueError(
            f"'path' must hold models and metrics, got {len(cells)} rows, {len(header)} columns in {path}."
        )
    return cells.set_axis(header.to_numpy(), axis=1)


def _assemble(
    cells: pd.DataFrame, models: pd.DataFrame, tree: Tree, parents: list[str], ranges: Mapping, tolerance: float | None
) -> Leaderboard:
    """Keeps the models that have a score and are no copy of another, and writes down what was left out."""
    _check_models(models)
    leaves = tree_leaves(tree)
    check_tree(leaves, tree)
    others = [name for name in cells if name not in (*leaves, *parents)]
    values, status = _parse(cells, models, ranges, exempt=parents)
    scores = values[leaves].where(status[leaves] == MEASURED)
    empty = scores.isna().all(axis=1)
    copies = {} if tolerance is None else _find_copies(scores[~empty], models["name"], tolerance)
    kept = ~empty & ~models.index.isin(list(copies))
    index = _labels(models[kept])
    return Leaderboard(
        scores=scores[kept].set_axis(index),
        status=status.loc[kept, leaves + others].set_axis(index),
        others=values[others].where(status[others] == MEASURED)[kept].set_axis(index),
        parents=values.loc[kept, parents].set_axis(index),
        models=models[kept].set_axis(index),
        metrics=_metric_groups(tree),
        tree=tree,
        report=_report(values, status[leaves + others], models, ranges, empty, copies, parents, others),
    )


def _check_models(models: pd.DataFrame) -> None:
    for column, values in models.items():
        if (values == "").any():
            raise ValueError(f"'path' must give every model a {column}, got none in row {np.argmax(values == '') + 1}.")
    repeated = models["identifier"][models["identifier"].duplicated()]
    if len(repeated):
        raise ValueError(f"'path' must hold each model_id once, got {repeated.iloc[0]!r} again.")


def _parse(
    cells: pd.DataFrame, models: pd.DataFrame, ranges: Mapping, exempt: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The cells as numbers, and for each whether it was measured; the exempt columns have no range."""
    values = cells.apply(pd.to_numeric, errors="coerce")
    status = pd.DataFrame(MEASURED, cells.index, cells.columns)
    status = status.mask(cells == FAILED_MARK, FAILED).mask(cells.isin(MISSING_MARKS), MISSING)
    unreadable = values.isna() & (status == MEASURED)
    if unreadable.any(axis=None):
        row, column = np.argwhere(unreadable.to_numpy())[0]
        where = f"{models['name'].iloc[row]!r}, {cells.columns[column]!r}"
        raise ValueError(
            f"'path' must hold a number, X or nothing in every cell, got {cells.iat[row, column]!r} at {where}."
        )
    low, high = (pd.Series({name: ranges[name][end] for name in cells}) for end in (0, 1))
    possible = (values >= low) & (values <= high) & np.isfinite(values)
    possible[exempt] = True
    return values, status.mask((status == MEASURED) & ~possible, IMPOSSIBLE)


def _find_copies(scores: pd.DataFrame, names: pd.Series, tolerance: float) -> dict[int, int]:
    """Rows that agree with a more complete one of the same name on every metric both have, and that other row."""
    copies: dict[int, int] = {}
    by_completeness = scores.notna().sum(axis=1).sort_values(ascending=False, kind="stable").index
    shared = names[by_completeness][names[by_completeness].duplicated(keep=False)]
    for _, rows in shared.groupby(shared, sort=False):
        originals: list[int] = []
        for row in rows.index:
            difference = (scores.loc[originals] - scores.loc[row]).abs().max(axis=1)  # NaN where nothing is common
            same = difference.index[difference <= tolerance]
            if len(same):
                copies[row] = same[0]
            else:
                originals.append(row)
    return copies


def _labels(models: pd.DataFrame) -> pd.Index:
    """Names, with the identifier in brackets where models share one; again where that is another's name."""
    labels = models["name"]
    while (shared := labels.duplicated(keep=False)).any():
        labels = labels.where(~shared, labels + " (" + models["identifier"] + ")")
    return pd.Index(labels, name="model")


def _metric_groups(tree: Tree) -> pd.DataFrame:
    """The part of every metric, and its group: names in a mapping group metrics, names inside a list only average."""
    rows = {}
    for part, node in tree_children(tree):
        for name, child in tree_children(node) if isinstance(node, Mapping) else [(part, node)]:
            rows |= dict.fromkeys(tree_leaves(child), (part, name))
    return pd.DataFrame.from_dict(rows, orient="index", columns=["part", "group"]).rename_axis("metric")


def _report(values, status, models, ranges, empty, copies, parents, others) -> pd.DataFrame:
    """One row for everything that was read and is not among the scores."""
    label = models["name"] + " (" + models["identifier"] + ")"
    rows = [
        ("impossible score", label[row], metric, values.at[row, metric], "outside [{:g}, {:g}]".format(*ranges[metric]))
        for metric, column in status.items()
        for row in column.index[column == IMPOSSIBLE]
    ]
    rows += [("model without a score", name, None, np.nan, "no metric of the tree measured") for name in label[empty]]
    rows += [
        ("duplicate model", label[row], None, np.nan, f"agrees with {label[kept]}") for row, kept in copies.items()
    ]
    rows += [("parent", None, name, np.nan, "an average of other columns") for name in parents]
    rows += [("other metric", None, name, np.nan, "not named by the tree") for name in others]
    return pd.DataFrame(rows, columns=["what", "model", "metric", "value", "reason"])

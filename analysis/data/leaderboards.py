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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.checks import choose
from analysis.data.model_families import model_family
from analysis.files import user_path
from analysis.measures.trees import Tree, check_tree, tree_children, tree_leaves
from analysis.plain_yaml import read_yaml

MEASURED, FAILED, MISSING, IMPOSSIBLE = "measured", "failed", "missing", "impossible"
FAILED_MARK = "X"
MISSING_MARKS = ("", "NA", "NaN", "nan")


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
    cells = read_cells(path)
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
    return assemble(cells, models, tree, [], ranges, 0.0 if duplicates == "drop" else None)


def read_groups(path: str | Path) -> Tree:
    """The groups of metrics that a YAML file names, as `read_table` takes them.

    Raises
    ------
    ValueError
        If the file holds anything but nested names and lists of metrics.
    """
    return _as_groups(read_yaml(user_path(path)))


def _as_groups(groups) -> Tree:
    if not isinstance(groups, Mapping):
        raise ValueError(f"'groups' must be a mapping from group to metrics, got {groups!r}.")
    tree_leaves(groups)
    return groups


def read_cells(path: str | Path) -> pd.DataFrame:
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


def assemble(
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

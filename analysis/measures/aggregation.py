"""One overall score from a table of models × metrics: means, ranks, hierarchies, and how firm the top is."""

from collections.abc import Hashable

import numpy as np
import pandas as pd

from analysis.checks import as_count, as_generator, choose
from analysis.measures._tables import as_complete, as_scores, standardise
from analysis.measures.trees import Tree, check_tree, tree_children


def aggregate(table: pd.DataFrame, method: str, *, tree: Tree | None = None) -> pd.Series:
    """One overall score per model, higher is better: mean score (the metrics' unit), z-score or rank (1 to n_models).

    Parameters
    ----------
    table : DataFrame of shape (n_models, n_metrics)
        Scores without a gap; choose the complete models first.
    method : {"mean", "z", "rank"}
        What is averaged over metrics: the scores, the scores standardised per metric, or the models' ranks per metric
        (n_models is best, ties at their mean).
    tree : nested mapping, optional
        Averages level by level as `hierarchical_mean` does. With method "mean" that is a leaderboard's overall score.

    Raises
    ------
    ValueError
        If the method is unknown, a score is missing, a metric is constant ("z"), or the tree does not fit the table.

    Examples
    --------
    >>> table = pd.DataFrame({"v1": [0.1, 0.2, 0.3], "it": [0.5, 0.1, 0.6]}, index=["a", "b", "c"])
    >>> aggregate(table, "rank").tolist()
    [1.5, 1.5, 3.0]
    """
    values = _as_ready(table, method)
    return pd.Series(_transform(method, values, values) @ _leaf_weights(table, tree), index=table.index, name=method)


def hierarchical_mean(table: pd.DataFrame, tree: Tree) -> pd.DataFrame:
    """A leaderboard's parent scores, each the mean of its children: the metrics' unit and range, higher is better.

    Parameters
    ----------
    table : DataFrame of shape (n_models, n_metrics)
        Leaf scores. A parent is missing where one of its children is: a gap is not a zero.
    tree : nested mapping
        Node names to subtrees; a subtree is again a mapping, or a list of metrics and mappings. It names every metric
        of the table once.

    Returns
    -------
    DataFrame of shape (n_models, 1 + n_nodes)
        "overall" first, then the nodes, depth first.

    Raises
    ------
    ValueError
        If the tree names a metric that the table lacks, leaves one out, or repeats a name.

    Examples
    --------
    >>> table = pd.DataFrame({"v1": [0.1], "it": [0.3], "choice": [0.8]}, index=["alexnet"])
    >>> hierarchical_mean(table, {"neural": ["v1", "it"], "behaviour": ["choice"]}).round(6).to_dict("records")
    [{'overall': 0.5, 'neural': 0.2, 'behaviour': 0.8}]
    """
    table = pd.DataFrame(as_scores(table), table.index, table.columns)  # float64: narrow types overflow in sums
    check_tree(table.columns, tree)
    nodes: dict[Hashable, pd.Series | None] = {}
    _average(table, "overall", tree, nodes)
    return pd.DataFrame(nodes)


def top_share(
    table: pd.DataFrame,
    method: str,
    *,
    resample: str,
    seed: int,
    k: int = 10,
    n_resamples: int = 1000,
    tree: Tree | None = None,
) -> pd.Series:
    """How firmly each model stands in the top k, its share of resamples there: 1 is always; range [0, 1].

    Parameters
    ----------
    table, method, tree
        As in `aggregate`.
    resample : {"metrics", "models"}
        "metrics" draws metrics with replacement, within each list of the tree. "models" draws the models that set the
        means and spreads ("z") or the ranks ("rank"), and scores all models against them; a plain mean has no such
        reference, so its shares are 0 or 1.
    seed : int
        Seed of the draws.
    k : int
        Places at the top; models that tie for the last one all count.
    n_resamples : int
        Number of resamples.

    Raises
    ------
    ValueError
        If the table does not suit `aggregate`, or an option is invalid.

    Examples
    --------
    >>> table = pd.DataFrame({"v1": [0.1, 0.2, 0.3], "it": [0.5, 0.1, 0.6]}, index=["a", "b", "c"])
    >>> top_share(table, "mean", k=1, resample="metrics", n_resamples=20, seed=0).to_dict()
    {'a': 0.0, 'b': 0.0, 'c': 1.0}
    """
    choose(resample, "resample", ("metrics", "models"))
    as_count(k, "k", 1)
    as_count(n_resamples, "n_resamples", 1)
    values, rng = _as_ready(table, method), as_generator(seed)
    if resample == "metrics":
        weights = np.stack([_leaf_weights(table, tree, rng) for _ in range(n_resamples)], axis=1)
        overall = _transform(method, values, values) @ weights
    else:
        weights = _leaf_weights(table, tree)
        references = (values[rng.integers(len(values), size=len(values))] for _ in range(n_resamples))
        overall = np.stack([_transform(method, values, drawn) @ weights for drawn in references], axis=1)
    last = len(values) - min(k, len(values))
    share = (overall >= np.partition(overall, last, axis=0)[last]).mean(axis=1)
    return pd.Series(share, index=table.index, name=f"top {k}")


def _as_ready(table: pd.DataFrame, method: str) -> np.ndarray:
    """The values of a table that `method` can aggregate."""
    choose(method, "method", ("mean", "z", "rank"))
    return as_complete(table, varying=method == "z")


def _transform(method: str, values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """What `method` averages: scores as they are, or set against the models of the reference."""
    return {"mean": lambda scores, _: scores, "z": standardise, "rank": _ranks}[method](values, reference)


def _ranks(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Rank of every value among its column of the reference, ties at their mean; the smallest is 1."""
    ordered = np.sort(reference, axis=0)
    sides = [
        [np.searchsorted(column, scores, side) for column, scores in zip(ordered.T, values.T, strict=True)]
        for side in ("left", "right")
    ]
    return (np.sum(sides, axis=0).T + 1) / 2


def _leaf_weights(table: pd.DataFrame, tree: Tree | None, rng: np.random.Generator | None = None) -> np.ndarray:
    """Weight of every column in the overall mean; with `rng`, of a resample within each list of metrics."""
    tree = list(table.columns) if tree is None else tree
    check_tree(table.columns, tree)
    weights: dict[Hashable, float] = {}
    _share_out(tree, 1.0, weights, rng)
    return np.array([weights[column] for column in table.columns])


def _share_out(node: Tree, weight: float, weights: dict, rng: np.random.Generator | None) -> None:
    children = list(tree_children(node))
    leaves = [name for name, child in children if child is None]
    drawn = np.ones(len(leaves))
    if rng is not None and leaves:
        drawn = np.bincount(rng.integers(len(leaves), size=len(leaves)), minlength=len(leaves)).astype(np.float64)
    weights.update(zip(leaves, weight * drawn / len(children), strict=True))
    for _, child in children:
        if child is not None:
            _share_out(child, weight / len(children), weights, rng)


def _average(table: pd.DataFrame, name: Hashable, node: Tree, nodes: dict) -> pd.Series:
    nodes[name] = None  # keeps the parent's place before its children
    parts = [
        table[child] if subtree is None else _average(table, child, subtree, nodes)
        for child, subtree in tree_children(node)
    ]
    nodes[name] = sum(parts) / len(parts)
    return nodes[name]

"""What an overall score makes of a table of models × metrics: means, ranks, hierarchies, and how firm they are."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.checks import choose

Tree = Mapping | Sequence


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
    as_scores(table)
    check_tree(table.columns, tree)
    nodes: dict[Hashable, pd.Series | None] = {}
    _average(table, "overall", tree, nodes)
    return pd.DataFrame(nodes)


def tree_leaves(tree: Tree) -> list:
    """The metrics of a tree, depth first.

    Examples
    --------
    >>> tree_leaves({"neural": {"V1": ["a", {"texture": ["b"]}], "IT": ["c"]}, "behaviour": ["d"]})
    ['a', 'b', 'c', 'd']
    """
    return [leaf for name, node in tree_children(tree) for leaf in ([name] if node is None else tree_leaves(node))]


def tree_children(node: Tree) -> Iterator[tuple[Hashable, Tree | None]]:
    """The children of one node: names with their subtree, metrics with None.

    Examples
    --------
    >>> list(tree_children(["a", {"texture": ["b"]}]))
    [('a', None), ('texture', ['b'])]
    """
    if isinstance(node, Mapping):
        yield from node.items()
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for child in node:
            yield from child.items() if isinstance(child, Mapping) else [(child, None)]
    else:
        raise ValueError(f"'tree' must nest mappings and lists of metrics, got {node!r}.")


def check_tree(metrics: Iterable[Hashable], tree: Tree) -> None:
    """Raises a ValueError unless the tree names each of the metrics once, nothing else, and no node twice."""
    leaves = tree_leaves(tree)
    for names in (leaves, ["overall", *_nodes(tree)]):
        repeated = [name for i, name in enumerate(names) if name in names[:i]]
        if repeated:
            raise ValueError(f"'tree' must name each metric once and each node once, got {repeated[0]!r} again.")
    differing = set(leaves) ^ set(metrics)
    if differing:
        raise ValueError(f"'tree' must name exactly the metrics of the table, got {differing.pop()!r} in one only.")


def explained_variance(total: Sequence[float] | pd.Series, part: Sequence[float] | pd.Series) -> float:
    """Share of an overall score that one part carries, the squared Pearson correlation: 1 is all of it; range [0, 1].

    Parts that correlate share variance, so the shares of several parts need not add up to 1.

    Parameters
    ----------
    total, part : Series or sequence of length n_models
        Two Series must be of the same models.

    Raises
    ------
    ValueError
        If a value is missing, the lengths or models differ, there are fewer than three, or one side is constant.

    Examples
    --------
    >>> round(explained_variance([1, 2, 3, 4], [2, 4, 6, 8.0]), 6)
    1.0
    """
    total, part = _as_pair(total, part, ("total", "part"), min_models=3)
    for name, scores in (("total", total), ("part", part)):
        if np.ptp(scores) == 0:
            raise ValueError(f"'{name}' must vary over models, got {scores.iloc[0]} for all of them.")
    return min(1.0, float(np.corrcoef(total, part)[0, 1] ** 2))


def rank_changes(before: pd.Series, after: pd.Series, *, more_than: int = 10) -> pd.DataFrame:
    """Places that each model climbs from one overall score to another: 0 is none, range ±(n_models − 1).

    Parameters
    ----------
    before, after : Series of length n_models
        Scores of the same models, higher is better.
    more_than : int
        `moved` marks models that climb or fall by more places than this.

    Returns
    -------
    DataFrame with columns before, after, change, moved
        Places (1 is best, equal scores share the better place), the best of `before` first.

    Raises
    ------
    ValueError
        If a score is missing or the models differ.

    Examples
    --------
    >>> before, after = pd.Series({"a": 0.9, "b": 0.5, "c": 0.1}), pd.Series({"a": 0.1, "b": 0.2, "c": 0.3})
    >>> rank_changes(before, after, more_than=1)["change"].to_dict()
    {'a': -2, 'b': 0, 'c': 2}
    """
    as_count(more_than, "more_than", 0)
    before, after = _as_pair(before, after, ("before", "after"))
    scores = pd.DataFrame({"before": before, "after": after})
    places = scores.rank(ascending=False, method="min").astype(int)
    change = places["before"] - places["after"]
    return places.assign(change=change, moved=change.abs() > more_than).sort_values("before", kind="stable")


def min_max(scores: pd.DataFrame | pd.Series) -> pd.DataFrame | pd.Series:
    """Scores stretched to [0, 1] for display, column by column: 1 is the best model; missing scores stay missing.

    Raises
    ------
    ValueError
        If a column has no two different scores.

    Examples
    --------
    >>> min_max(pd.Series([2.0, 3, 6])).tolist()
    [0.0, 0.25, 1.0]
    """
    as_scores(scores.to_frame() if isinstance(scores, pd.Series) else scores)
    span = scores.max() - scores.min()
    if not np.all(span > 0):
        raise ValueError(f"'scores' must vary within every column, got a span of {np.min(span)} in one of them.")
    return (scores - scores.min()) / span


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
    values, rng = _as_ready(table, method), np.random.default_rng(seed)
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


def standardise(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distance from the reference's column means in its standard deviations; 0 where the reference does not vary."""
    spread = np.where(np.ptp(reference, axis=0) > 0, reference.std(axis=0), np.inf)
    return (values - reference.mean(axis=0)) / spread


def _ranks(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Rank of every value among its column of the reference, ties at their mean; the smallest is 1."""
    ordered = np.sort(reference, axis=0)
    sides = [
        [np.searchsorted(column, scores, side) for column, scores in zip(ordered.T, values.T, strict=True)]
        for side in ("left", "right")
    ]
    return (np.sum(sides, axis=0).T + 1) / 2


def _transform(method: str, values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """What `method` averages: scores as they are, or set against the models of the reference."""
    return {"mean": lambda scores, _: scores, "z": standardise, "rank": _ranks}[method](values, reference)


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
        drawn = np.bincount(rng.integers(len(leaves), size=len(leaves)), minlength=len(leaves))
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


def _nodes(tree: Tree) -> list:
    children = list(tree_children(tree))
    if not children:
        raise ValueError(f"'tree' must have a metric in every node, got {tree!r}.")
    return [each for name, node in children if node is not None for each in (name, *_nodes(node))]


def _as_ready(table: pd.DataFrame, method: str) -> np.ndarray:
    """The values of a table that `method` can aggregate."""
    choose(method, "method", ("mean", "z", "rank"))
    return as_complete(table, varying=method == "z")


def as_scores(table: pd.DataFrame, *, min_metrics: int = 1) -> np.ndarray:
    """The table of models × metrics as float64, gaps as NaN.

    Raises
    ------
    ValueError
        If it is no DataFrame, not numeric, holds infinity, repeats a metric, or is too small.
    """
    if not isinstance(table, pd.DataFrame):
        raise ValueError(f"'table' must be a DataFrame of models × metrics, got {type(table).__name__}.")
    if not table.columns.is_unique:
        raise ValueError(
            f"'table' must name a metric once, got {table.columns[table.columns.duplicated()][0]!r} again."
        )
    if table.shape[1] < min_metrics or len(table) == 0:
        raise ValueError(f"'table' must have models and at least {min_metrics} metrics, got shape {table.shape}.")
    for name, dtype in table.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            raise ValueError(f"'table' must hold numbers, got {dtype} in {name!r}.")
    values = table.to_numpy(np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise ValueError(f"'table' must be finite or missing, got {np.isinf(values).sum()} infinite scores.")
    return values


def as_complete(table: pd.DataFrame, *, min_metrics: int = 1, varying: bool = False) -> np.ndarray:
    """The table as float64, a ValueError if it has a gap or, on request, a constant metric."""
    values = as_scores(table, min_metrics=min_metrics)
    missing = np.isnan(values)
    if missing.any():
        raise ValueError(
            f"'table' must have no missing score, got {missing.sum()} in {missing.any(axis=1).sum()} models; "
            "choose the complete models, for instance with dropna()."
        )
    constant = np.ptp(values, axis=0) == 0
    if varying and constant.any():
        raise ValueError(f"'table' must vary in every metric, got a constant {table.columns[constant][0]!r}.")
    return values


def as_count(value: int, name: str, minimum: int) -> None:
    """Raises a ValueError unless `value` is an integer of at least `minimum`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ValueError(f"'{name}' must be an integer of at least {minimum}, got {value!r}.")


def as_share(value: float, name: str) -> None:
    """Raises a ValueError unless `value` lies between 0 and 1, both excluded."""
    if not 0 < value < 1:
        raise ValueError(f"'{name}' must lie between 0 and 1, got {value!r}.")


def _as_pair(first, second, names: tuple[str, str], *, min_models: int = 1) -> tuple[pd.Series, pd.Series]:
    """Two complete series over the same models, the second in the order of the first."""
    named = isinstance(first, pd.Series) and isinstance(second, pd.Series)
    first, second = pd.Series(first, dtype=np.float64), pd.Series(second, dtype=np.float64)
    if not named:
        first, second = first.reset_index(drop=True), second.reset_index(drop=True)
    if not first.index.is_unique or len(first) != len(second) or len(first.index.difference(second.index)):
        sizes = f"{len(first)} and {len(second)}"
        raise ValueError(f"'{names[0]}' and '{names[1]}' must be of the same models, each once, got {sizes} scores.")
    if len(first) < min_models:
        raise ValueError(f"'{names[0]}' must have at least {min_models} models, got {len(first)}.")
    for name, scores in zip(names, (first, second), strict=True):
        if not np.isfinite(scores).all():
            raise ValueError(f"'{name}' must be finite, got {(~np.isfinite(scores)).sum()} missing or infinite scores.")
    return first, second.loc[first.index]

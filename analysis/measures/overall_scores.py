"""Overall scores set side by side: the variance that a part carries, places gained and lost, a common scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.checks import as_count
from analysis.measures._tables import as_scores


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
    scores = scores.astype(np.float64)
    span = scores.max() - scores.min()
    if not np.all(span > 0):
        raise ValueError(f"'scores' must vary within every column, got a span of {np.min(span)} in one of them.")
    return (scores - scores.min()) / span


def _as_pair(first: Any, second: Any, names: tuple[str, str], *, min_models: int = 1) -> tuple[pd.Series, pd.Series]:
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

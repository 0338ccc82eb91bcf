"""What a recovery experiment amounts to: the curve, the confusions, the ranks."""

import numpy as np
import pandas as pd

from analysis.checks import as_floats, as_share
from analysis.intervals import share_interval

SIMULATION = ["generator", "n_triplets", "seed"]


def recovery_curve(table: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Share of simulations won by the true one, by number of triplets: 1 = always; chance is 1/candidates.

    Parameters
    ----------
    table : pandas.DataFrame
        As in `Recovery`; candidates may be left out, but not the generators of the remaining rows.
    level : float
        Coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row per ``n_triplets``: ``recovery`` (k candidates tied for the best count 1/k each), ``low`` and ``high``
        (binomial interval of Wilson, 1927), ``n_simulations`` and ``chance``.

    Raises
    ------
    ValueError
        If the table lacks a column, holds a candidate twice or an accuracy that is not finite, if a simulation lacks
        a candidate, a generator is not among the candidates, or `level` is not between 0 and 1.

    Examples
    --------
    >>> table = pd.DataFrame({"generator": list("aabb"), "candidate": list("abab"), "n_triplets": 10, "seed": 0,
    ...                       "test_accuracy": [0.9, 0.5, 0.7, 0.7]})
    >>> recovery_curve(table).recovery.tolist()
    [0.75]
    """
    as_share(level, "level")
    _check(table, alike=True)
    credit = _credit(table)
    true = credit[credit.generator == credit.candidate].groupby("n_triplets").credit
    curve = pd.DataFrame({"recovery": true.mean(), "n_simulations": true.size()})
    wins = zip(true.sum(), curve.n_simulations, strict=True)
    shares = [share_interval(min(won, n), int(n), over="simulations", level=level) for won, n in wins]
    curve["low"], curve["high"] = [share.low for share in shares], [share.high for share in shares]
    curve["chance"] = 1 / table.candidate.nunique()
    return curve.reset_index()


def _credit(table: pd.DataFrame) -> pd.DataFrame:
    """The table with each candidate's share of the win in its simulation."""
    best = np.isclose(table.test_accuracy, table.groupby(SIMULATION).test_accuracy.transform("max"), rtol=0, atol=1e-12)
    table = table.assign(best=best.astype(float))
    tied = table.groupby(SIMULATION).best.transform("sum")
    return table.assign(credit=table.best / tied)


def _check(table: pd.DataFrame, *, alike: bool) -> None:
    """A ValueError unless every simulation has an accuracy for each candidate of its generator (`alike`: of all)."""
    needed = {*SIMULATION, "candidate", "test_accuracy"}
    if not isinstance(table, pd.DataFrame) or not needed <= set(table.columns):
        got = sorted(map(str, table.columns)) if isinstance(table, pd.DataFrame) else type(table).__name__
        raise ValueError(f"'table' must have the columns {sorted(needed)}, got {got}.")
    if table.empty:
        raise ValueError("'table' must have at least 1 row, got none.")
    undefined = ~np.isfinite(as_floats(table.test_accuracy, "table.test_accuracy"))
    if undefined.any():
        raise ValueError(f"'table' must have finite test accuracies, got {undefined.sum()} missing or infinite ones.")
    absent = set(table.generator) - set(table.candidate)
    if alike and absent:
        raise ValueError(f"'table' must hold every generator as a candidate, got none for {sorted(absent)}.")
    repeated = table.duplicated([*SIMULATION, "candidate"])
    if repeated.any():
        row = _named(table.loc[repeated, [*SIMULATION, "candidate"]].iloc[0])
        raise ValueError(f"'table' must hold each candidate of a simulation once, got {row} again.")
    sizes = table.groupby(SIMULATION).size()
    wanted = table.groupby("generator").candidate.nunique().reindex(sizes.index.get_level_values("generator"))
    short = sizes.to_numpy() < (table.candidate.nunique() if alike else wanted.to_numpy())
    if short.any():
        row = _named(pd.Series(sizes.index[short][0], SIMULATION))
        raise ValueError(f"'table' must hold every candidate in every simulation, got {sizes[short].iloc[0]} of {row}.")


def _named(row: pd.Series) -> str:
    return ", ".join(f"{name} {value}" for name, value in row.items())


def confusion_matrix(table: pd.DataFrame, n_triplets: int) -> pd.DataFrame:
    """Share of each generator's simulations that each candidate wins: rows sum to 1, an identity is full recovery.

    Parameters
    ----------
    table : pandas.DataFrame
        As in `Recovery`. Candidates may be left out, the true ones too.
    n_triplets : int
        Which number of triplets.

    Returns
    -------
    pandas.DataFrame
        Generators in rows, candidates in columns; ties are split.

    Raises
    ------
    ValueError
        If the table lacks a column or this number of triplets, holds a candidate twice or an accuracy that is not
        finite, or if a generator's simulations differ in their candidates.

    Examples
    --------
    >>> table = pd.DataFrame({"generator": list("aabb"), "candidate": list("abab"), "n_triplets": 10, "seed": 0,
    ...                       "test_accuracy": [0.9, 0.5, 0.7, 0.7]})
    >>> confusion_matrix(table, 10).to_numpy()
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
    _check(table, alike=False)
    if not (table.n_triplets == n_triplets).any():
        raise ValueError(f"'n_triplets' must be one of {sorted(set(table.n_triplets))}, got {n_triplets!r}.")
    credit = _credit(table[table.n_triplets == n_triplets])
    return credit.pivot_table("credit", "generator", "candidate", aggfunc="mean", sort=False)


def mean_ranks(table: pd.DataFrame) -> pd.DataFrame:
    """Mean rank of the models by test accuracy: 1 = always the best of the candidates; ties share their mean rank.

    Parameters
    ----------
    table : pandas.DataFrame
        As in `Recovery`.

    Returns
    -------
    pandas.DataFrame
        One row per ``n_triplets`` and ``model``: ``own`` is its rank among the candidates for its own answers,
        ``others`` its rank for the answers of the others (a low one marks a systematic winner).

    Raises
    ------
    ValueError
        As in `recovery_curve`.

    Examples
    --------
    >>> table = pd.DataFrame({"generator": list("aabb"), "candidate": list("abab"), "n_triplets": 10, "seed": 0,
    ...                       "test_accuracy": [0.9, 0.5, 0.7, 0.6]})
    >>> mean_ranks(table)[["model", "own", "others"]].values.tolist()
    [['a', 1.0, 1.0], ['b', 2.0, 2.0]]
    """
    _check(table, alike=True)
    simulation = table.groupby(SIMULATION).test_accuracy
    ranked = table.assign(rank=simulation.rank(ascending=False))
    own = ranked.generator == ranked.candidate
    means = [ranked[rows].groupby(["n_triplets", "candidate"])["rank"].mean() for rows in (own, ~own)]
    return pd.DataFrame({"own": means[0], "others": means[1]}).rename_axis(["n_triplets", "model"]).reset_index()

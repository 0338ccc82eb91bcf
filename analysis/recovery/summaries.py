"""What a recovery experiment amounts to: the curve, the confusions, the ranks."""

import numpy as np
import pandas as pd
from scipy.stats import norm


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
        If the table lacks a column, or a generator is not among its candidates.

    Examples
    --------
    >>> table = pd.DataFrame({"generator": list("aabb"), "candidate": list("abab"), "n_triplets": 10, "seed": 0,
    ...                       "test_accuracy": [0.9, 0.5, 0.7, 0.7]})
    >>> recovery_curve(table).recovery.tolist()
    [0.75]
    """
    credit = _credit(table)
    absent = set(table.generator) - set(table.candidate)
    if absent:
        raise ValueError(f"'table' must hold every generator as a candidate, got none for {sorted(absent)}.")
    true = credit[credit.generator == credit.candidate].groupby("n_triplets").credit
    curve = pd.DataFrame({"recovery": true.mean(), "n_simulations": true.size()})
    curve["low"], curve["high"] = wilson(curve.recovery, curve.n_simulations, level)
    curve["chance"] = 1 / table.candidate.nunique()
    return curve.reset_index()


def _credit(table: pd.DataFrame) -> pd.DataFrame:
    """The table with each candidate's share of the win in its simulation."""
    needed = {"generator", "candidate", "n_triplets", "seed", "test_accuracy"}
    if not needed <= set(table.columns):
        raise ValueError(f"'table' must have the columns {sorted(needed)}, got {sorted(table.columns)}.")
    simulation = table.groupby(["generator", "n_triplets", "seed"]).test_accuracy
    best = np.isclose(table.test_accuracy, simulation.transform("max"), rtol=0, atol=1e-12)
    table = table.assign(best=best.astype(float))
    tied = table.groupby(["generator", "n_triplets", "seed"]).best.transform("sum")
    return table.assign(credit=table.best / tied)


def wilson(share, n, level: float):
    """Binomial interval (low, high) of shares of n, within 0 and 1 (Wilson, 1927)."""
    z = norm.ppf((1 + level) / 2)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return (centre - half).clip(lower=0), (centre + half).clip(upper=1)


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
        If the table lacks a column or this number of triplets.

    Examples
    --------
    >>> table = pd.DataFrame({"generator": list("aabb"), "candidate": list("abab"), "n_triplets": 10, "seed": 0,
    ...                       "test_accuracy": [0.9, 0.5, 0.7, 0.7]})
    >>> confusion_matrix(table, 10).to_numpy()
    array([[1. , 0. ],
           [0.5, 0.5]])
    """
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

    Examples
    --------
    >>> table = pd.DataFrame({"generator": list("aabb"), "candidate": list("abab"), "n_triplets": 10, "seed": 0,
    ...                       "test_accuracy": [0.9, 0.5, 0.7, 0.6]})
    >>> mean_ranks(table)[["model", "own", "others"]].values.tolist()
    [['a', 1.0, 1.0], ['b', 2.0, 2.0]]
    """
    _credit(table)
    simulation = table.groupby(["generator", "n_triplets", "seed"]).test_accuracy
    ranked = table.assign(rank=simulation.rank(ascending=False))
    own = ranked.generator == ranked.candidate
    means = [ranked[rows].groupby(["n_triplets", "candidate"])["rank"].mean() for rows in (own, ~own)]
    return pd.DataFrame({"own": means[0], "others": means[1]}).rename_axis(["n_triplets", "model"]).reset_index()

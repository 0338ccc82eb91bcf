"""What an adaptive experiment amounts to: curves, how many trials a policy saves, and what is left after the refit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks import choose
from analysis.intervals import Measured

CRITERIA = ("log_likelihood", "test_accuracy", "predicted", "everywhere")
DESIGN = ["mode", "train", "test"]
SIMULATION = [*DESIGN, "generator", "split", "n_triplets"]
N_DRAWS = 1000


def identified(table: pd.DataFrame, criterion: str = "log_likelihood") -> pd.DataFrame:
    """Whether the true model won each simulation and round: 1 = it did, 0 = not, 1/k in a tie of k.

    Parameters
    ----------
    table : pandas.DataFrame
        As in `Adaptive`; candidates may be left out.
    criterion : {"log_likelihood", "test_accuracy", "predicted", "everywhere"}
        What the best candidate is best at.

    Returns
    -------
    pandas.DataFrame
        One row per mode, policies, generator, split and round, with ``n_trials``, ``identified`` and ``chance``.
    """
    choose(criterion, "criterion", CRITERIA)
    score = table.groupby(SIMULATION, sort=False)[criterion]
    best = np.isclose(table[criterion], score.transform("max"), rtol=0, atol=1e-12)
    tied = best / pd.Series(best, table.index).groupby([table[key] for key in SIMULATION], sort=False).transform("sum")
    found = table.assign(identified=tied, chance=1 / score.transform("size"))
    true = found["generator"] == found["candidate"]
    return found.loc[true, [*SIMULATION, "n_trials", "identified", "chance"]].reset_index(drop=True)


@dataclass(frozen=True)
class Factor:
    """How many times as many trials the random design needs: ``log_g`` above 0 = the policy saves trials.

    ``never`` says which design does not get halfway within the trials: "", "random" (the factor is at least this),
    "policy" (at most), or "both" (nothing is known). ``draws`` are those of the bootstrap over generators.
    """

    log_g: Measured
    never: str
    draws: np.ndarray

    @property
    def factor(self) -> Measured:
        """exp of the logarithm, its interval too: 2 = the random design needs twice as many."""
        ends = np.exp([self.log_g.value, self.log_g.low, self.log_g.high])
        return Measured(*map(float, ends), self.log_g.interval)


def trial_factor(wins: pd.DataFrame, *, mode: str, train: str, test: str, ends: str = "limit", seed: int = 0) -> Factor:
    r"""Trials at random over trials with a policy to get halfway between chance and the lower of the two asymptotes.

    Parameters
    ----------
    wins : pandas.DataFrame
        As `identified` returns it; the random design must be among them.
    mode, train, test : str
        Which design is compared with the random one of the same mode.
    ends : {"limit", "last"}
        Asymptotes: recovery from infinitely many answers to the triplets of the last round, or recovery in that round.
    seed : int
        Of the bootstrap, which draws generators: simulations of one generator are not independent.

    Returns
    -------
    Factor

    Notes
    -----
    Curves are made monotone (least squares) and read off between rounds on a logarithmic axis. A design that is halfway
    with the seed batch counts as halfway there. One that never gets halfway is censored at its last round: such a
    factor is a bound, and `Factor.never` says on which side.

    Examples
    --------
    >>> rows = [("frozen", train, "random", "a", 0, n, n, float(n >= at), 0.0)
    ...         for train, at in (("random", 40), ("information", 20)) for n in (10, 20, 40)]
    >>> wins = pd.DataFrame(rows, columns=[*SIMULATION, "n_trials", "identified", "chance"])
    >>> found = trial_factor(wins, mode="frozen", train="information", test="random", ends="last")
    >>> round(found.factor.value, 3), found.never
    (2.0, '')
    """
    choose(ends, "ends", ("limit", "last"))
    curves = [_by_generator(wins, mode, *design, ends) for design in (("random", "random"), (train, test))]
    trials, chance = curves[0][1], wins["chance"].iloc[0]
    shares = np.stack([shares for shares, _ in curves])  # (designs, generators, rounds and the end)
    drawn = np.random.default_rng(seed).integers(shares.shape[1], size=(N_DRAWS, shares.shape[1]))
    means = np.concatenate([shares.mean(axis=1)[:, None], shares[:, drawn].mean(axis=2)], axis=1)
    goal = (chance + means[:, :, -1].min(axis=0)) / 2
    reached = np.stack([_crossing(curve[:, :-1], trials, goal) for curve in means])
    last = np.log(trials[-1])
    never = np.isinf(reached)
    logs = np.where(never.all(axis=0), np.nan, np.minimum(reached[0], last) - np.minimum(reached[1], last))
    who = {(False, False): "", (True, False): "random", (False, True): "policy", (True, True): "both"}
    log_g = Measured.from_draws(logs[0], logs[1:], f"bootstrap, {shares.shape[1]} generators")
    return Factor(log_g, who[tuple(map(bool, never[:, 0]))], logs[1:])


def _by_generator(wins, mode, train, test, ends: str) -> tuple[np.ndarray, np.ndarray]:
    """Shares identified (generators, rounds + 1), the last being the asymptote; and the trials of the rounds."""
    part = wins[(wins["mode"] == mode) & (wins["train"] == train) & (wins["test"] == test)]
    if part.empty:
        raise ValueError(f"'wins' must hold the design {mode}, {train}, {test}, got none of it.")
    shares = part.pivot_table("identified", "generator", "n_trials", aggfunc="mean")
    if ends == "last":
        shares = shares.loc[:, np.isfinite(shares.columns)]
        shares = pd.concat([shares, shares.iloc[:, -1:]], axis=1)
    return shares.to_numpy(), shares.columns[:-1].to_numpy(float)


def _crossing(curves: np.ndarray, trials: np.ndarray, goal: np.ndarray) -> np.ndarray:
    """Log of the trials at which each monotone curve (n, rounds) reaches its goal; infinite if it never does."""
    curves, logs = _monotone(curves), np.log(trials)
    there = curves >= goal[:, None] - 1e-12
    first, rows = there.argmax(axis=1), np.arange(len(curves))
    before = (first - 1).clip(min=0)
    rise = curves[rows, first] - curves[rows, before]
    part = np.where(rise > 0, (goal - curves[rows, before]) / np.where(rise > 0, rise, 1), 1.0)
    return np.where(there.any(axis=1), logs[before] + part * (logs[first] - logs[before]), np.inf)


def _monotone(curves: np.ndarray) -> np.ndarray:
    """Least-squares non-decreasing version of each row: the max over starts of the min over ends of the means."""
    sums = np.concatenate([np.zeros((len(curves), 1)), curves.cumsum(axis=1)], axis=1)
    size = curves.shape[1]
    starts, stops = np.arange(size)[:, None], np.arange(1, size + 1)[None]
    means = np.where(stops > starts, (sums[:, None, 1:] - sums[:, :-1, None]) / np.maximum(stops - starts, 1), np.inf)
    lowest = np.minimum.accumulate(means[:, :, ::-1], axis=2)[:, :, ::-1]  # over ends from here on
    return np.where(stops > starts, lowest, -np.inf).max(axis=1)


def survival(refitted: Factor, frozen: Factor) -> Measured:
    """Share of a policy's advantage that the refit leaves, log G / log G_frozen: 1 = all of it, 0 = none.

    Not defined (NaN) where the frozen transforms show no clear advantage, or where a factor is a bound.
    """
    if refitted.never or frozen.never or not frozen.log_g.low > 0:
        return Measured.without_interval(np.nan, "not defined: no clear advantage with frozen transforms")
    ratio = refitted.draws / np.where(frozen.draws > 0, frozen.draws, np.nan)
    return Measured.from_draws(refitted.log_g.value / frozen.log_g.value, ratio, "bootstrap over generators")


def expected_factor(designs: pd.DataFrame, *, mode: str, part: str, policy: str) -> float:
    """log G that theory expects: log of the divergence of the nearest rival on chosen over that on random triplets.

    Parameters
    ----------
    designs : pandas.DataFrame
        As in `Adaptive`.
    mode : {"refitted", "frozen"}
        Which.
    part : {"train", "test"}
        Whose triplets the policy chose; the other part's are random.
    policy : str
        Which.
    """
    other = {"train": "test", "test": "train"}[part]
    rows = designs[(designs["mode"] == mode) & (designs[other] == "random") & np.isfinite(designs["n_triplets"])]
    mean = rows.groupby([part, "generator", "split"])[f"{part}_divergence"].mean().groupby(part).mean()
    return float(np.log(mean[policy] / mean["random"]))

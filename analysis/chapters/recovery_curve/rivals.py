"""Who is mistaken for whom: favourites, fewer and like candidates, and what is seen without the true model."""

from math import comb

import numpy as np
import pandas as pd

from analysis.chapters.recovery_curve.geometry import nearest_models
from analysis.chapters.recovery_curve.outcomes import by_generator, over_models
from analysis.intervals import Measured, mean_interval
from analysis.recovery.experiment import Recovery
from analysis.recovery.summaries import confusion_matrix
from analysis.runs.verdicts import Limits


def false_winners(table: pd.DataFrame, n_triplets: int) -> pd.DataFrame:
    """Who takes the simulations that the true model loses: one row a candidate, the most frequent first.

    ``taken`` is its share of the lost simulations, ``even`` its share if every candidate took as many of the lost ones
    that it did not generate itself. Both are 0 if nothing is lost.
    """
    won = confusion_matrix(table, n_triplets)
    won = won[list(won.index)]
    false = won.mask(np.eye(len(won), dtype=bool), 0.0)
    lost = false.sum(axis=1)
    total = max(lost.sum(), 1e-12)
    shares = pd.DataFrame({"taken": false.sum() / total, "even": (lost.sum() - lost) / (len(lost) - 1) / total})
    return shares.rename_axis("candidate").sort_values("taken", ascending=False, kind="stable")


def systematic_winner(table: pd.DataFrame, n_triplets: int) -> Measured:
    """Share of the lost simulations that the most frequent false winner takes, beyond an even share: 0 = no favourite.

    The winner is chosen on all other seeds, its share taken on the one left out, so that choosing does not inflate it.
    Seeds in which nothing is lost say nothing and are left out.
    """
    at_size = table[table["n_triplets"] == n_triplets]
    excess = []
    for seed in sorted(set(at_size["seed"])):
        others = at_size[at_size["seed"] != seed]
        shares = false_winners(at_size[at_size["seed"] == seed], n_triplets)
        if len(others) and shares["taken"].any():
            favourite = false_winners(others, n_triplets).index[0]
            excess.append(shares.loc[favourite, "taken"] - shares.loc[favourite, "even"])
    return mean_interval(np.array(excess or [np.nan]))


def nearest_share(found: Recovery, n_triplets: int) -> float:
    """Share of the lost simulations that go to the model nearest to the generator (`nearest_models`)."""
    won = confusion_matrix(found.table, n_triplets)
    nearest = nearest_models(found.similarities)
    to_nearest = sum(won.loc[name, nearest[name]] for name in won.index)
    return to_nearest / max(sum(1 - won.loc[name, name] for name in won.index), 1e-12)


def fewer_candidates(table: pd.DataFrame, n_triplets: int) -> pd.DataFrame:
    """Recovery with the true model and k − 1 of the others, exactly averaged over all choices of them.

    One row a generator and k, from the accuracies of one experiment: nothing is fitted again.
    """
    at_size = table[table["n_triplets"] == n_triplets]
    rows = []
    for (generator, seed), part in at_size.groupby(["generator", "seed"], sort=False):
        accuracy = part.set_index("candidate")["test_accuracy"]
        gap = accuracy.drop(generator) - accuracy[generator]
        worse, tied, others = int((gap < -1e-12).sum()), int((gap.abs() <= 1e-12).sum()), len(gap)
        for k in range(2, others + 2):
            ways = sum(comb(worse, k - 1 - j) * comb(tied, j) / (1 + j) for j in range(min(tied, k - 1) + 1))
            rows.append({"generator": generator, "seed": seed, "k": k, "recovery": ways / comb(others, k - 1)})
    return pd.DataFrame(rows).groupby(["generator", "k"], sort=False)["recovery"].mean().reset_index()


def _all_and_half(fewer: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    wide = fewer.pivot(index="generator", columns="k", values="recovery")
    return wide[wide.columns.max()], wide[max(2, wide.columns.max() // 2)]


def all_against_half(fewer: pd.DataFrame) -> Measured:
    """Recovery among all candidates minus recovery among random halves of them, over models."""
    among_all, among_half = _all_and_half(fewer)
    return over_models(among_all - among_half)


def limits_of_halves(fewer: pd.DataFrame) -> Limits:
    """The scale of what `all_against_half` compares: with every model always recovered there is nothing to compare."""
    return Limits(0, 1, [recovery.mean() for recovery in _all_and_half(fewer)])


def within_groups(table: pd.DataFrame, models: pd.DataFrame, column: str, n_triplets: int) -> pd.DataFrame:
    """Recovery among candidates of one group, beside random candidates as many; groups of one are left out."""
    random = fewer_candidates(table, n_triplets).set_index(["generator", "k"])["recovery"]
    rows = []
    for group, members in models.groupby(column, sort=False):
        names = list(members.index)
        inside = table[table["generator"].isin(names) & table["candidate"].isin(names)]
        size = len(names)
        if size > 1:
            rows += [
                {"group": group, "k": size, "generator": name, "recovery": share, "random": random[name, size]}
                for name, share in by_generator(inside, n_triplets).items()
            ]
    return pd.DataFrame(rows, columns=["group", "k", "generator", "recovery", "random"])


def without_truth(table: pd.DataFrame) -> pd.DataFrame:
    """What a study would see, with the true model among the candidates and without it; one row a generator and size.

    `winner` is the candidate of the highest mean accuracy; `agreement` the share of seeds it wins; `lead` how far it is
    ahead of the runner-up (mean over seeds); `short` how far it is behind the true model's accuracy.
    """
    rows = []
    for (size, generator), part in table.groupby(["n_triplets", "generator"], sort=False):
        wide = part.pivot(index="seed", columns="candidate", values="test_accuracy")
        for truth, among in (("among the candidates", wide), ("left out", wide.drop(columns=generator))):
            winner = among.mean().idxmax()
            rows.append({
                "n_triplets": size, "generator": generator, "true model": truth, "winner": winner,
                "agreement": _win_share(among, winner),
                "lead": (among[winner] - among.drop(columns=winner).max(axis=1)).mean(),
                "short": (wide[generator] - among[winner]).mean(),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _win_share(accuracies: pd.DataFrame, winner: str) -> float:
    best = np.isclose(accuracies.sub(accuracies.max(axis=1), axis=0), 0, rtol=0, atol=1e-12)
    return float((best[:, accuracies.columns.get_loc(winner)] / best.sum(axis=1)).mean())

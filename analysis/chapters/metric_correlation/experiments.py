"""The chapter's experiments: a table of models × metrics in, tidy tables out."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy.stats import norm

from analysis.chapters.metric_correlation.parameters import MIN_MODELS
from analysis.chapters.metric_correlation.reported import MANY_PLACES
from analysis.data.leaderboards import FAILED, MEASURED, Leaderboard
from analysis.intervals import Measured, bootstrap_interval, percentile_bounds, spearman
from analysis.measures.aggregation import aggregate, hierarchical_mean, top_share
from analysis.measures.overall_scores import rank_changes
from analysis.measures.spearman import SpearmanMatrix, spearman_matrix
from analysis.measures.spearman_bootstrap import SpearmanBootstrap, bootstrap_spearman

HIERARCHY, PLAIN, Z, RANK = "leaderboard's mean", "mean of all metrics", "mean z-score", "mean rank"
"""Four overall scores; the first is the one that a leaderboard publishes, every part counting the same."""
TOP = 10
MIN_FAMILIES = 10
"""Fewer families than these are not resampled."""


def coverage(board: Leaderboard) -> pd.DataFrame:
    """Models of each state, part by part: how many scores were measured, failed, are missing or impossible."""
    counts = board.coverage.loc[board.scores.columns]
    return counts.groupby(board.metrics["part"], sort=False).sum()


def as_csv(board: Leaderboard) -> pd.DataFrame:
    """The table in the form in which the chapter reads a user's own: X for a failed run, nothing where not measured."""
    failed = board.status[board.scores.columns] == FAILED
    table = board.scores.round(6).astype(object).where(board.scores.notna(), "").mask(failed, "X")
    table.insert(0, "family", board.models["family"])
    return table.reset_index()


def beside_baselines(board: Leaderboard, baselines: pd.DataFrame) -> pd.DataFrame:
    """One row a metric and who was scored on it: every model of the table, and what needs no network."""
    columns = [name for name in board.scores if name in baselines]
    found = pd.concat([board.scores[columns], baselines[columns]]).rename_axis("scored").reset_index()
    found.insert(1, "baseline", found["scored"].isin(baselines.index))
    return found.melt(["scored", "baseline"], var_name="metric", value_name="score")


def told_baselines(compared: pd.DataFrame) -> str:
    """On how many metrics the median model does not reach each baseline, in a sentence."""
    medians = compared[~compared["baseline"]].groupby("metric")["score"].median()
    parts = []
    for name, rows in compared[compared["baseline"]].groupby("scored", sort=False):
        scores = rows.set_index("metric")["score"].dropna()
        above = scores.index[scores > medians[scores.index]]
        named = f" ({', '.join(above)})" if len(above) else ""
        parts.append(f"{name} on {len(above)} of {len(scores)}{named}")
    return f"Above the median network are: {'; '.join(parts)}."


def relative_ranks(scores: pd.DataFrame) -> pd.DataFrame:
    """Rank of every score within its metric: 0 = lowest, 1 = highest of the models measured."""
    return (scores.rank() - 1) / (scores.notna().sum() - 1).clip(lower=1)


def parts_of(board: Leaderboard) -> tuple[str, str]:
    """The two parts that are set against each other: the first two of the tree."""
    return tuple(list(board.tree)[:2])


def metrics_of(board: Leaderboard, part: str) -> list[str]:
    """The metrics of one part, in the table's order."""
    return board.metrics.index[board.metrics["part"] == part].tolist()


def long_matrix(matrix: SpearmanMatrix, bootstrap: SpearmanBootstrap) -> pd.DataFrame:
    """One row a pair of metrics: correlation, interval, p-values, number of models."""
    frames = {
        "rho": matrix.rho,
        "low": bootstrap.low,
        "high": bootstrap.high,
        "p": matrix.p_value,
        "p bonferroni": matrix.p_bonferroni,
        "models": matrix.n_models,
    }
    first, second = np.triu_indices(len(matrix.rho), 1)
    names = matrix.rho.columns
    values = {name: frame.to_numpy()[first, second] for name, frame in frames.items()}
    return pd.DataFrame({"metric": names[first], "other": names[second], **values}).round(6)


def contrast(bootstrap: SpearmanBootstrap, first: list[str], second: list[str]) -> Measured:
    """Mean correlation within the first metrics minus that within the second, with its bootstrap interval."""
    one, other = (_places_in(bootstrap, metrics) for metrics in (first, second))
    return _measured_from(bootstrap, lambda rho: _mean_within(rho, one) - _mean_within(rho, other))


def apart(bootstrap: SpearmanBootstrap, metric: str) -> Measured:
    """Mean correlation of one metric with all others, minus that of the others with one another."""
    others = _places_in(bootstrap, [name for name in bootstrap.rho if name != metric])
    (single,) = _places_in(bootstrap, [metric])
    return _measured_from(
        bootstrap, lambda rho: np.nanmean(rho[..., single, others], axis=-1) - _mean_within(rho, others)
    )


def _places_in(bootstrap: SpearmanBootstrap, metrics: list[str]) -> np.ndarray:
    return bootstrap.rho.columns.get_indexer(metrics)


def _mean_within(rho: np.ndarray, metrics: np.ndarray) -> np.ndarray:
    """Mean over the pairs of some metrics, of one matrix or of a stack of them."""
    first, second = np.triu_indices(len(metrics), 1)
    return np.nanmean(rho[..., metrics[first], metrics[second]], axis=-1)


def _measured_from(bootstrap: SpearmanBootstrap, statistic: Callable[[np.ndarray], np.ndarray]) -> Measured:
    """A statistic of the matrix with its percentile interval over the bootstrap's samples."""
    low, high = percentile_bounds(statistic(bootstrap.samples), bootstrap.level)
    return Measured(float(statistic(bootstrap.rho.to_numpy())), float(low), float(high), bootstrap.mean.interval)


def most_negative(
    matrix: SpearmanMatrix,
    first: list[str],
    second: list[str],
    *,
    n_independent: int | None = None,
    level: float = 0.95,
) -> Measured:
    """The lowest correlation between two sets of metrics, its interval holding for all pairs of the sets at once.

    Fisher's z with the variance of Bonett & Wright (2000), doi:10.1007/BF02294183, at a level divided by the number of
    pairs: the pair was picked for being the lowest, and an interval for one pair would forget that. Where models come
    in families, `n_independent` is the number of these: as if each counted for one model.
    """
    rho, n_models = matrix.rho.loc[first, second].stack().dropna(), matrix.n_models.loc[first, second].stack()
    pair = rho.idxmin()
    lowest, n = float(rho[pair]), n_independent or int(n_models[pair])
    counted = "models" if n_independent is None else "families"
    half = norm.ppf(1 - (1 - level) / 2 / len(rho)) * np.sqrt((1 + lowest**2 / 2) / (n - 3))
    centre = np.arctanh(np.clip(lowest, -1 + 1e-12, 1 - 1e-12))
    ends = np.tanh([centre - half, centre + half])
    return Measured(
        lowest, *map(float, ends), f"{level:.0%} for {len(rho)} pairs at once, {n} {counted}: {' – '.join(pair)}"
    )


def part_scores(board: Leaderboard) -> dict[str, pd.DataFrame]:
    """Overall score and the average of every part, of the complete models: raw, and with standardised metrics."""
    raw = board.complete
    tables = {"raw": raw, "z-scored": (raw - raw.mean()) / raw.std(ddof=0)}
    columns = ["overall", *board.tree]
    return {name: hierarchical_mean(table, board.tree)[columns] for name, table in tables.items()}


def explained(scores: Mapping[str, pd.DataFrame], *, n_resamples: int, seed: int) -> pd.DataFrame:
    """Share of the overall score's variance that each part carries, with intervals."""
    options = {"n_resamples": n_resamples, "seed": seed, "over": "models"}
    rows = [
        (name, part, bootstrap_interval(r_squared, table["overall"].to_numpy(), table[part].to_numpy(), **options))
        for name, table in scores.items()
        for part in table.columns[1:]
    ]
    return pd.DataFrame(rows, columns=["scores", "part", "share"])


def share_difference(
    scores: pd.DataFrame,
    part: str,
    other: str,
    *,
    n_resamples: int,
    seed: int,
    groups: pd.Series | None = None,
) -> Measured:
    """How much more of the overall score's variance one part carries than another; `groups` are drawn whole."""
    columns = [scores[name].to_numpy() for name in ("overall", part, other)]
    if groups is None:
        return bootstrap_interval(_r2_difference, *columns, n_resamples=n_resamples, seed=seed, over="models")
    codes, names = pd.factorize(groups.loc[scores.index])
    members = [np.flatnonzero(codes == code) for code in range(len(names))]

    def of_families(drawn: np.ndarray) -> float:
        rows = np.concatenate([members[family] for family in drawn])
        return _r2_difference(*(column[rows] for column in columns))

    families = np.arange(len(members))
    return bootstrap_interval(of_families, families, n_resamples=n_resamples, seed=seed, over="families")


def families_of(board: Leaderboard, models: pd.Index) -> pd.Series | None:
    """The models' families, to be drawn whole; None where there are too few for that, as in the zoo.

    Copies of one network are not independent models, so that an interval over models would be too narrow.
    """
    families = board.models["family"].loc[models]
    return families if families.nunique() >= MIN_FAMILIES else None


def r_squared(total: np.ndarray, part: np.ndarray) -> float:
    """`explained_variance` without its checks, for resamples; NaN where one side is constant."""
    constant = np.ptp(total) == 0 or np.ptp(part) == 0
    return np.nan if constant else float(np.corrcoef(total, part)[0, 1] ** 2)


def _r2_difference(total: np.ndarray, part: np.ndarray, other: np.ndarray) -> float:
    return r_squared(total, part) - r_squared(total, other)


def flat(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """The table with the parts of its column of `Measured` as columns of their own, for a CSV file."""
    parts = [{"value": entry.value, "low": entry.low, "high": entry.high} for entry in table[column]]
    return pd.concat([table.drop(columns=column), pd.DataFrame(parts, table.index)], axis=1)


def overall_scores(board: Leaderboard) -> pd.DataFrame:
    """Four overall scores of every complete model, higher is better."""
    table = board.complete
    scores = {name: aggregate(table, **options) for name, options in _aggregations(board).items()}
    return pd.DataFrame(scores).round(12)  # sums taken in another order differ behind; equal scores share their place


def _aggregations(board: Leaderboard) -> dict[str, dict]:
    return {
        HIERARCHY: {"method": "mean", "tree": board.tree},
        PLAIN: {"method": "mean"},
        Z: {"method": "z"},
        RANK: {"method": "rank"},
    }


def places(overall: pd.DataFrame) -> pd.DataFrame:
    """Place of every model under every overall score: 1 is best."""
    return overall.rank(ascending=False, method="min").astype(int)


def fewer_metrics(board: Leaderboard, *, seed: int, n_draws: int = 200) -> pd.DataFrame:
    """Places of the complete models by the mean z-score of some metrics, drawn at random, against that of all.

    One row a number of metrics and model; `rho` is the mean rank correlation with the order by all, over `n_draws`
    draws, `place` is of one draw, in which each number of metrics adds to those before.
    """
    table, rng = board.complete, np.random.default_rng(seed)
    n_metrics, order = table.shape[1], rng.permutation(table.shape[1])
    scores = ((table - table.mean()) / table.std(ddof=0)).to_numpy()
    everything = pd.Series(aggregate(table, "z"), table.index).rank(ascending=False, method="min")
    rows = []
    for kept in (*(k for k in (2, 3, 5, 8, 12, 18, 30, 50) if k < n_metrics), n_metrics):
        drawn = (scores[:, rng.permutation(n_metrics)[:kept]].mean(1) for _ in range(n_draws))
        rho = -np.mean([spearman(mean, everything.to_numpy()) for mean in drawn])
        place = aggregate(table.iloc[:, order[:kept]], "z").rank(ascending=False, method="min")
        rows.append(pd.DataFrame({"metrics": kept, "rho": rho, "place": place, "place by all": everything}))
    return pd.concat(rows).rename_axis("model").reset_index()


def moves(overall: pd.DataFrame, more_than: int = MANY_PLACES) -> pd.DataFrame:
    """Places that every model climbs from the leaderboard's mean to each other score, one row a model and score."""
    others = [name for name in overall if name != HIERARCHY]
    tables = [rank_changes(overall[HIERARCHY], overall[name], more_than=more_than).assign(to=name) for name in others]
    return pd.concat(tables).rename_axis("model").reset_index()


def order_difference(bootstrap: SpearmanBootstrap, anchor: str, first: str, second: str) -> Measured:
    """How much closer one order is to the anchor's than another: difference of rank correlations."""
    to, one, other = _places_in(bootstrap, [anchor, first, second])
    return _measured_from(bootstrap, lambda rho: rho[..., to, one] - rho[..., to, other])


def order_agreement(bootstrap: SpearmanBootstrap, first: str, second: str) -> Measured:
    """Rank correlation of two overall scores with its interval."""
    one, other = _places_in(bootstrap, [first, second])
    return _measured_from(bootstrap, lambda rho: rho[..., one, other])


def top_stability(board: Leaderboard, *, n_resamples: int, seed: int) -> pd.DataFrame:
    """How often each model is among the first ten, one row a model, overall score and way of resampling."""
    rows = []
    for name, options in _aggregations(board).items():
        for resample in ("metrics", "models"):
            if resample == "models" and options["method"] == "mean":
                continue  # a mean has no reference models
            share = top_share(board.complete, **options, resample=resample, seed=seed, k=TOP, n_resamples=n_resamples)
            rows.append(
                pd.DataFrame({"model": share.index, "score": name, "resampled": resample, "share": share.values})
            )
    return pd.concat(rows, ignore_index=True)


def expected_to_stay(stability: pd.DataFrame, overall: pd.DataFrame) -> pd.DataFrame:
    """Of the models on top, how many are expected to be there in a resample, by score and way of resampling."""
    place = places(overall).rename_axis("model").reset_index().melt("model", var_name="score", value_name="place")
    on_top = stability.merge(place, on=["model", "score"])
    on_top = on_top[on_top["place"] <= TOP]
    stay = on_top.groupby(["score", "resampled"], sort=False)["share"].agg(["sum", "count"])
    return stay.rename(columns={"sum": "expected to stay", "count": "on top"}).reset_index()


def populations(
    board: Leaderboard, subsets: Mapping[str, pd.Index] | None = None, *, n_resamples: int, seed: int
) -> pd.DataFrame:
    """Mean correlation between metrics under other choices of models, where enough of them are left."""
    families = board.models["family"]
    complete = board.complete
    tables = {
        "complete models": (complete, None),
        "complete models, families resampled": (complete, families.loc[complete.index]),
        "all models, pairwise complete": (board.scores, None),
        "one model per family": (board.one_per_family(), None),
    }
    if len(complete) == len(board.scores):
        del tables["all models, pairwise complete"]  # the same table
    tables |= {name: (board.scores.loc[models], None) for name, models in (subsets or {}).items()}
    options = {"seed": seed, "n_resamples": n_resamples}
    return pd.DataFrame([_population(name, *entry, **options) for name, entry in tables.items()]).dropna(subset="mean")


def _population(name: str, table: pd.DataFrame, groups: pd.Series | None, *, seed: int, n_resamples: int) -> dict:
    row = {"models": name, "n_models": len(table), "n_metrics": table.shape[1], "mean": None}
    enough = len(table) >= MIN_MODELS and (groups is None or groups.nunique() > 1)
    if enough and spearman_matrix(table, min_models=MIN_MODELS).n_tests:
        row["mean"] = bootstrap_spearman(table, n_resamples, groups=groups, seed=seed, min_models=MIN_MODELS).mean
    return row


def one_against_all(bootstrap: SpearmanBootstrap, metric: str) -> pd.DataFrame:
    """Rank correlation of one metric with every other, with intervals."""
    others = [name for name in bootstrap.rho if name != metric]
    rows = {column: getattr(bootstrap, column).loc[metric, others].to_numpy() for column in ("rho", "low", "high")}
    return pd.DataFrame({"metric": others, "with": metric, **rows})


def measured_share(board: Leaderboard) -> float:
    """Share of the table's cells that hold a score."""
    return float((board.status[board.scores.columns] == MEASURED).to_numpy().mean())

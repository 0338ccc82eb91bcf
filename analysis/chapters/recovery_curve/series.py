"""Series of the recorded run on causes: one thing changes from case to case, and recovery is said by model.

Every table has one row a case and model: ``model``, ``recovery`` (share of its simulations that the true model wins, of
those that are resolved) and ``open`` (simulations whose winner the solver leaves open), beside what makes the case.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.chapters.recovery_curve.outcomes import by_generator, over_models, share_over_models
from analysis.chapters.recovery_curve.simulations import generators_of, limit_of, recover_study
from analysis.chapters.recovery_curve.studies import Study, leading_axes, training_objects
from analysis.intervals import Measured, spearman
from analysis.recovery.asymptote import CRITERIA, at_penalty, margins_at_limit
from analysis.recovery.features import normalised

CHOSEN = "λ chosen on triplets"
INFINITE = "infinitely many answers"


def told(size: int) -> str:
    """A number of triplets in words, as cases in and before the limit stand in one column."""
    return f"{size:,} triplets"


def weakest(parameters) -> str:
    """What generators of the weakest penalty are called."""
    return f"λ = {min(parameters.made_with):g}"


def two_ways(parameters) -> dict[str, dict]:
    """Options of generators as the paper makes them, and of those that may leave their features."""
    return {CHOSEN: {}, weakest(parameters): {"penalties": [min(parameters.made_with)]}}


def limits_by_way(study: Study, parameters, n_seeds: int) -> dict[str, pd.DataFrame]:
    """Asymptotes (`recovery_asymptote`) of generators made in `two_ways`."""
    return {
        way: limit_of(study, parameters, n_seeds, generators=generators_of(study, parameters, **made))
        for way, made in two_ways(parameters).items()
    }


def in_the_limit(study: Study, parameters, made: Mapping | None = None) -> pd.DataFrame:
    """Recovery at infinitely many answers, by model; `made` are options of `fit_generators`."""
    generators = generators_of(study, parameters, **(made or {}))
    limit = limit_of(study, parameters, parameters.n_seeds, generators=generators)
    return by_model(margins_at_limit(at_penalty(limit)))


def with_triplets(study: Study, parameters, size: int, **options) -> pd.DataFrame:
    """Recovery at a finite number of triplets, by model; all winners are resolved, as equals share."""
    found = recover_study(study, parameters, [size], parameters.n_seeds, **options)
    return by_generator(found.table, size).rename_axis("model").reset_index().assign(open=0)


def by_model(won: pd.DataFrame) -> pd.DataFrame:
    """Winners of `margins_at_limit` as recovery by model; without a resolved simulation it is not known."""
    own = (won["winner"] == won["generator"]).where(won["resolved"])
    table = pd.DataFrame({"model": won["generator"], "recovery": own.astype(float), "open": ~won["resolved"]})
    return table.groupby("model", sort=False).agg({"recovery": "mean", "open": "sum"}).reset_index()


def _joined(cases: Iterable[tuple[dict, pd.DataFrame]]) -> pd.DataFrame:
    return pd.concat([table.assign(**case) for case, table in cases], ignore_index=True)


def with_features(study: Study, change) -> Study:
    """The study with every model's features changed."""
    return replace(study, features={name: change(table) for name, table in study.features.items()})


def projected(table: np.ndarray, n_units: int, seed: int) -> np.ndarray:
    """Features seen through random directions: `n_units` of them, or as many, mixed, where there are fewer."""
    directions = np.random.default_rng([seed, n_units]).normal(size=(table.shape[1], n_units))
    return normalised(table @ directions)


def by_units(study: Study, parameters) -> pd.DataFrame:
    """The limit for random projections of the features to so many ``units per object`` that a fold fits, two ways."""
    n_training = training_objects(study.n_objects, parameters.n_folds)
    cases = []
    for ratio in parameters.ratios:
        n_units = max(2, round(ratio * n_training))
        seen = with_features(study, lambda table, n=n_units: projected(table, n, parameters.first_seed))
        for way, made in two_ways(parameters).items():
            cases.append(({"units per object": ratio, "way": way}, in_the_limit(seen, parameters, made)))
    return _joined(cases)


def by_axes(study: Study, parameters) -> pd.DataFrame:
    """Leading principal ``axes`` kept, the last case all of them, with few ``triplets``, most, and in the limit."""
    everything = study.n_objects - 1  # axes that centred features of so many objects can have
    cases = []
    for n_axes in (*parameters.axes, everything):
        few = n_axes < everything
        kept = with_features(study, lambda table, n=n_axes: leading_axes(table, n)) if few else study
        for size in (parameters.n_triplets, max(parameters.sizes)):
            cases.append(({"axes": n_axes, "triplets": told(size)}, with_triplets(kept, parameters, size)))
        cases.append(({"axes": n_axes, "triplets": INFINITE}, in_the_limit(kept, parameters)))
    return _joined(cases)


def by_ceiling(study: Study, parameters) -> pd.DataFrame:
    """How sure the generators are, with a finite number of triplets and in the limit."""
    cases, size = [], parameters.n_triplets
    for ceiling in parameters.ceilings:
        noisy = parameters.model_copy(update={"ceiling": ceiling})
        cases.append(({"ceiling": ceiling, "triplets": told(size)}, with_triplets(study, noisy, size)))
        cases.append(({"ceiling": ceiling, "triplets": INFINITE}, in_the_limit(study, noisy)))
    return _joined(cases)


def by_tolerance(study: Study, parameters) -> pd.DataFrame:
    """Where the fits of generators and candidates stop, in nats above the optimum."""
    size = parameters.n_triplets
    return _joined(
        ({"tolerance": end}, with_triplets(study, parameters, size, tolerance=end)) for end in parameters.tolerances
    )


def by_scale(study: Study, parameters) -> pd.DataFrame:
    """Features so many times as long, for generators and candidates; the grid of penalties stays."""
    cases = []
    for factor in parameters.scales:
        longer = with_features(study, lambda table, by=factor: np.float32(by) * table)
        cases.append(({"scale": factor}, with_triplets(longer, parameters, parameters.n_triplets)))
    return _joined(cases)


def by_fixed_penalty(limits: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The limit with one λ for all candidates instead of a chosen one; asymptotes by how generators were made."""
    cases = []
    for way, limit in limits.items():
        simulations = [set(part) for _, part in limit.groupby(["generator", "candidate", "seed"]).penalty]
        for penalty in sorted(set.intersection(*simulations)):
            cases.append(({"λ": penalty, "way": way}, by_model(margins_at_limit(at_penalty(limit, penalty)))))
    return _joined(cases)


def by_tie_rule(study: Study, parameters) -> pd.DataFrame:
    """Recovery when the strongest, or the weakest, of equally good penalties is taken, by number of ``triplets``.

    Every penalty is an experiment of its own on the same answers, so that either rule chooses among the same fits;
    ``ties`` is the share of choices that the rule decides.
    """
    made, found = generators_of(study, parameters), []
    for penalty in parameters.penalties:
        alone = parameters.model_copy(update={"penalties": [penalty]})
        found.append(recover_study(study, alone, parameters.few, parameters.n_tie_seeds, generators=made).table)
    fits = pd.concat(found, ignore_index=True)
    cases = []
    for size in parameters.few:
        at_size = fits[fits["n_triplets"] == size]
        ties = tied(at_size)
        for rule in ("strongest", "weakest"):
            own = by_generator(chosen_by(at_size, rule), size).rename_axis("model").reset_index()
            cases.append(({"triplets": size, "way": rule, "ties": ties}, own.assign(open=0)))
    return _joined(cases)


_CHOICE = ["generator", "candidate", "n_triplets", "seed"]


def chosen_by(fits: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Each candidate's fit of highest validation accuracy; of equals that of the ``"strongest"`` or ``"weakest"`` λ."""
    stronger = fits.sort_values("penalty", ascending=rule == "weakest", kind="stable")
    best = stronger.sort_values("validation_accuracy", ascending=False, kind="stable")
    return best.drop_duplicates(_CHOICE).sort_index()


def tied(fits: pd.DataFrame) -> float:
    """Share of choices of a penalty, 0 to 1, in which more than one has the highest validation accuracy."""
    accuracy = fits.groupby(_CHOICE)["validation_accuracy"]
    return float(((fits["validation_accuracy"] == accuracy.transform("max")).groupby([fits[key] for key in _CHOICE])
                  .sum() > 1).mean())  # fmt: skip


def told_apart(limit: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """How often a generator is told from one rival alone, in the limit, by what the two have in ``common``.

    `limit` is an asymptote of related candidates (`studies.related_study`), `models` says their network, family, seed
    and layer. One row a generator and kind of rival: ``recovery`` is the share of rivals and seeds, of those that are
    resolved, that the generator is ahead of.
    """
    value, error = CRITERIA["accuracy"]
    chosen = at_penalty(limit)
    own = chosen[chosen["generator"] == chosen["candidate"]]
    pairs = chosen.merge(own, on=["generator", "seed"], suffixes=("", "_own")).query("generator != candidate")
    lead = pairs[f"{value}_own"] - pairs[value]
    resolved = lead.abs() > pairs[[error, f"{error}_own"]].max(axis=1)
    common = [in_common(models.loc[first], models.loc[second])
              for first, second in zip(pairs["generator"], pairs["candidate"], strict=True)]  # fmt: skip
    rows = pd.DataFrame({"model": pairs["generator"], "common": common, "open": ~resolved,
                         "recovery": (lead > 0).astype(float).where(resolved)})  # fmt: skip
    rows = rows[rows["common"] != ""]
    return rows.groupby(["common", "model"], sort=False).agg({"recovery": "mean", "open": "sum"}).reset_index()


def moved_and_lost(wins: pd.DataFrame) -> pd.Series:
    """Spearman's ρ of a generator's shift and its recovery over the ways to make it, by model; 0 if either stays.

    `wins` is the first table of `causes.made_in_ways`.
    """
    won = wins.assign(own=(wins["winner"] == wins["generator"]).where(wins["resolved"]).astype(float))
    by_way = won.groupby(["generator", "made"], sort=False)[["shift", "own"]].mean().dropna()
    return by_way.groupby(level="generator", sort=False).apply(
        lambda rows: _rank_correlation(rows["shift"], rows["own"])
    )


def _rank_correlation(x: pd.Series, y: pd.Series) -> float:
    return spearman(x.to_numpy(), y.to_numpy()) if x.nunique() > 1 and y.nunique() > 1 else 0.0


KINDS = ("one network, two seeds", "one network, two layers", "one family", "two families")


def in_common(first: pd.Series, second: pd.Series) -> str:
    """What two related candidates share, one of `KINDS`; empty where they differ in more than one thing."""
    same = {key: first[key] == second[key] for key in ("network", "family", "seed", "layer")}
    if same["network"]:
        return "" if not (same["seed"] or same["layer"]) else KINDS[0] if same["layer"] else KINDS[1]
    if not (same["seed"] and same["layer"]):
        return ""
    return KINDS[2] if same["family"] else KINDS[3]


def intervals(table: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Mean recovery of each case with its 95 % interval over models, and the number of ``open`` simulations."""
    rows = []
    for case, part in table.groupby(list(keys), sort=False):
        known = part["recovery"].dropna()
        share = share_over_models(known) if len(known) else Measured(np.nan, 0.0, 1.0, "nothing resolved")
        rows.append({**dict(zip(keys, case, strict=True)), "recovery": share.value, "low": share.low,
                     "high": share.high, "open": int(part["open"].sum())})  # fmt: skip
    return pd.DataFrame(rows)


def recovery_of(table: pd.DataFrame, **case) -> pd.Series:
    """Recovery by model of the rows of one case."""
    for key, value in case.items():
        table = table[table[key.replace("_", " ")] == value]
    return table.groupby("model", sort=False)["recovery"].mean()


def difference(first: pd.Series, second: pd.Series) -> Measured:
    """Mean of first − second over the models that both know, with its interval."""
    return over_models((first - second).dropna())

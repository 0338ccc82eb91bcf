"""Further public tables of alignment beside Brain-Score's: do their metrics agree, and among which models?"""

from collections.abc import Mapping

import pandas as pd

from analysis.chapters.metric_correlation import competence
from analysis.chapters.metric_correlation.competence import HALF, Falls, Judged
from analysis.chapters.metric_correlation.experiments import MIN_FAMILIES
from analysis.chapters.metric_correlation.null_checks import SHUFFLED, shuffled
from analysis.chapters.metric_correlation.parameters import DEEPNSD, ENCODING, MIN_MODELS, SCALING
from analysis.chapters.metric_correlation.public_tables import ACCURACY, read_leaderboard
from analysis.data.alignment_tables import AlignmentTable, read_deepnsd, read_encoding, read_scaling
from analysis.data.registry import public_path
from analysis.intervals import Measured
from analysis.measures.spearman_bootstrap import bootstrap_spearman
from analysis.runs.verdicts import Noise

BRAIN_SCORE, SCALING_STUDY, DEEP_NSD, BRAIN_REGIONS = "Brain-Score", "scaling study", "DeepNSD", "brain regions"
CLAIMED = {"scaling": SCALING_STUDY, "deepnsd": DEEP_NSD, "encoding": BRAIN_REGIONS}
HYPOTHESES = {"scaling": SCALING_STUDY, "brainscore": BRAIN_SCORE, "deepnsd": DEEP_NSD}
"""The tables by the beginning of the names of their claims, and of their hypotheses."""
COMPETENT = 0.6  # accuracy above which a network of the scaling study counts as competent


def read_tables() -> dict[str, AlignmentTable]:
    """Brain-Score's complete models, and the three tables beside them, by name."""
    return {
        BRAIN_SCORE: _brainscore(),
        SCALING_STUDY: read_scaling(public_path(SCALING)),
        DEEP_NSD: read_deepnsd(*map(public_path, DEEPNSD)),
        BRAIN_REGIONS: read_encoding({metric: public_path(file) for metric, file in ENCODING.items()}),
    }


def _brainscore() -> AlignmentTable:
    """Brain-Score's complete models; which of them were trained, it does not say."""
    board = read_leaderboard()
    scores = board.complete
    models = board.models.loc[scores.index, ["family"]]
    return AlignmentTable(scores, models.assign(trained=True, accuracy=board.others.loc[scores.index, ACCURACY]))


def overview(tables: Mapping[str, AlignmentTable]) -> pd.DataFrame:
    """What each table holds: models, trained ones, families, metrics, gaps, and models with an accuracy."""
    rows = {
        name: {
            "models": len(table.scores),
            "trained": table.models["trained"].sum(),
            "families": table.models["family"].nunique(),
            "metrics": table.scores.shape[1],
            "missing scores": table.scores.isna().sum().sum(),
            "with accuracy": table.models["accuracy"].notna().sum(),
        }
        for name, table in tables.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def mean_correlation(scores: pd.DataFrame, family: pd.Series, *, n_resamples: int, seed: int) -> Measured:
    """Mean rank correlation of the metrics, pairwise complete; whole families are drawn where there are enough."""
    groups = family if MIN_FAMILIES <= family.nunique() < len(family) else None
    options = {"groups": groups, "seed": seed, "min_models": MIN_MODELS}
    return bootstrap_spearman(scores, n_resamples, **options).mean


def populations(tables: Mapping[str, AlignmentTable], *, n_resamples: int, seed: int) -> pd.DataFrame:
    """Mean correlation of each table's metrics over all, trained, judged and more accurate models, with intervals."""
    rows = []
    for name, table in tables.items():
        for label, kept in _subsets(table).items():
            scores, family = table.scores[kept], table.models.loc[kept, "family"]
            mean = mean_correlation(scores, family, n_resamples=n_resamples, seed=seed)
            size = {"n_models": len(scores), "n_metrics": scores.shape[1]}
            rows.append({"models": f"{name}: {label}", **size, "mean": mean})
    return pd.DataFrame(rows)


def _subsets(table: AlignmentTable) -> dict[str, pd.Series]:
    """Which models each choice keeps; a choice that leaves out none is not shown."""
    accuracy, trained = table.models["accuracy"], table.models["trained"]
    subsets = {"all": pd.Series(True, table.scores.index)}
    if not trained.all():
        subsets["trained"] = trained
    if accuracy.notna().any():
        subsets |= {"with an accuracy": accuracy.notna(), "the more accurate half": accuracy >= accuracy.quantile(HALF)}
    return subsets


def competent(table: AlignmentTable) -> pd.DataFrame:
    """Scores of the models with an accuracy above `COMPETENT`."""
    return table.scores[table.models["accuracy"] > COMPETENT]


def judged_tables(tables: Mapping[str, AlignmentTable]) -> dict[str, Judged]:
    """The tables with accuracies, their models that have everything."""
    return {name: Judged.of(table) for name, table in tables.items() if table.models["accuracy"].notna().any()}


def all_falls(judged: Mapping[str, Judged], *, n_resamples: int, seed: int) -> dict[str, Falls]:
    """Agreement by cut-off for every table with accuracies."""
    return {name: competence.falls(models, n_resamples=n_resamples, seed=seed) for name, models in judged.items()}


def at_half(falls: Falls) -> dict[str, Measured]:
    """What the hypotheses are about: the fall and the excess at the cut-off that leaves the more accurate half."""
    place = competence.LOWER_SHARES.index(HALF)
    return {"fall": falls.fall[place], "excess": falls.excess[place]}


def long(falls: Mapping[str, Falls]) -> pd.DataFrame:
    """All cut-offs of all tables, below one another."""
    return pd.concat([found.table().assign(table=name) for name, found in falls.items()], ignore_index=True)


def shuffled_means(table: AlignmentTable, *, n_runs: int) -> Noise:
    """Mean correlation of metrics that were shuffled over models, each on its own."""
    tables = [shuffled(table.scores, seed) for seed in range(n_runs)]
    family = table.models["family"]
    return Noise(SHUFFLED, [mean_correlation(noise, family, n_resamples=200, seed=0) for noise in tables])

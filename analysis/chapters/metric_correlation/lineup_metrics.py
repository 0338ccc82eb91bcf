"""A line-up's own table: how like the others each model is in its representations and in its answers."""

import tempfile
from pathlib import Path

import pandas as pd

from analysis.chapters.metric_correlation.parameters import MIN_MODELS, Parameters
from analysis.data.leaderboards import Leaderboard, read_table
from analysis.measures.trees import Tree
from analysis.models import likeness
from analysis.models.study import Study, some, study_of

N_COMPARED = 500
"""Stimuli on which representations are compared, at most."""

UNTRAINED = "untrained"
UNITS = ("Matched units", "Linear predictivity")
GEOMETRY = ("CKA (debiased)", "RSA (Spearman)", "Procrustes")


def board_of(parameters: Parameters) -> Leaderboard:
    """The table of a line-up on a set of pictures, read through the same door as anybody's."""
    study = study_of(parameters.models, parameters.images)
    scores = metrics(study, parameters.n_contrastive, seed=parameters.seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line-up.csv"
        scores.assign(family=study.models["family"]).to_csv(path, index_label="model")
        return read_table(path, tree_of(scores))


def subsets(parameters: Parameters) -> dict[str, pd.Index]:
    """The trained models of a line-up, if there are others."""
    models = study_of(parameters.models, parameters.images).models
    trained = models.index[models["training"] != UNTRAINED]
    return {"trained models": trained} if len(trained) < len(models) else {}


def metrics(study: Study, n_contrastive: int, *, seed: int) -> pd.DataFrame:
    """Models in rows, metrics in columns, higher = more like the others; those that do not vary are left out.

    Contrastive are at most a third of the stimuli.
    """
    rows = some(len(study.stimuli), N_COMPARED, seed)
    units, matrices = likeness.unit_scores(study, rows), likeness.representations(study, rows)
    table = likeness.metrics(study, units, matrices, min(n_contrastive, max(2, len(study.stimuli) // 3)))
    return table.loc[:, table.nunique() > 1]


def tree_of(scores: pd.DataFrame) -> Tree:
    """The parts of a table: representations and answers, if enough models have two metrics or more of the latter.

    Otherwise the representations are parted: into those that compare the stimuli's distances, and those that compare
    units.

    Raises
    ------
    ValueError
        If fewer models than correlations need have all metrics of a part.
    """
    of_representations = [name for name in (*GEOMETRY, *UNITS) if name in scores]
    of_answers = [name for name in scores if name not in of_representations]
    if len(of_answers) > 1 and len(scores.dropna()) >= MIN_MODELS:
        return {"representations": of_representations, "answers": of_answers}
    n_complete = len(scores[of_representations].dropna())
    if n_complete < MIN_MODELS:
        raise ValueError(
            f"'models' must have at least {MIN_MODELS} models that are compared by every metric, got {n_complete}."
        )
    return {
        "geometry": [name for name in GEOMETRY if name in scores],
        "units": [name for name in UNITS if name in scores],
    }

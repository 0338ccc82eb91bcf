"""RSA of all pairs of models: correlation distances, their ranks correlated."""

import numpy as np

from analysis.measures.rsa import rsa_matrix
from benchmarks.harness import LIMIT, Aim, Job, Way
from benchmarks.jobs._models import representations

SOME = 10


def ours(features):
    return rsa_matrix(features)


def ranking_and_product(features):
    """One product of patterns and one sorting a model, and the product of all."""
    upper = np.triu_indices(len(features[0]), 1)
    vectors = np.empty((len(features), len(upper[0])), dtype=np.float32)
    for x, vector in zip(features, vectors, strict=True):
        distances = (x @ x.T)[upper]
        vector[np.argsort(distances)] = np.arange(len(distances), dtype=np.float32)
    vectors @ vectors.T


def rsatoolboxs(features):
    """A few of the models, all pairs of these."""
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm, compare, concat

    few = features[:SOME]
    rdms = concat([calc_rdm(Dataset(x.astype(np.float64)), method="correlation") for x in few])
    found = np.full((len(features), len(features)), np.nan)
    found[: len(few), : len(few)] = compare(rdms, rdms, method="spearman")
    return found


def some(models: int, **_) -> float:
    """The share of the models, as if pairs cost nothing: the ratio is a lower bound."""
    return min(SOME, models) / models


JOBS = [
    Job(
        name="rsa",
        title="RSA (Spearman), all pairs",
        says="{models:,} models, {stimuli:,} stimuli, {units:,} units",
        prepare=representations,
        ways=(
            Way("rsa_matrix", ours),
            Way("ranking and products", ranking_and_product, LIMIT),
            Way("rsatoolbox", rsatoolboxs, needs="rsatoolbox", part=some, once=True),
        ),
        sizes=tuple({"models": models, "stimuli": 1000, "units": 768} for models in (25, 50, 100, 200)),
        tiny={"models": 3, "stimuli": 12, "units": 8},
        grows="models",
        aims=(Aim("of the limit", 2), Aim("times faster", 20, "rsatoolbox")),
    )
]

"""Two similarities of one pair of models: Procrustes and linear predictivity."""

import numpy as np

from analysis.measures.linear_predictivity import PENALTIES, linear_predictivity
from analysis.measures.procrustes import procrustes_matrix
from benchmarks.harness import Job, Way


def prepare(stimuli: int, units: int):
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(stimuli, 50))
    noisy = (latent @ rng.normal(size=(50, units)) + 4 * rng.normal(size=(stimuli, units)) for _ in range(2))
    return [np.maximum(x, 0) for x in noisy]


def procrustes(data):
    return procrustes_matrix(data)[0, 1]


def scipys_rotation(data):
    """SciPy finds the rotation; its scale is the similarity."""
    from scipy.linalg import orthogonal_procrustes

    x, y = ((z - z.mean(0)) / np.linalg.norm(z - z.mean(0)) for z in data)
    return orthogonal_procrustes(x, y)[1]


def predictivity(data):
    return linear_predictivity(*data).median


def scikit_learns_ridge(data, n_folds=5, seed=0):
    """RidgeCV chooses one penalty in each of the same folds; its predictions are correlated unit by unit."""
    from sklearn.linear_model import RidgeCV

    x, y = data
    scores = []
    for fold in np.array_split(np.random.default_rng(seed).permutation(len(x)), n_folds):
        inside = np.setdiff1d(np.arange(len(x)), fold)
        unit = np.square(x[inside] - x[inside].mean(0)).sum() / min(len(inside) - 1, x.shape[1])
        predicted = RidgeCV(alphas=np.array(PENALTIES) * unit).fit(x[inside], y[inside]).predict(x[fold])
        a, b = (z - z.mean(0) for z in (predicted, y[fold]))
        scores.append((a * b).sum(0) / np.linalg.norm(a, axis=0) / np.linalg.norm(b, axis=0))
    return float(np.median(np.mean(scores, axis=0)))


SHAPE = {
    "says": "{stimuli:,} stimuli, {units:,} units",
    "prepare": prepare,
    "sizes": tuple({"stimuli": n, "units": n // 4} for n in (500, 1000, 1500, 2000)),
    "tiny": {"stimuli": 80, "units": 10},
    "grows": "stimuli",
}
JOBS = [
    Job(
        name="procrustes",
        title="Procrustes similarity of a pair",
        ways=(Way("procrustes_matrix", procrustes), Way("SciPy", scipys_rotation)),
        **SHAPE,
    ),
    Job(
        name="predictivity",
        title="Linear predictivity of a pair",
        ways=(Way("linear_predictivity", predictivity), Way("scikit-learn's RidgeCV", scikit_learns_ridge)),
        **SHAPE,
    ),
]

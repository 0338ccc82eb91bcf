"""How alike the models' similarities are: with each other, with the observer, before and after a fit."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.chapters.recovery_curve.studies import Study
from analysis.recovery.experiment import Recovery
from analysis.recovery.generators import Generators


def likeness_of(study: Study, made: Generators) -> dict[str, float]:
    """Mean correlations of the generators' similarities: with each other, the observer, and their own features."""
    pairs = {name: _pairs(similarity) for name, similarity in made.similarities.items()}
    alike = np.corrcoef(np.stack(list(pairs.values())))[np.triu_indices(len(pairs), 1)]
    observer = np.nan
    if study.simulated:
        seen = _pairs(study.observer.similarity)
        observer = float(np.mean([np.corrcoef(values, seen)[0, 1] for values in pairs.values()]))
    plain = {name: _pairs(table @ table.T) for name, table in study.features.items()}
    kept = np.mean([np.corrcoef(pairs[name], plain[name])[0, 1] for name in pairs])
    return {"alike": float(alike.mean()), "observer": observer, "kept": float(kept),
            "shift": float(made.table["geometry_shift"].mean())}  # fmt: skip


def pairwise_likeness(made: Generators) -> np.ndarray:
    """Correlation of the similarities of each pair of generators."""
    pairs = np.stack([_pairs(similarity) for similarity in made.similarities.values()])
    return np.corrcoef(pairs)[np.triu_indices(len(pairs), 1)]


def nearest_models(similarities: Mapping[str, np.ndarray]) -> pd.Series:
    """For each model, the other one whose fitted similarities correlate most with its own."""
    alike = _likeness(similarities)
    return alike.mask(np.eye(len(alike), dtype=bool)).idxmax()


def mutual_likeness(study: Study, found: Recovery) -> tuple[float, float]:
    """Mean correlation of two models' similarities, before and after the fit to the observer."""
    before = {name: table @ table.T for name, table in study.features.items()}
    upper = np.triu_indices(len(before), 1)
    return tuple(float(_likeness(which).to_numpy()[upper].mean()) for which in (before, found.similarities))


def convergence(study: Study, found: Recovery) -> pd.DataFrame:
    """How alike each model's geometry and the observer's are, before and after the fit to the observer.

    Alike: Pearson's correlation of similarities over pairs of objects, 1 = the same geometry up to scale and offset. A
    simulated observer's similarity is known; for people the mean of the other models' fitted similarities stands in.
    """
    fitted = {name: _pairs(similarity) for name, similarity in found.similarities.items()}
    rows = []
    for name, table in study.features.items():
        if study.simulated:
            target = _pairs(study.observer.similarity)
        else:
            target = np.mean([standardised(pairs) for other, pairs in fitted.items() if other != name], axis=0)
        before, after = (np.corrcoef(target, pairs)[0, 1] for pairs in (_pairs(table @ table.T), fitted[name]))
        rows.append({"model": name, "before": before, "after": after, "gain": after - before})
    return pd.DataFrame(rows)


def _likeness(similarities: Mapping[str, np.ndarray]) -> pd.DataFrame:
    pairs = np.stack([_pairs(similarity) for similarity in similarities.values()])
    return pd.DataFrame(np.corrcoef(pairs), index=list(similarities), columns=list(similarities))


def _pairs(similarity: np.ndarray) -> np.ndarray:
    return similarity[np.triu_indices(len(similarity), 1)]


def standardised(values: np.ndarray) -> np.ndarray:
    """Values of mean 0 and standard deviation 1."""
    return (values - values.mean()) / values.std()

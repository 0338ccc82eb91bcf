"""What goes with a wide margin between the true model and another."""

import numpy as np
import pandas as pd

from analysis.chapters.recovery_curve.geometry import standardised
from analysis.intervals import Measured, percentile_bounds
from analysis.recovery.experiment import Recovery

PREDICTORS = ("candidate's shift", "generator's shift", "candidate's dimensionality", "generator's dimensionality")


def margins(found: Recovery, n_triplets: int) -> pd.DataFrame:
    """Own accuracy minus a candidate's, averaged over seeds, with what the two models are like; one row a pair."""
    at_size = found.table[found.table["n_triplets"] == n_triplets]
    mean = at_size.pivot_table("test_accuracy", "generator", "candidate", sort=False)
    properties = found.generators[["geometry_shift", "effective_dimensionality"]]
    rows = []
    for generator in mean.index:
        for candidate in mean.columns.drop(generator):
            values = (*properties.loc[[candidate, generator]]["geometry_shift"],
                      *properties.loc[[candidate, generator]]["effective_dimensionality"])  # fmt: skip
            margin = mean.loc[generator, generator] - mean.loc[generator, candidate]
            rows.append([generator, candidate, margin, *values])
    return pd.DataFrame(rows, columns=["generator", "candidate", "margin", *PREDICTORS])


def coefficients(pairs: pd.DataFrame, *, n_resamples: int = 2000, seed: int = 0) -> pd.DataFrame:
    """Standardised coefficients of the margin on the models' properties, one row a property.

    Intervals come from a bootstrap over models: a pair counts as often as both of its models were drawn. They are
    Bonferroni-corrected: 1 − .05/4 each.
    """
    y, x = standardised(pairs["margin"]), pairs[list(PREDICTORS)].apply(standardised)
    names = sorted(set(pairs["generator"]) | set(pairs["candidate"]))
    places = pairs[["generator", "candidate"]].map(names.index).to_numpy()
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=n_resamples)
    fits = [_weighted_fit(x.to_numpy(), y.to_numpy(), counts[places].prod(axis=1)) for counts in drawn]
    low, high = percentile_bounds(np.transpose(fits), 1 - 0.05 / len(PREDICTORS))
    beta = _weighted_fit(x.to_numpy(), y.to_numpy(), np.ones(len(pairs)))
    return pd.DataFrame({"property": PREDICTORS, "beta": beta, "low": low, "high": high})


def _weighted_fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Least squares with an intercept; NaN where the models drawn are too few to tell the predictors apart."""
    design = np.column_stack([np.ones(len(x)), x]) * np.sqrt(weights)[:, None]
    solution, _, rank, _ = np.linalg.lstsq(design, y * np.sqrt(weights), rcond=1e-8)
    return solution[1:] if rank == design.shape[1] else np.full(x.shape[1], np.nan)


def coefficient(table: pd.DataFrame, name: str, n_models: int) -> Measured:
    """One coefficient of `coefficients` with its interval."""
    row = table.set_index("property").loc[name]
    if not np.isfinite([row["beta"], row["low"], row["high"]]).all():
        return Measured.without_interval(np.nan, "too few models")
    return Measured(row["beta"], row["low"], row["high"], f"98.75% bootstrap, {n_models} models")

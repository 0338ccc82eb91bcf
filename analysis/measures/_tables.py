"""Tables of models × metrics, checked."""

import numpy as np
import pandas as pd


def as_scores(table: pd.DataFrame, *, min_metrics: int = 1) -> np.ndarray:
    """The table of models × metrics as float64, gaps as NaN.

    Raises
    ------
    ValueError
        If it is no DataFrame, not numeric, holds infinity, repeats a metric, or is too small.
    """
    if not isinstance(table, pd.DataFrame):
        raise ValueError(f"'table' must be a DataFrame of models × metrics, got {type(table).__name__}.")
    if not table.columns.is_unique:
        raise ValueError(
            f"'table' must name a metric once, got {table.columns[table.columns.duplicated()][0]!r} again."
        )
    if table.shape[1] < min_metrics or len(table) == 0:
        raise ValueError(f"'table' must have models and at least {min_metrics} metrics, got shape {table.shape}.")
    for name, dtype in table.dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_complex_dtype(dtype):
            raise ValueError(f"'table' must hold real numbers, got {dtype} in {name!r}.")
    values = table.to_numpy(np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise ValueError(f"'table' must be finite or missing, got {np.isinf(values).sum()} infinite scores.")
    return values


def as_complete(table: pd.DataFrame, *, min_metrics: int = 1, varying: bool = False) -> np.ndarray:
    """The table as float64, a ValueError if it has a gap or, on request, a constant metric."""
    values = as_scores(table, min_metrics=min_metrics)
    missing = np.isnan(values)
    if missing.any():
        raise ValueError(
            f"'table' must have no missing score, got {missing.sum()} in {missing.any(axis=1).sum()} models; "
            "choose the complete models, for instance with dropna()."
        )
    constant = np.ptp(values, axis=0) == 0
    if varying and constant.any():
        raise ValueError(f"'table' must vary in every metric, got a constant {table.columns[constant][0]!r}.")
    return values


def standardise(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distance from the reference's column means in its standard deviations; 0 where the reference does not vary."""
    spread = np.where(np.ptp(reference, axis=0) > 0, reference.std(axis=0), np.inf)
    return (values - reference.mean(axis=0)) / spread


def upper(matrix: np.ndarray) -> np.ndarray:
    return matrix[np.triu_indices(len(matrix), 1)]


def defined_mean(values: np.ndarray, chosen: np.ndarray | bool = True) -> np.ndarray:
    """Mean over the chosen rows of what is defined; NaN, without a warning, where nothing is."""
    used = np.isfinite(values) & chosen
    with np.errstate(invalid="ignore"):
        return values.sum(axis=0, where=used) / used.sum(axis=0)


def rank_correlations(table: pd.DataFrame, min_models: int) -> pd.DataFrame:
    """Spearman's ρ of every pair of metrics, ranked anew among the models that have both; NaN with too few of them."""
    return table.corr("spearman", min_periods=min_models).clip(-1, 1)

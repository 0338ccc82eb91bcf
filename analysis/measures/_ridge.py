"""Ridge regression of many targets from one source, fitted on some stimuli and judged on others."""

from typing import NamedTuple

import numpy as np
import torch


class Fit(NamedTuple):
    """What a fold needs of the source, whatever the target."""

    inside: torch.Tensor  # stimuli that are fitted
    outside: torch.Tensor  # stimuli that are predicted
    axes: torch.Tensor  # (n_inside, rank): principal axes of the fitted stimuli, orthonormal columns
    places: torch.Tensor  # (n_outside, rank): where the predicted stimuli lie along them
    variance: torch.Tensor  # (rank,): squared singular values


def fits(source: torch.Tensor, folds: list[np.ndarray], name: str) -> list[Fit]:
    moved = source - source[0]
    if not moved.any():
        raise ValueError(f"'{name}' must vary over stimuli, got an entirely constant representation.")
    places = torch.arange(len(source))
    return [
        _fit(moved - moved.mean(0), places[~torch.isin(places, fold)], fold) for fold in map(torch.from_numpy, folds)
    ]


def _fit(source: torch.Tensor, inside: torch.Tensor, outside: torch.Tensor) -> Fit:
    mean = source[inside].mean(0)
    fitted, predicted = source[inside] - mean, source[outside] - mean
    wide = fitted.shape[1] > len(fitted)
    variance, vectors = torch.linalg.eigh(fitted @ fitted.T if wide else fitted.T @ fitted)
    kept = variance > variance[-1] * len(variance) * torch.finfo(variance.dtype).eps  # the rest is rounding
    variance, vectors = variance[kept], vectors[:, kept]
    if wide:
        return Fit(inside, outside, vectors, predicted @ (fitted.T @ (vectors / variance)), variance)
    loadings = vectors / variance.sqrt()
    return Fit(inside, outside, fitted @ loadings, predicted @ loadings, variance)


def fold_r(fit: Fit, target: torch.Tensor, penalties: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """r of every target unit on the fold, and which penalty it was given."""
    fitted = target[fit.inside] - target[fit.inside].mean(0)
    along = fit.axes.T @ fitted
    penalty = penalties[:, None] * fit.variance.mean()
    lost = penalty / (fit.variance + penalty)  # (n_penalties, rank): what the penalty takes from each axis
    chosen = _generalised_error(fitted, along, lost).argmin(0)
    predicted = fit.places @ ((1 - lost[chosen].T) * along)
    return _correlation(predicted, target[fit.outside]), chosen


def _generalised_error(fitted: torch.Tensor, along: torch.Tensor, lost: torch.Tensor) -> torch.Tensor:
    """Generalised cross-validation error of each penalty and target unit; the intercept takes one degree of freedom."""
    free = len(fitted) - 1 - len(along)  # where 0, the axes reach every target, and what is beside them is rounding
    beside = (fitted.square().sum(0) - along.square().sum(0)).clamp(min=0) * (free > 0)
    return (beside + lost.square() @ along.square()) / (free + lost.sum(1, keepdim=True)).square()


def _correlation(predicted: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Pearson's r column by column: 0 where nothing is predicted, NaN where the truth is constant."""
    moved = truth - truth[0]
    constant = ~moved.any(0)
    a, b = predicted - predicted.mean(0), moved - moved.mean(0)
    a_norm, b_norm = a.norm(dim=0), b.norm(dim=0)
    r = (a * b).sum(0) / torch.where((a_norm == 0) | constant, torch.inf, a_norm * b_norm)
    return r.clamp(-1, 1).masked_fill(constant, torch.nan)

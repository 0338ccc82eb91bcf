"""Cross-model neuronal correlation: does every unit of one network have a twin in another?

Units of two networks that saw the same stimuli are compared by Pearson's r; a depth penalty favours twins that sit in
the corresponding layer (Ehsani Oskouie, Ghiasvand, Levine and Sarrafzadeh: Exploring Cross-model Neuronal
Correlations in the Context of Predicting Model Performance and Generalizability, arXiv:2408.08448).

A score is read between its floor (`analysis.measures.neuron_floor`) and its ceiling
(`analysis.measures.neuron_ceiling`).
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from analysis.checks import ArrayLike, as_features
from analysis.measures._products import side_by_side
from analysis.measures._units import (
    Network,
    Units,
    absolute_correlation,
    best_matches,
    depth_factor,
    mean_match,
    pair,
    varying,
)

_NONE = torch.iinfo(torch.int64).max
_TIE = 1e-6  # matches closer than this are alike: float32 products of equal units differ by less


@dataclass(frozen=True, eq=False)
class NeuronalCorrelation:
    """How well the units of a source network are matched by a target network, source → target.

    Attributes
    ----------
    score : float
        Mean of `match` over all source units, 0 (nothing alike) to 1 (every unit has a twin in the layer of its index).
    match : ndarray of float64, shape (n_source_units,)
        Highest penalised ``|r|`` of each source unit.
    partner : ndarray of int64, shape (n_source_units,)
        Index of the target unit of that match; −1 where there is none (a constant source unit, or no target unit
        varies). Among matches within 1e-6 of the best, the lowest index is named.
    constant_units : int
        Source units that are constant over the stimuli: they match with 0 and stay in the mean.
    constant_target_units : int
        Target units that are constant over the stimuli: they are nobody's partner.
    """

    score: float
    match: np.ndarray
    partner: np.ndarray
    constant_units: int
    constant_target_units: int


def neuronal_correlation(
    source: ArrayLike,
    target: ArrayLike,
    *,
    source_layer: ArrayLike | None = None,
    target_layer: ArrayLike | None = None,
    penalty: str | None = "index",
    device: str | torch.device | None = None,
) -> NeuronalCorrelation:
    r"""Mean best match of the source's units in the target: 1 = every unit has a twin in its layer, 0 = none alike.

    Unit :math:`i` of the source, in layer :math:`\ell_i`, matches the target with

    .. math:: \max_j \frac{|r(a_i, b_j)|}{1 + |\ell_i - \ell_j|}

    and the score is the mean over :math:`i`, constant units included (arXiv:2408.08448). This is one direction;
    `symmetric_score` is the mean of both.

    Parameters
    ----------
    source, target : array or tensor, shape (n_stimuli, n_units)
        Activations for the same stimuli in the same order, at least 3. A tensor's own device is used.
    source_layer, target_layer : integers, shape (n_units,), optional
        Index of each unit's recorded layer, 0 for the first. None: one layer.
    penalty : {"index", "relative", None}
        Distance of two layers: of their indices; of their indices divided by the network's highest index, so that
        depth runs from 0 to 1 (a network of one layer lies at depth 0); or none.
    device : optional
        Where to compute. None: where the source is.

    Returns
    -------
    NeuronalCorrelation
        `score`, `match`, `partner` and the numbers of constant units.

    Raises
    ------
    ValueError
        For NaN, infinities, different numbers of stimuli, fewer than 3 stimuli, or a layer vector that does not fit.

    Notes
    -----
    A unit is constant if all its activations are equal. Units are centred in float64 and multiplied in float32, which
    keeps about six digits of a match. The cost is one matrix product of all units by all units, and in memory one
    float32 copy of the activations.

    Examples
    --------
    >>> a = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 5.0], [3.0, 2.0]])
    >>> b = np.array([[7.0, -4.0], [7.0, -2.0], [7.0, 0.0], [7.0, 2.0]])
    >>> result = neuronal_correlation(a, b)
    >>> result.match.round(3).tolist(), result.partner.tolist(), result.constant_target_units
    ([1.0, 0.478], [1, 1], 1)
    """
    a, b = pair(source, target, source_layer, target_layer, penalty, device)
    return _correlate(a, b)


def symmetric_score(
    source: ArrayLike,
    target: ArrayLike,
    *,
    source_layer: ArrayLike | None = None,
    target_layer: ArrayLike | None = None,
    penalty: str | None = "index",
    device: str | torch.device | None = None,
) -> float:
    """Mean of the scores source → target and target → source: 1 = all units have twins, 0 = nothing alike.

    Parameters and errors are those of `neuronal_correlation`.

    Examples
    --------
    >>> one = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> two = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 0.0], [3.0, 0.0]])
    >>> round(symmetric_score(one, two), 4)
    0.9736
    """
    a, b = pair(source, target, source_layer, target_layer, penalty, device)
    return (mean_match(a, b) + mean_match(b, a)) / 2


def varying_units(activations: ArrayLike) -> np.ndarray:
    """Which units vary over the stimuli: True = they can match, False = constant, all activations equal.

    Parameters
    ----------
    activations : array or tensor, shape (n_stimuli, n_units)

    Returns
    -------
    ndarray of bool, shape (n_units,)

    Raises
    ------
    ValueError
        For NaN, infinities, or a wrong shape.

    Examples
    --------
    >>> varying_units(np.array([[1.0, 0.1], [2.0, 0.1], [1.0, 0.1]])).tolist()
    [True, False]
    """
    return varying(as_features(activations, "activations")).cpu().numpy()


def _correlate(a: Network, b: Network) -> NeuronalCorrelation:
    match, partner = np.zeros(len(a.depth)), np.full(len(a.depth), -1)
    chunks = b.units.columns()
    for rows in a.units.rows():
        peaks, index = best_matches(rows, chunks), rows.place.cpu().numpy()
        match[index] = peaks.amax(dim=0).cpu().numpy()
        partner[index] = _partners(rows, chunks, peaks).cpu().numpy()
    return NeuronalCorrelation(float(match.mean()), match, partner, a.n_constant, b.n_constant)


def _partners(source: Units, chunks: list[Units], peaks: torch.Tensor) -> torch.Tensor:
    """Lowest index among the best matches. Only the chunks that hold one are multiplied again, for these units."""
    best = peaks.amax(dim=0)
    partner = torch.full_like(source.place, _NONE)
    found = side_by_side(partial(_tied, source, best), chunks, peaks[: len(chunks)], device=best.device)
    for near, lowest in found:
        partner[near] = torch.minimum(partner[near], lowest)
    return partner.masked_fill_(partner == _NONE, -1)


def _tied(source: Units, best: torch.Tensor, chunk: Units, peak: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Source units with their best match in a chunk, and the lowest index there of those that are as good."""
    near = torch.nonzero(peak >= best - _TIE).squeeze(1)
    rows = Units(*(field[near] for field in source))
    match = absolute_correlation(rows, chunk) * depth_factor(rows.depth[:, None], chunk.depth)
    tied = match >= torch.minimum(match.amax(dim=1), best[near])[:, None] - _TIE
    return near, torch.where(tied, chunk.place, _NONE).amin(dim=1)

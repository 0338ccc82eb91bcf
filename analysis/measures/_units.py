"""Units of networks, standardised and multiplied: what matching them and its floors both need."""

from functools import partial
from typing import NamedTuple

import numpy as np
import torch

from analysis.checks import ArrayLike, as_features, as_integers, choose
from analysis.measures._products import product, side_by_side

_PENALTIES = ("index", "relative", None)
_ROWS, _COLUMNS = 4096, 256  # units a product: its 4 MB stay in the processor's cache until the maximum is taken
_ENTRIES = 2**19  # float64 activations in hand while standardising, in cache


class Units(NamedTuple):
    """The varying units of a network, sorted by depth."""

    vectors: torch.Tensor  # (n, n_stimuli) float32, mean 0 and length 1, so that a product is Pearson's r
    depth: torch.Tensor  # (n,) float64
    place: torch.Tensor  # (n,) int64, the unit's column in the caller's array

    def rows(self) -> list["Units"]:
        """In blocks, as sources of a product."""
        return self._split(_ROWS)

    def columns(self) -> list["Units"]:
        """In blocks, as targets of a product."""
        return self._split(_COLUMNS)

    def _split(self, size: int) -> list["Units"]:
        starts = range(0, len(self.place), size)
        return [Units(*(field[start : start + size] for field in self)) for start in starts]


class Network(NamedTuple):
    """What a comparison needs of one network."""

    units: Units
    depth: np.ndarray  # (n_units,) of all units, the constant ones too

    @property
    def n_constant(self) -> int:
        return len(self.depth) - len(self.units.place)


def pair(
    source: ArrayLike,
    target: ArrayLike,
    source_layer: ArrayLike | None,
    target_layer: ArrayLike | None,
    penalty: str | None,
    device: str | torch.device | None,
) -> tuple[Network, Network]:
    """Both networks, checked and standardised."""
    a = as_features(source, "source", min_stimuli=3, device=device).detach()
    b = as_features(target, "target", min_stimuli=3, device=a.device).detach()
    if len(a) != len(b):
        raise ValueError(f"'source' and 'target' must have equally many stimuli, got {len(a)} and {len(b)}.")
    source_layer = layer_indices(source_layer, "source_layer", a.shape[1])
    target_layer = layer_indices(target_layer, "target_layer", b.shape[1])
    return _network(a, depths_of(source_layer, penalty)), _network(b, depths_of(target_layer, penalty))


def layer_indices(value: ArrayLike | None, name: str, n_units: int | None = None) -> np.ndarray:
    """Layer indices, one a unit: integers from 0."""
    if value is None and n_units is not None:
        return np.zeros(n_units, dtype=np.int64)
    layers = as_integers(value, name, shape=(n_units,))
    if not len(layers) or layers.min() < 0:
        raise ValueError(f"'{name}' must hold layer indices from 0, got {layers.min() if len(layers) else 'none'}.")
    return layers


def depths_of(layer: np.ndarray, penalty: str | None) -> np.ndarray:
    """Depths whose differences the penalty charges."""
    choose(penalty, "penalty", _PENALTIES)
    if penalty is None:
        return np.zeros(len(layer))
    return layer / max(layer.max(), 1) if penalty == "relative" else layer.astype(np.float64)


class Depths(NamedTuple):
    """Where the units of a network lie that can match: all of them, or those that vary over the stimuli."""

    varying: np.ndarray  # (n_varying,)
    n_units: int  # the constant ones too

    @classmethod
    def of(cls, layer: ArrayLike, varying: ArrayLike | None, side: str, penalty: str | None) -> "Depths":
        """Checked depths of the varying units; relative ones count from the network's deepest unit, varying or not."""
        depth = depths_of(layer_indices(layer, f"{side}_layer"), penalty)
        if varying is None:
            return cls(depth, len(depth))
        return cls(depth[_mask(varying, f"{side}_varying", len(depth))], len(depth))


def _mask(value: ArrayLike, name: str, n_units: int) -> np.ndarray:
    mask = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if mask.dtype != bool or mask.shape != (n_units,):
        raise ValueError(f"'{name}' must hold {n_units} booleans, one a unit, got {mask.dtype} of shape {mask.shape}.")
    return mask


def _network(activations: torch.Tensor, depth: np.ndarray) -> Network:
    """Varying units by depth. Constant means equal throughout: a rounded mean cannot hide or invent a spread."""
    order = torch.from_numpy(np.argsort(depth, kind="stable")).to(activations.device)
    index = order[varying(activations)[order]]
    vectors = activations.new_empty((len(index), len(activations)), dtype=torch.float32)

    def standardise(rows: torch.Tensor, columns: torch.Tensor) -> None:
        rows.copy_(_standardise(activations[:, columns]).T)

    step = max(1, _ENTRIES // len(activations))
    side_by_side(standardise, vectors.split(step), index.split(step), device=vectors.device)
    return Network(Units(vectors, torch.from_numpy(depth).to(index.device)[index], index), depth)


def varying(activations: torch.Tensor) -> torch.Tensor:
    """Which units are not equal throughout, (n_units,)."""
    return activations.amin(dim=0) != activations.amax(dim=0)  # both at once, as `aminmax`, take five times as long


def _standardise(units: torch.Tensor) -> torch.Tensor:
    """Columns of mean 0 and length 1 in float64; from the first stimulus a large mean costs no digits."""
    large = units.dtype == torch.float64  # their squares may leave the range, those of float32 cannot
    units = units.double() - units[:1]
    if large:
        units /= units.abs().amax(dim=0)
    units -= units.mean(dim=0)
    return units.div_(units.norm(dim=0))


def depth_factor(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The depth penalty as a factor."""
    return (1 / (1 + (source - target).abs())).float()


def absolute_correlation(source: Units, target: Units) -> torch.Tensor:
    """|r| of all pairs."""
    return product(source.vectors, target.vectors.T).abs_()


def _peak(source: Units, target: Units) -> torch.Tensor:
    """Best penalised |r| of each source unit: in each layer the maximum comes first, then one factor a unit."""
    depths, sizes = torch.unique_consecutive(target.depth, return_counts=True)
    layers = absolute_correlation(source, target).split(sizes.tolist(), dim=1)
    peaks = [
        layer.amax(dim=1).clamp_(max=1) * depth_factor(source.depth, depth)
        for layer, depth in zip(layers, depths, strict=True)
    ]
    return torch.stack(peaks).amax(dim=0)


def best_matches(source: Units, chunks: list[Units]) -> torch.Tensor:
    """Best penalised |r| of each source unit in each chunk, (n_chunks, n_source)."""
    if not chunks:
        return torch.zeros((1, len(source.place)), device=source.place.device)
    return torch.stack(side_by_side(partial(_peak, source), chunks, device=source.vectors.device))


def mean_match(a: Network, b: Network) -> float:
    """The score alone, without the search for partners."""
    chunks = b.units.columns()
    sums = [float(best_matches(rows, chunks).amax(dim=0).double().sum()) for rows in a.units.rows()]
    return sum(sums) / len(a.depth)

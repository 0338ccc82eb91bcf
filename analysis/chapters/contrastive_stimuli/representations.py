"""Squares against natural images: how well each tells convolution from attention by the representations."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
import torch

from analysis.cache import Arrays, kept
from analysis.data.images import Images, halves
from analysis.intervals import Measured, bootstrap_interval, percentile_bounds
from analysis.measures.cka import cka_matrix
from analysis.models.activations import record
from analysis.models.baselines import INK, PIXELS, baselines
from analysis.models.zoo import Network, load_zoo
from analysis.models.zoo_networks import ZOO
from analysis.progress import steps

MOTIFS = ("convolution", "attention")
LAYERS = ("early", "middle", "late")
LEVEL = 0.95


@dataclass(frozen=True, eq=False)
class Geometry:
    """CKA between convolutional and attention networks: `matrices` by (stimuli, layer), networks ordered by motif.

    `baselines`, by the same keys, has a row for each of the baselines and a column for each network.
    """

    names: list[str]
    motifs: np.ndarray
    matrices: dict[tuple[str, str], np.ndarray]
    baselines: dict[tuple[str, str], np.ndarray]

    def long(self) -> pd.DataFrame:
        """One row a stimulus set, layer and pair of networks."""
        rows = [
            (stimuli, layer, self.names[i], self.names[j], matrix[i, j])
            for (stimuli, layer), matrix in self.matrices.items()
            for i, j in combinations(range(len(self.names)), 2)
        ]
        return pd.DataFrame(rows, columns=["stimuli", "layer", "network", "other", "CKA"])


def stimulus_sets(images: Images, squares: torch.Tensor, *, seed: int) -> dict[str, torch.Tensor]:
    """The squares, and as many images that the networks were not trained on."""
    unseen = halves(images, seed)[1]
    drawn = np.sort(np.random.default_rng(seed).permutation(unseen)[: len(squares)])
    return {"squares": squares, images.name: images.x[drawn]}


def described(sets: dict[str, torch.Tensor]) -> pd.DataFrame:
    """Size and mean brightness of stimulus sets."""
    rows = [{"stimuli": name, "images": len(x), "mean brightness": float(x.mean())} for name, x in sets.items()]
    return pd.DataFrame(rows)


def compare_geometry(
    images: Images, sets: dict[str, torch.Tensor], *, debiased: bool, seed: int, names: Sequence[str] | None = None
) -> Geometry:
    """CKA of all pairs of normally trained convolutional and attention networks, for every set and layer."""
    names = list(names or _separable())
    train = halves(images, seed)[0]
    networks = load_zoo(names, images=images, train_indices=train, seed=seed)
    found = kept("cka", _cka_matrices, networks, sets, debiased)
    keys = [(stimuli, layer) for stimuli in sets for layer in LAYERS]
    matrices, baselines = (dict(zip(keys, found[name], strict=True)) for name in ("matrices", "baselines"))
    return Geometry(names, np.array([ZOO[name].motif for name in names]), matrices, baselines)


def _cka_matrices(networks: list[Network], sets: dict[str, torch.Tensor], debiased: bool) -> Arrays:
    found, n = np.stack(list(_cka(networks, sets, debiased))), len(networks)
    return {"matrices": found[:, :n, :n], "baselines": found[:, n:, :n]}


def _cka(networks: list[Network], sets: dict[str, torch.Tensor], debiased: bool) -> Iterator[np.ndarray]:
    """CKA matrices of networks and baselines, set by set and layer by layer; NaN with a baseline that is constant."""
    for x, layer in steps([(x, layer) for x in sets.values() for layer in LAYERS], "CKA"):
        seen = [record(network.module, x, network.landmarks[layer]).values for network in networks]
        features = [
            *seen,
            *(baseline.values for baseline in baselines(x).values()),
        ]  # squares may all have the same ink
        varies = [True] * len(seen) + [
            bool((part != part[:1]).any()) for part in features[len(seen) :]
        ]  # squares of one size: one ink
        matrix = np.full((len(features), len(features)), np.nan)
        defined = [part for part, known in zip(features, varies, strict=True) if known]
        matrix[np.ix_(varies, varies)] = cka_matrix(defined, debiased=debiased)
        yield matrix


def _separable() -> list[str]:
    normal = {name: kind for name, kind in ZOO.items() if kind.training == "normal" and kind.motif in MOTIFS}
    return sorted(normal, key=lambda name: MOTIFS.index(normal[name].motif))


def separation(matrix: np.ndarray, groups: np.ndarray, rows: np.ndarray | None = None) -> float:
    """Mean similarity within groups minus between, over the pooled standard deviation: 0 = no blocks; unbounded.

    `rows` may name networks several times (a resample); a network is never paired with itself.
    """
    rows = np.arange(len(matrix)) if rows is None else rows
    first, second = np.triu_indices(len(rows), 1)
    first, second = rows[first], rows[second]
    pairs = first != second
    values, same = matrix[first, second][pairs], (groups[first] == groups[second])[pairs]
    within, between = values[same], values[~same]
    if min(len(within), len(between)) < 2:
        return np.nan
    squares = sum(((part - part.mean()) ** 2).sum() for part in (within, between))
    return float((within.mean() - between.mean()) / np.sqrt(squares / (len(values) - 2)))


def block_means(geometry: Geometry, layer: str) -> pd.DataFrame:
    """Mean CKA within convolution, within attention, between the two, and with each baseline; a row a stimulus set."""
    first, second = np.triu_indices(len(geometry.names), 1)
    kinds = np.where(geometry.motifs[first] == geometry.motifs[second], "within " + geometry.motifs[first], "between")
    rows = {
        stimuli: pd.Series(matrix[first, second]).groupby(kinds).mean()
        for (stimuli, name), matrix in geometry.matrices.items()
        if name == layer
    }
    table = pd.DataFrame(rows).T[["within convolution", "within attention", "between"]]
    for place, name in enumerate((PIXELS, INK)):
        table[f"with {name}"] = [geometry.baselines[stimuli, layer][place].mean() for stimuli in table.index]
    return table


def separations(geometry: Geometry, *, n_permutations: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Separation of the motifs for every stimulus set and layer.

    `low` and `high` bound the bootstrap over networks; `chance low` and `chance high` hold 95 % of the separations of
    shuffled motifs.
    """
    rows = []
    for (stimuli, layer), matrix in geometry.matrices.items():
        measured = separation_interval([matrix], geometry.motifs, seed=seed)
        shuffled = _shuffled_separations(matrix, geometry.motifs, n_permutations, seed)
        low, high = percentile_bounds(shuffled, LEVEL)
        rows.append(
            {"stimuli": stimuli, "layer": layer, "separation": measured.value, "low": measured.low}
            | {"high": measured.high, "chance low": low, "chance high": high}
        )
    return pd.DataFrame(rows)


def _shuffled_separations(matrix: np.ndarray, groups: np.ndarray, n_permutations: int, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    return [separation(matrix, rng.permutation(groups)) for _ in range(n_permutations)]


def separation_interval(
    matrices: Sequence[np.ndarray], groups: np.ndarray, *, n_resamples: int = 1000, seed: int = 0
) -> Measured:
    """Separation in the first matrix, minus that in the second where there is one; bootstrap over networks."""

    def difference(rows: np.ndarray) -> float:
        found = [separation(matrix, groups, rows) for matrix in matrices]
        return found[0] - sum(found[1:])

    return bootstrap_interval(difference, np.arange(len(groups)), n_resamples=n_resamples, seed=seed)

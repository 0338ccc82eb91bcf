"""Cross-model neuronal correlation: does every unit of one network have a twin in another?

Units of two networks that saw the same stimuli are compared by Pearson's r; a depth penalty favours twins that sit in
the corresponding layer (Ehsani Oskouie, Ghiasvand, Levine and Sarrafzadeh: Exploring Cross-model Neuronal
Correlations in the Context of Predicting Model Performance and Generalizability, arXiv:2408.08448).

A score is read between its floor, what unrelated networks reach (`chance_score` in closed form, `permutation_floor`
by shuffling), and its ceiling, what the depth penalty admits (`attainable_ceiling`).
"""

import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import brentq
from scipy.special import betainc, xlogy

from analysis.checks import ArrayLike, as_features, as_integers, choose

_PENALTIES = ("index", "relative", None)
_ROWS, _COLUMNS = 4096, 512  # units a product: its 8 MB stay in the processor's cache until the maximum is taken
_ENTRIES = 2**21  # float64 activations in hand while standardising
_TIE = 1e-6  # matches closer than this are alike: float32 products of equal units differ by less


@dataclass(frozen=True, eq=False)
class NeuronalCorrelation:
    """How well the units of a source network are matched by a target network, source → target.

    Attributes
    ----------
    score : float
        Mean of `match` over all source units, 0 (nothing alike) to 1 (every unit has a twin in the layer of its index).
    match : ndarray of float64, shape (n_source_units,)
        Highest penalised |r| of each source unit.
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


@dataclass(frozen=True)
class Comparison:
    """A score, source → target, with what is needed to read it.

    Attributes
    ----------
    score : float
        As in `neuronal_correlation`, 0 to 1.
    floor : float
        Mean score after shuffling the target's stimuli (`permutation_scores`).
    chance : float
        The closed-form floor of independent Gaussian units (`chance_score`), constant units taken into account.
    ceiling : float
        The highest score that the depth penalty admits (`attainable_ceiling`).
    corrected : float
        ``(score − floor) / (ceiling − floor)`` (`corrected_score`).
    n_stimuli, constant_units, constant_target_units : int
        Stimuli, and constant units of the source and of the target.
    """

    score: float
    floor: float
    chance: float
    ceiling: float
    corrected: float
    n_stimuli: int
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
    a, b = _pair(source, target, source_layer, target_layer, penalty, device)
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
    a, b = _pair(source, target, source_layer, target_layer, penalty, device)
    return (_score(a, b) + _score(b, a)) / 2


def permutation_scores(
    source: ArrayLike,
    target: ArrayLike,
    *,
    source_layer: ArrayLike | None = None,
    target_layer: ArrayLike | None = None,
    penalty: str | None = "index",
    n_permutations: int = 20,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> np.ndarray:
    """Scores source → target that are left by chance, the target's stimuli shuffled: each from 0 to 1.

    Unlike `chance_level` this keeps the distribution of every unit and the dependence between units.

    Parameters
    ----------
    source, target, source_layer, target_layer, penalty, device
        As in `neuronal_correlation`, errors too.
    n_permutations : int
        Shuffles, at least 1.
    seed : int
        Of the shuffles.

    Returns
    -------
    ndarray of float64, shape (n_permutations,)
        Their mean is `permutation_floor`; the score's rank among them is a permutation test.

    Examples
    --------
    >>> a = np.arange(40.0).reshape(20, 2) % 7
    >>> permutation_scores(a, a, n_permutations=3).shape
    (3,)
    """
    a, b = _pair(source, target, source_layer, target_layer, penalty, device)
    return _shuffled_scores(a, b, n_permutations, seed)


def permutation_floor(source: ArrayLike, target: ArrayLike, **options) -> float:
    """Score that is left by chance, 0 to 1: the mean of `permutation_scores`, which takes the same options."""
    return float(permutation_scores(source, target, **options).mean())


def chance_level(n_stimuli: int, n_target_units: int | list[int], distance: float | list[float] = 0) -> float:
    r"""Match that a unit finds among unrelated ones: near 0 = none by luck, 1 = every unit has a "twin" by luck.

    The expected maximum over independent Gaussian units, in closed form: with :math:`m_k` units at distance
    :math:`d_k`,

    .. math:: \int_0^1 1 - \prod_k F(r (1 + d_k))^{m_k} \, dr, \qquad
              F(x) = I_{\min(x, 1)^2}\left(\tfrac12, \tfrac{N - 2}{2}\right)

    where :math:`F` is the distribution of :math:`|r|` over :math:`N` stimuli (regularised incomplete beta function).

    Parameters
    ----------
    n_stimuli : int
        N, at least 3.
    n_target_units : int or list of int
        Units of the target, of each of its layers, each at least 1.
    distance : float or list of float
        Distance of each layer from the unit's own, 0 or more; one number serves all layers.

    Returns
    -------
    float
        Exact to 1e-9.

    Examples
    --------
    >>> [round(chance_level(n, 49), 3) for n in (10, 100, 1000)]
    [0.742, 0.249, 0.079]
    """
    _check_count(n_stimuli, "n_stimuli", minimum=3)
    sizes = as_integers(np.atleast_1d(n_target_units), "n_target_units", shape=(None,))
    distances = np.atleast_1d(np.asarray(distance, dtype=np.float64))
    if not len(sizes) or sizes.min() < 1:
        raise ValueError(f"'n_target_units' must be at least 1 in every layer, got {n_target_units!r}.")
    if distances.shape not in ((1,), sizes.shape):
        raise ValueError(f"'distance' must be one number or one a layer ({len(sizes)}), got {distance!r}.")
    if not (np.isfinite(distances).all() and (distances >= 0).all()):
        raise ValueError(f"'distance' must be finite and not negative, got {distance!r}.")
    return _expected_maximum(n_stimuli, sizes, np.broadcast_to(distances, sizes.shape))


def chance_score(
    n_stimuli: int, source_layer: ArrayLike, target_layer: ArrayLike, *, penalty: str | None = "index"
) -> float:
    """Score of unrelated networks with these layers, 0 to 1: the mean of `chance_level` over the source's units.

    Parameters
    ----------
    n_stimuli : int
        At least 3.
    source_layer, target_layer : integers, shape (n_units,)
        Index of each unit's layer.
    penalty : {"index", "relative", None}
        As in `neuronal_correlation`.

    Examples
    --------
    >>> round(chance_score(10, np.zeros(100, int), np.repeat([0, 1], [5408, 1600])), 3)
    0.925
    """
    _check_count(n_stimuli, "n_stimuli", minimum=3)
    source, target = _two_depths(source_layer, target_layer, penalty)
    return _mean_chance(n_stimuli, source, target)


def attainable_ceiling(source_layer: ArrayLike, target_layer: ArrayLike, *, penalty: str | None = "index") -> float:
    r"""Highest score that the depth penalty admits, above 0 to 1: the mean of :math:`\max_j 1/(1+|\ell_i-\ell_j|)`.

    Parameters are those of `chance_score`.

    Examples
    --------
    >>> round(attainable_ceiling(np.repeat(range(5), 20), [0, 1]), 3)
    0.617
    """
    return _ceiling(*_two_depths(source_layer, target_layer, penalty))


def corrected_score(score, floor, ceiling):
    """Score once luck and penalty are taken out: 1 = as high as can be, 0 = chance level, below 0 = less than chance.

    ``(score − floor) / (ceiling − floor)`` for numbers, or arrays that broadcast, all within [0, 1].

    Raises
    ------
    ValueError
        If a value lies outside [0, 1], or the floor is not below the ceiling: then nothing is left to measure.

    Examples
    --------
    >>> corrected_score(0.75, 0.5, 1.0)
    0.5
    """
    for name, value in (("score", score), ("floor", floor), ("ceiling", ceiling)):
        if not np.all((np.asarray(value) >= 0) & (np.asarray(value) <= 1)):
            raise ValueError(f"'{name}' must lie within [0, 1], got {value!r}.")
    if not np.all(np.asarray(floor) < np.asarray(ceiling)):
        raise ValueError(f"'floor' must be below 'ceiling', got {floor!r} and {ceiling!r}.")
    corrected = np.subtract(score, floor) / np.subtract(ceiling, floor)
    return corrected if corrected.ndim else float(corrected)


def compare_files(
    source_path: str | Path,
    target_path: str | Path,
    *,
    penalty: str | None = "index",
    n_permutations: int = 20,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> Comparison:
    """Score, floor and corrected score of two networks from files: corrected, 1 = as alike as can be, 0 = by chance.

    Source → target. The floor that is taken off is the permutation floor, which keeps the distribution of the units and
    the dependence between them; the closed form stands beside it.

    Parameters
    ----------
    source_path, target_path : path
        ``.npz`` files with the arrays ``activations``, shape (n_stimuli, n_units), and ``layer``, integers of shape
        (n_units,): the index of each unit's layer, 0 for the first. Both networks saw the same stimuli in one order.
    penalty, n_permutations, seed, device
        As in `permutation_scores`.

    Raises
    ------
    ValueError
        If a file is missing, cannot be read, lacks one of the two arrays, or holds what `neuronal_correlation` does not
        take; names the file and the array. Pickled objects are never loaded.

    Examples
    --------
    >>> import tempfile
    >>> a = np.arange(40.0).reshape(20, 2) % 7
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/net.npz", activations=a, layer=[0, 1])
    ...     result = compare_files(f"{folder}/net.npz", f"{folder}/net.npz")
    >>> round(result.score, 4), result.ceiling
    (1.0, 1.0)
    """
    (source, source_layer), (target, target_layer) = _read(source_path), _read(target_path)
    a, b = _pair(source, target, source_layer, target_layer, penalty, device)
    score, floor = _score(a, b), float(_shuffled_scores(a, b, n_permutations, seed).mean())
    ceiling = _ceiling(a.depth, b.depth)
    return Comparison(
        score=score,
        floor=floor,
        chance=_chance(a, b),
        ceiling=ceiling,
        corrected=corrected_score(score, floor, ceiling),
        n_stimuli=a.units.vectors.shape[1],
        constant_units=a.n_constant,
        constant_target_units=b.n_constant,
    )


class _Units(NamedTuple):
    """The varying units of a network, sorted by depth."""

    vectors: torch.Tensor  # (n, n_stimuli) float32, mean 0 and length 1, so that a product is Pearson's r
    depth: torch.Tensor  # (n,) float64
    index: torch.Tensor  # (n,) int64, the unit's column in the caller's array

    def split(self, size: int) -> list["_Units"]:
        starts = range(0, len(self.index), size)
        return [_Units(*(field[start : start + size] for field in self)) for start in starts]


class _Network(NamedTuple):
    """What a comparison needs of one network."""

    units: _Units
    depth: np.ndarray  # (n_units,) of all units, the constant ones too

    @property
    def n_constant(self) -> int:
        return len(self.depth) - len(self.units.index)


def _pair(source, target, source_layer, target_layer, penalty, device) -> tuple[_Network, _Network]:
    """Both networks, checked and standardised."""
    a = as_features(source, "source", min_stimuli=3, device=device).detach()
    b = as_features(target, "target", min_stimuli=3, device=a.device).detach()
    if len(a) != len(b):
        raise ValueError(f"'source' and 'target' must have equally many stimuli, got {len(a)} and {len(b)}.")
    source_layer = _layers(source_layer, "source_layer", a.shape[1])
    target_layer = _layers(target_layer, "target_layer", b.shape[1])
    return _network(a, _depth(source_layer, penalty)), _network(b, _depth(target_layer, penalty))


def _check_count(value, name: str, *, minimum: int) -> None:
    if int(as_integers(value, name, shape=())) < minimum:
        raise ValueError(f"'{name}' must be at least {minimum}, got {value!r}.")


def _layers(value, name: str, n_units: int | None = None) -> np.ndarray:
    """Layer indices, one a unit: integers from 0."""
    if value is None and n_units is not None:
        return np.zeros(n_units, dtype=np.int64)
    layers = as_integers(value, name, shape=(n_units,))
    if not len(layers) or layers.min() < 0:
        raise ValueError(f"'{name}' must hold layer indices from 0, got {layers.min() if len(layers) else 'none'}.")
    return layers


def _depth(layer: np.ndarray, penalty: str | None) -> np.ndarray:
    """Depths whose differences the penalty charges."""
    choose(penalty, "penalty", _PENALTIES)
    if penalty is None:
        return np.zeros(len(layer))
    return layer / max(layer.max(), 1) if penalty == "relative" else layer.astype(np.float64)


def _two_depths(source_layer, target_layer, penalty) -> tuple[np.ndarray, np.ndarray]:
    source, target = _layers(source_layer, "source_layer"), _layers(target_layer, "target_layer")
    return _depth(source, penalty), _depth(target, penalty)


def _network(activations: torch.Tensor, depth: np.ndarray) -> _Network:
    """Varying units by depth. Constant means equal throughout: a rounded mean cannot hide or invent a spread."""
    low, high = activations.aminmax(dim=0)
    order = torch.from_numpy(np.argsort(depth, kind="stable")).to(activations.device)
    index = order[(low != high)[order]]
    vectors = activations.new_empty((len(index), len(activations)), dtype=torch.float32)
    step = max(1, _ENTRIES // len(activations))
    for rows, columns in zip(vectors.split(step), index.split(step), strict=True):
        rows.copy_(_standardise(activations[:, columns].double()).T)
    return _Network(_Units(vectors, torch.from_numpy(depth).to(index.device)[index], index), depth)


def _standardise(units: torch.Tensor) -> torch.Tensor:
    """Columns of mean 0 and length 1; from the first stimulus a large mean costs no digits, nor does an odd scale."""
    units = units - units[:1]
    units /= units.abs().amax(dim=0)
    units -= units.mean(dim=0)
    return units.div_(units.norm(dim=0))


def _weight(source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """The depth penalty as a factor."""
    return (1 / (1 + (source - target).abs())).float()


@contextmanager
def _full_precision(device: torch.device):
    """float32 products as such, however low the precision that the caller has set for training."""
    backends = torch.backends.cuda.matmul, torch.backends.mkldnn.matmul
    before = [backend.fp32_precision for backend in backends]
    try:
        for backend in backends:
            backend.fp32_precision = "ieee"
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        for backend, precision in zip(backends, before, strict=True):
            backend.fp32_precision = precision


def _absolute_correlation(source: _Units, target: _Units) -> torch.Tensor:
    """|r| of all pairs."""
    with _full_precision(source.vectors.device):
        return torch.mm(source.vectors, target.vectors.T).abs_()


def _peak(source: _Units, target: _Units) -> torch.Tensor:
    """Best penalised |r| of each source unit: in each layer the maximum comes first, then one factor a unit."""
    depths, sizes = torch.unique_consecutive(target.depth, return_counts=True)
    layers = _absolute_correlation(source, target).split(sizes.tolist(), dim=1)
    peaks = [
        layer.amax(dim=1).clamp_(max=1) * _weight(source.depth, depth)
        for layer, depth in zip(layers, depths, strict=True)
    ]
    return torch.stack(peaks).amax(dim=0)


def _peaks(source: _Units, chunks: list[_Units]) -> torch.Tensor:
    """Best penalised |r| of each source unit in each chunk, (n_chunks, n_source)."""
    if not chunks:
        return torch.zeros((1, len(source.index)), device=source.index.device)
    return torch.stack([_peak(source, chunk) for chunk in chunks])


def _partners(source: _Units, chunks: list[_Units], peaks: torch.Tensor) -> torch.Tensor:
    """Lowest index among the best matches. Only the chunks that hold one are multiplied again, for these units."""
    best = peaks.amax(dim=0)
    none = torch.iinfo(torch.int64).max
    partner = torch.full_like(source.index, none)
    for chunk, peak in zip(chunks, peaks, strict=False):
        near = torch.nonzero(peak >= best - _TIE).squeeze(1)
        rows = _Units(*(field[near] for field in source))
        match = _absolute_correlation(rows, chunk) * _weight(rows.depth[:, None], chunk.depth)
        tied = match >= torch.minimum(match.amax(dim=1), best[near])[:, None] - _TIE
        lowest = torch.where(tied, chunk.index, none).amin(dim=1)
        partner[near] = torch.minimum(partner[near], lowest)
    return partner.masked_fill_(partner == none, -1)


def _correlate(a: _Network, b: _Network) -> NeuronalCorrelation:
    match, partner = np.zeros(len(a.depth)), np.full(len(a.depth), -1)
    chunks = b.units.split(_COLUMNS)
    for rows in a.units.split(_ROWS):
        peaks, index = _peaks(rows, chunks), rows.index.cpu().numpy()
        match[index] = peaks.amax(dim=0).cpu().numpy()
        partner[index] = _partners(rows, chunks, peaks).cpu().numpy()
    return NeuronalCorrelation(float(match.mean()), match, partner, a.n_constant, b.n_constant)


def _score(a: _Network, b: _Network) -> float:
    """The score alone, without the search for partners."""
    chunks = b.units.split(_COLUMNS)
    sums = [float(_peaks(rows, chunks).amax(dim=0).double().sum()) for rows in a.units.split(_ROWS)]
    return sum(sums) / len(a.depth)


def _shuffled_scores(a: _Network, b: _Network, n_permutations: int, seed: int) -> np.ndarray:
    _check_count(n_permutations, "n_permutations", minimum=1)
    random = np.random.default_rng(seed)
    scores = np.empty(n_permutations)
    for turn in range(n_permutations):
        shuffle = torch.from_numpy(random.permutation(b.units.vectors.shape[1])).to(b.units.index.device)
        scores[turn] = _score(a, b._replace(units=b.units._replace(vectors=b.units.vectors[:, shuffle])))
    return scores


def _chance(a: _Network, b: _Network) -> float:
    """Closed-form floor of these networks: constant units match with 0 and are no candidates."""
    source, target = (network.units.depth.cpu().numpy() for network in (a, b))
    return _mean_chance(a.units.vectors.shape[1], source, target) * len(source) / len(a.depth)


def _expected_maximum(n_stimuli: int, sizes: np.ndarray, distances: np.ndarray) -> float:
    """The integral of `chance_level`: between the points where the product leaves 0 and reaches 1, by Gauss's rule."""
    distances, layer = np.unique(distances, return_inverse=True)
    sizes = np.bincount(layer, weights=sizes)

    def below(r):
        r_squared = np.minimum(np.multiply.outer(r, 1 + distances), 1) ** 2
        return np.exp(xlogy(sizes, betainc(0.5, n_stimuli / 2 - 1, r_squared)).sum(axis=-1))

    low, high = (brentq(lambda r, p=p: below(r) - p, 0, 1, xtol=1e-15) for p in (1e-10, 1 - 1e-10))
    edges = np.sort(np.concatenate([np.linspace(low, high, 65), np.clip(1 / (1 + distances), low, high)]))
    nodes, weights = np.polynomial.legendre.leggauss(16)
    s, width = (1 + nodes) / 2, np.diff(edges)[:, None]
    r = edges[1:, None] - width * s**2  # a panel may end like a square root (N = 3); in s it is smooth
    return float(low + np.sum(width * s * weights * (1 - below(r))))


def _mean_chance(n_stimuli: int, source: np.ndarray, target: np.ndarray) -> float:
    """Mean of the closed form over units at these depths; 0 without units."""
    if not (len(source) and len(target)):
        return 0.0
    depths, counts = np.unique(source, return_counts=True)
    layers, sizes = np.unique(target, return_counts=True)
    levels = [_expected_maximum(n_stimuli, sizes, np.abs(layers - depth)) for depth in depths]
    return float(np.average(levels, weights=counts))


def _ceiling(source: np.ndarray, target: np.ndarray) -> float:
    depths, counts = np.unique(source, return_counts=True)
    distance = np.abs(depths[:, None] - np.unique(target)).min(axis=1)
    return float(np.average(1 / (1 + distance), weights=counts))


def _read(path: str | Path) -> tuple[torch.Tensor, np.ndarray]:
    """Checked activations and layers of an ``.npz`` file; every error names the file."""
    if not zipfile.is_zipfile(path):
        raise ValueError(f"'{path}' must be an .npz file, got {'another' if Path(path).is_file() else 'no'} file.")
    activations, layer = (_read_array(path, key) for key in ("activations", "layer"))
    activations = as_features(activations, f"activations of {path}", min_stimuli=3)
    return activations, _layers(layer, f"layer of {path}", activations.shape[1])


def _read_array(path: str | Path, key: str) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if key not in archive:
                raise ValueError(f"it holds {', '.join(archive.files) or 'nothing'}")
            array = np.asarray(archive[key])
        if array.dtype.kind not in "biuf":
            raise ValueError(f"its type is {array.dtype}")
    except (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"'{path}' must hold a readable array of numbers '{key}': {error}.") from error
    return array

r"""Probes: linear transforms of features under which similarity predicts odd-one-out choices.

With :math:`S = (XW)(XW)^\top` the odd one of a triplet is chosen with probability
:math:`p(a) \propto \exp S_{bc}`. A fit minimises, over the transform :math:`W`,

.. math:: -\frac1N \sum_t \log p(\text{choice}_t) + \lambda R(W).

Answers may also be the *probabilities* of the three choices: then the sum over all triplets is the limit of infinitely
many answers, and the fit has no sampling noise left.

How the fits are made fast, with nothing approximated:

- Only the row space of the training objects matters to a full transform: the features are rotated to their ``r``
  principal axes, and on the complement the optimum is :math:`W = \gamma I` (shrinkage) or 0 (ridge).
- The objective and its gradient go through S once (`analysis.recovery.likelihood`).
- Fits of one set of features to many data sets advance together, as one batched, preconditioned L-BFGS. Penalties are
  visited from strong to weak; each fit starts where the path of the stronger ones points to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from analysis.checks import ArrayLike, as_features, choose
from analysis.recovery import lbfgs
from analysis.recovery.lbfgs import Minima, minimize
from analysis.recovery.likelihood import Batch, Objective, few_pairs, used_objects
from analysis.recovery.triplets import check_answers, check_triplets

REGULARIZERS = ("shrinkage", "ridge")
TRANSFORMS = ("full", "diagonal", "low-rank", "zero-shot")


@dataclass(frozen=True)
class Probe:
    r"""A fitted transform.

    Attributes
    ----------
    objective : float
        Mean negative log-likelihood of the training choices + penalty · R, in nats; lower is better.
    converged : bool
        Whether the fit came to rest at an optimum. False too when the data have none (see `fit_probe`).
    gap : float
        How far the objective is above its minimum, in nats, as estimated from curvature and from the last steps. True
        within a factor of three; up to twenty times too small where hardly any penalty meets more units than objects.
        What a fit predicts about *other* objects moves by more, about as the square root. 0 for a zero-shot transform.
    gradient_norm : float
        Euclidean norm of the objective's gradient at the returned weights: in W; in symmetric W where the optimum is
        one (shrinkage of a full transform); in the diagonal of a diagonal W.
    penalty : float
        The λ of the fit.
    transform : str
        ``"full"``, ``"diagonal"``, ``"low-rank"`` or ``"zero-shot"``.
    """

    objective: float
    converged: bool
    gap: float
    gradient_norm: float
    penalty: float
    transform: str
    core: torch.Tensor = field(repr=False)
    basis: torch.Tensor | None = field(repr=False)
    complement: float = field(repr=False)

    @property
    def weights(self) -> np.ndarray:
        """W in the coordinates of the features, shape (p, p), or (p, rank) for a low-rank transform."""
        if self.basis is None:
            return torch.diag(self.core).numpy()
        if self.transform == "low-rank":
            return (self.basis @ self.core).numpy()
        inside = self.core - self.complement * torch.eye(len(self.core), dtype=self.core.dtype)
        weights = self.basis @ inside @ self.basis.T
        weights.diagonal().add_(self.complement)
        return weights.numpy()

    def similarity(self, features: ArrayLike) -> np.ndarray:
        """S = (XW)(XW)ᵀ of any objects' features, shape (n, p), without building W; shape (n, n)."""
        features = as_features(features, "features").to("cpu", self.core.dtype)
        width = len(self.core) if self.basis is None else len(self.basis)
        if features.shape[1] != width:
            raise ValueError(f"'features' must have the {width} units of the fit, got {features.shape[1]}.")
        if self.basis is None:
            embedded = features * self.core
            return (embedded @ embedded.T).numpy()
        inside = features @ self.basis
        embedded = inside @ self.core
        similarity = embedded @ embedded.T
        if self.complement and self.basis.shape[0] > self.basis.shape[1]:
            outside = features - inside @ self.basis.T
            similarity.addmm_(outside, outside.T, alpha=self.complement**2)
        return similarity.numpy()


def fit_probe(
    features: ArrayLike,
    triplets: ArrayLike,
    choices: ArrayLike,
    *,
    penalty: float,
    regularizer: str = "shrinkage",
    transform: str = "full",
    rank: int | None = None,
    start: ArrayLike | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 2000,
    device: str | torch.device | None = None,
) -> Probe:
    r"""The transform of the features that best predicts odd-one-out choices (lower objective is better, at least 0).

    Parameters
    ----------
    features : array of shape (n_objects, p)
        Used as given: nothing is centred or scaled. float64 features are fitted in float64, all else in float32.
    triplets : integer array of shape (n, 3)
        Rows of `features`, 0-based, three different ones a row.
    choices : integer array of shape (n,), or array of shape (n, 3)
        Position 0, 1 or 2 of the odd one; or for each position its probability, or how many answers named it. Rows
        count by their sums. With equal sums over all triplets of the objects a fit is several times as fast.
    penalty : float
        λ ≥ 0.
    regularizer : {"shrinkage", "ridge"}
        ``"shrinkage"``: :math:`\min_\gamma \|W-\gamma I\|_F^2 = \|W\|_F^2 - (\operatorname{tr} W)^2/p`, for a
        low-rank transform :math:`\min_c \|W^\top W - cI\|_F^2`; ``"ridge"``: :math:`\|W\|_F^2`.
    transform : {"full", "diagonal", "low-rank", "zero-shot"}
        W of shape (p, p); a diagonal (p, p); (p, `rank`); the identity, which nothing is fitted to.
    rank : int, optional
        Columns of a low-rank transform, at most the rank of the training objects' features.
    start : array shaped like the weights, optional
        Where the search begins; by default at the best multiple of the identity (low-rank: of the leading axes).
        Directions that it maps to nothing have no slope, so that a search would never leave a saddle there: they begin
        at a tenth of its largest scale (of 1 if it is all zeros).
    tolerance : float
        The fit stops when the decrease still to come, as estimated, is below it. The estimate is rough: hard X
    max_iterations : int
        The fit stops here in any case, with ``converged=False``.
    device : str or torch.device, optional
        Where to compute; the result lives on the CPU.

    Returns
    -------
    Probe
        Weights, objective, convergence and the similarity under the fit.

    Raises
    ------
    ValueError
        On malformed features, triplets, choices or options.

    Notes
    -----
    In M = WWᵀ the full and the diagonal problem are convex: they have one optimum. It exists for ridge with λ > 0.
    For shrinkage it exists unless the untransformed features already predict every choice: then scaling γI is free and
    lowers the objective for ever, and the fit says ``converged=False``. A low-rank fit finds a local optimum. Its W
    stays in the row space of the training objects' features: outside of it W could make any low-rank shrinkage penalty
    vanish, unseen by the data.

    References
    ----------
    Avitan & Golan (2025), Model–Behavior Alignment under Flexible Evaluation, arXiv:2510.23321.

    Examples
    --------
    >>> features = np.eye(4) + 0.1
    >>> probe = fit_probe(features, [[0, 1, 2], [0, 1, 3], [1, 0, 2]], [2, 2, 1], penalty=0.01)
    >>> probe.converged, probe.weights.shape
    (True, (4, 4))
    >>> bool(probe.similarity(features)[0, 1] > probe.similarity(features)[2, 3])
    True
    """
    return fit_probes(
        [features],
        [(triplets, choices)],
        penalties=[penalty],
        regularizer=regularizer,
        transform=transform,
        rank=rank,
        start=start,
        tolerance=tolerance,
        max_iterations=max_iterations,
        device=device,
    )[0][0][0]


def fit_probes(
    features: Sequence,
    datasets: Sequence[tuple],
    *,
    penalties: Sequence[float],
    regularizer: str = "shrinkage",
    transform: str = "full",
    rank: int | None = None,
    start: ArrayLike | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 2000,
    device: str | torch.device | None = None,
) -> list[list[list[Probe]]]:
    """Every features × data set × penalty fit in one call: the optima of `fit_probe`, many at a time.

    Parameters
    ----------
    features : sequence of arrays of shape (n_objects, p)
        Each is fitted to all data sets; p may differ, the objects may not.
    datasets : sequence of (triplets, choices)
        As in `fit_probe`; they may differ in length.
    penalties : sequence of float
        Each λ ≥ 0, in any order.
    regularizer, transform, rank, start, tolerance, max_iterations, device
        As in `fit_probe`; `start` begins every path of penalties.

    Returns
    -------
    list
        Indexed ``[features][data set][penalty]``, each a `Probe`.

    Examples
    --------
    >>> features = np.eye(4) + 0.1
    >>> data = ([[0, 1, 2], [0, 1, 3], [1, 0, 2]], [2, 2, 1])
    >>> weak, strong = fit_probes([features], [data], penalties=[0.001, 0.1])[0][0]
    >>> weak.objective < strong.objective
    True
    """
    choose(regularizer, "regularizer", REGULARIZERS)
    choose(transform, "transform", TRANSFORMS)
    penalties = _checked_penalties(penalties)
    if (rank is None) == (transform == "low-rank"):
        raise ValueError(f"'rank' must be given for a low-rank transform and for no other, got {rank!r}.")
    if not tolerance > 0:
        raise ValueError(f"'tolerance' must be positive, got {tolerance!r}.")
    tables = [as_features(table, "features", min_stimuli=3, device=device) for table in features]
    if len({len(table) for table in tables}) > 1:
        raise ValueError(f"'features' must share their objects, got {[len(table) for table in tables]} rows.")
    checked = _checked_datasets(datasets, len(tables[0])) if tables else []
    options = _Options(penalties, regularizer, transform, rank, start, tolerance, max_iterations)
    return [_fit_table(table, checked, options) for table in tables]


def _checked_penalties(penalties) -> list[float]:
    penalties = [float(value) for value in penalties]
    for value in penalties:
        if not (np.isfinite(value) and value >= 0):
            raise ValueError(f"'penalty' must be finite and at least 0, got {value!r}.")
    return penalties


def _checked_datasets(datasets, n_objects: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The data sets, checked; triplets that several of them share stay shared."""
    shared = {id(triplets): check_triplets(triplets, n_objects) for triplets, _ in datasets}
    if any(len(triplets) == 0 for triplets in shared.values()):
        raise ValueError("'triplets' must hold at least 1 triplet, got none.")
    return [(shared[id(triplets)], check_answers(choices, len(shared[id(triplets)]))) for triplets, choices in datasets]


@dataclass(frozen=True)
class _Options:
    penalties: list[float]
    regularizer: str
    transform: str
    rank: int | None
    start: object
    tolerance: float
    max_iterations: int


def _fit_table(table: torch.Tensor, datasets, options: _Options) -> list[list[Probe]]:
    if not datasets or not options.penalties:
        return [[] for _ in datasets]
    used = used_objects([triplets for triplets, _ in datasets], len(table))
    basis = (
        _row_space(table[torch.from_numpy(used).to(table.device)])
        if options.transform in ("full", "low-rank")
        else None
    )
    coordinates = table if basis is None else table @ basis
    if options.rank is not None and not 1 <= options.rank <= coordinates.shape[1]:
        raise ValueError(f"'rank' must be 1 to {coordinates.shape[1]}, the features' rank, got {options.rank!r}.")
    start = _start(coordinates, basis, options)
    fits: list = [None] * len(datasets)
    for members in _groups(datasets, len(used), coordinates.shape[1], coordinates.device.type):
        batch = Batch.of(coordinates, [datasets[i] for i in members], options.regularizer, options.transform)
        for i, path in zip(members, _fit_path(batch, start, basis, options), strict=True):
            fits[i] = path
    return fits


def _row_space(rows: torch.Tensor) -> torch.Tensor:
    """Orthonormal principal axes, shape (p, r), of all directions that the rows span."""
    _, sizes, axes = torch.linalg.svd(rows.double(), full_matrices=False)
    kept = sizes > sizes[0] * max(rows.shape) * torch.finfo(rows.dtype).eps
    return axes[: max(int(kept.sum()), 1)].T.to(rows.dtype).contiguous()


def _start(coordinates: torch.Tensor, basis, options: _Options) -> torch.Tensor:
    width = coordinates.shape[1]
    like = {"dtype": coordinates.dtype, "device": coordinates.device}
    if options.start is None:
        return torch.ones(width, **like) if basis is None else torch.eye(width, options.rank or width, **like)
    start = as_features(options.start, "start", device=coordinates.device).to(coordinates.dtype)
    full_width = width if basis is None else len(basis)
    wanted = (full_width, options.rank or full_width)
    if tuple(start.shape) != wanted:
        raise ValueError(f"'start' must have shape {wanted}, got {tuple(start.shape)}.")
    if basis is None:
        return _lifted(torch.diag(start.diagonal())).diagonal().clone()
    inside = _lifted(basis.T @ start)
    return inside if options.transform == "low-rank" else _root(inside @ inside.T)


def _lifted(start: torch.Tensor) -> torch.Tensor:
    """The start with no singular value below a tenth of the largest: along W's null space every gradient vanishes."""
    left, sizes, right = torch.linalg.svd(start, full_matrices=False)
    floor = sizes[0] if sizes[0] > 0 else torch.ones_like(sizes[0])
    return (left * sizes.clamp_min(0.1 * floor)) @ right


def _root(squared: torch.Tensor) -> torch.Tensor:
    """Symmetric square root: the symmetric transform with the same similarity."""
    values, axes = torch.linalg.eigh(squared)
    return (axes * values.clamp_min(0).sqrt().unsqueeze(-2)) @ axes.mT


def _groups(datasets, n_objects: int, width: int, device: str):
    """Data sets of like size together, as many as work within the cache (CPU) or keep the device busy."""
    budget = 2**22 if device == "cpu" else 2**29
    order = sorted(range(len(datasets)), key=lambda i: len(datasets[i][1]))
    while order:
        n_triplets = len(datasets[order[-1]][1])
        size = min(n_objects, 3 * n_triplets)
        pairs = 0 if few_pairs(n_triplets, size) else size**2
        numbers = pairs + 6 * n_triplets + 3 * size * width + 2 * lbfgs.MEMORY * width**2
        count = max(1, budget // numbers)
        yield order[-count:]
        del order[-count:]


def _fit_path(batch: Batch, start: torch.Tensor, basis, options: _Options) -> list[list[Probe]]:
    """One list of probes per data set of the batch, in the order of the penalties."""
    count = len(batch.objects)
    first = start.expand(count, *start.shape)
    scale, separable = _best_scale(batch, first)
    if options.start is None and options.transform != "zero-shot":
        first = first * scale.sqrt().to(first.dtype).view(-1, *[1] * (first.ndim - 1))
    paths, previous = [[None] * len(options.penalties) for _ in range(count)], []
    for place in sorted(range(len(options.penalties)), key=lambda i: -options.penalties[i]):
        penalty = options.penalties[place]
        found = _fit(batch, _ahead(previous, penalty, first, options.regularizer), penalty, options)
        core = found.points.view_as(first)
        previous = [*previous[-1:], (penalty, core)]
        converged = found.converged & ~_lacks_optimum(batch, core, penalty, separable, options).cpu()
        for b in range(count):
            paths[b][place] = _probe(core[b], found, b, bool(converged[b]), penalty, basis, options)
    return paths


def _fit(batch: Batch, core: torch.Tensor, penalty: float, options: _Options) -> Minima:
    objective = Objective(batch, penalty, core.shape[1:])
    points = core.flatten(1)
    if options.transform == "zero-shot":
        values, gradients = objective.evaluate(points)
        rest = torch.zeros_like(gradients), torch.ones(len(core), dtype=torch.bool), torch.zeros(len(core))
        return Minima(points, values, *rest)
    limits = {"tolerance": options.tolerance, "max_iterations": options.max_iterations}
    found = minimize(objective, points, **limits)
    for _ in range(3 if batch.symmetric else 0):
        rows = _folded(found.points.view_as(core))
        if not len(rows):
            break
        # From |W| on: the same S with a larger trace, so it is better. Where all of W vanishes, signs are noise.
        unfolded = _root(found.points.view_as(core)[rows] @ found.points.view_as(core)[rows])
        again = minimize(objective.take(rows), unfolded.flatten(1), **limits)
        for name, values in vars(again).items():
            getattr(found, name)[rows.to(values.device)] = values
    return found


def _folded(cores: torch.Tensor) -> torch.Tensor:
    """Which symmetric cores have a negative eigenvalue of any size."""
    rows = torch.linalg.cholesky_ex(cores).info.nonzero()[:, 0]
    spectra = torch.linalg.eigvalsh(cores[rows])
    return rows[spectra[:, 0] < -1e-3 * spectra[:, -1].abs()] if len(rows) else rows


def _ahead(previous, penalty: float, first: torch.Tensor, regularizer: str) -> torch.Tensor:
    """Where to begin: three quarters of the way along the line, in log λ, through the last two fits of the path.

    W = 0 has no gradient, so what a stronger penalty has brought there is lifted off by a tenth of the first start.
    """
    if not previous:
        return first
    penalties, cores = zip(*previous, strict=True)
    core = cores[-1]
    if len(cores) == 2 and penalty > 0 and penalties[0] > penalties[1]:
        reach = np.log(penalties[1] / penalty) / np.log(penalties[0] / penalties[1])
        core = core + 0.75 * min(float(reach), 1.0) * (core - cores[0])
    collapsed = core.flatten(1).norm(dim=1) < 0.1 * first.flatten(1).norm(dim=1)
    lifted = torch.ones_like(collapsed) if regularizer == "ridge" else collapsed
    return core + 0.1 * first * lifted.view(-1, *[1] * (core.ndim - 1))


def _best_scale(batch: Batch, core: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Factor of S under `core` that is most likely, within e^±4; and whether S predicts every choice (B,)."""
    logits = batch.compare(core)
    margins = logits - batch.answered(logits)[:, None]
    log_scale = margins.new_zeros(len(margins))
    for _ in range(5):
        scaled = margins * log_scale.exp()[:, None, None]
        chance = torch.softmax(scaled, 1)
        mean = (chance * scaled).sum(1)
        spread = ((chance * scaled**2).sum(1) - mean**2) * batch.weights
        slope = (mean * batch.weights).sum(1)
        log_scale = (log_scale - (slope / spread.sum(1).clamp_min(1e-12)).clamp(-1, 1)).clamp(-4, 4)
    real = batch.weights > 0
    largest = (margins.amax(1) * real).amax(1)
    return log_scale.exp(), (largest <= 0) & ((margins.amin(1) * real).amin(1) < 0)


def _lacks_optimum(batch, core, penalty: float, separable, options: _Options) -> torch.Tensor:
    """Whether the objective falls for ever along some direction (see the notes of `fit_probe`)."""
    if options.transform == "zero-shot":
        return torch.zeros_like(separable)
    if options.regularizer == "shrinkage" and options.transform != "low-rank" and penalty > 0:
        return separable
    if options.regularizer == "ridge" and penalty > 0:
        return torch.zeros_like(separable)
    free = penalty * batch.penalty(core)[0] <= options.tolerance
    return free & _best_scale(batch, core)[1]


def _probe(core, found: Minima, row: int, converged: bool, penalty: float, basis, options: _Options) -> Probe:
    complement = 0.0
    if options.transform == "full" and options.regularizer == "shrinkage":
        complement = float(core.diagonal().mean(dtype=torch.float64))
    return Probe(
        objective=float(found.values[row]),
        converged=converged,
        gap=float(found.gaps[row]),
        gradient_norm=float(found.gradients[row].norm()),
        penalty=penalty,
        transform=options.transform,
        core=core.cpu().clone(),
        basis=None if basis is None else basis.cpu(),
        complement=complement,
    )

"""Many smooth minimisations at once: batched, preconditioned L-BFGS."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

MEMORY = 4  # pairs of steps and gradient changes; more save few evaluations and cost more than those
WINDOW = 3  # accepted steps over which progress is judged
PROMISE = 2  # factor by which a promised decrease may be too low: 19 of 20 are below 1.7, the worst 3
_GRADIENT = 2 * MEMORY  # place of the gradient beside the pairs
SAFETY = 4  # the same for an extrapolated one, which is rougher


class Problems(Protocol):
    """A batch of B objectives of d variables each."""

    def begin(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """As `evaluate`; with positive estimates of the Hessians' diagonals (B, d), up to a factor."""

    def evaluate(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values (B,) in float64 and gradients (B, d) at points (B, d)."""

    def promise(self, gradients: torch.Tensor) -> torch.Tensor:
        """Estimated decrease (B,) between a point with this gradient (B, d) and the minimum."""

    def take(self, rows: torch.Tensor) -> "Problems":
        """The problems of these rows alone."""


@dataclass
class Minima:
    """Where each problem ended: points and gradients (B, d), values (B,), converged (B,), estimated gaps (B,)."""

    points: torch.Tensor
    values: torch.Tensor
    gradients: torch.Tensor
    converged: torch.Tensor
    gaps: torch.Tensor


def minimize(problems: Problems, start: torch.Tensor, *, tolerance: float, max_iterations: int) -> Minima:
    """The minima of B problems that advance together; each stops by itself.

    Parameters
    ----------
    problems : Problems
        Objectives and gradients.
    start : tensor of shape (B, d)
        First points.
    tolerance : float
        A problem has converged once the decrease still to come is below this: as the problem promises, or as
        extrapolated from the last steps, each with a safety factor.
    max_iterations : int
        Evaluations after which what has not converged is given back as it is.

    Returns
    -------
    Minima

    Notes
    -----
    Each iteration tries one point per problem: the L-BFGS step, or, where the last trial failed Armijo's test, a
    shorter one along the same direction. So no problem waits for the line search of another.

    Examples
    --------
    >>> class Bowls:
    ...     def __init__(self, centres):
    ...         self.centres = centres
    ...     def begin(self, points):
    ...         return *self.evaluate(points), torch.ones_like(points)
    ...     def evaluate(self, points):
    ...         away = points - self.centres
    ...         return (away**2).sum(1).double(), 2 * away
    ...     def promise(self, gradients):
    ...         return (gradients**2).sum(1) / 4
    ...     def take(self, rows):
    ...         return Bowls(self.centres[rows])
    >>> centres = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    >>> found = minimize(Bowls(centres), torch.zeros(2, 2), tolerance=1e-8, max_iterations=50)
    >>> bool(torch.allclose(found.points, centres, atol=1e-4)), found.converged.tolist()
    (True, [True, True])
    """
    values, gradients, metric = problems.begin(start)
    scale = metric.rsqrt()
    gaps = torch.full((len(start),), torch.inf, dtype=torch.float64)
    ended = Minima(start.clone(), values.clone(), gradients.clone(), torch.zeros(len(start), dtype=torch.bool), gaps)
    search = _Search(start / scale, values.cpu().numpy(), gradients * scale)
    rows = torch.arange(len(start), device=start.device)
    for _ in range(max_iterations):
        values, gradients = problems.evaluate(search.trial().mul_(scale))
        search.update(values.cpu().numpy(), gradients.mul_(scale))
        promised = problems.promise(search.gradients / scale).cpu().numpy()
        gaps = np.minimum(PROMISE * promised, search.extrapolated())
        converged = gaps <= tolerance
        # A step cut ten times and more in a row is lost in the rounding of the values: no descent can be seen any more.
        done = search.active & (converged | (search.lengths < 1e-10))
        if done.any():
            _record(ended, rows, search, done, scale, gaps)
            ended.converged[rows[search.where(done)].cpu()] = torch.from_numpy(converged[done])
            search.active &= ~done
        if not search.active.any():
            return ended
        # Copying what goes on costs about as much as three of its iterations, so not at every problem that ends.
        if search.active.sum() <= 0.7 * len(rows):
            kept = search.where(search.active)
            rows, scale, problems = rows[kept], scale[kept], problems.take(kept)
            search = search.take(kept)
    _record(ended, rows, search, search.active, scale, gaps)
    return ended


def _record(ended: Minima, rows, search: "_Search", chosen: np.ndarray, scale, gaps: np.ndarray) -> None:
    places = search.where(chosen)
    ended.points[rows[places]] = search.points[places] * scale[places]
    ended.values[rows[places]] = torch.from_numpy(search.values[chosen]).to(ended.values.device)
    ended.gradients[rows[places]] = search.gradients[places] / scale[places]
    ended.gaps[rows[places].cpu()] = torch.from_numpy(gaps[chosen])


class _Search:
    """State of the searches, in coordinates where the metric is the identity.

    What has the length of a problem is a tensor; the few numbers of each problem are NumPy's, in float64.
    """

    def __init__(self, points: torch.Tensor, values: np.ndarray, gradients: torch.Tensor):
        count, width = points.shape
        self.points, self.values = points, values
        self.memory = points.new_zeros(count, 2 * MEMORY + 1, width)  # steps, gradient changes, the gradient
        self.memory[:, _GRADIENT] = gradients
        self.products = np.zeros((count, 2 * MEMORY + 1, 2 * MEMORY + 1))
        self.active, self.age = np.ones(count, dtype=bool), np.zeros(count, dtype=np.int64)
        self.slot = 0
        self.recent = np.repeat(values[:, None], 2 * WINDOW + 1, axis=1)
        self.directions, self.lengths = -gradients, np.ones(count)
        self.slopes = -(gradients * gradients).sum(1, dtype=torch.float64).cpu().numpy()

    @property
    def gradients(self) -> torch.Tensor:
        return self.memory[:, _GRADIENT]

    def where(self, chosen: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.flatnonzero(chosen)).to(self.points.device)

    def take(self, kept: torch.Tensor) -> "_Search":
        """These problems alone."""
        part, places = object.__new__(_Search), kept.cpu().numpy()
        for name, value in vars(self).items():
            if isinstance(value, torch.Tensor):
                value = value[kept]
            elif isinstance(value, np.ndarray):
                value = value[places]
            setattr(part, name, value)
        return part

    def trial(self) -> torch.Tensor:
        return self.points + self._column(self.lengths) * self.directions

    def _column(self, numbers: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(numbers).to(self.points)[:, None]

    def update(self, values: np.ndarray, gradients: torch.Tensor) -> None:
        """Accept the trial points that descend; shorten the steps of the others."""
        noise = 4 * torch.finfo(self.points.dtype).eps * np.abs(self.values)
        enough = values <= self.values + 1e-4 * self.lengths * self.slopes + noise
        accepted = enough & np.isfinite(values)  # a step too long may overflow to minus infinity
        failed = self.where(~accepted)
        if accepted.any():
            self._move(accepted, failed, gradients)
            self._remember()
            moved = np.concatenate([self.recent[:, 1:], values[:, None]], axis=1)
            self.recent = np.where(accepted[:, None], moved, self.recent)
        self._shorten(values, ~accepted)
        if accepted.any():
            self._turn(accepted, failed)
            self.values = np.where(accepted, values, self.values)
            self.age = self.age + accepted

    def _move(self, accepted, failed, gradients) -> None:
        """To the accepted points; step and gradient change are written over the oldest pair (zeros where failed)."""
        step, change = self.memory[:, self.slot], self.memory[:, self.slot + MEMORY]
        torch.mul(self.directions, self._column(self.lengths * accepted), out=step)
        torch.sub(gradients, self.gradients, out=change)
        change[failed] = 0
        self.points += step
        self.gradients.add_(change)

    def _remember(self) -> None:
        """Inner products with the new pair and gradient; a pair without curvature becomes zeros and changes nothing."""
        step, change = self.slot, self.slot + MEMORY
        new = [step, change, _GRADIENT]
        products = (self.memory[:, new] @ self.memory.mT).double().cpu().numpy()
        # sᵀy ≤ 1e-10 yᵀy: no more curvature than rounding makes. Such a pair would scale the next step by 1e10.
        flat = products[:, 0, change] <= 1e-10 * products[:, 1, change]
        if flat.any():
            self.memory[self.where(flat)[:, None], torch.tensor([step, change])] = 0
            products[flat, :2] = 0
            products[flat, :, step] = products[flat, :, change] = 0
        self.products[:, new] = products
        self.products[:, :, new] = products.transpose(0, 2, 1)
        self.slot = (self.slot + 1) % MEMORY

    def _shorten(self, values, failed) -> None:
        """Minimum of the parabola through both values and the slope, kept within a tenth and a half of the step."""
        excess = values - self.values - self.lengths * self.slopes
        with np.errstate(divide="ignore", invalid="ignore"):
            best = -self.slopes * self.lengths / (2 * excess)
        shorter = self.lengths * np.nan_to_num(best, nan=0.1).clip(0.1, 0.5)
        self.lengths = np.where(failed, shorter, self.lengths)

    def _turn(self, accepted, failed) -> None:
        """New directions, by the compact form of Byrd, Nocedal & Schnabel (1994, eq. 3.1)."""
        steps = (self.slot + np.arange(MEMORY)) % MEMORY  # oldest first
        changes, products = steps + MEMORY, self.products
        across = products[:, steps[:, None], changes]
        curvature = across.diagonal(axis1=1, axis2=2)[:, :, None]
        bends = products[:, changes[:, None], changes]
        factor = _initial(curvature, bends.diagonal(axis1=1, axis2=2)[:, :, None])
        upper = np.triu(across) + (curvature == 0) * np.eye(MEMORY)
        against = products[:, :, _GRADIENT, None]
        inner = np.linalg.solve(upper, against[:, steps])
        middle = curvature * inner + factor * (bends @ inner) - factor * against[:, changes]
        weights = np.zeros_like(against)
        weights[:, steps] = np.linalg.solve(upper.transpose(0, 2, 1), middle)
        weights[:, changes], weights[:, _GRADIENT] = -factor * inner, factor[:, 0]
        slopes = -(weights * against).sum((1, 2))
        uphill = ~(slopes < 0)
        weights[uphill], weights[uphill, _GRADIENT] = 0, 1
        slopes = np.where(uphill, -against[:, _GRADIENT, 0], slopes)
        directions = (torch.from_numpy(-weights).to(self.memory).mT @ self.memory)[:, 0]
        directions[failed] = self.directions[failed]
        self.directions, self.slopes = directions, np.where(accepted, slopes, self.slopes)
        self.lengths = np.where(accepted, 1.0, self.lengths)

    def extrapolated(self) -> np.ndarray:
        """Decrease still to come, were the last decreases to go on shrinking a little more slowly than they did."""
        early, late = self.recent[:, 0] - self.recent[:, WINDOW], self.recent[:, WINDOW] - self.recent[:, -1]
        with np.errstate(over="ignore"):
            geometric = late * late / (early - late).clip(1e-300)
        left = SAFETY * np.maximum(np.where(late < early, geometric, late), late / SAFETY)
        return np.where(self.age < 2 * WINDOW, np.inf, left)


def _initial(curvature: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Scale of the initial inverse Hessian, sᵀy / yᵀy of the newest pair that has curvature, oldest first (B, 1, 1)."""
    newest = (np.arange(1, MEMORY + 1)[:, None] * (sizes > 0)).argmax(1)[:, None]
    curvature, size = np.take_along_axis(curvature, newest, 1), np.take_along_axis(sizes, newest, 1)
    return np.where(size > 0, curvature / np.maximum(size, 1e-300), 1.0)

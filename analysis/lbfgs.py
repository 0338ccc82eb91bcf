"""Many smooth minimisations at once: batched, preconditioned L-BFGS."""

from dataclasses import dataclass
from typing import Protocol

import torch

MEMORY = 4  # pairs of steps and gradient changes; more save few evaluations and cost more than those
WINDOW = 3  # accepted steps over which progress is judged
PROMISE = 2  # factor by which a promised decrease may be too low: 19 of 20 are below 1.7, the worst 3
SAFETY = 4  # the same for an extrapolated one, which is rougher


class Problems(Protocol):
    """A batch of B objectives of d variables each."""

    def evaluate(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Values (B,) in float64 and gradients (B, d) at points (B, d)."""

    def promise(self, gradients: torch.Tensor) -> torch.Tensor:
        """Estimated decrease (B,) between a point with this gradient (B, d) and the minimum."""

    def take(self, rows: torch.Tensor) -> "Problems":
        """The problems of these rows alone."""


@dataclass
class Minima:
    """Where each problem ended: points and gradients (B, d), values (B,), converged (B,)."""

    points: torch.Tensor
    values: torch.Tensor
    gradients: torch.Tensor
    converged: torch.Tensor


def minimize(problems: Problems, start: torch.Tensor, metric: torch.Tensor, *, tolerance: float, max_iterations: int):
    """The minima of B problems that advance together; each stops by itself.

    Parameters
    ----------
    problems : Problems
        Objectives and gradients.
    start : tensor of shape (B, d)
        First points.
    metric : tensor of shape (B, d)
        Positive estimates of the Hessians' diagonals, up to a factor.
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
    ...     def evaluate(self, points):
    ...         away = points - self.centres
    ...         return (away**2).sum(1).double(), 2 * away
    ...     def promise(self, gradients):
    ...         return (gradients**2).sum(1) / 4
    ...     def take(self, rows):
    ...         return Bowls(self.centres[rows])
    >>> centres = torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    >>> found = minimize(Bowls(centres), torch.zeros(2, 2), torch.ones(2, 2), tolerance=1e-8, max_iterations=50)
    >>> bool(torch.allclose(found.points, centres, atol=1e-4)), found.converged.tolist()
    (True, [True, True])
    """
    scale = metric.rsqrt()
    values, gradients = problems.evaluate(start)
    ended = Minima(start.clone(), values.clone(), gradients.clone(), torch.zeros(len(start), dtype=torch.bool))
    search = _Search(start / scale, values, gradients * scale)
    rows = torch.arange(len(start), device=start.device)
    for _ in range(max_iterations):
        values, gradients = problems.evaluate(search.trial() * scale)
        search.update(values, gradients * scale)
        left = torch.minimum(PROMISE * problems.promise(search.gradients / scale), search.extrapolated())
        converged = left <= tolerance
        done = search.active & (converged | (search.lengths < 1e-10))
        if done.any():
            _record(ended, rows[done], search, done, scale)
            ended.converged[rows[done].cpu()] = converged[done].cpu()
            search.active &= ~done
        if not search.active.any():
            return ended
        if search.active.sum() <= 0.7 * len(rows):
            kept = search.active.nonzero()[:, 0]
            rows, scale, problems = rows[kept], scale[kept], problems.take(kept)
            search.take(kept)
    _record(ended, rows[search.active], search, search.active, scale)
    return ended


def _record(ended: Minima, rows, search: "_Search", chosen, scale) -> None:
    ended.points[rows] = search.points[chosen] * scale[chosen]
    ended.values[rows] = search.values[chosen]
    ended.gradients[rows] = search.gradients[chosen] / scale[chosen]


class _Search:
    """State of the searches, in coordinates where the metric is the identity."""

    def __init__(self, points, values, gradients):
        count, width = points.shape
        self.points, self.values, self.gradients = points, values, gradients
        self.active = torch.ones(count, dtype=torch.bool, device=points.device)
        self.memory = points.new_zeros(count, 2 * MEMORY, width)  # steps first, then gradient changes
        self.products = points.new_zeros(count, 2 * MEMORY, 2 * MEMORY, dtype=torch.float64)
        self.slot, self.age = 0, points.new_zeros(count, dtype=torch.int64)
        self.recent = values[:, None].repeat(1, 2 * WINDOW + 1)
        self.directions, self.lengths = -gradients, torch.ones_like(values)
        self.slopes = -(gradients * gradients).sum(1, dtype=torch.float64)

    def take(self, kept):
        """Keep these problems alone."""
        for name, value in vars(self).items():
            if isinstance(value, torch.Tensor):
                setattr(self, name, value[kept])

    def trial(self):
        return self.points + self.lengths[:, None].to(self.points.dtype) * self.directions

    def update(self, values, gradients):
        """Accept the trial points that descend; shorten the steps of the others."""
        noise = 4 * torch.finfo(self.points.dtype).eps * self.values.abs()
        accepted = values <= self.values + 1e-4 * self.lengths * self.slopes + noise
        if not accepted.any():
            self._shorten(values, ~accepted)
            return
        mask = accepted[:, None].to(self.points.dtype)
        step = self.directions * (self.lengths[:, None].to(self.points.dtype) * mask)
        change = torch.where(accepted[:, None], gradients - self.gradients, 0)
        self.points = self.points + step
        self.gradients = self.gradients + change
        self._shorten(values, ~accepted)
        self._remember(step, change, accepted)
        self._turn(accepted)
        moved = torch.cat([self.recent[:, 1:], values[:, None]], 1)
        self.recent = torch.where(accepted[:, None], moved, self.recent)
        self.values = torch.where(accepted, values, self.values)
        self.age = self.age + accepted

    def _shorten(self, values, failed):
        """Minimum of the parabola through both values and the slope, kept within a tenth and a half of the step."""
        excess = values - self.values - self.lengths * self.slopes
        best = -self.slopes * self.lengths / (2 * excess)
        shorter = self.lengths * torch.nan_to_num(best, nan=0.1).clamp(0.1, 0.5)
        self.lengths = torch.where(failed, shorter, self.lengths)

    def _remember(self, step, change, accepted):
        """Write the new pair over the oldest; a pair without curvature is stored as zeros and changes nothing."""
        curved = (step * change).sum(1) > 1e-10 * (change * change).sum(1)
        keep = (accepted & curved)[:, None].to(step.dtype)
        for offset, vector in ((0, step * keep), (MEMORY, change * keep)):
            self.memory[:, self.slot + offset] = vector
        for place in (self.slot, self.slot + MEMORY):
            products = self._against_memory(self.memory[:, place])
            self.products[:, :, place] = products
            self.products[:, place, :] = products
        self.slot = (self.slot + 1) % MEMORY

    def _against_memory(self, vectors):
        """Inner products (B, 2 · MEMORY); as one row times a matrix, ten times as fast as a matrix times one column."""
        return (vectors[:, None] @ self.memory.mT)[:, 0].double()

    def _turn(self, accepted):
        """New directions, by the compact form of Byrd, Nocedal & Schnabel (1994, eq. 3.1)."""
        order = [(self.slot + age) % MEMORY for age in range(MEMORY)]  # oldest first
        across = self.products[:, order][:, :, [slot + MEMORY for slot in order]]
        changes = self.products[:, [slot + MEMORY for slot in order]][:, :, [slot + MEMORY for slot in order]]
        curvature = across.diagonal(dim1=1, dim2=2)
        factor = self._initial(curvature, changes)
        upper = across.triu() + torch.diag_embed((curvature == 0).double())
        against = self._against_memory(self.gradients)[:, :, None]
        steps, differences = against[:, order], against[:, [slot + MEMORY for slot in order]]
        inner = torch.linalg.solve_triangular(upper, steps, upper=True)
        middle = torch.diag_embed(curvature) @ inner + factor * (changes @ inner) - factor * differences
        outer = torch.linalg.solve_triangular(upper.mT, middle, upper=False)
        weights = torch.zeros_like(against)
        weights[:, order], weights[:, [slot + MEMORY for slot in order]] = outer, -factor * inner
        turned = (weights.mT.to(self.memory.dtype) @ self.memory)[:, 0]
        directions = -(turned + factor[:, :, 0].to(self.memory.dtype) * self.gradients)
        self.directions = torch.where(accepted[:, None], directions, self.directions)
        slopes = (self.directions * self.gradients).sum(1, dtype=torch.float64)
        uphill = slopes >= 0
        self.directions[uphill] = -self.gradients[uphill]
        self.slopes = torch.where(uphill, -(self.gradients**2).sum(1, dtype=torch.float64), slopes)
        self.lengths = torch.where(accepted, 1.0, self.lengths)

    def _initial(self, curvature, changes):
        """Scale of the initial inverse Hessian, sᵀy / yᵀy of the newest pair that has curvature; shape (B, 1, 1)."""
        sizes = changes.diagonal(dim1=1, dim2=2)
        ranks = torch.arange(1, MEMORY + 1, device=sizes.device) * (sizes > 0)
        newest = ranks.argmax(1, keepdim=True)
        size = sizes.gather(1, newest)
        return torch.where(size > 0, curvature.gather(1, newest) / size.clamp_min(1e-300), 1.0)[:, :, None]

    def extrapolated(self):
        """Decrease still to come, were the last decreases to go on shrinking a little more slowly than they did."""
        early, late = self.recent[:, 0] - self.recent[:, WINDOW], self.recent[:, WINDOW] - self.recent[:, -1]
        geometric = late * late / (early - late).clamp_min(1e-300)
        left = SAFETY * torch.where(late < early, geometric, late).maximum(late / SAFETY)
        return torch.where(self.age < 2 * WINDOW, torch.inf, left)

"""The solver: many minima at once, each as if alone, and an honest word where there is none yet."""

import torch

from analysis.recovery import lbfgs


class Quadratics:
    """½ xᵀHx − bᵀx of several H and b, scaled so that they take different numbers of steps."""

    def __init__(self, hessians, offsets):
        self.hessians, self.offsets = hessians, offsets

    def begin(self, points):
        return *self.evaluate(points), self.hessians.diagonal(dim1=1, dim2=2)

    def evaluate(self, points):
        bent = (self.hessians @ points[:, :, None])[:, :, 0]
        return (points * (bent / 2 - self.offsets)).sum(1), bent - self.offsets

    def promise(self, gradients):
        return torch.full((len(gradients),), torch.inf, dtype=torch.float64)

    def take(self, rows):
        return Quadratics(self.hessians[rows], self.offsets[rows])


def test_solver_finds_every_minimum_of_a_batch():
    generator = torch.Generator().manual_seed(0)
    roots = torch.randn(7, 12, 12, generator=generator, dtype=torch.float64)
    hessians = roots @ roots.mT + torch.diag_embed(10.0 ** torch.arange(7).double()[:, None] / 1e3 * torch.ones(12))
    offsets = torch.randn(7, 12, generator=generator, dtype=torch.float64)
    problems = Quadratics(hessians, offsets)
    start = torch.zeros(7, 12, dtype=torch.float64)
    found = lbfgs.minimize(problems, start, tolerance=1e-12, max_iterations=2000)
    solved = torch.linalg.solve(hessians, offsets)
    assert found.converged.all()
    torch.testing.assert_close(found.values, -(offsets * solved).sum(1) / 2, rtol=1e-8, atol=1e-9)
    values, gradients = problems.evaluate(found.points)
    torch.testing.assert_close(values, found.values)
    torch.testing.assert_close(gradients, found.gradients, rtol=1e-6, atol=1e-9)


def batch():
    generator = torch.Generator().manual_seed(1)
    roots = torch.randn(5, 6, 6, generator=generator, dtype=torch.float64)
    hessians = roots @ roots.mT + torch.diag_embed(10.0 ** torch.arange(-2, 3).double()[:, None] * torch.ones(6))
    return Quadratics(hessians, torch.randn(5, 6, generator=generator, dtype=torch.float64))


def test_problems_end_where_they_would_alone():
    problems, start = batch(), torch.zeros(5, 6, dtype=torch.float64)
    together = lbfgs.minimize(problems, start, tolerance=1e-12, max_iterations=2000)
    for row in range(5):
        rows = torch.tensor([row])
        alone = lbfgs.minimize(problems.take(rows), start[rows], tolerance=1e-12, max_iterations=2000)
        torch.testing.assert_close(alone.values, together.values[rows], rtol=0, atol=2e-12)
        # A value within 1e-12 of the minimum and a curvature of at least 0.01 leave the points this much room.
        torch.testing.assert_close(alone.points, together.points[rows], rtol=0, atol=3e-5)


def test_running_out_of_iterations_is_said_and_the_start_stays_as_it_was():
    problems, start = batch(), torch.ones(5, 6, dtype=torch.float64)
    before, _ = problems.evaluate(start)
    found = lbfgs.minimize(problems, start, tolerance=1e-12, max_iterations=2)
    assert not found.converged.any()
    assert (found.values <= before).all()
    assert (start == 1).all()


def test_the_gap_that_is_stated_holds():
    problems = batch()
    found = lbfgs.minimize(problems, torch.zeros(5, 6, dtype=torch.float64), tolerance=1e-6, max_iterations=2000)
    optimum = -(problems.offsets * torch.linalg.solve(problems.hessians, problems.offsets)).sum(1) / 2
    assert found.converged.all()
    assert (found.gaps <= 1e-6).all()
    assert (found.values - optimum <= 1e-6).all()


class Overflowing(Quadratics):
    """The same, where a value far from the start is minus infinity, as one that has overflowed may be."""

    def evaluate(self, points):
        values, gradients = super().evaluate(points)
        return torch.where(points.norm(dim=1) > 2, -torch.inf, values), gradients

    def take(self, rows):
        return Overflowing(self.hessians[rows], self.offsets[rows])


def test_a_value_that_has_overflowed_is_no_descent():
    flat = torch.eye(3, dtype=torch.float64)[None] * 1e-3
    offsets = torch.tensor(
        [[1e-3, 0, 0]], dtype=torch.float64
    )  # the minimum is at distance 1, the first step goes past 2
    steep = Quadratics(flat, offsets)
    problems = Overflowing(flat, offsets)
    problems.begin = lambda points: (*steep.evaluate(points), torch.full((1, 3), 1e-4, dtype=torch.float64))
    found = lbfgs.minimize(problems, torch.zeros(1, 3, dtype=torch.float64), tolerance=1e-14, max_iterations=200)
    assert found.values.isfinite().all()
    torch.testing.assert_close(found.points, torch.tensor([[1.0, 0, 0]], dtype=torch.float64), rtol=0, atol=1e-4)

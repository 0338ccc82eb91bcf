"""The objective of many probes at once: likelihood of odd-one-out choices and penalty, gradients and curvature.

The gradient goes through S once: gather the entries of each triplet, softmax, scatter back, which merges repeated
pairs. S is symmetric, so only its upper triangle is computed, in blocks. With few triplets not even that: the rows of
their objects are enough.
"""

import numpy as np
import torch


class Batch:
    """Several fits of one set of features, padded to one shape: objects (B, m, q), members (B, 3, N).

    Members are rows of `objects`: the chosen odd one of each triplet, then the other two.
    """

    def __init__(self, objects, members, weights, regularizer, transform):
        self.objects, self.members, self.weights = objects, members, weights
        self.regularizer, self.transform = regularizer, transform
        # With shrinkage W is symmetric and positive at the optimum; searching such W only saves a sixth of the steps.
        # With ridge it is singular there, where a symmetric search gets stuck on the wrong side of 0.
        self.symmetric = transform == "full" and regularizer == "shrinkage"
        count, self.size = objects.shape[:2]
        self.sparse = members.shape[2] * 100 < self.size**2
        if self.sparse:  # few triplets: rows per triplet cost less than all of S
            starts = torch.arange(count, device=members.device)[:, None, None] * self.size
            self.index = (members + starts).transpose(0, 1).reshape(-1)
        else:
            self.index = _upper_pairs(members, self.size)
            self.square = objects.new_empty(count, self.size, self.size)

    @classmethod
    def of(cls, coordinates: torch.Tensor, datasets, regularizer: str, transform: str) -> "Batch":
        used = [used_objects([triplets], len(coordinates)) for triplets, _ in datasets]
        size, length = max(map(len, used)), max(len(choices) for _, choices in datasets)
        device = coordinates.device
        objects = coordinates.new_zeros(len(datasets), size, coordinates.shape[1])
        members = torch.zeros(len(datasets), 3, length, dtype=torch.int64, device=device)
        weights = coordinates.new_zeros(len(datasets), length)
        place = np.zeros(len(coordinates), dtype=np.int64)
        for b, (rows, (triplets, choices)) in enumerate(zip(used, datasets, strict=True)):
            place[rows] = np.arange(len(rows))
            objects[b, : len(rows)] = coordinates[torch.from_numpy(rows).to(device)]
            members[b, :, : len(choices)] = torch.from_numpy(_chosen_first(place[triplets], choices)).to(device)
            weights[b, : len(choices)] = 1 / len(choices)
        return cls(objects, members, weights, regularizer, transform)

    def take(self, rows: torch.Tensor) -> "Batch":
        return Batch(self.objects[rows], self.members[rows], self.weights[rows], self.regularizer, self.transform)

    def embed(self, core):
        return self.objects * core[:, None] if core.ndim == 2 else self.objects @ core

    def compare(self, embedded):
        """Similarities (B, 3, N) of the pairs that each odd one would leave, the chosen one's pair first.

        With them the rows (3, B, N, q) of the members, if that is how they were found: the gradient needs them again.
        """
        if self.sparse:
            rows = self.rows(embedded)
            odd, left, right = rows
            pairs = ((left, right), (odd, left), (odd, right))
            return torch.stack([torch.linalg.vecdot(one, other) for one, other in pairs], 1), rows
        for part in self.blocks():
            first = part.start
            torch.bmm(embedded[:, part], embedded[:, first:].mT, out=self.square[:, part, first:])
        return self.square.view(-1).index_select(0, self.index).view(self.members.shape), None

    def blocks(self):
        """Rows of S in four blocks: of each, only the part from the diagonal on is ever computed."""
        height = -(-self.size // 4)
        return [slice(first, first + height) for first in range(0, self.size, height)]

    def rows(self, embedded):
        return embedded.view(-1, embedded.shape[2]).index_select(0, self.index).view(3, *self.weights.shape, -1)

    def spread(self, values, rows):
        """Each member's row becomes the sum of the other two's, times the values (B, 3, N) of their pairs; then
        the rows of an object are added up: what a symmetric matrix of the values times the objects is, (B, m, q).
        """
        (odd, left, right), (first, second, third) = rows, values[..., None].unbind(1)
        sums = torch.empty_like(rows)
        torch.mul(left, second, out=sums[0]).addcmul_(right, third)
        torch.mul(right, first, out=sums[1]).addcmul_(odd, second)
        torch.mul(left, first, out=sums[2]).addcmul_(odd, third)
        into = rows.new_zeros(len(self.objects) * self.size, rows.shape[3])
        return into.index_add_(0, self.index, sums.view(-1, rows.shape[3])).view(len(self.objects), self.size, -1)

    def scatter(self, values):
        """Sums of the values (B, 3, N) over the triplets that share a pair, as upper triangles (B, m, m)."""
        return self.square.zero_().view(-1).scatter_add_(0, self.index, values.view(-1)).view_as(self.square)

    def evaluate(self, core, penalty: float):
        """Objective (B,) in float64 and its gradient in the core."""
        embedded = self.embed(core)
        logits, rows = self.compare(embedded)
        likelihood = torch.log_softmax(logits, 1)
        loss = -(likelihood[:, 0] * self.weights).sum(1, dtype=torch.float64)
        residual = likelihood.exp_()
        residual[:, 0] -= 1
        residual *= self.weights[:, None]
        value, slope = self.penalty(core)
        return loss + penalty * value, self.gradient(residual, rows, core).add_(slope, alpha=penalty)

    def gradient(self, residual, rows, core):
        """Gradient of the likelihood in the core, among symmetric cores where those suffice."""
        if self.sparse:
            pulled = self.spread(residual, rows)
            gradient = (self.objects * pulled).sum(1) if core.ndim == 2 else self.objects.mT @ pulled
        else:
            upper = self.scatter(residual)
            parts = [upper[:, part, part.start :] @ self.objects[:, part.start :] for part in self.blocks()]
            pulled = torch.cat(parts, 1)
            if core.ndim == 2:
                return 2 * core * (self.objects * pulled).sum(1)
            half = self.objects.mT @ pulled
            gradient = (half + half.mT) @ core
        return (gradient + gradient.mT) / 2 if self.symmetric else gradient

    def penalty(self, core):
        """R (B,) in float64 and its gradient."""
        if self.regularizer == "shrinkage" and self.transform == "low-rank":
            return _orthogonality(core)
        value, slope = (core * core).flatten(1).sum(1, dtype=torch.float64), 2 * core
        if self.regularizer == "shrinkage":
            diagonal = _diagonal(slope)
            trace = diagonal.sum(1, dtype=torch.float64) / 2
            value = value - trace**2 / core.shape[1]
            diagonal -= (2 * trace / core.shape[1]).to(core.dtype)[:, None]
        return value, slope

    def curvature(self, core):
        """Diagonal of the Gauss–Newton Hessian of the likelihood, without the terms between pairs of a triplet."""
        embedded = self.embed(core)
        chance = torch.softmax(self.compare(embedded)[0], 1)
        bends = chance * (1 - chance) * self.weights[:, None]
        squares = (self.objects if core.ndim == 2 else embedded) ** 2
        if self.sparse:
            pulled = self.spread(bends, self.rows(squares))
        else:
            upper = self.scatter(bends)
            pulled = (upper + upper.mT) @ squares
        if core.ndim == 2:
            return 4 * (embedded**2 * pulled).sum(1)
        bent = (self.objects**2).mT @ pulled
        return (bent + bent.mT) / 2 if self.symmetric else bent


def used_objects(tables, n_objects: int) -> np.ndarray:
    """Which of the objects appear in any of the tables of triplets, in order."""
    seen = np.zeros(n_objects, dtype=bool)
    for triplets in tables:
        seen[triplets] = True
    return np.flatnonzero(seen)


def _upper_pairs(members: torch.Tensor, size: int) -> torch.Tensor:
    """Flat indices into S (B, m, m) of the pairs (B, 3, N) left over by each possible odd one, above the diagonal."""
    odd, left, right = members.unbind(1)
    ones, others = torch.stack([left, odd, odd], 1), torch.stack([right, left, right], 1)
    pairs = torch.minimum(ones, others) * size + torch.maximum(ones, others)
    pairs += torch.arange(len(members), device=members.device)[:, None, None] * size**2
    return pairs.view(-1)


def _chosen_first(local: np.ndarray, choices: np.ndarray) -> np.ndarray:
    """Members (3, n) of the triplets, cyclically turned so that the odd one comes first."""
    rows = np.arange(len(local))
    return np.stack([local[rows, (choices + turn) % 3] for turn in range(3)])


def _orthogonality(core):
    """Squared distance of WᵀW from the nearest multiple of the identity (B,), and its gradient."""
    gram = core.mT @ core
    diagonal = gram.diagonal(dim1=1, dim2=2)
    diagonal -= diagonal.mean(1, keepdim=True)
    return (gram * gram).flatten(1).sum(1, dtype=torch.float64), 4 * core @ gram


class Objective:
    """What `minimize` sees of a batch: flat variables, one penalty for all fits, a guess at the Hessian's diagonal."""

    def __init__(self, batch: Batch, penalty: float, curvature: torch.Tensor):
        self.batch, self.penalty, self.curvature = batch, penalty, curvature

    def evaluate(self, points):
        values, gradients = self.batch.evaluate(points.view_as(self.curvature), self.penalty)
        return values, gradients.flatten(1)

    def metric(self):
        """The diagonal half trusted: its geometric mean with its maximum saves the most steps."""
        curvature = self.curvature.flatten(1)
        damped = (curvature * curvature.amax(1, keepdim=True)).sqrt() + 2 * self.penalty
        return damped.clamp_min(torch.finfo(damped.dtype).tiny ** 0.5)

    def promise(self, gradients):
        """Newton's decrement with the diagonal; shrinkage does not bend the objective along γI, so that goes apart."""
        gradients = gradients.view_as(self.curvature)
        floor = torch.finfo(gradients.dtype).tiny
        fall = (gradients**2 / (self.curvature + 2 * self.penalty).clamp_min(floor)).flatten(1).sum(1) / 2
        if self.batch.regularizer == "shrinkage":
            trace, bend = _diagonal(gradients).sum(1), _diagonal(self.curvature).sum(1)
            fall = fall + trace**2 / bend.clamp_min(floor) / 2
        return fall

    def take(self, rows):
        return Objective(self.batch.take(rows), self.penalty, self.curvature[rows])


def _diagonal(core: torch.Tensor) -> torch.Tensor:
    return core if core.ndim == 2 else core.diagonal(dim1=1, dim2=2)

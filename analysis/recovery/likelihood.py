"""The objective of many probes at once: likelihood of odd-one-out choices and penalty, gradients and curvature.

The gradient goes through S once: read the entries of each triplet, softmax, add back, which merges repeated pairs. S is
symmetric, so each pair is needed once only. With few triplets just the entries that they name are computed, with many
the upper triangle of S, in blocks.
"""

import warnings

import numpy as np
import torch

with warnings.catch_warnings():  # torch says once that compressed rows are in beta; the tests hold them against S
    warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta state")
    torch.sparse_csr_tensor([0, 1], [0], [1.0], size=(1, 1), check_invariants=False)


class _SparsePairs:
    """Pairs of objects as entries of a block-diagonal sparse matrix, one block a fit."""

    def __init__(self, order, place, columns, counts):
        self.order, self.place, self.columns, self.counts = order, place, columns, counts
        blocks = torch.arange(len(order))[:, None]
        self.into, self.out_of = ((index + blocks * index.shape[1]).view(-1) for index in (order, place))
        self.ends = torch.cat([torch.zeros(1, dtype=torch.int64), counts.view(-1).cumsum(0)])
        self.across = (columns + blocks * counts.shape[1]).view(-1)

    @classmethod
    def of(cls, ones: torch.Tensor, others: torch.Tensor, size: int) -> "_SparsePairs":
        """Each pair (B, 3, N) is an entry of its own, sorted by rows: repeated ones add up in the products anyway."""
        lines, order = ones.flatten(1).sort(1)
        counts = torch.zeros(len(ones), size, dtype=torch.int64)
        counts.scatter_add_(1, lines, torch.ones_like(lines))
        return cls(order, order.argsort(1), others.flatten(1).gather(1, order), counts)

    def take(self, rows: torch.Tensor) -> "_SparsePairs":
        return _SparsePairs(self.order[rows], self.place[rows], self.columns[rows], self.counts[rows])

    def compare(self, embedded: torch.Tensor) -> torch.Tensor:
        """Similarities (B, 3, N) of the pairs of embedded objects (B, m, q)."""
        rows = embedded.reshape(-1, embedded.shape[2])
        pattern = self._matrix(rows.new_zeros(len(self.across)), len(rows))
        found = torch.sparse.sampled_addmm(pattern, rows, rows.T, beta=0)
        return found.values().index_select(0, self.out_of).view(len(self.order), 3, -1)

    def pull(self, values: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """U times rows (B, m, q), where U + Uᵀ is the symmetric matrix with the values (B, 3, N) at their pairs."""
        matrix = self._matrix(values.view(-1).index_select(0, self.into), len(rows) * rows.shape[1])
        return torch.sparse.mm(matrix, rows.reshape(-1, rows.shape[2]), reduce="sum").view_as(rows)

    def _matrix(self, values, size):
        return torch.sparse_csr_tensor(self.ends, self.across, values, size=(size, size), check_invariants=False)


class _DensePairs:
    """Pairs of objects as entries of the upper triangle of S (B, m, m)."""

    def __init__(self, index: torch.Tensor, size: int, dtype: torch.dtype):
        self.index, self.size = index, size
        blocks = torch.arange(len(index), device=index.device)[:, None, None]
        self.across = (index + blocks * size**2).view(-1)
        self.square = torch.empty(len(index), size, size, dtype=dtype, device=index.device)

    @classmethod
    def of(cls, ones: torch.Tensor, others: torch.Tensor, size: int, dtype: torch.dtype) -> "_DensePairs":
        return cls(torch.minimum(ones, others) * size + torch.maximum(ones, others), size, dtype)

    def take(self, rows: torch.Tensor) -> "_DensePairs":
        return _DensePairs(self.index[rows], self.size, self.square.dtype)

    def compare(self, embedded: torch.Tensor) -> torch.Tensor:
        """As for sparse pairs."""
        for part in self._blocks():
            first = part.start
            torch.bmm(embedded[:, part], embedded[:, first:].mT, out=self.square[:, part, first:])
        return self.square.view(-1).index_select(0, self.across).view(self.index.shape)

    def pull(self, values: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """As for sparse pairs."""
        upper = self.square.zero_()
        upper.view(-1).scatter_add_(0, self.across, values.view(-1))
        return torch.cat([upper[:, part, part.start :] @ rows[:, part.start :] for part in self._blocks()], 1)

    def _blocks(self):
        """Rows of S in four blocks: of each, only the part from the diagonal on is ever computed."""
        height = -(-self.size // 4)
        return [slice(first, first + height) for first in range(0, self.size, height)]


def few_pairs(n_triplets: int, size: int) -> bool:
    """Whether the pairs of the triplets take less time one by one than all of S takes at once (on a CPU)."""
    return 16 * n_triplets < size**2


class Batch:
    """Several fits of one set of features, padded to one shape: objects (B, m, q), weights (B, N), pairs (B, 3, N).

    The pairs are those that each possible odd one would leave, the chosen one's first.
    """

    def __init__(self, objects, weights, pairs, regularizer, transform):
        self.objects, self.weights, self.pairs = objects, weights, pairs
        self.regularizer, self.transform = regularizer, transform
        # With shrinkage W is symmetric and positive at the optimum; searching such W only saves a sixth of the steps.
        # With ridge it is singular there, where a symmetric search gets stuck on the wrong side of 0.
        self.symmetric = transform == "full" and regularizer == "shrinkage"

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
        odd, left, right = members.unbind(1)
        ones, others = torch.stack([left, odd, odd], 1), torch.stack([right, left, right], 1)
        if device.type == "cpu" and few_pairs(length, size):
            pairs = _SparsePairs.of(ones, others, size)
        else:
            pairs = _DensePairs.of(ones, others, size, coordinates.dtype)
        return cls(objects, weights, pairs, regularizer, transform)

    def take(self, rows: torch.Tensor) -> "Batch":
        kept = (self.objects[rows], self.weights[rows], self.pairs.take(rows))
        return Batch(*kept, self.regularizer, self.transform)

    def embed(self, core):
        return self.objects * core[:, None] if core.ndim == 2 else self.objects @ core

    def compare(self, core):
        """Similarities (B, 3, N) under the core of the pairs that each odd one would leave."""
        return self.pairs.compare(self.embed(core))

    def likelihood(self, core):
        """Log-probabilities (B, 3, N) of the three choices, the one made first."""
        return torch.log_softmax(self.compare(core), 1)

    def evaluate(self, core, penalty: float, likelihood=None):
        """Objective (B,) in float64 and its gradient in the core; overwrites the likelihood, if given."""
        likelihood = self.likelihood(core) if likelihood is None else likelihood
        loss = -(likelihood[:, 0] * self.weights).sum(1, dtype=torch.float64)
        residual = likelihood.exp_()
        residual[:, 0] -= 1
        residual *= self.weights[:, None]
        value, slope = self.penalty(core)
        return loss + penalty * value, self.gradient(residual, core).add_(slope, alpha=penalty)

    def gradient(self, residual, core):
        """Gradient of the likelihood in the core, among symmetric cores where those suffice."""
        pulled = self.pairs.pull(residual, self.objects)
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

    def curvature(self, core, likelihood):
        """Diagonal of the Gauss–Newton Hessian of the likelihood without mixed terms, as if all pairs of objects were
        compared and equally uncertain; the true pairs cost more to add up and save no steps.
        """
        chance = likelihood.exp()
        bends = ((chance * (1 - chance)).sum(1) * self.weights).sum(1)
        counts = (self.objects != 0).any(2).sum(1).clamp_min(1)
        squares = (self.objects**2).sum(1) / counts[:, None]
        if core.ndim == 2:
            return 4 * bends[:, None] * (core * squares) ** 2
        embedded = squares[:, None] @ core**2  # of principal axes, whose products vanish
        bent = 2 * bends[:, None, None] * squares[:, :, None] * embedded
        return (bent + bent.mT) / 2 if self.symmetric else bent


def used_objects(tables, n_objects: int) -> np.ndarray:
    """Which of the objects appear in any of the tables of triplets, in order."""
    seen = np.zeros(n_objects, dtype=bool)
    for triplets in tables:
        seen[triplets] = True
    return np.flatnonzero(seen)


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

    def __init__(self, batch: Batch, penalty: float, shape: tuple[int, ...], curvature: torch.Tensor | None = None):
        self.batch, self.penalty, self.shape, self.curvature = batch, penalty, shape, curvature

    def begin(self, points):
        """As `evaluate`; with the metric (B, d): the curvature there, half trusted.

        Its geometric mean with its maximum saves the most steps.
        """
        core = points.view(-1, *self.shape)
        likelihood = self.batch.likelihood(core)
        self.curvature = self.batch.curvature(core, likelihood).flatten(1)
        damped = (self.curvature * self.curvature.amax(1, keepdim=True)).sqrt() + 2 * self.penalty
        values, gradients = self.batch.evaluate(core, self.penalty, likelihood)
        return values, gradients.flatten(1), damped.clamp_min(torch.finfo(damped.dtype).tiny ** 0.5)

    def evaluate(self, points):
        values, gradients = self.batch.evaluate(points.view(-1, *self.shape), self.penalty)
        return values, gradients.flatten(1)

    def promise(self, gradients):
        """Newton's decrement with the diagonal; where shrinkage does not bend the objective, the likelihood alone."""
        shrunk = self.batch.regularizer == "shrinkage"
        bends = self.curvature if shrunk and self.batch.transform == "low-rank" else self.curvature + 2 * self.penalty
        floor = torch.finfo(gradients.dtype).tiny
        fall = (gradients**2 / bends.clamp_min(floor)).sum(1) / 2
        if shrunk and self.batch.transform != "low-rank":  # along γI
            trace, bend = (_diagonal(flat.view(-1, *self.shape)).sum(1) for flat in (gradients, self.curvature))
            fall = fall + trace**2 / bend.clamp_min(floor) / 2
        return fall

    def take(self, rows):
        return Objective(self.batch.take(rows), self.penalty, self.shape, self.curvature[rows])


def _diagonal(core: torch.Tensor) -> torch.Tensor:
    return core if core.ndim == 2 else core.diagonal(dim1=1, dim2=2)

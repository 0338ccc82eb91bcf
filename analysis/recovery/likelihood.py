"""The objective of many probes at once: likelihood of odd-one-out answers and penalty, gradients and curvature.

The gradient goes through S once: read the entries of each triplet, softmax, add back, which merges repeated pairs. S is
symmetric, so each pair is needed once only. With few triplets just the entries that they name are computed, with many
the upper triangle of S, in blocks. With *all* triplets of the objects nothing is looked up at all: what the answers say
about a pair is added up once, and the normalisers are sums of rows (`_Complete`), ten times as fast.

Answers are the positions of the odd ones (n,), or shares of the three positions (n, 3): probabilities, or counts of
repeated answers.
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


class _Complete:
    r"""All triplets of m objects with an answer each: the mean of :math:`\log\sum_a e^{S_a} - \sum_a q_a S_a`.

    Its second part is linear in S, so the answers matter only through the sums of q over the triplets of each pair,
    `shares` (B, m, m). The first part and its gradient need sums of three entries of exp S, which for one object are a
    block plus a row plus a column.
    """

    def __init__(self, shares: torch.Tensor):
        self.shares = shares

    def take(self, rows: torch.Tensor) -> "_Complete":
        return _Complete(self.shares[rows])

    def evaluate(self, embedded: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean over the triplets (B,) in float64, and half its gradient in S (B, m, m)."""
        similarity = embedded @ embedded.mT
        size = similarity.shape[1]
        n_triplets = size * (size - 1) * (size - 2) / 6
        similarity.diagonal(dim1=1, dim2=2).fill_(-torch.inf)  # no triplet holds an object twice
        top = similarity.amax((1, 2))
        # One shift for all. Where a sum is below e^-745 of the largest the value is infinite: no such step is kept.
        raised = (similarity - top[:, None, None]).exp_()
        logs, inverse = raised.new_zeros(len(raised), dtype=torch.float64), torch.zeros_like(raised)
        for first in range(size - 2):
            row = raised[:, first, first + 1 :]
            sums = raised[:, first + 1 :, first + 1 :] + row[:, :, None]
            sums += row[:, None, :]
            sums.diagonal(dim1=1, dim2=2).fill_(1)
            logs += sums.log().sum((1, 2), dtype=torch.float64) / 2
            sums = sums.reciprocal_()
            sums.diagonal(dim1=1, dim2=2).zero_()
            inverse[:, first + 1 :, first + 1 :] += sums
            inverse[:, first, first + 1 :] += sums.sum(2)
        inverse = inverse.triu_(1)
        half = raised * (inverse + inverse.mT) / (2 * n_triplets) - self.shares
        similarity.diagonal(dim1=1, dim2=2).zero_()
        linear = (self.shares * similarity).sum((1, 2), dtype=torch.float64)
        return logs / n_triplets + top - linear, half


def few_pairs(n_triplets: int, size: int) -> bool:
    """Whether the pairs of the triplets take less time one by one than all of S takes at once (on a CPU).

    A pair alone costs a lookup on both ways and a dot product of its own; in a matrix product it costs about a
    sixteenth of that (measured for 20 to 200 units).
    """
    return 16 * n_triplets < size**2


class Batch:
    """Several fits of one set of features, padded to one shape: objects (B, m, q), weights (B, N), pairs (B, 3, N).

    The pairs are those that each possible odd one would leave. Weights are each triplet's share in the mean. With
    `targets` (B, 3, N), which sum to the weights, all three positions are answers; without, the first pair is the
    chosen one's. If `complete`, the objective is taken over all triplets, and the others stand for them where an
    estimate will do: the first scale and the curvature.
    """

    def __init__(self, objects, weights, targets, pairs, regularizer, transform, complete=None):
        self.objects, self.weights, self.targets, self.pairs = objects, weights, targets, pairs
        self.regularizer, self.transform, self.complete = regularizer, transform, complete
        # With shrinkage W is symmetric and positive at the optimum; searching such W only saves a sixth of the steps.
        # With ridge it is singular there, where a symmetric search gets stuck on the wrong side of 0.
        self.symmetric = transform == "full" and regularizer == "shrinkage"

    @classmethod
    def of(cls, coordinates: torch.Tensor, datasets, regularizer: str, transform: str) -> "Batch":
        used = [used_objects([triplets], len(coordinates)) for triplets, _ in datasets]
        complete = _complete(datasets, used, coordinates)
        if complete:
            datasets = [_thinned(*data) for data in datasets]
        size, length = max(map(len, used)), max(len(answers) for _, answers in datasets)
        soft = any(answers.ndim == 2 for _, answers in datasets)
        objects = coordinates.new_zeros(len(datasets), size, coordinates.shape[1])
        members = torch.zeros(len(datasets), 3, length, dtype=torch.int64)
        weights = coordinates.new_zeros(len(datasets), length)
        targets = coordinates.new_zeros(len(datasets), 3, length) if soft else None
        place = np.zeros(len(coordinates), dtype=np.int64)
        for b, (rows, (triplets, answers)) in enumerate(zip(used, datasets, strict=True)):
            place[rows] = np.arange(len(rows))
            objects[b, : len(rows)] = coordinates[torch.from_numpy(rows).to(coordinates.device)]
            local = place[triplets]
            if soft:
                shares = torch.from_numpy(
                    _shares(answers)[:, [0, 2, 1]].T
                )  # the last is odd where the first two remain
                targets[b, :, : len(answers)], weights[b, : len(answers)] = shares, shares.sum(0)
            else:
                local, weights[b, : len(answers)] = _chosen_first(local, answers), 1 / len(answers)
            members[b, :, : len(answers)] = torch.from_numpy(local.T)
        odd, left, right = members.to(coordinates.device).unbind(1)
        ones, others = torch.stack([left, odd, odd], 1), torch.stack([right, left, right], 1)
        if coordinates.device.type == "cpu" and few_pairs(length, size):
            pairs = _SparsePairs.of(ones, others, size)
        else:
            pairs = _DensePairs.of(ones, others, size, coordinates.dtype)
        return cls(objects, weights, targets, pairs, regularizer, transform, complete)

    def take(self, rows: torch.Tensor) -> "Batch":
        targets = None if self.targets is None else self.targets[rows]
        kept = (self.objects[rows], self.weights[rows], targets, self.pairs.take(rows))
        return Batch(*kept, self.regularizer, self.transform, self.complete and self.complete.take(rows))

    def embed(self, core):
        return self.objects * core[:, None] if core.ndim == 2 else self.objects @ core

    def compare(self, core):
        """Similarities (B, 3, N) under the core of the pairs that each odd one would leave."""
        return self.pairs.compare(self.embed(core))

    def likelihood(self, core):
        """Log-probabilities (B, 3, N) of the three choices, the one made first."""
        return torch.log_softmax(self.compare(core), 1)

    def answered(self, values):
        """Values (B, 3, N) of the positions averaged over the answers to each triplet (B, N)."""
        if self.targets is None:
            return values[:, 0]
        return (values * self.targets).sum(1) / self.weights.clamp_min(torch.finfo(values.dtype).tiny)

    def evaluate(self, core, penalty: float, likelihood=None):
        """Objective (B,) in float64 and its gradient in the core; overwrites the likelihood, if given."""
        loss, pulled = self._loss(core, likelihood)
        value, slope = self.penalty(core)
        return loss + penalty * value, self.gradient(pulled, core).add_(slope, alpha=penalty)

    def _loss(self, core, likelihood):
        """Negative log-likelihood (B,), and half its gradient in S times the objects (B, m, q)."""
        if self.complete:
            loss, half = self.complete.evaluate(self.embed(core))
            return loss, half @ self.objects
        likelihood = self.likelihood(core) if likelihood is None else likelihood
        loss = -(self.answered(likelihood) * self.weights).sum(1, dtype=torch.float64)
        residual = likelihood.exp_()
        if self.targets is None:
            residual[:, 0] -= 1
        residual *= self.weights[:, None]
        if self.targets is not None:
            residual -= self.targets
        return loss, self.pairs.pull(residual, self.objects)

    def gradient(self, pulled, core):
        """Gradient of the likelihood in the core, among symmetric cores where those suffice."""
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
    """The triplets (n, 3), cyclically turned so that the odd one comes first."""
    return np.take_along_axis(local, (choices[:, None] + np.arange(3)) % 3, axis=1)


def _shares(answers: np.ndarray) -> np.ndarray:
    """Answers as shares (n, 3) of the whole, which sum to 1."""
    table = np.eye(3)[answers] if answers.ndim == 1 else answers
    return table / table.sum()


SKETCH = 10_000  # triplets that stand for all of them in estimates


def _complete(datasets, used: list[np.ndarray], coordinates: torch.Tensor) -> "_Complete | None":
    """All triplets of the objects, if every data set has just these, with equal weights and no answer that is sure."""
    triplets, size = datasets[0][0], len(used[0])
    whole = len(triplets) == size * (size - 1) * (size - 2) // 6 > SKETCH
    if not whole or any(data[0] is not triplets or data[1].ndim != 2 for data in datasets):
        return None
    local = np.searchsorted(used[0], triplets)
    ordered = np.sort(local, axis=1) @ [size * size, size, 1]
    weights = [answers.sum(1) for _, answers in datasets]
    even = all(np.allclose(weight, weight[0], rtol=1e-9, atol=0) for weight in weights)
    if not even or len(np.unique(ordered)) < len(ordered) or any((answers <= 0).any() for _, answers in datasets):
        return None
    left = np.stack([local[:, a] * size + local[:, b] for a, b in ((1, 2), (0, 2), (0, 1))], 1).ravel()
    pairs = [np.bincount(left, _shares(answers).ravel(), size**2).reshape(size, size) for _, answers in datasets]
    shares = torch.from_numpy(np.stack(pairs)).to(coordinates)
    return _Complete((shares + shares.mT) / 2)


def _thinned(triplets: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Evenly spaced ones of the triplets, so many that they can stand for all."""
    rows = np.linspace(0, len(triplets) - 1, SKETCH).round().astype(np.int64)
    return triplets[rows], answers[rows]


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

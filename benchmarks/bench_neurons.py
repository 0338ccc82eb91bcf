"""Neuronal correlation of 20,000 × 20,000 units over 1,000 stimuli, as multiples of its one matrix product.

    python benchmarks/bench_neurons.py [--units 20000] [--stimuli 1000] [--layers 10] [--rounds 5] [--device cpu]

Beside it: the product in blocks, output discarded (the lower bound of any method that looks at every pair); full
correlation matrices, as one would write them in PyTorch; the double loop over pairs, extrapolated from a few of them.
All in one run, in turns, on two threads. Where other programs share the machine, OMP_WAIT_POLICY=passive keeps waiting
threads out of the processor time, whose ratio is then the one to trust.
"""

import argparse
import resource
import time
from functools import partial

import numpy as np
import torch

from analysis.measures.neurons import neuronal_correlation

LOOP_PAIRS = 2000


def product(source, target, rows=2048, columns=2048):
    """The matrix product alone, in blocks that are thrown away."""
    for first in range(0, target.shape[1], columns):
        block = target[:, first : first + columns]
        for start in range(0, source.shape[1], rows):
            torch.mm(source[:, start : start + rows].T, block)


def full_matrices(source, target, source_layer, target_layer):
    """All correlations at once, then all penalties, then the maximum."""
    a, b = source - source.mean(0), target - target.mean(0)
    match = ((a / a.norm(dim=0)).T @ (b / b.norm(dim=0))).abs_()
    match /= (source_layer.float()[:, None] - target_layer.float()).abs_().add_(1)
    best, partner = match.max(dim=1)
    return float(best.mean()), partner


def loop(source, target, source_layer, target_layer, n_pairs=LOOP_PAIRS):
    """The definition, pair by pair, for the first pairs of the first unit."""
    return max(
        abs(np.corrcoef(source[:, 0], target[:, j])[0, 1]) / (1 + abs(int(source_layer[0]) - int(target_layer[j])))
        for j in range(n_pairs)
    )


def seconds(call, device):
    """Wall-clock seconds, and processor seconds, which other programs on the machine disturb less."""
    wall, processor = time.perf_counter(), time.process_time()
    call()
    if device != "cpu":
        torch.cuda.synchronize()
    return np.array([time.perf_counter() - wall, time.process_time() - processor])


def peak_gigabytes(device):
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("units", 20_000), ("stimuli", 1000), ("layers", 10), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(2)

    generator = torch.Generator().manual_seed(0)
    shape = (options.stimuli, options.units)
    source, target = (torch.randn(shape, generator=generator).to(options.device) for _ in range(2))
    layer = torch.arange(options.units, device=options.device) * options.layers // options.units
    calls = {
        "matrix product in blocks": partial(product, source, target),
        "neuronal_correlation": partial(neuronal_correlation, source, target, source_layer=layer, target_layer=layer),
        "full matrices": partial(full_matrices, source, target, layer, layer),
    }

    # Peak memory only ever grows, so the leanest call is measured first.
    for name, call in calls.items():
        before = peak_gigabytes(options.device)
        call()
        print(f"{name}: {peak_gigabytes(options.device) - before:.2f} GB more than before at the peak")

    times = {name: [] for name in calls}
    for _ in range(options.rounds):
        for name, call in calls.items():
            times[name].append(seconds(call, options.device))
    floor = np.array(times["matrix product in blocks"])
    for name, taken in times.items():
        wall, processor = np.median(np.array(taken) / floor, axis=0)
        print(
            f"{name}: {np.median(taken, axis=0)[0]:.2f} s, {wall:.2f} × the product ({processor:.2f} × processor time)"
        )

    n_pairs = min(LOOP_PAIRS, options.units)
    arrays = [value.cpu().numpy() for value in (source, target, layer, layer)]
    total = seconds(partial(loop, *arrays, n_pairs), "cpu")[0] / n_pairs * options.units**2
    print(f"double loop: {total / 3600:.1f} h, {total / np.median(floor[:, 0]):.0f} × the product (extrapolated)")


if __name__ == "__main__":
    main()

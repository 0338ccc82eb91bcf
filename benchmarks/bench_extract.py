"""Extraction to disk against a bare forward loop over tensors that are ready, in one run.

    python benchmarks/bench_extract.py [--images 2000] [--repeats 3]

Ours reads and prepares pictures, runs the hooks, pools and writes; the bare loop only calls the network.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from analysis.data.pictures import Pictures, open_pictures
from analysis.models.extraction import Options, extract_model
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model

MODELS = "cifar10:resnet20_untrained,cifar10:resnet56_untrained"


def npz_of_random_pictures(n: int, folder: str) -> Pictures:
    x = np.random.default_rng(0).integers(256, size=(n, 32, 32, 3), dtype=np.uint8)
    np.savez(f"{folder}/pictures.npz", x=x)
    return open_pictures(f"{folder}/pictures.npz")


def bare(entry, pictures: Pictures, batch_size: int) -> float:
    model = load_model(entry)
    x = model.prepare(pictures.read(slice(None)))
    started = time.perf_counter()
    with torch.inference_mode():
        for batch in x.split(batch_size):
            model.module(batch)
    return len(x) / (time.perf_counter() - started)


def ours(entry, pictures: Pictures, batch_size: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        return extract_model(entry, pictures, Path(folder), Options(batch_size=batch_size), "random")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(npz_of_random_pictures(options.images, folder), options.repeats)


def compare(pictures: Pictures, repeats: int) -> None:
    for entry in read_lineup(MODELS):
        pairs = [(bare(entry, pictures, 64), ours(entry, pictures, 64)) for _ in range(repeats)]
        alone, extracted = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"{entry.name:24} bare {alone:6.0f} images/s   extract {extracted:6.0f} images/s   ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

"""CKA and RSA of 200 models × 1,000 stimuli × 768 units, as multiples of CKA's own matrix products.

    python benchmarks/bench_similarity.py [--models 200] [--stimuli 1000] [--units 768] [--rounds 5] [--threads 2]
                                          [--device cpu]

The yardstick multiplies without centring or normalising: one Gram matrix a model, then one product of all of them. For
RSA also rsatoolbox, if it is installed, on a tenth of the models: it compares in pairs, so the ratio is a lower bound.
"""

import argparse
import resource
import time
from statistics import median

import numpy as np
import torch

from analysis.measures.cka import cka_matrix
from analysis.measures.rsa import rsa_matrix


def products(features, grams):
    """One Gram matrix a model and the product of all, into memory that is there already."""
    for x, gram in zip(features, grams, strict=True):
        torch.mm(x, x.T, out=gram)
    flat = grams.flatten(1)
    return flat @ flat.T


def seconds(call, device):
    start = time.perf_counter()
    call()
    if device != "cpu":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def peak_megabytes(device):
    if device != "cpu":
        return torch.cuda.max_memory_allocated() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def textbook(x, y):
    k, m = ((z - z.mean(0)) @ (z - z.mean(0)).T for z in (x.double(), y.double()))
    return float((k * m).sum() / k.norm() / m.norm())


def against_rsatoolbox(features, device):
    try:
        from rsatoolbox.data import Dataset
        from rsatoolbox.rdm import calc_rdm, compare, concat
    except ImportError:
        return
    arrays = [x.cpu().numpy().astype(np.float64) for x in features]

    def theirs():
        rdms = concat([calc_rdm(Dataset(x), method="correlation") for x in arrays])
        return compare(rdms, rdms, method="spearman")

    difference = np.abs(theirs() - rsa_matrix(features)).max()
    ratio = seconds(theirs, device) / seconds(lambda: rsa_matrix(features), device)
    print(f"rsatoolbox, {len(features)} models: {ratio:.1f}× our time; largest difference {difference:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("models", 200), ("stimuli", 1000), ("units", 768), ("rounds", 5), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    generator = torch.Generator().manual_seed(0)
    latent = torch.randn(options.stimuli, 50, generator=generator)
    features = [
        torch.relu(latent @ torch.randn(50, options.units, generator=generator)).to(options.device)
        for _ in range(options.models)
    ]
    calls = {
        "cka_matrix": lambda: cka_matrix(features),
        "cka_matrix, debiased": lambda: cka_matrix(features, debiased=True),
        "rsa_matrix": lambda: rsa_matrix(features),
    }
    cka_matrix(features[:2])
    before = peak_megabytes(options.device)
    similarity = cka_matrix(features)
    peak, size = peak_megabytes(options.device) - before, sum(x.nbytes for x in features) / 2**20
    print(f"cka_matrix: peak memory beyond the {size:.0f} MB of features: {peak:.0f} MB")
    pairs = [(0, k) for k in range(1, min(10, len(features)))]
    error = max(abs(similarity[pair] - textbook(features[pair[0]], features[pair[1]])) for pair in pairs)
    print(f"cka_matrix: largest difference from the float64 textbook in {len(pairs)} pairs: {error:.1e}")

    grams = torch.empty(options.models, options.stimuli, options.stimuli, device=options.device)
    yardstick = lambda: products(features, grams)  # noqa: E731
    seconds(yardstick, options.device)
    times = {name: [] for name in ("yardstick", *calls)}
    for _ in range(options.rounds):
        for name, call in {"yardstick": yardstick, **calls}.items():
            times[name].append(seconds(call, options.device))
    print(f"Gram products and one product: {median(times['yardstick']):.2f} s")
    for name in calls:
        ratios = sorted(a / b for a, b in zip(times[name], times["yardstick"], strict=True))
        print(f"{name:21} {median(times[name]):6.2f} s   {median(ratios):.2f}× ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    against_rsatoolbox(features[: max(2, options.models // 10)], options.device)


if __name__ == "__main__":
    main()

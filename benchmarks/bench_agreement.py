"""Fleiss' kappa of 1,355 models × 50,000 stimuli × 1,000 categories against statsmodels, in turns, in one run.

    python benchmarks/bench_agreement.py [--models 1355] [--stimuli 50000] [--categories 1000] [--rounds 5]

statsmodels twice: told the number of categories, and left to find the categories itself (its default; one round).
Then bootstrap intervals (1,000 resamples) against counting a resample anew, extrapolated from a few resamples.
"""

import argparse
import resource
import time
from statistics import median

import numpy as np
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as statsmodels_kappa

from analysis.measures.agreement import agreement_from_predictions
from analysis.measures.kappa_bootstrap import bootstrap_kappa

RECOUNTED = 3


def draw_predictions(n_models, n_stimuli, n_categories, seed=0):
    """Models of 60 to 90 % accuracy whose other answers are guesses."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(n_categories, size=n_stimuli, dtype=np.int16)
    predictions = rng.integers(n_categories, size=(n_models, n_stimuli), dtype=np.int16)
    for row in predictions:
        right = rng.random(n_stimuli) < rng.uniform(0.6, 0.9)
        row[right] = truth[right]
    return predictions


def timed(call, *arguments, **options):
    start = time.perf_counter()
    result = call(*arguments, **options)
    return time.perf_counter() - start, result


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def told(predictions, n_categories):
    return statsmodels_kappa(aggregate_raters(predictions.T, n_categories)[0])


def default(predictions):
    return statsmodels_kappa(aggregate_raters(predictions.T)[0])


def compare_with_statsmodels(predictions, n_categories, rounds):
    before = peak_megabytes()
    agreement_from_predictions(predictions, n_categories)
    print(f"peak memory beyond the {predictions.nbytes / 1e6:.0f} MB of input: {peak_megabytes() - before:.0f} MB")
    ours, theirs = [], []
    for _ in range(rounds):
        seconds, agreement = timed(agreement_from_predictions, predictions, n_categories)
        ours.append(seconds)
        seconds, kappa = timed(told, predictions, n_categories)
        theirs.append(seconds)
    unaided, _ = timed(default, predictions)
    ratios = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    spread = f"({ratios[0]:.1f} to {ratios[-1]:.1f})"
    print(f"agreement_from_predictions {median(ours):6.2f} s   kappa differs by {abs(agreement.kappa - kappa):.1e}")
    print(f"statsmodels, n_cat given   {median(theirs):6.2f} s   {median(ratios):.1f}× {spread}")
    print(f"statsmodels, default       {unaided:6.2f} s   {unaided / median(ours):.1f}×")


def recount(predictions, n_categories, over, n_resamples):
    rng, axis = np.random.default_rng(0), int(over == "stimuli")
    for _ in range(n_resamples):
        drawn = rng.integers(predictions.shape[axis], size=predictions.shape[axis])
        agreement_from_predictions(predictions.take(drawn, axis), n_categories)


def compare_bootstraps(predictions, n_categories, over, n_resamples=1000):
    ours, _ = timed(bootstrap_kappa, predictions, n_categories, over=over, n_resamples=n_resamples)
    theirs, _ = timed(recount, predictions, n_categories, over, RECOUNTED)
    theirs *= n_resamples / RECOUNTED
    size = " × ".join(map(str, (*predictions.shape, n_categories)))
    print(f"bootstrap over {over:7} of {size}: {ours:.2f} s, counting anew {theirs:.1f} s, {theirs / ours:.1f}×")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("models", 1355), ("stimuli", 50_000), ("categories", 1000), ("rounds", 5)):
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    predictions = draw_predictions(options.models, options.stimuli, options.categories)
    compare_with_statsmodels(predictions, options.categories, options.rounds)
    compare_bootstraps(predictions, options.categories, "stimuli")
    for n_models, n_stimuli, n_categories in ((14, 50_000, 1000), (24, 1797, 10)):
        predictions = draw_predictions(n_models, n_stimuli, n_categories)
        for over in ("stimuli", "models"):
            compare_bootstraps(predictions, n_categories, over)


if __name__ == "__main__":
    main()

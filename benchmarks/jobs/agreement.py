"""Fleiss' kappa, the agreement on every stimulus, and kappa's bootstrap."""

import numpy as np

from analysis.measures.agreement import agreement_from_predictions
from analysis.measures.kappa_bootstrap import bootstrap_kappa
from benchmarks.harness import LIMIT, Aim, Job, Way

N_RESAMPLES = 1000
RECOUNTED = 2


def prepare(models: int, stimuli: int, categories: int):
    """Answers of models that are right on 60 to 90 % of the stimuli and guess otherwise."""
    rng = np.random.default_rng(0)
    truth = rng.integers(categories, size=stimuli, dtype=np.int16)
    predictions = rng.integers(categories, size=(models, stimuli), dtype=np.int16)
    for row in predictions:
        right = rng.random(stimuli) < rng.uniform(0.6, 0.9)
        row[right] = truth[right]
    return predictions, categories


def ours(data):
    return agreement_from_predictions(*data).kappa


def one_read(data):
    """Every answer is looked at once."""
    data[0].max()


def statsmodels_told(data):
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    predictions, categories = data
    return fleiss_kappa(aggregate_raters(predictions.T, categories)[0])


def statsmodels_default(data):
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    return fleiss_kappa(aggregate_raters(data[0].T)[0])


def torchmetrics_counts(data):
    """It takes counts: one model after the other is added to the table."""
    import torch
    from torchmetrics.functional.nominal import fleiss_kappa

    predictions, categories = data
    counts = torch.zeros(predictions.shape[1], categories, dtype=torch.int64)
    one = torch.ones(predictions.shape[1], 1, dtype=torch.int64)
    for row in predictions:
        counts.scatter_add_(1, torch.from_numpy(row).long()[:, None], one)
    return float(fleiss_kappa(counts, mode="counts"))


def resampled(data):
    bootstrap_kappa(*data, over="stimuli", n_resamples=N_RESAMPLES)


def recounted(data):
    """Every resample is counted anew; some of them."""
    predictions, categories = data
    rng = np.random.default_rng(0)
    for _ in range(RECOUNTED):
        drawn = rng.integers(predictions.shape[1], size=predictions.shape[1])
        agreement_from_predictions(predictions[:, drawn], categories)


def some_resamples(**_) -> float:
    return RECOUNTED / N_RESAMPLES


TINY = {"models": 5, "stimuli": 30, "categories": 4}
JOBS = [
    Job(
        name="kappa",
        title="Fleiss' κ and the agreement on every stimulus",
        says="{models:,} models, {stimuli:,} stimuli, {categories:,} categories",
        prepare=prepare,
        ways=(
            Way("agreement_from_predictions", ours),
            Way("one read of the answers", one_read, LIMIT),
            Way("statsmodels, n_cat given", statsmodels_told, needs="statsmodels"),
            Way("statsmodels, default", statsmodels_default, needs="statsmodels", once=True),
            Way("torchmetrics, counts added up", torchmetrics_counts, needs="torchmetrics", once=True),
        ),
        sizes=tuple({"models": 1355, "stimuli": n, "categories": 1000} for n in (6250, 12_500, 25_000, 50_000)),
        tiny=TINY,
        grows="stimuli",
        aims=(
            Aim("times faster", 20, "statsmodels, n_cat given"),
            Aim("times faster", 20, "torchmetrics, counts added up"),
        ),
    ),
    Job(
        name="kappa_bootstrap",
        title="Bootstrap of κ over stimuli, 1,000 resamples",
        says="{models:,} models, {stimuli:,} stimuli, {categories:,} categories",
        prepare=prepare,
        ways=(
            Way("bootstrap_kappa", resampled),
            Way("counting anew", recounted, part=some_resamples, once=True),
        ),
        sizes=tuple({"models": 14, "stimuli": n, "categories": 1000} for n in (6250, 12_500, 25_000, 50_000)),
        tiny=TINY,
        grows="stimuli",
    ),
]

"""Numbers printed in the paper (arXiv 2407.07530), as the book compares itself with them."""

N_MODELS, N_METRICS = 80, 69
"""Models and metrics behind the paper's overall scores; which ones they are is not public."""

N_HEATMAP_MODELS = 42
"""Models that have every metric of the paper's heatmap, human feature alignment and odd-one-out similarity included."""

MEAN_RHO = 0.198
"""Mean pairwise Spearman correlation, 80 models × 69 metrics."""

MEAN_RHO_HEATMAP = {"42 models of the heatmap": 0.21, "the heatmap's metrics on 80 models": 0.17}
"""The same for the set of the heatmap."""

EXPLAINED = {"behaviour": 0.9525, "neural": 0.3333}
"""Share of the variance of the overall score, squared Pearson correlation with the average of each part."""

RHO_MEAN_RANK, RHO_MEAN_Z = 0.47, 0.92
"""Spearman correlation of the ranking by arithmetic mean with those by mean rank and by mean z-score."""

MANY_PLACES = 10
"""A model that moves by more places than this is marked."""

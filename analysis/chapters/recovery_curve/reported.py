"""Numbers reported in the paper (arXiv 2510.23321), as the book compares itself with them."""

RECOVERY = {1_000: 0.05, 10_000: 0.15, 100_000: 0.45, 1_000_000: 0.70}
"""Recovery accuracy by number of training triplets, 20 networks, as read from the text and its figure."""

LARGEST = (4_200_000, 0.80)
"""The largest number of training triplets, and what recovery stays below there."""

TRAINING_OBJECTS = 865
"""Objects that the training triplets of one fold are drawn from, of 1,854."""

N_MODELS = 20
"""Candidates of the paper's main experiment; chance is 1/20."""

CEILING = 0.678
"""Noise ceiling of the human answers, to which the simulated ones are calibrated."""

WITHIN = {"training": 0.737, "family": 0.703}
"""Recovery accuracy among candidates that share a training objective, or a class of architectures."""

MORE_CANDIDATES = (30, 0.70)
"""A larger set of candidates, and the recovery accuracy with it."""

BETAS = {"candidate's shift": 0.495, "generator's shift": -0.251, "generator's dimensionality": -0.455}
"""Regression of (own accuracy − candidate's accuracy) on standardised properties."""

RANKED_BEYOND_TWO = 4
"""Models, of 20, whose mean rank for their own answers is above 2."""

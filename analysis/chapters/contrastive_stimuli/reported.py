"""Numbers of the paper (Cheung et al. 2024), as the book compares itself with them. Its figures print no values."""

N_MODELS = 1355
"""Models whose answers the paper compares."""

N_CONTRASTIVE = 1000
"""Contrastive stimuli: those of lowest agreement among all models."""

N_COMPARED = 200
"""Networks in the CKA matrices, half of them convolutional, half with attention."""

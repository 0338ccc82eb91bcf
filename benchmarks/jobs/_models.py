"""Representations of many models that share what drives them."""

import numpy as np


def representations(models: int, stimuli: int, units: int) -> list[np.ndarray]:
    """Rectified random projections of 50 latent dimensions, float32."""
    rng = np.random.default_rng(0)
    latent = rng.standard_normal((stimuli, 50), dtype=np.float32)
    return [np.maximum(latent @ rng.standard_normal((50, units), dtype=np.float32), 0) for _ in range(models)]

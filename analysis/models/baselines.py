"""What any comparison of networks should be held against: representations of pictures that need no network."""

import torch

from analysis.models.activations import Activations

PIXELS, INK = "raw pixels", "total ink"


def baselines(x: torch.Tensor) -> dict[str, Activations]:
    """Two "networks" of one layer that see nothing but the input: every pixel a unit, and their sum the only unit.

    Parameters
    ----------
    x : tensor of shape (n_stimuli, ...)
        Images.

    Returns
    -------
    dict
        `PIXELS` and `INK`: activations of shape (n_stimuli, n_pixels) and (n_stimuli, 1).

    Examples
    --------
    >>> {name: tuple(seen.values.shape) for name, seen in baselines(torch.rand(5, 1, 8, 8)).items()}
    {'raw pixels': (5, 64), 'total ink': (5, 1)}
    """
    pixels = x.flatten(1).float()
    features = {PIXELS: pixels, INK: pixels.double().sum(1, keepdim=True).float()}
    return {
        name: Activations(values, torch.zeros(values.shape[1], dtype=torch.int64), (name,))
        for name, values in features.items()
    }

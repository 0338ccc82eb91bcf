"""Features on one scale, so that one strength of penalty means the same for all models."""

import numpy as np


def normalised(table: np.ndarray) -> np.ndarray:
    """Features with every unit centred, and all divided by one number, so that the mean squared length is 1.

    Neither step changes the geometry.

    Parameters
    ----------
    table : array of shape (n_objects, n_units)

    Returns
    -------
    numpy.ndarray
        float32, of the same shape.

    Raises
    ------
    ValueError
        If all objects have the same features.

    Examples
    --------
    >>> normalised(np.array([[0.0], [2.0]])).tolist()
    [[-1.0], [1.0]]
    """
    centred = np.asarray(table, np.float64) - np.mean(table, axis=0, dtype=np.float64)
    length = np.sqrt((centred**2).sum(axis=1).mean())
    if not length > 0:
        raise ValueError("'features' must differ between objects, got equal rows.")
    return (centred / length).astype(np.float32)

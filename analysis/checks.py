"""Checks of what callers hand in: every error names the argument, the rule and the value."""

import numpy as np
import torch

ArrayLike = np.ndarray | torch.Tensor


def as_features(value: ArrayLike, name: str, *, min_stimuli: int = 1, device: str | torch.device | None = None):
    """Features as a finite floating tensor of shape ``(n_stimuli, n_units)``; float64 stays, all else becomes float32.

    Raises
    ------
    ValueError
        If the array does not hold real numbers, is not two-dimensional, has no unit, has fewer than `min_stimuli`
        rows, or holds NaN or infinity.
    """
    try:
        writable = value if isinstance(value, torch.Tensor) else np.require(value, requirements="W")
        tensor = torch.as_tensor(writable, device=device)
    except TypeError as error:  # texts or objects
        raise ValueError(f"'{name}' must be an array of numbers, got {type(value).__name__} ({error}).") from None
    if tensor.is_complex():
        raise ValueError(f"'{name}' must be real, got {tensor.dtype}.")
    if tensor.dtype != torch.float64:
        tensor = tensor.to(torch.float32)
    if tensor.ndim != 2:
        raise ValueError(f"'{name}' must have shape (n_stimuli, n_units), got {tuple(tensor.shape)}.")
    if tensor.shape[1] == 0:
        raise ValueError(f"'{name}' must have at least 1 unit, got shape {tuple(tensor.shape)}.")
    if tensor.shape[0] < min_stimuli:
        raise ValueError(f"'{name}' must have at least {min_stimuli} stimuli, got {tensor.shape[0]}.")
    if not torch.isfinite(tensor).all():
        count = int((~torch.isfinite(tensor)).sum())
        raise ValueError(f"'{name}' must be finite, got {count} NaN or infinite entries.")
    return tensor


def as_integers(value, name: str, *, shape: tuple[int | None, ...]) -> np.ndarray:
    """An int64 array of the given shape (None: any size), or a ValueError that names the argument."""
    array = value.detach().cpu().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(f"'{name}' must hold integers, got {array.dtype}.")
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"'{name}' must have shape ({wanted}), got {array.shape}.")
    return array.astype(np.int64)


def choose(value, name: str, choices):
    """`value` if it is one of `choices`, else a ValueError that lists them."""
    if value not in choices:
        raise ValueError(f"'{name}' must be one of {', '.join(map(repr, choices))}, got {value!r}.")
    return value


def as_count(value, name: str, minimum: int = 1) -> int:
    """`value` if it is an integer of at least `minimum`, else a ValueError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ValueError(f"'{name}' must be an integer of at least {minimum}, got {value!r}.")
    return int(value)


def as_share(value, name: str) -> float:
    """`value` if it lies between 0 and 1, both excluded, else a ValueError that names the argument."""
    if not 0 < value < 1:
        raise ValueError(f"'{name}' must lie between 0 and 1, got {value!r}.")
    return float(value)

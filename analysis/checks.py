"""Checks of what callers hand in: every error names the argument, the rule and the value.

What cannot be taken as it is, is refused and never trimmed in silence: masks, imaginary parts, empty places of sparse
arrays. PyTorch is loaded by what needs it, so that commands which compute nothing start at once.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, Union

import numpy as np

if TYPE_CHECKING:
    import torch

ArrayLike = Union[np.ndarray, "torch.Tensor", Sequence]

_EXACT_FLOAT32, _EXACT_FLOAT64 = 2**24, 2**53  # integers up to here are told apart
_LARGEST = 1e300  # differences of two such numbers, and sums of some millions, are still finite


def as_array(value: Any, name: str) -> np.ndarray:
    """Real numbers or booleans as a NumPy array in the machine's byte order, of any shape; may share memory.

    Raises
    ------
    ValueError
        If the value is masked, sparse, complex, holds no data (meta tensors), or no numbers.
    """
    _refuse_what_hides_numbers(value, name)
    if _is_tensor(value):
        value = value.detach().cpu()
        value = (value.float() if value.is_floating_point() and value.element_size() < 4 else value).numpy()
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different length
        raise ValueError(f"'{name}' must be an array of numbers, got {type(value).__name__} ({error}).") from None
    if array.dtype.kind == "c":
        raise ValueError(f"'{name}' must be real, got {array.dtype}.")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"'{name}' must be an array of numbers, got {type(value).__name__} of {array.dtype}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def as_floats(value: Any, name: str, *, shape: tuple[int | None, ...] | None = None) -> np.ndarray:
    """A float64 array, on request of the given shape (None: any size); NaN may stand in it. Errors as `as_array`."""
    array = as_array(value, name).astype(np.float64)
    if shape is not None:
        _check_shape(array, name, shape)
    return array


def as_integers(value: Any, name: str, *, shape: tuple[int | None, ...]) -> np.ndarray:
    """An int64 array of the given shape (None: any size), or a ValueError that names the argument."""
    array = as_array(value, name)
    if array.dtype.kind not in "iu" and array.size:
        raise ValueError(f"'{name}' must hold integers, got {array.dtype}.")
    _check_shape(array, name, shape)
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"'{name}' must be below 2**63, got {array.max()}.")
    return array.astype(np.int64)


def as_features(
    value: Any, name: str, *, min_stimuli: int = 1, device: "str | torch.device | None" = None
) -> "torch.Tensor":
    """Features as a finite, detached floating tensor of shape ``(n_stimuli, n_units)``.

    float64 stays, and integers beyond 2**24 become float64; all else becomes float32.

    Raises
    ------
    ValueError
        If the array is masked, sparse, complex or without data, does not hold numbers, is not two-dimensional, has no
        unit, has fewer than `min_stimuli` rows, holds NaN or infinity, or numbers too large to be told apart.
    """
    import torch

    if _is_tensor(value):
        _refuse_what_hides_numbers(value, name)
        tensor = value.detach().to(device)
    else:
        tensor = torch.from_numpy(_for_torch(as_array(value, name))).to(device)
    if tensor.ndim != 2:
        raise ValueError(f"'{name}' must have shape (n_stimuli, n_units), got {tuple(tensor.shape)}.")
    if tensor.shape[1] == 0:
        raise ValueError(f"'{name}' must have at least 1 unit, got shape {tuple(tensor.shape)}.")
    if tensor.shape[0] < min_stimuli:
        raise ValueError(f"'{name}' must have at least {min_stimuli} stimuli, got {tensor.shape[0]}.")
    return _finite(tensor, name) if tensor.is_floating_point() else _from_integers(tensor, name)


def choose(value: Any, name: str, choices: Collection) -> Any:
    """`value` if it is one of `choices`, else a ValueError that lists them."""
    if value not in choices:
        raise ValueError(f"'{name}' must be one of {', '.join(map(repr, choices))}, got {value!r}.")
    return value


def as_count(value: Any, name: str, minimum: int = 1) -> int:
    """`value` if it is an integer of at least `minimum`, else a ValueError that names the argument."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < minimum:
        raise ValueError(f"'{name}' must be an integer of at least {minimum}, got {value!r}.")
    return int(value)


def as_share(value: Any, name: str) -> float:
    """`value` if it lies between 0 and 1, both excluded, else a ValueError that names the argument."""
    if not (isinstance(value, int | float | np.integer | np.floating) and 0 < value < 1):
        raise ValueError(f"'{name}' must lie between 0 and 1, got {value!r}.")
    return float(value)


def as_generator(seed: int | Sequence[int] | np.random.Generator, name: str = "seed") -> np.random.Generator:
    """The generator of a seed, or a ValueError that names the argument; a generator is handed back as it is."""
    if isinstance(seed, np.random.Generator):
        return seed
    values = np.asarray(seed)
    if values.dtype.kind not in "iu" or values.ndim > 1 or values.size == 0 or values.min() < 0:
        raise ValueError(f"'{name}' must be an integer from 0 (or several, or a generator), got {seed!r}.")
    return np.random.default_rng(seed)


def _is_tensor(value: Any) -> bool:
    """Whether a value is a PyTorch tensor, without loading PyTorch for those that have none."""
    return any(base.__module__ == "torch" and base.__name__ == "Tensor" for base in type(value).__mro__)


def _refuse_what_hides_numbers(value: Any, name: str) -> None:
    kind = type(value).__name__
    if isinstance(value, np.ma.MaskedArray):
        count = int(np.ma.getmaskarray(value).sum())
        raise ValueError(f"'{name}' must not be a masked array, got {count} masked entries; fill or drop them first.")
    if _is_tensor(value):
        if value.is_meta:
            raise ValueError(f"'{name}' must hold data, got a tensor on the meta device.")
        if value.is_nested or value.is_quantized:
            raise ValueError(f"'{name}' must be a plain tensor, got a nested or quantized one.")
        if value.is_complex():
            raise ValueError(f"'{name}' must be real, got {value.dtype}.")
        if str(value.layout) != "torch.strided":
            raise ValueError(f"'{name}' must be dense, got a sparse tensor ({value.layout}).")
    elif type(value).__module__.startswith("scipy.sparse"):
        raise ValueError(f"'{name}' must be dense, got a sparse {kind}; call its toarray() first.")


def _check_shape(array: np.ndarray, name: str, shape: tuple[int | None, ...]) -> None:
    if array.ndim != len(shape) or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(f"'{name}' must have shape ({wanted}), got {array.shape}.")


def _for_torch(array: np.ndarray) -> np.ndarray:
    """What PyTorch can share: no long doubles, no negative strides, writable."""
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        array = array.astype(np.float64)
    if any(stride < 0 for stride in array.strides):
        array = np.ascontiguousarray(array)
    return np.require(array, requirements="W")


def _finite(tensor: "torch.Tensor", name: str) -> "torch.Tensor":
    """Floating features as float32 or float64, all finite and of a size to calculate with."""
    import torch

    tensor = tensor if tensor.dtype == torch.float64 else tensor.to(torch.float32)
    if tensor.shape[0] == 0:
        return tensor
    low, high = (float(end) for end in tensor.aminmax())  # NaN comes through
    if not np.isfinite([low, high]).all():
        count = int((~torch.isfinite(tensor)).sum())
        raise ValueError(f"'{name}' must be finite, got {count} NaN or infinite entries.")
    if max(-low, high) > _LARGEST:
        raise ValueError(f"'{name}' must not exceed {_LARGEST:g} in size, got {low:g} to {high:g}.")
    return tensor


def _from_integers(tensor: "torch.Tensor", name: str) -> "torch.Tensor":
    """Integers or booleans as float32 where it tells them apart, else as float64."""
    import torch

    if tensor.dtype in (torch.bool, torch.uint8, torch.int8, torch.int16) or tensor.shape[0] == 0:
        return tensor.to(torch.float32)
    wide = tensor.double()
    size = float(wide.abs().max())
    if size > _EXACT_FLOAT64:
        raise ValueError(f"'{name}' must hold integers up to 2**53, which float64 tells apart, got {size:.6g}.")
    return wide if size > _EXACT_FLOAT32 else wide.float()

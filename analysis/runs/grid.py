"""The points of a sweep, from what a person types."""

import itertools
import re
from collections.abc import Iterable

from analysis.runs.parameters import ParameterError


def grid_points(grid: Iterable[str]) -> list[dict[str, str]]:
    """The points of a grid such as ``["n_seeds=2,5", "first_seed=0..9"]``, the last parameter changing fastest.

    Values are separated by commas, or by semicolons where a value itself is a list; ``a..b`` counts from a to b.

    Raises
    ------
    ParameterError
        If an entry is not of this form, or names a parameter twice. Values are checked when the run is prepared.
    """
    axes: dict[str, list[str]] = {}
    for entry in grid:
        name, separator, typed = entry.partition("=")
        if not (name and separator and typed):
            raise ParameterError(f"Option '--grid' must look like name=v1,v2, got '{entry}'.")
        if name in axes:
            raise ParameterError(f"Option '--grid' names parameter '{name}' twice.")
        axes[name] = _values(typed)
        if not axes[name]:
            raise ParameterError(f"Option '--grid' holds no value for '{name}', got '{typed}'.")
    return [dict(zip(axes, point, strict=True)) for point in itertools.product(*axes.values())]


def _values(text: str) -> list[str]:
    if counted := re.fullmatch(r"(-?\d+)\.\.(-?\d+)", text):
        first, last = map(int, counted.groups())
        return [str(value) for value in range(first, last + 1)]
    return [value.strip() for value in text.split(";" if ";" in text else ",")]

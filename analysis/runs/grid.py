"""The points of a sweep, from what a person types."""

import itertools
import math
import re
from collections.abc import Iterable, Sequence

from analysis.runs.parameters import ParameterError

MOST_POINTS = 10_000
"""Points of the largest grid: more is a slip of the finger."""

LINE_UPS = "models"
"""The parameter whose values hold commas: each is a list of sources."""


def grid_points(grid: Iterable[str]) -> list[dict[str, str]]:
    """The points of a grid such as ``["n_seeds=2,5", "first_seed=0..9"]``, the last parameter changing fastest.

    Values are separated by commas, or by semicolons where a value itself is a list, as line-ups (`models`) always are:
    ``"models=timm:a,timm:b;cifar10"`` are two. ``a..b`` counts from a to b.

    Raises
    ------
    ParameterError
        If an entry is not of this form, or names a parameter twice. Values are checked when the run is prepared.
    """
    axes: dict[str, Sequence[int | str]] = {}
    for entry in grid:
        name, separator, typed = entry.partition("=")
        if not (name and separator and typed):
            raise ParameterError(f"Option '--grid' must look like name=v1,v2, got '{entry}'.")
        if name in axes:
            raise ParameterError(f"Option '--grid' names parameter '{name}' twice.")
        axes[name] = _values(name, typed)
        if not axes[name]:
            raise ParameterError(f"Option '--grid' holds no value for '{name}', got '{typed}'.")
        if len(set(axes[name][:MOST_POINTS])) < min(len(axes[name]), MOST_POINTS):
            raise ParameterError(f"Option '--grid' must name different values for '{name}', got '{typed}'.")
    n_points = math.prod(map(len, axes.values()))
    if n_points > MOST_POINTS:
        raise ParameterError(f"Option '--grid' must make at most {MOST_POINTS} points, got {n_points}.")
    return [dict(zip(axes, map(str, point), strict=True)) for point in itertools.product(*axes.values())]


def _values(name: str, text: str) -> Sequence[int | str]:
    if counted := re.fullmatch(r"(-?\d{1,18})\.\.(-?\d{1,18})", text):
        first, last = map(int, counted.groups())
        return range(first, last + 1)
    separator = ";" if ";" in text or name == LINE_UPS else ","
    return [value.strip() for value in text.split(separator)]

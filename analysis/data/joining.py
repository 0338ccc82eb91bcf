"""Things that belong to stimuli are joined by the stimuli's ids, never by position."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.checks import choose


@dataclass(frozen=True, eq=False)
class Joined:
    """What several sources have in common.

    Parameters
    ----------
    ids : tuple of str
        The stimuli, in the order of the first source.
    positions : dict of int64 arrays of shape (n_stimuli,)
        By source, where each of `ids` is in it.
    left_out : dict of int
        By source, how many of its stimuli another source lacks.
    """

    ids: tuple[str, ...]
    positions: dict[str, np.ndarray]
    left_out: dict[str, int]


def join(sources: Mapping[str, Sequence[str]], *, missing: str = "refuse") -> Joined:
    """Positions by which the rows of several sources belong to the same stimuli.

    Parameters
    ----------
    sources : mapping of str to sequence of str
        Ids of each source's stimuli, by the name that errors call the source.
    missing : {"refuse", "count"}
        What becomes of a stimulus that not every source has: an error that names the first, or it is left out and
        counted.

    Returns
    -------
    Joined

    Raises
    ------
    ValueError
        If a source names a stimulus twice, no stimulus is common to all, or one is missing and that is refused.

    Examples
    --------
    >>> joined = join({"pictures": ["a.png", "b.png", "c.png"], "people": ["c.png", "a.png"]}, missing="count")
    >>> joined.ids, joined.positions["people"].tolist(), joined.left_out
    (('a.png', 'c.png'), [1, 0], {'pictures': 1, 'people': 0})
    """
    choose(missing, "missing", ("refuse", "count"))
    places = {name: _places(ids, name) for name, ids in sources.items()}
    if not places:
        raise ValueError("'sources' must hold 1 or more sources, got none.")
    common = set.intersection(*(set(place) for place in places.values()))
    if missing == "refuse":
        _refuse_missing(places, common)
    if not common:
        first = ", ".join(f"{next(iter(place), 'none')!r} of '{name}'" for name, place in places.items())
        raise ValueError(f"'sources' must have stimuli in common, got ids such as {first}.")
    ids = tuple(stimulus for stimulus in next(iter(places.values())) if stimulus in common)
    positions = {name: np.array([place[key] for key in ids], np.int64) for name, place in places.items()}
    return Joined(ids, positions, {name: len(place) - len(ids) for name, place in places.items()})


def _places(ids: Sequence[str], name: str) -> dict[str, int]:
    places = {stimulus: place for place, stimulus in enumerate(ids)}
    if len(places) < len(ids):
        doubled = [stimulus for stimulus, count in Counter(ids).items() if count > 1]
        raise ValueError(f"'{name}' must name every stimulus once, got {doubled[0]!r} ({len(doubled)} in all) twice.")
    return places


def _refuse_missing(places: dict[str, dict[str, int]], common: set[str]) -> None:
    for name, place in places.items():
        unknown = [stimulus for stimulus in place if stimulus not in common]
        if unknown:
            lacking = next(other for other, stimuli in places.items() if unknown[0] not in stimuli)
            raise ValueError(
                f"'{lacking}' must have every stimulus of '{name}', got none for {unknown[0]!r} "
                f"({len(unknown)} of {len(place)} are not in every source)."
            )

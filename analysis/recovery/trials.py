"""People's odd-one-out trials from a CSV file with a header, joined to the stimuli by id or file name."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.checks import choose
from analysis.files import user_path
from analysis.recovery.observers import Observer, load_things_triplets

_IMAGES = ["image1", "image2", "odd"]
_SUBJECT = "subject"


def load_trials(path: str | Path, stimuli: Sequence[str], *, missing: str = "refuse") -> Observer:
    """People's odd-one-out answers from a CSV file with the columns ``image1``, ``image2``, ``odd``, maybe ``subject``.

    Each row is one trial: the three images that were shown, the odd one out under ``odd``. Further columns are not
    read. For instance::

        image1,image2,odd,subject
        cat1.jpg,cat2.jpg,dog1.jpg,p01
        cat1.jpg,dog2.jpg,dog1.jpg,p02

    Parameters
    ----------
    path : path
    stimuli : sequence of str
        Ids of the objects; triplets count their positions. A trial names an image by its id or, where no other id ends
        with it, by the last part of its id: ``cat1.jpg`` for ``animals/cat1.jpg``.
    missing : {"refuse", "count"}
        What becomes of trials that name an image which is none of the stimuli: an error that names the first, or they
        are left out and counted.

    Returns
    -------
    Observer
        With `subjects` where the file has them, numbered in alphabetical order; `left_out` counts the trials without an
        answer and, of each unknown image, the trials that name it.

    Raises
    ------
    ValueError
        If a column is missing, an image unknown (unless counted) or ambiguous, an image twice in one trial, a subject
        missing, or no trial is left.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
    ...     _ = file.write("image1,image2,odd,subject\\nb.png,a.png,c.png,p1\\n")
    ...     file.flush()
    ...     found = load_trials(file.name, ["x/a.png", "x/b.png", "x/c.png"])
    >>> found.triplets.tolist(), found.choices.tolist(), found.subjects.tolist()
    ([[1, 0, 2]], [2], [0])
    """
    choose(missing, "missing", ("refuse", "count"))
    path = user_path(path)
    table = _read(path)
    answered = (table["odd"] != "").to_numpy()
    left_out = {"trials without an answer": int((~answered).sum())}
    table = table[answered]
    places = table[_IMAGES].map(_places(stimuli, path).get)
    known = places.notna().to_numpy()
    strangers = Counter(table[_IMAGES].to_numpy()[~known].tolist())
    if strangers and missing == "refuse":
        line = int(np.flatnonzero(~known.all(axis=1))[0])
        got = table[_IMAGES].to_numpy()[line][~known[line]][0]
        raise ValueError(
            f"'{path}' must name images by the ids or file names of the stimuli, got {got!r} "
            f"({len(strangers)} of the names are unknown)."
        )
    left_out |= {f"trials that name the unknown image {name!r}": count for name, count in strangers.items()}
    rows = known.all(axis=1)
    if not rows.any():
        raise ValueError(
            f"'{path}' must hold at least 1 answered trial with images of this study, got none; images of the study "
            f"have names such as {stimuli[0]!r}."
        )
    triplets = places[rows].to_numpy(np.int64)
    _refuse_twice(triplets, table[rows], path)
    left_out = {reason: count for reason, count in left_out.items() if count}
    return Observer(triplets, np.full(len(triplets), 2), _subjects(table[rows], path), left_out=left_out)


def load_answers(path: str | Path, stimuli: Sequence[str]) -> Observer:
    """People's odd-one-out answers in any form: as `load_trials` reads them, or as `load_things_triplets` does.

    Parameters
    ----------
    path : path
    stimuli : sequence of str
        Ids of the objects, for a file with a header; in the public formats, which have none, objects are numbers.

    Raises
    ------
    ValueError
        As those two.
    """
    with open(user_path(path), encoding="utf-8-sig", errors="replace") as file:
        header = {name.strip() for name in file.readline().split(",")}
    if header & {*_IMAGES, _SUBJECT}:
        return load_trials(path, stimuli)
    return load_things_triplets(path, len(stimuli))


def _read(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, skipinitialspace=True, encoding="utf-8-sig")
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise ValueError(
            f"'{path}' must be a CSV file, and could not be read: {' '.join(str(error).split())}."
        ) from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes surplus fields for names of rows
        raise ValueError(f"'{path}' must be a CSV file with as many fields in every row as its header has columns.")
    table.columns = table.columns.str.strip()
    lacking = [name for name in _IMAGES if name not in table]
    if lacking:
        got = ", ".join(table.columns)
        raise ValueError(
            f"'{path}' must have the columns {', '.join(_IMAGES)}, got none named {lacking[0]!r} among {got}."
        )
    return table.apply(lambda column: column.str.strip())


def _places(stimuli: Sequence[str], path: Path) -> Mapping[str, int]:
    """Positions by everything that a stimulus may be called."""
    places = {stimulus: place for place, stimulus in enumerate(stimuli)}
    last_parts = [stimulus.rpartition("/")[2] for stimulus in stimuli]
    counts = Counter(last_parts)
    short = {name: place for place, name in enumerate(last_parts) if counts[name] == 1}
    return _Named(short | places, {name for name, count in counts.items() if count > 1} - places.keys(), path)


class _Named(dict):
    """Positions by name; a file name that several stimuli have is refused when it is asked for."""

    def __init__(self, places: dict[str, int], ambiguous: set[str], path: Path):
        super().__init__(places)
        self._ambiguous, self._path = ambiguous, path

    def get(self, name: str, default=None):
        """The position, None for an unknown name."""
        if name in self._ambiguous:
            raise ValueError(f"'{self._path}' must name one image, got {name!r}, the file name of several stimuli.")
        return super().get(name, default)


def _refuse_twice(triplets: np.ndarray, table: pd.DataFrame, path: Path) -> None:
    a, b, c = triplets.T
    twice = np.flatnonzero((a == b) | (a == c) | (b == c))
    if len(twice):
        got = ", ".join(table[_IMAGES].iloc[twice[0]])
        raise ValueError(f"'{path}' must name three different images in every row, got {got}.")


def _subjects(table: pd.DataFrame, path: Path) -> np.ndarray | None:
    if _SUBJECT not in table:
        return None
    nameless = int((table[_SUBJECT] == "").sum())
    if nameless:
        raise ValueError(f"'{path}' must name a subject in every row or have no such column, got none in {nameless}.")
    return np.unique(table[_SUBJECT].to_numpy(str), return_inverse=True)[1].astype(np.int64)

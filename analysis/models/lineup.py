"""Line-ups: which models take part, and where each comes from; read and checked without loading or running any.

A line-up is the name of a built-in one, a file ``models.yml``, or sources separated by commas. Modules are made of its
entries by `analysis.models.loading`.
"""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from analysis.files import shortened, user_path
from analysis.models.entries import FORMS, PUBLIC, Entry, LineupError, check, unknown_name
from analysis.models.zoo_names import TRAINED, UNTRAINED
from analysis.plain_yaml import read_yaml

_LINEUPS = Path(__file__).with_name("lineups")

BUILT_IN = ("zoo", *sorted(path.stem for path in _LINEUPS.glob("*.yml")))
"""Line-ups that the book carries: its own zoo, and published networks of the public data."""

STIMULI = "stimuli.csv"
"""Is in every folder that `extract` wrote."""


def read_lineup(models: str) -> tuple[Entry, ...]:
    """The entries of a line-up, checked as far as can be without loading a model.

    Parameters
    ----------
    models : str
        ``"zoo"``, ``"cifar10"`` or ``"imagenet"``; the path of a ``models.yml``; or sources separated by commas, among
        them ``LINEUP:NAME`` for one model of a built-in line-up.

    Returns
    -------
    tuple of Entry
        At least one, with different names. Paths are absolute.

    Raises
    ------
    LineupError
        If the file is not as described, a name is unknown (the message suggests the nearest), a file is missing, or a
        package is not installed.

    Examples
    --------
    >>> [entry.name for entry in read_lineup("cifar10:resnet20,cifar10:resnet20_untrained")]
    ['resnet20', 'resnet20_untrained']
    """
    entries = _entries(models)
    names = [entry.name for entry in entries]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise LineupError(f"'models' must name every model once, got {', '.join(map(repr, twice))} more than once.")
    for entry in entries:
        check(entry)
    return entries


def is_extracted(folder: Path) -> bool:
    """Whether a folder was written by `extract`."""
    return (folder / STIMULI).is_file()


def extracted_folder(models: str) -> Path | None:
    """The folder that `extract` wrote, if `models` names one, and no line-up.

    Raises
    ------
    ValueError
        If it names another folder.
    """
    if models in BUILT_IN:
        return None
    try:
        folder = Path(models).expanduser()
        if not folder.is_dir():
            return None
    except (OSError, ValueError, RuntimeError):  # a line-up of many sources is longer than a path may be
        return None
    if not is_extracted(folder):
        raise ValueError(f"must be a line-up or a folder that 'extract' wrote, got the folder '{models}'.")
    return folder


def _entries(models: str) -> tuple[Entry, ...]:
    if models in BUILT_IN:
        return _built_in(models)
    if models.lower().endswith((".yml", ".yaml")):
        return _read_yaml(user_path(models))
    if ";" in models:
        raise LineupError(f"'models' must be one line-up, got {shortened(models)}: only 'sweep --grid' takes several.")
    parts = [part.strip() for part in models.split(",")]
    if not all(parts):
        raise LineupError(f"'models' must be a line-up or sources separated by commas, got {shortened(models)}.")
    return tuple(entry for part in parts for entry in _short_form(part))


def _built_in(name: str) -> tuple[Entry, ...]:
    if name != "zoo":
        return _read_yaml(_LINEUPS / f"{name}.yml")
    from analysis.models.zoo_networks import ZOO

    kinds = ((name, kind.family, kind.motif, kind.training) for name, kind in ZOO.items())
    keys = ("name", "family", "motif", "training")
    return tuple(Entry(source=f"zoo:{kind[0]}", **dict(zip(keys, kind, strict=True))) for kind in kinds)


def _short_form(source: str) -> tuple[Entry, ...]:
    """A source on the command line: its name is its last part."""
    lineup, _, name = source.partition(":")
    if source in BUILT_IN:
        return _built_in(source)
    if lineup == "zoo" and name not in (*TRAINED, *UNTRAINED):
        raise LineupError(unknown_name("model of the line-up 'zoo'", name, (*TRAINED, *UNTRAINED)))
    if lineup in BUILT_IN and name:
        known = {entry.name: entry for entry in _built_in(lineup)}
        if name not in known:
            raise LineupError(unknown_name(f"model of the line-up '{lineup}'", name, known))
        return (known[name],)
    if not name and "." not in source:
        raise LineupError(unknown_name("line-up", source, BUILT_IN) + FORMS)
    last = Path(source).stem if not name else name.rpartition("/")[2]
    return (_located(_validated({"name": last, "source": source}, f"'{source}'"), Path.cwd()),)


# ---------------------------------------------------------------------------------------------------------------------
# models.yml


def _read_yaml(path: Path) -> tuple[Entry, ...]:
    if not path.is_file():
        raise LineupError(f"'models' must be a line-up; there is no file '{path}'.")
    try:
        content = read_yaml(path)
    except (OSError, ValueError) as error:
        raise LineupError(str(error)) from None
    listed = content.get("models") if isinstance(content, dict) and set(content) == {"models"} else None
    if not isinstance(listed, list) or not listed:
        raise LineupError(f"'{path}' must hold one key, 'models', with a list of at least 1 model.")
    validated = (_validated(row, f"Model {number} of '{path}'") for number, row in enumerate(listed, start=1))
    return tuple(_located(entry, path.parent) for entry in validated)


def _validated(row: Any, where: str) -> Entry:
    if not isinstance(row, dict):
        raise LineupError(f"{where} must be a mapping with 'name' and 'source', got {row!r}.")
    try:
        return Entry.model_validate(row)
    except ValidationError as error:
        raise LineupError(f"{where}: {_sentence(error.errors()[0])}") from None


def _sentence(problem: dict[str, Any]) -> str:
    key = str(problem["loc"][0]) if problem["loc"] else ""
    if problem["type"] == "extra_forbidden":
        return unknown_name("key", key, Entry.model_fields)
    if problem["type"] == "missing":
        return f"'{key}' is missing."
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    return f"'{key}': {problem['msg'].lower()}, got {problem['input']!r}."


def _located(entry: Entry, folder: Path) -> Entry:
    """The entry with its files' paths made absolute; relative ones start from the line-up's folder."""

    def absolute(path: str) -> str:
        return str((folder / Path(path).expanduser()).absolute())

    changes = {}
    if entry.kind in ("onnx", "pt2"):
        changes["source"] = absolute(entry.source)
    elif entry.kind == "file":
        path, _, function = entry.source.rpartition(":")
        changes["source"] = f"{absolute(path)}:{function}"
    if entry.weights and not entry.weights.startswith(PUBLIC):
        changes["weights"] = absolute(entry.weights)
    return entry.model_copy(update=changes)

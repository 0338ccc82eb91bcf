"""What can be run: the chapters, their parameters, the profiles. It loads nothing that only a run needs."""

import importlib
from functools import cache
from pathlib import Path
from typing import Any

from analysis.plain_yaml import read_yaml
from analysis.runs.parameters import ChapterParameters, ParameterError, unknown
from analysis.sources import ROOT

BOOK = ROOT / "book"
CHAPTERS = ROOT / "analysis" / "chapters"
PROFILES = BOOK / "profiles"
PUBLIC = "public"  # the profile of the runs on public data, which have notebooks of their own, and their folder's name


def chapters() -> list[str]:
    """The chapters that can be run, in the order of the table of contents."""
    listed = [Path(page) for page in toc_pages()]
    return [path.name for path in listed if path.parent == Path("book") and (CHAPTERS / path.name).is_dir()]


def public_runs() -> list[str]:
    """The notebooks on public data: a chapter's own has its name, further ones have names that begin with it."""
    names = sorted(path.stem for path in (BOOK / PUBLIC).glob("*.md"))
    return [name for chapter in chapters() for name in names if _belongs(name, chapter)]


def _belongs(name: str, chapter: str) -> bool:
    return name == chapter or name.startswith(f"{chapter}_")


def toc_pages() -> list[str]:
    """Every page that `_toc.yml` lists, as the path of its source without suffix."""
    path = ROOT / "_toc.yml"
    contents = _contents(path, path.stat().st_mtime_ns)
    entries = [entry for part in contents["parts"] for entry in part["chapters"]]
    nested = [[entry["file"], *(section["file"] for section in entry.get("sections", []))] for entry in entries]
    return [contents["root"], *(page for pages in nested for page in pages)]


@cache
def _contents(path: Path, _changed: int) -> Any:
    """The table of contents; a book asks for it a hundred times and more."""
    return read_yaml(path)


def text_half(chapter: str, profile: str = "default") -> Path:
    """The text half of a chapter's pair; under the public profile, of its notebook on public data."""
    return (BOOK / PUBLIC if profile == PUBLIC else BOOK) / f"{chapter}.md"


def title(text_half: Path) -> str:
    """The first heading of a text half."""
    lines = text_half.read_text(encoding="utf-8").splitlines()
    return next(line.removeprefix("# ") for line in lines if line.startswith("# "))


def parameters_of(chapter: str, profile: str = "default") -> type[ChapterParameters]:
    """The pydantic model of a chapter's parameters."""
    known = public_runs() if profile == PUBLIC else chapters()
    if chapter not in known:
        raise ParameterError(unknown("chapter", chapter, known))
    package = next(name for name in chapters() if _belongs(chapter, name))
    module = importlib.import_module(f"analysis.chapters.{package}.parameters")
    return module.PUBLIC[chapter] if profile == PUBLIC else module.Parameters


def profiles() -> list[str]:
    """Names of the profiles, each a file in `book/profiles`."""
    return sorted(path.stem for path in PROFILES.glob("*.yml"))


def profile_of(name: str, chapter: str) -> dict:
    """What profile `name` says of `chapter`: `parameters` and, measured on 2 cores, `seconds`."""
    if name not in profiles():
        raise ParameterError(unknown("profile", name, profiles()))
    try:
        content = read_yaml(PROFILES / f"{name}.yml")
    except (OSError, ValueError) as error:
        raise ParameterError(f"Profile '{name}': {error}") from None
    if not isinstance(content, dict) or chapter not in content:
        raise ParameterError(f"Profile '{name}' has no parameters for chapter '{chapter}'.")
    settings = content[chapter]
    whole = isinstance(settings, dict) and isinstance(settings.get("parameters"), dict)
    seconds = settings.get("seconds") if whole else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
        raise ParameterError(
            f"Profile '{name}' must hold 'parameters' (a mapping) and 'seconds' (above 0) for chapter '{chapter}'."
        )
    return settings


def given(chapter: str, profile: str, values: dict | None = None) -> dict:
    """What a profile sets for a chapter, with `values` on top, not validated yet.

    Raises
    ------
    ParameterError
        If the chapter or the profile is unknown.
    """
    parameters_of(chapter, profile)  # an unknown chapter is named before an unknown profile
    return {**profile_of(profile, chapter)["parameters"], **(values or {})}


def checked(chapter: str, profile: str, values: dict | None = None) -> ChapterParameters:
    """The parameters of a profile with `values` on top; texts are converted to each parameter's type.

    Raises
    ------
    ParameterError
        If the chapter, the profile or a parameter is unknown, or a value is not allowed.
    """
    return parameters_of(chapter, profile).checked(given(chapter, profile, values))

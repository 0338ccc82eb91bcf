"""The head of a page with a run: what its reader should know and will be able to do, and how long it takes."""

import html
import math
import posixpath
import re
from collections.abc import Mapping

from nbformat import NotebookNode

from analysis.plain_yaml import read_yaml
from analysis.runs import catalogue
from analysis.runs.catalogue import PUBLIC
from analysis.runs.outputs import FIGURE, embedded
from analysis.runs.runner import RunError

ABOUT = catalogue.BOOK / PUBLIC / "about.yml"
_TABLE = "| You should know | Time to read | Time to run |\n|---|---|---|\n"
_ROW = re.compile(re.escape(_TABLE) + r"(\|[^|\n]*\|[^|\n]*\|)[^|\n]*\|")
_LINK = re.compile(r'(<a [^>]*href="([^"]*)"[^>]*>)(.*?)</a>', re.DOTALL)
_WORDS_A_MINUTE = 200


def of_public_run(name: str, notebook: NotebookNode) -> str:
    """Objectives, prerequisites and times of a run on public data, as Markdown.

    Raises
    ------
    RunError
        If ``about.yml`` says nothing about it.
    """
    about = read_yaml(ABOUT).get(name)
    if about is None:
        raise RunError(f"{ABOUT.name} says nothing about '{name}'.")
    able = "\n".join(f"- {line}" for line in about["able"])
    told = f"```{{admonition}} What you will be able to do\n:class: tip\n{able}\n```"
    read = f"about {_minutes_to_read(notebook)} minutes"
    return f"{told}\n\n{_TABLE}| {about['know']} | {read} | {_time(notebook, name, PUBLIC)} |"


def with_measured_time(source: str, chapter: str, notebook: NotebookNode) -> str:
    """The opening text of a chapter, which says how long this run took in place of where to find it."""
    time = _time(notebook, chapter, notebook.metadata.analysis.profile)
    return _ROW.sub(lambda row: f"{_TABLE}{row[1]} {time} |", source)


def badged(contents: str, page: str, ran_on: Mapping[str, str]) -> str:
    """A table of contents, as HTML on a page, in which the pages on public data say what they ran on."""

    def with_badge(link: re.Match) -> str:
        target = page if link[2] == "#" else posixpath.normpath(posixpath.join(posixpath.dirname(page), link[2]))
        told = ran_on.get(target.removesuffix(".html"))
        return f'{link[1]}{link[3]} <span class="ran-on">{html.escape(told)}</span></a>' if told else link[0]

    return _LINK.sub(with_badge, contents)


def _time(notebook: NotebookNode, name: str, profile: str) -> str:
    """`seconds` of the profile are those of a run from nothing: this one may have gone on from what was kept."""
    minutes = math.ceil(catalogue.profile_of(profile, name)["seconds"] / 60)
    scratch = f"about {minutes} minute{'s' if minutes > 1 else ''} with nothing kept"
    return f"{notebook.metadata.analysis.seconds:.0f} seconds, measured in this run; {scratch}"


def _minutes_to_read(notebook: NotebookNode) -> int:
    """Of the words, and a minute for each figure."""
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    return math.ceil(words / _WORDS_A_MINUTE + len(embedded(notebook, FIGURE)))

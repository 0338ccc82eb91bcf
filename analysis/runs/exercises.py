"""Exercises, read from the section of that name in a chapter: the page shows them as they are written there.

An exercise is a heading ``### 1. Code: Its title``, the task, a folded hint and a folded solution. One with code has
two blocks of Python besides: a stub to be filled in, then the check that the solution passes and the stub does not;
its solution begins with code.
"""

import re
from dataclasses import dataclass

from nbformat import NotebookNode

from analysis.runs.parameters import ParameterError

LEVELS = ("Predict", "Vary", "Code", "Extend")
_HEADING = re.compile(rf"### (\d+)\. ({'|'.join(LEVELS)}): (.+)")
_FENCE = re.compile(r"(`{3,})(.*)")


@dataclass(frozen=True)
class Exercise:
    """One exercise; `stub`, `check` and `solution` are code, and empty in one without; the rest is Markdown."""

    number: int
    level: str
    title: str
    task: str
    hint: str
    stub: str
    check: str
    solution: str
    answer: str


def of(notebook: NotebookNode) -> list[Exercise]:
    """The exercises of a chapter, in order; none where it has no such section.

    Raises
    ------
    ParameterError
        If one is not written as the module says; the message names it.
    """
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    section = re.search(r"^## Exercises\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)
    parts = re.split(r"^(?=### )", section[1], flags=re.MULTILINE)[1:] if section else []
    return [_exercise(number, *part.partition("\n")[::2]) for number, part in enumerate(parts, 1)]


def _exercise(number: int, heading: str, body: str) -> Exercise:
    found = _HEADING.fullmatch(heading.strip())
    if found is None or int(found[1]) != number:
        expected = f"'### {number}. Level: Title', with one of the levels {', '.join(LEVELS)}"
        raise ParameterError(f"The heading of an exercise must be {expected}, got '{heading.strip()}'.")
    task, blocks = _blocks(body)
    folded = {info.removeprefix("{admonition} "): text for info, text in blocks if info.startswith("{admonition}")}
    code = [text for info, text in blocks if info == "python"]
    answer, solved = _blocks(_without_options(folded.get("Solution", "")), keep_from=1)
    solution = solved[0][1] if code and solved else ""
    if set(folded) != {"Hint", "Solution"} or len(code) not in (0, 2) or bool(code) != bool(solution):
        rule = "a hint, a solution and, with code, a stub, a check and a solution that begins with code"
        raise ParameterError(f"Exercise '{found[3]}' must have {rule}.")
    stub, check = code or ("", "")
    if not code:
        answer = _without_options(folded["Solution"])
    return Exercise(number, found[2], found[3], task, _without_options(folded["Hint"]), stub, check, solution, answer)


def _blocks(text: str, keep_from: int = 0) -> tuple[str, list[tuple[str, str]]]:
    """Text outside of fences, and fenced blocks as (info, content); those from `keep_from` on are left in the text."""
    outside, blocks, fence = [], [], ""
    for line in text.splitlines():
        found = _FENCE.fullmatch(line.rstrip())
        if fence and found and found[1] == fence and not found[2]:
            fence = ""
        elif fence:
            blocks[-1][1].append(line)
        elif found and not (keep_from and len(blocks) >= keep_from):
            fence = found[1]
            blocks.append((found[2].strip(), []))
        else:
            outside.append(line)
    return "\n".join(outside).strip(), [(info, "\n".join(lines).strip()) for info, lines in blocks]


def _without_options(text: str) -> str:
    return re.sub(r"\A(?::\w+:.*\n)+", "", text).strip()

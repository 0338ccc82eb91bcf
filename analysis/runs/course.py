"""A course from the chapters: notebooks for students and for instructors, slides, and a zip for the classroom."""

import html
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis import files
from analysis.runs import catalogue, exercises, publish, results, runner, slides, standalone
from analysis.runs.exercises import Exercise
from analysis.runs.pairs import METADATA
from analysis.runs.runner import RunError
from analysis.sources import ROOT

ARCHIVE = "classroom.zip"
_CARRIED = ("analysis", "book", "tools", "_config.yml", "_toc.yml", "CITATION.cff", "LICENSE", "Makefile", "README.md")
_CARRIED += ("pyproject.toml", "requirements.hashes", "requirements.lock")
_HOW = {
    "student": "Fill in what is left open (`...`), run the cell, then its check, which says nothing if you are right.",
    "instructor": "With solutions. The checks below them pass.",
}


def executed(profile: str) -> dict[str, NotebookNode]:
    """The executed notebooks of the chapters that have exercises, as the book was made last.

    Raises
    ------
    RunError
        If one of them is missing or out of date.
    """
    found = {}
    for chapter in catalogue.chapters():
        run = runner.prepare(chapter, profile=profile)
        if not exercises.of(run.notebook):
            continue
        path = publish.executed_path(chapter, profile)
        if not runner.is_current(run, path):
            raise RunError(
                f"The slides show figures of the book, and it holds no current run of '{chapter}' with the profile "
                f"'{profile}': call 'python -m analysis book --profile {profile}' first."
            )
        found[chapter] = results.read(path)
    return found


def write(folder: Path, notebooks: Mapping[str, NotebookNode], seconds: Mapping[str, float], wheels: bool) -> None:
    """Write the course into a folder that is not there or empty, whole or not at all.

    Parameters
    ----------
    folder : Path
        Where to.
    notebooks : mapping
        Executed notebooks by chapter.
    seconds : mapping
        What the quick profile took here, by chapter; may be empty.
    wheels : bool
        Whether the zip brings the packages along, for this platform.

    Raises
    ------
    RunError
        If the packages cannot be had.
    """
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".course.", suffix=files.PARTIAL) as scratch:
        made = Path(scratch) / "course"
        with files.held(Path(scratch)):
            contents = {Path(name): text for name, text in _texts(notebooks, seconds, wheels).items()}
            for path, text in contents.items():
                files.write_atomically(made / path, text)
            brought = _wheels(Path(scratch) / "wheels") if wheels else []
            _pack(
                made / ARCHIVE, {path: text for path, text in contents.items() if path.parts[0] == "student"}, brought
            )
            made.replace(folder)


def _texts(notebooks: Mapping[str, NotebookNode], seconds: Mapping[str, float], wheels: bool) -> dict[str, str]:
    texts = {"README.md": read_me(seconds, wheels)}
    for chapter, notebook in notebooks.items():
        texts[f"slides/{chapter}.html"] = slides.page(notebook)
        for reader in _HOW:
            texts[f"{reader}/{chapter}.ipynb"] = nbformat.writes(exercise_notebook(notebook, reader)) + "\n"
    return texts


def exercise_notebook(notebook: NotebookNode, reader: str) -> NotebookNode:
    """The exercises of a chapter as a notebook, for the reader ``"student"`` or ``"instructor"``."""
    numbers = standalone.numbers_of(notebook)
    title = next(line for cell in notebook.cells for line in cell.source.splitlines() if line.startswith("# "))
    cells = [new_markdown_cell(f"{title}\n\nExercises. {_HOW[reader]}")]
    for exercise in exercises.of(notebook):
        cells += _student(exercise) if reader == "student" else _instructor(exercise)
    for index, cell in enumerate(cells):
        cell.id = f"cell-{index}"
        if cell.cell_type == "markdown":
            cell.source = standalone.without_roles(cell.source, numbers)
    return new_notebook(cells=cells, metadata=nbformat.from_dict(METADATA))


def _task(exercise: Exercise) -> NotebookNode:
    hint = f"<details><summary>Hint</summary>\n\n{exercise.hint}\n\n</details>"
    heading = f"## {exercise.number}. {exercise.level}: {exercise.title}"
    return new_markdown_cell(f"{heading}\n\n{exercise.task}\n\n{hint}")


def _check(exercise: Exercise) -> NotebookNode:
    return new_code_cell(exercise.check, metadata={"tags": ["check"]})


def _student(exercise: Exercise) -> list[NotebookNode]:
    if exercise.check:
        return [_task(exercise), new_code_cell(exercise.stub), _check(exercise)]
    return [_task(exercise), new_markdown_cell("*Your answer:*")]


def _instructor(exercise: Exercise) -> list[NotebookNode]:
    answer = [new_markdown_cell(f"**Solution.** {exercise.answer}")] if exercise.answer else []
    code = [new_code_cell(exercise.solution), _check(exercise)] if exercise.check else []
    return [_task(exercise), *code, *answer]


def read_me(seconds: Mapping[str, float], wheels: bool) -> str:
    """What stands in the course's README.md."""
    offline = "PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels "
    setting = [
        f"`{ARCHIVE}` is for the students: their notebooks beside the book's code. Unpacked, in its folder:",
        f"    {offline if wheels else ''}python3 tools/setup_environment.py",
        f"    {offline if wheels else ''}.venv/bin/pip install jupyterlab",
        "    .venv/bin/jupyter lab",
    ]
    network = (
        f"The packages are in it, for {_platform()} only; with the same Python nothing is loaded from the network."
        if wheels
        else "The first two lines load packages from the network, once; nothing is loaded after that. "
        "`python -m analysis course --wheels` brings the packages along."
    )
    parts = [
        "# A course",
        "`student` and `instructor` hold a notebook of exercises for each chapter, `slides` a file that any browser "
        "opens (arrow keys turn the slides, printing gives one a page).",
        "\n".join([*setting[:1], "", *setting[1:]]),
        network,
    ]
    if seconds:
        rows = "\n".join(f"| {chapter} | {value:.0f} |" for chapter, value in seconds.items())
        told = (
            "Seconds that `python -m analysis run CHAPTER --profile quick` took on the machine that this was made on, "
        )
        parts.append(f"{told}with what it had kept by then:\n\n| Chapter | Seconds |\n|---|---|\n{rows}")
    return "\n\n".join(parts) + "\n"


def _platform() -> str:
    return f"{platform.system()} on {platform.machine()} with Python {'.'.join(platform.python_version_tuple()[:2])}"


def quick_seconds(chapter: str) -> float:
    """Seconds that the quick profile of a chapter takes here, now."""
    with tempfile.TemporaryDirectory() as folder:
        run = runner.prepare(chapter, profile="quick")
        return runner.execute(run, Path(folder) / f"{chapter}.ipynb", side=False).metadata.analysis.seconds


def _wheels(folder: Path) -> list[Path]:
    """The locked packages and JupyterLab, as files that pip installs without network."""
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--dest", str(folder)]
    hashed = [*pip, "--no-deps", "--require-hashes", "--requirement", "requirements.hashes"]
    others = [
        *pip,
        "--find-links",
        str(folder),
        "--requirement",
        "requirements.lock",
        "jupyterlab",
        "setuptools",
        "wheel",
    ]
    for command in (hashed, others):
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            reason = re.sub(r"\s+", " ", result.stderr.strip().rpartition("ERROR:")[2])[:300].strip()
            raise RunError(
                f"The packages for '--wheels' could not be downloaded: {html.unescape(reason) or 'pip failed'}"
            )
    return sorted(folder.iterdir())


def _pack(archive: Path, notebooks: Mapping[Path, str], wheels: list[Path]) -> None:
    """Notebooks beside the code that they import, so that they run where the zip is unpacked."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in _sources():
            packed.write(path, f"classroom/{path.relative_to(ROOT).as_posix()}")
        for path, text in notebooks.items():
            packed.writestr(f"classroom/{path.name}", text)
        for path in wheels:
            packed.write(path, f"classroom/wheels/{path.name}", zipfile.ZIP_STORED)


def _sources() -> list[Path]:
    """The files of the project that a classroom needs: without the recorded runs, which are large."""
    found = [path for name in _CARRIED for path in sorted([ROOT / name, *(ROOT / name).rglob("*")])]
    left_out = re.compile(r"/__pycache__/|/\.|^book/public/.*\.ipynb$")
    return [path for path in found if path.is_file() and not left_out.search(path.relative_to(ROOT).as_posix())]

"""The course: notebooks that run, a zip that works where it is unpacked, and nothing half-written."""

import json
import subprocess
import sys
import zipfile

import nbformat
import pytest
from click.testing import CliRunner

from analysis.__main__ import main
from analysis.runs import catalogue, course, exercises, pairs, publish, results, runner
from analysis.runs.runner import RunError


@pytest.fixture(scope="module")
def notebooks():
    found = {name: pairs.notebook_from_text(catalogue.text_half(name)) for name in catalogue.chapters()}
    return {name: notebook for name, notebook in found.items() if exercises.of(notebook)}


@pytest.fixture(scope="module")
def folder(notebooks, tmp_path_factory):
    """A course without figures, as none of the notebooks was executed."""
    path = tmp_path_factory.mktemp("teaching") / "course"
    course.write(path, notebooks, {"neuron_correlation": 12.4}, wheels=False)
    return path


@pytest.fixture(scope="module")
def classroom(folder, tmp_path_factory):
    path = tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(folder / course.ARCHIVE).extractall(path)
    return path / "classroom"


def cells(folder, reader, chapter, kind="code"):
    notebook = nbformat.read(folder / reader / f"{chapter}.ipynb", as_version=4)
    nbformat.validate(notebook)
    return [cell for cell in notebook.cells if cell.cell_type == kind]


def test_every_chapter_has_its_files(folder, notebooks):
    assert len(notebooks) >= 4
    assert {path.name for path in folder.iterdir()} == {"README.md", course.ARCHIVE, "student", "instructor", "slides"}
    for reader in ("student", "instructor"):
        assert {path.stem for path in (folder / reader).iterdir()} == set(notebooks)
    assert {path.name for path in (folder / "slides").iterdir()} == {f"{name}.html" for name in notebooks}
    assert {path.name for path in folder.parent.iterdir()} == {"course"}


def test_notebooks_of_instructors_run(folder, notebooks):
    for chapter in notebooks:
        names = {}
        for cell in cells(folder, "instructor", chapter):
            exec(compile(cell.source, chapter, "exec"), names)


def test_notebooks_of_students_hold_no_solution(folder, notebooks):
    for chapter, notebook in notebooks.items():
        text = (folder / "student" / f"{chapter}.ipynb").read_text(encoding="utf-8")
        assert "Solution" not in text
        coded = [exercise for exercise in exercises.of(notebook) if exercise.check]
        assert [cell.source for cell in cells(folder, "student", chapter)] == [
            source for exercise in coded for source in (exercise.stub, exercise.check)
        ]
        assert text.count("<summary>Hint</summary>") == text.count("<details>") == 5


def test_a_check_fails_in_a_student_notebook_that_nobody_filled_in(folder, notebooks):
    for chapter in notebooks:
        names = {}
        for cell in cells(folder, "student", chapter):
            if "check" not in cell.metadata.get("tags", []):
                exec(compile(cell.source, chapter, "exec"), names)
                continue
            with pytest.raises((AssertionError, TypeError)):
                exec(compile(cell.source, chapter, "exec"), names)


def test_no_role_is_left_in_the_text(folder, notebooks):
    for reader in ("student", "instructor"):
        for chapter in notebooks:
            text = "\n".join(cell.source for cell in cells(folder, reader, chapter, "markdown"))
            assert not [role for role in ("{numref}", "{doc}", "{term}", "{cite}") if role in text]


def in_classroom(classroom, *arguments):
    """Nothing is found from elsewhere: the folder is all that Python is told of."""
    call = [sys.executable, *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(classroom), "PYTHONSAFEPATH": ""}
    return subprocess.run(call, cwd=classroom, env=environment, capture_output=True, text=True, check=False)


def test_the_unpacked_zip_is_the_book_beside_the_students_notebooks(classroom, notebooks):
    result = in_classroom(classroom, "-m", "analysis", "list", "neuron_correlation")
    assert result.returncode == 0, result.stderr
    assert "n_seeds" in result.stdout
    assert {path.stem for path in classroom.glob("*.ipynb")} == set(notebooks)
    where = in_classroom(classroom, "-c", "import analysis; print(analysis.__file__)").stdout
    assert where.startswith(str(classroom))
    assert (classroom / "tools" / "setup_environment.py").is_file()


def test_a_students_notebook_runs_in_the_unpacked_zip(classroom, folder):
    """With an instructor's solution filled in, without Jupyter around it."""
    code = "\n\n".join(cell.source for cell in cells(folder, "instructor", "neuron_correlation"))
    (classroom / "filled_in.py").write_text(code)
    result = in_classroom(classroom, "filled_in.py")
    assert result.returncode == 0, result.stderr


def test_the_readme_says_what_the_zip_holds_and_how_long_runs_take(folder):
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "| neuron_correlation | 12 |" in text
    assert "load packages from the network, once" in text
    assert "PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels python3" in course.read_me({}, wheels=True)
    assert "for Linux on" in course.read_me({}, wheels=True) or sys.platform != "linux"


def test_wheels_are_packed_beside_the_code(notebooks, tmp_path, monkeypatch):
    wheel = tmp_path / "some-1.0-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    monkeypatch.setattr(course, "_wheels", lambda _: [wheel])
    course.write(tmp_path / "course", {"neuron_correlation": notebooks["neuron_correlation"]}, {}, wheels=True)
    assert f"classroom/wheels/{wheel.name}" in zipfile.ZipFile(tmp_path / "course" / course.ARCHIVE).namelist()


def test_without_the_packages_nothing_is_written(notebooks, tmp_path, monkeypatch):
    failed = subprocess.CompletedProcess([], 1, "", "WARNING: slow\nERROR: No network\n  at all")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(RunError, match=r"could not be downloaded: No network at all$"):
        course.write(tmp_path / "course", notebooks, {}, wheels=True)
    assert not list(tmp_path.iterdir())


def test_a_book_that_was_not_made_is_refused_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "executed_path", lambda chapter, _: tmp_path / "none" / f"{chapter}.ipynb")
    result = CliRunner().invoke(main, ["course", "-o", str(tmp_path / "course")])
    assert result.exit_code == 1
    assert "call 'python -m analysis book --profile default' first." in result.output
    assert not list(tmp_path.iterdir())


def test_the_notebooks_are_the_books(notebooks, monkeypatch, tmp_path):
    """Those of the profile that was asked for, of chapters with exercises."""
    asked = []
    monkeypatch.setattr(publish, "executed_path", lambda chapter, profile: tmp_path / profile / chapter)
    monkeypatch.setattr(runner, "is_current", lambda run, path: asked.append((run.profile, path.parent.name)) or True)
    monkeypatch.setattr(results, "read", lambda path: path.name)
    assert course.executed("quick") == {chapter: chapter for chapter in notebooks}
    assert set(asked) == {("quick", "quick")}


def test_the_command_writes_the_course(notebooks, tmp_path, monkeypatch):
    one = {"neuron_correlation": notebooks["neuron_correlation"]}
    monkeypatch.setattr(course, "executed", lambda _: one)
    monkeypatch.setattr(course, "quick_seconds", lambda _: 7.0)
    (tmp_path / "course").mkdir()
    result = CliRunner().invoke(main, ["course", "-o", str(tmp_path / "course"), "--time"])
    assert result.exit_code == 0, result.output
    assert "| neuron_correlation | 7 |" in (tmp_path / "course" / "README.md").read_text()
    assert json.loads((tmp_path / "course" / "student" / "neuron_correlation.ipynb").read_text())["nbformat"] == 4

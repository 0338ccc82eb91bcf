"""The habits: workflows call make targets that exist; hooks, citation and decisions hold."""

import re
import subprocess
import sys

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output

from analysis.sources import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def steps(path):
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_call_make_targets_that_exist(path):
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    called = set(re.findall(r"\bmake ([a-z]+)", "\n".join(step.get("run", "") for step in steps(path))))
    assert called
    assert called <= targets


def test_every_supported_python_is_tested():
    matrix = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]["linux"]["strategy"]["matrix"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={matrix["python"][0]}"' in project
    assert [int(version.split(".")[1]) for version in matrix["python"]] == [11, 12, 13]


def test_the_ends_of_the_range_of_torch_are_tested():
    jobs = yaml.safe_load((ROOT / ".github/workflows/monthly.yml").read_text())["jobs"]
    lowest, highest = jobs["pytorch"]["strategy"]["matrix"]["torch"]
    (wanted,) = re.findall(r'"torch(>=[^"]*)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert f">={lowest.removeprefix('torch==').removesuffix('.*')},{highest.removeprefix('torch')}" == wanted


def test_setup_without_make_is_what_the_readme_says():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [re.sub(r"^.*/python -m ", "", step["run"]) for step in steps(ROOT / ".github/workflows/test.yml")
             if "python -m pip" in step.get("run", "")]  # fmt: skip
    assert len(lines) == 2
    assert all(line in readme for line in lines)


def test_notebooks_with_outputs_are_named(tmp_path):
    full = new_code_cell("1", execution_count=1, outputs=[new_output("stream", text="1")])
    for name, cell in (("full", full), ("empty", new_code_cell("1"))):
        nbformat.write(new_notebook(cells=[cell]), tmp_path / f"{name}.ipynb")
    call = [sys.executable, str(ROOT / "tools" / "check_no_outputs.py")]
    refused = subprocess.run([*call, "full.ipynb", "empty.ipynb"], cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "full.ipynb holds outputs" in refused.stdout
    assert "empty" not in refused.stdout
    assert subprocess.run([*call, "empty.ipynb"], cwd=tmp_path).returncode == 0


def test_hooks_call_what_is_there():
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert repo["repo"] == "local"
    scripts = [word for hook in repo["hooks"] for word in hook["entry"].split() if word.endswith(".py")]
    assert [script for script in scripts if not (ROOT / script).is_file()] == []


def test_the_citation_names_no_person():
    """Nobody has been named an author yet; a family name here would be an invented one."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert [set(author) for author in citation["authors"]] == [{"name"}]
    assert f'version = "{citation["version"]}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_every_decision_is_listed():
    folder = ROOT / "docs" / "decisions"
    listed = re.findall(r"\((\d{4}-[^)]+\.md)\)", (folder / "README.md").read_text(encoding="utf-8"))
    assert listed == sorted(path.name for path in folder.glob("0*.md"))

"""What an executed notebook was made from: everything that it depends on is in the key, and nothing else."""

import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis.runs import provenance, runner
from analysis.runs.parameters import ChapterParameters
from analysis.sources import imported_modules

CHAPTER = "neuron_correlation"


class Example(ChapterParameters):
    n: int = 3


def notebook(*sources):
    return new_notebook(cells=[new_code_cell(source, id=f"c{i}") for i, source in enumerate(sources)])


def test_a_change_concerns_only_the_chapters_that_import_it():
    modules = set(runner.prepare(CHAPTER).made_from["modules"])
    assert "analysis/measures/neurons.py" in modules
    assert "analysis/runs/runner.py" not in modules
    others = {path for path in modules if path.startswith("analysis/chapters/")}
    assert others == {path for path in others if CHAPTER in path or path == "analysis/chapters/__init__.py"}


def test_code_that_only_ipython_understands_is_passed_over():
    notebook = new_notebook(cells=[new_code_cell("%matplotlib inline\nimport analysis.files\n!ls")])
    assert [path.name for path in imported_modules(provenance.code_of(notebook))] == [
        "__init__.py",
        "files.py",
    ]


def test_the_key_moves_with_every_input():
    made_from = provenance.inputs(notebook("import analysis.files"), Example())
    before = provenance.key(made_from)
    assert provenance.key(json.loads(json.dumps(made_from))) == before
    for name in made_from:
        assert provenance.key({**made_from, name: "another"}) != before


@pytest.mark.parametrize(
    "other",
    [
        (notebook("import analysis.files", "x = 1"), Example()),
        (notebook("import analysis.progress"), Example()),
        (notebook("import analysis.files"), Example(n=4)),
        (new_notebook(cells=[*notebook("import analysis.files").cells, new_markdown_cell("text", id="t")]), Example()),
    ],
    ids=["a cell", "a module", "a parameter", "text"],
)
def test_whatever_a_run_depends_on_is_in_its_key(other):
    before = provenance.inputs(notebook("import analysis.files"), Example())
    assert provenance.inputs(notebook("import analysis.files"), Example()) == before
    assert provenance.key(provenance.inputs(*other)) != provenance.key(before)


def test_what_an_earlier_run_imported_is_taken_over_only_while_it_is_the_same(monkeypatch):
    code = notebook("import analysis.progress")
    fresh = provenance.inputs(code, Example())
    parsed = []
    monkeypatch.setattr(provenance, "imported_modules", lambda code: parsed.append(code) or imported_modules(code))
    assert provenance.inputs(code, Example(n=4), fresh) == fresh | {"parameters": {"n": 4}}
    assert not parsed
    (name, *_), other = fresh["modules"], notebook("import analysis.files")
    for earlier in (
        fresh | {"modules": fresh["modules"] | {name: "another content"}},
        fresh | {"modules": fresh["modules"] | {"analysis/removed.py": "content"}},
        fresh | {"notebook": "another"},
        provenance.inputs(other, Example()),
    ):
        parsed.clear()
        assert provenance.inputs(code, Example(), earlier) == fresh
        assert parsed


def test_versions_and_device_are_told_in_words():
    found = provenance.versions()
    assert found["python"].count(".") == 2
    assert {"numpy", "torch", "papermill"} <= set(found)
    assert provenance.device()

"""The runner: validated before it executes, publishes only what succeeded, reruns what has changed."""

import dataclasses
import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis.runs import catalogue, provenance, publish, runner
from analysis.runs.parameters import ParameterError
from analysis.sources import imported_modules, sha256

CHAPTER = "neuron_correlation"


def small_run(*sources, **values):
    """A chapter's run with a notebook of one's own; the first cell is the parameters cell."""
    parameters_cell = new_code_cell("n_seeds: int = 5", metadata={"tags": ["parameters"]}, id="p")
    cells = [parameters_cell, *(new_code_cell(source, id=f"c{i}") for i, source in enumerate(sources))]
    run = runner.prepare(CHAPTER, values=values)
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = new_notebook(cells=[new_markdown_cell("# Title", id="t"), *cells], metadata=kernel)
    return dataclasses.replace(
        run, notebook=notebook, made_from={**run.made_from, "notebook": sha256(str(sources).encode())}
    )


SHOW = """
from matplotlib.figure import Figure
from analysis.runs import plots
figure = Figure()
figure.subplots().plot([n_seeds, 2])
plots.show(figure, "line", {"y": [n_seeds, 2]})
from analysis.runs.claims import Claim, Ledger
from analysis.runs.rules import Above
from analysis.intervals import Measured
ledger = Ledger([Claim("a", "p", "s", "w", Above(0))], same_setting=False)
ledger.measure("a", Measured(1.0, 0.5, 1.5))
ledger.show()
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    output = tmp_path_factory.mktemp("run") / "out.ipynb"
    run = small_run(SHOW, n_seeds=7)
    return run, output, runner.execute(run, output, show_progress=False)


def test_a_run_writes_notebook_claims_and_numbers(executed):
    _, output, _ = executed
    assert sorted(os.listdir(output.parent)) == ["out.claims.json", "out.ipynb", "out.line.csv"]
    assert output.with_suffix(".line.csv").read_text() == "y\n7\n2\n"
    assert json.loads(output.with_suffix(".claims.json").read_text())[0]["verdict"] == "same direction"


def test_a_run_carries_its_provenance(executed):
    run, _, notebook = executed
    record = notebook.metadata.analysis
    assert record.key == run.key
    assert record.made_from.parameters.n_seeds == 7
    assert "analysis/runs/parameters.py" in record.made_from.modules
    assert record.versions.torch.startswith("2.13.0")
    assert "papermill" not in notebook.metadata


def test_a_finished_run_is_current_until_anything_changes(executed):
    run, output, _ = executed
    assert runner.is_current(run, output)
    for field, value in (("notebook", "x"), ("environment", "x"), ("data", {"images": "x"}), ("modules", {})):
        changed = dataclasses.replace(run, made_from={**run.made_from, field: value})
        assert not runner.is_current(changed, output), field


def test_two_runs_are_byte_identical_times_aside(executed, tmp_path):
    run, output, _ = executed
    runner.execute(run, tmp_path / "out.ipynb", show_progress=False)
    texts = []
    for path in (output, tmp_path / "out.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        del notebook.metadata.analysis["started"], notebook.metadata.analysis["seconds"]
        texts.append(nbformat.writes(notebook))
    assert texts[0] == texts[1]


def test_a_failing_notebook_shows_its_own_error_and_is_never_published(tmp_path):
    with pytest.raises(runner.RunError, match="ZeroDivisionError: division by zero") as caught:
        runner.execute(small_run("x = 1", "1 / 0"), tmp_path / "out.ipynb", show_progress=False)
    assert "1 / 0" in str(caught.value)
    assert os.listdir(tmp_path) == []


def test_a_kernel_that_dies_is_reported(tmp_path):
    with pytest.raises(runner.RunError, match="kernel stopped"):
        runner.execute(small_run("import os; os._exit(1)"), tmp_path / "out.ipynb", show_progress=False)
    assert os.listdir(tmp_path) == []


def test_a_failed_rerun_keeps_the_old_result(executed, tmp_path):
    _, output, _ = executed
    target = tmp_path / "out.ipynb"
    target.write_bytes(output.read_bytes())
    with pytest.raises(runner.RunError):
        runner.execute(small_run("1 / 0"), target, show_progress=False)
    assert target.read_bytes() == output.read_bytes()


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


def test_every_profile_has_its_expected_time():
    for profile in catalogue.profiles():
        for chapter in catalogue.chapters():
            fewest, most = runner.expected_seconds(runner.prepare(chapter, profile=profile))
            assert 0 < fewest < most


def test_the_expected_time_is_learnt_from_the_last_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    run = runner.prepare(CHAPTER, profile="quick")
    unknown = runner.expected_seconds(run)
    path = runner._timing_path(run)
    path.parent.mkdir(parents=True)
    amount = run.parameters.amount()
    path.write_text(json.dumps({"rates": [30 / amount, 100 / amount]}))
    assert runner.expected_seconds(run) == pytest.approx((24, 125))
    path.write_text('{"seconds": 1}')
    assert runner.expected_seconds(run) == unknown, "what an older version kept is no reason to fail"


def test_halves_that_differ_are_refused(tmp_path, monkeypatch):
    for suffix in (".md", ".ipynb"):
        (tmp_path / f"{CHAPTER}{suffix}").write_bytes((catalogue.BOOK / f"{CHAPTER}{suffix}").read_bytes())
    monkeypatch.setattr(catalogue, "BOOK", tmp_path)
    runner.prepare(CHAPTER)
    text = tmp_path / f"{CHAPTER}.md"
    text.write_text(text.read_text().replace("n_seeds: int = 5", "n_seeds: int = 6"))
    with pytest.raises(ParameterError, match="differ; 'python -m analysis pair neuron_correlation'"):
        runner.prepare(CHAPTER)


def test_staged_page_carries_numbers_and_provenance_but_no_private_outputs(executed):
    _, output, _ = executed
    page = publish.page(nbformat.read(output, as_version=4), f"book/{CHAPTER}")
    text = nbformat.writes(page)
    assert f"/book/data/{CHAPTER}.line.csv" in text
    assert "How this page was made" in text
    assert "application/vnd.analysis" not in text

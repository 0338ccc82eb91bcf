"""The runner: validated before it executes, publishes only what succeeded, reruns what has changed."""

import dataclasses
import errno
import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis import files
from analysis.cache import cache_dir
from analysis.runs import catalogue, provenance, runner
from analysis.runs.parameters import ParameterError
from analysis.sources import sha256

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


def test_every_profile_has_its_expected_time():
    for profile in catalogue.profiles():
        for chapter in catalogue.public_runs() if profile == catalogue.PUBLIC else catalogue.chapters():
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


# Where the result goes


def test_what_cannot_be_written_is_refused_before_anything_is_executed(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "_executed", lambda *_: pytest.fail("executed"))
    (tmp_path / "folder.ipynb").mkdir()
    for name, sentence in (("folder.ipynb", "it is a folder"), ("n" * 300 + ".ipynb", "longer than 180 bytes")):
        with pytest.raises(ParameterError, match=f"cannot be written: .*{sentence}"):
            runner.execute(small_run("x = 1"), tmp_path / name)
    assert os.listdir(tmp_path) == ["folder.ipynb"]


def test_of_two_runs_to_one_output_the_second_is_refused(tmp_path, monkeypatch):
    output = tmp_path / "out.ipynb"
    monkeypatch.setattr(runner, "_executed", lambda *_: runner.execute(small_run("x = 1"), output))
    with pytest.raises(ParameterError, match="is being written by another run"):
        runner.execute(small_run("x = 1"), output)
    assert os.listdir(tmp_path) == []


def test_on_a_disk_that_is_full_at_the_end_the_notebook_waits_and_nothing_appears(tmp_path, monkeypatch):
    executed = []

    def once(run, show_progress, original=runner._executed):
        executed.append(run.key)
        return original(run, show_progress)

    def full(path, content, original=files._partial):
        if path.parent == tmp_path:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(path, content)

    run, output = small_run(SHOW), tmp_path / "out.ipynb"
    monkeypatch.setattr(runner, "_executed", once)
    with monkeypatch.context() as small:
        small.setattr(files, "_partial", full)
        with pytest.raises(runner.RunError) as caught:
            runner.execute(run, output, show_progress=False)
    assert str(caught.value) == (
        f"'{output}' could not be written: no space left on device; the executed notebook is kept, and the same call "
        "writes it without running anything again."
    )
    assert os.listdir(tmp_path) == []
    runner.execute(run, output, show_progress=False)
    assert len(executed) == 1
    assert sorted(os.listdir(tmp_path)) == ["out.claims.json", "out.ipynb", "out.line.csv"]
    assert runner.is_current(run, output)
    assert list((cache_dir() / "unwritten").iterdir()) == []


def test_with_no_room_anywhere_one_sentence_says_so(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "_partial", full)
    with pytest.raises(runner.RunError, match="no room in the cache either: the run has to be repeated"):
        runner.execute(small_run("x = 1"), tmp_path / "out.ipynb", show_progress=False)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"\xff", b'{"rates": 1}', b'{"rates": [0]}', b'{"rates": ["nan"]}', b'{"rates": [1e999]}',
     b'{"rates": [-1]}', b'{"rates": [[]]}', b"[" * 100_000, b'{"rates": [' + b"9" * 5000 + b"]}"],
)  # fmt: skip
def test_a_record_of_times_of_any_content_is_no_obstacle(content, tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    run = runner.prepare(CHAPTER)
    without = runner.expected_seconds(run)
    (tmp_path / "timings").mkdir()
    runner._timing_path(run).write_bytes(content)
    assert runner.expected_seconds(run) == without


@pytest.mark.parametrize("suffix", [".md", ".ipynb"])
@pytest.mark.parametrize("damage", [lambda whole: whole[: len(whole) // 2], lambda whole: b"\xff\xfe" + whole, None])
def test_a_damaged_half_of_a_pair_is_refused_in_one_sentence(suffix, damage, tmp_path, monkeypatch):
    for half in (".md", ".ipynb"):
        (tmp_path / f"{CHAPTER}{half}").write_bytes((catalogue.BOOK / f"{CHAPTER}{half}").read_bytes())
    monkeypatch.setattr(catalogue, "BOOK", tmp_path)
    path = tmp_path / f"{CHAPTER}{suffix}"
    path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
    with pytest.raises(ParameterError, match=f"Chapter '{CHAPTER}': .*(differ|cannot be read)") as caught:
        runner.prepare(CHAPTER)
    assert "\n" not in str(caught.value)


def test_without_a_lock_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "LOCK", tmp_path / "requirements.lock")
    with pytest.raises(ParameterError, match=r"'requirements\.lock', .* cannot be read .*'make lock'"):
        runner.prepare(CHAPTER)


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"a: &a [*a]", b"a: " + b"[" * 20_000, b"", b"[]",
     b"neuron_correlation: 1", b"neuron_correlation: {}",
     b"neuron_correlation: {parameters: [], seconds: 1}", b"neuron_correlation: {parameters: {}, seconds: -1}",
     b"neuron_correlation: {parameters: {}, seconds: .nan}", b"neuron_correlation: {parameters: {}, seconds: soon}",
     b"neuron_correlation: {parameters: {n_seeds: 1, n_seeds: 2}, seconds: 1}"],
)  # fmt: skip
def test_a_damaged_profile_is_refused_in_one_sentence(content, tmp_path, monkeypatch):
    (tmp_path / "mine.yml").write_bytes(content)
    monkeypatch.setattr(catalogue, "PROFILES", tmp_path)
    with pytest.raises(ParameterError, match="Profile 'mine'") as caught:
        runner.prepare(CHAPTER, profile="mine")
    assert "\n" not in str(caught.value)

"""Pages made of executed notebooks: what is folded, the note on how each was made, nothing private; a whole swap."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.runs import outputs, publish, runner

CHAPTER = "neuron_correlation"


@pytest.fixture
def executed():
    """An executed notebook with a figure and a table of claims, as the runner leaves it."""
    run = runner.prepare(CHAPTER, profile="quick")
    figure = {"text/plain": "Figure: line", outputs.FIGURE: {"name": "line", "csv": "y\n1\n"}}
    cells = [new_markdown_cell("# Title", id="t"), new_code_cell("show", id="f", outputs=[
        new_output("display_data", figure), new_output("display_data", {outputs.CLAIMS: [], "text/html": "table"})
    ])]  # fmt: skip
    notebook = new_notebook(cells=cells)
    record = {"profile": "quick", "started": "2026-01-02T03:04:05", "seconds": 7.0, "device": "CPU", "key": run.key}
    record |= {"made_from": run.made_from, "versions": {"numpy": "2.0"}}
    notebook.metadata["analysis"] = nbformat.from_dict(record)
    return notebook


def test_a_page_carries_numbers_and_provenance_but_no_private_outputs(executed):
    page = publish.page(executed, f"book/{CHAPTER}")
    text = nbformat.writes(page)
    assert f"/book/data/{CHAPTER}.line.csv" in text
    assert "application/vnd.analysis" not in text
    assert "table" in text
    last = page.cells[-1].source
    assert "How this page was made" in last
    assert "7 seconds on CPU" in last
    assert "seeds" in last
    cited = page.cells[-2].source
    assert "Title. In *How alike do neural networks see?*, version" in cited
    assert "run of 2026-01-02" in cited


def test_a_fingerprint_moves_with_names_and_contents():
    stage = {Path("a.md"): b"1", Path("b.md"): b"2"}
    others = [{Path("a.md"): b"1", Path("c.md"): b"2"}, {Path("a.md"): b"1", Path("b.md"): b"3"}]
    prints = {publish._fingerprint(files) for files in (stage, *others)}
    assert len(prints) == 3
    assert publish._fingerprint(dict(reversed(stage.items()))) == publish._fingerprint(stage)


def test_the_staging_folder_holds_just_the_files_and_keeps_what_is_unchanged(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "_STAGE", tmp_path)
    publish._write_stage({Path("a.md"): b"1", Path("book/b.md"): b"2"})
    (tmp_path / "_build").mkdir()
    (tmp_path / "_build" / "kept").write_text("x")
    before = (tmp_path / "a.md").stat().st_mtime_ns
    publish._write_stage({Path("a.md"): b"1"})
    assert (tmp_path / "a.md").stat().st_mtime_ns == before
    assert not (tmp_path / "book" / "b.md").exists()
    assert (tmp_path / "_build" / "kept").exists()


def test_new_pages_replace_old_ones_and_the_stamp_comes_last(tmp_path, monkeypatch):
    monkeypatch.setattr(publish, "BUILD", tmp_path)
    monkeypatch.setattr(publish, "HTML", tmp_path / "html")
    for number in (1, 2):
        source = tmp_path / "source"
        source.mkdir(exist_ok=True)
        (source / f"page{number}.html").write_text("x")
        publish._publish(source, f"print{number}")
        (source / f"page{number}.html").unlink()
    assert sorted(path.name for path in (tmp_path / "html").iterdir()) == [publish._STAMP, "page2.html"]
    assert (tmp_path / "html" / publish._STAMP).read_text() == "print2"


def folded(cells):
    facts = {"profile": "", "started": "", "seconds": 1.0, "device": "", "key": "", "versions": {}}
    made_from = {"data": {}, "parameters": {}, "notebook": "", "modules": {}}
    page = publish.page(new_notebook(cells=cells, metadata={"analysis": facts | {"made_from": made_from}}), "book/x")
    return [cell.source for cell in page.cells if "hide-input" in cell.metadata.get("tags", [])]


def test_parameters_and_the_methods_example_stay_open():
    cells = [
        new_markdown_cell("# Title"),
        new_code_cell("early()"),
        new_markdown_cell("## The method\n\nBy hand:"),
        new_code_cell("score([[1, 2]])"),
        new_markdown_cell("### A detail"),
        new_code_cell("score([[2, 1]])"),
        new_markdown_cell("## The run"),
        new_code_cell("n = 1", metadata={"tags": ["parameters"]}),
        new_code_cell("ledger.show()", metadata={"tags": ["remove-input"]}),
        new_code_cell("draw()"),
    ]
    assert folded(cells) == ["early()", "draw()"]


@pytest.mark.parametrize(
    ("hashes", "profile", "text"),
    [
        ({}, "default", "none"),
        ({}, "public", "not noted by this run"),
        ({"a/b": "0123456789"}, "public", "1: ` a/b ` `01234567`"),
    ],
)
def test_data_files_by_name(hashes, profile, text):
    assert publish._data_files(hashes, profile) == text


def test_many_data_files_by_folder():
    hashes = {f"{'ab'[n % 2]}/{n}.csv": str(n) * 8 for n in range(20)}
    text = publish._data_files(hashes, "public")
    assert text.startswith("20: ` a/ ` (10) `")
    assert publish._data_files(dict(reversed(hashes.items())), "public") == text
    assert publish._data_files(hashes | {"b/19.csv": "other"}, "public") != text

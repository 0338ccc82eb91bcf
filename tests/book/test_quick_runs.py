"""Every chapter runs with the quick profile, from any directory, and plain papermill is held to the same rules."""

import json
import re
import subprocess
import sys

import nbformat
import papermill
import pytest

from analysis.runs import catalogue, harmless, outputs, values, verdicts

VERDICTS = set(verdicts.MEANING) - {verdicts.HELD, verdicts.FAILED, verdicts.OPEN}


def test_every_chapter_records_its_claims(quick_runs):
    papers = [chapter for chapter in quick_runs if about_a_paper(chapter)]
    assert len(papers) >= 4
    for chapter in papers:
        rows = json.loads(quick_runs[chapter].with_suffix(".claims.json").read_text())
        assert len(rows) >= 3, chapter
        assert {row["verdict"] for row in rows} <= VERDICTS
        assert any(row["measured"] for row in rows)
        assert not any(row["verdict"] == verdicts.REPRODUCED for row in rows), "embedded data are not the paper's"


def about_a_paper(chapter):
    claims = catalogue.CHAPTERS / chapter / "claims.py"
    return claims.is_file() and "\nCLAIMS = " in claims.read_text(encoding="utf-8")


def test_the_chapter_of_our_own_records_its_hypotheses(quick_runs):
    rows = json.loads(quick_runs["choosing_stimuli"].with_suffix(".hypotheses.json").read_text())
    assert len(rows) == 9
    assert all(row["measured"] for row in rows)
    assert {row["verdict"] for row in rows} <= {verdicts.HELD, verdicts.FAILED, verdicts.OPEN}
    assert json.loads(quick_runs["choosing_stimuli"].with_suffix(".claims.json").read_text()) == []


def test_every_rule_is_put_to_noise(quick_runs):
    for chapter, path in quick_runs.items():
        rows = json.loads(path.with_suffix(".claims.json").read_text())
        rows += json.loads(path.with_suffix(".hypotheses.json").read_text()) if ours(path) else []
        assert not [row["id"] for row in rows if row["measured"] and not row["noise"]], chapter


def ours(path):
    return path.with_suffix(".hypotheses.json").is_file()


def test_written_notebooks_read_complete(quick_runs):
    """The numbers of the text are those that the cells told, in any viewer."""
    for chapter, path in quick_runs.items():
        asked = re.findall(r"\{glue:text\}`([^`]+)`", catalogue.text_half(chapter).read_text())
        notebook = nbformat.read(path, as_version=4)
        written = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        told = values.told(notebook)
        assert asked
        assert "{glue" not in written
        assert set(asked) <= set(told), "the zoo's own run measures everything"
        # A text that is no number is no markup either.
        texts = [row["text"] if "value" in row else harmless.markdown(row["text"]) for row in map(told.get, asked)]
        assert all(text in written for text in texts), chapter


def test_every_figure_has_its_numbers_beside_the_notebook(quick_runs):
    for chapter, path in quick_runs.items():
        notebook = nbformat.read(path, as_version=4)
        always = [cell for cell in notebook.cells if re.search(r"^plots\.(show|slide)\(", cell.source, re.MULTILINE)]
        assert all(cell.outputs for cell in always), chapter
        drawn = [figure["name"] for figure in outputs.embedded(notebook, outputs.FIGURE)]
        assert len(drawn) >= len(always) > 3
        numbers = {name: path.with_suffix(f".{name}.csv").read_text() for name in drawn}
        assert len(numbers) == len(drawn) == len(list(path.parent.glob(f"{path.stem}.*.csv")))
        assert all(len(text.splitlines()) > 1 for text in numbers.values())


def test_no_cell_wrote_warnings_or_progress_into_the_notebook(quick_runs):
    for path in quick_runs.values():
        written = [out for cell in nbformat.read(path, as_version=4).cells for out in cell.get("outputs", [])]
        assert [out.text for out in written if out.output_type == "stream"] == []


def test_a_second_call_runs_nothing(quick_runs):
    chapter, path = next(iter(quick_runs.items()))
    before = path.read_bytes()
    call = [sys.executable, "-m", "analysis", "run", chapter, "--profile", "quick", "-o", path.name]
    result = subprocess.run(call, cwd=path.parent, capture_output=True, text=True, check=True)
    assert "up to date" in result.stdout
    assert path.read_bytes() == before


def test_a_run_on_a_line_up_judges_no_paper(line_up_run):
    assert json.loads(line_up_run.with_suffix(".claims.json").read_text()) == []
    found = json.loads(line_up_run.with_suffix(".findings.json").read_text())
    assert len(found) >= 3
    assert all(row["measured"] for row in found)
    squares = [row["id"] for row in found if row["id"].startswith("squares")]
    assert not squares, "the zoo's squares are nobody's own finding"


def test_a_run_on_a_line_up_is_about_its_models(line_up_run):
    notebook = nbformat.read(line_up_run, as_version=4)
    shown = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    assert [out.text for out in shown if out.output_type == "stream"] == []
    numbers = "".join(path.read_text() for path in line_up_run.parent.glob("*.csv"))
    assert "resnet-8-b1" in numbers
    written = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "{glue" not in written


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [({"n_seedz": 3}, "did you mean 'n_seeds'"), ({"n_seeds": 0}, "must be an integer of at least 1")],
)
def test_plain_papermill_is_held_to_the_same_rules(parameters, sentence, tmp_path):
    source = catalogue.BOOK / "neuron_correlation.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match=sentence):
        papermill.execute_notebook(source, tmp_path / "out.ipynb", parameters, progress_bar=False)


def test_every_text_of_a_figure_can_be_read_on_the_page(quick_runs):
    """At least 8 points in a column of 700 pixels; outlines of 100 units an em are scaled to a text's size."""
    for chapter, path in quick_runs.items():
        for cell in nbformat.read(path, as_version=4).cells:
            for svg in (out.data.get("image/svg+xml") for out in cell.get("outputs", []) if "data" in out):
                if svg:
                    width = float(re.search(r'<svg[^>]*\bwidth="([\d.]+)pt"', svg)[1])
                    sizes = re.findall(r'<g id="text_\d+">.*?scale\(([\d.]+) -', svg, re.DOTALL)
                    assert 100 * min(map(float, sizes)) * min(1, 525 / width) >= 7.99, (chapter, cell.source)

"""The chapters' sources: pairs that agree, parameters that are checked, cells that can be read."""

import re

import nbformat
import papermill
import pytest
from jupytext.compare import compare_notebooks

from analysis.runs import catalogue, pairs

CHAPTERS = catalogue.chapters()
SECTIONS = ("The claim", "The method", "The run", "Paper against this run", "What would change the answer", "Exercises")


@pytest.fixture(params=CHAPTERS)
def chapter(request):
    return request.param


def notebook(chapter):
    return nbformat.read(catalogue.text_half(chapter).with_suffix(".ipynb"), as_version=4)


def test_there_is_a_chapter():
    assert "neuron_correlation" in CHAPTERS


def test_the_halves_say_the_same(chapter):
    written = pairs.notebook_from_text(catalogue.text_half(chapter))
    compare_notebooks(notebook(chapter), written, fmt="md:myst", compare_ids=True)
    assert catalogue.text_half(chapter).with_suffix(".ipynb").read_text() == nbformat.writes(written) + "\n"


def test_no_outputs_are_committed(chapter):
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook(chapter).cells)


def test_the_parameters_cell_says_what_the_model_says(chapter):
    """Papermill reads names, types, defaults and help from the cell; the runner reads them from the model."""
    seen = papermill.inspect_notebook(str(catalogue.text_half(chapter).with_suffix(".ipynb")))
    fields = catalogue.parameters_of(chapter).model_fields
    assert list(seen) == list(fields)
    for name, field in fields.items():
        assert seen[name]["help"] == field.description, name
        assert eval(seen[name]["default"]) == field.default, name
        assert seen[name]["inferred_type_name"] == type(field.default).__name__, name


def test_the_first_code_cells_set_and_check_the_parameters(chapter):
    first, second = [cell for cell in notebook(chapter).cells if cell.cell_type == "code"][:2]
    assert first.metadata.tags == ["parameters"]
    assert "Parameters.from_notebook(globals())" in second.source


def test_cells_are_short(chapter):
    long = [
        cell.source for cell in notebook(chapter).cells if cell.cell_type == "code" and cell.source.count("\n") > 20
    ]
    assert not long


def test_every_figure_has_a_caption_and_an_alternative_text(chapter):
    figures = [cell for cell in notebook(chapter).cells if re.search(r"plots\.(show|slide)\(", cell.source)]
    assert figures
    for cell in figures:
        assert cell.metadata.mystnb.figure.caption.strip()
        assert len(cell.metadata.mystnb.image.alt) > 20


def test_the_chapter_follows_the_template(chapter):
    text = catalogue.text_half(chapter).read_text()
    assert "What you will be able to do" in text
    assert "## What to take home" in text
    if not (catalogue.CHAPTERS / chapter / "claims.py").is_file():
        return  # a page about no paper
    assert not [section for section in SECTIONS if f"## {section}" not in text]

"""Pages made of executed notebooks: what is folded, and what stands in the note on how a page was made."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis.runs import publish


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
        ({"a/b": "0123456789"}, "public", "1: `a/b` `01234567`"),
    ],
)
def test_data_files_by_name(hashes, profile, text):
    assert publish._data_files(hashes, profile) == text


def test_many_data_files_by_folder():
    hashes = {f"{'ab'[n % 2]}/{n}.csv": str(n) * 8 for n in range(20)}
    text = publish._data_files(hashes, "public")
    assert text.startswith("20: `a/` (10) `")
    assert publish._data_files(dict(reversed(hashes.items())), "public") == text
    assert publish._data_files(hashes | {"b/19.csv": "other"}, "public") != text

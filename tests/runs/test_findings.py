"""Cards show the figure and the numbers of their page, and nothing that is not there."""

from pathlib import Path

import pytest
import yaml
from nbformat.v4 import new_code_cell, new_notebook, new_output

from analysis.runs import findings
from analysis.runs.outputs import FIGURE, VALUES
from analysis.runs.runner import RunError
from analysis.runs.values import row

CARD = {"title": "Found", "page": "book/public/one", "figure": "dots", "text": "It is {gap} for {who}, {gap}."}


@pytest.fixture
def pages():
    data = {"image/svg+xml": "<svg/>", FIGURE: {"name": "dots", "csv": "x\n1\n"}}
    told = {VALUES: [row("gap", 0.125), row("who", "*all*")]}
    cell = new_code_cell("", outputs=[new_output("display_data", data), new_output("display_data", told)])
    cell.metadata["mystnb"] = {"image": {"alt": "Dots in rows."}}
    return {"book/public/one": new_notebook(cells=[cell])}


def listed(folder, **changes) -> Path:
    path = folder / "findings.yml"
    path.write_text(yaml.safe_dump([CARD | changes]), encoding="utf-8")
    return path


def test_a_card_has_its_figure_its_numbers_and_its_link(tmp_path, pages):
    files = findings.staged(listed(tmp_path), pages)
    assert files.pop(Path("book/_static/cards/dots.svg")) == b"<svg/>"
    text = files.pop(Path("book/generated/findings.md")).decode()
    assert not files
    assert "{grid-item-card} Found" in text
    assert "It is 0.12 for \\*all\\*, 0.12." in text
    assert ":link: public/one\n" in text
    assert ":img-alt: Dots in rows.\n" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"page": "book/two"}, "there is no page 'book/two'"),
        ({"figure": "lines"}, "shows the figure 'lines', which book/public/one does not have"),
        ({"text": "{gapp}"}, "asks for 'gapp', which book/public/one does not tell"),
    ],
)
def test_what_is_not_there_is_named(tmp_path, pages, changes, message):
    with pytest.raises(RunError, match=message):
        findings.staged(listed(tmp_path, **changes), pages)

"""Values told to the text: what readers see is sensible, what programs get is exact."""

import math

import numpy as np
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, output_from_msg

from analysis.intervals import Measured
from analysis.runs import outputs, publish, values

NUMBERS = (0, 7, 25_600, -3, 0.5, 1234.5, -0.0004, 3.1e-7, 0.1 + 0.2, math.inf, -math.inf, math.nan)


@pytest.fixture
def cell(monkeypatch):
    """A code cell that holds what is displayed while a test runs."""
    import IPython.display
    import myst_nb.ext.glue

    made = new_code_cell("tell(...)")

    def keep(data, raw, metadata=None):
        content = {"data": data, "metadata": metadata or {}}
        made.outputs.append(output_from_msg({"header": {"msg_type": "display_data"}, "content": content}))

    monkeypatch.setattr(IPython.display, "display", keep)
    monkeypatch.setattr(myst_nb.ext.glue, "ipy_display", keep)
    monkeypatch.setattr(
        myst_nb.ext.glue.IPython.core.formatters, "format_display_data", lambda x: ({"text/plain": repr(x)}, {})
    )
    return made


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_come_back_as_they_were(cell, number):
    values.tell(x=number, m=Measured(number, -math.inf, math.inf))
    found = values.told(new_notebook(cells=[cell]))
    assert [found["x"]["value"], found["m"]["value"]] == pytest.approx([number, number], rel=0, abs=0, nan_ok=True)
    assert (found["m"]["low"], found["m"]["high"]) == (-math.inf, math.inf)


def test_the_text_and_the_number_have_one_name_and_leave_the_page(cell):
    values.tell(n_models=1024, who="people")
    glued = [(out.metadata.scrapbook.name, *out.data.values()) for out in cell.outputs if "scrapbook" in out.metadata]
    assert glued == [("n-models", "'1,024'"), ("who", "'people'")]
    assert list(values.told(new_notebook(cells=[cell]))) == ["n-models", "who"]
    assert outputs.taken(cell, outputs.VALUES)
    assert len(cell.outputs) == 2


def test_the_text_reads_complete_and_no_value_is_markup(cell):
    values.tell(n_models=1024, who="a_b*c", gain=Measured(0.5, 0.25, 0.75))
    text = "{glue:text}`n-models` by *{glue:text}`who`*: {glue:text}`gain`, {glue:text}`other`"
    notebook = new_notebook(cells=[new_markdown_cell(text), cell])
    values.complete(notebook)
    assert notebook.cells[0].source == r"1,024 by *a\_b\*c*: 0.50 [0.25, 0.75], not measured"
    assert notebook.cells[1] == cell
    assert values.told(notebook)["n-models"]["value"] == 1024


def test_pages_hold_none_of_the_books_own_types(cell):
    values.tell(x=1)
    made_from = {"data": {}, "parameters": {}, "notebook": "", "modules": {}}
    facts = {"profile": "", "started": "", "seconds": 1.0, "device": "", "key": "", "versions": {}}
    notebook = new_notebook(cells=[cell], metadata={"analysis": facts | {"made_from": made_from}})
    shown = [
        list(out.data) for page_cell in publish.page(notebook, "book/x").cells for out in page_cell.get("outputs", [])
    ]
    assert shown == [["application/papermill.record/text/plain"]]


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (25_600, "", "25,600"),
        (np.int64(12), "", "12"),
        (0.87, "", "0.87"),
        (-0.0321, "", "-0.032"),
        (0.00012, "", "0.00012"),
        (3.1e-7, "", "3.1e-07"),
        (0.0, "", "0.00"),
        (999.994, "", "999.99"),
        (999.999, "", "1,000"),
        (1234.5, "", "1,234"),
        (0.875, ".0%", "88%"),
        (math.nan, ".0%", "not defined"),
        (-math.inf, "", "-∞"),
        (np.str_("all"), "", "all"),
        (Measured(0.641, 0.602, 0.683), "", "0.64 [0.60, 0.68]"),
        (Measured(-0.001, -0.012, 0.01), "", "0.00 [-0.01, 0.01]"),
        (Measured(0.641, 0.602, 0.683), ".1%", "64.1% [60.2%, 68.3%]"),
        (Measured(0.5, -math.inf, math.inf), "", "0.50 [-∞, ∞]"),
        (Measured(math.nan, math.nan, math.nan), "", "not defined"),
    ],
)
def test_texts(value, form, text):
    assert values.row("x", value, form)["text"] == text


@pytest.mark.parametrize("size", [0.1, 0.02, 0.003, 0.0004, 5.0, 60.0, 500.0])
def test_numbers_keep_two_digits_that_are_not_leading_zeros(size):
    for number in size * np.linspace(1, 1.9, 10):
        assert float(values.row("x", number)["text"]) == pytest.approx(number, rel=0.05)


@pytest.mark.parametrize("value", [True, None, [1], 1j])
def test_other_things_are_refused(value):
    with pytest.raises(ValueError, match="'x' must be a text, a number or a measurement, got"):
        values.row("x", value)


def test_a_text_takes_no_form():
    with pytest.raises(ValueError, match="'x' must be a number or a measurement if a form is given, got 'all'"):
        values.row("x", "all", ".2f")

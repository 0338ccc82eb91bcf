"""What others wrote is shown as it is: Markdown finds no markup in it, and a spreadsheet no formula."""

import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from myst_parser.config.main import MdParserConfig
from myst_parser.mdit_to_docutils.base import DocutilsRenderer
from myst_parser.parsers.mdit import create_md_parser

from analysis.runs import harmless, plots

HOSTILE = (
    "`<img src=x onerror=alert(1)>`",
    "<script>alert(1)</script>",
    "{raw}`html`",
    "{{ 7 * 7 }}",
    "[x](javascript:alert(1))",
    "![x](y.png)",
    "a|b",
    "**b** __b__ ~~b~~",
    "$x^2$",
    "\\frac{1}{$",
    "&lt;b&gt;",
    "two\nlines\n# heading",
    "```",
    '=HYPERLINK("http://x")',
    "-1+1",
    "@SUM(A1)",
    "+cmd|' /C calc'!A0",
    "\x1b[31mred",
)
EXTENSIONS = {"dollarmath", "amsmath", "substitution", "strikethrough", "attrs_inline"}


def shown(markdown):
    """The texts and the kinds of nodes that MyST makes of one line of Markdown."""
    parser = create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), DocutilsRenderer)
    (inline,) = [token for token in parser.parse(markdown) if token.type == "inline"]
    return "".join(token.content for token in inline.children), {token.type for token in inline.children}


@pytest.mark.parametrize("text", HOSTILE)
def test_no_hostile_text_is_markup(text):
    found, kinds = shown("x " + harmless.markdown(text))
    assert kinds <= {"text", "text_special"}
    assert found == "x " + re.sub(r"[\n\x1b]", " ", text)


@given(st.text(max_size=30))
def test_no_text_is_markup(text):
    found, kinds = shown(f"x{harmless.markdown(text)}x")
    assert kinds <= {"text", "text_special"}
    assert found == "x" + "".join(part if part.isprintable() else " " for part in text) + "x"


@given(st.text(max_size=30).filter(str.strip))
def test_code_ends_where_it_should(text):
    parser = create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), DocutilsRenderer)
    tokens = parser.parse(f"| a | b |\n|---|---|\n| {harmless.code(text)} | x |")
    first, second = [token for token in tokens if token.type == "inline"][2:]
    (inner,) = first.children
    assert inner.type == "code_inline"
    assert inner.content.strip() == "".join(part if part.isprintable() else " " for part in text).strip()
    assert second.content == "x"


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula(text):
    written = harmless.csv(pd.DataFrame({text: [1.0], "model": [text], "n": [-1]}))
    found = pd.read_csv(io.StringIO(written), dtype=str, keep_default_na=False)
    cells = [*found.columns, *found.iloc[0]]
    assert [cell[1:] if cell.startswith("'") else cell for cell in cells] == [text, "model", "n", "1.0", text, "-1"]
    assert not [cell for cell in cells if cell[0] in "=+@\t\r" or (cell[0] == "-" and cell != "-1")]


def test_numbers_written_as_text_stay_numbers():
    table = pd.DataFrame({"value": ["-0.5", "+1", "-1e-3", "-12%", "-"], "mixed": [-1, "-x", None, 2.5, "=1"]})
    assert harmless.csv(table).splitlines()[1:] == ["-0.5,-1", "+1,'-x", "-1e-3,", "-12%,2.5", "'-,'=1"]


def test_a_table_without_rows_or_columns_is_written():
    assert harmless.csv(pd.DataFrame()).strip() == ""
    assert harmless.csv(pd.DataFrame({"a": []})) == "a\n"
    assert harmless.csv(pd.DataFrame([[1, 2]], columns=["a", "a"])) == "a,a\n1,2\n"


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("text", HOSTILE)
def test_a_figure_shows_any_name(text):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 10], [1, 10], label=text)
    axes.set(title=text, xscale="log", yticks=[1, 2], yticklabels=[text, "b"])
    axes.legend()
    plots.make_legible(figure)
    plots.take_literally(figure)
    _, picture = plots._drawn(figure, "name")
    assert "<script" not in picture
    assert "onerror=alert(1)>" not in re.sub("<!--.*?-->", "", picture)

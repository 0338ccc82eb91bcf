"""A page that needs no other file: text and numbers complete, code folded, nothing from another host."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.runs import standalone

PNG = "iVBORw0KGgo="
SOLUTION = "```{admonition} Solution\n:class: dropdown\nForty-*two*.\n```"
EQUATION = "$$\ns_1 = 1\n$$ (eq-one)\n\nBy {eq}`eq-one`."
ROLES = "See {numref}`fig-a`, {doc}`public/neuron_correlation` and {cite:t}`li2015`."


def shown(source, data, tags=(), **metadata):
    outputs = [new_output("display_data", data)] if data else []
    return new_code_cell(source, outputs=outputs, metadata={"tags": list(tags), **metadata})


@pytest.fixture(scope="module")
def page():
    figure = {"figure": {"name": "fig-a", "caption": "Scores."}, "image": {"alt": "A line."}}
    cells = [
        new_markdown_cell(f"# Title & more\n\n{ROLES}"),
        new_markdown_cell(f"The score is $s_0$.\n\n{SOLUTION}\n\n{EQUATION}"),
        shown("n = 3", {}, ["parameters"]),
        shown("draw(n < 4)", {"image/svg+xml": "<?xml?>\n<svg id='drawn'></svg>"}, mystnb=figure),
        shown("show()", {"image/png": PNG}, ["remove-input"]),
        shown("hidden_call()", {"text/plain": "hidden"}, ["remove-cell"]),
        shown("told()", {"application/vnd.analysis.values+json": []}),
        shown("ledger", {"text/html": "<table class='claims'></table>", "text/plain": "as text"}),
    ]
    return standalone.page(new_notebook(cells=cells))


def test_nothing_comes_from_elsewhere(page):
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=[\"']?https?:", outside)
    assert "MathJax" in page


def test_roles_become_words_and_figures_have_numbers(page):
    assert "See Fig. 1, neuron correlation and (Li 2015)." in page
    assert "<figcaption>Fig. 1. <p>Scores.</p>" in page
    assert "<svg id='drawn'>" in page
    assert "<?xml" not in page.partition("<body>")[2]
    assert f"data:image/png;base64,{PNG}" in page
    assert "<title>Title &amp; more</title>" in page


def test_equations_have_numbers(page):
    assert "\\tag*{(1)}" in page
    assert "By (1)." in page
    assert "eq-one" not in page.partition("<body>")[2]


def test_code_is_folded_but_for_the_parameters(page):
    body = page.partition("<body>")[2]
    assert "<pre><code>n = 3</code></pre>" in body
    assert "<details><summary>Code</summary><pre><code>draw(n &lt; 4)</code></pre></details>" in body
    assert "show()" not in body
    assert "hidden" not in body


def test_solutions_are_folded(page):
    assert re.search(
        r'<details class="[^"]*dropdown[^"]*"><summary>Solution</summary>.*?Forty-<em>two', page, re.DOTALL
    )


def test_tables_are_shown_once(page):
    body = page.partition("<body>")[2]
    assert body.count("<table class='claims'>") == 1
    assert "as text" not in body

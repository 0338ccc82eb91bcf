"""Hostile names of models, files, metrics and parameters, through a run, its page and its single file, in a browser."""

import dataclasses
import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from analysis.runs import publish, repository, runner, standalone
from analysis.sources import ROOT

CHAPTER = "neuron_correlation"
# Each would set window.hacked, run as a template or a role, or break the table that it stands in.
NAMES = [
    "`<img src=x onerror='window.hacked=1'>`",
    "<script>window.hacked=1</script>",
    "|</code></td><svg onload='window.hacked=1'>",
    "{raw}`html`{{ 7 * 7 }}",
    "[click](javascript:window.hacked=1)",
    "=HYPERLINK('http://elsewhere')",
    "$\\frac{1}{$",
    "```\n# heading",
    "**bold** _b_ \\* &lt;",
]
CODE = f"""
import pandas as pd
from matplotlib.figure import Figure
from analysis.intervals import Measured
from analysis.runs import plots, values
from analysis.runs.claims import Claim, Ledger
from analysis.runs.rules import Above
names = {NAMES!r}
values.tell(**{{f"name_{{place}}": name for place, name in enumerate(names)}})
figure = Figure()
axes = figure.subplots()
axes.barh(range(len(names)), range(len(names)))
axes.set(yticks=range(len(names)), yticklabels=names, title=names[0], xlabel=names[6])
plots.show(figure, "line", {{"model": names, names[5]: range(len(names))}})
claims = [Claim(f"c{{place}}", name, name, name, Above(0)) for place, name in enumerate(names)]
ledger = Ledger(claims, same_setting=False)
for place, name in enumerate(names):
    ledger.measure(f"c{{place}}", Measured(1.0, 0.5, 1.5, name))
ledger.show()
display(pd.DataFrame({{"name": names}}).set_index("name"))
"""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A run whose parameters, data files, told values, figures, claims and tables hold the names."""
    told = "\n\n".join(f"Told: {{glue:text}}`name-{place}`." for place in range(len(NAMES)))
    cells = [
        new_markdown_cell("# Title", id="t"),
        new_code_cell("n_seeds = 5", metadata={"tags": ["parameters"]}, id="p"),
        new_markdown_cell(told, id="told"),
        new_code_cell(CODE, id="c"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    run = runner.prepare(CHAPTER, values={"n_seeds": 2})
    made_from = {
        **run.made_from,
        "parameters": {f"name_{place}": name for place, name in enumerate(NAMES)},
        "data": dict.fromkeys(NAMES, "0" * 64),
    }
    run = dataclasses.replace(run, notebook=new_notebook(cells=cells, metadata=kernel), made_from=made_from)
    output = tmp_path_factory.mktemp("hostile") / "out.ipynb"
    runner.execute(run, output, show_progress=False)
    return output


@pytest.fixture(scope="module")
def pages(executed, tmp_path_factory):
    """The page of the book, built as strictly as the book, and the single file."""
    stage = tmp_path_factory.mktemp("stage")
    notebook = nbformat.read(executed, as_version=4)
    files = runner.side_files(notebook, publish._data_path("book/x"))
    files = {str(path): text for path, text in files.items()} | {
        "_config.yml": repository.staged(ROOT / "_config.yml")[Path("_config.yml")].decode(),
        "_toc.yml": "format: jb-book\nroot: book/intro\nparts:\n  - chapters:\n      - file: book/x\n",
        "book/intro.md": "# Intro\n",
        "book/x.ipynb": nbformat.writes(publish.page(notebook, "book/x")),
        "book/references.bib": "",
        "book/_static/book.js": "",
        "book/_static/book.css": "",
    }
    for name, text in files.items():
        (stage / name).parent.mkdir(parents=True, exist_ok=True)
        (stage / name).write_text(text, encoding="utf-8")
    (stage / "book/_static/favicon.png").write_bytes((ROOT / "book/_static/favicon.png").read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publish, "_STAGE", stage)
        publish._sphinx()
    single = executed.with_suffix(".html")
    single.write_text(standalone.page(nbformat.read(executed, as_version=4)), encoding="utf-8")
    return {"book": stage / "_build" / "html" / "book" / "x.html", "single file": single}


def plain(text):
    """The text on one line, with straight quotes: in prose, Sphinx makes them curly."""
    return " ".join(text.translate(str.maketrans("‘’“”", "''\"\"")).split())


@pytest.mark.browser
@pytest.mark.parametrize("kind", ["book", "single file"])
def test_nothing_that_others_wrote_is_executed_and_all_of_it_is_shown(kind, pages, browser):
    browser.get(pages[kind].as_uri())
    assert browser.execute_script("return window.hacked") is None
    assert not browser.execute_script("return [...document.querySelectorAll('a[href^=\"javascript:\"]')].length")
    assert not browser.execute_script(
        "return [...document.querySelectorAll('img')].filter(i => i.src.endsWith('/x')).length"
    )
    text = plain(browser.execute_script("return document.querySelector('article, body').textContent"))
    for place, name in enumerate(NAMES):
        assert f"Told: {plain(name)}." in text
        assert text.count(plain(name)) >= 3, name  # told, in the table of claims, in the table of names
        if kind == "book":
            assert plain(f"name_{place} = {name!r}") in text, "in the provenance"


def test_no_cell_of_the_numbers_is_a_formula(executed):
    lines = executed.with_suffix(".line.csv").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if line.lstrip('"')[:1] in "=+-@"]
    assert "'=HYPERLINK('http://elsewhere')" in lines[0]
    rows = json.loads(executed.with_suffix(".claims.json").read_text(encoding="utf-8"))
    assert [row["statement"] for row in rows] == NAMES

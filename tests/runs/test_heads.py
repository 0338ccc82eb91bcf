"""The head of a page: what its reader needs and gets, times as they were measured, and badges in the contents."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.plain_yaml import read_yaml
from analysis.runs import catalogue, heads, outputs
from analysis.runs.runner import RunError
from analysis.sources import ROOT

RAN_ON = {"book/public/one": "A & B"}


def executed(source="# Title", profile="quick", seconds=41.6):
    figure = new_output("display_data", {outputs.FIGURE: {"name": "line", "csv": "y\n1\n"}})
    notebook = new_notebook(cells=[new_markdown_cell(source), new_code_cell("show", outputs=[figure])])
    notebook.metadata["analysis"] = nbformat.from_dict({"profile": profile, "seconds": seconds})
    return notebook


@pytest.mark.parametrize("chapter", catalogue.chapters())
def test_a_chapter_says_the_seconds_that_were_measured(chapter):
    source = catalogue.text_half(chapter).read_text(encoding="utf-8")
    told = heads.with_measured_time(source, chapter, executed())
    assert "said at the start of a run" in source
    assert "said at the start of a run" not in told
    assert " minutes | 42 seconds, measured in this run; about " in told


@pytest.mark.parametrize("name", catalogue.public_runs())
def test_a_run_on_public_data_says_what_its_reader_needs_and_gets(name):
    notebook = executed("word " * 400, catalogue.PUBLIC)
    told = heads.of_public_run(name, notebook)
    assert told.count("\n- ") >= 1
    assert "| about 3 minutes | 42 seconds, measured in this run; about" in told
    assert f"book/public/{name}" in read_yaml(ROOT / "_config.yml")["sphinx"]["config"]["html_context"]["ran_on"]


def test_a_run_that_nothing_is_said_about_is_refused():
    with pytest.raises(RunError, match="about.yml says nothing about 'nobody'"):
        heads.of_public_run("nobody", executed())


@pytest.mark.parametrize(
    ("page", "address"),
    [
        ("book/intro", "public/one.html"),
        ("book/public/two", "one.html"),
        ("book/teaching/one", "../public/one.html"),
        ("book/public/one", "#"),
    ],
)
def test_contents_say_what_a_run_ran_on(page, address):
    link = f'<a class="reference" href="{address}">One</a>'
    badge = ' <span class="ran-on">A &amp; B</span></a>'
    assert heads.badged(f"<li>{link}</li>", page, RAN_ON) == f"<li>{link.replace('</a>', badge)}</li>"


@pytest.mark.parametrize(("page", "address"), [("book/api/one", "one.html"), ("book/intro", "#"), ("x", "one.html")])
def test_other_links_stay_as_they_are(page, address):
    link = f'<a href="{address}">One</a>'
    assert heads.badged(link, page, RAN_ON) == link

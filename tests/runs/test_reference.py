"""Every public function is documented on one page, as what it is, and pages link to those that they use."""

import inspect
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

import analysis
from analysis.runs import reference
from analysis.sources import ROOT

DIRECTIVES = re.findall(
    r"^\.\. auto(\w+):: analysis\.(\w+)$",
    "\n".join(text.decode() for text in reference.staged().values()),
    re.MULTILINE,
)


def test_every_public_name_is_documented_once():
    assert sorted(name for _, name in DIRECTIVES) == sorted(analysis.__all__)


@pytest.mark.parametrize(("kind", "name"), DIRECTIVES)
def test_it_is_documented_as_what_it_is(kind, name):
    value = getattr(analysis, name)
    expected = "class" if inspect.isclass(value) else "function" if inspect.isfunction(value) else "data"
    assert kind == expected


def test_every_page_is_in_the_book():
    sources = {path.stem for path in (ROOT / "book" / "api").glob("*.md")}
    assert sources == set(reference.PAGES)
    for page in sources:
        assert f"generated/api-{page}.md" in (ROOT / "book" / "api" / f"{page}.md").read_text(encoding="utf-8")


def test_a_page_links_to_the_public_functions_that_its_code_imports():
    code = "import numpy\nfrom analysis import rsa_matrix, cka_matrix\nfrom analysis.runs.plots import show\n"
    cells = [new_markdown_cell("from analysis import record"), new_code_cell(code)]
    links = reference.used_cell(new_notebook(cells=cells)).source
    assert links == "**Functions used here:** {py:obj}`~analysis.cka_matrix`, {py:obj}`~analysis.rsa_matrix`."
    assert reference.used_cell(new_notebook(cells=cells[:1])) is None


def test_a_page_links_to_what_its_chapters_code_imports_too():
    code = "from analysis import rsa_matrix\nfrom analysis.chapters.metric_correlation import competence\n"
    first, second = reference.used_cell(new_notebook(cells=[new_code_cell(code)])).source.split("\n\n")
    assert first == "**Functions used here:** {py:obj}`~analysis.rsa_matrix`."
    assert second.startswith("**Behind them, in the chapter's code:** {py:obj}`")
    assert "rsa_matrix" not in second

"""The Sphinx extension leaves out scripts and icons that no page uses, and nothing else."""

from types import SimpleNamespace

import pytest
from docutils import nodes
from docutils.utils import new_document

from analysis.runs import sphinx_extension

MATHJAX = SimpleNamespace(filename="_static/mathjax/tex-chtml.js", attributes={})
OTHER = SimpleNamespace(filename="_static/book.js", attributes={})
THEBE = [
    SimpleNamespace(filename="https://unpkg.com/thebe/lib/index.js", attributes={}),
    SimpleNamespace(filename=None, attributes={"body": "var thebe_selector = '.thebe'"}),
]


HTML, SINGLE = (SimpleNamespace(builder=SimpleNamespace(name=name)) for name in ("html", "singlehtml"))


def page(*parts):
    document = new_document("page")
    document += nodes.paragraph("", "", *parts)
    return document


FORMULAS = {
    "none": (page(nodes.Text("words")), []),
    "inline": (page(nodes.math("", "x")), [MATHJAX]),
    "displayed": (page(nodes.math_block("", "x")), [MATHJAX]),
    "page without a source": (None, []),
}


@pytest.fixture
def connected():
    """What the extension does at each of Sphinx's events, one call after the other."""
    calls = {}
    app = SimpleNamespace(connect=lambda event, call, priority=500: calls.setdefault(event, []).append(call))
    assert sphinx_extension.setup(app)["parallel_read_safe"]
    return {event: lambda *given, of=of: [call(*given) for call in of] for event, of in calls.items()}


@pytest.mark.parametrize(("document", "kept"), FORMULAS.values(), ids=FORMULAS)
def test_thebe_is_left_out_and_mathjax_where_there_is_no_formula(connected, document, kept):
    context = {"script_files": [MATHJAX, OTHER, *THEBE]}
    connected["html-page-context"](HTML, "page", "page.html", context, document)
    assert context["script_files"] == [*kept, OTHER]


def test_the_whole_book_on_one_page_has_formulas(connected):
    context = {"script_files": [MATHJAX, OTHER, *THEBE]}
    connected["html-page-context"](SINGLE, "page", "page.html", context, None)
    assert context["script_files"] == [MATHJAX, OTHER]


def test_references_are_items_of_their_list(connected):
    context = {"script_files": [], "body": '<div role="list"><div class="citation" role="doc-biblioentry">'}
    connected["html-page-context"](HTML, "references", "page.html", context, None)
    assert context["body"] == '<div role="list"><div class="citation" role="listitem">'


def test_contents_get_their_badges(connected):
    link = '<a href="public/one.html">One</a>'
    context = {
        "script_files": [],
        "ran_on": {"book/public/one": "MNIST"},
        "generate_toctree_html": lambda *_, **__: link,
    }
    connected["html-page-context"](HTML, "book/intro", "page.html", context, None)
    assert "MNIST</span></a>" in context["generate_toctree_html"]("sidebar", startdepth=0)


SCRIPT = (
    'x={"arrow-up":[384,512,[8593],"f062","M1"],bars:[448,512,["navicon"],"f0c9",["M2","M3"]],bell:[1,2,[],"f0","M4"]}'
)


def test_icons_stay_by_each_of_their_names():
    assert sphinx_extension.with_icons(SCRIPT, {"arrow-up", "bars", "bell"}) == SCRIPT
    assert sphinx_extension.with_icons(SCRIPT, {"bell", "fire"}) == 'x={bell:[1,2,[],"f0","M4"]}'
    assert "navicon" in sphinx_extension.with_icons(SCRIPT, {"navicon"})
    assert sphinx_extension.with_icons(SCRIPT, {"bar"}) == "x={}"


def test_the_build_keeps_the_icons_that_a_page_shows(connected, tmp_path):
    script = tmp_path / "_static" / "scripts" / "fontawesome.js"
    script.parent.mkdir(parents=True)
    script.write_text(SCRIPT)
    (tmp_path / "page.html").write_text('<i class="fa-solid fa-bell"></i>')
    connected["build-finished"](SimpleNamespace(outdir=tmp_path), None)
    assert script.read_text() == 'x={bell:[1,2,[],"f0","M4"]}'


def test_a_failed_build_is_left_as_it_is(connected, tmp_path):
    connected["build-finished"](SimpleNamespace(outdir=tmp_path), RuntimeError())
    assert not list(tmp_path.iterdir())

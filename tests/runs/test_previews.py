"""Previews hold what a link leads to, as text, and find their pictures from the book's folder."""

import json

import pytest

from analysis.runs.previews import SCRIPT, previews, write

PAGE = r"""<article>
<dl class="simple glossary"><dt id="term-floor">floor<a class="headerlink" href="#term-floor">#</a></dt>
<dd><p>What <em>unrelated</em> units
 score: a &lt; b.</p><p>More.</p></dd></dl>
<div class="citation" id="id1"><span>[X]</span><p>Somebody. <a href="https://doi.org/1">A paper</a>.</p></div>
<figure id="fig-one"><img src="../../_images/one.svg" alt="x"><figcaption><p>Fig. 1 Dots<a class="headerlink">#</a></p>
</figcaption></figure>
<div class="math" id="equation-eq-a"><span class="eqno">(1)<a class="headerlink">#</a></span>\[a &lt; b\]</div>
<section><dl class="py function"><dt class="sig sig-object py" id="analysis.f">analysis.f(x: int)</dt>
<dd><p>Does it.</p><dl class="py attribute"><dt id="analysis.f.x">x</dt><dd><p>Part.</p></dd></dl></dd></dl></section>
<figure id="other"></figure></article>"""


@pytest.fixture
def book(tmp_path):
    page = tmp_path / "book" / "public" / "page.html"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE, encoding="utf-8")
    (tmp_path / "_static").mkdir()
    return tmp_path


def test_terms_references_figures_equations_and_functions(book):
    assert previews(book) == {
        "book/public/page.html#term-floor": "<p><strong>floor</strong></p><p>What unrelated units score: a &lt; b.</p>",
        "book/public/page.html#id1": "<p>Somebody. A paper.</p>",
        "book/public/page.html#fig-one": '<img src="_images/one.svg" alt=""><p>Fig. 1 Dots</p>',
        "book/public/page.html#equation-eq-a": r"<p>\[a &lt; b\]</p>",
        "book/public/page.html#analysis.f": "<p><strong>analysis.f</strong></p><p>Does it.</p>",
    }


def test_the_script_hands_them_to_the_browser(book):
    write(book)
    name, _, told = (book / SCRIPT).read_text(encoding="utf-8").partition(" = ")
    assert name == "window.bookPreviews"
    assert json.loads(told.rstrip(";\n")) == previews(book)

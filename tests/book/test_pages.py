"""The published book: every page there, figures and claims on it, in a real browser, with nothing from elsewhere."""

import functools
import http.server
import re
import threading
from pathlib import Path

import axe_core_python
import nbformat
import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from analysis.runs import catalogue, outputs, pdf, publish


def page_text(html, name):
    return (html / f"{name}.html").read_text(encoding="utf-8")


def test_every_page_of_the_contents_is_there(html):
    missing = [name for name in catalogue.toc_pages() if not (html / f"{name}.html").is_file()]
    assert not missing
    assert (html / "index.html").is_file()


def test_chapters_show_figures_claims_numbers_and_provenance(html, quick_runs):
    for chapter in catalogue.chapters():
        text = page_text(html, f"book/{chapter}")
        figures = re.findall(r'<img alt="([^"]{20,})"[^>]*src="\.\./_images/', text)
        drawn = outputs.embedded(nbformat.read(quick_runs[chapter], as_version=4), outputs.FIGURE)
        assert len(figures) == len(drawn) > 3, chapter
        assert text.count("_downloads/") >= len(figures)
        assert ('class="claims"' in text) == (catalogue.CHAPTERS / chapter / "claims.py").is_file()
        assert "How this page was made" in text


def test_the_reproduction_page_lists_every_claim(html, quick_runs):
    text = page_text(html, "book/reproduction")
    for path in quick_runs.values():
        rows = path.with_suffix(".claims.json").read_text().count('"verdict"')
        assert text.count('<span class="verdict') >= rows


def test_computed_values_reached_the_text(html):
    for chapter in catalogue.chapters():
        assert "glue:text" not in page_text(html, f"book/{chapter}")


def test_pages_are_small(html):
    for chapter in catalogue.chapters():
        assert (html / f"book/{chapter}.html").stat().st_size < 1_000_000


def test_pages_without_formulas_load_less_than_a_megabyte_of_scripts(html):
    light = [name for name in catalogue.toc_pages() if 'class="math' not in page_text(html, name)]
    assert "book/intro" in light
    for name in light:
        folder = (html / name).parent
        sources = re.findall(r'<script[^>]* src="([^"?]+)', page_text(html, name))
        assert len(sources) > 5
        assert sum((folder / source).stat().st_size for source in sources) < 1_000_000, name


def test_chapters_link_to_the_documentation_of_what_they_import(html):
    for chapter in catalogue.chapters():
        line = re.search(r"Functions used here:.*?</p>", page_text(html, f"book/{chapter}"), re.DOTALL)
        if line:
            links = re.findall(r'href="(api/\w+\.html)#(analysis\.\w+)"', line[0])
            assert len(links) == line[0].count("<code")
            assert all(f'id="{name}"' in (html / "book" / page).read_text(encoding="utf-8") for page, name in links)
    assert "Functions used here" in page_text(html, "book/neuron_correlation")


@pytest.fixture(scope="module")
def address(html):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=html))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.mark.browser
@pytest.mark.parametrize("name", catalogue.toc_pages())
def test_no_console_errors_and_no_request_to_another_host(browser, address, name):
    browser.get_log("performance")
    browser.get(f"{address}/{name}.html")
    assert browser.find_element("css selector", "article h1").text
    errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    assert not errors
    requested = re.findall(r'"url":"(https?://[^"]+)"', " ".join(e["message"] for e in browser.get_log("performance")))
    assert requested
    assert not [url for url in requested if not url.startswith(address)]


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("name", catalogue.toc_pages())
def test_everybody_can_read_every_page(browser, address, name, mode):
    """By the rules of axe-core: contrast, names, roles, order of headings."""
    browser.get(f"{address}/index.html")
    browser.execute_script(f"for (const key of ['mode', 'theme']) localStorage.setItem(key, '{mode}')")
    browser.get(f"{address}/{name}.html")
    browser.execute_script((Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = browser.execute_async_script("axe.run({resultTypes: ['violations']}).then(arguments[0])")["violations"]
    serious = [rule for rule in found if rule["impact"] in ("serious", "critical")]
    assert not [(rule["id"], node["html"][:200]) for rule in serious for node in rule["nodes"]]


@pytest.mark.browser
def test_figures_and_formulas_are_drawn(browser, address):
    for chapter in catalogue.chapters():
        browser.get(f"{address}/book/{chapter}.html")
        widths = browser.execute_script(
            "return [...document.querySelectorAll('.cell_output img')].map(image => image.naturalWidth)"
        )
        assert widths
        assert all(width > 100 for width in widths)
        if "$" not in catalogue.text_half(chapter).read_text():
            continue  # a page without formulas
        wait = "return window.MathJax.startup.promise.then(() => document.querySelectorAll('mjx-container').length)"
        assert browser.execute_script(wait) > 0


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 700, 1280])
def test_no_page_scrolls_sideways(browser, address, width):
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    for name in catalogue.toc_pages():
        browser.get(f"{address}/{name}.html")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, name


@pytest.mark.browser
def test_solutions_are_folded_away(browser, address):
    browser.get(f"{address}/book/neuron_correlation.html")
    solutions = browser.find_elements("css selector", ".admonition.dropdown")
    assert len(solutions) >= 4
    assert all("toggle-hidden" in solution.get_attribute("class") for solution in solutions)


PREVIEWED = {
    "a[href*='glossary.html#term-']": "term",
    "a[href*='references.html#id']": "reference",
    "a.reference[href^='#fig-']": "figure",
    "a[href*='api/'][href*='#analysis.']": "function",
}


@pytest.mark.browser
@pytest.mark.parametrize("selector", PREVIEWED, ids=PREVIEWED.values())
def test_a_link_shows_where_it_leads(browser, html, selector):
    """From disk, where nothing can be fetched."""
    browser.get((html / "book" / "metric_correlation.html").as_uri())
    box = browser.find_element("css selector", "#preview")
    assert not box.is_displayed()
    browser.execute_script(f'document.querySelector("article {selector}").dispatchEvent(new Event("focus"))')
    WebDriverWait(browser, 10).until(lambda _: box.is_displayed())
    assert len(box.text) > 10
    if "#fig-" in selector:
        width = "return document.querySelector('#preview img').naturalWidth"
        WebDriverWait(browser, 10).until(lambda _: browser.execute_script(width) > 100)
    browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not box.is_displayed()


@pytest.mark.browser
def test_sliders_change_their_figure(browser, html):
    """From disk, by keyboard, in every chapter that has one."""
    moved = []
    for chapter in catalogue.chapters():
        browser.get((html / "book" / f"{chapter}.html").as_uri())
        for place, slider in enumerate(browser.find_elements("css selector", "div.slider input")):
            image = browser.execute_script("return arguments[0].closest('.slider').previousElementSibling", slider)
            before = image.find_element("css selector", "img").get_attribute("src")
            slider.send_keys(Keys.ARROW_RIGHT)
            drawn = image.find_element("css selector", "img")
            assert drawn.get_attribute("src") != before
            wait = WebDriverWait(browser, 10)
            wait.until(lambda _, drawn=drawn: browser.execute_script("return arguments[0].naturalWidth", drawn) > 100)
            moved.append((chapter, place))
    assert {chapter for chapter, _ in moved} >= {"neuron_correlation", "contrastive_stimuli", "metric_correlation"}


@pytest.mark.browser
def test_the_whole_book_is_printed(browser, html, monkeypatch, tmp_path):
    monkeypatch.setattr(publish, "_STAGE", html.parent / "book")
    pdf.write(tmp_path / "book.pdf")
    printed = (tmp_path / "book.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 60
    assert len(re.findall(rb"/Subtype\s*/(?:Image|Form)\b", printed)) > 20


@pytest.mark.browser
def test_search_finds_a_term(browser, address):
    browser.get(f"{address}/search.html?q=Fleiss")
    WebDriverWait(browser, 10).until(lambda _: browser.find_elements("css selector", "#search-results li a"))
    found = [link.get_attribute("href") for link in browser.find_elements("css selector", "#search-results li a")]
    assert any("contrastive_stimuli" in link for link in found)


@pytest.mark.browser
def test_the_theme_switches(browser, address):
    browser.get(f"{address}/book/intro.html")
    background = "return getComputedStyle(document.body).backgroundColor"
    colours = set()
    for mode in ("light", "dark"):
        browser.execute_script(f"localStorage.setItem('mode', '{mode}')")
        browser.refresh()
        colours.add(browser.execute_script(background))
    browser.find_element("css selector", ".theme-switch-button").click()
    assert browser.execute_script("return document.documentElement.dataset.mode") != "dark"
    assert len(colours) == 2

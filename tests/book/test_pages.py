"""The published book: every page there, figures and claims on it, in a real browser, with nothing from elsewhere."""

import functools
import http.server
import json
import re
import threading
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote

import axe_core_python
import nbformat
import pytest
from bs4 import BeautifulSoup
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from analysis.runs import catalogue, outputs, pdf, publish
from tools import links

PUBLIC_PAGES = [name for name in catalogue.toc_pages() if name.startswith("book/public/")]
PAGES_WITH_A_RUN = [*(f"book/{chapter}" for chapter in catalogue.chapters()), *PUBLIC_PAGES]


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


@pytest.mark.parametrize("name", PAGES_WITH_A_RUN)
def test_a_page_with_a_run_says_what_its_reader_needs(html, name):
    text = page_text(html, name)
    assert "What you will be able to do" in text
    assert "seconds, measured in this run; about" in text
    assert "Functions used here" in text or "Behind them, in the chapter" in text
    assert "To cite this page:" in text
    assert "How this page was made" in text
    assert f'href="{"../" * (name.count("/"))}_sources/{name}.ipynb"' in text
    assert 'class="left-prev"' in text
    assert 'class="right-next"' in text


@pytest.mark.parametrize("name", PAGES_WITH_A_RUN)
def test_a_figure_has_its_caption_its_code_and_its_numbers(html, name):
    soup = BeautifulSoup(page_text(html, name), "html.parser")
    figures = soup.select("div.cell figure")
    assert figures
    for figure in figures:
        assert len(figure.select_one("figcaption").text) > 20
        assert len(figure.img["alt"]) > 10
        assert figure.find_parent("div", class_="cell").select_one("div.cell_input")
    assert len(soup.select("a.download[href$='.csv']")) >= len(figures)


def test_contents_say_what_runs_on_public_data_ran_on(html):
    for name in ("book/intro", "book/public/neuron_correlation"):
        badges = BeautifulSoup(page_text(html, name), "html.parser").select("nav.bd-links a span.ran-on")
        assert [badge.text for badge in badges].count("MNIST") == 1
        assert len(badges) == sum(page.startswith("book/public/") for page in catalogue.toc_pages())


def test_the_front_page_has_six_findings_each_with_its_figure_and_its_link(html):
    cards = BeautifulSoup(page_text(html, "book/intro"), "html.parser").select("div.sd-card")
    assert len(cards) == 6
    for card in cards:
        assert re.search(r"\d", card.select_one(".sd-card-body").text)
        assert (html / "book" / card.img["src"]).is_file()
        assert (html / "book" / card.select_one("a")["href"].partition("#")[0]).is_file()


def test_no_link_within_the_book_is_broken(html):
    @functools.cache
    def targets(path):
        return set(re.findall(r'\bid="([^"]+)"', path.read_text(encoding="utf-8")))

    broken = []
    for name in catalogue.toc_pages():
        page = html / f"{name}.html"
        for link in set(re.findall(r'\s(?:href|src)="([^":]+)"', page.read_text(encoding="utf-8"))):
            address, _, place = unquote(link).partition("#")
            target = (page.parent / address.partition("?")[0]).resolve() if address else page
            if not target.is_file() or (place and target.suffix == ".html" and place not in targets(target)):
                broken.append((name, link))
    assert not broken


def test_links_that_leave_the_book_are_listed(html):
    """After a change: python -m tools.links --list."""
    assert links.external(html) == links.LINKS.read_text(encoding="utf-8").split()


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


WIDTHS = (390, 700, 1280)
IMAGES = "Promise.allSettled([...document.images].map(image => image.decode())).then(arguments[0])"
THEME = """\
const still = document.createElement('style');
still.textContent = '* { transition: none !important; }';
document.head.append(still);
for (const key of ['mode', 'theme']) document.documentElement.dataset[key] = arguments[0];
"""
AXE = "axe.run({resultTypes: ['violations']}).then(arguments[0])"


@pytest.fixture(scope="module")
def seen(browser, html):
    """What there was to see of a page, by its name; each is opened once, from disk, where nothing can be fetched."""
    axe = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")

    def width_at(width):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        return browser.execute_script("return document.documentElement.scrollWidth")

    def violations(theme):
        browser.execute_script(THEME, theme)
        return browser.execute_async_script(AXE)["violations"]

    @functools.cache
    def look(name):
        for log in ("browser", "performance"):
            browser.get_log(log)
        browser.get((html / f"{name}.html").as_uri())
        heading = browser.find_element("css selector", "article h1").text
        browser.execute_async_script(IMAGES)
        widths = {width: width_at(width) for width in WIDTHS}
        errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
        browser.execute_script(axe)
        barriers = {theme: violations(theme) for theme in ("light", "dark")}
        return SimpleNamespace(heading=heading, widths=widths, errors=errors, events=events, barriers=barriers)

    yield look
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.browser
@pytest.mark.parametrize("name", catalogue.toc_pages())
def test_every_page_opens_from_disk_with_nothing_from_elsewhere(seen, html, name):
    page = seen(name)
    assert page.heading
    assert not page.errors
    assert not [event["params"] for event in page.events if event["method"] == "Network.loadingFailed"]
    asked = [
        event["params"]["request"]["url"] for event in page.events if event["method"] == "Network.requestWillBeSent"
    ]
    assert len(asked) > 5
    own = ("data:", "chrome:")  # the second is the browser's first tab, which may still be loading
    assert not [url for url in asked if not url.startswith((html.as_uri(), *own))]


@pytest.mark.browser
@pytest.mark.parametrize("name", catalogue.toc_pages())
def test_no_page_scrolls_sideways(seen, name):
    assert {width: seen(name).widths[width] for width in WIDTHS if seen(name).widths[width] > width} == {}


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", catalogue.toc_pages())
def test_everybody_can_read_every_page(seen, name, theme):
    """By the rules of axe-core: contrast, names, roles, order of headings."""
    serious = [rule for rule in seen(name).barriers[theme] if rule["impact"] in ("serious", "critical")]
    assert not [(rule["id"], node["html"][:200]) for rule in serious for node in rule["nodes"]]


INK = """\
const inks = [...document.querySelectorAll('figure img')].map(async image => {
  await image.decode();
  const paper = new OffscreenCanvas(80, 60).getContext('2d');
  paper.drawImage(image, 0, 0, 80, 60);
  return new Set(new Uint32Array(paper.getImageData(0, 0, 80, 60).data.buffer)).size;
});
Promise.all(inks).then(arguments[0]);
"""


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES_WITH_A_RUN)
def test_no_figure_is_blank(browser, address, name):
    """By the number of colours; served, as a script may not look into pictures from disk."""
    browser.get(f"{address}/{name}.html")
    inks = browser.execute_async_script(INK)
    assert inks
    assert min(inks) > 10


@pytest.mark.browser
def test_formulas_are_drawn(browser, html):
    wait = "window.MathJax.startup.promise.then(() => arguments[0](document.querySelectorAll('mjx-container').length))"
    for chapter in catalogue.chapters():
        if "$" in catalogue.text_half(chapter).read_text(encoding="utf-8"):
            browser.get((html / "book" / f"{chapter}.html").as_uri())
            assert browser.execute_async_script(wait) > 0


@pytest.mark.browser
def test_solutions_are_folded_away_and_open(browser, html):
    browser.get((html / "book" / "neuron_correlation.html").as_uri())
    solutions = browser.find_elements("css selector", ".admonition.dropdown")
    assert len(solutions) >= 4
    assert all("toggle-hidden" in solution.get_attribute("class") for solution in solutions)
    text = solutions[0].find_element("css selector", "p:not(.admonition-title)")
    assert not text.is_displayed()
    browser.execute_script("arguments[0].querySelector('.toggle-button').click()", solutions[0])
    WebDriverWait(browser, 10).until(lambda _: text.is_displayed())


PREVIEWED = {
    "a[href*='glossary.html#term-']": "term",
    "a[href*='references.html#id']": "reference",
    "a.reference[href^='#fig-']": "figure",
    "a.reference[href^='#equation-']": "equation",
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
    if "#equation-" in selector:
        WebDriverWait(browser, 10).until(lambda _: box.find_elements("css selector", "mjx-container"))
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
            at_end = slider.get_attribute("value") == slider.get_attribute("max")
            slider.send_keys(Keys.ARROW_LEFT if at_end else Keys.ARROW_RIGHT)
            drawn = image.find_element("css selector", "img")
            assert drawn.get_attribute("src") != before
            wait = WebDriverWait(browser, 10)
            wait.until(lambda _, drawn=drawn: browser.execute_script("return arguments[0].naturalWidth", drawn) > 100)
            moved.append((chapter, place))
    assert {chapter for chapter, _ in moved} >= set(catalogue.chapters()) - {"your_models"}


@pytest.mark.browser
def test_the_whole_book_is_printed(browser, html, monkeypatch, tmp_path):
    monkeypatch.setattr(publish, "_STAGE", html.parent / "book")
    pdf.write(tmp_path / "book.pdf")
    printed = (tmp_path / "book.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) > 60
    assert len(re.findall(rb"/Subtype\s*/(?:Image|Form)\b", printed)) > 20


@pytest.mark.browser
def test_search_finds_a_term(browser, html):
    browser.get(f"{(html / 'search.html').as_uri()}?q=Fleiss")
    wanted = "#search-results li a[href*='contrastive_stimuli']"  # results are listed one after the other
    assert WebDriverWait(browser, 10).until(lambda _: browser.find_elements("css selector", wanted))


@pytest.mark.browser
def test_the_theme_switches(browser, html):
    browser.get((html / "book" / "intro.html").as_uri())
    background = "return getComputedStyle(document.body).backgroundColor"
    colours = {}
    for _ in range(3):  # light, dark, and what the system says
        browser.find_element("css selector", ".theme-switch-button").click()
        colours[browser.execute_script("return document.documentElement.dataset.mode")] = browser.execute_script(
            background
        )
    assert set(colours) == {"light", "dark", "auto"}
    assert colours["light"] != colours["dark"]

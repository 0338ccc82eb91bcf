"""The pages to teach from: complete, about figures that their chapter draws, in time for 90 minutes."""

import re

import pytest
from selenium.webdriver.common.keys import Keys

from analysis.runs import catalogue, exercises, pairs, slides

PAGES = {path.stem: path for path in (catalogue.BOOK / "teaching").glob("*.md")}
TAUGHT = sorted(set(PAGES) & set(catalogue.chapters()))
BLOCK = "block"
page = pytest.mark.parametrize("chapter", TAUGHT)


def section(chapter, heading):
    text = PAGES[chapter].read_text(encoding="utf-8")
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE)[1]


def figures(*chapters):
    """Names of the figures that a default run of the chapters draws; those of a line-up of one's own are left out."""
    cells = [cell for chapter in chapters for cell in pairs.notebook_from_text(catalogue.text_half(chapter)).cells]
    return {cell.metadata.mystnb.figure.name for cell in cells if "mystnb" in cell.metadata} - {
        cell.metadata.mystnb.figure.name
        for cell in cells
        if "mystnb" in cell.metadata and re.search(r"^if (models != |seen)", cell.source, re.MULTILINE)
    }


def test_every_chapter_with_exercises_has_its_page():
    with_exercises = [
        name for name in catalogue.chapters() if exercises.of(pairs.notebook_from_text(catalogue.text_half(name)))
    ]
    assert sorted(with_exercises) == TAUGHT
    assert set(PAGES) == {*TAUGHT, BLOCK}
    assert {f"book/teaching/{name}" for name in PAGES} <= set(catalogue.toc_pages())


@page
def test_a_plan_fills_90_minutes(chapter):
    spans = re.findall(r"^\| (\d+)–(\d+) \|", section(chapter, "The plan"), re.MULTILINE)
    ends = [int(end) for _, end in spans]
    assert len(spans) >= 6
    assert [int(start) for start, _ in spans] == [0, *ends[:-1]]
    assert ends[-1] == 90


@page
def test_each_misconception_has_a_figure_that_cures_it(chapter):
    cures = re.findall(r"^: ((?:.+\n?)+)", section(chapter, "Three misconceptions"), re.MULTILINE)
    assert len(cures) == 3
    assert all("{numref}`" in cure for cure in cures)


@page
def test_there_are_goals_questions_and_a_quiz_with_answers(chapter):
    assert len(re.findall(r"^- ", section(chapter, "Goals"), re.MULTILINE)) >= 3
    assert len(re.findall(r"^\d+\. ", section(chapter, "Discussion"), re.MULTILINE)) == 5
    quiz = section(chapter, "Quiz")
    assert [int(number) for number in re.findall(r"^(\d+)\. ", quiz, re.MULTILINE)] == list(range(1, 11))
    assert len(re.findall(r"```\{admonition\} Answer\n +:class: dropdown\n +\S", quiz)) == 10


@page
def test_the_figures_are_those_of_the_chapter(chapter):
    named = re.findall(r"\{numref\}`([^`]+)`", PAGES[chapter].read_text(encoding="utf-8"))
    assert len(named) >= 6
    assert set(named) <= figures(chapter)


def test_the_block_names_figures_of_the_chapters():
    named = re.findall(r"\{numref\}`([^`]+)`", PAGES[BLOCK].read_text(encoding="utf-8"))
    assert set(named) <= figures(*TAUGHT)


def test_the_marking_scheme_gives_a_hundred_points():
    points = re.findall(r"^\| (\d+) \|", section(BLOCK, "The assignment: a claim of your own"), re.MULTILINE)
    assert sum(map(int, points)) == 100


@pytest.mark.browser
def test_slides_turn_by_keys_and_stay_readable(browser, tmp_path):
    """From disk; one slide is seen at a time."""
    path = tmp_path / "slides.html"
    path.write_text(slides.page(pairs.notebook_from_text(catalogue.text_half("neuron_correlation"))), encoding="utf-8")
    for log in ("browser", "performance"):
        browser.get_log(log)
    browser.get(path.as_uri())
    body = browser.find_element("css selector", "body")
    seen = "return [...document.querySelectorAll('.slide')].filter(s => s.offsetHeight).map(s => s.innerText)"
    headings = []
    for key in (Keys.HOME, Keys.ARROW_RIGHT, Keys.PAGE_DOWN, Keys.ARROW_LEFT, Keys.END):
        body.send_keys(key)
        (text,) = browser.execute_script(seen)
        headings.append(text.splitlines()[0])
    assert headings == [
        "Do two networks have matching units?",
        *("The claim", "The method", "The claim"),
        "What to take home",
    ]
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
    asked = re.findall(
        r'"request":\{.*?"url":"([^"]+)"', " ".join(e["message"] for e in browser.get_log("performance"))
    )
    assert {url.partition("#")[0] for url in asked if not url.startswith("data:")} == {path.as_uri()}

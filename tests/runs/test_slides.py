"""Slides: the chapter's parts in order, each once, in one file that needs nothing else."""

import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from analysis.runs import slides

FIGURE = {"mystnb": {"figure": {"name": "fig-a", "caption": "Scores."}, "image": {"alt": "A line."}}}
EXERCISE = """## Exercises

### 1. Predict: What is it?

Guess.

```{admonition} Hint
:class: dropdown
Think.
```

```{admonition} Solution
:class: dropdown
Forty-two.
```

## What to take home

Ask for the floor.
"""


def code(source, data, **metadata):
    return new_code_cell(source, outputs=[new_output("display_data", data)] if data else [], metadata=metadata)


@pytest.fixture(scope="module")
def page():
    cells = [
        new_markdown_cell("# A title\n\nObjectives."),
        code("n = 3", {}, tags=["parameters"]),
        new_markdown_cell("## The claim\n\nSomebody *says* so.\n\n## The method\n\nThe formula $x$."),
        code("by_hand()", {"text/plain": "(1, 2)"}),
        new_markdown_cell("## The run\n\nLong prose.\n\n### A part"),
        code("draw()", {"image/svg+xml": "<svg id='drawn'></svg>"}, **FIGURE),
        code("left_out()", {}, **FIGURE),
        new_markdown_cell("## Paper against this run\n\nMore prose."),
        code("ledger.show()", {"text/html": "<table class='claims'></table>"}),
        new_markdown_cell(EXERCISE),
    ]
    return slides.page(new_notebook(cells=cells))


def test_each_part_has_its_slide(page):
    shown = page.partition("<body")[2].split('<div class="slide">')[1:]
    told = [
        "A title",
        "Somebody",
        "The formula",
        "by_hand()",
        "drawn",
        "class='claims'",
        "Guess.",
        "Ask for the floor.",
    ]
    assert len(shown) == len(told)
    assert all(part in slide for part, slide in zip(told, shown, strict=True))
    assert "A part</h" in shown[4]
    assert page.count("Somebody") == 1


def test_solutions_and_prose_are_not_shown(page):
    for text in ("Forty-two", "Long prose", "More prose", "draw()", "left_out()", "n = 3"):
        assert text not in page.partition("<body")[2]


def test_nothing_comes_from_elsewhere(page):
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert not re.findall(r"(?:src|href)=[\"']?https?:", outside)
    assert "ArrowRight" in page
    assert ".turning" in page

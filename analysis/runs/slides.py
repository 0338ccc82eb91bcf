"""The slides of a chapter: its claim, method, figures and exercises as one HTML file that needs nothing else."""

import re
from collections.abc import Iterator

from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_markdown_cell, new_notebook

from analysis.runs import exercises, standalone
from analysis.runs.catalogue import BOOK

_BREAK = '<hr class="slide">'


def page(notebook: NotebookNode) -> str:
    """The whole file: arrow keys, a click or a swipe turn the slides; without a script all are shown, one a page."""
    cells = [cell for slide in _slides(notebook) for cell in (new_markdown_cell(_BREAK), *slide)]
    head, _, body = standalone.page(new_notebook(cells=cells)).partition("</head><body>")
    body = body.rpartition("</body>")[0]
    sections = "\n".join(f'<div class="slide">{slide}</div>' for slide in body.split(_BREAK) if slide.strip())
    style, script = ((BOOK / "_static" / f"slides.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    sections += f'<p id="place" role="status"></p><script>{script}</script>'
    return f'{head}<style>{style}</style></head><body class="slides">{sections}</body></html>\n'


def _slides(notebook: NotebookNode) -> Iterator[list[NotebookNode]]:
    """The cells of each slide, in the chapter's order."""
    texts = _sections(notebook)
    yield [new_markdown_cell(texts[""])]
    yield [new_markdown_cell(texts["The claim"])]
    section, heading = "", ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for part in re.split(r"^(?=## )", cell.source, flags=re.MULTILINE):
                section, heading = _headings(part, section, heading)
                if section == "The method" and part.strip():
                    yield [new_markdown_cell(part)]
        elif not cell.outputs:
            continue
        elif section == "The method":
            yield [new_markdown_cell(f"## {heading}"), _tagged(cell, "parameters")]  # whose code is not folded
        elif "figure" in cell.metadata.get("mystnb", {}) or section == "Paper against this run":
            yield [new_markdown_cell(f"## {heading}"), _tagged(cell, "remove-input")]
    for exercise in exercises.of(notebook):
        yield [new_markdown_cell(f"## {exercise.level}: {exercise.title}\n\n{exercise.task}")]
    yield [new_markdown_cell(texts["What to take home"])]


def _tagged(cell: NotebookNode, tag: str) -> NotebookNode:
    return from_dict({**cell, "metadata": {**cell.metadata, "tags": [tag]}})


def _sections(notebook: NotebookNode) -> dict[str, str]:
    """The text of every section by its heading; what stands before the first is under the empty one."""
    texts, name = {"": []}, ""
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for line in cell.source.splitlines():
            if line.startswith("## "):
                name = line.removeprefix("## ")
            texts.setdefault(name, []).append(line)
        texts[name].append("")
    return {heading: "\n".join(lines) for heading, lines in texts.items()}


def _headings(source: str, section: str, heading: str) -> tuple[str, str]:
    """The section that a cell ends in, and the lowest heading there."""
    for line in source.splitlines():
        if line.startswith("## "):
            section = heading = line.removeprefix("## ")
        elif line.startswith("### "):
            heading = line.removeprefix("### ")
    return section, heading

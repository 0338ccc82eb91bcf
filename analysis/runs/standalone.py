"""An executed notebook as one HTML file that needs nothing else: figures, formulas and style inside."""

import html
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

from docutils.core import publish_parts
from myst_parser.docutils_ import Parser
from nbformat import NotebookNode

from analysis.runs.catalogue import BOOK

_SETTINGS = {
    "myst_enable_extensions": ["amsmath", "colon_fence", "deflist", "dollarmath"],
    "math_output": "MathJax ignored",  # the script is in the page
    "initial_header_level": 1,
    "doctitle_xform": False,
    "report_level": 5,
    "halt_level": 5,
    "embed_stylesheet": False,
    "file_insertion_enabled": False,
}
_EQUATION = re.compile(r"^\$\$ \((eq-[\w-]+)\)$", re.MULTILINE)
_STYLE = """
:root { --pst-color-border: #ccc; --pst-color-text-muted: #555; --pst-color-text-base: #111; }
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.55 system-ui, sans-serif; color: #111; }
img, svg { max-width: 100%; height: auto; } table { border-collapse: collapse; } td, th { padding: 0.2em 0.6em; }
.dataframe :is(td, th) { white-space: nowrap; }
pre { background: #f5f5f5; padding: 0.7em; overflow-x: auto; } figure { margin: 1.5em 0; } .output { overflow-x: auto; }
.admonition { border-left: 4px solid #88a; background: #f6f7fb; padding: 0.3em 1em; margin: 1em 0; }
.admonition-title, summary { font-weight: 600; }
"""


def page(notebook: NotebookNode) -> str:
    """The whole page; code is folded, parameters are not."""
    numbers = numbers_of(notebook)
    body = "\n".join(part for cell in notebook.cells for part in _cell(cell, numbers))
    title = html.escape(next((line[2:] for cell in notebook.cells for line in cell.source.splitlines()
                              if cell.cell_type == "markdown" and line.startswith("# ")), "Notebook"))  # fmt: skip
    style = _STYLE + (BOOK / "_static" / "book.css").read_text(encoding="utf-8")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    head = f"<head>{head}<style>{style}</style>{_mathjax()}</head>"
    return f'<!DOCTYPE html><html lang="en">{head}<body>{body}</body></html>\n'


def numbers_of(notebook: NotebookNode) -> dict[str, str]:
    """What the text calls each figure and each equation; a part that a run left out has none."""
    figures = [cell.metadata.mystnb.figure.name for cell in notebook.cells if _figure(cell) and _outputs(cell)]
    equations = [name for cell in notebook.cells for name in _EQUATION.findall(cell.source)]
    numbers = {name: f"Fig. {number}" for number, name in enumerate(figures, 1)}
    return numbers | {name: f"({number})" for number, name in enumerate(equations, 1)}


def _figure(cell: NotebookNode) -> NotebookNode | None:
    return cell.metadata.get("mystnb", {}).get("figure")


def _cell(cell: NotebookNode, numbers: dict[str, str]) -> Iterator[str]:
    tags = cell.metadata.get("tags", [])
    if "remove-cell" in tags:
        return
    if cell.cell_type == "markdown":
        yield _text(cell.source, numbers)
        return
    if "remove-input" not in tags:
        code = f"<pre><code>{html.escape(cell.source)}</code></pre>"
        shown = {"parameters", "injected-parameters"} & set(tags)
        yield code if shown else f"<details><summary>Code</summary>{code}</details>"
    outputs = _outputs(cell)
    if outputs and (figure := _figure(cell)):
        number, alt = numbers[figure.name], html.escape(cell.metadata.mystnb.image.alt, quote=True)
        caption = f"<figcaption>{number}. {_text(figure.caption, numbers)}</figcaption>"
        yield f'<figure role="group" aria-label="{alt}">{outputs}{caption}</figure>'
    elif outputs:
        yield f'<div class="output">{outputs}</div>'


def _outputs(cell: NotebookNode) -> str:
    return "".join(_output(output.data) for output in cell.outputs if "data" in output)


def _output(data: NotebookNode) -> str:
    """The richest form of an output that a page can hold; the book's own types are for programs."""
    if "image/svg+xml" in data:
        return re.sub(r"^.*?(?=<svg)", "", data["image/svg+xml"], flags=re.DOTALL)
    if "image/png" in data:
        return f'<img src="data:image/png;base64,{data["image/png"].strip()}" alt="">'
    if "text/html" in data:
        return data["text/html"]
    own = any(mime.startswith(("application/vnd.analysis", "application/papermill")) for mime in data)
    return "" if own or "text/plain" not in data else f"<pre>{html.escape(data['text/plain'])}</pre>"


def without_roles(source: str, numbers: dict[str, str]) -> str:
    """MyST whose roles, which point to other pages, have become words; figures and equations by their `numbers_of`."""
    source = _EQUATION.sub(lambda match: f"\\tag*{{{numbers[match[1]]}}}\n$$", source)
    source = re.sub(r"\{(?:numref|eq)\}`([^`]+)`", lambda match: numbers.get(match[1], match[1]), source)
    source = re.sub(r"\{cite(?::\w+)?\}`([^`]+)`", lambda match: f"({_citations(match[1])})", source)
    return re.sub(r"\{(?:doc|term|ref|download)\}`([^`<]*?)(?:\s*<[^`]*>)?`", lambda match: _words(match[1]), source)


def _text(source: str, numbers: dict[str, str]) -> str:
    """MyST as HTML; dropdowns fold."""
    source = without_roles(source, numbers)
    body = publish_parts(source, parser=Parser(), writer_name="html5", settings_overrides=_SETTINGS)["body"]
    folded = r'<aside class="([^"]*dropdown[^"]*)">\s*<p class="admonition-title">(.*?)</p>(.*?)</aside>'
    return re.sub(folded, r'<details class="\1"><summary>\2</summary>\3</details>', body, flags=re.DOTALL)


def _words(target: str) -> str:
    """The last part of a page's address, as words; other texts as they are."""
    return target.rpartition("/")[2].replace("_", " ")


def _citations(keys: str) -> str:
    """``oskouie2024`` as ``Oskouie 2024``: the book has the full references."""
    found = [re.match(r"([a-z]+)(\d{4})", key.strip()) for key in keys.split(",")]
    return ", ".join(f"{match[1].title()} {match[2]}" for match in found if match)


def _mathjax() -> str:
    """MathJax with its glyphs, from the package that brings it to the book."""
    package = Path(importlib.util.find_spec("sphinx-mathjax-offline").submodule_search_locations[0])
    script = (package / "static" / "mathjax" / "tex-svg.js").read_text(encoding="utf-8")
    closed = script.replace("</script", "<\\/script")
    return f"<script>{closed}</script>"

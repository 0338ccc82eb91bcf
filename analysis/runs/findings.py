"""The cards of the front page: what was found, each with its figure, its computed numbers and a link."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from analysis.plain_yaml import read_yaml
from analysis.runs import harmless, values
from analysis.runs.outputs import FIGURE
from analysis.runs.runner import RunError

_PICTURES = {"image/svg+xml": "svg", "image/png": "png"}
_FOLDER = Path("book/_static/cards")


def staged(listed: Path, pages: Mapping[str, NotebookNode]) -> dict[Path, bytes]:
    """Files of the staging folder: the cards as Markdown, and their pictures, by path.

    Parameters
    ----------
    listed : Path
        YAML with a list of cards: `title`, `page`, `figure`, and `text` with ``{told-values}`` in braces.
    pages : mapping
        Executed notebooks by the path of their page.

    Raises
    ------
    RunError
        If a card names a page, figure or value that is not there.
    """
    files, cards = {}, []
    for card in read_yaml(listed):
        notebook = pages.get(card["page"])
        if notebook is None:
            raise RunError(f"{listed.name}: there is no page '{card['page']}'.")
        suffix, picture, alternative = _picture(notebook, card)
        path = _FOLDER / f"{card['figure']}.{suffix}"
        files[path] = picture
        cards.append(_card(card, _text(notebook, card), path, alternative))
    grid = "::::{grid} 1 1 2 2\n:gutter: 3\n\n" + "\n".join(cards) + "::::\n"
    return {**files, Path("book/generated/findings.md"): grid.encode()}


def _card(card: Mapping[str, str], text: str, picture: Path, alternative: str) -> str:
    link = card["page"].removeprefix("book/")
    options = {"img-top": f"_static/cards/{picture.name}", "img-alt": alternative, "link": link}
    lines = [f":{name}: {value}" for name, value in {**options, "link-type": "doc"}.items()]
    return "\n".join([f":::{{grid-item-card}} {card['title']}", *lines, "", text, ":::", ""])


def _text(notebook: NotebookNode, card: Mapping[str, str]) -> str:
    told = values.told(notebook)

    def text_of(match: re.Match) -> str:
        if match[1] not in told:
            raise RunError(f"The card '{card['title']}' asks for '{match[1]}', which {card['page']} does not tell.")
        found = told[match[1]]
        return found["text"] if "value" in found else harmless.markdown(found["text"])

    return re.sub(r"\{([\w-]+)\}", text_of, card["text"])


def _picture(notebook: NotebookNode, card: Mapping[str, str]) -> tuple[str, bytes, str]:
    """Suffix, content and alternative text of the figure that a card shows."""
    for cell in notebook.cells:
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            if data.get(FIGURE, {}).get("name") == card["figure"]:
                mime = next(mime for mime in _PICTURES if mime in data)
                content = data[mime].encode() if mime == "image/svg+xml" else base64.b64decode(data[mime])
                return _PICTURES[mime], content, cell.metadata.mystnb.image.alt
    raise RunError(
        f"The card '{card['title']}' shows the figure '{card['figure']}', which {card['page']} does not have."
    )

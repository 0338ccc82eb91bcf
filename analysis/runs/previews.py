"""What a link within the book leads to, small enough to be shown beside it.

Terms, references, figures, equations, functions.
"""

import json
from collections.abc import Iterable
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

SCRIPT = Path("_static/previews.js")
"""Where a built book keeps its previews; `book.js` loads them when a reader first asks for one."""
_TARGETS = "dl.glossary dt[id], div.citation[id], figure[id^=fig-], div.math[id^=equation-], section > dl.py > dt[id]"


def write(book: Path) -> None:
    """Write the previews of a built book into it."""
    told = json.dumps(previews(book), ensure_ascii=False, sort_keys=True)
    (book / SCRIPT).write_text(f"window.bookPreviews = {told};\n", encoding="utf-8")


def previews(book: Path) -> dict[str, str]:
    """HTML of every preview by its target, ``book/page.html#id``; addresses in it start from the book's folder."""
    found = {}
    for path in sorted((book / "book").rglob("*.html")):
        page = path.relative_to(book)
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for target in soup.select(_TARGETS):
            found[f"{page.as_posix()}#{target['id']}"] = _preview(target, page.parent)
    return found


def _preview(target: Tag, folder: Path) -> str:
    for part in target.select("a.headerlink, span.eqno"):
        part.decompose()
    if "math" in target.get_attribute_list("class"):
        return f"<p>{escape(_text(target))}</p>"  # TeX, which the script sets where formulas are set
    if target.name == "figure":
        image = target.find("img")
        picture = f'<img src="{_from_root(folder, str(image["src"]))}" alt="">' if image else ""
        return picture + _paragraphs(target.find_all("figcaption"))
    if target.name == "dt":
        name = str(target["id"]) if target.has_attr("class") and "sig" in target["class"] else _text(target)
        described = target.find_next("dd")
        return f"<p><strong>{escape(name)}</strong></p>{_paragraphs(described.find_all('p')[:1] if described else [])}"
    return _paragraphs(target.find_all("p"))


def _paragraphs(parts: Iterable[Tag]) -> str:
    return "".join(f"<p>{escape(_text(part))}</p>" for part in parts)


def _text(part: Tag) -> str:
    return " ".join(part.get_text().split())


def _from_root(folder: Path, address: str) -> str:
    parts: list[str] = []
    for part in (folder / address).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)

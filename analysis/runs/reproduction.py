"""The page that sets all papers against all runs: every claim and hypothesis, counted by verdict."""

import html
import json
from collections import Counter
from collections.abc import Iterable, Mapping

from nbformat import NotebookNode

from analysis.runs import catalogue
from analysis.runs.claim_tables import CLAIMS as CLAIM_COLUMNS
from analysis.runs.claim_tables import HYPOTHESES as HYPOTHESIS_COLUMNS
from analysis.runs.claim_tables import badge, html_table, words_html
from analysis.runs.outputs import CLAIMS, HYPOTHESES, embedded
from analysis.runs.verdicts import MEANING
from analysis.sources import ROOT

EMBEDDED, PUBLIC = "embedded data, this build", "public data"
_KINDS = {"claim": (CLAIMS, CLAIM_COLUMNS), "hypothesis": (HYPOTHESES, HYPOTHESIS_COLUMNS)}


def all_rows(pages: Mapping[str, NotebookNode]) -> list[dict]:
    """The claims and hypotheses of all pages, by the pages' names, each with its page, its run and its kind."""
    return [
        {"page": name, "run": PUBLIC if "/public/" in name else EMBEDDED, "kind": kind} | row
        for name, notebook in pages.items()
        for kind, (mime, _) in _KINDS.items()
        for table in embedded(notebook, mime)
        for row in table
    ]


def as_json(rows: list[dict]) -> str:
    """The rows for programs."""
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def as_markdown(rows: list[dict]) -> str:
    """The counts, the words explained, and every table under its page's title.

    What a script needs to filter stands in attributes; without it, everything is shown.
    """
    sections = [_section(name, _of(rows, page=name)) for name in dict.fromkeys(row["page"] for row in rows)]
    filters = '<div class="claims-filter"></div>'
    return "\n\n".join([_counts(rows), words_html(rows), filters, *sections]) + "\n"


def _of(rows: Iterable[dict], **values) -> list[dict]:
    return [row for row in rows if all(row[key] == value for key, value in values.items())]


def _counts(rows: list[dict]) -> str:
    """How many of each verdict: a line a page, and the sum."""
    pages = dict.fromkeys(row["page"] for row in rows)
    lines = [_count_line(_name(page), _of(rows, page=page)) for page in pages]
    body = "".join([*lines, _count_line("<b>all</b>", rows)])
    return f'<table class="claims-counts"><tbody>{body}</tbody></table>'


def _count_line(name: str, rows: list[dict]) -> str:
    found = Counter(row["verdict"] for row in rows)
    words = sorted(found, key=_order)
    counts = " ".join(f'<span class="count">{badge(word)} {found[word]}</span>' for word in words)
    return f"<tr><td>{name}</td><td>{counts}</td></tr>"


def _order(word: str) -> int:
    return list(MEANING).index(word) if word in MEANING else len(MEANING)


def _name(page: str) -> str:
    """The page's title, which names its question, and its run."""
    run = PUBLIC if "/public/" in page else EMBEDDED
    return f"{html.escape(catalogue.title(ROOT / f'{page}.md'))}<small>{run}</small>"


def _section(page: str, rows: list[dict]) -> str:
    parts = [f"## {catalogue.title(ROOT / f'{page}.md')}", f"{rows[0]['run'].capitalize()}: {{doc}}`/{page}`."]
    for kind, (_, columns) in _KINDS.items():
        if found := _of(rows, kind=kind):
            facts = {"paper": _paper(rows), "run": found[0]["run"], "kind": kind}
            attributes = " ".join(f'data-{key}="{html.escape(value)}"' for key, value in facts.items())
            parts.append(f'<div class="claims-run" {attributes}>{html_table(found, columns, explained=False)}</div>')
    return "\n\n".join(parts)


def _paper(rows: list[dict]) -> str:
    """The paper that a page is about; its hypotheses name none."""
    return next((row["paper"] for row in rows if row.get("paper")), "")

"""The tables of claims, hypotheses and findings, as HTML that also reads on a phone, and as plain lines."""

import html
import math
from collections.abc import Callable

from analysis.runs.verdicts import MEANING

Columns = dict[str, Callable[[dict], str]]
"""Heading of every column, and the HTML that it makes of a row."""


_OLDER = "A word of runs that are older than these verdicts: the rule did not hold."


def html_table(rows: list[dict], columns: Columns, *, explained: bool = True) -> str:
    """The rows as an HTML table, above it, unless `explained` is off, each verdict that occurs with its meaning.

    Every cell carries its column's heading, which stands before it where the window is too narrow for columns.
    """
    head = "".join(f"<th>{name}</th>" for name in columns)
    judged = "Verdict" in columns
    marks = [f' data-verdict="{row["verdict"]}"' if judged else "" for row in rows]
    body = "".join(f"<tr{mark}>{_cells(row, columns)}</tr>" for mark, row in zip(marks, rows, strict=True))
    table = f'<table class="claims"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="claims-box" tabindex="0">{words_html(rows) if explained and judged else ""}{table}</div>'


def _cells(row: dict, columns: Columns) -> str:
    return "".join(f'<td data-label="{name}">{cell(row)}</td>' for name, cell in columns.items())


def words_html(rows: list[dict]) -> str:
    """The verdicts that occur in the rows, each explained."""
    said = {row["verdict"] for row in rows}
    older = dict.fromkeys(sorted(said - set(MEANING)), _OLDER)
    lines = (f"<div>{badge(word)} {meaning}</div>" for word, meaning in (MEANING | older).items() if word in said)
    return f'<div class="verdict-words">{"".join(lines)}</div>'


def badge(word: str) -> str:
    """A verdict with a class of its own, so that colour only repeats what the word says."""
    title = html.escape(MEANING.get(word, ""), quote=True)
    return f'<span class="verdict {word.replace(" ", "-")}" title="{title}">{word}</span>'


def text_table(rows: list[dict]) -> str:
    """The rows as plain lines, for terminals and viewers without HTML."""
    return "\n".join(
        f"{row['verdict']:>17}  {measured_text(row['measured'])}  {row.get('statement', '')}" for row in rows
    )


def _verdict(row: dict) -> str:
    return badge(row["verdict"]) + _small(row.get("why"))


def _statement(row: dict) -> str:
    return html.escape(row["statement"]) + _small(row.get("where"))


def _quantity(row: dict) -> str:
    return html.escape(row["quantity"] or row["statement"])


def _reported(row: dict) -> str:
    return html.escape(row["reported"]) or "—"


def _measured(row: dict) -> str:
    measured = row["measured"]
    if measured is None:
        return "—"
    parts = [f"<b>{_value(measured)}</b>", f"<span>{_bounds(measured)}</span>", _small(measured["interval"])]
    if mean := row.get("mean"):
        parts.append(_small(f"mean {_value(mean)} {_bounds(mean)}"))
    return " ".join(parts)


def _rule(row: dict) -> str:
    return html.escape(row["rule"]) + _null_check(row)


def _null_check(row: dict) -> str:
    noise = row.get("noise")
    if not noise:
        return ""
    values = [run["value"] for run in noise["runs"] if run["value"] is not None]
    mean = number_text(sum(values) / len(values) if values else None)
    return _small(f"noise ({noise['what']}): {mean}, passes {noise['passed']} of {len(noise['runs'])}")


def _noise_alone(row: dict) -> str:
    return _null_check(row) or "—"


CLAIMS: Columns = {
    "Verdict": _verdict,
    "Claim": _statement,
    "Paper": _reported,
    "This run": _measured,
    "Rule": _rule,
}
HYPOTHESES: Columns = {"Verdict": _verdict, "Hypothesis": _statement, "This run": _measured, "Rule": _rule}
FINDINGS: Columns = {"Measured": _quantity, "Found": _measured, "Noise": _noise_alone}


def _small(text: str | None) -> str:
    return f"<small>{html.escape(text)}</small>" if text else ""


def measured_text(measured: dict | None) -> str:
    """``"0.646 [0.629, 0.663] (95% t, 5 seeds)"``, without brackets where nothing bounds the value."""
    if measured is None:
        return "—"
    return " ".join(filter(None, [_value(measured), _bounds(measured), f"({measured['interval']})"]))


def _value(measured: dict) -> str:
    return number_text(measured["value"], _decimals(measured))


def _bounds(measured: dict) -> str:
    """``[0.629, 0.663]``; nothing where nothing bounds the value: the interval's description says why."""
    if measured["low"] is None and measured["high"] is None:
        return ""
    low, high = (number_text(measured[key], _decimals(measured)) for key in ("low", "high"))
    return f"[{low}, {high}]"


def _decimals(measured: dict) -> int:
    """Two digits of the interval's half width: 2 decimals for .1, 3 for .01, and never fewer than 2 or more than 4."""
    low, high = measured["low"], measured["high"]
    if low is None or high is None or high <= low:
        return 3
    return min(4, max(2, 1 - math.floor(math.log10((high - low) / 2))))


def number_text(number: float | None, decimals: int = 3) -> str:
    """A number with so many decimals and a true minus sign; a question mark for None."""
    return "?" if number is None else f"{number:.{decimals}f}".replace("-", "−")

"""Names and values that others wrote, made harmless where they are shown: in Markdown, and in spreadsheets."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_MARKUP = re.compile(r"([\\`*_{}\[\]<>&|$~^])")
_NUMBER = re.compile(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?%?", re.ASCII)


def markdown(text: str) -> str:
    r"""Text that Markdown, MyST's too, shows as it is: no markup, no HTML, no role, no link, on one line.

    >>> print(markdown("`<b>|"))
    \`\<b\>\|
    """
    return _MARKUP.sub(r"\\\1", _on_one_line(text))


def code(text: str) -> str:
    """`text` in the type of code, in a cell of a table: between more backticks than it holds in a row."""
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {_on_one_line(text)} {fence}".replace("|", r"\|")


def _on_one_line(text: str) -> str:
    return "".join(part if part.isprintable() else " " for part in text)


def csv(table: "pd.DataFrame", **options) -> str:
    """The table as CSV, in which no text is a formula to a spreadsheet: what would be begins with an apostrophe.

    Parameters
    ----------
    table : DataFrame
        Its index is left out.
    **options
        Of `pandas.DataFrame.to_csv`.
    """
    import pandas as pd  # takes half a second, which the rest does without
    from pandas.api.types import is_numeric_dtype

    columns = [column if is_numeric_dtype(column) else column.map(_cell) for _, column in table.items()]
    safe = pd.concat(columns, axis=1) if columns else table
    return safe.rename(columns=_cell).to_csv(index=False, **options)


def _cell(value):
    formula = isinstance(value, str) and value[:1] in set("=+-@\t\r") and not _NUMBER.fullmatch(value)
    return f"'{value}" if formula else value

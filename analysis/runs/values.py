"""Computed values on their way into the text: formatted for readers, whole for programs."""

import math
import re
from numbers import Integral, Real

from nbformat import NotebookNode

from analysis.intervals import Measured
from analysis.runs import harmless
from analysis.runs.outputs import VALUES, embedded


def tell(form: str = "", /, **values: str | float | Measured) -> None:
    """Make values known to the text of a notebook, which shows each by ``{glue:text}`its-name```.

    The raw values travel with the notebook, out of sight: `told` reads them.

    Parameters
    ----------
    form : str
        How to write the numbers of this call, in Python's format language (``".0%"``). Without it: integers with
        thousands separated; other numbers with two decimals, more for those below 0.1 and none from 1,000 on;
        measurements with two decimals and their interval.
    **values
        Texts, numbers or measurements, by name; an underscore becomes a dash.

    Raises
    ------
    ValueError
        If a value is none of these, or a form is given for a text.
    """
    # Loads Sphinx, which the commands and the readers of values do without.
    from IPython.display import display
    from myst_nb import glue

    rows = [row(name.replace("_", "-"), value, form) for name, value in values.items()]
    for told_row in rows:
        glue(told_row["name"], told_row["text"], display=False)
    display({VALUES: rows}, raw=True)


def row(name: str, value: str | float | Measured, form: str = "") -> dict:
    """What a notebook carries of one value: its name, its text and, unless it is a text, its numbers.

    JSON knows no infinity and no NaN: these are written as texts that ``float`` reads.

    Examples
    --------
    >>> row("n-stimuli", 25600)
    {'name': 'n-stimuli', 'text': '25,600', 'value': 25600}
    >>> row("gain", Measured(0.125, 0.0, math.inf))["high"]
    'inf'
    """
    if isinstance(value, str) and not form:
        return {"name": name, "text": str(value)}  # NumPy's texts have another repr
    if isinstance(value, Measured):
        numbers = {key: _plain(getattr(value, key)) for key in ("value", "low", "high")}
        return {"name": name, "text": _measured(value, form or "z.2f"), **numbers, "interval": value.interval}
    if isinstance(value, Real) and not isinstance(value, bool):
        return {"name": name, "text": _number(value, form), "value": _plain(value)}
    allowed = "a number or a measurement if a form is given" if form else "a text, a number or a measurement"
    raise ValueError(f"'{name}' must be {allowed}, got {value!r}.")


def told(notebook: NotebookNode) -> dict[str, dict]:
    """What an executed notebook told, by name: rows as `row` makes them, with the numbers as they were."""
    rows = [found for rows in embedded(notebook, VALUES) for found in rows]
    return {found["name"]: {key: _restored(key, value) for key, value in found.items()} for found in rows}


def complete(notebook: NotebookNode) -> None:
    """Put the told values into the notebook's text, in place, so that it reads complete in any viewer.

    A value that no cell told, since a run on other data does not measure it, reads "not measured".
    """
    known = told(notebook)

    def text_of(match: re.Match) -> str:
        row = known.get(match[1], {"text": "not measured", "value": None})
        return row["text"] if "value" in row else harmless.markdown(row["text"])  # a name is no markup

    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\{glue:text\}`([^`]+)`", text_of, cell.source)


def _plain(number: Real) -> int | float | str:
    if isinstance(number, Integral):
        return int(number)
    return float(number) if math.isfinite(number) else str(float(number))


def _restored(key: str, value):
    return float(value) if key in {"value", "low", "high"} and isinstance(value, str) else value


def _measured(measured: Measured, form: str) -> str:
    if math.isnan(measured.value):
        return _number(measured.value, form)
    value, low, high = (_number(number, form) for number in (measured.value, measured.low, measured.high))
    return f"{value} [{low}, {high}]"


def _number(number: Real, form: str) -> str:
    if math.isnan(number):
        return "not defined"
    if math.isinf(number):
        return "∞" if number > 0 else "-∞"
    return format(number, form or _form(number))


def _form(number: Real) -> str:
    """As many digits as say something: at least two that are not leading zeros."""
    if isinstance(number, Integral):
        return ",d"
    size = abs(number)
    if round(size, 2) >= 1000:
        return ",.0f"
    if size == 0 or size >= 0.1:
        return ".2f"
    return f".{1 - math.floor(math.log10(size))}f" if size >= 0.0001 else ".1e"

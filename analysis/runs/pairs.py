"""A chapter's two halves: the text that people edit (MyST Markdown) and the notebook that papermill executes."""

import hashlib
from pathlib import Path

import jupytext
import nbformat
from jupytext.compare import NotebookDifference, compare_notebooks
from nbformat import NotebookNode

from analysis.files import write_atomically
from analysis.runs.parameters import ParameterError

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""What every notebook of the book says of its kernel."""


def notebook_from_text(text_half: Path) -> NotebookNode:
    """The notebook that a text half stands for, without outputs; the same text gives the same bytes."""
    notebook = jupytext.read(text_half)
    notebook.metadata = nbformat.from_dict({"jupytext": {"formats": "ipynb,md:myst"}, **METADATA})
    notebook.nbformat_minor = 5
    for index, cell in enumerate(notebook.cells):
        cell.id = hashlib.sha256(f"{index} {cell.source}".encode()).hexdigest()[:8]
    return notebook


def write_notebook_half(text_half: Path) -> Path:
    """Write the `.ipynb` half anew from the text half, and return its path."""
    path = text_half.with_suffix(".ipynb")
    write_atomically(path, nbformat.writes(notebook_from_text(text_half)) + "\n")
    return path


def read_pair(text_half: Path) -> NotebookNode:
    """The notebook half, once both halves have been found to say the same.

    Raises
    ------
    ParameterError
        If they differ (by content, whatever the files' time stamps), or one of them cannot be read.
    """
    name = text_half.stem
    try:
        notebook = nbformat.read(text_half.with_suffix(".ipynb"), as_version=4)
        compare_notebooks(notebook, jupytext.read(text_half), fmt="md:myst")
    except NotebookDifference:
        raise ParameterError(
            f"Chapter '{name}': {name}.md and {name}.ipynb differ; 'python -m analysis pair {name}' writes the "
            f"notebook from the text ('jupytext --to md:myst' goes the other way)."
        ) from None
    except Exception as error:  # what is no notebook, or cut short, fails in a dozen ways
        raise ParameterError(
            f"Chapter '{name}': {name}.md or {name}.ipynb cannot be read ({' '.join(str(error).split())[:200]}); bring "
            f"both back from version control, or write the notebook anew with 'python -m analysis pair {name}'."
        ) from None
    return notebook

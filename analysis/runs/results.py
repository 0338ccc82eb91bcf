"""Executed notebooks on disk: read back only as a run wrote them, written together with all that goes with them."""

import json
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from analysis.files import write_together
from analysis.sources import sha256


def read(path: Path) -> NotebookNode | None:
    """The notebook that a run wrote; None if there is none, it is damaged or changed, or no run wrote it."""
    try:
        notebook = nbformat.read(path, as_version=4)
        content = _content(notebook)
        return notebook if notebook.metadata.analysis.get("content", content) == content else None
    except Exception:  # what is no notebook fails in a dozen ways
        return None


def write(notebook: NotebookNode, path: Path, side: dict[Path, str]) -> None:
    """Write the notebook, with a checksum of its cells, and what goes with it; all is on disk before any appears.

    Raises
    ------
    OSError
        If one of them cannot be written. Then none has been.
    """
    notebook.metadata.analysis.content = _content(nbformat.reads(nbformat.writes(notebook), as_version=4))
    write_together({**side, path: nbformat.writes(notebook)})


def _content(notebook: NotebookNode) -> str:
    return sha256(json.dumps(notebook.cells, sort_keys=True).encode())

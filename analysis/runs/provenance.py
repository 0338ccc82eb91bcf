"""What an executed notebook was made from: the key that tells whether it is out of date, the record it carries."""

import importlib.metadata
import json
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbformat import NotebookNode

from analysis.files import reason
from analysis.runs.parameters import ChapterParameters, ParameterError
from analysis.sources import ROOT, imported_modules, sha256

LOCK = ROOT / "requirements.lock"
_SHOWN_PACKAGES = ("jupyter-book", "numpy", "pandas", "papermill", "scikit-learn", "scipy", "seaborn", "torch")


def code_of(notebook: NotebookNode) -> list[str]:
    """The sources of a notebook's code cells, without lines only IPython understands."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return ["\n".join(line for line in source.splitlines() if line[:1] not in "%!") for source in sources]


def _lock() -> bytes:
    try:
        return LOCK.read_bytes()
    except OSError as error:
        raise ParameterError(
            f"'{LOCK.name}', which says what a run was made with, cannot be read ({reason(error)}): bring it back from "
            "version control, or write it with 'make lock'."
        ) from None


def inputs(notebook: NotebookNode, parameters: ChapterParameters, earlier: Mapping | None = None) -> dict:
    """Everything a run's outputs depend on, by content: notebook, modules, parameters, data and environment.

    `earlier` is what another run was made from. Where that had the same notebook and its modules are as they were, they
    import what they imported: nothing is parsed, which takes most of the time otherwise.
    """
    cells = [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
    content = sha256(json.dumps(cells, sort_keys=True).encode())
    modules = dict(earlier["modules"]) if earlier and earlier["notebook"] == content else {}
    if not modules or modules != _hashes([ROOT / name for name in modules]):
        modules = _hashes(imported_modules(code_of(notebook)))
    return {
        "notebook": content,
        "modules": modules,
        "parameters": parameters.model_dump(mode="json"),
        "data": parameters.data_hashes(),
        "environment": sha256(_lock()),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


def _hashes(files: Iterable[Path]) -> dict[str, str]:
    """By their paths below the project, of those that are there."""
    return {path.relative_to(ROOT).as_posix(): sha256(path.read_bytes()) for path in files if path.is_file()}


def key(made_from: dict) -> str:
    """One hash of `inputs`; an executed notebook with another key is out of date."""
    return sha256(json.dumps(made_from, sort_keys=True).encode())


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that matter for the numbers."""
    return {
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _SHOWN_PACKAGES},
    }


def device() -> str:
    """The device that heavy functions would use, in words."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"

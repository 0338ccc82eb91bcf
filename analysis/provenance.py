"""What an executed notebook was made from: the key that tells whether it is out of date, the record it carries."""

import ast
import hashlib
import importlib.metadata
import json
import platform
from pathlib import Path

import torch
from nbformat import NotebookNode

from analysis.parameters import ChapterParameters

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements.lock"
_SHOWN_PACKAGES = ("jupyter-book", "numpy", "pandas", "papermill", "scikit-learn", "scipy", "seaborn", "torch")


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def imported_modules(sources: list[str]) -> list[Path]:
    """The files of the package `analysis` that code imports, directly or through one another, sorted."""
    found: set[Path] = set()
    pending = list(sources)
    while pending:
        new = _module_files(pending.pop()) - found
        found |= new
        pending += [path.read_text(encoding="utf-8") for path in new]
    return sorted(found)


def _module_files(source: str) -> set[Path]:
    names = {name for node in ast.walk(ast.parse(source)) for name in _imported_names(node)}
    parts = [name.split(".") for name in names if name.split(".")[0] == "analysis"]
    # Importing a.b.c runs a/__init__.py and a/b/__init__.py too.
    prefixes = {tuple(part[:size]) for part in parts for size in range(1, len(part) + 1)}
    files = (_candidates(prefix) for prefix in prefixes)
    return {path for pair in files for path in pair if path.is_file()}


def _imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        # "from a import b" may name a module a.b or something inside a; both are looked for.
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def _candidates(parts: tuple[str, ...]) -> tuple[Path, Path]:
    path = ROOT.joinpath(*parts)
    return path.with_suffix(".py"), path / "__init__.py"


def code_of(notebook: NotebookNode) -> list[str]:
    """The sources of a notebook's code cells, without lines only IPython understands."""
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return ["\n".join(line for line in source.splitlines() if line[:1] not in "%!") for source in sources]


def inputs(notebook: NotebookNode, parameters: ChapterParameters) -> dict:
    """Everything a run's outputs depend on, by content: notebook, modules, parameters, data and environment."""
    cells = [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
    modules = imported_modules(code_of(notebook))
    return {
        "notebook": sha256(json.dumps(cells, sort_keys=True).encode()),
        "modules": {path.relative_to(ROOT).as_posix(): sha256(path.read_bytes()) for path in modules},
        "parameters": parameters.model_dump(mode="json"),
        "data": parameters.data_hashes(),
        "environment": sha256(LOCK.read_bytes()),
        "python": ".".join(platform.python_version_tuple()[:2]),
    }


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
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"CPU ({platform.machine()}, {torch.get_num_threads()} threads)"

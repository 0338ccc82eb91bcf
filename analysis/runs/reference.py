"""Documentation of the public functions, from their docstrings; read from the sources, so that nothing is loaded."""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from analysis import HOMES
from analysis.sources import ROOT

PAGES = {"measures": ("measures", "intervals"), "recovery": ("recovery",), "models": ("models",), "data": ("data",)}
"""What a page documents, by its name in ``book/api``: the rooms and modules that begin with these."""
_SPELLED = {"cka": "CKA", "rsa": "RSA", "cifar10": "CIFAR-10", "brainscore": "Brain-Score"}


def staged() -> dict[Path, bytes]:
    """Files of the staging folder that the pages of ``book/api`` include, by their path in it."""
    return {Path(f"book/generated/api-{page}.md"): _page(begins).encode() for page, begins in PAGES.items()}


def _page(begins: tuple[str, ...]) -> str:
    modules: dict[str, list[str]] = {}
    for name, home in HOMES.items():
        if home.split(".")[0] in begins:
            modules.setdefault(home, []).append(name)
    return "\n".join(_section(home, names) for home, names in sorted(modules.items(), key=_order(begins)))


def _order(begins: tuple[str, ...]):
    return lambda entry: (begins.index(entry[0].split(".")[0]), entry[0])


def _section(home: str, names: list[str]) -> str:
    code = ast.parse((ROOT / "analysis" / f"{home.replace('.', '/')}.py").read_text(encoding="utf-8"))
    short = home.rpartition(".")[2]
    title = _SPELLED.get(short, short.replace("_", " ").capitalize())
    told = (ast.get_docstring(code) or "").partition("\n\n")[0].replace("\n", " ")
    return "\n".join([f"## {title}\n\n{told}\n", *(_directive(name, _kind(code, name)) for name in names)])


def _kind(code: ast.Module, name: str) -> str:
    kinds = {ast.FunctionDef: "function", ast.ClassDef: "class"}
    found = (kinds[type(node)] for node in code.body if type(node) in kinds and node.name == name)  # type: ignore[attr-defined]
    return next(found, "data")


def _directive(name: str, kind: str) -> str:
    return f"```{{eval-rst}}\n.. auto{kind}:: analysis.{name}\n```\n"


def used_cell(notebook: NotebookNode) -> NotebookNode | None:
    """A cell that links to the documentation of the public functions that a notebook uses; None without.

    First those that its own code imports, then those that the modules of its chapter import for it.
    """
    cells = [ast.parse(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    modules = [_parsed(path.read_text(encoding="utf-8")) for path in _chapter_files(cells)]
    here = _public_names(cells)
    groups = {"Functions used here": here, "Behind them, in the chapter's code": _public_names(modules) - here}
    lines = [f"**{told}:** {_links(names)}." for told, names in groups.items() if names]
    return new_markdown_cell("\n\n".join(lines), id="functions") if lines else None


@cache
def _parsed(source: str) -> ast.Module:
    """Once for all pages of a chapter."""
    return ast.parse(source)


def _links(names: set[str]) -> str:
    return ", ".join(f"{{py:obj}}`~analysis.{name}`" for name in sorted(names, key=str.lower))


def _imports(trees: Iterable[ast.Module]) -> list[tuple[str, str]]:
    """Pairs (module, name) that code takes from this package."""
    taken = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    ours = (node for node in taken if str(node.module).split(".")[0] == "analysis")
    return [(str(node.module), alias.name) for node in ours for alias in node.names]


def _public_names(trees: Iterable[ast.Module]) -> set[str]:
    """Names of the public face, taken from it or from the module that holds them."""
    return {name for module, name in _imports(trees) if name in HOMES and module in ("analysis", _home(name))}


def _home(name: str) -> str:
    return f"analysis.{HOMES[name]}"


def _chapter_files(trees: Iterable[ast.Module]) -> list[Path]:
    """The modules of a chapter that code imports, or imports something from."""
    named = {part for module, name in _imports(trees) for part in (module, f"{module}.{name}")}
    paths = (ROOT / f"{part.replace('.', '/')}.py" for part in named if part.startswith("analysis.chapters."))
    return sorted(path for path in paths if path.is_file())

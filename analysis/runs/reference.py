"""Documentation of the public functions, from their docstrings; read from the sources, so that nothing is loaded."""

import ast
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
    """A cell that links to the documentation of the public functions that a notebook's code imports; None without."""
    names = sorted(_imported(notebook), key=str.lower)
    if not names:
        return None
    links = ", ".join(f"{{py:obj}}`~analysis.{name}`" for name in names)
    return new_markdown_cell(f"**Functions used here:** {links}.", id="functions")


def _imported(notebook: NotebookNode) -> set[str]:
    code = [ast.parse(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    taken = [node for tree in code for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    public = [node for node in taken if str(node.module).split(".")[0] == "analysis"]
    return {alias.name for node in public for alias in node.names} & set(HOMES)

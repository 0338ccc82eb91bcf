"""What code depends on: the files of this package that it imports, directly or through one another, by content.

Kept results and executed notebooks are keyed by these files, so that a change in any module that takes part in a
computation makes them out of date, and a change in any other module does not.
"""

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import analysis

ROOT = Path(__file__).resolve().parents[1]


def sha256(content: bytes) -> str:
    """Hexadecimal SHA-256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def imported_modules(sources: Iterable[str], root: Path = ROOT) -> list[Path]:
    """The files of the package `analysis` below `root` that code imports, directly or through one another, sorted."""
    found: set[Path] = set()
    pending = list(sources)
    while pending:
        new = _module_files(pending.pop(), root) - found
        found |= new
        pending += [path.read_text(encoding="utf-8") for path in new]
    return sorted(found)


@cache
def import_closure(module: str, root: Path = ROOT) -> tuple[Path, ...]:
    """The file of a module of `analysis` and all the files that it imports, sorted."""
    return tuple(imported_modules([f"import {module}"], root))


@cache
def closure_hash(module: str, root: Path = ROOT) -> str:
    """SHA-256 of a module of `analysis` and of all that it imports: names and contents."""
    files = import_closure(module, root)
    parts = [f"{path.relative_to(root).as_posix()} {sha256(path.read_bytes())}" for path in files]
    return sha256("\n".join(parts).encode())


def _module_files(source: str, root: Path) -> set[Path]:
    names = {name for node in ast.walk(ast.parse(source)) for name in _imported_names(node)}
    homes = {f"analysis.{analysis.HOMES[name]}" for name in _from_the_face(names)}
    parts = [name.split(".") for name in names | homes if name.split(".")[0] == "analysis"]
    # Importing a.b.c runs a/__init__.py and a/b/__init__.py too.
    prefixes = {tuple(part[:size]) for part in parts for size in range(1, len(part) + 1)}
    files = (path for prefix in prefixes for path in _candidates(root, prefix))
    return {path for path in files if path.is_file()}


def _imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        # "from a import b" may name a module a.b or something inside a; both are looked for.
        return [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "analysis":
        return [f"analysis.{node.attr}"]
    return []


def _from_the_face(names: Iterable[str]) -> list[str]:
    """Names that the package itself offers and that live in one of its modules."""
    last: list[str] = [name.removeprefix("analysis.") for name in names if name.startswith("analysis.")]
    return [name for name in last if name in analysis.HOMES]


def _candidates(root: Path, parts: tuple[Any, ...]) -> tuple[Path, Path]:
    path = root.joinpath(*parts)
    return path.with_suffix(".py"), path / "__init__.py"

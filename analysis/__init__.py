"""How alike neural networks see, to each other and to people: the measures and experiments behind the book.

Everything listed in ``__init__.pyi`` can be imported from here; the module that holds it is loaded when it is first
used (PEP 562), so that ``import analysis`` costs next to nothing.
"""

import ast
import importlib
from pathlib import Path


def _homes() -> dict[str, str]:
    """The module that holds each public name, as the stub for type checkers says: one list serves both."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module).removeprefix("analysis.") for node in imports for alias in node.names}


HOMES = _homes()
__all__ = list(HOMES)


def __getattr__(name: str):
    if name not in HOMES:
        raise AttributeError(f"module 'analysis' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"analysis.{HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""No name of a function, a parameter or a variable hides a module that its file imports."""

import ast

import pytest

from analysis.runs import catalogue, pairs, provenance
from analysis.sources import ROOT

FOLDERS = ("analysis", "tests", "benchmarks", "tools")
FILES = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
NOTEBOOKS = [catalogue.text_half(chapter) for chapter in catalogue.chapters()]
NOTEBOOKS += [catalogue.text_half(chapter, catalogue.PUBLIC) for chapter in catalogue.public_runs()]


def modules(code):
    """Names under which a file has modules at hand, imported at the top or in a function."""
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] == "analysis":
            yield from (alias.asname or alias.name for alias in node.names if is_module(node.module, alias.name))


def is_module(package, name):
    place = ROOT.joinpath(*package.split("."), name)
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()


def bound(code):
    """Names that a file gives to functions, classes, parameters and variables, each with its line.

    What stands in for a module that this system does not have may have its name.
    """
    handlers = [node for node in ast.walk(code) if isinstance(node, ast.ExceptHandler) and is_missing(node.type)]
    stand_ins = {node for handler in handlers for node in ast.walk(handler)}
    for node in set(ast.walk(code)) - stand_ins:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.ExceptHandler(name=str(name)):
                yield name, node.lineno
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name, node.lineno


def is_missing(error):
    return isinstance(error, ast.Name) and error.id in ("ImportError", "ModuleNotFoundError")


def hidden(source):
    """Modules that the source hides, as ``name (line)``."""
    code = ast.parse(source)
    imported = set(modules(code))
    return [f"{name} (line {line})" for name, line in sorted(bound(code)) if name in imported]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_name_hides_a_module(path):
    assert hidden(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_name_in_a_notebook_hides_a_module(path):
    assert hidden("\n\n".join(provenance.code_of(pairs.notebook_from_text(path)))) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import json\ndef f(json): pass", ["json (line 2)"]),
        ("import json\njson = 1", ["json (line 2)"]),
        ("import os.path\nfor os in []: pass", ["os (line 2)"]),
        ("import numpy as np\n[np for np in []]", ["np (line 2)"]),
        ("from analysis.runs import sweep\ndef sweep(): pass", ["sweep (line 2)"]),
        ("def f():\n    from analysis.runs import runner\ndef g(runner): pass", ["runner (line 3)"]),
        ("try:\n    import json\nexcept ImportError:\n    json = None", []),
        ("from analysis.sources import ROOT\nROOT = 1\nimport json\nx = {'json': json.loads}", []),
    ],
)
def test_what_this_check_would_find(source, found):
    assert hidden(source) == found

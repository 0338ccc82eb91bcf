"""Imports run one way, names are imported from where they are defined, and tests mirror the tree.

All of it is read from the sources: the rooms are the folders, and what a room may use is what lies below it.
"""

import ast
from functools import cache
from pathlib import Path

import nbformat
import pytest

from analysis.sources import ROOT

GROUND = "ground floor"
# From the top down; rooms on one floor do not use each other.
FLOORS = [{"chapters"}, {"runs", "recovery"}, {"models"}, {"data"}, {"measures"}, {GROUND}]


def tree(root=ROOT):
    """Every module of `analysis` by its dotted name, packages' `__init__` under the package's name."""
    files = sorted((root / "analysis").rglob("*.py"))
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


MODULES = tree()


def room(module):
    parts = module.split(".")[1:]
    inside = f"analysis.{parts[0]}" if parts else ""
    return parts[0] if len(parts) > 1 or MODULES.get(inside, Path()).name == "__init__.py" else GROUND


def floor(module):
    (level,) = [level for level, rooms in enumerate(FLOORS) if room(module) in rooms]
    return level


@cache
def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(code, modules):
    """Pairs (module of `analysis`, name taken from it or None for the module itself) that code imports, anywhere."""
    for node in ast.walk(code):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and str(node.module) in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner, None) if inner in modules else (node.module, alias.name)


def used_modules(module, modules):
    return {used for used, _ in imports(parsed(modules[module]), modules)} - {module}


def borrowed(code, modules):
    """Names that code takes, by import or as an attribute, from a module that has them from another module."""
    taken = {(module, name) for module, name in imports(code, modules) if name is not None}
    known_as = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(code)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}" in modules
    }
    for node in ast.walk(code):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known_as:
            taken.add((known_as[node.value.id], node.attr))
    return sorted(
        f"{name} from {module}" for module, name in taken if module != "analysis" and name in passed_on(modules[module])
    )


@cache
def passed_on(path):
    """The names of others that could be had from a module, as it imports them; the public face is made for that."""
    froms = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.ImportFrom)]
    own = [node for node in froms if str(node.module).split(".")[0] == "analysis"]
    return {alias.asname or alias.name for node in own for alias in node.names}


def upward(module, modules):
    """What a module uses that does not lie below it or in its own room; chapters do not use each other."""
    wrong = []
    for used in used_modules(module, modules) - {"analysis"}:
        neighbours = room(used) == room(module)
        other_chapter = neighbours and room(module) == "chapters" and used.split(".")[2:3] != module.split(".")[2:3]
        if other_chapter or not (neighbours or floor(used) > floor(module)):
            wrong.append(used)
    return sorted(wrong)


def below_the_commands():
    """All modules but the package itself and its commands, which stand above the rooms."""
    return [name for name in MODULES if name not in ("analysis", "analysis.__main__")]


@pytest.mark.parametrize("module", below_the_commands())
def test_a_module_uses_only_what_lies_below_it(module):
    assert upward(module, MODULES) == []


def test_no_module_uses_itself_in_a_roundabout_way():
    uses = {module: used_modules(module, MODULES) - {"analysis"} for module in below_the_commands()}
    while leaves := [module for module, used in uses.items() if not used & uses.keys()]:
        for module in leaves:
            del uses[module]
    assert uses == {}


def public_definitions(path):
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [node.name for node in parsed(path).body if isinstance(node, kinds) and not node.name.startswith("_")]


def home_of_tests(module):
    """`tests/<room>/test_<module>.py` for `analysis.<room>.<module>`."""
    *rooms, name = module.split(".")[1:]
    return ROOT.joinpath("tests", *rooms, f"test_{name.strip('_')}.py")


@pytest.mark.parametrize("module", [name for name in MODULES if not name.split(".")[-1].startswith("_")])
def test_every_module_that_offers_something_has_its_tests_beside_it(module):
    """Private modules are tested through those that use them; the command line, in `__main__`, by its commands."""
    if MODULES[module].name != "__init__.py" and public_definitions(MODULES[module]):
        assert home_of_tests(module).is_file()


def test_folders_of_tests_are_rooms():
    """`tests/book` is about the whole. A room may have tests about all of its modules at once."""
    folders = {path.parent.relative_to(ROOT / "tests") for path in (ROOT / "tests").rglob("test_*.py")}
    strange = [folder.as_posix() for folder in folders if not (ROOT / "analysis" / folder).is_dir()]
    assert strange == ["book"]


def test_every_room_has_its_floor():
    assert {room(module) for module in below_the_commands()} == set().union(*FLOORS)


@pytest.mark.parametrize("module", MODULES)
def test_names_come_from_the_module_that_defines_them(module):
    assert borrowed(parsed(MODULES[module]), MODULES) == []


@pytest.mark.parametrize("folder", ["benchmarks", "tests", "tools"])
def test_other_code_asks_the_defining_module_too(folder):
    wrong = {
        path.relative_to(ROOT).as_posix(): names
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (names := borrowed(parsed(path), MODULES))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    "path", sorted((ROOT / "book").rglob("*.ipynb")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_notebooks_ask_the_defining_module_too(path):
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    assert borrowed(ast.parse(code), MODULES) == []


def test_what_these_checks_would_find(tmp_path):
    sources = {
        "__init__": "",
        "checks": "LIMIT: int = 3\n",
        "measures/__init__": "",
        "measures/one": "from analysis.checks import LIMIT\nfrom analysis.data import two\n",
        "data/__init__": "",
        "data/two": "def late():\n    from analysis.measures.one import LIMIT\n    import analysis.chapters.a.b\n",
        "chapters/__init__": "",
        "chapters/a/__init__": "",
        "chapters/a/b": "from analysis.measures import one as first\nfrom analysis.chapters.c import d\nfirst.LIMIT\n",
        "chapters/c/__init__": "",
        "chapters/c/d": "from analysis.data.two import late\nimport analysis.measures.one\n",
    }
    for name, source in sources.items():
        path = tmp_path / "analysis" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    modules = tree(tmp_path)

    found = {module.removeprefix("analysis."): wrong for module in modules if (wrong := upward(module, modules))}
    assert found == {
        "measures.one": ["analysis.data.two"],
        "data.two": ["analysis.chapters.a.b"],
        "chapters.a.b": ["analysis.chapters.c.d"],
    }
    façades = {
        module.removeprefix("analysis."): names
        for module, path in modules.items()
        if (names := borrowed(parsed(path), modules))
    }
    assert façades == {
        "data.two": ["LIMIT from analysis.measures.one"],
        "chapters.a.b": ["LIMIT from analysis.measures.one"],
    }

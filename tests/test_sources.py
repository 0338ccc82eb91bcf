"""What code depends on is found by following its imports."""

import pytest

import analysis
from analysis.sources import closure_hash, import_closure, imported_modules


@pytest.fixture
def package(tmp_path):
    sources = {
        "__init__": "",
        "a": "from analysis import b\n",
        "b": "import analysis.c as c\n",
        "c": "def late():\n    from analysis.room import inside\n",
        "d": "",
        "room/__init__": "",
        "room/inside": "x = 1\n",
        "room/other": "",
    }
    for name, source in sources.items():
        path = tmp_path / "analysis" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path


def names(paths, root):
    return [path.relative_to(root / "analysis").with_suffix("").as_posix() for path in paths]


def test_imports_are_followed_through_one_another_and_into_functions(package):
    found = imported_modules(["from analysis.a import something"], package)
    assert names(found, package) == ["__init__", "a", "b", "c", "room/__init__", "room/inside"]
    assert import_closure("analysis.a", package) == tuple(found)


def test_a_hash_covers_names_and_contents(package):
    before = closure_hash("analysis.c", package)
    (package / "analysis" / "room" / "inside.py").rename(package / "analysis" / "room" / "elsewhere.py")
    closure_hash.cache_clear()
    import_closure.cache_clear()
    assert closure_hash("analysis.c", package) != before


@pytest.mark.parametrize(
    "source",
    ["from analysis import fleiss_kappa", "import analysis\nanalysis.fleiss_kappa([[2, 0]])"],
)
def test_a_public_name_stands_for_the_module_that_holds_it(source):
    home = analysis.HOMES["fleiss_kappa"].replace(".", "/")
    assert any(path.as_posix().endswith(f"analysis/{home}.py") for path in imported_modules([source]))

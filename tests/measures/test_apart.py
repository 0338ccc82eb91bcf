"""No measure leans on another: each file can be read, copied and trusted by itself."""

import ast
from pathlib import Path

import pytest

import analysis.measures

FILES = sorted(Path(analysis.measures.__path__[0]).glob("*.py"))


def measures_opened_by(path: Path) -> set[str]:
    """Names in `analysis.measures` that a file imports."""
    opened = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analysis.measures"):
            inner = node.module.removeprefix("analysis.measures").strip(".")
            opened |= {inner} if inner else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            opened |= {alias.name.split(".")[2] for alias in node.names if alias.name.startswith("analysis.measures.")}
    return opened


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_measure_opens_only_what_measures_share(path):
    assert all(name.startswith("_") or name == "trees" for name in measures_opened_by(path))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_measure_reads_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 240

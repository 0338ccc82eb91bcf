"""Executed notebooks are read back as they were written, or not at all."""

import os
import random

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from analysis.runs import results


@pytest.fixture
def notebook():
    outputs = [new_output("display_data", {"text/plain": "κ = 0.123", "text/html": ["<b>", "two lines\n"]})]
    cells = [new_code_cell("x = 1", outputs=outputs, execution_count=1, id="c")]
    return new_notebook(cells=cells, metadata={"analysis": {"key": "k"}})


def test_a_notebook_is_read_back(notebook, tmp_path):
    results.write(notebook, tmp_path / "out.ipynb", {tmp_path / "out.csv": "a\n"})
    found = results.read(tmp_path / "out.ipynb")
    assert found.metadata.analysis.key == "k"
    assert found.cells[0].outputs[0].data["text/plain"] == "κ = 0.123"
    assert sorted(os.listdir(tmp_path)) == ["out.csv", "out.ipynb"]


def test_any_flipped_bit_is_either_harmless_or_noticed(notebook, tmp_path):
    path = tmp_path / "out.ipynb"
    results.write(notebook, path, {})
    content, whole = path.read_bytes(), results.read(path)
    noticed = 0
    for place in range(0, 8 * len(content), 3):  # every bit position of a byte comes up
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        found = results.read(path)
        noticed += found is None
        assert found is None or found.cells == whole.cells
    assert noticed > 4 / 3 * len(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"cells": 1}',
        b"[" * 100_000,
        b'{"nbformat": 4, "metadata": {"analysis": 3}}',
    ],
)
def test_what_no_run_wrote_is_no_result(content, tmp_path):
    (tmp_path / "out.ipynb").write_bytes(content)
    assert results.read(tmp_path / "out.ipynb") is None
    assert results.read(tmp_path / "absent.ipynb") is None
    assert results.read(tmp_path) is None


def test_a_notebook_that_somebody_changed_is_no_result(notebook, tmp_path):
    results.write(notebook, tmp_path / "out.ipynb", {})
    changed = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    changed.cells[0].source = "x = 2"
    nbformat.write(changed, tmp_path / "out.ipynb")
    assert results.read(tmp_path / "out.ipynb") is None


def test_a_truncated_notebook_is_no_result(notebook, tmp_path):
    path = tmp_path / "out.ipynb"
    results.write(notebook, path, {})
    content = path.read_bytes()
    for size in random.Random(0).sample(range(len(content) - 2), 50):
        path.write_bytes(content[:size])
        assert results.read(path) is None

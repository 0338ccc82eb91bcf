"""What was computed once is read back, unless it is damaged or made of something else."""

import numpy as np
import pytest
from torch import nn

from analysis import kept as module
from analysis.kept import code_hash, kept, weights_hash


@pytest.fixture
def calls(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    return []


def compute(calls):
    calls.append(1)
    return {"a": np.arange(3.0), "b": np.array(["x"])}


def test_computed_once(calls):
    for _ in range(2):
        found = kept("test", {"n": 1}, lambda: compute(calls))
        assert found["a"].tolist() == [0, 1, 2]
    assert len(calls) == 1


def test_another_recipe_is_another_result(calls):
    for n in (1, 2):
        kept("test", {"n": n}, lambda: compute(calls))
    assert len(calls) == 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"no archive at all"])
def test_a_damaged_file_is_computed_anew(calls, tmp_path, content, caplog):
    kept("test", {}, lambda: compute(calls))
    (path,) = (tmp_path / "test").iterdir()
    path.write_bytes(content)
    assert kept("test", {}, lambda: compute(calls))["a"].tolist() == [0, 1, 2]
    assert len(calls) == 2
    assert "damaged" in caplog.text
    assert path.stat().st_size > len(content)


def test_a_truncated_file_is_computed_anew(calls, tmp_path):
    kept("test", {}, lambda: compute(calls))
    (path,) = (tmp_path / "test").iterdir()
    path.write_bytes(path.read_bytes()[:-40])
    kept("test", {}, lambda: compute(calls))
    assert len(calls) == 2


def test_a_failed_computation_leaves_nothing(calls, tmp_path):
    with pytest.raises(ZeroDivisionError):
        kept("test", {}, lambda: {"a": np.array(1 / 0)})
    assert list(tmp_path.rglob("*.npz")) == []


def test_hashes_follow_content():
    first, second = nn.Linear(2, 2), nn.Linear(2, 2)
    assert weights_hash(first) != weights_hash(second)
    second.load_state_dict(first.state_dict())
    assert weights_hash(first) == weights_hash(second)
    assert code_hash(module) != code_hash(np)

"""What was computed once is read back, unless it is damaged or made of something else."""

import dataclasses
import shutil
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from analysis.cache import content_hash, kept, kept_all
from analysis.sources import ROOT, closure_hash, import_closure

CALLS: list[int] = []


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    CALLS.clear()
    return tmp_path


def computed(n: int, *, workers: int = 1):
    CALLS.append(n)
    return {"a": np.arange(3.0) * n, "b": np.array(["x"])}


def failing(n: int):
    return {"a": np.array(n / 0)}


def test_computed_once():
    for _ in range(2):
        found = kept("test", computed, 2)
        assert found["a"].tolist() == [0, 2, 4]
        assert set(found) == {"a", "b"}
    assert CALLS == [2]


def test_other_arguments_are_another_result_but_how_it_is_computed_is_not():
    for n in (1, 2, 1):
        kept("test", computed, n, how={"workers": n})
    assert CALLS == [1, 2]


def test_tasks_come_in_order_and_only_what_is_missing_is_computed(cache):
    kept_all(cache, computed, [(3,)])
    found = kept_all(cache, computed, [(n,) for n in (4, 3, 5)])
    assert [piece["a"][1] for piece in found] == [4, 3, 5]
    assert CALLS == [3, 4, 5]


def test_workers_change_nothing(cache):
    tasks = [(n,) for n in range(4)]
    alone, together = (kept_all(None, computed, tasks, n_jobs=n_jobs) for n_jobs in (1, 2))
    assert all((a["a"] == b["a"]).all() for a, b in zip(alone, together, strict=True))
    assert list(cache.iterdir()) == []


def test_a_failed_computation_leaves_nothing(cache):
    with pytest.raises(ZeroDivisionError):
        kept("test", failing, 1)
    assert list(cache.rglob("*.npz")) == []


# Damage


def the_file(cache):
    (path,) = (cache / "test").iterdir()
    return path


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half a file", b"no archive at all"])
def test_a_damaged_file_is_computed_anew(cache, content, caplog):
    whole = kept("test", computed, 1)
    the_file(cache).write_bytes(content)
    assert (kept("test", computed, 1)["a"] == whole["a"]).all()
    assert CALLS == [1, 1]
    assert "damaged" in caplog.text
    assert the_file(cache).stat().st_size > len(content)


def test_any_flipped_bit_is_either_harmless_or_noticed(cache):
    whole = kept("test", computed, 1)
    content = the_file(cache).read_bytes()
    for place in range(0, 8 * len(content), 7):  # every bit position of a byte comes up
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        the_file(cache).write_bytes(damaged)
        found = kept("test", computed, 1)
        assert set(found) == set(whole)
        assert all((found[name] == whole[name]).all() for name in whole)


def test_a_file_that_lost_an_array_is_computed_anew(cache):
    kept("test", computed, 1)
    with np.load(the_file(cache)) as file:
        rest = {name: file[name] for name in file.files if name != "b"}
    np.savez(the_file(cache), **rest)
    assert set(kept("test", computed, 1)) == {"a", "b"}


# Keys


@dataclasses.dataclass(frozen=True)
class Plan:
    n: int
    x: np.ndarray


def linear(weight: float) -> nn.Module:
    network = nn.Linear(1, 1)
    nn.init.constant_(network.weight, weight)
    nn.init.zeros_(network.bias)
    return network


DIFFERENT = [
    lambda: 1,
    lambda: 1.0,
    lambda: "1",
    lambda: None,
    lambda: np.arange(3),
    lambda: np.arange(3.0),
    lambda: np.arange(3)[:, None],
    lambda: np.arange(3)[::-1],
    lambda: torch.arange(3),
    lambda: [1, 2],
    lambda: [2, 1],
    lambda: [[1], 2],
    lambda: {"a": 1},
    lambda: {"b": 1},
    lambda: Plan(1, np.arange(2)),
    lambda: Plan(1, np.arange(3)),
    lambda: linear(1.0),
    lambda: linear(2.0),
    lambda: partial(computed, 1),
    lambda: partial(computed, n=1),
    lambda: computed,
    lambda: Plan,
    lambda: torch.device("cpu"),
]


def test_equal_content_gives_equal_keys_and_any_other_content_another():
    hashes = [content_hash(make()) for make in DIFFERENT]
    assert hashes == [content_hash(make()) for make in DIFFERENT]
    assert len(set(hashes)) == len(DIFFERENT)


def test_many_short_lived_values_do_not_share_a_key():
    assert len({content_hash([{"n": n}, np.array([n])]) for n in range(500)}) == 500
    assert content_hash([{"n": n} for n in range(500)]) != content_hash([{"n": 0}] * 500)


@pytest.mark.parametrize("value", [object(), pd.DataFrame(), {1}, lambda: 1, np.array([{}]), open])
def test_what_cannot_be_told_apart_is_refused(value):
    with pytest.raises(TypeError, match=r"cannot be told|must be a plain function"):
        content_hash(value)


# What computes a result decides its key


KEEPING = (
    "analysis.models.trainings",
    "analysis.models.zoo_answers",
    "analysis.recovery.adaptive",
    "analysis.recovery.asymptote",
    "analysis.recovery.experiment",
    "analysis.recovery.generators",
    "analysis.recovery.people",
    "analysis.chapters.neuron_correlation.attack",
    "analysis.chapters.contrastive_stimuli.representations",
    "analysis.chapters.metric_correlation.zoo_metrics",
)


def test_every_module_that_keeps_results_is_among_these():
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "analysis").rglob("*.py")}
    names = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path, text in texts.items()
        if "from analysis.cache import" in text and ("kept(" in text or "kept_all" in text)
    }
    assert names == set(KEEPING)


@pytest.mark.parametrize("module", [*KEEPING, "analysis.models.training"])
def test_a_change_in_any_imported_module_changes_the_key_and_no_other_does(module, tmp_path):
    shutil.copytree(ROOT / "analysis", tmp_path / "analysis", ignore=shutil.ignore_patterns("__pycache__"))
    inside = {path.relative_to(ROOT) for path in import_closure(module)}
    before = closure_hash(module, tmp_path)
    for path in sorted((tmp_path / "analysis").rglob("*.py")):
        source = path.read_bytes()
        path.write_bytes(source + b"\n# another line\n")
        closure_hash.cache_clear()
        assert (closure_hash(module, tmp_path) != before) == (path.relative_to(tmp_path) in inside), path
        path.write_bytes(source)

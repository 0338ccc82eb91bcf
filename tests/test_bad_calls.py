"""Every bad call of the table is refused with its sentence: exit code 2, nothing executed, nothing written."""

import io
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.__main__ import main
from analysis.runs import catalogue, runner, sweep
from analysis.runs.parameters import ParameterError

ROWS = [
    (row["call"], row["says"])
    for rows in yaml.safe_load(Path(__file__).with_name("bad_calls.yml").read_text(encoding="utf-8")).values()
    for row in rows
]
BINARY = b"\x80\x81\xff\xfe" * 50
NAMES = {"{LONG}": "x" * 5000, "{NAME300}": "x" * 300, "{NUL}": "a\0b", "{BOOK}": str(catalogue.BOOK)}


def archive(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


PICTURES = np.zeros((40, 8, 8), np.uint8), np.arange(40) % 2
TABLE = "model,a,b,c,d\n" + "".join(f"m{n},{n},{-n},{n % 7},{n % 5}\n" for n in range(12))
FILES: dict[str, str | bytes] = {
    "answers.csv": "model,a,b\nlabel,x,y\nm,x,y\nn,x,y\n",
    "binary.csv": BINARY,
    "empty.csv": "",
    "unclosed.csv": 'model,a,b\nlabel,x,y\nm,"x,y\nn,x,y\n',
    "ragged.csv": "model,a,b\nlabel,x,y\nm,x\nn,x,y\n",
    "minus.csv": "model,a,b\nlabel,0,1\nm,-1,1\nn,0,1\n",
    "many.csv": "model,a,b,c,d\nlabel,0,1,0,1\n" + "".join(f"m{n},{n % 2},1,0,1\n" for n in range(18)),
    "table.csv": TABLE,
    "plain.yml": "p: [a, b]\nq: [c, d]\n",
    "cyclic.yml": "a: &a [*a]\n",
    "laughs.yml": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "deep.yml": "a: " + "[" * 20_000 + "]" * 20_000,
    "twice.yml": "a: [a]\na: [b]\n",
    "binary.yml": BINARY,
    "tagged.yml": "a: !!python/object/apply:os.system ['touch executed']\n",
    "large.yml": "a: " + "x" * 1_000_001,
    "list.yml": "[a, b]\n",
    "empty.yml": "",
    "stranger.yml": "p: [a, b]\nq: [c, nobody]\n",
    "another.ipynb": '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}',
    "binary.ipynb": BINARY,
    "empty.ipynb": "",
    "empty.npz": b"",
    "text.npz": "no archive",
    "cut.npz": archive(x=PICTURES[0], y=PICTURES[1])[:-100],
    "pickled.npz": archive(x=np.array([{}], object), y=PICTURES[1]),
    "only_x.npz": archive(x=PICTURES[0]),
    "oblong.npz": archive(x=np.zeros((40, 8, 9), np.uint8), y=PICTURES[1]),
}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """A folder with the files that calls name."""
    folder = tmp_path_factory.mktemp("bad")
    for name, content in FILES.items():
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    for name in ("folder", "folder.ipynb", "taken/sweep.csv"):
        (folder / name).mkdir(parents=True)
    (folder / "link.ipynb").symlink_to(catalogue.BOOK / "neuron_correlation.ipynb")
    return folder


@pytest.fixture(autouse=True)
def nothing_is_executed(monkeypatch):
    monkeypatch.setattr(runner, "_executed", lambda *_: pytest.fail("executed"))
    monkeypatch.setattr(sweep, "run_all", lambda *_, **__: pytest.fail("executed"))


def arguments(call):
    found = shlex.split(call)
    for name, value in NAMES.items():
        found = [argument.replace(name, value) for argument in found]
    return found


def content(folder):
    """What is there, and when each file was last changed."""
    paths = (*folder.rglob("*"), *catalogue.BOOK.rglob("*"))
    return {path: path.stat().st_mtime_ns if path.is_file() else None for path in paths}


@pytest.mark.parametrize(("call", "says"), ROWS, ids=[call for call, _ in ROWS])
def test_bad_call_is_refused_in_one_sentence(call, says, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    before = content(workplace)
    result = CliRunner().invoke(main, arguments(call))
    assert result.exit_code == 2, result.output
    assert re.search(says, result.output)
    (sentence,) = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    assert result.output.endswith(f"{sentence}\n")
    assert len(sentence) < 1000
    assert content(workplace) == before


def test_the_table_is_large_and_holds_each_call_once(record_property, capsys):
    record_property("bad calls", len(ROWS))
    with capsys.disabled():  # shown though the test passes
        print(f" {len(ROWS)} bad calls ", end="")
    assert len({call for call, _ in ROWS}) == len(ROWS) >= 150


@pytest.mark.parametrize("profile", ["default", "public"])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_value_of_any_parameter_is_taken_or_refused_in_one_sentence(profile, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = catalogue.public_runs() if profile == catalogue.PUBLIC else catalogue.chapters()
    chapter = data.draw(st.sampled_from(names))
    model = catalogue.parameters_of(chapter, profile)
    numbers = st.one_of(st.integers(), st.floats()).map(str)
    lists = st.lists(numbers, max_size=5).map(",".join)
    values = {data.draw(st.sampled_from(list(model.model_fields))): data.draw(st.one_of(st.text(), numbers, lists))}
    try:
        parameters = catalogue.checked(chapter, profile, values)
        assert np.isfinite(parameters.amount())
    except ParameterError as error:
        sentence = str(error)
        assert len(sentence.splitlines()) == 1, sentence
    assert os.listdir(tmp_path) == []

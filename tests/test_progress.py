"""Progress of long steps: everything is passed on, and what is reported can be read whole at any moment."""

import json

import pytest

from analysis import progress


@pytest.fixture
def channel(tmp_path, monkeypatch):
    path = tmp_path / "progress.json"
    monkeypatch.setenv(progress.CHANNEL, str(path))
    return path


def test_every_item_is_passed_on_in_order(channel):
    assert list(progress.steps(iter("abc"), "letters")) == ["a", "b", "c"]


def test_a_runner_reads_the_step_the_label_and_the_total(channel, monkeypatch):
    monkeypatch.setattr(progress, "_SECONDS_BETWEEN_REPORTS", -1)
    seen = [json.loads(channel.read_text()) for _ in progress.steps([10, 20, 30], "tens")]
    assert seen == [{"label": "tens", "done": done, "total": 3} for done in (0, 1, 2)]
    assert json.loads(channel.read_text())["label"] == ""
    assert [path.name for path in channel.parent.iterdir()] == [channel.name]


def test_a_total_that_is_given_wins_and_an_unknown_one_is_none(channel):
    for total in (5, None):
        next(progress.steps(iter("ab"), "letters", total))
        assert json.loads(channel.read_text())["total"] == total


def test_without_a_runner_a_bar_is_drawn_and_removed(monkeypatch, capsys):
    monkeypatch.delenv(progress.CHANNEL, raising=False)
    assert list(progress.steps(range(3), "numbers", unit="image", size=2)) == [0, 1, 2]
    written = capsys.readouterr().err
    assert "numbers" in written
    assert written.rstrip(" ").endswith("\r")

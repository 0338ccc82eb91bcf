"""Files appear whole or not at all, one process writes each at a time, and a killed one leaves nothing for long."""

import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from analysis import files
from analysis.files import remove_abandoned, reserved, try_to_write, write_atomically, write_together
from analysis.sources import ROOT


def test_content_and_permissions(tmp_path):
    path = tmp_path / "new" / "file.txt"
    write_atomically(path, "ρ = 0.1")
    assert path.read_text(encoding="utf-8") == "ρ = 0.1"
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


def test_the_umask_decides_who_may_read(tmp_path):
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "file.txt"
    write_atomically(path, "old")
    monkeypatch.setattr(os, "replace", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_writers_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "file.txt"
    contents = [str(n) * 100_000 for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: write_atomically(path, content), contents * 4))
    assert path.read_text() in contents
    assert os.listdir(tmp_path) == ["file.txt"]


@contextmanager
def small_disk(size):
    """No file grows beyond so many bytes; not even the one that the tests may write their results to."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_of_files_that_belong_together_none_appears_if_one_does_not_fit(tmp_path):
    (tmp_path / "a").write_text("old")
    with small_disk(1000), pytest.raises(OSError, match="File too large"):
        write_together({tmp_path / "a": "new", tmp_path / "b": "x" * 2000})
    assert (tmp_path / "a").read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_of_files_that_belong_together_none_appears_if_one_is_a_folder(tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(IsADirectoryError):
        write_together({tmp_path / "a": "new", tmp_path / "b": "new"})
    assert os.listdir(tmp_path) == ["b"]


# Whether a file can be written


def test_trying_to_write_changes_nothing(tmp_path):
    (tmp_path / "there").write_text("old")
    for name in ("there", "new", "n" * 180):
        try_to_write(tmp_path / name)
    assert os.listdir(tmp_path) == ["there"]
    assert (tmp_path / "there").read_text() == "old"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("folder", "it is a folder"),
        ("n" * 181, "longer than 180 bytes"),
        ("no/file", "[Nn]o such file"),
        ("file/x", "[Nn]ot a directory"),
    ],
)
def test_what_cannot_be_written_is_found_out(tmp_path, name, sentence):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=sentence):
        try_to_write(tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_a_read_only_file_is_not_replaced(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("kept")
    monkeypatch.setattr(os, "access", lambda asked, mode: not (asked == path and mode == os.W_OK))
    with pytest.raises(PermissionError, match="it is read-only"):
        try_to_write(path)


def test_a_full_disk_is_found_out(tmp_path):
    with small_disk(0), pytest.raises(OSError, match="File too large"):
        try_to_write(tmp_path / "file")


def test_only_one_process_has_a_file(tmp_path):
    path = tmp_path / "file"
    ask = f"from analysis.files import reserved; from pathlib import Path\nwith reserved(Path({str(path)!r})): pass"

    def another():
        call = [sys.executable, "-c", ask]
        return subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=False).stderr

    with reserved(path):
        assert "BlockingIOError" in another()
    assert another() == ""
    assert os.listdir(tmp_path) == []


# What killed processes leave


@pytest.fixture
def left(tmp_path):
    """What is left of a process that was killed while it wrote one file and had reserved another."""
    code = f"""
import os, signal
from pathlib import Path
from analysis import files
with files.reserved(Path({str(tmp_path)!r}) / "out"):
    os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
    files.write_atomically(Path({str(tmp_path)!r}) / "deep" / "file", "x")
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False)
    found = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert len(found) == 2
    return found


def test_what_a_killed_process_left_is_removed_and_what_another_holds_is_not(tmp_path, left, monkeypatch):
    remove_abandoned(tmp_path, deep=True)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == left, "it may be about to be held"
    monkeypatch.setattr(files, "_YOUNG", 0)
    with reserved(tmp_path / "out"), files.held(next(tmp_path.rglob("*.partial"))):
        remove_abandoned(tmp_path, deep=True)
        assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == left
    write_atomically(tmp_path / "deep" / "file", "whole")
    remove_abandoned(tmp_path, deep=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["file"]


def test_a_reservation_passes_on_though_its_lock_is_removed_each_time(tmp_path):
    def use(_):
        for _ in range(2000):
            try:
                with reserved(tmp_path / "file"):
                    time.sleep(0.001)
                    return True
            except BlockingIOError:
                time.sleep(0.001)
        return False

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(use, range(40)))
    assert os.listdir(tmp_path) == []

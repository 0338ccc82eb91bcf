"""Killed at any moment, a run leaves nothing half-written, and the next call goes on from there."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest

HERE = Path(__file__).parent
MARK = "ANALYSIS_TEST_OF"  # in the environment of all that a test starts
PAPERMILLS = ("Passed unknown parameter", "Task was destroyed", "task: ")  # what papermill says of any run like these
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
# CI kills a few times; ANALYSIS_KILLS=40 is the whole test.
N_KILLS = int(os.environ.get("ANALYSIS_KILLS", "4"))


def start(folder, cache, scratch=None):
    environment = {**os.environ, "ANALYSIS_CACHE": str(cache), "PYTHONPATH": str(HERE.parent), MARK: str(folder.parent)}
    environment |= {"TMPDIR": str(scratch)} if scratch else {}
    call = [sys.executable, str(HERE / "killed_run.py"), str(folder)]
    return subprocess.Popen(
        call,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # as in a terminal, wherever the tests run
    )


def alive(folder):
    """What runs of all that was started for `folder`: runner, workers, kernels and their workers."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            marked = entry.name.isdigit() and f"{MARK}={folder}".encode() in (entry / "environ").read_bytes().split(
                b"\0"
            )
            if marked and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(entry.name))
        except OSError:  # it has ended meanwhile
            continue
    return found


def kill(process, folder, number):
    """Send a signal as a terminal or a scheduler does, and wait for the end of all that the runner started."""
    if process.poll() is None:
        (os.killpg if number == signal.SIGINT else os.kill)(process.pid, number)
    waited = time.monotonic()
    while alive(folder) and time.monotonic() - waited < 5:
        time.sleep(0.05)
    orphans = alive(folder)
    for orphan in orphans:
        os.kill(orphan, signal.SIGKILL)
    said = process.stderr.read().decode()
    process.wait()
    process.stderr.close()
    assert not orphans, f"{len(orphans)} processes went on for five seconds after {number.name}"
    return said


def check_everything_is_whole(folder, cache):
    """Every file under a final name can be read to its end; what a kill interrupted has another name."""
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert notebook.metadata.analysis.key
        assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
        assert path.with_suffix(".line.csv").read_text().endswith("\n")
        json.loads(path.with_suffix(".claims.json").read_text())
    for path in cache.rglob("*.npz"):
        with np.load(path) as file:
            assert all(file[name].size for name in file)


@pytest.fixture
def scratch():
    """A folder for temporary files with a short name, as sockets need it."""
    folder = tempfile.mkdtemp(prefix="k")
    yield Path(folder)
    shutil.rmtree(folder)


needs_proc = pytest.mark.skipif(not Path("/proc").is_dir(), reason="finds processes in /proc, which this system lacks")


@needs_proc
def test_killed_at_random_moments(tmp_path, scratch):
    folder, cache = tmp_path / "sweep", tmp_path / "cache"
    started = time.monotonic()
    whole = start(tmp_path / "reference", tmp_path / "reference-cache")
    assert whole.wait() == 0, whole.stderr.read().decode()
    duration = time.monotonic() - started
    chance = random.Random(20240817)
    finished: dict[Path, int] = {}
    for turn in range(N_KILLS):
        process = start(folder, cache, scratch)
        time.sleep(chance.uniform(0.1, 1.0) * duration)
        number = SIGNALS[turn % len(SIGNALS)]
        said = kill(process, folder.parent, number).strip()
        by = {signal.SIGINT: "Ctrl-C", signal.SIGKILL: None}.get(number, number.name)
        lines = [line for line in said.splitlines() if line and not line.startswith(PAPERMILLS)]
        assert lines in ([], [f"Stopped by {by}: what was finished is kept, and the same call goes on from there."])
        if folder.exists():
            check_everything_is_whole(folder, cache)
            now = {path: path.stat().st_mtime_ns for path in folder.glob("*.ipynb")}
            assert {path: now[path] for path in finished} == finished, "a finished point was run again"
            finished = now
    time.sleep(1)  # what is younger may be about to be used
    last = start(folder, cache, scratch)
    assert last.wait() == 0, last.stderr.read().decode()
    check_everything_is_whole(folder, cache)
    assert (folder / "sweep.csv").read_text() == (tmp_path / "reference" / "sweep.csv").read_text()
    left = [path for place in (folder, cache, scratch) for path in place.rglob("*") if path.name.startswith(".")]
    assert left + list(scratch.glob("analysis-run-*")) == []


def test_two_runs_at_once_share_one_cache(tmp_path):
    both = [start(tmp_path / name, tmp_path / "cache") for name in ("one", "two")]
    for process in both:
        assert process.wait() == 0, process.stderr.read().decode()
    for name in ("one", "two"):
        check_everything_is_whole(tmp_path / name, tmp_path / "cache")
    tables = [(tmp_path / name / "sweep.csv").read_text() for name in ("one", "two")]
    assert tables[0] == tables[1]

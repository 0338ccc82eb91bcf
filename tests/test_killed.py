"""Killed at any moment, a run leaves nothing half-written, and the next call goes on from there."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest

HERE = Path(__file__).parent
# CI kills a few times; ANALYSIS_KILLS=20 is the whole test.
N_KILLS = int(os.environ.get("ANALYSIS_KILLS", "4"))


def start(folder, cache):
    environment = {**os.environ, "ANALYSIS_CACHE": str(cache), "PYTHONPATH": str(HERE.parent)}
    call = [sys.executable, str(HERE / "killed_run.py"), str(folder)]
    return subprocess.Popen(
        call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True
    )


def kill(process):
    """SIGKILL for the runner, its workers and their kernels: whatever belongs to the session."""
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == process.pid:
                os.kill(int(entry), signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
    process.wait()
    process.stderr.close()


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


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="kills a process session by /proc, which this system lacks")
def test_killed_at_random_moments(tmp_path):
    folder, cache = tmp_path / "sweep", tmp_path / "cache"
    started = time.monotonic()
    whole = start(tmp_path / "reference", tmp_path / "reference-cache")
    assert whole.wait() == 0, whole.stderr.read().decode()
    duration = time.monotonic() - started
    moments = random.Random(20240817)
    finished: dict[Path, int] = {}
    for _ in range(N_KILLS):
        process = start(folder, cache)
        time.sleep(moments.uniform(0.1, 1.0) * duration)
        kill(process)
        if folder.exists():
            check_everything_is_whole(folder, cache)
            now = {path: path.stat().st_mtime_ns for path in folder.glob("*.ipynb")}
            assert {path: now[path] for path in finished} == finished, "a finished point was run again"
            finished = now
    last = start(folder, cache)
    assert last.wait() == 0, last.stderr.read().decode()
    check_everything_is_whole(folder, cache)
    assert (folder / "sweep.csv").read_text() == (tmp_path / "reference" / "sweep.csv").read_text()


def test_two_runs_at_once_share_one_cache(tmp_path):
    both = [start(tmp_path / name, tmp_path / "cache") for name in ("one", "two")]
    for process in both:
        assert process.wait() == 0, process.stderr.read().decode()
    for name in ("one", "two"):
        check_everything_is_whole(tmp_path / name, tmp_path / "cache")
    tables = [(tmp_path / name / "sweep.csv").read_text() for name in ("one", "two")]
    assert tables[0] == tables[1]

"""Processes end with the run that started them; scratch folders too."""

import os
import signal
import subprocess
import sys
import time
from functools import partial

import joblib
import pytest

from analysis.runs import processes

posix = pytest.mark.skipif(os.name != "posix", reason="needs file locks and signals")


def twice(number):
    return 2 * number


def test_a_scratch_folder_is_there_as_long_as_it_is_held():
    with processes.scratch_folder() as folder:
        (folder / "file").write_text("x")
        processes.remove_abandoned()
        assert (folder / "file").exists()
    assert not folder.exists()


@posix
def test_what_a_killed_run_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(processes.tempfile, "tempdir", str(tmp_path))
    code = "from analysis.runs.processes import scratch_folder\nimport os\nwith scratch_folder() as f:\n    os._exit(1)"
    subprocess.run([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    (left,) = tmp_path.iterdir()
    os.utime(left, (0, 0))  # a folder that was made just now may not be held yet
    processes.remove_abandoned()
    assert list(tmp_path.iterdir()) == []


def test_workers_give_what_the_function_gives_in_order():
    tasks = [(number,) for number in range(5)]
    assert list(processes.in_workers(twice, tasks, n_jobs=2, return_as="generator")) == [0, 2, 4, 6, 8]


def test_another_backend_takes_the_tasks():
    with joblib.parallel_config(backend="threading"):
        assert list(processes.in_workers(twice, [(1,), (2,)], n_jobs=2, return_as="generator")) == [2, 4]


@posix
@pytest.mark.parametrize(("number", "word"), [(2, "Ctrl-C"), (15, "SIGTERM")])
def test_a_request_to_stop_is_answered_in_one_sentence(number, word):
    code = (
        "from analysis.runs.processes import stop_in_one_sentence\nimport time\n"
        "stop_in_one_sentence()\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    # A shell may have started the tests with Ctrl-C ignored, as it does in the background.
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(number)
    _, told = process.communicate(timeout=10)
    assert process.returncode == 128 + number
    assert told.decode().strip() == (
        f"Stopped by {word}: what was finished is kept, and the same call goes on from there."
    )


@posix
def test_a_worker_ends_when_its_owner_is_killed():
    """The owner dies without a word; a process that knows it by its folder follows."""
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from analysis.runs.processes import Owner, scratch_folder\nimport time\n"
            "with scratch_folder() as f:\n    o = Owner.of(f)\n    print(o.host, o.process, o.folder, flush=True)\n"
            "    time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    host, process, folder = owner.stdout.readline().split()
    worker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from analysis.runs.processes import Owner, end_with\nimport time\n"
            f"end_with(Owner({host!r}, {process}, {folder!r}))\nprint('works', flush=True)\ntime.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    assert worker.stdout.readline() == b"works\n"
    time.sleep(0.2)
    assert worker.poll() is None
    owner.kill()
    assert worker.wait(timeout=10) == -9
    processes.remove_abandoned()

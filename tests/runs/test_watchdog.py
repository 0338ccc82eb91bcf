"""The watchdog ends its group and removes the folder as soon as nobody holds it, and not before."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis import files
from analysis.runs import watchdog

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs file locks and process groups")


def sleeper_beside_a_watchdog(folder):
    """A process in a group of its own, with a watchdog beside it."""
    code = (
        "import subprocess, sys, time\n"
        f"subprocess.run([sys.executable, {watchdog.__file__!r}, {str(folder)!r}], check=True)\n"
        "print('watched', flush=True)\ntime.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout.readline() == b"watched\n"
    return process


def test_the_group_lives_as_long_as_the_folder_is_held(tmp_path):
    folder = tmp_path / "held"
    folder.mkdir()
    with files.held(folder):
        process = sleeper_beside_a_watchdog(folder)
        time.sleep(0.3)
        assert process.poll() is None
        assert folder.exists()
    assert process.wait(timeout=10) != 0
    deadline = time.monotonic() + 10
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
    process.stdout.close()


def test_a_folder_that_is_gone_already_ends_the_group_at_once(tmp_path):
    process = subprocess.Popen(
        [sys.executable, watchdog.__file__, str(Path(tmp_path / "absent"))], start_new_session=True
    )
    process.wait(timeout=10)

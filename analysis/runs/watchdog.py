"""Waits until a folder is held by nobody, removes it, and ends the process group that this script is in.

A script of its own, started by `analysis.runs.processes.guard`: it needs nothing but the standard library, and goes on
while the processes that it watches are busy.
"""

import fcntl
import os
import shutil
import signal
import sys


def main(folder: str) -> None:
    """Watch, in a process that is nobody's child: Jupyter's kernel waits for its children when it ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.fork():
        os._exit(0)
    try:
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        shutil.rmtree(folder, ignore_errors=True)
    except FileNotFoundError:
        pass  # its owner has ended already, and took it along
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])

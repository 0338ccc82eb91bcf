"""Processes that end with the run that started them, however it ends, and say so in one sentence.

A run holds a scratch folder. When it ends, by whatever signal, the operating system lets the folder go, and everything
that the run started learns of it: a kernel and its workers through a watchdog in their process group, a worker of a
sweep through a thread of its own. (Windows has neither such locks nor such signals: nothing of this happens there.)
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from analysis import files

_PREFIX = "analysis-run-"
_POSIX = os.name == "posix"
_WATCHDOG = Path(__file__).with_name("watchdog.py")


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A temporary folder that this process holds, and that is removed with all that it started when it ends."""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        stack.enter_context(files.held(folder))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


def remove_abandoned(*folders: Path) -> None:
    """Remove what killed runs left: scratch folders, and temporary files in `folders` and anywhere in the cache."""
    from analysis.cache import cache_dir

    for scratch in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if files.is_abandoned(scratch):
            shutil.rmtree(scratch, ignore_errors=True)
    for folder in folders:
        files.remove_abandoned(folder)
    files.remove_abandoned(cache_dir(), deep=True)


def guard(folder: str) -> None:
    """End this process's group (which must be its own: a kernel's, or Sphinx's) as soon as nobody holds `folder`."""
    if _POSIX:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _signals())  # blocked in the command line, and so in what it starts
        silent = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
        subprocess.run([sys.executable, "-I", "-S", str(_WATCHDOG), folder], check=True, **silent)


@dataclass(frozen=True)
class Owner:
    """The process that started workers, as these know it: by a folder that it holds."""

    host: str
    process: int
    folder: str

    @classmethod
    def of(cls, folder: Path) -> Self:
        """This process, which holds `folder`."""
        return cls(socket.gethostname(), os.getpid(), str(folder))


@cache
def end_with(owner: Owner) -> None:
    """End this process when its owner is killed; workers on other machines are their scheduler's business."""
    if _POSIX and owner.host == socket.gethostname() and owner.process != os.getpid():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _signals()[1:])  # Ctrl-C is for the owner
        threading.Thread(target=_wait_and_end, args=(owner.folder,), daemon=True).start()


def _wait_and_end(folder: str) -> None:
    import fcntl

    with contextlib.suppress(FileNotFoundError):  # it was killed, and the folder removed, before we came
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.close(handle)
        if not os.path.exists(folder):  # its owner has finished
            return
    os.kill(os.getpid(), signal.SIGKILL)


def in_workers(function: Callable, tasks: Iterable[tuple], *, n_jobs: int, return_as: str) -> Iterator:
    """``function(*task)`` of every task, side by side, by workers that end when this process does.

    ``joblib.parallel_config`` may send the tasks elsewhere, to a cluster for instance.
    """
    import joblib

    with scratch_folder() as folder:
        owner = Owner.of(folder)
        calls = (joblib.delayed(_owned)(owner, function, *task) for task in tasks)
        backend, _ = joblib.parallel.get_active_backend()
        # Joblib's own workers learn of their owner before they are given anything to do.
        options = (
            {"initializer": end_with, "initargs": (owner,)} if isinstance(backend, joblib.parallel.LokyBackend) else {}
        )
        with _started_quiet():
            results = joblib.Parallel(n_jobs=n_jobs, return_as=return_as, **options)(calls)
        yield from results


def _owned(owner: Owner, function: Callable, *arguments):
    end_with(owner)
    return function(*arguments)


@contextlib.contextmanager
def _started_quiet() -> Iterator[None]:
    """Workers that are started meanwhile have nothing to say about Ctrl-C or about the end of their owner."""
    if not _POSIX:
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # a terminal sends it to all
    warnings = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (warnings, "ignore:resource_tracker:UserWarning")))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.environ.pop("PYTHONWARNINGS")
        os.environ.update({"PYTHONWARNINGS": warnings} if warnings else {})


def stop_in_one_sentence() -> None:
    """From now on, Ctrl-C and other requests to stop end this process at once and with one sentence.

    Nothing is unwound: what was finished is on disk, and what the process holds is let go, as it is when it is killed.
    Call it before any thread is started.
    """
    if _POSIX:
        wanted = {number for number in _signals() if signal.getsignal(number) != signal.SIG_IGN}  # nohup: SIGHUP
        signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
        threading.Thread(target=_stop, args=(wanted,), daemon=True).start()


def _signals() -> tuple[signal.Signals, ...]:
    return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def _stop(wanted: set[signal.Signals]) -> None:
    number = signal.sigwait(wanted)
    by = "Ctrl-C" if number == signal.SIGINT else number.name
    line = f"\nStopped by {by}: what was finished is kept, and the same call goes on from there.\n"
    with contextlib.suppress(OSError):
        os.write(2, line.encode())
    _end_workers()
    os._exit(128 + number)


def _end_workers() -> None:
    """A worker that is only just starting would otherwise complain of an owner that has gone."""
    multiprocessing = sys.modules.get("multiprocessing")  # without it there are no workers
    for worker in multiprocessing.active_children() if multiprocessing else ():
        with contextlib.suppress(OSError, TypeError):  # it has ended, or has no number yet
            os.kill(worker.pid, signal.SIGKILL)

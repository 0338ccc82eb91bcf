"""Files that appear whole or not at all, that one process writes at a time, and what killed processes left of them."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks: there, nothing is held and nothing that was abandoned is found
    fcntl = None  # type: ignore[assignment]

PARTIAL, _LOCK = ".partial", ".lock"
_YOUNG = 1.0  # seconds that a process has from making a file until it holds it
_LONGEST_NAME = 180  # bytes; what goes beside a file has a longer name, and most file systems end at 255


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write `content` beside `path`, then rename: readers and killed runs never see half a file."""
    write_together({path: content})


def write_together(contents: dict[Path, bytes | str]) -> None:
    """Write several files, none of which appears before all are on disk; they appear in the order given.

    Raises
    ------
    OSError
        If one of them cannot be written. Then none has been.
    """
    with contextlib.ExitStack() as stack:
        partials = [stack.enter_context(_partial(path, content)) for path, content in contents.items()]
        for path in contents:
            if path.is_dir():
                raise IsADirectoryError(f"'{path}' is a folder")
        for partial, path in zip(partials, contents, strict=True):
            os.replace(partial, path)


@contextlib.contextmanager
def _partial(path: Path, content: bytes | str) -> Iterator[Path]:
    """A file beside `path` that holds `content`, removed at the end if it is still there."""
    with _empty_partial(path) as partial:
        with open(partial, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        yield partial


@contextlib.contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """An empty file beside `path` to write to, which takes its place once the block has succeeded."""
    with _empty_partial(path) as partial:
        yield partial
        os.replace(partial, path)


@contextlib.contextmanager
def _empty_partial(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=PARTIAL)
    os.close(handle)
    partial = Path(name)
    try:
        with held(partial):
            partial.chmod(0o666 & ~_umask())
            yield partial
    finally:
        partial.unlink(missing_ok=True)


def _umask() -> int:
    """The process's umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


@contextlib.contextmanager
def held(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Hold a file or folder; the operating system lets it go when the process ends, however it ends.

    Raises
    ------
    BlockingIOError
        If another process holds it.
    """
    if fcntl is None:
        yield -1
        return
    handle = os.open(path, flags)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield handle
    finally:
        os.close(handle)


def is_abandoned(path: Path) -> bool:
    """Whether the process that made a temporary file or folder is gone."""
    if fcntl is None:
        return False
    try:
        if time.time() - path.stat().st_mtime < _YOUNG:
            return False
        with held(path):
            return True
    except OSError:  # held by its owner, removed by it, or another user's
        return False


def remove_abandoned(folder: Path, *, deep: bool = False) -> None:
    """Remove, in `folder` or anywhere below it, the temporary files and folders of processes that were killed."""
    for suffix in (PARTIAL, _LOCK):
        for path in folder.glob(f"{'**/' if deep else ''}.*{suffix}"):
            if is_abandoned(path):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


@contextlib.contextmanager
def reserved(path: Path) -> Iterator[None]:
    """Keep `path` for this process to write, having tried that it can be written.

    Raises
    ------
    BlockingIOError
        If another process has it.
    OSError
        If it cannot be written.
    """
    try_to_write(path)
    if fcntl is None:
        yield
        return
    lock = path.with_name(f".{path.name}{_LOCK}")
    while True:
        with held(lock, os.O_RDWR | os.O_CREAT) as handle:
            if os.fstat(handle).st_nlink == 0:  # whoever had it removed it, before it came to us
                continue
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
            return


def try_to_write(path: Path) -> None:
    """Find out whether a file can be written, without changing it.

    Raises
    ------
    OSError
        If `path` is a folder or read-only, its name is too long, or nothing can be made in its folder.
    """
    if len(os.fsencode(path.name)) > _LONGEST_NAME:
        raise OSError(f"its name is longer than {_LONGEST_NAME} bytes")
    if path.is_dir():
        raise IsADirectoryError("it is a folder")
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError("it is read-only")
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=PARTIAL) as file:
        file.write(b" ")
        file.flush()


def reason(error: OSError) -> str:
    """Why, in the operating system's words or in ours, without the path."""
    return (error.strerror or str(error)).lower() if error.errno else str(error)


def user_path(typed: str | Path) -> Path:
    """The path that a person typed, ``~`` being their home.

    Raises
    ------
    ValueError
        If no file can have this path: it is too long, or holds a character that no path does.
    """
    try:
        path = Path(typed).expanduser()
        path.exists()
        path.parent.is_dir()
    except (OSError, ValueError, RuntimeError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise ValueError(f"{shortened(typed)} cannot be the path of a file: {why}.") from None
    if "\0" in str(path):  # which some versions of Python take for a file that is not there
        raise ValueError(f"{shortened(typed)} cannot be the path of a file: embedded null byte.")
    return path


def shortened(value: object) -> str:
    """A value as Python writes it, cut in the middle if it is long."""
    length = 100
    text = repr(str(value) if isinstance(value, Path) else value)
    return text if len(text) <= length else f"{text[: length // 2]}…{text[-length // 2 :]}"

"""Progress of long steps: to the runner that watches a notebook, or to the screen."""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sized
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")
CHANNEL = "ANALYSIS_PROGRESS"  # names the file through which a notebook tells its runner how far it is
_SECONDS_BETWEEN_REPORTS = 0.2


def steps(
    iterable: Iterable[Item], label: str, total: int | None = None, *, unit: str = "it", size: int = 1
) -> Iterator[Item]:
    """Yield from `iterable` and report each step under `label`.

    A notebook run by ``python -m analysis`` reports through a file, so that no progress bar ends up among its
    outputs; anywhere else a bar is drawn and removed when done, with how many of `unit` are done a second, `size` of
    them a step.
    """
    total = len(iterable) if total is None and isinstance(iterable, Sized) else total
    channel = os.environ.get(CHANNEL)
    return _reported(iterable, label, total, channel) if channel else _drawn(iterable, label, total, unit, size)


def _drawn(iterable: Iterable[Item], label: str, total: int | None, unit: str, size: int) -> Iterator[Item]:
    scale: dict[str, Any] = {"unit": unit, "unit_scale": size} if size > 1 else {"unit": unit}
    yield from tqdm(iterable, desc=label, total=total, leave=False, **scale)


def _reported(iterable: Iterable[Item], label: str, total: int | None, channel: str) -> Iterator[Item]:
    last = 0.0
    for done, item in enumerate(iterable):
        if time.monotonic() - last > _SECONDS_BETWEEN_REPORTS:
            _report(channel, label, done, total)
            last = time.monotonic()
        yield item
    _report(channel, "", 0, None)


def _report(channel: str, label: str, done: int, total: int | None) -> None:
    partial = f"{channel}.{os.getpid()}"
    with open(partial, "w") as file:
        json.dump({"label": label, "done": done, "total": total}, file)
    os.replace(partial, channel)

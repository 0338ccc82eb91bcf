"""What PyTorch has once a process, its random state and its number of threads, lent to one thread at a time."""

import contextlib
import threading
from collections.abc import Iterator

_LOCK = threading.RLock()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Nobody else in this process computes, on one thread; afterwards random state and threads are as before.

    Layers draw their weights and their dropout from the process's one generator, and sums depend on the number of
    threads: results that are to be the same again are made in here. Work runs side by side in processes instead.
    """
    import torch  # takes seconds

    with _LOCK, torch.random.fork_rng([]):
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(threads)

"""One thread at a time in what PyTorch has once a process, and all of it as before afterwards."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from analysis.alone import alone


def drawn(seed: int) -> torch.Tensor:
    """Numbers drawn slowly from the process's generator, so that company would disturb them."""
    with alone():
        torch.manual_seed(seed)
        return torch.stack([(time.sleep(1e-3), torch.rand(3))[1] for _ in range(20)])


def test_threads_draw_what_each_would_draw_alone():
    expected = [drawn(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(drawn, range(4)))
    assert all(torch.equal(*pair) for pair in zip(expected, together, strict=True))


def test_nobody_else_is_inside():
    inside, most = 0, 0
    start = threading.Barrier(4)

    def enter(_):
        nonlocal inside, most
        start.wait()
        with alone():
            inside += 1
            most = max(most, inside)
            time.sleep(5e-3)
            inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(4)))
    assert most == 1


def draw_and_fail():
    with alone():
        torch.rand(5)
        raise RuntimeError({1: "one thread"}.get(torch.get_num_threads(), "several threads"))


def test_state_and_threads_are_as_before_even_after_an_error():
    torch.set_num_threads(2)
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="one thread"):
        draw_and_fail()
    assert torch.get_num_threads() == 2
    assert torch.equal(torch.get_rng_state(), before)


def test_one_who_is_alone_may_ask_again():
    with alone(), alone():
        assert torch.get_num_threads() == 1

"""A job whose ways do what can happen to one: its processes load this file, so it loads little."""

import os
import time

import numpy as np

from benchmarks.harness import LIMIT, Job, NotMeasuredError, Way

MEGABYTES = 2**20


def tiny(n):
    return n


def held(n):
    return float(np.ones(n * MEGABYTES // 8).sum())


def slept(_):
    time.sleep(0.02)


def refused(_):
    raise NotMeasuredError("because")


def broke(_):
    raise ValueError("broken")


def killed(n):
    if n > 1:
        os._exit(3)


def half(n):
    return 0.5


def first(_):
    return np.array([1.0, 2.5, np.nan])


def second(_):
    return np.array([3.0, np.nan, np.nan])


def truth(_):
    return np.array([1.0, 2.0, 3.0])


def threads(_):
    import threadpoolctl
    import torch

    return [torch.get_num_threads(), max(pool["num_threads"] for pool in threadpoolctl.threadpool_info())]


JOB = Job(
    name="job",
    title="A job",
    says="{n:,} things",
    prepare=tiny,
    ways=(
        Way("ours", held),
        Way("limit", slept, LIMIT, once=True),
        Way("half", held, part=half),
        Way("absent", held, needs="no-such-distribution"),
        Way("refused", refused),
        Way("broke", broke),
        Way("killed", killed),
    ),
    sizes=({"n": 20}, {"n": 60}, {"n": 100}, {"n": 200}),
    tiny={"n": 1},
    grows="n",
)

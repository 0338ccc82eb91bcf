"""One worker process against two: pieces of a recovery experiment, and runs of a sweep."""

import os
import subprocess
import sys
import tempfile

import joblib
import numpy as np

from analysis.recovery.experiment import recovery_experiment
from analysis.recovery.features import normalised
from analysis.recovery.triplets import draw_triplets, sample_choices
from benchmarks.harness import Aim, Job, NotMeasuredError, Way

N_OBJECTS, RANK = 240, 48
CHAPTER, SWEPT = "contrastive_stimuli", "seed"
"""What is swept; of another seed every network is another one."""


def study(models: int, triplets: int):
    rng = np.random.default_rng(0)
    tables = {f"m{k}": normalised(rng.normal(size=(N_OBJECTS, RANK))) for k in range(models)}
    shown = draw_triplets(N_OBJECTS, 2000, 0)
    seen = 10 * tables["m0"] @ tables["m0"].T
    return tables, triplets, {"observer_triplets": shown, "observer_choices": sample_choices(seen, shown, 0)}


def in_one(data):
    return _recovered(data, 1)


def in_two(data):
    return _recovered(data, 2)


def _recovered(data, n_jobs: int):
    tables, triplets, observer = data
    options = {"penalties": [0.01, 0.001], "widen": False, "n_jobs": n_jobs, "progress": lambda pieces, *_: pieces}
    with joblib.parallel_config(max_nbytes=None):  # no files that would outlast the process
        found = recovery_experiment(tables, [triplets], 2, **observer, **options)
    return found.table.test_accuracy.to_numpy()


def points(points: int) -> int:
    return points


def swept_in_one(points):
    """On one core: a worker that is alone takes all of them."""
    if not hasattr(os, "sched_setaffinity"):
        raise NotMeasuredError("this system does not keep a process to one core")
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        _swept(points, 1)
    finally:
        os.sched_setaffinity(0, cores)


def swept_in_two(points):
    _swept(points, 2)


def _swept(points: int, n_jobs: int) -> None:
    """Quick runs of a chapter from nothing: nothing that is kept is found."""
    if points == 0:  # a warm-up: processes start anew each time
        return
    with tempfile.TemporaryDirectory() as folder:
        grid = [f"{SWEPT}=0..{points - 1}", "--profile", "quick", "--jobs", str(n_jobs), "-o", f"{folder}/sweep"]
        command = [sys.executable, "-m", "analysis", "sweep", CHAPTER, "--grid", *grid]
        environment = os.environ | {"ANALYSIS_CACHE": f"{folder}/cache"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasuredError(f"the sweep failed: {done.stderr.strip().splitlines()[-1]}")


JOBS = [
    Job(
        name="workers_recovery",
        title="Two workers: a recovery experiment",
        says="{models} models, {triplets:,} triplets, 2 seeds; workers that have started",
        prepare=study,
        ways=(Way("2 workers", in_two), Way("1 worker", in_one)),
        sizes=({"models": 6, "triplets": 10_000},),
        tiny={"models": 2, "triplets": 50},
        aims=(Aim("efficiency of two", 0.85, "1 worker"),),
        rounds=2,
        memory=False,
    ),
    Job(
        name="workers_sweep",
        title="Two workers: a sweep of quick runs",
        says="{points} runs, each from nothing",
        prepare=points,
        ways=(Way("2 workers", swept_in_two), Way("1 worker on one core", swept_in_one)),
        sizes=({"points": 2},),
        tiny={"points": 0},
        aims=(Aim("efficiency of two", 0.85, "1 worker on one core"),),
        rounds=1,
        memory=False,
    ),
]

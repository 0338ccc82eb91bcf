"""The book when nothing has changed: what `make book` does beside looking after the environment."""

import subprocess
import sys

from analysis.runs import catalogue, publish, runner
from analysis.sources import ROOT
from benchmarks.harness import Aim, Job, NotMeasuredError, Way


def prepare():
    """Nothing; but a book must be there that is up to date, or the call would run chapters."""
    runs = [runner.prepare(chapter, profile="default") for chapter in catalogue.chapters()]
    stale = [run.chapter for run in runs if not runner.is_current(run, publish.executed_path(run.chapter, "default"))]
    if stale or not publish.HTML.is_dir():
        raise NotMeasuredError("no book is built here, or it is out of date: 'make book' comes first")


def called_again(_):
    subprocess.run([sys.executable, "-m", "analysis", "book"], cwd=ROOT, capture_output=True, check=True)


JOBS = [
    Job(
        name="book_again",
        title="The book again, nothing changed",
        says="python -m analysis book",
        prepare=prepare,
        ways=(Way("python -m analysis book", called_again),),
        sizes=({},),
        tiny={},
        aims=(Aim("seconds", 5),),
        memory=False,
    )
]

"""How soon the command line answers."""

import subprocess
import sys

from benchmarks.harness import LIMIT, Aim, Job, Way


def prepare():
    """Nothing: a program starts from nothing."""


def _called(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], capture_output=True, check=False)


def helped(_):
    _called("-m", "analysis", "--help")


def refused(_):
    _called("-m", "analysis", "run", "neuron_correlation", "-p", "n_seeds", "many")


def listed(_):
    _called("-m", "analysis", "list")


def bare(_):
    _called("-c", "pass")


def numpy(_):
    _called("-c", "import numpy")


def torch(_):
    _called("-c", "import torch")


def job(name: str, title: str, call) -> Job:
    return Job(
        name=name,
        title=title,
        says="one call",
        prepare=prepare,
        ways=(
            Way(title, call),
            Way("python -c pass", bare, LIMIT),
            Way("importing NumPy", numpy),
            Way("importing PyTorch", torch, once=True),
        ),
        sizes=({},),
        tiny={},
        aims=(Aim("seconds over the limit", 0.5),),
        rounds=5,
        memory=False,
    )


JOBS = [
    job("command_help", "python -m analysis --help", helped),
    job("command_refusal", "python -m analysis run, refused", refused),
    job("command_list", "python -m analysis list", listed),
]

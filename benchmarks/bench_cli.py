"""How soon the command line answers, as multiples of starting Python and of importing NumPy.

    python benchmarks/bench_cli.py [--rounds 7]

Every round starts each program once, in turn, so that all of them meet the same load of the machine; medians are shown.
"""

import argparse
import subprocess
import sys
import time
from statistics import median

BARE, NUMPY = "-c pass", "-c import numpy"
REFUSED = "-m analysis run neuron_correlation -p"
PROGRAMS = (
    BARE,
    NUMPY,
    "-c import analysis",
    "-m analysis --help",
    "-m analysis list",
    "-m analysis list recovery_curve",
    "-m analysis run nothing",
    f"{REFUSED} n_seedz 3",
    f"{REFUSED} n_seeds many",
    f"{REFUSED} n_seeds 0",
)


def seconds(program):
    arguments = program.split(" ", 1) if program.startswith("-c") else program.split()
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], capture_output=True, check=False)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds

    times = {program: [] for program in PROGRAMS}
    for _ in range(rounds):
        for program, taken in times.items():
            taken.append(seconds(program))
    medians = {program: median(taken) for program, taken in times.items()}
    print(f"{'python ...':52} seconds  more than bare  × bare  × NumPy")
    for program, taken in medians.items():
        more, ratios = taken - medians[BARE], (taken / medians[BARE], taken / medians[NUMPY])
        print(f"{program:52} {taken:7.2f}  {more:14.2f}  {ratios[0]:6.1f}  {ratios[1]:7.1f}")


if __name__ == "__main__":
    main()

"""A run and a sweep with a notebook of a few small cells, to be killed by `test_killed.py` at any moment."""

import sys
from pathlib import Path

from analysis.runs import processes

if __name__ == "__main__":
    processes.stop_in_one_sentence()  # as the command line does, before anything is imported that takes long

from nbformat.v4 import new_code_cell, new_notebook

from analysis.runs import runner, sweep

CELLS = (
    "n_seeds = 5",
    "from functools import partial\nfrom analysis.models.architectures import mlp\n"
    "from analysis.models.training import Recipe\n"
    "from analysis.models.zoo import Training, cached_all\n"
    "from analysis.data.images import load_images\nimport numpy as np\n"
    "digits = load_images('digits')\n"
    "jobs = [Training(partial(mlp, (20,), size=16), Recipe(epochs=3), digits, np.arange(300), seed)"
    " for seed in range(6)]\n"
    "networks = cached_all(jobs, n_jobs=2)",
    "from analysis.cache import kept\nfrom analysis.models.training import trained_weights\n"
    "value = kept('killed', trained_weights, jobs[0].build, Recipe(epochs=1), *jobs[0].task[2:4], n_seeds, 'cpu')",
    "from matplotlib.figure import Figure\nfrom analysis.runs import plots\nfigure = Figure()\n"
    "figure.subplots().plot([n_seeds, float(next(iter(value.values())).ravel()[7])])\n"
    "plots.show(figure, 'line', {'x': [n_seeds]})",
)


def _source(*_):
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [new_code_cell(source, id=f"c{number}") for number, source in enumerate(CELLS)]
    cells[0].metadata["tags"] = ["parameters"]
    return new_notebook(cells=cells, metadata=kernel)


def main(folder: Path) -> None:
    processes.remove_abandoned(folder)
    runner._source = _source
    points = [{"n_seeds": str(n)} for n in (2, 3, 4)]
    runs = sweep.prepare("neuron_correlation", points, profile="quick", folder=folder)
    failed = sweep.run_all(runs, n_jobs=2, progress=lambda results, total: results)
    sweep.write_table(runs, folder / "sweep.csv")
    assert not failed, failed
    assert all(runner.is_current(run, path) for path, run in runs.items())


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""On paper: how long the paper's own grid of fits would take, from fits of its size that are timed here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from analysis.chapters.recovery_curve.reported import LARGEST, N_MODELS, TRAINING_OBJECTS
from analysis.recovery.features import normalised
from analysis.recovery.generators import TOLERANCE
from analysis.recovery.probes import fit_probes
from analysis.recovery.triplets import draw_triplets, sample_choices


@dataclass(frozen=True)
class Grid:
    """An experiment's design: every candidate is fitted to every generator, for every size, seed, fold and penalty."""

    n_models: int
    sizes: Sequence[int]
    n_seeds: int
    n_folds: int
    penalties: Sequence[float]
    n_objects: int

    @property
    def n_paths(self) -> int:
        """Paths of penalties for one number of triplets."""
        return self.n_models**2 * self.n_seeds * self.n_folds

    @property
    def n_fits(self) -> int:
        """All fits."""
        return self.n_paths * len(self.sizes) * len(self.penalties)


PAPER = Grid(
    n_models=N_MODELS,
    sizes=(*(50 * 2**k for k in range(17)), LARGEST[0]),
    n_seeds=30,
    n_folds=3,
    penalties=tuple(10.0**power for power in range(4, -7, -1)),
    n_objects=TRAINING_OBJECTS,
)


def timed_paths(grid: Grid, n_triplets: Sequence[int], *, n_units: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Processor seconds of one path of penalties on one core, one row a number of ``triplets``.

    Features and answers are made up: random ones with a falling spectrum, of as many objects as a fold fits.
    """
    rng = np.random.default_rng(seed)
    features = normalised(rng.normal(size=(grid.n_objects, n_units)) * np.exp(-np.arange(n_units) / (n_units / 5)))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = []
    for number in n_triplets:
        triplets = draw_triplets(grid.n_objects, number, [seed, number])
        choices = sample_choices(30 * features @ features.T, triplets, [seed, number, 1])
        began = time.process_time()
        fit_probes([features], [(triplets, choices)], penalties=grid.penalties, tolerance=TOLERANCE)
        rows.append({"triplets": number, "seconds": time.process_time() - began})
    torch.set_num_threads(threads)
    return pd.DataFrame(rows)


def projected_hours(paths: pd.DataFrame, grid: Grid, n_cores: Sequence[int]) -> pd.DataFrame:
    """Hours for a whole grid, one row a number of ``cores``: a projection, all cores busy all the time.

    Parameters
    ----------
    paths : pandas.DataFrame
        As `timed_paths` returns it. Between the numbers of triplets that were timed seconds are interpolated; beyond
        the largest they grow in proportion to the triplets, below the smallest they stay.
    grid : Grid
    n_cores : sequence of int

    Returns
    -------
    pandas.DataFrame
        ``cores`` and ``hours``.

    Examples
    --------
    >>> paths = pd.DataFrame({"triplets": [100, 1000], "seconds": [1.0, 2.0]})
    >>> grid = Grid(2, (100, 2000), n_seeds=9, n_folds=1, penalties=(1.0,), n_objects=10)
    >>> projected_hours(paths, grid, [1, 2]).hours.tolist()
    [0.05, 0.025]
    """
    sizes, largest = np.asarray(grid.sizes, dtype=float), paths["triplets"].max()
    seconds = np.interp(sizes, paths["triplets"], paths["seconds"]) * np.maximum(1, sizes / largest)
    total = grid.n_paths * float(seconds.sum()) / 3600
    return pd.DataFrame({"cores": list(n_cores), "hours": [total / cores for cores in n_cores]})

"""What moves the end of the recovery curve: how generators are made; and what test noise does to a lead."""

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.chapters.recovery_curve.geometry import likeness_of
from analysis.chapters.recovery_curve.simulations import PLAIN, generators_of, limit_of
from analysis.chapters.recovery_curve.studies import Study
from analysis.recovery.asymptote import asymptotic_recovery, at_penalty, margins_at_limit
from analysis.recovery.experiment import Recovery
from analysis.recovery.triplets import choice_probabilities


def ways_to_make(parameters) -> dict[str, dict]:
    """Options of `fit_generators` by what they amount to."""
    fixed = {f"λ = {penalty:g}": {"penalties": [penalty]} for penalty in sorted(parameters.made_with, reverse=True)}
    return {"features as they are": PLAIN} | fixed


def all_ways(parameters) -> dict[str, dict]:
    """As `ways_to_make`, and with penalties chosen on other triplets (the paper) or on other objects."""
    chosen: dict[str, dict] = {"λ chosen on triplets": {}, "λ chosen on objects": {"folds_over": "objects"}}
    return chosen | ways_to_make(parameters)


def made_in_ways(
    study: Study, parameters, n_seeds: int = 1, *, ways: Mapping[str, dict] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What becomes of recovery in the limit when generators are made otherwise: by simulation, and by way.

    The first table has one row a way, generator and seed (`margins_at_limit` by accuracy), with the generator's
    ``shift``. The second has one row a way: ``recovery`` in the limit by accuracy and ``by likelihood``, each with the
    number of winners that the solver leaves ``open``; how much ``alike`` the generators are, how like the ``observer``,
    and how like their own features (``kept``; mean correlations of similarities); their ``shift``; the ``favourite``
    and how many it ``takes``.
    """
    wins, rows = [], []
    for way, options in (ways or ways_to_make(parameters)).items():
        made = generators_of(study, parameters, **options)
        limit = limit_of(study, parameters, n_seeds, generators=made)
        won = margins_at_limit(at_penalty(limit))
        wins.append(won.assign(made=way, shift=won["generator"].map(made.table["geometry_shift"])))
        rows.append({"made": way, **_end(limit), **likeness_of(study, made), **_favourite(won)})
    return pd.concat(wins, ignore_index=True), pd.DataFrame(rows)


def _end(limit: pd.DataFrame) -> dict:
    ends = asymptotic_recovery(limit).query("penalty == 'chosen'").set_index("criterion")
    return {
        "recovery": ends.recovery["accuracy"],
        "by likelihood": ends.recovery["likelihood"],
        "open": int((ends.n_simulations - ends.n_resolved)["accuracy"]),
        "margin": ends.margin["accuracy"],
    }


def _favourite(won: pd.DataFrame) -> dict:
    counts = won["winner"].value_counts()
    return {"favourite": counts.index[0], "takes": counts.iloc[0] / counts.sum()}


def error_of_a_lead(study: Study, found: Recovery, parameters, size: int) -> pd.DataFrame:
    """How far a lead in accuracy moves by chance: over seeds, and by the formula √(d/n); one row a pair of models.

    d, the share of the observer's triplets on which exactly one of the two fitted models is right, stands for that of
    the test triplets; `spread` is the standard deviation over seeds of the candidates' lead, mean over generators.
    """
    triplets, choices = study.observer.triplets, study.observer.choices
    right = {name: choice_probabilities(whole, triplets).argmax(axis=1) == choices
             for name, whole in found.similarities.items()}  # fmt: skip
    wide = found.table[found.table["n_triplets"] == size].pivot_table(
        "test_accuracy", ["generator", "seed"], "candidate", sort=False
    )
    n_tested = parameters.n_folds * max(1, size // 8)
    rows = []
    for first, second in combinations(right, 2):
        spread = (wide[first] - wide[second]).groupby(level="generator", sort=False).std(ddof=1).mean()
        formula = np.sqrt((right[first] != right[second]).mean() / n_tested)
        rows.append({"first": first, "second": second, "spread": spread, "formula": formula})
    return pd.DataFrame(rows)

"""Brain-Score's public leaderboard: its tree of metrics, and what in it cannot be."""

from pathlib import Path

import pandas as pd

from analysis.checks import choose
from analysis.data.leaderboards import Leaderboard, assemble, read_cells
from analysis.data.model_families import model_family
from analysis.measures.trees import Tree, tree_leaves

BRAINSCORE_TREE: Tree = {
    "neural": {
        "V1": [
            "FreemanZiemba2013.V1-pls",
            {
                "Marques2020": {
                    "V1-orientation": [
                        "Marques2020_DeValois1982-pref_or",
                        "Marques2020_Ringach2002-circular_variance",
                        "Marques2020_Ringach2002-cv_bandwidth_ratio",
                        "Marques2020_Ringach2002-opr_cv_diff",
                        "Marques2020_Ringach2002-or_bandwidth",
                        "Marques2020_Ringach2002-or_selective",
                        "Marques2020_Ringach2002-orth_pref_ratio",
                    ],
                    "V1-receptive_field_size": [
                        "Marques2020_Cavanaugh2002-grating_summation_field",
                        "Marques2020_Cavanaugh2002-surround_diameter",
                    ],
                    "V1-response_magnitude": [
                        "Marques2020_FreemanZiemba2013-max_noise",
                        "Marques2020_FreemanZiemba2013-max_texture",
                        "Marques2020_Ringach2002-max_dc",
                    ],
                    "V1-response_selectivity": [
                        "Marques2020_FreemanZiemba2013-texture_selectivity",
                        "Marques2020_FreemanZiemba2013-texture_sparseness",
                        "Marques2020_FreemanZiemba2013-texture_variance_ratio",
                        "Marques2020_Ringach2002-modulation_ratio",
                    ],
                    "V1-spatial_frequency": [
                        "Marques2020_DeValois1982-peak_sf",
                        "Marques2020_Schiller1976-sf_bandwidth",
                        "Marques2020_Schiller1976-sf_selective",
                    ],
                    "V1-surround_modulation": ["Marques2020_Cavanaugh2002-surround_suppression_index"],
                    "V1-texture_modulation": [
                        "Marques2020_FreemanZiemba2013-abs_texture_modulation_index",
                        "Marques2020_FreemanZiemba2013-texture_modulation_index",
                    ],
                }
            },
        ],
        "V2": ["FreemanZiemba2013.V2-pls"],
        "V4": [
            f"{study}.V4-pls" for study in ("MajajHong2015", "Sanghavi2020", "SanghaviJozwik2020", "SanghaviMurty2020")
        ],
        "IT": [
            f"{study}.IT-pls" for study in ("MajajHong2015", "Sanghavi2020", "SanghaviJozwik2020", "SanghaviMurty2020")
        ],
    },
    "behaviour": [
        "Rajalingham2018-i2n",
        {
            "Geirhos2021-error_consistency": [
                f"Geirhos2021{condition}-error_consistency"
                for condition in (
                    *("colour", "contrast", "cueconflict", "edge", "eidolonI", "eidolonII", "eidolonIII"),
                    *("falsecolour", "highpass", "lowpass", "phasescrambling", "powerequalisation", "rotation"),
                    *("silhouette", "sketch", "stylized", "uniformnoise"),
                )
            ]
        },
    ],
}
"""Brain-Score's neural and behavioural leaf metrics that most models have, as its leaderboard averages them."""

_BRAINSCORE_PARENTS = (
    *("average_vision", "neural_vision", "behavior_vision", "engineering_vision", "V1", "V2", "V4", "IT"),
    *("Marques2020", "V1-orientation", "V1-receptive_field_size", "V1-response_magnitude", "V1-response_selectivity"),
    *("V1-spatial_frequency", "V1-surround_modulation", "V1-texture_modulation", "Geirhos2021-error_consistency"),
    *("Baker2022", "BMD2024", "Ferguson2024", "Maniquet2024", "ImageNet-C-top1", "Geirhos2021-top1", "Hermann2020"),
)
_BRAINSCORE_RANGE = (-1.0, 1.5)  # divided by a noise ceiling that is itself an estimate
_BRAINSCORE_RANGES = {"Hebart2023-match": (-1.0, 0.99)}  # single choices of people: they disagree on a third of them
_RERUN = 0.01  # submissions of one network differ by less, being scored by runs with other random numbers


def read_brainscore(path: str | Path, *, duplicates: str = "drop") -> Leaderboard:
    """Brain-Score's vision leaderboard as a table of leaf metrics: higher is more aligned, 1 is the noise ceiling.

    Parameters
    ----------
    path : str or Path
        The leaderboard as CSV, one row per submission.
    duplicates : {"drop", "keep"}
        "drop" keeps the most complete of the submissions that share a name and agree within 0.01, the scatter of
        repeated runs, on every metric of the tree that both have.

    Returns
    -------
    Leaderboard
        `others` holds what is outside `BRAINSCORE_TREE`: newer behavioural metrics, the THINGS odd-one-out match
        ("Hebart2023-match"), the nearly empty "Kar2019-ost", and the accuracies ("ImageNet-top1" and others).

    Raises
    ------
    ValueError
        If a column is absent, an identifier repeats, or a cell is neither a score, empty, nor X.
    """
    choose(duplicates, "duplicates", ("drop", "keep"))
    cells = read_cells(path)
    absent = [name for name in ("model_name", "model_id", *tree_leaves(BRAINSCORE_TREE)) if name not in cells]
    if absent:
        raise ValueError(f"'path' must hold Brain-Score's leaderboard, got no column {absent[0]!r} in {path}.")
    models = pd.DataFrame({"name": cells["model_name"], "identifier": cells["model_id"]})
    models["family"] = models["name"].map(model_family)
    cells = cells.drop(columns=["model_name", "model_id", "rank", "layers"], errors="ignore")
    parents = [name for name in _BRAINSCORE_PARENTS if name in cells]
    ranges = dict.fromkeys(cells.columns, _BRAINSCORE_RANGE) | _BRAINSCORE_RANGES
    tolerance = _RERUN if duplicates == "drop" else None
    return assemble(cells, models, BRAINSCORE_TREE, parents, ranges, tolerance)

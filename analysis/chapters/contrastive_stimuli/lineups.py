"""A line-up of models: their answers to the user's pictures, and what they make of squares."""

import io
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from analysis.cache import cache_dir, content_hash
from analysis.chapters.contrastive_stimuli.parameters import MODELS_PER_BIN
from analysis.chapters.contrastive_stimuli.representations import MOTIFS, Geometry, separation, separation_interval
from analysis.data.answers import Predictions
from analysis.data.pictures import open_pictures
from analysis.files import write_atomically
from analysis.intervals import Measured
from analysis.measures.cka import cka_matrix
from analysis.models.extraction import Options, recorded_by
from analysis.models.lineup import extracted_folder, read_lineup
from analysis.models.study import Study, some, study_of

UNTRAINED = "untrained"
LAST = "last"
"""Stands for each model's last recorded layer among the layers of a `Geometry`."""


def study_or_none(parameters) -> Study | None:
    """What a line-up records and answers; None for the book's own zoo or a file of answers."""
    return None if parameters.models == "zoo" else study_of(parameters.models, parameters.images)


def answers_of(study: Study) -> Predictions:
    """Answers of the trained models that choose between the same categories, with what is left out counted.

    Raises
    ------
    ValueError
        If these are fewer than halves of models need.
    """
    answers = study.answers
    trained = [] if answers is None else [study.models.loc[name, "training"] != UNTRAINED for name in answers.models]
    if answers is None or sum(trained) < MODELS_PER_BIN:
        raise ValueError(
            f"'models' must have at least {MODELS_PER_BIN} trained models that choose between the same categories, got "
            f"{sum(trained)}; 'your_models' compares fewer."
        )
    untrained = {"untrained models left out": len(trained) - sum(trained)}
    missing = {"missing answers": int((answers.answers < 0).sum())}
    return replace(answers.of(np.array(trained)), left_out=missing | untrained | study.left_out)


# ---------------------------------------------------------------------------------------------------------------------
# Squares


def geometry(
    study: Study, models: str, squares: torch.Tensor, *, debiased: bool, seed: int, side: int = 224
) -> Geometry | None:
    """CKA between the last layers of trained models, on as many squares as pictures; None of a folder's models.

    A folder of activations holds no model that could see squares. Models are ordered by motif, those without a known
    one last.

    Parameters
    ----------
    study : Study
    models : str
        The line-up that it was made of.
    squares : tensor of shape (n, 1, size, size)
        In [0, 1]; fewer are shown if there are fewer pictures.
    debiased, seed
        Form of CKA; which pictures are compared.
    side : int
        Of the shown squares' picture in pixels, about a multiple of their size.
    """
    if extracted_folder(models) is not None:
        return None
    trained = study.models[study.models["training"] != UNTRAINED]
    order = {motif: place for place, motif in enumerate(MOTIFS)}
    names = sorted(trained.index, key=lambda name: order.get(trained.loc[name, "motif"], len(order)))
    rows = some(len(study.stimuli), len(squares), seed)
    entries = [entry for entry in read_lineup(models) if entry.name in names]
    shown = open_pictures(_as_pictures(squares[: len(rows)], side))
    on_squares = recorded_by(entries, shown, Options()).models
    last = study.of(names).last(rows)
    seen = {
        "squares": [np.asarray(list(on_squares[name].layers.values())[-1]) for name in names],
        "pictures": [last[name] for name in names],
    }
    matrices = {(stimuli, LAST): cka_matrix(features, debiased=debiased) for stimuli, features in seen.items()}
    return Geometry(names, trained.loc[names, "motif"].to_numpy(), matrices, {})


def _as_pictures(squares: torch.Tensor, side: int) -> Path:
    """A file of the squares, enlarged without smoothing, in the cache."""
    pixels = (squares[:, 0].numpy() * 255).round().astype(np.uint8)
    scale = max(1, side // pixels.shape[-1])
    path = cache_dir() / "squares" / f"{content_hash(pixels, scale)[:32]}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        file = io.BytesIO()
        np.savez_compressed(file, x=pixels.repeat(scale, 1).repeat(scale, 2))
        write_atomically(path, file.getvalue())
    return path


def separations(found: Geometry, *, seed: int = 0) -> dict[str, Measured]:
    """Separation of convolution and attention by stimuli, see `separation_interval`; none with fewer than 2 of each."""
    known = np.isin(found.motifs, MOTIFS)
    if min((found.motifs == motif).sum() for motif in MOTIFS) < 2:
        return {}
    both = np.ix_(known, known)
    return {
        stimuli: separation_interval([matrix[both]], found.motifs[known], seed=seed)
        for (stimuli, _), matrix in found.matrices.items()
    }


def block_means(found: Geometry) -> pd.DataFrame:
    """Mean CKA within convolution, within attention and between the two, one row a stimulus set: blocks need both."""
    first, second = np.triu_indices(len(found.names), 1)
    motifs = found.motifs[first], found.motifs[second]
    kinds = {f"within {motif}": (motifs[0] == motif) & (motifs[1] == motif) for motif in MOTIFS}
    kinds["between"] = np.isin(motifs[0], MOTIFS) & np.isin(motifs[1], MOTIFS) & (motifs[0] != motifs[1])
    rows = {
        stimuli: {name: matrix[first, second][pairs].mean() for name, pairs in kinds.items()}
        for (stimuli, _), matrix in found.matrices.items()
    }
    return pd.DataFrame(rows).T


def as_well_apart(matrix: np.ndarray, motifs: np.ndarray) -> tuple[int, int]:
    """How many of all ways to call as many of these models attention part them at least as well; how many there are.

    `motifs` holds convolution and attention only. The true way is among them, so that the share is never below one over
    their number.
    """
    observed, n_models = separation(matrix, motifs), len(motifs)
    ways = list(combinations(range(n_models), int((motifs == MOTIFS[1]).sum())))
    found = [separation(matrix, np.isin(np.arange(n_models), attending)) for attending in ways]
    return int((np.array(found) >= observed - 1e-12).sum()), len(ways)

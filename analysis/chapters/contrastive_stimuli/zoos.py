"""The chapter's claims measured in one zoo, and in the same zoo with permuted answers or shuffled motifs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.chapters.contrastive_stimuli import experiments, null_checks, representations
from analysis.chapters.contrastive_stimuli.parameters import Parameters
from analysis.chapters.contrastive_stimuli.representations import separation_interval
from analysis.data.answers import Predictions
from analysis.data.images import load_images
from analysis.data.stimuli import squares
from analysis.intervals import Measured


@dataclass(frozen=True)
class Observed:
    """What one zoo gave.

    Attributes
    ----------
    answers : dict
        Set of images → the answers of all trained networks, each out of sample.
    matrices : list
        CKA between networks (n, n), of squares and of digits.
    motifs : array of shape (n,)
        Convolution or attention, one a network of the matrices.
    """

    answers: Mapping[str, Predictions]
    matrices: list[np.ndarray]
    motifs: np.ndarray


def observed(parameters: Parameters) -> Observed:
    """Train the zoo of the parameters' seed, and record its answers and representations as the chapter does."""
    images, seed = load_images("digits"), parameters.seed
    drawn = squares(
        parameters.n_images,
        n_squares=parameters.n_squares,
        side=parameters.square_side,
        distance=parameters.square_distance,
        seed=seed,
    )
    stimuli = representations.stimulus_sets(images, drawn, seed=seed)
    geometry = representations.compare_geometry(images, stimuli, debiased=parameters.debiased, seed=seed)
    matrices = [geometry.matrices[name, parameters.layer] for name in stimuli]
    answers = experiments.answer_sets("zoo", images, severity=parameters.severity, seed=seed)
    return Observed(answers, matrices, geometry.motifs)


def measured(zoo: Observed, parameters: Parameters) -> dict[str, Measured]:
    """Everything that `claims.ZOOS_CLAIMS` and `claims.ZOOS_HYPOTHESES` are about, by their names."""
    halves = {"n_bins": parameters.n_bins, "n_splits": parameters.n_splits, "seed": parameters.seed}
    drops = {
        name: experiments.kappa_by_bin(table, k=parameters.n_contrastive, **halves).drops
        for name, table in zoo.answers.items()
    }
    clean = zoo.answers["clean"]
    identified = experiments.identification(clean, noise=parameters.noise, **halves)
    return {
        "squares-form-blocks": separation_interval(zoo.matrices[:1], zoo.motifs),
        "squares-separate-better": separation_interval(zoo.matrices, zoo.motifs),
        "lower-kappa-clean": drops["clean"][experiments.CONTRASTIVE],
        "lower-kappa-corrupted": drops["corrupted"][experiments.CONTRASTIVE],
        "lower-kappa-chosen-elsewhere": drops["clean"][experiments.ELSEWHERE],
        "accurate-models-agree": experiments.accuracy_against_agreement(clean),
        "stable-stimuli": experiments.stability(clean, n_bins=parameters.n_bins),
        "identify-models": experiments.identification_gain(identified),
    }


def shuffled(zoo: Observed, seed: int | tuple[int, ...]) -> Observed:
    """The same zoo with nothing to find: every network's answers permuted over images, motifs dealt anew."""
    answers = {name: null_checks.permuted(table, seed) for name, table in zoo.answers.items()}
    return Observed(answers, zoo.matrices, np.random.default_rng(seed).permutation(zoo.motifs))

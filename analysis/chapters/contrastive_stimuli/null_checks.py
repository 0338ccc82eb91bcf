"""What the chapter's rules say of noise: the same measurements where there is nothing to find."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis.chapters.contrastive_stimuli import experiments, people
from analysis.chapters.contrastive_stimuli.representations import separation_interval
from analysis.data.answers import ModelVsHuman, Predictions
from analysis.intervals import mean_correlation_interval, mean_interval
from analysis.progress import steps
from analysis.runs.verdicts import Noise

PERMUTED = "each model's answers permuted"


def permuted(predictions: Predictions, seed: int | tuple[int, ...]) -> Predictions:
    """The same answers of every model, given to other stimuli: nothing is hard, and nobody sees alike."""
    answers = np.random.default_rng(seed).permuted(predictions.answers, axis=1)
    return replace(predictions, answers=answers)


def _runs(predictions: Predictions, n_runs: int):
    return [permuted(predictions, seed) for seed in steps(range(n_runs), "noise", n_runs)]


def smallest_drops(predictions: Predictions, *, n_runs: int = 5, **options) -> dict[str, Noise]:
    """The smallest drop of κ over accuracy bins, by who chose the stimuli; `options` as in `kappa_by_bin`."""
    found = [experiments.kappa_by_bin(table, **options).drops for table in _runs(predictions, n_runs)]
    return {name: Noise(PERMUTED, [drops[name] for drops in found]) for name in found[0]}


def accuracy_against_agreement(predictions: Predictions, *, n_runs: int = 10) -> Noise:
    """Rank correlation over models between accuracy and agreement."""
    return Noise(PERMUTED, [experiments.accuracy_against_agreement(table) for table in _runs(predictions, n_runs)])


def stability(predictions: Predictions, *, n_bins: int, n_runs: int = 10) -> Noise:
    """Rank correlation between bins of their agreement per stimulus."""
    tables = _runs(predictions, n_runs)
    return Noise(PERMUTED, [experiments.stability(table, n_bins=n_bins, n_resamples=200) for table in tables])


def identification(predictions: Predictions, *, n_runs: int = 5, **options) -> Noise:
    """Gain of contrastive over random stimuli; `options` as in `experiments.identification`."""
    tables = [experiments.identification(table, **options) for table in _runs(predictions, n_runs)]
    return Noise(PERMUTED, [experiments.identification_gain(table) for table in tables])


def motifs(matrices: Sequence[np.ndarray], labels: np.ndarray, n_runs: int = 20) -> Noise:
    """Separation of shuffled motifs, as in `separation_interval`."""
    shuffled = [np.random.default_rng(seed).permutation(labels) for seed in range(n_runs)]
    runs = [separation_interval(matrices, groups, n_resamples=300) for groups in shuffled]
    return Noise("motifs shuffled", runs)


def shared_contrast(sets: dict[str, ModelVsHuman], *, n_splits: int, seed: int) -> Noise:
    """Correlation of agreement between people and networks, the networks' images shuffled."""
    shuffled = {name: _other_images(both, seed) for name, both in sets.items()}
    rho = people.shared_contrast(shuffled, n_splits=n_splits, seed=seed)["rho"]
    return Noise("networks' images shuffled", [mean_correlation_interval(rho.to_numpy(), over="image sets")])


def error_consistency(sets: dict[str, ModelVsHuman], share: float, *, n_splits: int, seed: int) -> Noise:
    """Fall of error consistency on images chosen by networks whose images are shuffled."""
    shuffled = {name: _other_images(both, seed) for name, both in sets.items()}
    drops = people.by_set(people.error_consistencies(shuffled, share, n_splits=n_splits, seed=seed))["drop"]
    return Noise("networks' images shuffled", [mean_interval(drops.to_numpy(), over="image sets")])


def _other_images(both: ModelVsHuman, seed: int) -> ModelVsHuman:
    """The networks' answers to the images in another order, the same for all networks."""
    order = np.random.default_rng(seed).permutation(len(both.networks.stimuli))
    return replace(both, networks=replace(both.networks, answers=both.networks.answers[:, order]))

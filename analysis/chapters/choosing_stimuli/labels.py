"""Identifying a network by its noisy labels: stimuli chosen adaptively, by fixed disagreement, or at random.

Labels are fixed: nothing is fitted to them, so this is what choosing can do where no refit takes it back.
"""

import numpy as np
import pandas as pd
from scipy.special import entr

from analysis.data.answers import Predictions, load_imagenet_predictions
from analysis.data.cifar10 import load_cifar10_networks
from analysis.intervals import Measured, bootstrap_interval
from analysis.measures.agreement import agreement_from_predictions
from analysis.models.study import UNTRAINED, study_of
from analysis.recovery.design import model_weights

WAYS = ("random", "contrastive", "adaptive")
LINE_UPS = {"ImageNet line-up": ("imagenet", "imagenet_sample"), "CIFAR-10 line-up": ("cifar10", "cifar10")}
"""The book's line-ups and the pictures that they label, by what figures call them."""


def load_sets(n_stimuli: int, seed: int) -> dict[str, Predictions]:
    """Published answers of 14 networks to ImageNet and of eight to CIFAR-10, and those of the trained networks of the
    book's two line-ups; so many photographs of each drawn at random.
    """
    sets = {"ImageNet": load_imagenet_predictions(), "CIFAR-10": load_cifar10_networks().predictions}
    sets |= {name: trained_answers(*of) for name, of in LINE_UPS.items()}
    return {name: _some(table, n_stimuli, seed) for name, table in sets.items()}


def trained_answers(line_up: str, pictures: str) -> Predictions:
    """The labels that the trained networks of a line-up give."""
    study = study_of(line_up, pictures)
    training = study.models.loc[list(study.answers.models), "training"]
    return study.answers.of((training != UNTRAINED).to_numpy())


def _some(table: Predictions, n_stimuli: int, seed: int) -> Predictions:
    size = len(table.stimuli)
    rows = np.sort(np.random.default_rng(seed).choice(size, min(n_stimuli, size), replace=False))
    stimuli = tuple(table.stimuli[row] for row in rows)
    return Predictions(table.answers[:, rows], table.labels[rows], table.models, stimuli, table.categories, {})


def identification(table: Predictions, *, noise: float, n_shown: int, n_draws: int, seed: int) -> pd.DataFrame:
    """How often each network is found from k of its noisy labels: 1 = always; one row a way, network and k.

    A share `noise` of the labels is replaced by random categories, and all candidates know that. The guess is the most
    probable network, and n that tie count 1/n. *Adaptive* shows what is most informative given the labels so far,
    *contrastive* the stimuli of lowest agreement in a fixed order.
    """
    rows = []
    agreement = agreement_from_predictions(table.answers, len(table.categories)).per_stimulus
    for place, model in enumerate(table.models):
        for draw in range(n_draws):
            rng = np.random.default_rng([seed, place, draw])
            wrong = rng.random(len(table.stimuli)) < noise
            answers = np.where(wrong, rng.integers(len(table.categories), size=len(wrong)), table.answers[place])
            jitter = rng.random(len(answers))
            orders = {"random": np.argsort(jitter), "contrastive": np.lexsort([jitter, agreement])}
            for way in WAYS:
                found = _found(table, answers, orders.get(way), place, noise, n_shown, jitter)
                rows += [(way, model, k, draw, value) for k, value in enumerate(found, 1)]
    columns = ["way", "network", "k", "draw", "identified"]
    means = pd.DataFrame(rows, columns=columns).groupby(columns[:3], sort=False)["identified"].mean()
    return means.reset_index()


def _found(table, answers, order, place: int, noise: float, n_shown: int, jitter) -> list[float]:
    """Credit of the right network after each label."""
    guess = noise / len(table.categories)
    logs, shown, found = np.zeros(len(table.models)), np.zeros(len(answers), dtype=bool), []
    for k in range(n_shown):
        if order is None:
            scores = _vote_entropy(table.answers, model_weights(logs)) + 1e-9 * jitter
            stimulus = int(np.where(shown, -np.inf, scores).argmax())
        else:
            stimulus = int(order[k])
        shown[stimulus] = True
        logs += np.log(guess + (1 - noise) * (table.answers[:, stimulus] == answers[stimulus]))
        best = np.isclose(logs, logs.max())
        found.append(best[place] / best.sum())
    return found


def _vote_entropy(answers: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Entropy of the networks' weighted votes: with equal noise of all, what orders stimuli by information."""
    votes = np.zeros(answers.shape)
    taken = np.zeros(answers.shape, dtype=bool)
    for row in range(len(answers)):
        same = answers == answers[row]
        votes[row] = np.where(taken[row], 0, weights @ same)
        taken |= same
    return entr(votes).sum(axis=0)


def gain(table: pd.DataFrame, way: str, over: str) -> Measured:
    """How much more often a way identifies than another, mean over numbers of labels, over networks."""
    mean = table.pivot_table("identified", "network", "way", aggfunc="mean")
    return bootstrap_interval(np.mean, (mean[way] - mean[over]).to_numpy(), over="networks")

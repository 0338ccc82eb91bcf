"""What each policy shows first of photographs: trained networks of a line-up, their features as they are."""

from dataclasses import dataclass

import numpy as np

from analysis.chapters.choosing_stimuli.experiments import first_of_each, plain_predictions
from analysis.models.study import UNTRAINED, Study, some, study_of
from analysis.models.study import shown as read_pictures
from analysis.recovery.features import normalised

LINE_UP = PICTURES = "cifar10"
N_PHOTOGRAPHS = 300


@dataclass(frozen=True, eq=False)
class FirstShown:
    """Triplets (n, 3) by policy, as places among the pictures (RGB pixels) and their ids; who chose."""

    chosen: dict[str, np.ndarray]
    pictures: list[np.ndarray]
    ids: list[str]
    networks: list[str]


def first_shown(policies: list[str], *, ceiling: float, seed: int) -> FirstShown:
    """The first triplets of random CIFAR-10 photographs that the line-up's trained networks would show."""
    return of_study(study_of(LINE_UP, PICTURES), policies, ceiling=ceiling, seed=seed)


def of_study(study: Study, policies: list[str], *, ceiling: float, seed: int) -> FirstShown:
    """The same of any study whose pictures can be read."""
    rows = some(len(study.stimuli), N_PHOTOGRAPHS, seed)
    trained = [name for name in study.names if study.models.loc[name, "training"] != UNTRAINED]
    features = {name: normalised(values) for name, values in study.of(trained).last(rows).items()}
    triplets, predicted = plain_predictions(features, ceiling=ceiling, seed=seed)
    chosen = first_of_each(triplets, predicted, policies, 4, seed)
    return FirstShown(chosen, read_pictures(study, PICTURES, rows), [study.stimuli[row] for row in rows], trained)

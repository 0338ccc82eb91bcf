"""What moves the end of the curve, where the answer is known."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.recovery_curve import causes
from analysis.chapters.recovery_curve.parameters import Parameters
from analysis.recovery.experiment import Recovery


def test_leads_move_as_much_as_the_formula_says(study):
    """Two fitted models, each right by itself, on seeds of independent test triplets."""
    rng = np.random.default_rng(0)
    similarities = {name: table @ table.T for name, table in study.features.items()}
    chances = [np.mean(right_of(similarities[name], study.observer)) for name in similarities]
    seeds, size = 400, 1600
    draws = rng.binomial(3 * (size // 8), chances, (seeds, 3)) / (3 * (size // 8))
    rows = [("a-1", name, size, seed, draws[seed, i]) for seed in range(seeds) for i, name in enumerate(similarities)]
    table = pd.DataFrame(rows, columns=["generator", "candidate", "n_triplets", "seed", "test_accuracy"])
    found = causes.error_of_a_lead(study, Recovery(table, None, similarities), Parameters(), size)
    independent = [np.sqrt((p * (1 - p) + q * (1 - q)) / (3 * (size // 8))) for p, q in combinations(chances, 2)]
    assert found["spread"].to_numpy() == pytest.approx(independent, rel=0.15)
    discordant = [np.mean(right_of(similarities[a], study.observer) != right_of(similarities[b], study.observer))
                  for a, b in combinations(similarities, 2)]  # fmt: skip
    assert found["formula"].to_numpy() == pytest.approx(np.sqrt(np.array(discordant) / (3 * (size // 8))))


def right_of(similarity, observer):
    """One triplet at a time: whether the pair left by the odd one is the most similar."""
    return np.array([similarity[np.delete(t, c)[0], np.delete(t, c)[1]]
                     == max(similarity[t[0], t[1]], similarity[t[0], t[2]], similarity[t[1], t[2]])
                     for t, c in zip(observer.triplets, observer.choices, strict=True)])  # fmt: skip

"""Noise of the neuron chapter: near nothing where the floor is taken off, and near the floor where it is not."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.neuron_correlation import experiments, null_checks
from analysis.chapters.neuron_correlation.claims import CLAIMS

RULES = {claim.id: claim.rule for claim in CLAIMS}


@pytest.fixture(scope="module")
def pairs():
    rng = np.random.default_rng(0)
    rows = [
        {"seed": seed, "target": f"net{net}", "score": 0.6 - 0.1 * (net == 5), "floor": 0.02}
        | {"shuffled": 0.02 - 0.01 * (net == 5) + rng.normal(0, 1e-4), "accuracy": 0.7 - 0.1 * (net == 5)}
        for seed in range(5)
        for net in range(1, 6)
    ]
    return pd.DataFrame(rows)


def test_the_penalty_alone_sets_the_deep_net_apart(pairs):
    """Shuffled images too score lower with the deep net: the rule says nothing."""
    noise = null_checks.deep_net_apart(pairs)
    assert noise.runs[0].value == pytest.approx(-0.01, abs=1e-3)
    assert noise.passes(RULES["deep-net-apart"], noise.runs[0])


def test_noise_keeps_to_the_floor(pairs):
    flat = pairs.assign(shuffled=pairs["floor"] + np.random.default_rng(1).normal(0, 0.01, len(pairs)))
    noise = null_checks.excess(flat)
    assert abs(noise.runs[0].value) < 0.01
    assert not noise.passes(RULES["matching-units"], noise.runs[0])


def test_gaussian_units_score_what_the_closed_form_says():
    closed = experiments.paper_floor().set_index("net")["chance"]
    for net, values in null_checks.gaussian_scores(10, n_draws=4).items():
        assert values.mean() == pytest.approx(closed[net], abs=0.02)

"""Zoos of other seeds: what is measured of one is what the chapter measures, and noise has nothing in it."""

import numpy as np
import pytest

from analysis.chapters.contrastive_stimuli import claims, experiments, representations, zoos
from analysis.chapters.contrastive_stimuli.parameters import Parameters

PARAMETERS = Parameters(n_contrastive=30, n_bins=2, n_splits=3)


@pytest.fixture(scope="module")
def zoo(simulated):
    """Sixteen models of rising accuracy, and two motifs that are alike within and not between."""
    motifs = np.repeat(["attention", "convolution"], 6)
    rng = np.random.default_rng(0)
    noise = rng.normal(scale=0.05, size=(2, 12, 12))
    apart = 0.5 + 0.3 * (motifs[:, None] == motifs)
    return zoos.Observed({"clean": simulated(), "corrupted": simulated(seed=1)}, list(apart + noise), motifs)


def test_every_rule_that_is_judged_over_zoos_is_measured(zoo):
    found = zoos.measured(zoo, PARAMETERS)
    assert set(found) == {entry.id for entry in (*claims.ZOOS_CLAIMS, *claims.ZOOS_HYPOTHESES)}
    options = {"n_bins": 2, "k": 30, "n_splits": 3, "seed": PARAMETERS.seed}
    assert found["lower-kappa-clean"] == experiments.kappa_by_bin(zoo.answers["clean"], **options).drops["contrastive"]
    assert found["squares-form-blocks"].low > 0


def test_noise_has_neither_hard_stimuli_nor_blocks(zoo):
    runs = [zoos.measured(zoos.shuffled(zoo, seed), PARAMETERS) for seed in range(6)]
    means = {name: np.mean([run[name].value for run in runs]) for name in runs[0]}
    assert abs(means["stable-stimuli"]) < 0.1 < zoos.measured(zoo, PARAMETERS)["stable-stimuli"].value
    assert abs(means["squares-form-blocks"]) < 1
    assert means["lower-kappa-chosen-elsewhere"] < 0.02


def test_the_zoo_is_observed_as_the_chapter_does(monkeypatch):
    monkeypatch.setattr(experiments, "answer_sets", lambda *_, **options: options)
    seen = {}

    def compare(images, stimuli, **options):
        seen.update(options, sizes=[len(images) for images in stimuli.values()])
        return type("Geometry", (), {"matrices": {(name, "late"): name for name in stimuli}, "motifs": None})

    monkeypatch.setattr(representations, "compare_geometry", compare)
    found = zoos.observed(Parameters(seed=7, n_images=40, layer="late", severity=2))
    assert found.answers == {"severity": 2, "seed": 7}
    assert seen == {"debiased": True, "seed": 7, "sizes": [40, 40]}
    assert len(found.matrices) == 2

"""Noise has the models' answers and nothing else of theirs, and no rule takes it for an effect."""

import numpy as np
import pytest

from analysis.chapters.contrastive_stimuli import experiments, null_checks
from analysis.chapters.contrastive_stimuli.claims import CLAIMS
from analysis.data.answers import ModelVsHuman, Predictions

RULES = {claim.id: claim.rule for claim in CLAIMS}


@pytest.fixture
def answers():
    """Sixteen models of rising accuracy; the first stimuli are hard for everybody."""
    rng = np.random.default_rng(0)
    labels = rng.integers(10, size=300)
    skill = np.linspace(0.5, 0.98, 16)[:, None]
    right = rng.random((16, 300)) < np.where(np.arange(300) < 60, 0.3, skill)
    names = [tuple(f"{letter}{n}" for n in range(size)) for letter, size in zip("ms", right.shape, strict=True)]
    given = np.where(right, labels, rng.integers(10, size=right.shape))
    return Predictions(given, labels, *names, tuple(map(str, range(10))), {})


def test_permuted_answers_are_the_same_answers(answers):
    noise = null_checks.permuted(answers, 3)
    assert (np.sort(noise.answers, axis=1) == np.sort(answers.answers, axis=1)).all()
    assert (noise.answers != answers.answers).any(axis=1).all()
    assert (noise.labels == answers.labels).all()
    assert (null_checks.permuted(answers, 3).answers == noise.answers).all()


def test_no_rule_takes_permuted_answers_for_an_effect(answers):
    options = {"n_bins": 2, "n_splits": 4}
    drops = null_checks.smallest_drops(answers, k=40, **options)
    checks = {
        "lower-kappa-clean": (drops[experiments.CONTRASTIVE], experiments.kappa_by_bin(answers, k=40, **options).drops[
            experiments.CONTRASTIVE]),
        "stable-stimuli": (null_checks.stability(answers, n_bins=2), experiments.stability(answers, n_bins=2)),
    }  # fmt: skip
    for name, (noise, measured) in checks.items():
        assert RULES[name].holds(measured), name
        assert all(abs(run.value) < measured.value / 3 for run in noise.runs), name


def test_shuffled_motifs_have_no_separation():
    motifs = np.repeat(["convolution", "attention"], 8)
    blocks = 0.5 + 0.3 * (motifs[:, None] == motifs) + np.random.default_rng(0).normal(0, 0.02, (16, 16))
    noise = null_checks.motifs([blocks + blocks.T], motifs, n_runs=10)
    assert np.mean([run.value for run in noise.runs]) == pytest.approx(0, abs=0.4)
    assert not noise.passes(RULES["squares-form-blocks"], noise.runs[0])


def test_networks_that_saw_other_images_share_nothing_with_people(answers):
    sets = {
        "a": ModelVsHuman(answers, answers),
        "b": ModelVsHuman(answers, answers),
        "c": ModelVsHuman(answers, answers),
    }
    noise = null_checks.shared_contrast(sets, n_splits=2, seed=0)
    assert abs(noise.runs[0].value) < 0.2

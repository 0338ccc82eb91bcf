"""The run with networks and people on the same photographs: cheap parts computed anew are what the page says."""

import json
import os

import numpy as np
import pytest
from scipy import stats

from analysis.chapters.contrastive_stimuli import claims as committed
from analysis.chapters.contrastive_stimuli.photographs import PUBLISHED
from analysis.data.cifar10 import load_cifar10_networks, load_cifar10_people
from analysis.runs import catalogue, verdicts

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]
CHAPTER = "contrastive_stimuli_photographs"


@pytest.fixture(scope="module")
def published():
    return load_cifar10_networks().predictions


@pytest.fixture(scope="module")
def people():
    return load_cifar10_people().counts


def slow_agreement(counts):
    """Share of agreeing pairs of answers to every photograph."""
    n_answers = counts.sum(1)
    return (counts * (counts - 1)).sum(1) / (n_answers * (n_answers - 1))


def counted(answers):
    return np.stack([(answers == category).sum(0) for category in range(10)], axis=1)


def test_people_and_published_networks_on_the_page(numbers, published, people):
    on_page = numbers["shared-contrast"].set_index("set")
    rho = stats.spearmanr(slow_agreement(counted(published.answers)), slow_agreement(people)).statistic
    assert on_page.loc[PUBLISHED, "rho"] == pytest.approx(rho, abs=1e-6)
    assert on_page["networks"].to_dict() == {"all networks": 25, "normal": 7, "robust": 10, PUBLISHED: 8}


def test_the_photographs_shown_have_these_answers(numbers, people):
    sheet = numbers["contact-sheet"]
    assert len(sheet) == 18
    agreement = slow_agreement(people)
    for row in sheet.to_dict("records"):
        assert row["agreement of people"] == pytest.approx(agreement[row["photograph"]], abs=1e-6)


def test_squares_are_seen_by_two_attention_networks_and_their_like(numbers):
    names = {*numbers["squares"]["network"], *numbers["squares"]["other"]}
    assert names == {"marabou_small", "oval_base", "oval_deep", "oval_wide", "vit_ibp", "vit_pgd"}


def test_every_committed_rule_was_measured(judged):
    assert set(judged) == {entry.id for entry in (*committed.PHOTOGRAPHS_CLAIMS, *committed.PHOTOGRAPHS_HYPOTHESES)}
    assert all(row["measured"] and row["noise"] for row in judged.values())
    assert verdicts.REPRODUCED not in {row["verdict"] for row in judged.values()}, "neither networks nor images are"


def test_the_recording_is_small_and_names_its_data(public_run):
    assert len(json.dumps(public_run)) < 1_000_000
    parameters = catalogue.parameters_of(CHAPTER, catalogue.PUBLIC).checked({})
    assert set(public_run.metadata.analysis.made_from.data) == set(parameters.public_files())
    assert not [out for cell in public_run.cells for out in cell.get("outputs", []) if out.output_type == "stream"]
    text = catalogue.text_half(CHAPTER, catalogue.PUBLIC).read_text()
    assert "no licence stated" in text
    assert "CC BY-NC-SA 4.0" in text

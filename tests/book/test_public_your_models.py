"""The page on published networks and people: two networks are shown the photographs anew, and answer as on the page."""

import json
import os

import numpy as np
import pytest
import torch

from analysis.data import registry
from analysis.data.pictures import open_pictures
from analysis.measures.neurons import symmetric_score
from analysis.models.activations import record
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model
from analysis.models.study import some
from analysis.runs import catalogue
from analysis.runs.values import told

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]

PUBLISHED = {
    "resnet20": 0.9173, "resnet32": 0.9263, "resnet44": 0.9310, "resnet56": 0.9339, "resnet8": 0.8719,
    "wide_resnet8": 0.9128, "resnet2b": 0.6924, "resnet4b": 0.7720, "marabou_small": 0.6314, "marabou_medium": 0.7021,
    "marabou_large": 0.7416, "oval_base": 0.5853, "oval_deep": 0.5531, "oval_wide": 0.6162, "vit_ibp": 0.6221,
    "vit_pgd": 0.5978, "biasfield_base": 0.8443,
}  # fmt: skip
"""Accuracies that were measured with other code."""
ANEW = ("marabou_small", "oval_base")


@pytest.fixture(scope="module")
def models():
    return {entry.name: load_model(entry) for entry in read_lineup(",".join(f"cifar10:{name}" for name in ANEW))}


@pytest.fixture(scope="module")
def photographs():
    return open_pictures("cifar10")


@pytest.fixture(scope="module")
def metrics(numbers):
    return numbers["metrics"].set_index("model")


def test_accuracies_are_the_published_ones(metrics):
    assert metrics.loc[list(PUBLISHED), "Accuracy"].to_dict() == pytest.approx(PUBLISHED, abs=5.1e-5)
    twins = metrics.loc[[f"{name}_untrained" for name in PUBLISHED], "Accuracy"]
    assert (twins < 0.15).all()
    assert len(metrics) == 2 * len(PUBLISHED)


@pytest.mark.parametrize("name", ANEW)
def test_answers_shared_with_people(models, photographs, metrics, name):
    with torch.inference_mode():
        given = models[name].module(models[name].prepare(photographs.read(slice(None)))).argmax(1).numpy()
    assert (given == photographs.labels).mean() == metrics.loc[name, "Accuracy"]
    counts = np.load(registry.public_path("cifar10h/cifar10h-counts.npy"))
    shares = counts[np.arange(len(given)), given] / counts.sum(axis=1)
    assert metrics.loc[name, "Answers shared with people"] == pytest.approx(shares.mean(), abs=1e-6)


def test_matched_units(models, photographs, numbers):
    rows = some(len(photographs), 500, 0)
    seen = [
        record(model.module, model.prepare(photographs.read(rows)), model.layers[-1], pool="mean").values
        for model in models.values()
    ]
    pairs = numbers["unit-scores"]
    row = pairs[pairs["model"].isin(ANEW) & pairs["other"].isin(ANEW)]
    assert row["score"].item() == pytest.approx(symmetric_score(*seen), abs=1e-6)


def test_the_text_says_what_the_figures_hold(public_run, numbers, metrics):
    values, pairs = told(public_run), numbers["unit-scores"]
    trained = ~pairs[["model", "other"]].apply(lambda names: names.str.endswith("_untrained"))
    kinds = {"both-trained": trained.all(axis=1), "both-untrained": ~trained.any(axis=1)}
    for name, kind in kinds.items():
        assert values[name]["value"] == pytest.approx(pairs[kind]["corrected"].mean(), abs=1e-6)
    shares = metrics.loc[list(PUBLISHED), "Answers shared with people"]
    assert values["most-human"]["text"] == shares.idxmax()
    assert values["least-shared"]["value"] == pytest.approx(shares.min(), abs=1e-6)


def test_the_recording_is_small_names_its_data_and_shows_eight_photographs(public_run, numbers):
    assert len(json.dumps(public_run)) < 1_000_000
    named = catalogue.parameters_of("your_models", catalogue.PUBLIC).checked({}).public_files()
    assert set(public_run.metadata.analysis.made_from.data) == set(named)
    assert "cifar10h/cifar10h-counts.npy" in named
    assert len(numbers["contrastive"]) == 8
    assert not [out for cell in public_run.cells for out in cell.get("outputs", []) if out.output_type == "stream"]

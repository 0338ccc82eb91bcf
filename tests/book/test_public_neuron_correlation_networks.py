"""The page on published networks: two networks and the chance levels anew, and claims that follow from the figures."""

import json
import os

import numpy as np
import pytest

from analysis.chapters.neuron_correlation.claims import NETWORKS_CLAIMS, NETWORKS_HYPOTHESES
from analysis.data.pictures import open_pictures
from analysis.measures.neuron_floor import chance_level
from analysis.measures.neurons import symmetric_score
from analysis.models.activations import record
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model
from analysis.runs import catalogue

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]

ANEW = ("marabou_small", "oval_base")


@pytest.fixture(scope="module")
def blocks(numbers):
    """Corrected scores of all pairs by line-up, each pair once."""
    table = numbers["blocks"]
    keys = ["lineup", "model", "other", "state", "family"]
    return table.groupby(keys, as_index=False)["corrected"].mean()


def test_every_committed_rule_was_measured_and_put_to_noise(judged):
    rules = {entry.id for entry in (*NETWORKS_CLAIMS, *NETWORKS_HYPOTHESES)}
    assert set(judged) == rules
    assert all(judged[entry.id]["measured"] for entry in (*NETWORKS_CLAIMS, *NETWORKS_HYPOTHESES))
    assert all(judged[entry.id]["noise"] for entry in NETWORKS_CLAIMS)


def test_two_networks_on_two_thousand_photographs(numbers):
    photographs = open_pictures("cifar10")
    models = [load_model(entry) for entry in read_lineup(",".join(f"cifar10:{name}" for name in ANEW))]
    pairs = numbers["blocks"]
    pairs = pairs[(pairs["lineup"] == "CIFAR-10") & pairs["model"].isin(ANEW) & pairs["other"].isin(ANEW)]
    on_page = pairs.set_index("draw")["score"]
    rows = np.sort(np.random.default_rng((0, 2000, 0)).choice(len(photographs), 2000, replace=False))
    seen = []
    for model in models:
        layer = model.layers[(len(model.layers) - 1) // 2]
        seen.append(record(model.module, model.prepare(photographs.read(rows)), layer, pool="mean").values)
    assert on_page[0] == pytest.approx(symmetric_score(*seen), abs=1e-6)


def test_chance_levels_of_ten_images(numbers):
    """A channel of the second convolution has 6 × 6 places in one network and 8 × 8 in the other."""
    table = numbers["printed-scores"]
    row = table[table["model"].isin(ANEW) & table["other"].isin(ANEW)]
    levels = [chance_level(10, n_places) for n_places in (6 * 6, 8 * 8)]
    assert row["chance"].unique() == pytest.approx([np.mean(levels)], abs=1e-6)


def test_families_apart_as_the_pairs_say(blocks, judged):
    for name, lineup in (("cifar10-blocks", "CIFAR-10"), ("imagenet-blocks", "ImageNet")):
        trained = blocks[(blocks["lineup"] == lineup) & (blocks["state"] == "trained")]
        means = trained.groupby("family")["corrected"].mean()
        assert judged[name]["measured"]["value"] == pytest.approx(means["same"] - means["other"], abs=1e-6)


def test_trained_and_untrained_twins_as_the_pairs_say(blocks, judged):
    for name, lineup in (("cifar10-training", "CIFAR-10"), ("imagenet-training", "ImageNet")):
        pairs = blocks[blocks["lineup"] == lineup]
        means = pairs.groupby("state")["corrected"].mean()
        expected = means["trained"] - means["untrained"]
        twins = pairs["model"].str.removesuffix("_untrained") == pairs["other"].str.removesuffix("_untrained")
        assert judged[name]["measured"]["value"] == pytest.approx(expected, abs=1e-6)
        assert twins.sum() * 2 == len(set(pairs["model"]) | set(pairs["other"])), "every network has a twin"


def test_accuracy_and_scores_as_the_figure_has_them(numbers, judged):
    points = numbers["accuracy-by-score"]
    assert len(points) == 16
    rho = points["score"].corr(points["accuracy"], method="spearman")
    assert judged["predicts-accuracy"]["measured"]["value"] == pytest.approx(rho, abs=1e-6)
    robust = points[points["training"] == points["training"].mode()[0]]
    rho = robust["score"].corr(robust["accuracy"], method="spearman")
    assert judged["predicts-within-training"]["measured"]["value"] == pytest.approx(rho, abs=1e-6)


def test_the_recording_is_small_and_names_its_data(public_run):
    assert len(json.dumps(public_run)) < 1_000_000
    named = catalogue.parameters_of("neuron_correlation_networks", catalogue.PUBLIC).checked({}).public_files()
    assert set(public_run.metadata.analysis.made_from.data) == set(named)
    assert not [out for cell in public_run.cells for out in cell.get("outputs", []) if out.output_type == "stream"]

"""The public run on MNIST: cheap parts computed anew from the public file are what the page says."""

import os

import numpy as np
import pytest
from scipy import integrate, special
from sklearn.model_selection import train_test_split

from analysis.chapters.neuron_correlation import experiments
from analysis.chapters.neuron_correlation.claims import MNIST_CLAIMS, MNIST_HYPOTHESES
from analysis.chapters.neuron_correlation.reported import NET_CNN, NET_NET, NETS, ROBUST_ACCURACY
from analysis.data import registry
from analysis.runs import verdicts

pytestmark = [
    pytest.mark.public_data,
    pytest.mark.skipif(
        not os.environ.get("ANALYSIS_DATA"), reason="ANALYSIS_DATA does not name a folder with the public data files"
    ),
]


@pytest.mark.parametrize("seed", range(5))
def test_baseline_from_the_images(numbers, seed):
    images, labels = registry.read_mnist(registry.mnist_path())
    train, test = train_test_split(np.arange(len(labels)), test_size=0.25, random_state=seed, stratify=labels)
    means = np.array([images[train][labels[train] == label].mean(0).ravel() for label in range(10)])
    shown = images[test].reshape(len(test), -1).astype(float)
    nearest = [np.argmin(((image - means) ** 2).sum(1)) for image in shown]
    on_page = numbers["clean-accuracies"].set_index(["network", "seed"])["accuracy"]
    assert on_page["nearest class mean", seed] == pytest.approx(np.mean(nearest == labels[test]), abs=1e-6)


@pytest.mark.parametrize("net", NETS)
def test_closed_form_floor(numbers, net):
    """The expected largest |r| with 5,408 and 1,600 unrelated units on 10 images, layer by layer under the penalty.

    Units of the trained networks that are constant on ten images match nothing and leave fewer to be matched with.
    """
    depths = range(len(NETS[net]))
    expected = [
        integrate.quad(
            lambda r, depth=depth: 1 - np.prod(
                [special.betainc(0.5, 4, min(r * (1 + abs(depth - layer)), 1) ** 2) ** units
                 for layer, units in enumerate((5408, 1600))]
            ),
            0, 1, points=[1 / 3, 0.5, 1 / (1 + max(depth, 1))], limit=500,
        )[0]
        for depth in depths
    ]  # fmt: skip
    noise = experiments.paper_floor().set_index("net")["chance"]
    assert noise[net] == pytest.approx(np.average(expected, weights=NETS[net]), abs=1e-6)
    on_page = numbers["floor-lesson"].groupby("net")["chance"].mean()
    assert 0.9 * noise[net] < on_page[net] < noise[net]


def test_claims_follow_from_the_figures(numbers, judged):
    pairs = numbers["pair-scores"].groupby(["source", "target"])["score"].mean()
    with_cnn = numbers["floor-lesson"].groupby("net")["score"].mean()
    attacked = numbers["robustness"].groupby("net")["accuracy"].mean()
    expected = {f"net-net-{a}-{b}": pairs[a, b] for a, b in NET_NET}
    expected |= {f"net-cnn-{net}": with_cnn[net] for net in NET_CNN}
    expected |= {f"robust-{net}": attacked[net] for net in ROBUST_ACCURACY}
    assert {name: judged[name]["measured"]["value"] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_attack_begins_with_the_clean_images(numbers):
    clean = numbers["clean-accuracies"].set_index(["network", "seed"])["accuracy"]
    rounds = numbers["attacked-digits"].set_index(["round", "net", "seed"])["accuracy"]
    for net in NETS:
        for seed in range(5):
            assert rounds[0, net, seed] == pytest.approx(clean[net, seed], abs=1e-6)


def test_every_public_claim_has_its_verdict(judged):
    assert set(judged) == {entry.id for entry in (*MNIST_CLAIMS, *MNIST_HYPOTHESES)}
    assert {row["verdict"] for name, row in judged.items() if name in ("kuzushiji", "afro", "fashion")} == {
        verdicts.NOT_TESTABLE
    }

"""Published answers to CIFAR-10 are joined to the photographs only if their content says that they belong to them."""

import os

import numpy as np
import pytest

from analysis.data import cifar10, pictures, registry
from analysis.data.categories import CIFAR10
from analysis.data.joining import join


@pytest.fixture
def photographs(tmp_path, monkeypatch):
    """Two hundred photographs, with files of logits and counts that fit them; returns their labels and the files."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 200)
    logits = np.eye(10, dtype=np.float32)[labels] + rng.normal(0, 0.1, (200, 10)).astype(np.float32)
    np.savez(tmp_path / "net_test.npz", logits=logits, labels=labels)
    np.save(tmp_path / "counts.npy", 40 * np.eye(10)[labels] + 1)
    x = np.zeros((200, 32, 32, 3), np.uint8)
    monkeypatch.setattr(cifar10, "open_pictures", lambda _: pictures._of_array("c", x, labels, "ab" * 32, CIFAR10))
    monkeypatch.setattr(cifar10, "logit_files", lambda: ["cifar10_logits/net_test.npz"])
    monkeypatch.setattr(registry, "public_path", lambda name, **_: tmp_path / name.split("/")[1])
    monkeypatch.setattr(cifar10, "load_cifar10h_counts", lambda: np.load(tmp_path / "counts.npy").astype(np.int64))
    return labels, tmp_path


def test_answers_carry_the_photographs_ids(photographs):
    labels, _ = photographs
    networks, people = cifar10.load_cifar10_networks(), cifar10.load_cifar10_people()
    assert networks.predictions.models == ("net",)
    np.testing.assert_array_equal(networks.predictions.answers[0], labels)
    joined = join({"networks": networks.predictions.stimuli, "people": people.stimuli})
    assert joined.ids[3] == "abababababab/3"


def test_logits_in_another_order_are_refused(photographs):
    labels, folder = photographs
    with np.load(folder / "net_test.npz") as file:
        logits = file["logits"]
    np.savez(folder / "net_test.npz", logits=logits[::-1], labels=labels[::-1])
    with pytest.raises(ValueError, match="'labels' of .* must be those of the photographs, in their order"):
        cifar10.load_cifar10_networks()
    np.savez(folder / "net_test.npz", logits=logits[:, :4], labels=labels)
    with pytest.raises(ValueError, match=r"finite and of shape \(200, 10\), got \(200, 4\)"):
        cifar10.load_cifar10_networks()
    (folder / "net_test.npz").write_bytes(b"no archive")
    with pytest.raises(ValueError, match="must hold the arrays"):
        cifar10.load_cifar10_networks()


def test_counts_in_another_order_are_refused(photographs):
    _, folder = photographs
    counts = np.load(folder / "counts.npy")
    np.save(folder / "counts.npy", counts[::-1])
    with pytest.raises(ValueError, match=r"at least 90% of the photographs, got \d+\.\d%: .* another order"):
        cifar10.load_cifar10_people()
    np.save(folder / "counts.npy", counts[:100])
    with pytest.raises(ValueError, match=r"must have shape \(200, 10\), got \(100, 10\)"):
        cifar10.load_cifar10_people()


@pytest.mark.public_data
def test_the_public_files_fit_the_photographs():
    if not os.environ.get("ANALYSIS_DATA"):
        pytest.skip("ANALYSIS_DATA is not set")
    networks, people = cifar10.load_cifar10_networks(), cifar10.load_cifar10_people()
    accuracies = dict(zip(networks.predictions.models, networks.predictions.accuracies.round(4), strict=True))
    assert (accuracies["vgg_15_BN_64"], accuracies["shake_shake_26_2x64d_SSI_cutout16"]) == (0.9318, 0.9730)
    assert (people.counts.sum(1).min(), people.counts.sum(1).max()) == (47, 63)

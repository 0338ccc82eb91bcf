"""Two networks compared: score, floors, ceiling and correction, from arrays and from files."""

import re
import zipfile

import numpy as np
import pytest

from analysis import (
    attainable_ceiling,
    chance_level,
    compare_files,
    compare_networks,
    corrected_score,
    neuronal_correlation,
    permutation_floor,
    varying_units,
)

PENALTIES = ["index", "relative", None]


def networks(seed, n_stimuli=20, n_source=30, n_target=40, n_layers=3):
    """Two related random networks, units of all layers mixed: activations and layers of both."""
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal((n_stimuli, 8))
    a, b = (shared @ rng.standard_normal((8, n)) + rng.standard_normal((n_stimuli, n)) for n in (n_source, n_target))
    return a, b, rng.integers(0, n_layers, n_source), rng.integers(0, n_layers + 2, n_target)


def depth(layer, penalty):
    if penalty is None:
        return np.zeros(len(layer))
    return np.asarray(layer) / (max(layer) or 1) if penalty == "relative" else np.asarray(layer)


@pytest.fixture
def save(tmp_path):
    def save(name, **arrays):
        np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    return save


@pytest.mark.parametrize("penalty", PENALTIES)
def test_files_give_score_floor_and_corrected_score(save, penalty):
    a, b, layer_a, layer_b = networks(6)
    a[:, :6], b[:, :3] = 1, 2
    paths = save("a.npz", activations=a, layer=layer_a), save("b.npz", activations=b, layer=layer_b)
    result = compare_files(*paths, penalty=penalty, n_permutations=5, seed=1)
    options = {"source_layer": layer_a, "target_layer": layer_b, "penalty": penalty}
    assert result.score == pytest.approx(neuronal_correlation(a, b, **options).score, abs=1e-12)
    assert result.floor == permutation_floor(a, b, **options, n_permutations=5, seed=1)
    varying = {"source_varying": varying_units(a), "target_varying": varying_units(b)}
    assert result.ceiling == attainable_ceiling(layer_a, layer_b, penalty=penalty, **varying)
    assert result == compare_networks(a, b, **options, n_permutations=5, seed=1)
    assert result.corrected == corrected_score(result.score, result.floor, result.ceiling)
    assert (result.n_stimuli, result.constant_units, result.constant_target_units) == (20, 6, 3)
    # A constant source unit cannot match by luck either, and a constant target unit is no candidate.
    depth_a, depth_b = depth(layer_a, penalty)[6:], depth(layer_b, penalty)[3:]
    levels = [chance_level(20, np.ones(37, int), abs(depth_b - own)) for own in depth_a]
    assert result.chance == pytest.approx(np.sum(levels) / 30, abs=1e-9)
    assert 0 < result.floor < result.score < result.ceiling


def test_files_of_one_network_twice(save):
    path = save("net.npz", activations=networks(0)[0], layer=np.zeros(30, int))
    assert compare_files(str(path), path).corrected == pytest.approx(1, abs=1e-5)


GOOD = {"activations": np.random.default_rng(0).standard_normal((10, 4)), "layer": [0, 0, 1, 1]}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"activation": GOOD["activations"], "layer": [0]}, "'activations': it holds activation, layer"),
        ({"activations": GOOD["activations"]}, "'layer': it holds activations"),
        ({}, "'activations': it holds nothing"),
        (GOOD | {"layer": [0, 0, 1]}, "layer of .*bad.npz' must have shape"),
        (GOOD | {"layer": [0.0, 0.5, 1, 1]}, "layer of .*bad.npz' must hold integers"),
        (GOOD | {"layer": [0, -1, 1, 1]}, "layer of .*bad.npz' must hold layer indices from 0, got -1"),
        (GOOD | {"activations": np.full((10, 4), np.nan)}, "activations of .*bad.npz' must be finite, got 40"),
        (GOOD | {"activations": np.ones((2, 4))}, "activations of .*bad.npz' must have at least 3 stimuli"),
        (GOOD | {"activations": np.ones(4)}, "activations of .*bad.npz' must have shape"),
        (GOOD | {"activations": np.array([["a"] * 4] * 10)}, "array of numbers 'activations': its type is <U1"),
        (GOOD | {"activations": np.array([[None] * 4] * 10)}, "array of numbers 'activations'"),
        (GOOD | {"activations": np.ones((10, 4)) * 1j}, "its type is complex128"),
    ],
)
def test_files_that_do_not_fit_are_named(save, arrays, message):
    good, bad = save("good.npz", **GOOD), save("bad.npz", **arrays)
    for pair in ((good, bad), (bad, good)):
        with pytest.raises(ValueError, match=message) as error:
            compare_files(*pair)
        assert "bad.npz" in str(error.value)
        assert "good.npz" not in str(error.value)


def test_files_that_are_none(tmp_path, save):
    good = save("good.npz", **GOOD)
    (text := tmp_path / "text.npz").write_text("not an archive")
    np.save(array := tmp_path / "array.npy", GOOD["activations"])
    for path, found in ((tmp_path / "absent.npz", "no"), (text, "another"), (array, "another"), (tmp_path, "no")):
        with pytest.raises(ValueError, match=re.escape(f"'{path}' must be an .npz file, got {found} file.")):
            compare_files(good, path)


def test_a_damaged_file_is_named(tmp_path, save):
    path = save("damaged.npz", **GOOD)
    content = bytearray(path.read_bytes())
    content[content.find(b"NUMPY") + 200] ^= 255
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"damaged.npz' must hold a readable array of numbers 'activations'"):
        compare_files(path, path)
    with zipfile.ZipFile(raw := tmp_path / "raw.npz", "w") as archive:
        archive.writestr("activations", b"no array")
    with pytest.raises(ValueError, match=r"raw.npz' must hold a readable array of numbers 'activations'"):
        compare_files(raw, raw)


def test_files_of_different_stimuli(save):
    other = save("b.npz", activations=np.eye(12, 4), layer=[0, 0, 1, 1])
    with pytest.raises(ValueError, match="equally many stimuli, got 10 and 12"):
        compare_files(save("a.npz", **GOOD), other)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("share", [0, 0.16, 0.9])
def test_a_network_against_itself_corrects_to_1_however_many_units_are_constant(penalty, share):
    a, _, layer, _ = networks(3, n_stimuli=50, n_source=100)
    a[:, np.random.default_rng(0).permutation(100)[: int(100 * share)]] = 7
    result = compare_networks(a, a, source_layer=layer, target_layer=layer, penalty=penalty, n_permutations=2)
    assert result.corrected == pytest.approx(1, abs=1e-6)
    assert result.ceiling == pytest.approx(1 - share)


def test_networks_without_varying_units_are_refused():
    a = networks(0)[0]
    with pytest.raises(ValueError, match="'target' must have a unit that varies over the stimuli, got constant units"):
        compare_networks(a, np.ones((20, 3)))

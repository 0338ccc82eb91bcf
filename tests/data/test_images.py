"""Images: the digits, a user's file, and everything that can be wrong with one."""

import numpy as np
import pytest
import torch

from analysis.cache import cache_dir, data_dir
from analysis.data.images import MIN_PER_CLASS, halves, load_images, split


@pytest.fixture(scope="module")
def digits():
    return load_images("digits")


@pytest.fixture
def saved(tmp_path):
    def save(**arrays):
        np.savez(tmp_path / "mine.npz", **arrays)
        return str(tmp_path / "mine.npz")

    return save


def user_arrays(n_classes=3, side=9):
    y = np.arange(n_classes * MIN_PER_CLASS) % n_classes
    x = np.random.default_rng(0).integers(0, 256, (len(y), side, side), dtype=np.uint8)
    return x, y


def test_digits_are_up_sampled_real_images(digits):
    assert digits.x.shape == (1797, 1, 16, 16)
    assert digits.x.dtype == torch.float32
    assert (float(digits.x.min()), float(digits.x.max())) == (0.0, 1.0)
    assert digits.y.dtype == torch.int64
    assert (digits.n_classes, digits.size, len(digits)) == (10, 16, 1797)


def test_digits_at_their_own_size_are_scikit_learns():
    from sklearn.datasets import load_digits

    source = load_digits()
    images = load_images("digits", size=8)
    np.testing.assert_array_equal(images.x[:, 0].numpy(), (source.images / 16).astype(np.float32))
    np.testing.assert_array_equal(images.y.numpy(), source.target)


def test_up_sampling_keeps_the_mean_grey_and_the_order(digits):
    small = load_images("digits", size=8)
    assert float(digits.x.mean()) == pytest.approx(float(small.x.mean()), abs=0.02)
    assert torch.equal(digits.y, small.y)


def test_hash_tells_content_size_and_subset_apart(digits):
    assert digits.sha256 == load_images("digits", size=16).sha256
    hashes = {digits.sha256, load_images("digits", size=8).sha256, digits.subset([0, 1]).sha256}
    assert len(hashes | {digits.subset([1, 0]).sha256, digits.subset([0]).sha256}) == 5


def test_subset_keeps_the_order_asked_for(digits):
    part = digits.subset(np.array([5, 2]))
    assert torch.equal(part.x, digits.x[[5, 2]])
    assert torch.equal(part.y, digits.y[[5, 2]])


@pytest.mark.parametrize("indices", [[0, 1797], [-1], np.array([], dtype=int), [0.5], np.ones(1797, dtype=bool)])
def test_subset_refuses_what_are_no_positions(digits, indices):
    with pytest.raises(ValueError, match="'indices' must"):
        digits.subset(indices)


@pytest.mark.parametrize("seed", range(3))
def test_halves_are_disjoint_complete_and_stratified(digits, seed):
    first, second = halves(digits, seed)
    np.testing.assert_array_equal(np.sort(np.concatenate([first, second])), np.arange(1797))
    difference = np.bincount(digits.y[first]) - np.bincount(digits.y[second])
    assert abs(difference).max() <= 1
    assert first.dtype == np.int64


def test_splits_depend_on_the_seed_alone(digits):
    train, test = split(digits, 0.25, 7)
    np.testing.assert_array_equal(split(digits, 0.25, 7)[1], test)
    assert not np.array_equal(split(digits, 0.25, 8)[1], test)
    assert (len(train), len(test)) == (1347, 450)
    assert not set(train) & set(test)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, float("nan")])
def test_split_refuses_a_fraction_that_leaves_nothing(digits, fraction):
    with pytest.raises(ValueError, match="'test_fraction' must"):
        split(digits, fraction, 0)


@pytest.mark.parametrize("as_stored", [lambda x: x, lambda x: x[:, None], lambda x: (x / 255).astype(np.float64)])
def test_a_file_is_read_in_every_documented_form(saved, as_stored):
    x, y = user_arrays()
    images = load_images(saved(x=as_stored(x), y=y))
    assert images.name == "mine"
    assert images.n_classes == 3
    torch.testing.assert_close(images.x[:, 0], torch.from_numpy(x / 255).float(), rtol=0, atol=1e-7)
    assert torch.equal(images.y, torch.from_numpy(y))


@pytest.mark.parametrize("size", [4, 9, 20])
def test_a_file_can_be_resampled(saved, size):
    x, y = user_arrays()
    images = load_images(saved(x=np.full_like(x, 51), y=y), size=size)
    torch.testing.assert_close(images.x, torch.full((len(y), 1, size, size), 0.2))


def test_no_such_file():
    with pytest.raises(FileNotFoundError, match=r"'images' must be 'digits', 'mnist' or the path.*nowhere\.npz"):
        load_images("nowhere.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_npz(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"must be an \.npz file of plain arrays"):
        load_images(str(path))


def test_a_truncated_npz(saved, tmp_path):
    x, y = user_arrays()
    saved(x=x, y=y)
    path = tmp_path / "mine.npz"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match="could not be read"):
        load_images(str(path))


def test_a_bare_npy_and_a_pickle_are_refused(tmp_path, saved):
    np.save(tmp_path / "bare.npy", np.zeros(3))
    with pytest.raises(ValueError, match=r"must be an \.npz file of plain arrays"):
        load_images(str(tmp_path / "bare.npy"))
    with pytest.raises(ValueError, match="plain arrays"):
        load_images(saved(x=np.array([{}]), y=np.zeros(1, int)))


X, Y = user_arrays()
BAD = {
    "y missing": ({"x": X}, "must hold the arrays 'x' and 'y', got x"),
    "both missing": ({"z": X}, "got neither"),
    "flat images": ({"x": X.reshape(len(X), -1), "y": Y}, "'x' .* must have shape"),
    "colour images": ({"x": np.stack([X] * 3, 1), "y": Y}, "'x' .* must have shape"),
    "not square": ({"x": X[:, 1:], "y": Y}, "'x' .* must have shape"),
    "no images": ({"x": X[:0], "y": Y[:0]}, "'x' .* must have shape"),
    "wide integers": ({"x": X.astype(int), "y": Y}, "must be uint8"),
    "floats above 1": ({"x": X.astype(float), "y": Y}, r"in \[0, 1\]"),
    "negative floats": ({"x": X / 255 - 0.5, "y": Y}, r"in \[0, 1\]"),
    "nan": ({"x": np.where(X.max() > X, X / 255, np.nan), "y": Y}, "must be finite"),
    "float labels": ({"x": X, "y": Y.astype(float)}, "'y' .* must hold integers"),
    "lengths differ": ({"x": X, "y": Y[1:]}, f"one class for each of {len(X)} images"),
    "one-hot labels": ({"x": X, "y": np.eye(3, dtype=int)[Y]}, "one class for each"),
    "negative labels": ({"x": X, "y": Y - 1}, "classes from 0, got -1"),
    "one class": ({"x": X, "y": Y * 0}, "2 or more classes"),
    "a gap": ({"x": X, "y": Y * 2}, "without a gap.*got 0 of class 1"),
    "huge label": ({"x": X, "y": Y * 10**12}, "got class 2000000000000"),
    "rare class": (
        {"x": X[1:], "y": Y[1:]},
        f"at least {MIN_PER_CLASS} images each, got {MIN_PER_CLASS - 1} of class 0",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_files_are_refused_with_a_sentence(saved, case):
    arrays, message = BAD[case]
    with pytest.raises(ValueError, match=message):
        load_images(saved(**arrays))


def test_size_must_be_positive():
    with pytest.raises(ValueError, match="'size' must be at least 1 pixel"):
        load_images("digits", size=0)


def test_folders_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("ANALYSIS_DATA", raising=False)
    assert (cache_dir(), data_dir()) == (tmp_path / "cache", tmp_path / "cache" / "data")
    monkeypatch.setenv("ANALYSIS_DATA", str(tmp_path / "data"))
    assert data_dir() == tmp_path / "data"
    monkeypatch.delenv("ANALYSIS_CACHE")
    assert "network-alignment-book" in str(cache_dir())

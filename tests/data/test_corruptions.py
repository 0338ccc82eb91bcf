"""Corruptions: range, determinism, growing severity, and what each kind does."""

import pytest
import torch

from analysis.data.corruptions import KINDS, LEVELS, corrupt
from analysis.data.images import load_images

RANDOM = ("gaussian noise", "occlusion", "rotation", "shift")


@pytest.fixture(scope="module")
def x():
    return load_images("digits").x[:300]


@pytest.mark.parametrize("severity", [1, 5])
@pytest.mark.parametrize("kind", KINDS)
def test_images_stay_images_and_the_seed_decides(x, kind, severity):
    before = x.clone()
    first = corrupt(x, kind, severity, seed=1)
    assert torch.equal(x, before)
    assert (first.shape, first.dtype) == (x.shape, x.dtype)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 1
    assert torch.equal(first, corrupt(x, kind, severity, seed=1))
    assert torch.equal(first, corrupt(x, kind, severity, seed=2)) == (kind not in RANDOM)


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_severity_is_further_away(x, kind):
    distance = [float((corrupt(x, kind, severity) - x).square().mean()) for severity in (1, 2, 3, 4, 5)]
    assert distance[0] > 0
    assert distance == sorted(distance)
    assert len(set(distance)) == 5


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [8, 28])
def test_any_size_and_double_precision(kind, size):
    x = torch.rand(3, 1, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert corrupt(x, kind, 3).shape == x.shape


def test_global_random_state_is_left_alone(x):
    before = torch.get_rng_state()
    for kind in KINDS:
        corrupt(x[:2], kind, 1)
    assert torch.equal(torch.get_rng_state(), before)


def test_noise_has_the_documented_spread():
    grey = torch.full((50, 1, 32, 32), 0.5)
    assert float(corrupt(grey, "gaussian noise", 1).std()) == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("kind", ["blur", "contrast", "pixelate"])
def test_a_uniform_image_has_nothing_to_lose(kind):
    grey = torch.full((2, 1, 16, 16), 0.3)
    torch.testing.assert_close(corrupt(grey, kind, 5), grey)


def test_blur_spreads_a_point_by_the_documented_width():
    point = torch.zeros(1, 1, 101, 101)
    point[..., 50, 50] = 1
    weights = corrupt(point, "blur", 5)[0, 0].double()
    assert float(weights.sum()) == pytest.approx(1, abs=1e-3)
    variance = float((weights.sum(0) * (torch.arange(101) - 50.0) ** 2).sum())
    assert variance**0.5 == pytest.approx(LEVELS["blur"][4] * 101, rel=0.01)


def test_contrast_keeps_the_mean_and_scales_the_spread(x):
    low = corrupt(x, "contrast", 5)
    torch.testing.assert_close(low.mean((1, 2, 3)), x.mean((1, 2, 3)))
    torch.testing.assert_close(low.flatten(1).std(1), 0.1 * x.flatten(1).std(1), rtol=1e-4, atol=1e-5)


def test_occlusion_is_one_grey_square_inside_the_image():
    black = torch.zeros(200, 1, 20, 20)
    grey = corrupt(black, "occlusion", 2)[:, 0]
    assert set(grey.unique().tolist()) == {0.0, 0.5}
    covered = grey > 0
    assert (covered.sum((1, 2)) == 6 * 6).all()
    assert (covered.any(1).sum(1) == 6).all()
    assert covered[:, 0].any()
    assert covered[:, -1].any()


def test_rotation_by_its_angle_to_both_sides():
    bar = torch.zeros(40, 1, 65, 65)
    bar[..., 32, 32:] = 1
    turned = corrupt(bar, "rotation", 3)[:, 0].double()
    offsets = torch.arange(65) - 32.0
    across, down = (turned.sum(1) * offsets).sum(1), (turned.sum(2) * offsets).sum(1)
    angles = torch.rad2deg(torch.atan2(down, across))
    torch.testing.assert_close(angles.abs(), torch.full_like(angles, LEVELS["rotation"][2]), rtol=0, atol=1)
    assert len(angles.sign().unique()) == 2


def test_shift_by_its_length_in_any_direction():
    point = torch.zeros(100, 1, 51, 51)
    point[..., 25, 25] = 1
    moved = corrupt(point, "shift", 3)[:, 0].double()
    offsets = torch.arange(51) - 25.0
    across, down = (moved.sum(1) * offsets).sum(1), (moved.sum(2) * offsets).sum(1)
    length = (across**2 + down**2).sqrt()
    torch.testing.assert_close(length, torch.full_like(length, LEVELS["shift"][2] * 51), rtol=0, atol=0.1)
    assert min(across.min(), down.min()) < -5
    assert min(across.max(), down.max()) > 5


def test_pixelate_leaves_square_blocks_of_their_mean(x):
    blocks = corrupt(x, "pixelate", 1)
    expected = torch.nn.functional.avg_pool2d(x, 2).repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(blocks, expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "fog"}, "'kind' must be one of .*'blur'.*got 'fog'"),
        ({"severity": 0}, "'severity' must be one of 1, 2, 3, 4, 5, got 0"),
        ({"severity": 2.5}, "'severity' must be one of"),
        ({"x": torch.rand(3, 16, 16)}, "'x' must be a float tensor of shape"),
        ({"x": torch.rand(3, 1, 16, 8)}, "'x' must be a float tensor of shape"),
        ({"x": torch.zeros(3, 1, 8, 8, dtype=torch.uint8)}, "'x' must be a float tensor"),
        ({"x": torch.full((1, 1, 4, 4), 2.0)}, r"'x' must be in \[0, 1\]"),
        ({"x": torch.full((1, 1, 4, 4), float("nan"))}, r"'x' must be in \[0, 1\]"),
    ],
)
def test_bad_input(changes, message):
    arguments = {"x": torch.rand(2, 1, 8, 8), "kind": "blur", "severity": 1} | changes
    with pytest.raises(ValueError, match=message):
        corrupt(**arguments)

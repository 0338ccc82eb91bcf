"""The baselines are the image and its sum, each a network of one layer."""

import pytest
import torch

from analysis.models.baselines import INK, PIXELS, baselines


@pytest.mark.parametrize("shape", [(7, 1, 8, 8), (3, 3, 5, 4), (2, 9)])
def test_pixels_and_their_sum(shape):
    x = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    found = baselines(x)
    assert list(found) == [PIXELS, INK]
    assert torch.equal(found[PIXELS].values, x.reshape(len(x), -1))
    expected = [sum(image.flatten().tolist()) for image in x]
    assert found[INK].values[:, 0].tolist() == pytest.approx(expected)
    for name, seen in found.items():
        assert seen.by_layer(name).shape == seen.values.shape

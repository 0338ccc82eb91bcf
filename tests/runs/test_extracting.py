"""The command `extract`: refused before anything is written, and what it writes is what chapters read."""

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from analysis.__main__ import main
from analysis.models.recordings import read_extracted

NET = """
from torch import nn

def tiny():
    return nn.Sequential(nn.Conv2d(3, 4, 5, 2), nn.ReLU(inplace=True), nn.Flatten(), nn.LazyLinear(2))
"""
LINEUP = "models: [{name: tiny, source: 'net.py:tiny', mean: [0, 0, 0], std: [1, 1, 1], size: 8, classes: [a, b]}]"


@pytest.fixture
def study(tmp_path):
    for number in range(4):
        x = np.random.default_rng(number).integers(256, size=(9, 12, 3), dtype=np.uint8)
        (tmp_path / "pictures").mkdir(exist_ok=True)
        Image.fromarray(x).save(tmp_path / "pictures" / f"{number}.png")
    (tmp_path / "net.py").write_text(NET.replace("nn.LazyLinear(2)", "nn.Linear(16, 2)"))
    (tmp_path / "models.yml").write_text(LINEUP)
    return tmp_path


def called(*arguments):
    return CliRunner().invoke(main, ["extract", *map(str, arguments)])


def test_a_users_line_up_on_a_users_pictures(study):
    result = called(study / "models.yml", "--images", study / "pictures", "-o", study / "out")
    assert result.exit_code == 0, result.output
    assert "(runs this file); 0; shorter side to 8 pixels" in result.output
    assert "4 pictures of 'pictures'" in result.output
    found = read_extracted(study / "out")
    assert found.stimuli == ("0.png", "1.png", "2.png", "3.png")
    assert found.models["tiny"].logits.shape == (4, 2)
    again = called(study / "models.yml", "--images", study / "pictures", "-o", study / "out")
    assert "tiny: finished before" in again.output


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": "cifar10:resnet2000"}, "did you mean 'resnet20"),
        ({"images": "nowhere"}, "'images' must be one of"),
        ({"layers": "conv9"}, "has no layer 'conv9'"),
        ({"pool": "max"}, "'max' is not one of"),
        ({"batch-size": "0"}, "is not in the range"),
    ],
)
def test_refusals_write_nothing(study, change, message):
    given = {"models": study / "models.yml", "images": study / "pictures"} | change
    options = [part for name, value in given.items() if name != "models" for part in (f"--{name}", value)]
    result = called(given["models"], "-o", study / "out", *options)
    assert result.exit_code == 2
    assert message in result.output
    assert not (study / "out").exists()


def test_a_damaged_picture_is_named_before_anything_is_written(study):
    (study / "pictures" / "2.png").write_bytes(b"no picture")
    result = called(study / "models.yml", "--images", study / "pictures", "-o", study / "out")
    assert result.exit_code == 2
    assert "2.png' is no JPEG" in result.output
    assert not (study / "out").exists()

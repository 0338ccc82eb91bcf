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
    first, second = result.output.splitlines()[:2]
    assert first == f"tiny: loading it runs what is in your file {study / 'net.py'}:tiny"
    assert "net.py:tiny; 0; shorter side to 8 pixels" in second
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


FAILING = {
    "def tiny(): return nn.Sequential(nn.Conv2d(3, 4, 5), nn.Flatten(), nn.Linear(3, 2))": "fails on the first picture",
    "def tiny(): return nn.Sequential(nn.Conv2d(4, 4, 5), nn.ReLU())": "fails on the first picture: Given groups=1",
    "def tiny(size): return nn.Conv2d(3, 4, 5)": "could not be made: TypeError",
    "def tiny(): return 1 / 0": "could not be made: ZeroDivisionError: division by zero",
    "def tiny(): return nn.Flatten": "must make a torch module, got type",
    "def other(): pass": "Unknown function of",
    "def tiny(:": "must be Python",
    "raise RuntimeError('two\\nlines')\ndef tiny(): pass": "two",
}


@pytest.mark.parametrize("source", FAILING)
def test_a_model_that_fails_is_one_sentence_before_anything_is_written(study, source):
    (study / "net.py").write_text(f"from torch import nn\n{source}\n")
    result = called(study / "models.yml", "--images", study / "pictures", "-o", study / "out")
    assert (result.exit_code, FAILING[source] in result.output) == (2, True), result.output
    assert "Traceback" not in result.output
    assert not (study / "out").exists()


def test_several_models_at_a_time_write_the_same_bytes_as_one_after_the_other(study):
    np.savez_compressed(study / "x.npz", x=np.random.default_rng(0).integers(256, size=(20, 9, 9, 3), dtype=np.uint8))
    models = "cifar10:marabou_small_untrained,cifar10:oval_base_untrained"
    for jobs in (1, 2):
        found = called(models, "--images", study / "x.npz", "-o", study / f"out{jobs}", "--jobs", jobs)
        assert found.exit_code == 0, found.output
    one, two = (
        {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*")}
        for folder in (study / "out1", study / "out2")
    )
    assert len(one) > 10
    assert one == two

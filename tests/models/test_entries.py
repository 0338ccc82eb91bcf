"""Entries of a line-up: what they may say, and whether what they name is there."""

import pytest
from pydantic import ValidationError

from analysis.models.entries import Entry, LineupError, check


def entry(**changes):
    return Entry(**{"name": "mine", "source": "analysis.models.cifar10:resnet20"} | changes)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("torchvision:resnet18", "torchvision"),
        ("timm:vit_tiny_patch16_224", "timm"),
        ("transformers:org/name", "transformers"),
        ("zoo:cnn", "zoo"),
        ("net.onnx", "onnx"),
        ("net.onnx.gz", "onnx"),
        ("net.pt2", "pt2"),
        ("folder/nets.py:build", "file"),
        ("package.module:build", "function"),
    ],
)
def test_the_kind_of_a_source_is_told_by_its_form(source, kind):
    assert entry(source=source).kind == kind
    assert entry(source=source).runs_a_users_file == (kind in ("file", "pt2"))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../escape"},
        {"name": ""},
        {"size": 0, "mean": (0, 0, 0), "std": (1, 1, 1)},
        {"size": 32, "mean": (0, 0, 0), "std": (1, 0, 1)},
        {"size": 32, "mean": (0, 0), "std": (1, 1, 1)},
        {"size": 32},
        {"colour": "red"},
    ],
)
def test_what_an_entry_cannot_be_is_refused(changes):
    with pytest.raises(ValidationError):
        entry(**changes)


def test_a_builders_name_is_found_without_running_its_file(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text("raise SystemExit('run')\nfrom x import other\n\ndef build():\n    pass\n")
    check(entry(source=f"{path}:build"))
    check(entry(source=f"{path}:other"))
    with pytest.raises(LineupError, match=r"Unknown function of .*nets.py' 'buidl': did you mean 'build'\?"):
        check(entry(source=f"{path}:buidl"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": "zoo:cnnn"}, "Unknown model of the line-up 'zoo' 'cnnn': did you mean 'cnn'"),
        ({"source": "nowhere/nets.py:build"}, "there is no file"),
        ({"source": "nowhere.module:build"}, "there is no module 'nowhere.module'"),
        ({"source": "nowhere/net.onnx"}, "there is no file"),
        ({"source": "resnet"}, "'source' must be a known form, got 'resnet'"),
        ({"weights": "public:cifar10_nets/none.th"}, "is not among the public files"),
        ({"weights": "nowhere/weights.th"}, "there is no file of weights"),
    ],
)
def test_what_is_not_there_is_named(changes, message):
    with pytest.raises(LineupError, match=message):
        check(entry(**changes))


def test_a_missing_package_is_one_sentence_with_the_line_that_installs_it(monkeypatch):
    monkeypatch.setattr("analysis.models.entries.importlib.util.find_spec", lambda name: None)
    with pytest.raises(LineupError, match="needs the package 'timm': pip install timm"):
        check(entry(source="timm:resnet18"))


def test_a_file_that_is_no_python_is_refused(tmp_path):
    (tmp_path / "nets.py").write_bytes(b"def build(:\n")
    with pytest.raises(LineupError, match="must be Python"):
        check(entry(source=f"{tmp_path / 'nets.py'}:build"))

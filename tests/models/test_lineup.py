"""Line-ups from names, sources and files."""

import subprocess
import sys
from pathlib import Path

import pytest

from analysis.models.entries import LineupError
from analysis.models.lineup import BUILT_IN, STIMULI, extracted_folder, read_lineup
from analysis.models.zoo_names import TRAINED
from analysis.models.zoo_networks import ZOO

BUILDER = "def build(weights=None):\n    pass\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nets.py").write_text(BUILDER)
    (tmp_path / "weights.th").write_bytes(b"")
    return tmp_path


def written(folder, text):
    path = folder / "models.yml"
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_line_ups_are_whole(name):
    entries = read_lineup(name)
    assert len(entries) >= 5
    assert len({entry.name for entry in entries}) == len(entries)
    assert all(entry.family != "unknown" for entry in entries)


def test_the_zoo_is_a_line_up():
    assert [entry.name for entry in read_lineup("zoo")] == list(ZOO)


def test_every_trained_network_has_an_untrained_twin():
    entries = {entry.name: entry for entry in read_lineup("cifar10")}
    trained = [entry for entry in entries.values() if entry.training != "untrained"]
    for entry in trained:
        twin = entries[f"{entry.name}_untrained"]
        assert (twin.source, twin.weights, twin.training) == (entry.source, None, "untrained")


def test_short_forms_take_the_last_part_as_name(folder):
    entries = read_lineup(f"cifar10:resnet20, {folder / 'nets.py'}:build")
    assert [entry.name for entry in entries] == ["resnet20", "build"]


def test_a_files_paths_start_from_its_folder(folder):
    path = written(
        folder,
        "models:\n- {name: a, source: 'nets.py:build', weights: weights.th, mean: [0, 0, 0], std: [1, 1, 1], "
        "size: 8}\n",
    )
    (entry,) = read_lineup(path)
    assert entry.source == f"{folder / 'nets.py'}:build"
    assert entry.weights == str(folder / "weights.th")


ROW = "name: a, source: 'nets.py:build'"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("models: [", "must be YAML"),
        ("- a", "must hold one key, 'models'"),
        ("models: []", "with a list of at least 1 model"),
        ("models: []\nmore: 1", "must hold one key, 'models'"),
        ("models: [1]", "Model 1 of .* must be a mapping"),
        ("models: [{name: a}]", "Model 1 of .*'source' is missing"),
        (f"models: [{{{ROW}, wieghts: x}}]", "Unknown key 'wieghts': did you mean 'weights'"),
        (f"models: [{{{ROW}, size: 8}}]", "must have all of 'mean', 'std' and 'size' or none, got only size"),
        (f"models: [{{{ROW}, size: big}}]", "'size': .*valid integer.*got 'big'"),
        (f"models: [{{{ROW}}}, {{{ROW}}}]", "must name every model once, got 'a' more than once"),
        (f"models: [{{{ROW}, name: b}}]", "the key 'name' stands twice"),
        ("models: [&x {name: a, source: 'zoo:cnn'}, *x]", "aliases are not allowed"),
        ("[" * 5000, "must be YAML"),
    ],
)
def test_a_malformed_file_is_one_sentence(folder, text, message):
    with pytest.raises(LineupError, match=message) as caught:
        read_lineup(written(folder, text))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path):
    path = tmp_path / "models.yml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LineupError, match="must be YAML"):
        read_lineup(str(path))
    path.write_bytes(b"#" * 1_000_001)
    with pytest.raises(LineupError, match="at most 1,000,000 bytes"):
        read_lineup(str(path))


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ("cifar11", "Unknown line-up 'cifar11': did you mean 'cifar10'"),
        ("cifar10:resnet200", "did you mean 'resnet20"),
        ("", "'models' must be a line-up"),
        ("zoo:cnn,,zoo:mlp-100", "'models' must be a line-up"),
        ("zoo:cnn,zoo:cnn", "must name every model once"),
        ("nowhere.yml", "there is no file"),
    ],
)
def test_what_is_no_line_up_is_refused(models, message):
    with pytest.raises(LineupError, match=message):
        read_lineup(models)


def test_reading_a_line_up_loads_no_torch():
    code = (
        "import sys; from analysis.models.lineup import read_lineup; read_lineup('cifar10'); "
        "print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


def test_a_folder_of_activations_takes_the_place_of_a_line_up(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()
    with pytest.raises(ValueError, match="must be a line-up or a folder that 'extract' wrote, got the folder 'mine'"):
        extracted_folder("mine")
    (tmp_path / "mine" / STIMULI).write_text("stimulus,label\n")
    assert extracted_folder("mine") == Path("mine")


@pytest.mark.parametrize("models", ["zoo", "models.yml", "cifar10", ",".join(f"zoo:{name}" for name in TRAINED), "a\0"])
def test_a_line_up_is_no_folder_of_activations(models, tmp_path, monkeypatch):
    (tmp_path / "cifar10").mkdir()  # as many users have beside their code
    monkeypatch.chdir(tmp_path)
    assert extracted_folder(models) is None


def test_more_sources_than_a_path_has_letters():
    assert len(read_lineup(",".join(f"zoo:{name}" for name in TRAINED))) == len(TRAINED)

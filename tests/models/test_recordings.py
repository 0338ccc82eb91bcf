"""Folders of activations: read by id, refused where they do not fit."""

import json

import numpy as np
import pytest

from analysis.models.lineup import STIMULI
from analysis.models.recordings import LOGITS, MODEL, is_finished, layer_path, read_extracted

DESCRIBED = {
    "made_of": "x",
    "stimuli": "f00d",
    "name": "net",
    "family": "resnet",
    "motif": "convolution",
    "training": "normal",
    "source": "here",
    "preprocessing": "none",
    "layers": ["a", "b/c"],
    "classes": ["yes", "no"],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / STIMULI).write_text('stimulus,label\n"1, odd.png",yes\n2.png,\n')
    place = tmp_path / "net"
    place.mkdir()
    for name, width in {"a": 3, "b/c": 4, LOGITS: 2}.items():
        np.save(layer_path(place, name), np.full((2, width), width, np.float32))
    (place / MODEL).write_text(json.dumps(DESCRIBED))
    return tmp_path


def test_everything_is_read_by_name_and_id(folder):
    found = read_extracted(folder)
    assert found.stimuli == ("1, odd.png", "2.png")
    assert found.labels == ("yes", "")
    model = found.models["net"]
    assert {name: x.shape for name, x in model.layers.items()} == {"a": (2, 3), "b/c": (2, 4)}
    assert (model.logits.shape, model.classes, model.family) == ((2, 2), ("yes", "no"), "resnet")


def test_what_was_not_written_by_extract_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must be a folder that 'extract' wrote, and has no stimuli.csv"):
        read_extracted(tmp_path)


def test_unfinished_models_are_not_there(folder):
    assert is_finished(folder / "net", "x")
    assert not is_finished(folder / "net", "y")
    (folder / "net" / MODEL).unlink()
    assert not is_finished(folder / "net", "x")
    with pytest.raises(ValueError, match="at least 1 finished model"):
        read_extracted(folder)


def test_arrays_that_do_not_fit_are_named(folder):
    np.save(layer_path(folder / "net", "a"), np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match=r"a.npy' must have 2 rows"):
        read_extracted(folder)
    layer_path(folder / "net", "a").write_bytes(b"no array")
    with pytest.raises(ValueError, match=r"a.npy' must be an array of activations"):
        read_extracted(folder)

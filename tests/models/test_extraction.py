"""Activations to disk: complete, by id, and to the same bytes after a kill."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from analysis.models import extraction
from analysis.models.activations import record
from analysis.models.entries import Entry
from analysis.models.extraction import Options, extract, extract_model, is_finished, layer_path, read_extracted
from analysis.models.loading import load_model

SQUARE = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "size": 32, "classes": "cifar10"}
NET = Entry(name="net", source="analysis.models.cifar10:marabou_small", training="untrained", **SQUARE)


class Pictures:
    """Random pictures of different sizes; `seen` says how often each was read."""

    def __init__(self, n=50, seed=0):
        rng = np.random.default_rng(seed)
        self.x = [rng.integers(256, size=(32, 32 + i % 3, 3), dtype=np.uint8) for i in range(n)]
        self.ids = tuple(f"folder/{i:03d}, odd.png" for i in range(n))
        self.labels = np.arange(n) % 3 - 1
        self.categories = ("a", 'b "quoted"')
        self.sha256 = f"{n} {seed}"
        self.seen = np.zeros(n, int)

    def picture(self, position):
        self.seen[position] += 1
        return self.x[position]


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_layers_are_those_that_record_gives(tmp_path):
    pictures = Pictures()
    found = read_extracted(extract([NET], pictures, tmp_path, Options(batch_size=7)))
    model = load_model(NET)
    seen = record(model.module, model.prepare(pictures.x), model.layers, pool="mean")
    for name, values in found.models["net"].layers.items():
        np.testing.assert_allclose(values, seen.by_layer(name).numpy(), rtol=1e-4, atol=1e-5)
    logits = model.module(model.prepare(pictures.x)).detach().numpy()
    np.testing.assert_allclose(found.models["net"].logits, logits, rtol=1e-4, atol=1e-5)
    assert found.stimuli == pictures.ids
    assert found.labels[:3] == ("", "a", 'b "quoted"')


def test_each_picture_is_read_once_and_a_finished_model_is_not_seen_again(tmp_path):
    pictures = Pictures()
    assert extract_model(NET, pictures, tmp_path, Options(batch_size=16)) > 0
    assert np.isnan(extract_model(NET, pictures, tmp_path, Options(batch_size=16)))
    assert (pictures.seen == 1).all()
    assert extract_model(NET, pictures, tmp_path, Options(batch_size=16, pool="none")) > 0


def test_an_interrupted_extraction_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_SECONDS_BETWEEN_STATES", 0)
    whole = contents(extract([NET], Pictures(), tmp_path / "whole", Options(batch_size=8)))
    pictures, fail_at = Pictures(), 30
    picture = pictures.picture
    monkeypatch.setattr(pictures, "picture", lambda i: picture(i) if i < fail_at else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        extract([NET], pictures, tmp_path / "part", Options(batch_size=8))
    monkeypatch.setattr(pictures, "picture", picture)
    before = pictures.seen.copy()
    extract([NET], pictures, tmp_path / "part", Options(batch_size=8))
    assert contents(tmp_path / "part") == whole
    assert (pictures.seen - before)[:16].sum() == 0


def test_another_extraction_does_not_go_on_from_an_unfinished_one(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_SECONDS_BETWEEN_STATES", 0)
    pictures = Pictures()
    monkeypatch.setattr(pictures, "picture", lambda i: pictures.x[i] if i < 30 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        extract([NET], pictures, tmp_path, Options(batch_size=8))
    again = Pictures()
    extract([NET], again, tmp_path, Options(batch_size=8, pool="none"))
    assert (again.seen == 1).all()


SHOT = """
import sys, time
sys.path.insert(0, {folder!r})
import test_extraction as t
class Slow(t.Pictures):
    def picture(self, position):
        time.sleep(0.01)
        return super().picture(position)
t.extraction._SECONDS_BETWEEN_STATES = 0
t.extract([t.NET], Slow(200), t.extraction.Path({out!r}), t.Options(batch_size=8))
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_process_that_is_shot_loses_nothing(tmp_path):
    whole = contents(extract([NET], Pictures(200), tmp_path / "whole", Options(batch_size=8)))
    out = tmp_path / "shot"
    code = SHOT.format(folder=os.path.dirname(__file__), out=str(out))
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (out / "net" / "unfinished.json").is_file() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not (out / "net" / "model.json").exists()
    assert json.loads((out / "net" / "unfinished.json").read_text())["n_done"] > 0
    extract([NET], Pictures(200), out, Options(batch_size=8))
    assert contents(out) == whole


def test_large_layers_are_sampled_unless_all_units_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "MAX_UNITS", 20)
    few = read_extracted(extract([NET], Pictures(9), tmp_path / "few", Options(pool="none"))).models["net"]
    every = read_extracted(extract([NET], Pictures(9), tmp_path / "all", Options(pool="none", all_units=True))).models[
        "net"
    ]
    sampled = json.loads((tmp_path / "few" / "net" / "model.json").read_text())["sampled units"]
    assert set(sampled) == set(few.layers)
    for name, units in sampled.items():
        assert few.layers[name].shape == (9, 20)
        assert every.layers[name].shape[1] > 20
        np.testing.assert_array_equal(few.layers[name], every.layers[name][:, units])
    assert few.logits.shape == (9, 10)


def test_a_network_without_classes_gives_no_answers(tmp_path):
    embedding = Entry(**{**NET.model_dump(), "classes": None})
    assert read_extracted(extract([embedding], Pictures(9), tmp_path, Options())).models["net"].logits is None


def test_a_folder_of_other_stimuli_is_refused(tmp_path):
    extract([NET], Pictures(9), tmp_path, Options())
    with pytest.raises(ValueError, match="of the same stimuli, and holds others"):
        extract([NET], Pictures(10), tmp_path, Options())


def test_what_was_not_written_by_extract_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must be a folder that 'extract' wrote, and has no stimuli.csv"):
        read_extracted(tmp_path)
    extract([NET], Pictures(9), tmp_path, Options())
    path = layer_path(tmp_path / "net", "dense1")
    np.save(path, np.zeros((3, 2), np.float32))
    with pytest.raises(ValueError, match="must have 9 rows"):
        read_extracted(tmp_path)
    (tmp_path / "net" / "model.json").write_text("{}")
    assert not is_finished(tmp_path / "net", "anything")


@pytest.mark.parametrize("options", [{"pool": "max"}, {"batch_size": 0}])
def test_options_are_checked(options):
    with pytest.raises(ValueError, match="must be"):
        Options(**options)


def test_memory_is_bounded_by_a_batch(tmp_path):
    """No array of all stimuli is made: what is alive at once does not grow with their number."""
    sizes = []
    forward = torch.nn.Flatten.forward

    def watched(self, x):
        sizes.append(len(x))
        return forward(self, x)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.nn.Flatten, "forward", watched)
        extract([NET], Pictures(50), tmp_path, Options(batch_size=8))
    assert max(sizes) == 8

"""Activations to disk: complete, by id, and to the same bytes after a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from analysis.data.pictures import Pictures
from analysis.models import extraction
from analysis.models.activations import record
from analysis.models.entries import Entry
from analysis.models.extraction import Options, extract, extract_model, recorded
from analysis.models.loading import load_model
from analysis.models.recordings import read_extracted

SQUARE = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "size": 32, "classes": "cifar10"}
NET = Entry(name="net", source="analysis.models.cifar10:marabou_small", training="untrained", **SQUARE)


class Reader:
    """Random pictures of different sizes; `seen` says how often each was read, `broken` from where on none can be."""

    def __init__(self, n, seed):
        rng = np.random.default_rng(seed)
        self.x = [rng.integers(256, size=(32, 32 + i % 3, 3), dtype=np.uint8) for i in range(n)]
        self.seen, self.broken, self.name = np.zeros(n, int), n, f"{n} {seed}"

    def read(self, positions, each):
        if max(positions) >= self.broken:
            raise OSError("a damaged picture")
        self.seen[positions] += 1
        return [each(self.x[position]) for position in positions]

    def sha256(self):
        return self.name

    def check(self):
        pass


def random_pictures(n=50, seed=0, reader=Reader):
    ids = tuple(f"folder/{i:03d}, odd.png" for i in range(n))
    return Pictures("random", ids, np.arange(n) % 2, ("a", 'b "quoted"'), reader(n, seed), np.arange(n))


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_layers_are_those_that_record_gives(tmp_path):
    pictures = random_pictures()
    found = read_extracted(extract([NET], pictures, tmp_path, Options(batch_size=7)))
    model = load_model(NET)
    seen = record(model.module, model.prepare(pictures.reader.x), model.layers, pool="mean")
    for name, values in found.models["net"].layers.items():
        np.testing.assert_allclose(values, seen.by_layer(name).numpy(), rtol=1e-4, atol=1e-5)
    logits = model.module(model.prepare(pictures.reader.x)).detach().numpy()
    np.testing.assert_allclose(found.models["net"].logits, logits, rtol=1e-4, atol=1e-5)
    assert found.stimuli == pictures.ids
    assert found.labels[:2] == ("a", 'b "quoted"')


def test_each_picture_is_read_once_and_a_finished_model_is_not_seen_again(tmp_path):
    pictures = random_pictures()
    assert extract_model(NET, pictures, tmp_path, Options(batch_size=16), "x") > 0
    assert np.isnan(extract_model(NET, pictures, tmp_path, Options(batch_size=16), "x"))
    assert (pictures.reader.seen == 1).all()
    assert extract_model(NET, pictures, tmp_path, Options(batch_size=16, pool="none"), "x") > 0


def test_an_interrupted_extraction_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_SECONDS_BETWEEN_STATES", 0)
    whole = contents(extract([NET], random_pictures(), tmp_path / "whole", Options(batch_size=8)))
    pictures = random_pictures()
    pictures.reader.broken = 30
    with pytest.raises(OSError, match="damaged"):
        extract([NET], pictures, tmp_path / "part", Options(batch_size=8))
    again = random_pictures()
    extract([NET], again, tmp_path / "part", Options(batch_size=8))
    assert contents(tmp_path / "part") == whole
    assert again.reader.seen[:16].sum() == 0


def test_another_extraction_does_not_go_on_from_an_unfinished_one(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_SECONDS_BETWEEN_STATES", 0)
    pictures = random_pictures()
    pictures.reader.broken = 30
    with pytest.raises(OSError, match="damaged"):
        extract([NET], pictures, tmp_path, Options(batch_size=8))
    again = random_pictures()
    extract([NET], again, tmp_path, Options(batch_size=8, pool="none"))
    assert (again.reader.seen == 1).all()


SHOT = """
import sys, time
sys.path.insert(0, {folder!r})
import test_extraction as t
class Slow(t.Reader):
    def read(self, positions, each):
        time.sleep(0.1)
        return super().read(positions, each)
t.extraction._SECONDS_BETWEEN_STATES = 0
t.extract([t.NET], t.random_pictures(200, reader=Slow), t.extraction.Path({out!r}), t.Options(batch_size=8))
"""


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_process_that_is_shot_loses_nothing(tmp_path):
    whole = contents(extract([NET], random_pictures(200), tmp_path / "whole", Options(batch_size=8)))
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
    extract([NET], random_pictures(200), out, Options(batch_size=8))
    assert contents(out) == whole


def test_large_layers_are_sampled_unless_all_units_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "MAX_UNITS", 20)
    few = read_extracted(extract([NET], random_pictures(9), tmp_path / "few", Options(pool="none"))).models["net"]
    every = read_extracted(
        extract([NET], random_pictures(9), tmp_path / "all", Options(pool="none", all_units=True))
    ).models["net"]
    sampled = json.loads((tmp_path / "few" / "net" / "model.json").read_text())["sampled units"]
    assert set(sampled) == set(few.layers)
    for name, units in sampled.items():
        assert few.layers[name].shape == (9, 20)
        assert every.layers[name].shape[1] > 20
        np.testing.assert_array_equal(few.layers[name], every.layers[name][:, units])
    assert few.logits.shape == (9, 10)


def test_a_network_without_classes_gives_no_answers(tmp_path):
    embedding = Entry(**{**NET.model_dump(), "classes": None})
    assert read_extracted(extract([embedding], random_pictures(9), tmp_path, Options())).models["net"].logits is None


def test_outputs_as_many_as_categories_are_taken_for_them_with_a_warning(tmp_path):
    embedding = Entry(**{**NET.model_dump(), "classes": None})
    pictures = replace(random_pictures(20), labels=np.arange(20) % 10, categories=tuple("abcdefghij"))
    with pytest.warns(UserWarning, match="taken for the pictures' categories in their order, 'a' to 'j'"):
        found = read_extracted(extract([embedding], pictures, tmp_path, Options()))
    assert found.models["net"].classes == tuple("abcdefghij")


def test_a_line_up_is_recorded_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    names = "zoo:vit-40-d4-p4-untrained,zoo:resnet-12-s2-b2-untrained"
    found = recorded(names, "digits")
    assert list(found.models) == ["vit-40-d4-p4-untrained", "resnet-12-s2-b2-untrained"]
    assert len(found.stimuli) in (898, 899)  # the half that the zoo does not learn from
    monkeypatch.setattr(extraction, "load_model", None)
    again = recorded(names, "digits")
    assert again.stimuli == found.stimuli
    folder = next(path.parent for path in tmp_path.rglob("stimuli.csv"))
    assert list(recorded(str(folder), "digits").models) == sorted(names.replace("zoo:", "").split(","))


def test_a_folder_of_other_stimuli_is_refused(tmp_path):
    extract([NET], random_pictures(9), tmp_path, Options())
    with pytest.raises(ValueError, match="of the same stimuli, and holds others"):
        extract([NET], random_pictures(10), tmp_path, Options())


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
        extract([NET], random_pictures(50), tmp_path, Options(batch_size=8))
    assert max(sizes) == 8

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
    assert pictures.reader.seen.tolist() == [2] + [1] * 49  # the first is what the model is tried on
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
    assert again.reader.seen[:16].tolist() == [1] + [0] * 15  # the first is what the model is tried on


def test_another_extraction_does_not_go_on_from_an_unfinished_one(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_SECONDS_BETWEEN_STATES", 0)
    pictures = random_pictures()
    pictures.reader.broken = 30
    with pytest.raises(OSError, match="damaged"):
        extract([NET], pictures, tmp_path, Options(batch_size=8))
    again = random_pictures()
    extract([NET], again, tmp_path, Options(batch_size=8, pool="none"))
    assert again.reader.seen.tolist() == [2] + [1] * 49


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


def test_a_kill_after_the_last_batch_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(extraction, "_SECONDS_BETWEEN_STATES", 0)
    monkeypatch.setattr(extraction, "MAX_UNITS", 20)
    options = Options(batch_size=8, pool="none")
    whole = contents(extract([NET], random_pictures(24), tmp_path / "whole", options))
    with monkeypatch.context() as patch:
        patch.setattr(extraction, "_finish", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            extract([NET], random_pictures(24), tmp_path / "part", options)
    extract([NET], random_pictures(24), tmp_path / "part", options)
    assert contents(tmp_path / "part") == whole


@pytest.mark.parametrize("damage", ["missing", "short", "state"])
def test_a_damaged_beginning_is_recorded_anew(tmp_path, monkeypatch, damage):
    monkeypatch.setattr(extraction, "_SECONDS_BETWEEN_STATES", 0)
    whole = contents(extract([NET], random_pictures(), tmp_path / "whole", Options(batch_size=8)))
    pictures = random_pictures()
    pictures.reader.broken = 30
    with pytest.raises(OSError, match="damaged"):
        extract([NET], pictures, tmp_path / "part", Options(batch_size=8))
    file, state = tmp_path / "part" / "net" / "dense1.npy", tmp_path / "part" / "net" / "unfinished.json"
    if damage == "missing":
        file.unlink()
    elif damage == "short":
        file.write_bytes(file.read_bytes()[:500])
    else:
        state.write_text(json.dumps(json.loads(state.read_text()) | {"shapes": 3}))
    extract([NET], random_pictures(), tmp_path / "part", Options(batch_size=8))
    assert contents(tmp_path / "part") == whole


def test_a_layer_called_logits_is_not_taken_for_the_answers(tmp_path):
    source = tmp_path / "net.py"
    source.write_text(
        "from torch import nn\n"
        "def build():\n"
        "    network = nn.Sequential(nn.Flatten())\n"
        "    network.add_module('logits', nn.Linear(3072, 10))\n"
        "    network.add_module('cut', nn.Threshold(0, 7))\n"
        "    return network\n"
    )
    entry = Entry(**{**NET.model_dump(), "source": f"{source}:build", "layers": ("logits", "cut")})
    model = read_extracted(extract([entry], random_pictures(9), tmp_path / "out", Options())).models["net"]
    assert float(model.layers["logits"].min()) < 0
    np.testing.assert_array_equal(model.logits, model.layers["cut"])


def test_other_pictures_of_the_same_names_are_refused(tmp_path):
    extract([NET], random_pictures(9), tmp_path, Options())
    before = contents(tmp_path)
    with pytest.raises(ValueError, match="must hold models that saw the same pictures, and 'net' saw others"):
        extract([NET], random_pictures(9, seed=1), tmp_path, Options())
    assert contents(tmp_path) == before


def test_whatever_decides_the_numbers_records_anew(tmp_path, monkeypatch):
    """A builder's own file, the files beside it, and its weights."""
    (tmp_path / "parts.py").write_text("width = 4\n")
    (tmp_path / "net.py").write_text(
        "import torch\nfrom torch import nn\nimport importlib, parts\nimportlib.reload(parts)\n"
        "def build(weights):\n"
        "    bias = float(open(weights).read())\n"
        "    network = nn.Sequential(nn.Conv2d(3, parts.width, 3))\n"
        "    nn.init.constant_(network[0].bias, bias)\n"
        "    return network\n"
    )
    (tmp_path / "bias.txt").write_text("1")
    changes = {"weights": str(tmp_path / "bias.txt"), "source": f"{tmp_path / 'net.py'}:build", "classes": None}
    entry, pictures = Entry(**{**NET.model_dump(), **changes}), random_pictures(9)

    def again():
        return extract_model(entry, pictures, tmp_path / "out", Options(), "x")

    assert again() > 0
    assert np.isnan(again())
    for name, content in {"bias.txt": "2", "parts.py": "width = 16\n"}.items():
        (tmp_path / name).write_text(content)
        assert again() > 0
        assert np.isnan(again())
    hashes = json.loads((tmp_path / "out" / "net" / "model.json").read_text())["hashes"]
    assert set(hashes) == {"net.py", "parts.py", "weights"}


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

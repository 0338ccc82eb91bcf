"""Activations of a line-up, to disk: reading and preparing pictures, hooks, pooling and writing included."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader

from analysis.data.pictures import open_pictures
from analysis.models.extraction import Options, extract_model
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model
from benchmarks.harness import LIMIT, Aim, Job, Way
from benchmarks.jobs._thingsvision import part

NETWORKS = (
    "resnet8", "wide_resnet8", "resnet2b", "resnet4b", "resnet20", "resnet32", "marabou_small", "marabou_medium",
    "oval_base", "oval_wide",
)  # fmt: skip
BATCH = 64
_UNUSED = {
    "torchtyping": {"TensorType": dict},
    "torchvision": {"transforms": None},
    "thingsvision.utils.alignment": {"gLocal": None},
}


def prepare(networks: int, photographs: int):
    """Untrained networks for pictures of 32 × 32 pixels, which are random; what describes some networks is public."""
    folder = tempfile.TemporaryDirectory()
    x = np.random.default_rng(0).integers(256, size=(photographs, 32, 32, 3), dtype=np.uint8)
    np.savez(f"{folder.name}/pictures.npz", x=x)
    entries = read_lineup(",".join(f"cifar10:{name}_untrained" for name in NETWORKS[:networks]))
    pictures = open_pictures(f"{folder.name}/pictures.npz")
    models = [load_model(entry) for entry in entries]
    return folder, entries, pictures, [(model, model.prepare(pictures.read(slice(None)))) for model in models]


def ours(data):
    for entry in data[1]:
        with tempfile.TemporaryDirectory() as folder:
            extract_model(entry, data[2], Path(folder), Options(batch_size=BATCH), "random")


def bare_loop(data):
    """The networks are called on tensors that are ready, and what they say is thrown away."""
    with torch.inference_mode():
        for model, x in data[3]:
            for batch in x.split(BATCH):
                model.module(batch)


def thingsvision(data):
    """The same layers of the same networks; on tensors that are ready, and maps are written whole."""
    extractor = part("extraction", "torch", _UNUSED).PyTorchExtractor
    for model, x in data[3]:
        extracting = extractor(model.name, pretrained=False, device="cpu", model=model.module)
        with tempfile.TemporaryDirectory() as folder:
            extracting.extract_features(DataLoader(x, BATCH), module_names=list(model.layers), output_dir=folder)


JOBS = [
    Job(
        name="activations",
        title="Activations to disk",
        says="{networks} networks, {photographs:,} photographs",
        prepare=prepare,
        ways=(
            Way("extract", ours),
            Way("bare loop", bare_loop, LIMIT),
            Way("thingsvision", thingsvision, needs="thingsvision", once=True),
        ),
        sizes=tuple({"networks": 10, "photographs": n} for n in (250, 500, 1000, 2000)),
        tiny={"networks": 1, "photographs": 4},
        grows="photographs",
        aims=(Aim("of the limit", 1.15),),
    )
]

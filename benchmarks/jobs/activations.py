"""Activations of a line-up, to disk: reading and preparing pictures, hooks, pooling and writing included."""

import tempfile
from pathlib import Path

import numpy as np
import torch

from analysis.data.pictures import open_pictures
from analysis.models.extraction import Options, extract_model
from analysis.models.lineup import read_lineup
from analysis.models.loading import load_model
from benchmarks.harness import LIMIT, Aim, Job, NotMeasuredError, Way

NETWORKS = (
    "resnet8", "wide_resnet8", "resnet2b", "resnet4b", "resnet20", "resnet32", "marabou_small", "marabou_medium",
    "oval_base", "oval_wide",
)  # fmt: skip
BATCH = 64


def prepare(networks: int, photographs: int):
    """Untrained networks for pictures of 32 × 32 pixels, so that nothing is downloaded; random pictures in a file."""
    folder = tempfile.TemporaryDirectory()
    x = np.random.default_rng(0).integers(256, size=(photographs, 32, 32, 3), dtype=np.uint8)
    np.savez(f"{folder.name}/pictures.npz", x=x)
    entries = read_lineup(",".join(f"cifar10:{name}_untrained" for name in NETWORKS[:networks]))
    pictures = open_pictures(f"{folder.name}/pictures.npz")
    models = [load_model(entry) for entry in entries]
    return folder, entries, pictures, [(model.module, model.prepare(pictures.read(slice(None)))) for model in models]


def ours(data):
    for entry in data[1]:
        with tempfile.TemporaryDirectory() as folder:
            extract_model(entry, data[2], Path(folder), Options(batch_size=BATCH), "random")


def bare_loop(data):
    """The networks are called on tensors that are ready, and what they say is thrown away."""
    with torch.inference_mode():
        for network, x in data[3]:
            for batch in x.split(BATCH):
                network(batch)


def thingsvision(_):
    raise NotMeasuredError("thingsvision asks for NumPy below 2 and torchvision 0.15, in an environment of its own")


JOBS = [
    Job(
        name="activations",
        title="Activations to disk",
        says="{networks} networks, {photographs:,} photographs",
        prepare=prepare,
        ways=(
            Way("extract", ours),
            Way("bare loop", bare_loop, LIMIT),
            Way("thingsvision", thingsvision),
        ),
        sizes=tuple({"networks": 10, "photographs": n} for n in (250, 500, 1000, 2000)),
        tiny={"networks": 1, "photographs": 4},
        grows="photographs",
        aims=(Aim("of the limit", 1.15),),
    )
]

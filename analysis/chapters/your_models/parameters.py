"""Parameters of the page about one's own models."""

from math import ceil
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from analysis.runs.parameters import LineupParameters, PublicRunParameters

ZOO = "zoo:mlp-100,zoo:cnn,zoo:cnn-slim,zoo:resnet-8-b1,zoo:vit-24-d3-p8"
"""A few of the book's own networks."""

CIFAR10H, NONE, AUTO = "cifar10h", "none", "auto"
CIFAR10H_COUNTS = "cifar10h/cifar10h-counts.npy"
"""Public file of people's answers to the CIFAR-10 photographs."""


def layer_names(layers: str) -> tuple[str, ...]:
    """The layers that a text names; none for ``"auto"``."""
    return () if layers == AUTO else tuple(name.strip() for name in layers.split(","))


def repetitions(n_models: int) -> int:
    """Of the planned study's simulation: three, fewer where many models make many simulations by themselves."""
    return min(3, ceil(15 / n_models))


class Parameters(LineupParameters):
    """What a run of the page may change; the notebook's first cell has the same names, types and defaults."""

    models: str = Field(ZOO, description="a line-up")
    layers: str = Field(AUTO, description='layers to record: "auto", or names separated by commas')
    pool: Literal["mean", "none"] = Field("mean", description='"mean" over maps and tokens, or "none"')
    people: str = Field("none", description='people\'s labels: a CSV of counts, "cifar10h", or "none"')
    triplets: str = Field("none", description="people's odd-one-out choices: a CSV with image1,image2,odd, or none")
    n_planned: int = Field(2000, ge=50, le=1_000_000, description="odd-one-out trials that a planned study can afford")
    n_compared: int = Field(500, ge=30, le=5000, description="stimuli on which representations are compared, at most")
    seed: int = Field(0, ge=0, le=2**31, description="seed of the draws")

    @field_validator("layers")
    @classmethod
    def _models_have_them(cls, value: str, info: ValidationInfo) -> str:
        if value != AUTO and "models" in info.data:
            cls.check_layers(info.data["models"], layer_names(value))
        return value

    @field_validator("people")
    @classmethod
    def _a_file_is_there(cls, value: str) -> str:
        if value not in (NONE, CIFAR10H) and not Path(value).expanduser().is_file():
            raise ValueError(f"must be 'none' or a file; there is no file '{value}'.")
        return value

    @field_validator("triplets")
    @classmethod
    def _choices_can_be_read(cls, value: str, info: ValidationInfo) -> str:
        if value != NONE and {"models", "images"} <= set(info.data):
            if not Path(value).expanduser().is_file():
                raise ValueError(f"must be 'none' or a file; there is no file '{value}'.")
            from analysis.recovery.trials import load_trials  # loads SciPy

            load_trials(value, cls.stimuli(info.data["models"], info.data["images"]), missing="count")
        return value

    def amount(self) -> float:
        """About the seconds that it takes: models see pictures, pairs of models and of layers are compared, and fitted.

        How long a model takes to see a picture is not known before: half a millisecond is a small one's.
        """
        n_models, n_pictures = self.n_models(self.models), len(self.stimuli(self.models, self.images))
        recording = 5e-4 * n_models * n_pictures
        comparing = 0.1 * n_models**2 * self.n_compared / 500
        planning = 0.3 * n_models**2 * repetitions(n_models) * (0.3 + self.n_planned / 3000) * (n_pictures >= 30)
        planning *= 1 if self.triplets == NONE else 3
        return 10 + recording + comparing + planning

    def data_files(self) -> dict[str, Path]:
        """The files of people's answers and choices."""
        named = {"people": self.people, "triplets": self.triplets}
        return {name: Path(value).expanduser() for name, value in named.items() if value not in (NONE, CIFAR10H)}

    def data_hashes(self) -> dict[str, str]:
        """Hashes of pictures, line-up and files, and of the published answers of people."""
        from analysis.data import registry

        published = {"people": registry.registered_hash(CIFAR10H_COUNTS)} if self.people == CIFAR10H else {}
        return published | super().data_hashes()


class PublicParameters(PublicRunParameters):
    """What the recorded run on published networks, photographs and people may change."""

    n_planned: int = Field(2000, ge=50, le=1_000_000, description="odd-one-out trials that a planned study can afford")
    n_compared: int = Field(500, ge=30, le=5000, description="photographs on which representations are compared")
    seed: int = Field(0, ge=0, le=2**31, description="seed of the draws")

    def public_files(self) -> list[str]:
        """CIFAR-10's photographs, the networks, and people's answers."""
        from analysis.data import registry

        networks = [name for name in registry.registry() if name.startswith("cifar10_nets/")]
        return [registry.CIFAR10, *networks, CIFAR10H_COUNTS]


PUBLIC = {"your_models": PublicParameters}
"""The parameters of the notebook on public data, by name."""

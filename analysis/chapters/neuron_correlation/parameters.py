"""Parameters of the neuron-correlation chapter."""

import math
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from analysis.runs.parameters import LARGEST_SEED, LearningParameters, PublicRunParameters

TEST_SHARE = 0.25
"""Share of the images that networks are tested on; as in the paper."""


class Parameters(LearningParameters):
    """What a run of the chapter may change; the notebook's first cell has the same names, types and defaults."""

    n_seeds: int = Field(5, ge=1, le=100, description="seeds: each trains the five perceptrons and the CNN anew")
    n_probe: int = Field(10, ge=3, description="probe images for the comparison with the CNN; the paper has 10")
    penalty: Literal["index", "relative", "none"] = Field(
        "index", description='depth penalty: "index" as in the paper, "relative" or "none"'
    )
    n_rounds: int = Field(10, ge=1, le=50, description="rounds of the accumulated sign-gradient attack")
    step: float = Field(10.0, gt=0, le=255, description="length of one attack step, in 1/255 of the pixel range")
    first_seed: int = Field(0, ge=0, le=LARGEST_SEED, description="the first seed; the others follow it")

    @field_validator("n_probe")
    @classmethod
    def _as_many_as_are_tested(cls, value: int, info: ValidationInfo) -> int:
        n_test = math.ceil(TEST_SHARE * cls.n_learnt(info))
        if value > n_test:
            raise ValueError(f"must be at most {n_test}, the images held out for testing, got {value}.")
        return value

    def amount(self) -> float:
        """Seeds train and attack; the zoo takes about as long as three of them."""
        return self.n_seeds + 3


class PublicParameters(PublicRunParameters):
    """What the run on MNIST may change."""

    n_seeds: int = Field(5, ge=1, le=100, description="seeds: each splits the images and trains all networks anew")
    n_rounds: int = Field(10, ge=1, le=50, description="rounds of the accumulated sign-gradient attack")

    def public_files(self) -> list[str]:
        """MNIST."""
        from analysis.data.registry import MNIST

        return [MNIST]

    def amount(self) -> float:
        """Seeds, of which the attack takes the larger part."""
        return self.n_seeds * (self.n_rounds + 3)


class NetworksParameters(PublicRunParameters):
    """What the recorded run on published networks and photographs may change."""

    n_draws: int = Field(20, ge=2, le=200, description="draws of few images")
    n_images: int = Field(2000, ge=100, le=10_000, description="photographs in the comparison with many images")
    seed: int = Field(0, ge=0, description="seed of the draws")

    def public_files(self) -> list[str]:
        """CIFAR-10's photographs, the sample of ImageNet's, and the networks of both line-ups."""
        from analysis.data import registry

        folders = ("cifar10_nets/", "imagenet_nets/", "imagenet_sample/")
        return [registry.CIFAR10, *(name for name in registry.registry() if name.startswith(folders))]


PUBLIC = {"neuron_correlation": PublicParameters, "neuron_correlation_networks": NetworksParameters}
"""The parameters of the notebooks on public data, by name."""

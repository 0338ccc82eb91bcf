"""Parameters of the chapter on choosing stimuli."""

from typing import Annotated

from pydantic import Field, field_validator

from analysis.runs.parameters import LARGEST_SEED, ChapterParameters, PublicRunParameters

MODELS = ("cnn", "cnn-slim", "resnet-8-b1", "resnet-12-b1-noise", "vit-32-d3-p4", "vit-40-d2-p4-noise")
"""Two networks of each family that has maps or tokens; two of the six trained on noisy labels, the others on clean."""
TRANSFORMS = ("zero-shot", "diagonal", "full")
TRAINING_POLICIES = ("disagreement", "information", "uncertainty", "bald", "refit")
TEST_POLICIES = ("disagreement", "information", "uncertainty")
HELD_OUT = 898
"""Digits that no network was trained on."""


class Parameters(ChapterParameters):
    """What a run of the chapter may change; the notebook's first cell has the same names, types and defaults."""

    n_objects: int = Field(102, ge=48, le=HELD_OUT, description="digits that triplets are drawn from, held out")
    sizes: list[Annotated[int, Field(ge=4, le=100_000)]] = Field(
        [96, 108, 120, 144, 192, 288, 480],
        min_length=2,
        description="training triplets of the seed batch, and after each round",
    )
    policies: list[str] = Field(
        ["disagreement", "information"], min_length=1, description="policies compared with showing random triplets"
    )
    transforms: list[str] = Field(["zero-shot", "full"], min_length=1, description="what is fitted to the answers")
    ratios: list[Annotated[float, Field(gt=0, le=10)]] = Field(
        [0.3, 3.0], min_length=1, description="axes of the features kept, as a multiple of the training objects"
    )
    n_seeds: int = Field(2, ge=1, le=100, description="repetitions, each with its own two folds over objects")
    penalties: list[Annotated[float, Field(gt=0)]] = Field(
        [0.1, 0.01, 0.001], min_length=1, description="penalties to choose from, by validation answers"
    )
    made_with: float = Field(0.01, gt=0, description="penalty of the generators' own fit to the simulated observer")
    most: int = Field(2000, ge=100, le=1_000_000, description="triplets in a pool to choose from")
    ceiling: float = Field(0.678, gt=0.34, lt=1, description="mean of the largest choice probability; people, 0.678")
    n_answers: int = Field(20000, ge=500, le=10_000_000, description="triplets that the simulated observer answers")
    first_seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of networks, observer, splits and answers")

    @field_validator("sizes")
    @classmethod
    def _rising(cls, value: list[int]) -> list[int]:
        if sorted(set(value)) != value:
            raise ValueError(f"must be rising, got {value}.")
        return value

    @field_validator("policies", "transforms")
    @classmethod
    def _known(cls, value: list[str], info) -> list[str]:
        known = TRAINING_POLICIES if info.field_name == "policies" else TRANSFORMS
        if len(set(value)) < len(value) or set(value) - set(known):
            raise ValueError(f"must be different ones of {', '.join(known)}, got {', '.join(value)}.")
        needed = {"policies": {"disagreement", "information"}, "transforms": {"full"}}[info.field_name]
        if not needed <= set(value):
            raise ValueError(f"must hold {' and '.join(sorted(needed))}, which the hypotheses are about, got "
                             f"{', '.join(value)}.")  # fmt: skip
        return value

    @field_validator("most")
    @classmethod
    def _enough_to_choose_from(cls, value: int, info) -> int:
        largest = max(info.data.get("sizes", [0]))
        if value < largest:
            raise ValueError(f"must be at least {largest}, the triplets that are shown, got {value}.")
        return value

    @property
    def train(self) -> list[str]:
        """Policies for training triplets, the random one first."""
        return ["random", *self.policies]

    @property
    def test(self) -> list[str]:
        """Policies for test triplets, the random one first; those that look at transforms have nothing to say there."""
        return ["random", *(policy for policy in self.policies if policy in TEST_POLICIES)]

    def amount(self) -> float:
        """Fits and choices, one unit for each of the default's."""
        fitted = sum(3 if transform == "full" else 1 for transform in self.transforms)
        slow = sum(6 if policy in ("bald", "refit") else 1 for policy in self.train)
        return self.n_seeds * len(self.sizes) * len(self.ratios) * fitted * slow * (1 + self.most / 2000)


class PublicParameters(PublicRunParameters):
    """What the run on real trials and labels may change."""

    n_stimuli: int = Field(4000, ge=100, le=50_000, description="photographs to choose from, drawn at random")
    n_shown: int = Field(40, ge=5, le=100, description="labels that a network is identified from, at most")
    n_draws: int = Field(10, ge=1, le=1000, description="repetitions for each network, each with its own noise")
    noise: float = Field(0.3, gt=0, lt=1, description="share of the labels that is replaced by random categories")
    sizes: list[Annotated[int, Field(ge=1, le=1000)]] = Field(
        [10, 20, 50, 100, 200, 500, 1000], min_length=2, description="answers to THINGS triplets"
    )
    n_splits: int = Field(50, ge=5, le=10_000, description="random halves of the subjects, and of the networks")
    ceiling: float = Field(0.678, gt=0.34, lt=1, description="mean of the largest choice probability; people, 0.678")
    first_seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of draws, noise and halves")

    def public_files(self) -> list[str]:
        """Answers of networks, both line-ups and their photographs, embeddings, people's trials."""
        from analysis.chapters.choosing_stimuli.people import MOCHI
        from analysis.data import registry
        from analysis.data.answers import imagenet_files
        from analysis.data.cifar10 import logit_files
        from analysis.data.things import EMBEDDINGS, TRIALS

        folders = ("cifar10_nets/", "imagenet_nets/", "imagenet_sample/")
        line_ups = [registry.CIFAR10, *(name for name in registry.registry() if name.startswith(folders))]
        people = [*EMBEDDINGS.values(), TRIALS["1,000 triplets"], MOCHI]
        return [*imagenet_files(), *logit_files(), *line_ups, *people]

    def amount(self) -> float:
        """Labels and fits."""
        return self.n_draws * self.n_shown * self.n_stimuli / 1.6e6 + self.n_splits / 50


class FactorialParameters(Parameters, PublicRunParameters):
    """What the run of all designs may change: the chapter's parameters, with more of everything."""

    policies: list[str] = Field(
        ["disagreement", "information", "bald", "refit"],
        min_length=1,
        description="policies compared with showing random triplets",
    )
    transforms: list[str] = Field(
        ["zero-shot", "diagonal", "full"], min_length=1, description="what is fitted to the answers"
    )
    ratios: list[Annotated[float, Field(gt=0, le=10)]] = Field(
        [0.3, 1.0, 3.0], min_length=1, description="axes of the features kept, as a multiple of the training objects"
    )
    n_seeds: int = Field(6, ge=1, le=100, description="repetitions, each with its own two folds over objects")

    @field_validator("policies")
    @classmethod
    def _those_that_look_at_transforms_too(cls, value: list[str]) -> list[str]:
        if "refit" not in value:
            raise ValueError(f"must hold refit, which the hypotheses are about, got {', '.join(value)}.")
        return value

    def public_files(self) -> list[str]:
        """CIFAR-10's photographs and the networks that choose among them; the simulations take no file."""
        from analysis.data import registry

        return [registry.CIFAR10, *(name for name in registry.registry() if name.startswith("cifar10_nets/"))]


PUBLIC = {"choosing_stimuli": PublicParameters, "choosing_stimuli_factorial": FactorialParameters}
"""The parameters of the notebooks on public data, by name."""

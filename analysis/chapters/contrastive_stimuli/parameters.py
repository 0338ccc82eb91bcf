"""Parameters of the contrastive-stimuli chapter."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from analysis.data.digits import DIGITS_SIZE, N_DIGITS
from analysis.files import user_path
from analysis.models.zoo_names import TRAINED
from analysis.runs.parameters import LARGEST_SEED, DigitsParameters, PublicRunParameters

MODELS_PER_BIN = 4
"""Models that an accuracy bin needs, so that both of its halves can agree or not."""


class Parameters(DigitsParameters):
    """What a run of the chapter may change; the notebook's first cell has the same names, types and defaults."""

    predictions: str = Field(
        "zoo", description='"zoo", or the path of a CSV file with one row a model and one column a stimulus'
    )
    n_contrastive: int = Field(
        100,
        ge=2,
        validate_default=True,
        description="contrastive stimuli, those of lowest agreement; paper 1,000; of few pictures, fewer",
    )
    n_bins: int = Field(
        6,
        ge=1,
        validate_default=True,
        description="bins of models by accuracy, at least 4 models in each; of a small line-up, fewer",
    )
    n_splits: int = Field(20, ge=2, le=1000, description="random halves: stimuli chosen on one, reported on the other")
    severity: int = Field(3, ge=1, le=5, description="severity of the corrupted images")
    noise: float = Field(0.2, ge=0, lt=1, description="share of random answers when a model is to be identified")
    n_images: int = Field(500, ge=20, le=800, description="images in each set of the comparison of representations")
    n_squares: int = Field(2, ge=1, le=20, description="squares in an image")
    square_side: int = Field(3, ge=1, le=DIGITS_SIZE, description="side of a square in pixels; images have 16")
    square_distance: int = Field(
        4, ge=1, validate_default=True, description="least distance between the centres of two squares in pixels"
    )
    layer: Literal["early", "middle", "late"] = Field("middle", description='"early", "middle" or "late"')
    debiased: bool = Field(True, description="debiased CKA, which is 0 for unrelated networks however few the images")
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of the networks, halves, corruptions and draws")

    @field_validator("models")
    @classmethod
    def _enough_models(cls, value: str) -> str:
        if value != "zoo" and cls.n_models(value) < MODELS_PER_BIN:
            raise ValueError(
                f"must be at least {MODELS_PER_BIN} models, so that one half can choose stimuli for the other; "
                f"'your_models' compares fewer; got only '{value}'."
            )
        return value

    @field_validator("predictions")
    @classmethod
    def _answers_can_be_read(cls, value: str, info: ValidationInfo) -> str:
        if value != "zoo" and info.data.get("models", "zoo") != "zoo":
            raise ValueError("must be 'zoo' beside 'models', who give answers of their own.")
        if value != "zoo":
            try:
                _require_enough(value)
            except FileNotFoundError as error:
                raise ValueError(str(error)) from None
        return value

    @field_validator("n_contrastive")
    @classmethod
    def _fewer_than_all(cls, value: int, info: ValidationInfo) -> int:
        if _of_a_lineup(info):  # who of its models choose between the same categories is not known yet
            return value
        n_stimuli = _size(info)[1]
        if value >= n_stimuli:
            raise ValueError(f"must be below the {n_stimuli} stimuli that there are, got {value}.")
        return value

    @field_validator("n_bins")
    @classmethod
    def _bins_can_be_halved(cls, value: int, info: ValidationInfo) -> int:
        if _of_a_lineup(info):
            return value
        n_models = _size(info)[0]
        if value * MODELS_PER_BIN > n_models:
            most = n_models // MODELS_PER_BIN
            raise ValueError(f"must be at most {most} for {n_models} models ({MODELS_PER_BIN} a bin), got {value}.")
        return value

    @field_validator("square_distance")
    @classmethod
    def _squares_fit(cls, value: int, info: ValidationInfo) -> int:
        n_squares, side = (info.data.get(name) for name in ("n_squares", "square_side"))  # absent if they were refused
        defaults = tuple(cls.model_fields[name].default for name in ("n_squares", "square_side", "square_distance"))
        if None not in (n_squares, side) and (n_squares, side, value) != defaults:
            from analysis.data.stimuli import squares  # takes PyTorch

            squares(20, size=DIGITS_SIZE, side=side, n_squares=n_squares, distance=value)
        return value

    def data_files(self) -> dict[str, Path]:
        """The file of answers, unless they are the zoo's."""
        return {} if self.predictions == "zoo" else {"predictions": user_path(self.predictions)}


def _require_enough(path: str) -> None:
    n_models = _shape(path)[0]
    if n_models < MODELS_PER_BIN:
        raise ValueError(f"'{path}' must hold at least {MODELS_PER_BIN} models, got {n_models}.")


def _of_a_lineup(info: ValidationInfo) -> bool:
    return info.data.get("models", "zoo") != "zoo"


def _size(info: ValidationInfo) -> tuple[int, int]:
    """Number of models and stimuli."""
    source = info.data.get("predictions", "zoo")  # absent if it was refused itself
    return (len(TRAINED), N_DIGITS) if source == "zoo" else _shape(source)


def _shape(path: str) -> tuple[int, int]:
    file = user_path(path)
    stamp = file.stat() if file.is_file() else None
    return _shape_of(path, stamp and (stamp.st_mtime_ns, stamp.st_size))


@cache
def _shape_of(path: str, _stamp: tuple[int, int] | None) -> tuple[int, int]:
    from analysis.data.answers import read_predictions  # takes pandas

    return read_predictions(path).answers.shape


class PublicParameters(PublicRunParameters):
    """What the run on public data may change."""

    n_contrastive: int = Field(1000, ge=2, le=40000, description="contrastive ImageNet images; as in the paper")
    share: float = Field(0.1, gt=0, le=0.5, description="contrastive images among those that people saw, as a share")
    n_bins: int = Field(3, ge=1, le=3, description="bins of the 14 networks by accuracy, at least 4 in each")
    n_splits: int = Field(10, ge=2, le=1000, description="random halves: images chosen on one, reported on the other")
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of the halves and resamples")

    def public_files(self) -> list[str]:
        """Registry names of the files that the run reads."""
        from analysis.data.answers import MODEL_VS_HUMAN, imagenet_files, model_vs_human_files

        people = [name for dataset in MODEL_VS_HUMAN for name in model_vs_human_files(dataset)]
        return [*imagenet_files(), *people, "cifar10h/cifar10h-counts.npy"]


class PhotographsParameters(PublicRunParameters):
    """What the run on photographs, with networks and people, may change."""

    n_contrastive: int = Field(1000, ge=2, le=9000, description="contrastive photographs of the 10,000")
    n_bins: int = Field(5, ge=1, le=6, description="bins of the 25 networks by accuracy, at least 4 in each")
    n_splits: int = Field(10, ge=2, le=1000, description="random halves: chosen on one, reported on the other")
    n_squares: int = Field(500, ge=20, le=2000, description="pictures of squares, and as many photographs")
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of the halves, squares and resamples")

    def public_files(self) -> list[str]:
        """CIFAR-10's photographs, networks and published answers, and people's answers (CIFAR-10H)."""
        from analysis.data import registry

        folders = ("cifar10_nets/", "cifar10_logits/", "cifar10h/")
        return [registry.CIFAR10, *(name for name in registry.registry() if name.startswith(folders))]


class ZoosParameters(PublicRunParameters):
    """What the run on several zoos may change; all else is as the chapter has it."""

    seeds: list[int] = Field([0, 1, 2, 3, 4], min_length=2, description="seeds of the zoos, at least 2")
    n_runs: int = Field(5, ge=1, le=100, description="repetitions of every null check")

    def public_files(self) -> list[str]:
        """None: the zoo is trained on the digits that come with scikit-learn."""
        return []


PUBLIC = {
    "contrastive_stimuli": PublicParameters,
    "contrastive_stimuli_photographs": PhotographsParameters,
    "contrastive_stimuli_zoos": ZoosParameters,
}
"""The parameters of the notebooks on public data, by name."""

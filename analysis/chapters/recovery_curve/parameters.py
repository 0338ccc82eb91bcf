"""Parameters of the recovery-curve chapter."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from analysis.files import user_path
from analysis.runs.parameters import LARGEST_SEED, LearningParameters, PublicRunParameters

MODELS = (
    "cnn",
    "cnn-slim",
    "resnet-8-b1",
    "resnet-12-b1-noise",
    "vit-32-d3-p4",
    "vit-40-d2-p4-noise",
)
"""Two networks of each family that has maps or tokens; two of the six trained on noisy labels, the others on clean."""


NARROWEST = 12
"""Units in the last hidden layer of the zoo's narrowest network."""

FEWEST_MODELS = 3
"""Of a line-up: with two, leaving out the true model leaves no choice."""
FEWEST_OBJECTS = 30
"""Below this, folds over objects leave too few triplets to test on."""


class Parameters(LearningParameters):
    """What a run of the chapter may change; the notebook's first cell has the same names, types and defaults."""

    models: str = Field(
        "zoo", description='"zoo" for the chapter\'s six networks, or a line-up of 3 or more, each by its last layer'
    )
    n_objects: int = Field(
        78, ge=FEWEST_OBJECTS, le=2000, description="images that triplets are drawn from, held out of training"
    )
    features: str = Field("zoo", description='"zoo", or a folder of your own <model>.npy, one row an object')
    triplets: str = Field(
        "simulated",
        validate_default=True,  # it does not go with features of one's own
        description='"simulated", or human answers: a CSV with image1,image2,odd, or a THINGS format',
    )
    pooled: bool = Field(False, description="average maps and tokens over space; few units, and another result")
    sizes: list[Annotated[int, Field(ge=1, le=10_000_000)]] = Field(
        [250, 1000, 3000, 7140], min_length=2, description="numbers of training triplets"
    )
    n_seeds: int = Field(3, ge=1, le=100, description="repetitions, each with its own folds, triplets and answers")
    n_folds: int = Field(3, ge=2, le=10, description="folds over objects")
    penalties: list[Annotated[float, Field(gt=0)]] = Field(
        [0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001],
        min_length=1,
        description="penalties to choose from, and beyond either end",
    )
    made_with: list[Annotated[float, Field(gt=0)]] = Field(
        [0.01, 0.000001], min_length=2, description="penalties of generators whose recovery is taken to the limit"
    )
    budget: int = Field(4000, ge=100, le=10_000_000, description="answers of the study that is planned")
    rank: int = Field(
        8, ge=1, validate_default=True, description="columns of the low-rank transform, and axes kept by the PCA"
    )
    ceiling: float = Field(0.678, gt=0.34, lt=1, description="mean of the largest choice probability; people, 0.678")
    n_answers: int = Field(20000, ge=500, le=10_000_000, description="triplets that the simulated observer answers")
    pixels: float = Field(1.0, ge=0, description="weight of pixels in the simulated observer")
    classes: float = Field(1.0, ge=0, description="weight of classes in the simulated observer")
    strokes: float = Field(
        1.0, ge=0, validate_default=True, description="weight of stroke directions in the simulated observer"
    )
    first_seed: int = Field(
        0, ge=0, le=LARGEST_SEED, description="seed of networks, observer, folds, triplets and answers"
    )

    @field_validator("models")
    @classmethod
    def _enough_models(cls, value: str) -> str:
        if value != "zoo" and cls.n_models(value) < FEWEST_MODELS:
            raise ValueError(f"must be at least {FEWEST_MODELS} models, got only '{value}'.")
        return value

    @field_validator("images")
    @classmethod
    def _enough_pictures(cls, value: str, info: ValidationInfo) -> str:
        models = info.data.get("models", "zoo")  # absent if it was refused itself
        if models != "zoo" and (found := len(cls.stimuli(models, value))) < FEWEST_OBJECTS:
            raise ValueError(f"must be at least {FEWEST_OBJECTS} pictures, got {found}.")
        return value

    @field_validator("n_objects")
    @classmethod
    def _no_more_than_are_held_out(cls, value: int, info: ValidationInfo) -> int:
        held_out = (cls.n_learnt(info) + 1) // 2
        if value > held_out and info.data.get("models", "zoo") == "zoo":
            raise ValueError(f"must be at most {held_out}, the images held out, got {value}.")
        return value

    @field_validator("features")
    @classmethod
    def _features_can_be_read(cls, value: str, info: ValidationInfo) -> str:
        if value != "zoo" and info.data.get("models", "zoo") != "zoo":
            raise ValueError("must be 'zoo' beside 'models', which have features of their own.")
        if value != "zoo":
            _n_objects(value)
        return value

    @field_validator("triplets")
    @classmethod
    def _triplets_can_be_read(cls, value: str, info: ValidationInfo) -> str:
        models, images, features = (info.data.get(name) for name in ("models", "images", "features"))
        if None in (models, images, features):  # refused itself
            return value
        if value == "simulated":
            _require_pictures(models, images, features)
            return value
        stimuli = row_numbers(info.data.get("n_objects", 0))
        if models != "zoo":
            stimuli = cls.stimuli(models, images)
        elif features != "zoo":
            stimuli = _readable(row_names, features, n_objects=_n_objects(features))
        from analysis.recovery.trials import load_answers  # takes SciPy

        _readable(load_answers, value, stimuli=stimuli)
        return value

    @field_validator("sizes", "penalties", "made_with")
    @classmethod
    def _different(cls, value: list) -> list:
        if len(set(value)) < len(value):
            raise ValueError(f"must be different, got {value}.")
        return value

    @field_validator("rank")
    @classmethod
    def _no_more_than_units(cls, value: int, info: ValidationInfo) -> int:
        features = info.data.get("features", "zoo")
        n_units = NARROWEST if features == "zoo" else min(table.shape[1] for table in _own_features(features).values())
        if value > n_units:
            raise ValueError(f"must be at most {n_units}, the units of the narrowest model, got {value}.")
        return value

    @field_validator("strokes")
    @classmethod
    def _something_is_seen(cls, value: float, info: ValidationInfo) -> float:
        weights = [info.data.get(name, 1.0) for name in ("pixels", "classes")]
        if not any((*weights, value)):
            raise ValueError("must be above 0 if 'pixels' and 'classes' are 0: the observer must see something.")
        return value

    def amount(self) -> float:
        """Fits, large data sets counting more."""
        n_models = len(MODELS) if self.models == "zoo" else self.n_models(self.models)
        fits = n_models**2 * self.n_folds * len(self.penalties)
        limits = (self.n_seeds + len(self.made_with)) * (self.n_objects / 78) ** 3
        return fits * (self.n_seeds * sum(1 + size / 5000 for size in self.sizes) + 10 * limits)

    def data_files(self) -> dict[str, Path]:
        """The user's own files; a folder of features counts by each of its files."""
        files = super().data_files()
        if self.triplets != "simulated":
            files["triplets"] = user_path(self.triplets)
        if self.features != "zoo":
            paths = [path for pattern in ("*.npy", "stimuli.csv") for path in user_path(self.features).glob(pattern)]
            files |= {f"features/{path.name}": path for path in sorted(paths)}
        return files


class PublicParameters(PublicRunParameters):
    """What the run on THINGS may change."""

    sizes: list[Annotated[int, Field(ge=1, le=10_000_000)]] = Field(
        [100, 1000, 10000, 100000, 1000000], min_length=2, description="numbers of training triplets"
    )
    n_seeds: int = Field(5, ge=1, le=100, description="repetitions, each with its own folds, triplets and answers")
    n_folds: int = Field(3, ge=2, le=10, description="folds over objects")
    penalties: list[Annotated[float, Field(gt=0)]] = Field(
        [0.1, 0.01, 0.001, 0.0001], min_length=1, description="strengths of the penalty to choose from"
    )
    ceiling: float = Field(0.678, gt=0.34, lt=1, description="mean of the largest choice probability; people, 0.678")
    first_seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of folds, triplets and answers")

    def public_files(self) -> list[str]:
        """Five embeddings and two sets of human answers."""
        from analysis.data.things import EMBEDDINGS, TRIALS

        return [*EMBEDDINGS.values(), *TRIALS.values()]

    def amount(self) -> float:
        """Triplets fitted and answered."""
        return self.n_seeds * self.n_folds * len(self.penalties) * (sum(self.sizes) + 1e5)


class PhotographsParameters(PublicRunParameters):
    """What the run on ImageNet networks and photographs may change."""

    n_objects: int = Field(500, ge=FEWEST_OBJECTS, le=500, description="photographs that triplets are drawn from")
    sizes: list[Annotated[int, Field(ge=1, le=10_000_000)]] = Field(
        [100, 1000, 10000], min_length=2, description="numbers of training triplets"
    )
    n_seeds: int = Field(2, ge=1, le=100, description="repetitions, each with its own folds, triplets and answers")
    n_folds: int = Field(3, ge=2, le=10, description="folds over objects")
    penalties: list[Annotated[float, Field(gt=0)]] = Field(
        [0.1, 0.001, 0.00001], min_length=1, description="penalties to choose from, and beyond either end"
    )
    weak: float = Field(0.000001, gt=0, description="penalty of generators that may leave their features")
    most: int = Field(200_000, ge=1000, description="triplets that stand for all of a fold, with exact probabilities")
    ceiling: float = Field(0.678, gt=0.34, lt=1, description="mean of the largest choice probability; people, 0.678")
    n_answers: int = Field(20000, ge=500, le=10_000_000, description="triplets that the simulated observer answers")
    first_seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of observer, folds, triplets and answers")

    def public_files(self) -> list[str]:
        """The sample of ImageNet's photographs and the networks of the line-up."""
        from analysis.data import registry

        folders = ("imagenet_nets/", "imagenet_sample/")
        return [name for name in registry.registry() if name.startswith(folders)]

    def amount(self) -> float:
        """Fits; what goes to the limit counts three times; it is done twice."""
        return (self.n_seeds * len(self.sizes) + 6) * self.n_folds * len(self.penalties) * (self.n_objects / 500) ** 2


class CausesParameters(PublicRunParameters):
    """What the run on what moves the end of the curve may change."""

    n_objects: int = Field(60, ge=FEWEST_OBJECTS, le=899, description="images that triplets are drawn from")
    sizes: list[Annotated[int, Field(ge=1, le=10_000_000)]] = Field(
        [100, 300, 1000, 3276], min_length=2, description="numbers of training triplets"
    )
    n_triplets: int = Field(1000, ge=1, description="triplets where a finite number is held against the limit")
    few: list[Annotated[int, Field(ge=1, le=10_000_000)]] = Field(
        [50, 200], min_length=1, description="numbers of triplets at which rules for ties are compared"
    )
    n_seeds: int = Field(2, ge=1, le=100, description="repetitions, each with its own folds, triplets and answers")
    n_tie_seeds: int = Field(4, ge=1, le=100, description="repetitions of the comparison of rules for ties")
    n_folds: int = Field(3, ge=2, le=10, description="folds over objects")
    penalties: list[Annotated[float, Field(gt=0)]] = Field(
        [0.1, 0.01, 0.001, 0.0001, 0.00001, 0.000001],
        min_length=1,
        description="penalties to choose from, and beyond either end",
    )
    made_with: list[Annotated[float, Field(gt=0)]] = Field(
        [0.01, 0.001, 0.0001, 0.000001], min_length=2, description="penalties of generators"
    )
    ratios: list[Annotated[float, Field(gt=0)]] = Field(
        [0.2, 0.5, 1.0, 2.0, 15.0], min_length=2, description="units of a projection per training object"
    )
    axes: list[Annotated[int, Field(ge=1)]] = Field([8, 16], min_length=1, description="leading axes kept")
    ceilings: list[Annotated[float, Field(gt=0.34, lt=1)]] = Field(
        [0.5, 0.678, 0.95], min_length=2, description="means of the largest choice probability"
    )
    tolerances: list[Annotated[float, Field(gt=0)]] = Field(
        [0.001, 0.0001, 0.00001, 0.0000001], min_length=2, description="where fits stop, in nats"
    )
    scales: list[Annotated[float, Field(gt=0)]] = Field(
        [0.1, 1.0, 10.0], min_length=3, description="lengths of the features"
    )
    rank: int = Field(8, ge=1, description="leading axes of the rule about few axes")
    ceiling: float = Field(0.678, gt=0.34, lt=1, description="mean of the largest choice probability; people, 0.678")
    n_answers: int = Field(20000, ge=500, le=10_000_000, description="triplets that the simulated observer answers")
    first_seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of networks, observer, folds and answers")

    def public_files(self) -> list[str]:
        """None: the networks learn the digits that come with scikit-learn."""
        return []

    def study_parameters(self) -> Parameters:
        """Those of the chapter's study, of so many objects."""
        return Parameters(
            n_objects=self.n_objects, ceiling=self.ceiling, n_answers=self.n_answers, first_seed=self.first_seed
        )

    def amount(self) -> float:
        """Fits in the limit and with finitely many triplets, by how much the objects cost."""
        limits = 2 * len(self.ratios) + len(self.axes) + len(self.ceilings) + len(self.made_with) + 13
        finite = 2 * len(self.axes) + len(self.ceilings) + len(self.tolerances) + len(self.scales) + len(self.sizes)
        return self.n_seeds * self.n_folds * len(self.penalties) * (limits + finite / 3) * (self.n_objects / 60) ** 3


def _readable(load, path: str, **options):
    try:
        return load(path, **options)
    except (OSError, ValueError) as error:
        raise ValueError(str(error)) from None


def row_numbers(n_objects: int) -> tuple[str, ...]:
    """What a file of answers calls objects that have no names: the numbers of their rows, from 0."""
    return tuple(map(str, range(n_objects)))


def row_names(folder: str, n_objects: int) -> tuple[str, ...]:
    """What a file of answers calls the rows of a folder of features: as its ``stimuli.csv`` does, or by number."""
    from analysis.models.lineup import STIMULI
    from analysis.models.recordings import read_stimuli

    place = user_path(folder)
    if not (place / STIMULI).is_file():
        return row_numbers(n_objects)
    names = read_stimuli(place)[0]
    if len(names) != n_objects:
        raise ValueError(f"'{place / STIMULI}' must have one row an object, {n_objects}, got {len(names)}.")
    return names


def _require_pictures(models: str, images: str, features: str) -> None:
    """Refuse what the simulated observer, who sees images, cannot answer about."""
    if features != "zoo":
        raise ValueError("must be a file of answers if 'features' is a folder: the simulated observer sees images.")
    if models == "zoo":
        return
    from analysis.models.lineup import extracted_folder

    if (folder := extracted_folder(models)) is not None:
        from analysis.data.pictures import open_pictures
        from analysis.models.recordings import read_stimuli

        if not set(read_stimuli(folder)[0]) <= set(open_pictures(images).ids):
            raise ValueError(
                f"must be a file of answers unless 'images' is what the models of '{models}' saw: the simulated "
                "observer sees images."
            )


def _n_objects(folder: str) -> int:
    return len(next(iter(_own_features(folder).values())))


def _own_features(folder: str) -> dict:
    from analysis.recovery.observers import load_features  # takes SciPy

    return _readable(load_features, folder)


PUBLIC = {
    "recovery_curve": PublicParameters,
    "recovery_curve_causes": CausesParameters,
    "recovery_curve_photographs": PhotographsParameters,
}
"""The parameters of the notebooks on public data, by name."""

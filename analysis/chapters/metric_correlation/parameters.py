"""Parameters of the metric-correlation chapter and of its run on public data."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationInfo, field_validator

from analysis.files import shortened, user_path
from analysis.models.zoo_names import TRAINED, UNTRAINED
from analysis.runs.parameters import LARGEST_SEED, DigitsParameters, PublicRunParameters

if TYPE_CHECKING:
    from analysis.data.leaderboards import Leaderboard

MIN_MODELS = 10
"""Pairs of metrics with fewer common models are not tested, and a table needs as many complete models."""

BRAINSCORE = "brainscore/leaderboard_2025-05.csv"
TESTBED = "imagenet_testbed/robustness_top1s.csv"
TIMM = {
    "ImageNet": "timm/results-imagenet.csv",
    "ImageNet-ReaL": "timm/results-imagenet-real.csv",
    "ImageNetV2": "timm/results-imagenetv2-matched-frequency.csv",
    "ImageNet-Sketch": "timm/results-sketch.csv",
    "ImageNet-R": "timm/results-imagenet-r.csv",
    "ImageNet-A": "timm/results-imagenet-a.csv",
}


SCALING = "scaling_vvs/benchmark_scores.csv"
DEEPNSD = ("deepnsd/results_summary.csv", "deepnsd/imagenet1k.csv")
_FOLDER = "encoder_dimensionality/encoding_"
_HUMAN = ("EVC", "LOC", "PFS", "OPA", "PPA", "RSC", "OFA", "FFA", "STS", "EBA")
_MONKEY = (
    *("movshon.FreemanZiemba2013.V1", "movshon.FreemanZiemba2013.V2"),
    *("dicarlo.MajajHong2015.V4", "dicarlo.MajajHong2015.IT"),
)
ENCODING = {f"human {region}": f"{_FOLDER}Object2Vec_{region}.csv" for region in _HUMAN} | {
    f"monkey {area.rpartition('.')[2]}": f"{_FOLDER}{area}.csv" for area in _MONKEY
}


class Parameters(DigitsParameters):
    """What a run of the chapter may change; the notebook's first cell has the same names, types and defaults."""

    table: str = Field("zoo", description='"zoo", or the path of a CSV with models in rows and metrics in columns')
    groups: str = Field(
        "", validate_default=True, description="path of a YAML file that groups the metrics of your own table"
    )
    reference: Literal[TRAINED + UNTRAINED] = Field("resnet-16-b2", description="the zoo is compared with one of these")
    severity: int = Field(3, ge=1, le=5, description="severity of the seven corruptions")
    step: float = Field(10.0, gt=0, le=255, description="length of the sign-gradient step, in 1/255 of the pixel range")
    n_contrastive: int = Field(100, ge=10, le=800, description="images on which the zoo agrees least")
    n_triplets: int = Field(20000, ge=100, le=10_000_000, description="odd-one-out trials of the simulated observer")
    n_resamples: int = Field(1000, ge=20, le=100000, description="bootstrap resamples of models")
    seed: int = Field(
        0, ge=0, le=LARGEST_SEED, description="of the split, the networks, the observer and the resamples"
    )

    @field_validator("models")
    @classmethod
    def _enough_models(cls, value: str) -> str:
        if value != "zoo" and (found := cls.n_models(value)) < MIN_MODELS:
            raise ValueError(
                f"must be at least {MIN_MODELS} models, with fewer of which no two metrics can be said to agree; "
                f"'your_models' shows the metrics of fewer; got {found}."
            )
        return value

    @field_validator("table")
    @classmethod
    def _table_is_there(cls, value: str, info: ValidationInfo) -> str:
        if value != "zoo" and info.data.get("models", "zoo") != "zoo":
            raise ValueError("must be 'zoo' beside 'models', whose metrics are measured.")
        if value != "zoo" and not user_path(value).is_file():
            raise ValueError(f"'table' must be 'zoo' or the path of a CSV file; there is no file '{value}'.")
        return value

    @field_validator("groups")
    @classmethod
    def _own_table_can_be_analysed(cls, value: str, info: ValidationInfo) -> str:
        table = info.data.get("table")
        if table == "zoo" and value:
            raise ValueError("'groups' must be empty for the zoo, whose groups are fixed.")
        if table not in (None, "zoo"):
            read_own(table, value)
        return value

    def data_files(self) -> dict[str, Path]:
        """The table and its groups, unless the table is the zoo's."""
        return {} if self.table == "zoo" else {"table": user_path(self.table), "groups": user_path(self.groups)}


class PublicParameters(PublicRunParameters):
    """What the run on public tables may change."""

    n_resamples: int = Field(1000, ge=20, le=100000, description="bootstrap resamples of models or families")
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="of the resamples")

    def public_files(self) -> list[str]:
        """Brain-Score's leaderboard, and the tables of accuracies that it is contrasted with."""
        return [BRAINSCORE, TESTBED, *TIMM.values()]


class TablesParameters(PublicRunParameters):
    """What the run on further tables of alignment may change."""

    n_resamples: int = Field(500, ge=20, le=100000, description="bootstrap resamples of models or families")
    n_runs: int = Field(20, ge=5, le=1000, description="repetitions of every null check")
    seed: int = Field(0, ge=0, description="of the resamples and the null checks")

    def public_files(self) -> list[str]:
        """Brain-Score's leaderboard and the three tables beside it."""
        return [BRAINSCORE, SCALING, *DEEPNSD, *ENCODING.values()]


def read_own(table: str, groups: str) -> "Leaderboard":
    """A user's own table, checked for what the chapter needs.

    Raises
    ------
    ValueError
        If it cannot be read, has fewer than two parts with two metrics each, too few complete models, or a constant
        metric.
    """
    if not groups or not user_path(groups).is_file():
        raise ValueError(f"'groups' must be the path of a YAML file for a table of your own, got {shortened(groups)}.")
    import pandas as pd  # takes half a second, which parameters without a table of one's own do without

    from analysis.data.leaderboards import read_table

    try:
        board = read_table(table, groups)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"'{table}' and '{groups}' must be CSV and YAML, and could not be read: {error}") from None
    sizes = board.metrics["part"].value_counts(sort=False)
    if len(sizes) < 2 or sizes.iloc[:2].min() < 2:
        got = ", ".join(f"{part} ({size})" for part, size in sizes.items())
        raise ValueError(f"'groups' must begin with two parts of at least 2 metrics each, got {got}.")
    if len(board.complete) < MIN_MODELS:
        got = f"{len(board.complete)} of {len(board.scores)}"
        raise ValueError(f"'table' must have at least {MIN_MODELS} models with every metric, got {got}.")
    constant = board.complete.columns[board.complete.nunique() == 1]
    if len(constant):
        raise ValueError(f"'table' must vary in every metric over its complete models, got a constant {constant[0]!r}.")
    return board


class ZoosParameters(PublicRunParameters):
    """What the run on several zoos may change; all else is as the chapter has it."""

    seeds: list[int] = Field([0, 1, 2, 3, 4], min_length=2, description="seeds of the zoos, at least 2")
    n_runs: int = Field(10, ge=1, le=100, description="repetitions of every null check")

    def public_files(self) -> list[str]:
        """None: the zoo is trained on the digits that come with scikit-learn."""
        return []


PUBLIC = {
    "metric_correlation": PublicParameters,
    "metric_correlation_tables": TablesParameters,
    "metric_correlation_zoos": ZoosParameters,
}
"""The parameters of the notebooks on public data, by name."""

"""Parameters of a chapter: one pydantic model each, whose errors are sentences."""

import difflib
import hashlib
import types
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from analysis.data.digits import N_DIGITS
from analysis.errors import ToldError
from analysis.files import reason, shortened

# Names that IPython itself keeps in a notebook's namespace.
_IPYTHON_NAMES = frozenset({"In", "Out", "get_ipython", "exit", "quit", "open"})


LARGEST_SEED = 10**9
"""Generators of random numbers take no more than 2³² − 1, and seeds are counted up from the one that is given."""


class ParameterError(ValueError):
    """A parameter that a chapter cannot run with; the message is one sentence for the person who typed it.

    What they typed may hold anything: characters that a terminal would obey are written out.
    """

    def __init__(self, sentence: str):
        super().__init__("".join(part if part.isprintable() else repr(part)[1:-1] for part in sentence))


class ChapterParameters(BaseModel):
    """Base of every chapter's parameters: unknown names, wrong types and values out of range are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _split_lists(cls, value: Any, info) -> Any:
        """Let ``-p sizes 10,20`` mean a list, since a command line has only strings."""
        is_list = cls.model_json_schema()["properties"][info.field_name].get("type") == "array"
        return [part.strip() for part in value.split(",")] if is_list and isinstance(value, str) else value

    @classmethod
    def checked(cls, values: dict[str, Any]) -> Self:
        """Validate `values`; every missing one takes its default.

        Raises
        ------
        ParameterError
            A sentence that names the parameter, what it must be and what it got.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ParameterError(" ".join(_sentence(cls, problem) for problem in error.errors())) from None
        except OSError as error:  # a file that a parameter names is there and cannot be read
            raise ParameterError(f"'{error.filename}' cannot be read: {reason(error)}.") from None

    @classmethod
    def from_notebook(cls, namespace: dict[str, Any]) -> Self:
        """Validate the variables that a notebook's parameter cells have set (call with ``globals()``).

        A misspelt ``papermill -p`` name reaches the notebook as one more variable, and is refused here.
        """
        return cls.checked({name: value for name, value in namespace.items() if _is_variable(name, value)})

    def amount(self) -> float:
        """Amount of work relative to other parameters of the chapter; scales the expected time of a run."""
        return 1.0

    def data_hashes(self) -> dict[str, str]:
        """SHA-256 of every file that a parameter names, by parameter."""
        return {name: _file_hash(path) for name, path in self.data_files().items()}

    def data_files(self) -> dict[str, Path]:
        """The files that parameters name; a chapter's choices such as ``"digits"`` are no files."""
        return {}


class LineupParameters(ChapterParameters):
    """Base of the parameters of a page that compares a line-up of models on a set of pictures."""

    models: str = Field("zoo", description="a line-up: its name, models.yml, sources, or a folder that 'extract' wrote")
    images: str = Field("digits", description="a set's name, a folder of pictures, or an .npz file")

    @field_validator("models")
    @classmethod
    def _models_are_there(cls, value: str) -> str:
        if value != "zoo" and cls.n_models(value) < 2:
            raise ValueError(f"must be at least 2 models, got only '{value}'.")
        cls.check_layers(value)
        return value

    @field_validator("images")
    @classmethod
    def _pictures_are_there(cls, value: str) -> str:
        if value == "digits":
            return value
        from analysis.data.pictures import open_pictures  # loads Pillow

        try:
            open_pictures(value).check()
        except (FileNotFoundError, ToldError) as error:
            raise ValueError(str(error)) from None
        return value

    @staticmethod
    def check_layers(models: str, layers: tuple[str, ...] = ()) -> None:
        """Refuse layers, those given or those that the line-up names, that a model does not have.

        The book's own line-ups, which have theirs, are not loaded for it.
        """
        from analysis.models.lineup import BUILT_IN, extracted_folder, read_lineup

        if (models in BUILT_IN and not layers) or extracted_folder(models) is not None:
            return
        named = {entry: layers or entry.layers for entry in read_lineup(models) if layers or entry.layers}
        if named:
            from analysis.models import loading  # loads PyTorch

            for entry, names in named.items():
                loading.check_layers(entry, names)

    @staticmethod
    def n_models(models: str) -> int:
        """Number of models of a line-up, or of a folder that 'extract' wrote; refuses what is neither."""
        from analysis.models.lineup import extracted_folder, read_lineup

        if (folder := extracted_folder(models)) is None:
            return len(read_lineup(models))  # without PyTorch, but for networks of the zoo
        from analysis.models.recordings import finished_models

        return len(finished_models(folder))

    @staticmethod
    def stimuli(models: str, images: str) -> tuple[str, ...]:
        """Ids of the pictures that the models of a line-up are shown, or that a folder's models saw."""
        from analysis.models.lineup import extracted_folder, read_lineup

        if (folder := extracted_folder(models)) is not None:
            from analysis.models.recordings import read_stimuli

            return read_stimuli(folder)[0]
        from analysis.models.extraction import pictures_for  # loads PyTorch

        return pictures_for(read_lineup(models), images).ids

    def data_hashes(self) -> dict[str, str]:
        """Hashes of the pictures and of what the line-up names, beside those of files."""
        if self.models == "zoo" and self.images == "digits":
            return super().data_hashes()
        from analysis.data.pictures import open_pictures
        from analysis.models.extraction import lineup_hash

        hashes = {"images": open_pictures(self.images).sha256(), "models": lineup_hash(self.models)}
        return hashes | super().data_hashes()


class LearningParameters(LineupParameters):
    """Base of the parameters of a chapter that runs on a line-up, or else on networks that learn the pictures."""

    @field_validator("images")
    @classmethod
    def _the_zoo_can_learn_them(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("models", "zoo") == "zoo" and value not in ("digits", "mnist"):
            from analysis.data.images import load_images  # loads PyTorch

            try:
                load_images(value)
            except FileNotFoundError as error:
                raise ValueError(f"{error} Other pictures need 'models'.") from None
        return value

    @property
    def training_images(self) -> str:
        """What this book's own networks learn: the digits, where a line-up has pictures of its own."""
        return self.images if self.models == "zoo" else "digits"

    @staticmethod
    def n_learnt(info: ValidationInfo) -> int:
        """Number of the images that they learn and are tested on; of the digits while 'images' is itself refused."""
        images = info.data.get("images", "digits")
        if images == "digits" or info.data.get("models", "zoo") != "zoo":
            return N_DIGITS
        from analysis.data.images import load_images

        return len(load_images(images))


class DigitsParameters(LineupParameters):
    """Base of the parameters of a chapter that runs on a line-up, or else on networks that have learnt the digits."""

    @field_validator("images", mode="before")  # the others look for the pictures, and may download them
    @classmethod
    def _the_zoo_has_learnt_them(cls, value: Any, info: ValidationInfo) -> Any:
        if value != "digits" and info.data.get("models") == "zoo":
            raise ValueError(f"must be 'digits' for this book's own networks, got '{value}'; others need 'models'.")
        return value


class PublicRunParameters(ChapterParameters):
    """Base of the parameters of a run on public data, which names the public files that it reads."""

    def public_files(self) -> list[str]:
        """Names of the files in the registry of public data."""
        raise NotImplementedError

    def data_hashes(self) -> dict[str, str]:
        """SHA-256 of every public file that the run reads, as registered: no file needs to be there."""
        from analysis.data import registry

        return {name: registry.registered_hash(name) for name in self.public_files()}


def _is_variable(name: str, value: Any) -> bool:
    hidden = name.startswith("_") or name in _IPYTHON_NAMES
    return not hidden and not isinstance(value, types.ModuleType | type) and not callable(value)


def _file_hash(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sentence(model: type[ChapterParameters], problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return unknown("parameter", name, list(model.model_fields))
    if problem["type"] == "value_error":
        return f"Parameter '{name}': {problem['ctx']['error']}"
    return f"Parameter '{name}' must be {describe_rule(model, name)}, got {shortened(problem['input'])}."


def unknown(kind: str, name: str, known: list[str]) -> str:
    """One sentence for a name that does not exist, with the nearest one that does."""
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{nearest[0]}'?" if nearest else f"choose from {', '.join(known)}."
    return f"Unknown {kind} '{name if len(name) < 100 else name[:100] + '…'}': {hint}"


def describe_rule(model: type[ChapterParameters], name: str) -> str:
    """What parameter `name` must be, in words: ``"an integer of at least 1"``."""
    schema = model.model_json_schema()["properties"][name]
    if "enum" in schema:
        return "one of " + ", ".join(map(repr, schema["enum"]))
    words = {"integer": "an integer", "number": "a number", "string": "a text", "boolean": "true or false"}
    if schema["type"] == "array":
        bounds = schema["items"]
        return f"a list of values, each {words[bounds['type']]}" + _bounds(bounds)
    return words[schema["type"]] + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    phrases = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "exclusiveMaximum": "less than",
    }
    found = [f"{phrase} {schema[key]}" for key, phrase in phrases.items() if key in schema]
    return f" of {' and '.join(found)}" if found else ""

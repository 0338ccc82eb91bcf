"""Tables of answers: the user's own, and those of public files, joined by image; what is left out is counted."""

import csv
import re
import unicodedata
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.checks import choose
from analysis.data.registry import public_path, registry
from analysis.files import user_path

MODEL_VS_HUMAN = ("cue-conflict", "edge", "silhouette", "sketch", "stylized")
"""Image sets of the model-vs-human files (Geirhos et al. 2021)."""

_NO_ANSWER = "na"
_NO_ANSWER_MARKS = ("", "NA", _NO_ANSWER, "NaN", "nan")
_NUMBER = re.compile(r"[+-]?(?=\.?\d)\d*(?:\.\d*)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
# Before the image's own name, a trial's name has: number, experiment, session, condition, category, a number.
_TRIAL = re.compile(r"^\d{4}_(?:[^_]*_){5}")


@dataclass(frozen=True, eq=False)
class Predictions:
    """What models (or people) answered to the same stimuli.

    Parameters
    ----------
    answers : int64 array of shape (n_models, n_stimuli)
        Positions in `categories`; −1 = no answer.
    labels : int64 array of shape (n_stimuli,)
        The right answers; −1 = not known.
    models, stimuli, categories : tuple of str
        Names.
    left_out : dict
        What the source holds and this table does not, and answers that are missing: counts by reason.
    """

    answers: np.ndarray
    labels: np.ndarray
    models: tuple[str, ...]
    stimuli: tuple[str, ...]
    categories: tuple[str, ...]
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def accuracies(self) -> np.ndarray:
        """Share of right answers of each model among those it gave, shape (n_models,); NaN without any to judge."""
        judged = (self.answers >= 0) & (self.labels >= 0)
        answered = judged.sum(1)
        right = (judged & (self.answers == self.labels)).sum(1)
        return np.divide(right, answered, out=np.full(len(right), np.nan), where=answered > 0)

    def of(self, models: np.ndarray) -> "Predictions":
        """The answers of some models, by position or mask."""
        names = tuple(np.array(self.models, dtype=object)[models])
        return replace(self, answers=self.answers[models], models=names)


# ---------------------------------------------------------------------------------------------------------------------
# The user's own


def read_predictions(path: str | Path) -> Predictions:
    """Answers from a CSV file of the user's: a row a model, a column a stimulus.

    The first column holds the models' names. One row is named ``label`` and holds the right answers. Answers are
    categories in words or numbers; ``1``, ``1.0`` and ``01`` are one number. An empty field, ``NA``, ``na``, ``NaN``
    and ``nan`` are no answer. For instance::

        model,   img1, img2, img3
        label,   cat,  dog,  cat
        resnet,  cat,  dog,  dog
        vit,     cat,  cat,
        person1, cat,  dog,  cat

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Predictions
        Whose `left_out` counts the missing answers.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not as described; the message says what is wrong and where.

    Warns
    -----
    UserWarning
        If categories differ in nothing but case or Unicode form, as ``cat`` and ``Cat`` do; they stay two.
    """
    path = user_path(path)
    if not path.is_file():
        raise FileNotFoundError(f"'predictions' must be 'zoo' or the path of a CSV file; there is no file '{path}'.")
    try:
        stimuli, names, codes, spellings = _read_rows(path)
    except (csv.Error, ValueError, OSError) as error:  # among the ValueErrors, what is not UTF-8
        raise ValueError(f"'{path}' must be a CSV file, and could not be read: {error}.") from None
    _require_different(names, f"The first column of '{path}'", "model names")
    _require_different(stimuli, f"The first row of '{path}'", "stimulus names")
    if names.count("label") != 1 or len(names) < 3:
        raise ValueError(
            f"'{path}' must have a row named 'label' and rows of at least 2 models, got {', '.join(names) or 'no row'}."
        )
    return _from_codes(codes, spellings, names.index("label"), names, stimuli, path)


class _Spellings(dict[str, int]):
    """A number for each different field of a file, in the order in which they come."""

    def __missing__(self, field: str) -> int:
        self[field] = len(self)
        return self[field]


def _read_rows(path: Path) -> tuple[tuple[str, ...], list[str], np.ndarray, list[str]]:
    """Stimuli, names, the number of each field's spelling, and the spellings by number."""
    spellings, names, codes = _Spellings(), [], []
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = csv.reader(file, skipinitialspace=True, strict=True)
        head = next(rows, [])
        for row in filter(None, rows):
            if len(row) != len(head):
                raise ValueError(f"line {rows.line_num} has {len(row)} fields, and the first line {len(head)}")
            names.append(row[0].strip())
            codes.append(np.fromiter(map(spellings.__getitem__, row[1:]), np.int32, len(row) - 1))
    if not codes:
        raise ValueError("it holds no rows")
    return tuple(map(str.strip, head[1:])), names, np.stack(codes), list(spellings)


def _require_different(names: Sequence[str], where: str, what: str) -> None:
    doubled = [name for name, count in pd.Series(names, dtype=object).value_counts().items() if count > 1]
    if doubled or "" in names or not len(names):
        got = f"{doubled[0]!r} twice" if doubled and doubled[0] else "an empty one"
        raise ValueError(f"{where} must hold different {what}, got {got}.")


def _from_codes(
    codes: np.ndarray, spellings: list[str], label: int, names: list[str], stimuli: tuple[str, ...], path: Path
) -> Predictions:
    words = [_category(spelling) for spelling in spellings]
    categories = sorted(set(words) - {""}, key=_numbers_first)
    positions = {"": -1} | {word: place for place, word in enumerate(categories)}
    codes = np.array([positions[word] for word in words], np.int64)[codes]
    models = np.arange(len(names)) != label
    answers, labels = codes[models], codes[label]
    if (labels < 0).any():
        missing = stimuli[int(np.flatnonzero(labels < 0)[0])]
        raise ValueError(f"Row 'label' of '{path}' must have an answer for every stimulus, got none for {missing!r}.")
    if len(categories) < 2:
        raise ValueError(f"'{path}' must hold at least 2 different answers, got only {categories[0]!r}.")
    if "-1" in categories and positions["-1"] not in labels:
        raise ValueError(f"'{path}' must leave a field without an answer empty, got -1, which is no label.")
    kept = tuple(name for name, is_model in zip(names, models, strict=True) if is_model)
    silent = (answers < 0).all(1)
    if silent.any():
        got = kept[int(np.flatnonzero(silent)[0])]
        raise ValueError(f"Every model of '{path}' must have at least 1 answer, got none from {got!r}.")
    _warn_of_lookalikes(categories, path)
    left_out = {"missing answers": int((answers < 0).sum())}
    return Predictions(answers, labels, kept, stimuli, tuple(categories), left_out)


def _category(field: str) -> str:
    """The category that a field names, numbers in one spelling; ``""`` for no answer.

    >>> [_category(field) for field in ("1", "1.0", "01", " cat", "1.50", "-0", "NaN")]
    ['1', '1', '1', 'cat', '1.5', '0', '']
    """
    word = field.strip()
    if word in _NO_ANSWER_MARKS:
        return ""
    if not _NUMBER.fullmatch(word):
        return word
    plain = f"{Decimal(word):f}"  # without an exponent, and exact
    plain = plain.rstrip("0").rstrip(".") if "." in plain else plain
    sign, digits = ("-", plain[1:]) if plain.startswith("-") else ("", plain)
    digits = digits.lstrip("0") or "0"
    digits = f"0{digits}" if digits.startswith(".") else digits
    return digits if digits == "0" else sign + digits


def _numbers_first(word: str) -> tuple[bool, Decimal, str]:
    return (False, Decimal(word), word) if _NUMBER.fullmatch(word) else (True, Decimal(0), word)


def _warn_of_lookalikes(categories: list[str], path: Path) -> None:
    alike: dict[str, list[str]] = {}
    for word in categories:
        alike.setdefault(unicodedata.normalize("NFKC", word).casefold(), []).append(word)
    doubled = [" and ".join(map(ascii, words)) for words in alike.values() if len(words) > 1]
    if doubled:
        warnings.warn(
            f"'{path}' holds categories that differ only in case or Unicode form, and counts them as different: "
            f"{', '.join(doubled)}.",
            stacklevel=3,
        )


# ---------------------------------------------------------------------------------------------------------------------
# Public files


def imagenet_files() -> list[str]:
    """Registry names of the answers of 14 networks to the ImageNet validation images."""
    return [name for name in registry() if name.startswith("imagenet_predictions/")]


def load_imagenet_predictions() -> Predictions:
    """Answers of 14 networks to the 50,000 ImageNet validation images, joined on the image's name.

    The files list the images in different orders. `left_out` counts images that are not in every file.

    Returns
    -------
    Predictions

    Raises
    ------
    analysis.data.registry.DataError
        If a file is not to be had.
    ValueError
        If files contradict each other about an image's label.
    """
    return _joined({Path(name).stem: _imagenet_table(public_path(name)) for name in imagenet_files()})


def _imagenet_table(path: Path) -> pd.DataFrame:
    return pd.read_csv(path, header=None, names=["image", "answer", "label"]).set_index("image")


def _joined(tables: dict[str, pd.DataFrame]) -> Predictions:
    common = sorted(set.intersection(*(set(table.index) for table in tables.values())))
    everything = set.union(*(set(table.index) for table in tables.values()))
    aligned = [table.loc[common] for table in tables.values()]
    labels = np.stack([table["label"].to_numpy(np.int64) for table in aligned])
    _require_one_label(labels, common)
    answers = np.stack([table["answer"].to_numpy(np.int64) for table in aligned])
    categories = tuple(map(str, range(max(answers.max(), labels.max()) + 1)))
    left_out = {"images not in every file": len(everything) - len(common)}
    return Predictions(answers, labels[0], tuple(tables), tuple(common), categories, left_out)


def _require_one_label(labels: np.ndarray, stimuli: Sequence[str]) -> None:
    differing = (labels != labels[0]).any(0)
    if differing.any():
        raise ValueError(
            f"The files must agree on each image's label, got {int(differing.sum())} images with several, the first "
            f"{stimuli[int(np.flatnonzero(differing)[0])]!r}."
        )


@dataclass(frozen=True, eq=False)
class ModelVsHuman:
    """One image set of model-vs-human: networks and people on the same images, in the same order."""

    networks: Predictions
    humans: Predictions


def model_vs_human_files(dataset: str) -> list[str]:
    """Registry names of one image set's files."""
    choose(dataset, "dataset", MODEL_VS_HUMAN)
    return [name for name in registry() if name.startswith(f"model_vs_human/{dataset}/")]


def load_model_vs_human(dataset: str) -> ModelVsHuman:
    """Answers of networks and people to one of Geirhos and colleagues' image sets, in 16 categories.

    People saw the images in random order, and a trial's name starts with its number and five more fields; networks
    name the image itself, or a trial like a person's. Both are reduced to the image's own name. ``na`` is no answer,
    and so is an image that an observer's file does not hold: both are counted in `left_out`. The label of a cue
    conflict is its shape.

    Parameters
    ----------
    dataset : str
        One of `MODEL_VS_HUMAN`.

    Returns
    -------
    ModelVsHuman

    Raises
    ------
    analysis.data.registry.DataError
        If a file is not to be had.
    ValueError
        If an observer's file holds an image twice, or files contradict each other about a label.

    References
    ----------
    Geirhos et al. (2021), *Partial success in closing the gap between human and machine vision*, arXiv:2106.07411.
    """
    trials = [_trials(public_path(name)) for name in model_vs_human_files(dataset)]
    answers = pd.concat(trials, ignore_index=True)
    if answers.duplicated(["observer", "image"]).any():
        twice = answers[answers.duplicated(["observer", "image"])].iloc[0]
        raise ValueError(f"'{dataset}' must have each image once an observer, got {twice.image!r} of {twice.observer}.")
    if (answers.groupby("image")["label"].nunique() > 1).any():
        raise ValueError(f"The files of '{dataset}' must agree on each image's label.")
    people = answers["observer"].str.startswith("subject-")
    labels = answers.drop_duplicates("image").set_index("image")["label"].sort_index()
    return ModelVsHuman(_observers(answers[~people], labels), _observers(answers[people], labels))


def image_name(trial: str) -> str:
    """The image's own name, without what a trial's name has before it.

    >>> image_name("0001_s5n_s01_0_bird_00_bird3-bird2.png"), image_name("bird3-bird2.png")
    ('bird3-bird2.png', 'bird3-bird2.png')
    """
    return _TRIAL.sub("", trial)


def _trials(path: Path) -> pd.DataFrame:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    images = table["imagename"].map(image_name)
    columns = {"observer": table["subj"], "image": images, "answer": table["object_response"]}
    return pd.DataFrame({**columns, "label": table["category"]})


def _observers(trials: pd.DataFrame, labels: pd.Series) -> Predictions:
    categories = tuple(sorted(set(labels)))
    unknown = set(trials["answer"]) - {*categories, _NO_ANSWER}
    if unknown:
        raise ValueError(f"'object_response' must be one of the categories or '{_NO_ANSWER}', got {sorted(unknown)}.")
    words = trials.pivot(index="observer", columns="image", values="answer").reindex(columns=labels.index)
    answers = words.apply(lambda column: pd.Categorical(column, categories).codes).to_numpy(np.int64)
    left_out = {
        "trials without an answer": int((trials["answer"] == _NO_ANSWER).sum()),
        "images missing from an observer's file": int(words.isna().to_numpy().sum()),
    }
    codes = pd.Categorical(labels, categories).codes.astype(np.int64)
    return Predictions(answers, codes, tuple(words.index), tuple(labels.index), categories, left_out)


def load_cifar10h_counts() -> np.ndarray:
    """How many people chose each of 10 categories for the 10,000 CIFAR-10 test images, shape (10000, 10), int64.

    The number of people differs between images. (Peterson et al. 2019, *Human uncertainty makes classification more
    robust*, arXiv:1908.07086.)
    """
    counts = np.load(public_path("cifar10h/cifar10h-counts.npy"), allow_pickle=False)
    if counts.ndim != 2 or counts.min() < 0 or (counts != np.rint(counts)).any():
        raise ValueError(f"CIFAR-10H must be a table of counts, got {counts.dtype} of shape {counts.shape}.")
    return counts.astype(np.int64)

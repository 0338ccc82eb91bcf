"""Tables of answers: the user's own, and those of public files, joined by image; what is left out is counted."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.checks import choose
from analysis.data.registry import public_path, registry

MODEL_VS_HUMAN = ("cue-conflict", "edge", "silhouette", "sketch", "stylized")
"""Image sets of the model-vs-human files (Geirhos et al. 2021)."""

_NO_ANSWER = "na"
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
        The right answers.
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
        """Share of right answers of each model among those it gave, shape (n_models,); NaN without any answer."""
        answered = (self.answers >= 0).sum(1)
        right = (self.answers == self.labels).sum(1)
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
    categories in words or numbers; an empty field is no answer. For instance::

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
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"'predictions' must be 'zoo' or the path of a CSV file; there is no file '{path}'.")
    try:
        table = pd.read_csv(path, header=None, dtype=str, keep_default_na=False, skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"'{path}' must be a CSV file, and could not be read: {str(error).strip()}.") from None
    table = table.map(str.strip)
    names, stimuli = list(table.iloc[1:, 0]), tuple(table.iloc[0, 1:])
    _require_different(names, f"The first column of '{path}'", "model names")
    _require_different(stimuli, f"The first row of '{path}'", "stimulus names")
    words = table.iloc[1:, 1:].to_numpy()
    if names.count("label") != 1 or len(names) < 3:
        raise ValueError(
            f"'{path}' must have a row named 'label' and rows of at least 2 models, got {', '.join(names) or 'no row'}."
        )
    return _from_words(words, names.index("label"), names, stimuli, path)


def _require_different(names: Sequence[str], where: str, what: str) -> None:
    doubled = [name for name, count in pd.Series(names, dtype=object).value_counts().items() if count > 1]
    if doubled or "" in names or not len(names):
        got = f"{doubled[0]!r} twice" if doubled and doubled[0] else "an empty one"
        raise ValueError(f"{where} must hold different {what}, got {got}.")


def _from_words(words: np.ndarray, label: int, names: list[str], stimuli: tuple[str, ...], path: Path) -> Predictions:
    if (words[label] == "").any():
        missing = stimuli[int(np.flatnonzero(words[label] == "")[0])]
        raise ValueError(f"Row 'label' of '{path}' must have an answer for every stimulus, got none for {missing!r}.")
    categories = sorted(set(words.ravel()) - {""}, key=_numbers_first)
    if len(categories) < 2:
        raise ValueError(f"'{path}' must hold at least 2 different answers, got only {categories[0]!r}.")
    positions = {"": -1} | {word: place for place, word in enumerate(categories)}
    codes = np.vectorize(positions.__getitem__, otypes=[np.int64])(words)
    models = np.arange(len(names)) != label
    answers = codes[models]
    if (answers < 0).all(1).any():
        silent = np.array(names, dtype=object)[models][(answers < 0).all(1)][0]
        raise ValueError(f"Every model of '{path}' must have at least 1 answer, got none from {silent!r}.")
    left_out = {"missing answers": int((answers < 0).sum())}
    kept = tuple(name for name, is_model in zip(names, models, strict=True) if is_model)
    return Predictions(answers, codes[label], kept, stimuli, tuple(categories), left_out)


def _numbers_first(word: str) -> tuple[bool, int, str]:
    return (False, int(word), word) if word.isdecimal() else (True, 0, word)


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

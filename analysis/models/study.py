"""A study: models, what each recorded for the same stimuli, and who answered what; joined by id."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.data.answers import Predictions
from analysis.data.cifar10 import PeoplesCounts, load_cifar10_people
from analysis.data.joining import join
from analysis.data.pictures import drawn, open_pictures
from analysis.files import user_path
from analysis.models.extraction import recorded
from analysis.models.recordings import Extracted

Layers = Mapping[str, np.ndarray]
"""Layer → activations of shape (n_stimuli, n_units), in the order of the model."""

CIFAR10H = "cifar10h"
UNTRAINED = "untrained"
"""What a line-up calls the training of a model with random weights."""


@dataclass(frozen=True, eq=False)
class Study:
    """Models and stimuli.

    Attributes
    ----------
    models : pandas.DataFrame
        One row a model, by name: ``family``, ``motif``, ``training``.
    layers : mapping
        Model → its `Layers`; rows are `stimuli`.
    stimuli : tuple of str
        Ids.
    answers : Predictions or None
        Answers of the models that choose between the same categories; labels are −1 where there are none.
    people : numpy.ndarray or None
        Counts of people's answers, shape (n_stimuli, n_categories), in the order of the answers' categories.
    left_out : dict
        What could not take part, counted by reason.
    labels : tuple of str
        Names of the stimuli's categories; empty where unknown.
    """

    models: pd.DataFrame
    layers: Mapping[str, Layers]
    stimuli: tuple[str, ...]
    answers: Predictions | None = None
    people: np.ndarray | None = None
    left_out: dict[str, int] = field(default_factory=dict)
    labels: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The models, in order."""
        return list(self.models.index)

    @property
    def labelled(self) -> bool:
        """Whether every stimulus has a right answer."""
        return self.answers is not None and bool((self.answers.labels >= 0).all())

    def of(self, names: Sequence[str]) -> "Study":
        """The same for some of the models, in this order."""
        answers = self.answers
        if answers is not None:
            chosen = [answers.models.index(name) for name in names if name in answers.models]
            answers = answers.of(np.array(chosen, int)) if chosen else None
        return replace(self, models=self.models.loc[list(names)], answers=answers)

    def last(self, rows: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
        """Features of every model: its last recorded layer, shape (n_stimuli, n_units)."""
        return {name: np.asarray(list(self.layers[name].values())[-1][rows]) for name in self.names}


def study_of(
    models: str,
    images: str,
    *,
    layers: Sequence[str] = (),
    pool: str = "mean",
    people: str | None = None,
    at_most: int | None = None,
    seed: int = 0,
) -> Study:
    """What a line-up records on a set of pictures, with its answers and people's; kept in the cache.

    Parameters
    ----------
    models, images, layers, pool, at_most, seed
        As in `analysis.models.extraction.recorded`.
    people : str, optional
        As in `people_of`.
    """
    found = recorded(models, images, layers=layers, pool=pool, at_most=at_most, seed=seed)
    table = pd.DataFrame(
        [[model.family, model.motif, model.training] for model in found.models.values()],
        index=pd.Index(list(found.models), name="model"),
        columns=["family", "motif", "training"],
    )
    answers, left_out = answers_of(found)
    counts = people_of(people, answers) if people is not None and answers is not None else None
    layers_of = {name: model.layers for name, model in found.models.items()}
    return Study(table, layers_of, found.stimuli, answers, counts, left_out, found.labels)


def answers_of(found: Extracted) -> tuple[Predictions | None, dict[str, int]]:
    """Answers of the largest group of models with the same categories, and what is left out."""
    groups = Counter(model.classes for model in found.models.values() if model.classes is not None)
    left_out = {"models whose outputs are no answers": sum(model.classes is None for model in found.models.values())}
    if not groups:
        return None, left_out
    categories = groups.most_common(1)[0][0]
    chosen = {name: model for name, model in found.models.items() if model.classes == categories}
    left_out["models with other categories"] = groups.total() - len(chosen)
    places = {category: place for place, category in enumerate(categories)}
    labels = np.array([places.get(label, -1) for label in found.labels])
    left_out["stimuli without a label among the categories"] = int((labels < 0).sum())
    given = np.stack([np.argmax(model.logits, axis=1) for model in chosen.values()])
    answers = Predictions(given, labels, tuple(chosen), found.stimuli, tuple(categories))
    return answers, {reason: count for reason, count in left_out.items() if count}


def people_of(source: str, answers: Predictions) -> np.ndarray:
    """Counts of people's answers to the stimuli of `answers`, in the order of its categories.

    Parameters
    ----------
    source : str
        ``"cifar10h"``, or a CSV file with the columns ``stimulus`` and one a category, which hold counts.
    answers : Predictions

    Raises
    ------
    ValueError
        If a column or a stimulus is missing, or a count is none.
    """
    people = load_cifar10_people() if source == CIFAR10H else _read_counts(user_path(source))
    lacking = set(answers.categories) - set(people.categories)
    if lacking:
        raise ValueError(f"'people' must have a column for every category, got none for {sorted(lacking)[0]!r}.")
    rows = join({"models": answers.stimuli, "people": people.stimuli}, missing="count")
    if rows.left_out["models"]:
        raise ValueError(f"'people' must have every stimulus, got none for {rows.left_out['models']} of them.")
    columns = [people.categories.index(category) for category in answers.categories]
    return people.counts[rows.positions["people"]][:, columns]


def _read_counts(path: Path) -> PeoplesCounts:
    if not path.is_file():
        raise ValueError(f"'people' must be '{CIFAR10H}', 'none' or a CSV file; there is no file '{path}'.")
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    if "stimulus" not in table or len(table.columns) < 3:
        got = ", ".join(table.columns)
        raise ValueError(f"'{path}' must have the columns 'stimulus' and one a category, got {got}.")
    words = table.drop(columns="stimulus")
    counts = words.apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    if not (np.isfinite(counts).all() and (counts >= 0).all() and (counts == np.round(counts)).all()):
        raise ValueError(f"'{path}' must hold counts, 0 or more, in every field.")
    if (counts.sum(axis=1) == 0).any():
        raise ValueError(f"'{path}' must have at least 1 answer to every stimulus.")
    return PeoplesCounts(counts.astype(np.int64), tuple(table["stimulus"]), tuple(words.columns))


def shown(study: Study, images: str, rows: Sequence[int]) -> list[np.ndarray] | None:
    """Some of a study's pictures, RGB pixels; None if `images` are not those that it was made with."""
    pictures = open_pictures(images)
    if not set(study.stimuli) <= set(pictures.ids):
        return None
    joined = join({"study": [study.stimuli[row] for row in rows], "pictures": pictures.ids}, missing="count")
    return pictures.read(joined.positions["pictures"])


def some(n_stimuli: int, at_most: int, seed: int) -> np.ndarray:
    """Rows of all stimuli, or of `at_most` drawn ones in their order."""
    return np.arange(n_stimuli) if n_stimuli <= at_most else drawn(n_stimuli, at_most, seed)

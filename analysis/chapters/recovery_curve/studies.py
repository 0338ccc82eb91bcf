"""What an experiment starts from: features of models and an observer's answers, embedded or the user's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import pandas as pd

from analysis.chapters.recovery_curve.parameters import MODELS, row_names, row_numbers
from analysis.data.digits import DIGITS_SIZE
from analysis.data.images import Images, halves, load_images
from analysis.models.activations import record
from analysis.models.extraction import MAX_UNITS
from analysis.models.preprocessing import Grey
from analysis.models.study import shown, some
from analysis.models.study import study_of as recorded_study
from analysis.models.zoo import load_zoo
from analysis.recovery.features import normalised
from analysis.recovery.observers import Observer, load_features, simulated_observer
from analysis.recovery.people import others_answer
from analysis.recovery.trials import load_answers

Features = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Study:
    """What an experiment starts from.

    `features` has one array (n_objects, units) a model, `observer` the answers about these objects, `models` one row a
    model (family, training, layer, units). `objects` are the pictures, grey of shape (height, width) or RGB of shape
    (height, width, 3); None where they are not known.
    """

    features: Features
    observer: Observer
    models: pd.DataFrame
    objects: Sequence[np.ndarray] | None

    @property
    def simulated(self) -> bool:
        """Whether the observer is simulated, and so known."""
        return self.observer.similarity is not None

    @property
    def n_objects(self) -> int:
        """Objects that triplets are drawn from."""
        return len(next(iter(self.features.values())))

    @property
    def target(self) -> str:
        """What geometries are compared with, see `convergence`."""
        return "simulated observer" if self.simulated else "mean of the other fitted models"


def study_of(parameters) -> Study:
    """The study that a chapter's `Parameters` describe."""
    if parameters.features != "zoo":
        return own_study(parameters.features, parameters.triplets)
    if parameters.models != "zoo":
        return lineup_study(parameters)
    return zoo_study(
        load_images(parameters.images),
        MODELS,
        parameters.n_objects,
        pooled=parameters.pooled,
        seed=parameters.first_seed,
        triplets=parameters.triplets,
        **_observer_options(parameters, parameters.n_objects),
    )


def _observer_options(parameters, n_objects: int) -> dict:
    """Options of `simulated_observer`, but for the seed; few objects have few different triplets."""
    weights = {name: getattr(parameters, name) for name in ("pixels", "classes", "strokes")}
    return {"n_triplets": min(parameters.n_answers, comb(n_objects, 3)), "ceiling": parameters.ceiling, **weights}


def zoo_study(
    images: Images, models: Sequence[str], n_objects: int, *, pooled: bool, seed: int, triplets: str, **observer
) -> Study:
    """Networks of the zoo look at images that they were not trained on; someone has answered triplets of these.

    Features are the last recorded layer but one, every unit of it; or, `pooled`, the last one averaged over space.
    `triplets` is ``"simulated"`` or a file of answers; `observer` is passed to `simulated_observer`.
    """
    train, objects = _learnt_and_shown(images, n_objects, seed)
    networks = load_zoo(models, images=images, train_indices=train, seed=seed)
    layers = {net.name: net.layers[-1 if pooled or len(net.layers) < 2 else -2] for net in networks}
    pool = "mean" if pooled else None
    seen = {net.name: record(net.module, objects.x, layers[net.name], pool=pool).values.numpy() for net in networks}
    table = pd.DataFrame(
        [[net.name, net.family, net.training, layers[net.name], seen[net.name].shape[1]] for net in networks],
        columns=["model", "family", "training", "layer", "units"],
    ).set_index("model")
    if triplets == "simulated":
        answers = simulated_observer(objects.x[:, 0].numpy(), objects.y.numpy(), seed=seed, **observer)
    else:
        answers = load_answers(triplets, row_numbers(n_objects))
    pictures = list(objects.x[:, 0].numpy())
    return Study({name: normalised(values) for name, values in seen.items()}, answers, table, pictures)


def _learnt_and_shown(images: Images, n_objects: int, seed: int) -> tuple[np.ndarray, Images]:
    """Rows of the images that networks learn, and the objects, drawn from the others."""
    train, held_out = halves(images, seed)
    if n_objects > len(held_out):
        raise ValueError(f"'n_objects' must be at most {len(held_out)}, the images held out, got {n_objects}.")
    rows = np.random.default_rng(seed).choice(held_out, n_objects, replace=False)
    return train, images.subset(np.sort(rows))


RELATED = ("cnn", "cnn-slim", "vit-32-d3-p4", "vit-40-d2-p4-noise")
"""Two families of two networks each, whose layers and seeds are candidates that are alike."""


def related_study(study: Study, networks: Sequence[str], *, n_objects: int, seed: int) -> Study:
    """Candidates that are alike: each network's last layer but one, the same of another seed, and its last layer.

    They look at the objects of `zoo_study`, whose observer is that of `study`. `models` has one row a candidate
    (network, family, seed, layer).
    """
    images = load_images("digits")
    train, objects = _learnt_and_shown(images, n_objects, seed)
    features, rows = {}, []
    for other, places in ((0, {"last but one": -2, "last": -1}), (1, {"last but one": -2})):
        for net in load_zoo(networks, images=images, train_indices=train, seed=seed + other):
            for layer, place in places.items():
                name = f"{net.name}, {layer}, seed {seed + other}"
                features[name] = normalised(record(net.module, objects.x, net.layers[place]).values.numpy())
                rows.append([name, net.name, net.family, seed + other, layer])
    table = pd.DataFrame(rows, columns=["model", "network", "family", "seed", "layer"]).set_index("model")
    return Study(features, study.observer, table, study.objects)


def lineup_study(parameters) -> Study:
    """Models of a line-up look at pictures, as many as are asked for; to a file of answers, all pictures are objects.

    Features are the last recorded layer, every unit of it (a sample of `MAX_UNITS` beyond that many) or, `pooled`,
    averaged over space or tokens. The simulated observer sees the pictures in grey, `DIGITS_SIZE` pixels wide; it has
    no use for classes where no two pictures share one, or all do.
    """
    simulated, seed = parameters.triplets == "simulated", parameters.first_seed
    at_most = parameters.n_objects if simulated else None
    pool = "mean" if parameters.pooled else "none"
    seen = recorded_study(parameters.models, parameters.images, pool=pool, at_most=at_most, seed=seed)
    n_stimuli = len(seen.stimuli)
    rows = some(n_stimuli, at_most or n_stimuli, seed)  # a folder of activations has its own pictures
    features = {name: normalised(table) for name, table in seen.last(rows).items()}
    described = {"layer": [list(seen.layers[name])[-1] for name in seen.names]}
    table = seen.models.assign(**described, units=[table.shape[1] for table in features.values()])
    if parameters.rank > table["units"].min():
        raise ValueError(
            f"'rank' must be at most {table['units'].min()}, the units of the narrowest model, got {parameters.rank}."
        )
    pictures = shown(seen, parameters.images, rows)
    if not simulated:
        return Study(features, load_answers(parameters.triplets, seen.stimuli), table, pictures)
    labels = np.unique([seen.labels[row] for row in rows], return_inverse=True)[1]
    observer = _observer_options(parameters, len(rows))
    if labels.max() in (0, len(labels) - 1):
        observer["classes"] = 0.0
    grey = Grey(DIGITS_SIZE)(pictures)[:, 0].numpy()
    return Study(features, simulated_observer(grey, labels, seed=seed, **observer), table, pictures)


FEWEST_REPEATED = 100
"""Answers to triplets that others answered too, below which they say too little of the noise."""

_CEILINGS = (0.35, 0.99)  # between a guess and certainty, where temperatures exist


def calibrated(parameters, study: Study):
    """The parameters, with the ceiling of the study's own people where enough of their answers repeat."""
    if study.simulated:
        return parameters
    credit = others_answer(study.observer)
    known = credit[np.isfinite(credit)]
    if len(known) < FEWEST_REPEATED:
        return parameters
    return parameters.model_copy(update={"ceiling": float(known.mean().clip(*_CEILINGS).round(3))})


def told_features(parameters) -> str:
    """What the features of a study are, in words."""
    if parameters.features != "zoo":
        return "those of the files"
    layer = "last recorded layer" if parameters.pooled or parameters.models != "zoo" else "last recorded layer but one"
    pooled = "averaged over space or tokens" if parameters.pooled else "every unit of it"
    sampled = f", or a sample of {MAX_UNITS:,}" if parameters.models != "zoo" and not parameters.pooled else ""
    return f"the {layer} of each model, {pooled}{sampled}"


def own_study(folder: str, triplets: str) -> Study:
    """Features and human answers from the user's files; a model's family is its name up to the first dash."""
    features = {name: normalised(table) for name, table in load_features(folder).items()}
    n_objects = len(next(iter(features.values())))
    rows = [[name, name.split("-")[0], "unknown", "unknown", table.shape[1]] for name, table in features.items()]
    table = pd.DataFrame(rows, columns=["model", "family", "training", "layer", "units"]).set_index("model")
    return Study(features, load_answers(triplets, row_names(folder, n_objects)), table, None)


def averaged(parameters) -> Study:
    """The same study with the last layer averaged over space; a study of the user's own stays as it is."""
    return study_of(parameters.model_copy(update={"pooled": True}))


def leading_axes(table: np.ndarray, n_axes: int) -> np.ndarray:
    """Scores on the first principal axes, normalised again."""
    axes = np.linalg.svd(table, full_matrices=False)[2][:n_axes]
    return normalised(table @ axes.T)


def training_objects(n_objects: int, n_folds: int) -> int:
    """Objects that triplets for fitting are drawn from in one fold, the smallest where folds differ."""
    rest = n_objects - -(-n_objects // n_folds)
    return rest - round(0.3 * rest)

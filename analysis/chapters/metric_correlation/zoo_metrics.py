"""The zoo's own metrics: every network beside a held-out reference network, a simulated observer and the labels."""

import tempfile
import warnings
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from analysis.cache import kept
from analysis.chapters.metric_correlation import lineup_metrics
from analysis.chapters.metric_correlation.parameters import Parameters, read_own
from analysis.data.corruptions import KINDS, corrupt
from analysis.data.images import Images, halves, load_images
from analysis.data.leaderboards import Leaderboard, read_table
from analysis.measures import agreement
from analysis.measures.agreement import contrastive_stimuli, stimulus_agreement
from analysis.measures.cka import cka_matrix
from analysis.measures.error_consistency import correctness, error_consistency_matrix
from analysis.measures.neuron_ceiling import corrected_score
from analysis.measures.rsa import rsa_matrix
from analysis.models.activations import record
from analysis.models.attacks import sign_gradient_step
from analysis.models.baselines import INK, PIXELS, baselines
from analysis.models.comparison import compare_networks
from analysis.models.training import predict
from analysis.models.zoo import Network, load_network, load_zoo
from analysis.models.zoo_networks import ZOO
from analysis.progress import steps
from analysis.recovery.observers import Observer, simulated_observer
from analysis.recovery.triplets import choice_probabilities

DEPTHS = ("early", "middle", "late")
CLEAN = "clean"
ODD_ONE_OUT, CLEAN_ACCURACY = "odd one out (simulated)", f"accuracy: {CLEAN}"

TREE = {
    "neural": {depth: [f"{depth} units", f"{depth} CKA", f"{depth} RSA"] for depth in DEPTHS},
    "behaviour": [
        "contrastive images",
        {"error consistency": [f"errors: {kind}" for kind in KINDS]},
        ODD_ONE_OUT,
    ],
    "accuracy": [
        CLEAN_ACCURACY,
        {"corrupted": [f"accuracy: {kind}" for kind in KINDS]},
        {"attacked": ["accuracy: own attack", "accuracy: reference's attack"]},
    ],
}
"""The metrics and how they are averaged: likeness to the reference's layers, likeness of answers, right answers."""


@dataclass(frozen=True)
class Protocol:
    """What the zoo is put through.

    Parameters
    ----------
    reference : str
        Architecture of the reference network; it is trained from another seed and is not in the table.
    severity : int
        Of the corruptions, 1 to 5.
    step : float
        Length of the sign-gradient step, in 1/255 of the pixel range.
    n_contrastive : int
        Images on which the zoo agrees least.
    n_triplets : int
        Odd-one-out trials of the simulated observer.
    seed : int
        Of the split, the networks and the observer.
    """

    reference: str
    severity: int
    step: float
    n_contrastive: int
    n_triplets: int
    seed: int


def measure_zoo(images: Images, protocol: Protocol) -> Leaderboard:
    """The zoo's table, read through the same door as anybody's: a CSV with models in rows, and groups of metrics."""
    networks, scores, _ = _scores(images, protocol)
    scores = scores.astype(object).where(scores.notna(), "X")
    scores.insert(0, "family", [network.family for network in networks])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zoo.csv"
        scores.to_csv(path, index_label="model")
        return read_table(path, TREE)


def board_of(parameters: Parameters) -> Leaderboard:
    """The table that a run's parameters ask for: the zoo's, that of a line-up, or a user's own."""
    if parameters.models != "zoo":
        return lineup_metrics.board_of(parameters)
    if parameters.table != "zoo":
        return read_own(parameters.table, parameters.groups)
    return measure_zoo(load_images("digits"), _protocol(parameters))


def baselines_of(parameters: Parameters) -> pd.DataFrame:
    """What pixels and ink score, in rows, on the metrics that compare representations, in columns.

    Metrics that need answers are no columns; a measure that is not defined for a single unit is NaN.
    """
    return _scores(load_images("digits"), _protocol(parameters))[2]


def _protocol(parameters: Parameters) -> Protocol:
    return Protocol(**parameters.model_dump(include={field.name for field in fields(Protocol)}))


def subsets(parameters: Parameters, board: Leaderboard) -> dict[str, pd.Index]:
    """The models without those that were spoiled on purpose or are not trained; none of a table of one's own."""
    if parameters.models != "zoo":
        return lineup_metrics.subsets(parameters)
    if parameters.table != "zoo":
        return {}
    normal = [name for name in board.scores.index if ZOO[name].training == "normal"]
    return {"normally trained networks": pd.Index(normal, name="model")}


def _scores(images: Images, protocol: Protocol) -> tuple[list[Network], pd.DataFrame, pd.DataFrame]:
    """The networks, their scores and those of the baselines."""
    train, test = halves(images, protocol.seed)
    networks = load_zoo(images=images, train_indices=train, seed=protocol.seed)
    reference = load_network(protocol.reference, images, train, seed=protocol.seed + 1)
    found = kept("zoo_metrics", _measured, networks, reference, images.subset(test), protocol)
    names = [network.name for network in networks]
    scores = pd.DataFrame(found["scores"], names, found["metrics"].tolist())
    return networks, scores, pd.DataFrame(found["baselines"], [PIXELS, INK], found["compared"].tolist())


def _measured(networks: list[Network], reference: Network, test: Images, protocol: Protocol) -> dict[str, np.ndarray]:
    views = _views(test.x, reference, test.y, protocol)
    answers = [_answers(network, views, test.y, protocol) for network in steps(networks, "zoo answers")]
    theirs = _answers(reference, views, test.y, protocol)
    whole, pooled = (
        [landmarks(network, test.x, pool) for network in steps([reference, *networks], "zoo layers")]
        for pool in (None, "mean")
    )
    without = [dict.fromkeys(DEPTHS, baseline.values) for baseline in baselines(test.x).values()]
    observer = simulated_observer(test.x[:, 0], test.y, protocol.n_triplets, seed=protocol.seed)
    compared = layer_likeness([*whole, *without], [*pooled, *without])
    late = [layers["late"] for layers in (*whole[1:], *without)]
    compared[ODD_ONE_OUT] = np.array([predicted_choices(features, observer) for features in late])
    columns = {name: values[: len(networks)] for name, values in compared.items()}
    deciding = np.array([network.training != "untrained" for network in networks])
    columns |= answer_likeness(answers, theirs, test.y.numpy(), protocol.n_contrastive, deciding)
    columns |= accuracies(answers, test.y.numpy())
    return {
        "scores": np.stack(list(columns.values()), axis=1),
        "metrics": np.array(list(columns)),
        "baselines": np.stack([values[len(networks) :] for values in compared.values()], axis=1),
        "compared": np.array(list(compared)),
    }


def _views(x: torch.Tensor, reference: Network, y: torch.Tensor, protocol: Protocol) -> dict[str, torch.Tensor]:
    """The test images as they are, corrupted, and attacked through the reference."""
    corrupted = {kind: corrupt(x, kind, protocol.severity, seed=protocol.seed) for kind in KINDS}
    attacked = sign_gradient_step(reference.module, x, y, epsilon=protocol.step / 255)
    return {CLEAN: x, **corrupted, "reference's attack": attacked}


def _answers(network: Network, views: dict, y: torch.Tensor, protocol: Protocol) -> dict[str, np.ndarray]:
    """What a network answers to every view of the images, and to those attacked through itself."""
    own = sign_gradient_step(network.module, views[CLEAN], y, epsilon=protocol.step / 255)
    return {name: predict(network.module, x).numpy() for name, x in {**views, "own attack": own}.items()}


def landmarks(network: Network, x: torch.Tensor, pool: str | None) -> dict[str, torch.Tensor]:
    """Activations of the early, middle and late layer, in one pass; in shallow networks they coincide."""
    names = network.landmarks
    seen = record(network.module, x, tuple(dict.fromkeys(names.values())), pool=pool)
    return {depth: seen.by_layer(names[depth]) for depth in DEPTHS}


def layer_likeness(whole: list[dict], pooled: list[dict]) -> dict[str, np.ndarray]:
    """CKA and RSA of whole layers, and matched units of pooled ones, with the reference, which comes first."""
    columns = {}
    for depth in DEPTHS:
        theirs, *ours = [layers[depth] for layers in whole]
        columns[f"{depth} CKA"] = cka_matrix([theirs, *ours])[0, 1:]
        columns[f"{depth} RSA"] = _rsa_with(theirs, ours)
        units = [layers[depth] for layers in pooled]
        columns[f"{depth} units"] = np.array([matched_units(own, units[0]) for own in units[1:]])
    return columns


def _rsa_with(reference: torch.Tensor, features: list[torch.Tensor]) -> np.ndarray:
    """RSA with the reference; a failed run (NaN) where an image leaves a whole layer at one activation."""
    rho = np.full(len(features), np.nan)
    defined = [row for row, x in enumerate(features) if not (x == x[:, :1]).all(1).any()]
    rho[defined] = rsa_matrix([reference, *(features[row] for row in defined)])[0, 1:]
    return rho


def matched_units(units: torch.Tensor, reference: torch.Tensor) -> float:
    """Neuronal correlation of two layers, both ways, above its floor: 1 = all units have twins, 0 = unrelated units."""
    ways = [compare_networks(*pair, n_permutations=3) for pair in ((units, reference), (reference, units))]
    score, floor, ceiling = (sum(getattr(way, part) for way in ways) / 2 for part in ("score", "floor", "ceiling"))
    return corrected_score(score, floor, ceiling)


def answer_likeness(
    answers: list[dict], theirs: dict, labels: np.ndarray, n_contrastive: int, deciding: np.ndarray
) -> dict[str, np.ndarray]:
    """Error consistency with the reference under every corruption, and shared answers to contrastive images.

    The `deciding` networks say which images are contrastive.
    """
    columns = {}
    for kind in KINDS:
        right = [correctness(np.stack(table), labels) for table in ([own[kind] for own in answers], [theirs[kind]])]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # where it is undefined, the table says that the run failed
            columns[f"errors: {kind}"] = error_consistency_matrix(*right).kappa[:, 0]
    given = np.stack([own[CLEAN] for own in answers])
    counts = agreement.count_table(given[deciding], int(labels.max()) + 1)
    chosen = contrastive_stimuli(stimulus_agreement(counts), n_contrastive)
    columns["contrastive images"] = (given[:, chosen] == theirs[CLEAN][chosen]).mean(axis=1)
    return columns


def predicted_choices(features: torch.Tensor, observer: Observer) -> float:
    """Share of an observer's odd-one-out choices that the inner products of centred features predict; a guess: 1/3."""
    centred = features.double() - features.double().mean(0)
    predicted = choice_probabilities((centred @ centred.T).numpy(), observer.triplets).argmax(axis=1)
    return float((predicted == observer.choices).mean())


def accuracies(answers: list[dict], labels: np.ndarray) -> dict[str, np.ndarray]:
    """Share of right answers to every view of the images."""
    return {
        f"accuracy: {view}": np.array([(own[view] == labels).mean() for own in answers])
        for view in (CLEAN, *KINDS, "own attack", "reference's attack")
    }

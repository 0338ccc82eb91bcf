"""The chapter's experiments: networks in, tidy tables out."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import joblib
import numpy as np
import pandas as pd
import torch
from torch import nn

from analysis.chapters.neuron_correlation.attack import Attack, attack_laboratory, attacked_rounds
from analysis.chapters.neuron_correlation.reported import CNN_LAYER_SIZES, N_PROBE, NET_CNN, NET_NET, NETS
from analysis.data.corruptions import KINDS, corrupt
from analysis.data.images import Images, halves, split
from analysis.intervals import Measured, bootstrap_interval, spearman
from analysis.measures.neuron_ceiling import attainable_ceiling, corrected_score
from analysis.measures.neuron_floor import chance_level, chance_score
from analysis.measures.neurons import neuronal_correlation, symmetric_score
from analysis.models.activations import Activations, record
from analysis.models.architectures import cnn, mlp, recorded_layers
from analysis.models.baselines import baselines
from analysis.models.comparison import compare_networks
from analysis.models.training import Recipe, accuracy
from analysis.models.trainings import Training, cached_all
from analysis.models.zoo import Network, load_network, load_zoo, untrained
from analysis.models.zoo_networks import CNN_RECIPE, MLP_RECIPE, ZOO
from analysis.progress import steps

PENALTIES = {"index": "index", "relative": "relative", "none": None}
CORRUPTION_SEVERITY = 3


@dataclass(frozen=True, eq=False)
class Laboratory:
    """One seed's networks: the paper's five perceptrons and its CNN, and what their units do on the test images."""

    seed: int
    networks: dict[str, nn.Module]
    activations: dict[str, Activations]
    test: Images


def train_laboratories(
    images: Images, seeds: Sequence[int], *, mlp_recipe: Recipe = MLP_RECIPE, cnn_recipe: Recipe = CNN_RECIPE
) -> list[Laboratory]:
    """Train the paper's networks anew for every seed, on another random 75 % of the images each time."""
    sizes = {"size": images.size, "n_classes": images.n_classes}
    builds = {name: (partial(mlp, widths, **sizes), mlp_recipe) for name, widths in NETS.items()}
    builds["CNN"] = (partial(cnn, **sizes), cnn_recipe)
    jobs = [(seed, name) for seed in seeds for name in builds]
    trainings = [Training(*builds[name], images, split(images, seed=seed)[0], seed) for seed, name in jobs]
    networks = dict(zip(jobs, cached_all(trainings), strict=True))
    return [_laboratory(images, seed, {name: networks[seed, name] for name in builds}) for seed in seeds]


def _laboratory(images: Images, seed: int, networks: dict[str, nn.Module]) -> Laboratory:
    test = images.subset(split(images, seed=seed)[1])
    seen = {name: record(network, test.x, recorded_layers(network)) for name, network in networks.items()}
    return Laboratory(seed, networks, seen, test)


def clean_accuracies(laboratories: list[Laboratory]) -> pd.DataFrame:
    """Accuracy of every network on its test images."""
    rows = [
        {"seed": lab.seed, "network": name, "accuracy": accuracy(network, lab.test.x, lab.test.y)}
        for lab in laboratories
        for name, network in lab.networks.items()
    ]
    return pd.DataFrame(rows)


def nearest_class_mean(images: Images, seeds: Sequence[int]) -> pd.DataFrame:
    """Accuracy on the test images of naming the class whose mean training image is nearest: a baseline of ten means."""
    rows = []
    for seed in seeds:
        train, test = (images.subset(positions) for positions in split(images, seed=seed))
        means = torch.stack([train.x[train.y == label].double().mean(0) for label in range(images.n_classes)])
        nearest = torch.cdist(test.x.flatten(1).double(), means.flatten(1)).argmin(1)
        share = float((nearest == test.y).double().mean())
        rows.append({"seed": seed, "network": "nearest class mean", "accuracy": share})
    return pd.DataFrame(rows)


def compare(
    source: Activations,
    target: Activations,
    penalty: str,
    *,
    stimuli: np.ndarray | slice = slice(None),
    n_permutations: int = 10,
) -> dict[str, float]:
    """Score source → target on some of the stimuli, with its two floors, its ceiling and its corrected value.

    `shuffled` is one more score with the stimuli shuffled, which has no part in the floor: what noise scores.
    """
    found = compare_networks(
        source.values[stimuli],
        target.values[stimuli],
        source_layer=source.layer,
        target_layer=target.layer,
        penalty=PENALTIES[penalty],
        n_permutations=n_permutations + 1,
    )
    *shuffles, shuffled = found.shuffled
    floor = float(np.mean(shuffles))
    return {
        "score": found.score,
        "chance": found.chance,
        "floor": floor,
        "ceiling": found.ceiling,
        "corrected": corrected_score(found.score, floor, found.ceiling),
        "shuffled": shuffled,
        "shuffled corrected": corrected_score(shuffled, floor, found.ceiling),
    }


def net_pairs(laboratories: list[Laboratory], penalty: str) -> pd.DataFrame:
    """Scores of the ten pairs of perceptrons, first → second, on all test images."""
    rows = [
        {"seed": lab.seed, "source": a, "target": b} | compare(lab.activations[a], lab.activations[b], penalty)
        for lab in steps(laboratories, "net–net scores")
        for a, b in combinations(NETS, 2)
    ]
    return pd.DataFrame(rows)


def agreement_with_print(pairs: pd.DataFrame) -> float:
    """Spearman's ρ over the ten pairs between this run's mean scores and the printed ones."""
    means = pairs.groupby(["source", "target"])["score"].mean()
    return spearman(means.loc[list(NET_NET)].to_numpy(), np.array(list(NET_NET.values())))


def net_to_cnn(laboratories: list[Laboratory], penalty: str, n_probe: int, *, n_draws: int = 10) -> pd.DataFrame:
    """Scores net → CNN on `n_probe` random test images, averaged over draws of the images."""
    rows = []
    for lab in steps(laboratories, "net → CNN scores"):
        n_images = min(n_probe, len(lab.test))
        draws = [draw_stimuli(len(lab.test), n_images, lab.seed, draw) for draw in range(n_draws)]
        for net in NETS:
            found = [compare(lab.activations[net], lab.activations["CNN"], penalty, stimuli=draw) for draw in draws]
            rows.append({"seed": lab.seed, "net": net, "n_probe": n_images, **pd.DataFrame(found).mean()})
    return pd.DataFrame(rows)


def draw_stimuli(n_stimuli: int, n_drawn: int, seed: int, draw: int) -> np.ndarray:
    """Positions of `n_drawn` different stimuli, by seed and number of the draw."""
    return np.random.default_rng((seed, draw)).choice(n_stimuli, n_drawn, replace=False)


def paper_floor() -> pd.DataFrame:
    """The paper's printed net → CNN scores beside what independent noise of the same layer sizes scores."""
    target = np.repeat(range(len(CNN_LAYER_SIZES)), CNN_LAYER_SIZES)
    sources = {net: np.repeat(range(len(widths)), widths) for net, widths in NETS.items()}
    return pd.DataFrame(
        {
            "net": list(NETS),
            "printed": list(NET_CNN.values()),
            "chance": [chance_score(N_PROBE, source, target) for source in sources.values()],
            "ceiling": [attainable_ceiling(source, target) for source in sources.values()],
        }
    )


def floor_by_units() -> pd.DataFrame:
    """What a unit finds among unrelated ones, by how many there are to choose from and the number of images."""
    images, units = (5, 10, 20, 50, 100, 500, 2000), np.unique(np.geomspace(1, 20_000, 25).round().astype(int))
    rows = [(n, m, chance_level(n_stimuli=n, n_target_units=int(m))) for n in images for m in units]
    return pd.DataFrame(rows, columns=["images", "units", "chance"])


def noise_to_cnn(n_probe: int, *, n_draws: int = 20, seed: int = 0) -> pd.DataFrame:
    """Simulated: scores of independent Gaussian noise of the paper's layer sizes, one row a net and draw."""
    rng = np.random.default_rng(seed)
    target_layer = np.repeat(range(len(CNN_LAYER_SIZES)), CNN_LAYER_SIZES)
    rows = []
    for net, widths in NETS.items():
        layers = {"source_layer": np.repeat(range(len(widths)), widths), "target_layer": target_layer}
        for draw in range(n_draws):
            source, target = (rng.standard_normal((n_probe, len(layer))) for layer in layers.values())
            rows.append({"net": net, "draw": draw, "noise": neuronal_correlation(source, target, **layers).score})
    return pd.DataFrame(rows)


def probe_sizes(n_stimuli: int) -> list[int]:
    """Numbers of probe images from 5 to all, evenly spaced on a logarithmic axis."""
    return sorted({min(n, n_stimuli) for n in (5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000)})


def probe_curve(
    laboratories: list[Laboratory], sizes: Sequence[int] | None = None, *, n_draws: int = 2
) -> pd.DataFrame:
    """Scores net → CNN, floors and corrected scores against the number of probe images, for every penalty."""
    rows = []
    for lab in steps(laboratories, "probe images"):
        for n_probe in sizes or probe_sizes(len(lab.test)):
            different = n_draws if n_probe < len(lab.test) else 1
            draws = [draw_stimuli(len(lab.test), n_probe, lab.seed, draw) for draw in range(different)]
            for penalty in PENALTIES:
                rows += [
                    {"seed": lab.seed, "net": net, "penalty": penalty, "n_probe": n_probe}
                    | compare(lab.activations[net], lab.activations["CNN"], penalty, stimuli=draw, n_permutations=2)
                    for net in NETS
                    for draw in draws
                ]
    return pd.DataFrame(rows)


def attack_laboratories(
    laboratories: list[Laboratory], *, n_rounds: int, step: float, recipe: Recipe = CNN_RECIPE
) -> list[Attack]:
    """Attack every laboratory's test images with an adversary of its own."""
    attacked = joblib.Parallel(n_jobs=-1, return_as="generator")(
        joblib.delayed(attack_laboratory)(lab.networks, lab.test, lab.seed, n_rounds, step, recipe)
        for lab in laboratories
    )
    return list(steps(attacked, "attacking", len(laboratories)))


def within_seed_correlation(table: pd.DataFrame, score: str) -> pd.Series:
    """Pearson's r over nets between a score and the accuracy under attack, one value a seed (NaN: no variation)."""
    return table.groupby("seed")[[score, "accuracy"]].apply(lambda rows: rows[score].corr(rows["accuracy"]))


@dataclass(frozen=True, eq=False)
class ZooScores:
    """The zoo on the images that it was not trained on: one row a network, and the matrix of corrected scores."""

    table: pd.DataFrame
    matrix: np.ndarray
    stability: pd.DataFrame
    controls: pd.DataFrame


def compare_zoo(images: Images, *, penalty: str, seed: int, n_rounds: int, step: float) -> ZooScores:
    """Score all pairs of the zoo, and every network with a trusted one: the paper's CNN from another seed."""
    train, test_rows = halves(images, seed)
    networks = load_zoo(images=images, train_indices=train, seed=seed)
    trusted = load_network("cnn", images, train, seed=seed + 1)
    test = images.subset(test_rows)
    seen = [record(network.module, test.x, network.layers, pool="mean") for network in networks]
    reference = record(trusted.module, test.x, trusted.layers, pool="mean")
    stimuli = {"clean": [test.x], "corrupted": [corrupt(test.x, kind, CORRUPTION_SEVERITY) for kind in KINDS]}
    stimuli["attacked"] = [attacked_rounds(test, n_rounds=n_rounds, step=step, seed=seed)[-1]]
    table = pd.DataFrame([_described(network, stimuli, test.y) for network in steps(networks, "zoo accuracies")])
    for name in PENALTIES:
        both = [_both_ways(activations, reference, name) for activations in steps(seen, "zoo and trusted network")]
        for column in ("score", "corrected", "shuffled"):
            table[f"{column} ({name})"] = [found[column] for found in both]
    controls = pd.concat([_untrained(images, test.x, reference, seed), _baselines(test.x, reference)])
    return ZooScores(table, _matrix(seen, penalty), _stability(seen, reference, penalty), controls)


def _untrained(images: Images, x: torch.Tensor, reference: Activations, seed: int, n_each: int = 3) -> pd.DataFrame:
    """Corrected scores with the trusted network of untrained networks of every normally trained architecture."""
    kinds = {name: kind for name, kind in ZOO.items() if kind.training == "normal"}
    rows = []
    for name, kind in steps(kinds.items(), "untrained networks", len(kinds)):
        for number in range(n_each):
            module = untrained(kind, images, seed=seed + number)
            seen = record(module, x, recorded_layers(module), pool="mean")
            rows.append({"control": "untrained", "name": name} | _both_ways(seen, reference, "index"))
    return pd.DataFrame(rows)


def _baselines(x: torch.Tensor, reference: Activations) -> pd.DataFrame:
    """The same for what needs no network: the images' pixels, and the sum of them."""
    rows = [
        {"control": name, "name": name} | _both_ways(baseline, reference, "index")
        for name, baseline in baselines(x).items()
    ]
    return pd.DataFrame(rows)


def baseline_scores(laboratories: list[Laboratory], penalty: str, n_probe: int) -> pd.DataFrame:
    """What needs no network against the five perceptrons (all test images) and against the CNN (a draw of them)."""
    rows = []
    for lab in steps(laboratories, "baselines"):
        draw = draw_stimuli(len(lab.test), min(n_probe, len(lab.test)), lab.seed, 0)
        for name, baseline in baselines(lab.test.x).items():
            nets = [compare(lab.activations[net], baseline, penalty, n_permutations=2) for net in NETS]
            cnn_found = compare(baseline, lab.activations["CNN"], penalty, stimuli=draw)
            for pair, found in {"nets → baseline": pd.DataFrame(nets).mean(), "baseline → CNN": cnn_found}.items():
                rows.append({"seed": lab.seed, "baseline": name, "pair": pair} | dict(found))
    return pd.DataFrame(rows)


def _described(network: Network, stimuli: dict[str, list[torch.Tensor]], y: torch.Tensor) -> dict:
    accuracies = {kind: np.mean([accuracy(network.module, x, y) for x in sets]) for kind, sets in stimuli.items()}
    return {"name": network.name, "family": network.family, "training": network.training, **accuracies}


def _both_ways(a: Activations, b: Activations, penalty: str) -> dict[str, float]:
    """Both directions averaged."""
    there, back = compare(a, b, penalty, n_permutations=3), compare(b, a, penalty, n_permutations=3)
    return {key: (there[key] + back[key]) / 2 for key in there}


def _matrix(seen: list[Activations], penalty: str) -> np.ndarray:
    matrix = np.ones((len(seen), len(seen)))
    for i, j in steps(list(combinations(range(len(seen)), 2)), "zoo pairs"):
        matrix[i, j] = matrix[j, i] = _both_ways(seen[i], seen[j], penalty)["corrected"]
    return matrix


def _stability(seen: list[Activations], reference: Activations, penalty: str, n_draws: int = 10) -> pd.DataFrame:
    """How well few probe images rank the zoo by its scores with the trusted network as all images do.

    The scores of shuffled images are ranked too: what they agree on is luck and penalty, not likeness.
    """
    n_stimuli = len(reference.values)
    everything = _scores(seen, reference, penalty, np.arange(n_stimuli), np.arange(n_stimuli))
    rows = []
    for n_probe in steps(probe_sizes(n_stimuli)[:-1], "stability of the ranking"):
        for draw in range(n_draws):
            stimuli = draw_stimuli(n_stimuli, n_probe, 0, draw)
            for images, order in (("same images", stimuli), ("shuffled", np.roll(stimuli, 1))):
                rho = spearman(_scores(seen, reference, penalty, stimuli, order), everything)
                rows.append({"n_probe": n_probe, "draw": draw, "images": images, "rank correlation": rho})
    return pd.DataFrame(rows)


def _scores(seen: list[Activations], reference: Activations, penalty: str, stimuli, order) -> np.ndarray:
    """Scores of all networks on `stimuli` with the reference on `order`."""
    target, option = reference.values[order], PENALTIES[penalty]
    return np.array(
        [
            symmetric_score(
                a.values[stimuli], target, source_layer=a.layer, target_layer=reference.layer, penalty=option
            )
            for a in seen
        ]
    )


def family_contrast(zoo: ZooScores, *, shuffle: int | None = None, n_resamples: int = 2000, seed: int = 0) -> Measured:
    """Mean corrected score within families minus between families, among normally trained networks.

    The interval resamples networks; a network drawn twice is never paired with itself. `shuffle` is the seed of a
    shuffle of the family labels, for noise.
    """
    normal = (zoo.table["training"] == "normal").to_numpy()
    families, matrix = zoo.table["family"].to_numpy()[normal], zoo.matrix[np.ix_(normal, normal)]
    if shuffle is not None:
        families = np.random.default_rng(shuffle).permutation(families)

    def contrast(rows: np.ndarray) -> float:
        pairs = rows[:, None] != rows[None, :]
        same = families[rows][:, None] == families[rows][None, :]
        scores = matrix[np.ix_(rows, rows)]
        return scores[pairs & same].mean() - scores[pairs & ~same].mean()

    return bootstrap_interval(contrast, np.arange(len(families)), n_resamples=n_resamples, seed=seed)


def training_effect(zoo: ZooScores, *, shuffle: int | None = None) -> Measured:
    """Corrected score of trained minus that of untrained networks, mean over architectures; bootstrap over these.

    `shuffle` is the seed of swapping trained and untrained at random in each architecture, for noise.
    """
    trained = zoo.table.set_index("name")["corrected (index)"]
    chance = zoo.controls[zoo.controls["control"] == "untrained"].groupby("name")["corrected"].mean()
    difference = (trained.loc[chance.index] - chance).to_numpy()
    if shuffle is not None:
        difference = difference * np.random.default_rng(shuffle).choice([-1, 1], len(difference))
    return bootstrap_interval(np.mean, difference, over="architectures")


def long_matrix(zoo: ZooScores) -> pd.DataFrame:
    """The zoo's matrix as one row a pair."""
    names = zoo.table["name"]
    rows = [(names[i], names[j], zoo.matrix[i, j]) for i, j in combinations(range(len(names)), 2)]
    return pd.DataFrame(rows, columns=["network", "other", "corrected score"])


def flat(predictions: pd.DataFrame) -> pd.DataFrame:
    """A table of `prediction_table` with the interval's parts as columns, for a CSV file."""
    parts = pd.DataFrame([{"rho": rho.value, "low": rho.low, "high": rho.high} for rho in predictions["rho"]])
    return pd.concat([predictions.drop(columns="rho"), parts], axis=1)


def prediction_table(zoo: ZooScores) -> pd.DataFrame:
    """Spearman's ρ over networks between the score with the trusted network and each accuracy, with intervals."""
    normal = zoo.table["training"] == "normal"
    groups = {"all networks": zoo.table, "normally trained": zoo.table[normal]}
    scores = {"score, as in the paper": "score (index)", "no penalty": "score (none)", "corrected": "corrected (index)"}
    rows = []
    for group, table in groups.items():
        for label, column in scores.items():
            for outcome in ("clean", "corrupted", "attacked"):
                measured = bootstrap_interval(spearman, table[column].to_numpy(), table[outcome].to_numpy())
                rows.append({"networks": group, "score": label, "accuracy": outcome, "rho": measured})
    return pd.DataFrame(rows)

"""What the chapter's rules say of noise: the same measurements where there is nothing to find."""

import numpy as np
import pandas as pd

from analysis.chapters.neuron_correlation import experiments
from analysis.chapters.neuron_correlation.experiments import Laboratory, ZooScores, within_seed_correlation
from analysis.intervals import bootstrap_interval, mean_correlation_interval, mean_interval, spearman
from analysis.runs.verdicts import Noise

SHUFFLED = "images shuffled"
GAUSSIAN = "simulated Gaussian units"
ONE_CLASS = "the commonest class, always"


def excess(table: pd.DataFrame) -> Noise:
    """Score above the floor, of scores with the images shuffled once more."""
    above = table.assign(excess=table["shuffled"] - table["floor"]).groupby("seed")["excess"].mean()
    return Noise(SHUFFLED, [mean_interval(above.to_numpy())])


def deep_net_apart(pairs: pd.DataFrame) -> Noise:
    """How much lower the five-layer net's pairs score, with the images shuffled."""
    by_seed = pairs.groupby(["seed", pairs["target"] == "net5"])["shuffled"].mean().unstack()
    return Noise(SHUFFLED, [mean_interval((by_seed[True] - by_seed[False]).to_numpy())])


def over_nets(final: pd.DataFrame, score: str) -> Noise:
    """Correlation over the five nets of accuracy with the score of shuffled images."""
    return Noise(SHUFFLED, [mean_correlation_interval(within_seed_correlation(final, score))])


def families(zoo: ZooScores, n_runs: int = 20) -> Noise:
    """The contrast of families whose labels are shuffled."""
    return Noise(
        "families shuffled", [experiments.family_contrast(zoo, shuffle=seed, n_resamples=500) for seed in range(n_runs)]
    )


def training(zoo: ZooScores, n_runs: int = 20) -> Noise:
    """What training changes, if trained and untrained are swapped at random."""
    runs = [experiments.training_effect(zoo, shuffle=seed) for seed in range(n_runs)]
    return Noise("trained and untrained swapped at random", runs)


def prediction(zoo: ZooScores, outcome: str) -> Noise:
    """Rank correlation over networks of accuracy with the score of shuffled images."""
    columns = zoo.table["shuffled (index)"].to_numpy(), zoo.table[outcome].to_numpy()
    return Noise(SHUFFLED, [bootstrap_interval(spearman, *columns)])


def gaussian_scores(n_probe: int, n_draws: int) -> dict[str, np.ndarray]:
    """Scores net → CNN of simulated Gaussian units in the networks' place, by net, one value a draw."""
    return {
        net: rows["noise"].to_numpy() for net, rows in experiments.noise_to_cnn(n_probe, n_draws=n_draws).groupby("net")
    }


def commonest_class(laboratories: list[Laboratory]) -> np.ndarray:
    """Accuracy of naming the commonest class, whatever the image, one value a seed."""
    return np.array([float(lab.test.y.bincount().max()) / len(lab.test) for lab in laboratories])

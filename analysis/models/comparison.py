"""Two recorded networks compared unit by unit: the score with its floor and its ceiling."""

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from analysis.checks import ArrayLike, as_features, as_integers
from analysis.measures.neuron_ceiling import attainable_ceiling, corrected_score
from analysis.measures.neuron_floor import chance_score, permutation_scores
from analysis.measures.neurons import neuronal_correlation, varying_units


@dataclass(frozen=True)
class Comparison:
    """A score, source → target, with what is needed to read it.

    Attributes
    ----------
    score : float
        As in `neuronal_correlation`, 0 to 1.
    floor : float
        Mean of `shuffled`.
    shuffled : tuple of float
        Scores after shuffling the target's stimuli (`permutation_scores`).
    chance : float
        The closed-form floor of independent Gaussian units (`chance_score`), constant units taken into account.
    ceiling : float
        The highest score that depth penalty and constant units admit (`attainable_ceiling`).
    corrected : float
        ``(score − floor) / (ceiling − floor)`` (`corrected_score`).
    n_stimuli, constant_units, constant_target_units : int
        Stimuli, and constant units of the source and of the target.
    """

    score: float
    floor: float
    shuffled: tuple[float, ...]
    chance: float
    ceiling: float
    corrected: float
    n_stimuli: int
    constant_units: int
    constant_target_units: int


def compare_networks(
    source: ArrayLike,
    target: ArrayLike,
    *,
    source_layer: ArrayLike | None = None,
    target_layer: ArrayLike | None = None,
    penalty: str | None = "index",
    n_permutations: int = 20,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> Comparison:
    """Score source → target with floor, ceiling and corrected score: corrected, 1 = as alike as can be, 0 = by chance.

    The floor that is taken off is the permutation floor, which keeps the distribution of the units and the dependence
    between them; the closed form stands beside it. Constant units lower score, floors and ceiling alike, so that a
    network against itself corrects to 1.

    Parameters
    ----------
    source, target, source_layer, target_layer, penalty, n_permutations, seed, device
        As in `permutation_scores`, errors too.

    Raises
    ------
    ValueError
        Also if no unit of one network varies: then nothing can be compared.

    Examples
    --------
    >>> a = np.arange(60.0).reshape(20, 3) % 7 * [1, 1, 0]
    >>> result = compare_networks(a, a)
    >>> round(result.score, 4), round(result.ceiling, 4), round(result.corrected, 4)
    (0.6667, 0.6667, 1.0)
    """
    layers = {"source_layer": source_layer, "target_layer": target_layer, "penalty": penalty}
    found = neuronal_correlation(source, target, **layers, device=device)
    shuffled = permutation_scores(source, target, **layers, n_permutations=n_permutations, seed=seed, device=device)
    floor = float(shuffled.mean())
    varying = {"source_varying": varying_units(source), "target_varying": varying_units(target)}
    for side, units in (("source", "source_varying"), ("target", "target_varying")):
        if not varying[units].any():
            raise ValueError(f"'{side}' must have a unit that varies over the stimuli, got constant units only.")
        if layers[f"{side}_layer"] is None:
            layers[f"{side}_layer"] = np.zeros(len(varying[units]), dtype=np.int64)
    ceiling = attainable_ceiling(**layers, **varying)
    return Comparison(
        score=found.score,
        floor=floor,
        shuffled=tuple(shuffled.tolist()),
        chance=chance_score(len(source), **layers, **varying),
        ceiling=ceiling,
        corrected=corrected_score(found.score, floor, ceiling),
        n_stimuli=len(source),
        constant_units=found.constant_units,
        constant_target_units=found.constant_target_units,
    )


def compare_files(
    source_path: str | Path,
    target_path: str | Path,
    *,
    penalty: str | None = "index",
    n_permutations: int = 20,
    seed: int = 0,
    device: str | torch.device | None = None,
) -> Comparison:
    """Score, floor and corrected score of two networks from files: corrected, 1 = as alike as can be, 0 = by chance.

    Source → target, as in `compare_networks`.

    Parameters
    ----------
    source_path, target_path : path
        ``.npz`` files with the arrays ``activations``, shape (n_stimuli, n_units), and ``layer``, integers of shape
        (n_units,): the index of each unit's layer, 0 for the first. Both networks saw the same stimuli in one order.
    penalty, n_permutations, seed, device
        As in `permutation_scores`.

    Raises
    ------
    ValueError
        If a file is missing, cannot be read, lacks one of the two arrays, or holds what `neuronal_correlation` does not
        take; names the file and the array. Pickled objects are never loaded.

    Examples
    --------
    >>> import tempfile
    >>> a = np.arange(40.0).reshape(20, 2) % 7
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(f"{folder}/net.npz", activations=a, layer=[0, 1])
    ...     result = compare_files(f"{folder}/net.npz", f"{folder}/net.npz")
    >>> round(result.score, 4), result.ceiling
    (1.0, 1.0)
    """
    (source, source_layer), (target, target_layer) = _read(source_path), _read(target_path)
    return compare_networks(
        source,
        target,
        source_layer=source_layer,
        target_layer=target_layer,
        penalty=penalty,
        n_permutations=n_permutations,
        seed=seed,
        device=device,
    )


def _read(path: str | Path) -> tuple[torch.Tensor, np.ndarray]:
    """Checked activations and layers of an ``.npz`` file; every error names the file."""
    if not zipfile.is_zipfile(path):
        raise ValueError(f"'{path}' must be an .npz file, got {'another' if Path(path).is_file() else 'no'} file.")
    activations, layer = (_read_array(path, key) for key in ("activations", "layer"))
    activations = as_features(activations, f"activations of {path}", min_stimuli=3)
    layer = as_integers(layer, f"layer of {path}", shape=(activations.shape[1],))
    if layer.min() < 0:
        raise ValueError(f"'layer of {path}' must hold layer indices from 0, got {layer.min()}.")
    return activations, layer


def _read_array(path: str | Path, key: str) -> np.ndarray:
    try:
        with np.load(path, allow_pickle=False) as archive:
            if key not in archive:
                raise ValueError(f"it holds {', '.join(archive.files) or 'nothing'}")
            array = np.asarray(archive[key])
        if array.dtype.kind not in "biuf":
            raise ValueError(f"its type is {array.dtype}")
    except (ValueError, OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"'{path}' must hold a readable array of numbers '{key}': {error}.") from error
    return array

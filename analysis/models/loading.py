"""Models from the entries of a line-up: the module, how a picture reaches it, what to record, what its answers mean."""

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from analysis.alone import alone
from analysis.data.categories import CIFAR10, imagenet_categories
from analysis.data.images import halves, load_images
from analysis.errors import ToldError
from analysis.models.architectures import recorded_layers
from analysis.models.entries import PUBLIC, Entry, LineupError
from analysis.models.graph import Graph
from analysis.models.preprocessing import Grey, Normalised, Preprocessing, Wrapped
from analysis.models.zoo import load_network
from analysis.models.zoo_networks import ZOO

_FEW = 4  # stages; a module with fewer at its top level is opened
_READOUT = (nn.Linear, nn.LayerNorm, nn.GroupNorm, _BatchNorm)


@dataclass(frozen=True, eq=False)
class Model:
    """A model, ready to see pictures.

    Attributes
    ----------
    entry : Entry
        What describes it.
    module : torch.nn.Module
        In evaluation mode.
    prepare : Preprocessing
        From pictures to the module's input.
    layers : tuple of str
        What is recorded, from the input to the output.
    classes : tuple of str or None
        What its outputs stand for; None: they are no answers.
    """

    entry: Entry
    module: nn.Module
    prepare: Preprocessing
    layers: tuple[str, ...]
    classes: tuple[str, ...] | None

    @property
    def name(self) -> str:
        """Its name in the line-up."""
        return self.entry.name


def load_model(entry: Entry, *, layers: Sequence[str] | None = None, seed: int = 0) -> Model:
    """The model of an entry.

    Parameters
    ----------
    entry : Entry
    layers : sequence of str, optional
        What to record instead of what the entry says.
    seed : int
        Decides the weights of an untrained model.

    Raises
    ------
    LineupError
        If the model cannot be made, prescribes no preprocessing while the entry has none, or lacks a layer.
    """
    with alone():
        torch.manual_seed(seed)
        module, prepare, classes = _made(entry)
    if not isinstance(module, nn.Module):
        raise LineupError(
            f"Model '{entry.name}': '{entry.source}' must make a torch module, got {type(module).__name__}."
        )
    if entry.mean and entry.std and entry.size:
        prepare = Normalised(entry.size, entry.mean, entry.std)
    if prepare is None:
        raise LineupError(f"Model '{entry.name}' must have 'mean', 'std' and 'size': its source prescribes none.")
    named = _named_layers(entry, module, tuple(layers or entry.layers))
    return Model(entry, module.eval(), prepare, named, _classes(entry) or classes)


def _made(entry: Entry) -> "Made":
    try:
        return _SOURCES[entry.kind](entry)
    except ToldError:
        raise
    except Exception as error:  # a builder of the user's, a package that finds no network, and what else there is
        problem = " ".join(f"{type(error).__name__}: {error}".split())
        raise LineupError(f"Model '{entry.name}': '{entry.source}' could not be made: {problem}") from error


def _classes(entry: Entry) -> tuple[str, ...] | None:
    if entry.classes == "cifar10":
        return CIFAR10
    if entry.classes == "imagenet":
        return imagenet_categories()
    if isinstance(entry.classes, str):
        raise LineupError(
            f"Model '{entry.name}': 'classes' must be names, 'cifar10' or 'imagenet', got {entry.classes!r}."
        )
    return entry.classes


# ---------------------------------------------------------------------------------------------------------------------
# Layers


def stages(module: nn.Module) -> tuple[str, ...]:
    """Names of a module's stages, whose outputs ``layers: auto`` records, from the input to the output.

    These are the children with parameters, in the order of their definition. What would be too coarse is opened: a
    wrapper around a single child; a list of layers that is never called itself; a trunk, which is the only child made
    of at least four composite parts; and, while there are fewer than four stages, the child of the most layers. A last
    linear layer is left out, since its outputs are the answers, and what is normalised before it stays. A network read
    from a file of operators has stages of its own (`analysis.models.graph.Graph.stages`).

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 8, 3), nn.Flatten(), nn.Linear(8, 2))
    >>> stages(network)
    ('0', '2')
    """
    if isinstance(module, Graph):
        return module.stages()
    found = _opened("", module)
    if len(found) > 1 and _is_readout(*found[-1]):
        found = [*found[:-1], *(_opened(*found[-1]) or found[-1:])[:-1]]
    while (coarse := _coarse(found)) is not None:
        place = found.index(coarse)
        found[place : place + 1] = _opened(*coarse)
    return tuple(name for name, _ in found)


Named = tuple[str, nn.Module]


def _coarse(found: list[Named]) -> Named | None:
    """The stage that is to be opened next."""
    containers = [item for item in found if len(_opened(*item)) > 1]
    trunks = [item for item in containers if any(len(_opened(*part)) > 1 for part in _opened(*item))]
    uncalled = [item for item in containers if isinstance(item[1], nn.ModuleList)]
    if uncalled:
        return uncalled[0]
    if len(trunks) == 1 and len(_opened(*trunks[0])) >= _FEW:
        return trunks[0]
    if len(found) < _FEW and containers:
        return max(containers, key=lambda item: len(_leaves(item[1])))
    return None


def _is_readout(name: str, module: nn.Module) -> bool:
    """Whether a module is linear layers, with nothing but normalisation between them."""
    leaves = _leaves(module)
    plain = not any(_children(*part) for part in _children(name, module))
    return plain and isinstance(leaves[-1], nn.Linear) and all(isinstance(leaf, _READOUT) for leaf in leaves)


def _children(prefix: str, module: nn.Module) -> list[Named]:
    named = [(f"{prefix}.{name}" if prefix else name, child) for name, child in module.named_children()]
    return [(name, child) for name, child in named if _size(child)]


def _opened(name: str, module: nn.Module) -> list[Named]:
    """The children of a module; where each has but one, those of the innermost."""
    children = _children(name, module)
    while len(children) == 1 and _children(*children[0]):
        children = _children(*children[0])
    return children


def _leaves(module: nn.Module) -> list[nn.Module]:
    """Modules with parameters of their own."""
    return [part for part in module.modules() if any(True for _ in part.parameters(recurse=False))]


def _size(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _named_layers(entry: Entry, module: nn.Module, layers: tuple[str, ...]) -> tuple[str, ...]:
    known = [name for name, _ in module.named_modules() if name]
    found = layers or (recorded_layers(module) if entry.kind == "zoo" else stages(module))
    if not found:
        raise LineupError(f"Model '{entry.name}' must have 'layers': it has no stage with parameters.")
    for name in found:
        if name not in known:
            nearest = difflib.get_close_matches(name, known, n=1, cutoff=0)
            raise LineupError(f"Model '{entry.name}' has no layer '{name}': did you mean '{nearest[0]}'?")
    return found


@cache
def check_layers(entry: Entry, layers: tuple[str, ...]) -> None:
    """Refuse layers that a model does not have; nothing is trained to find out.

    Raises
    ------
    LineupError
        With the nearest name that there is; or if the model cannot be made.
    """
    if entry.kind != "zoo":
        load_model(entry, layers=layers)
        return
    digits = load_images("digits")
    module = ZOO[entry.source.partition(":")[2]].build(size=digits.size, n_classes=digits.n_classes)
    _named_layers(entry, module, layers)


# ---------------------------------------------------------------------------------------------------------------------
# Sources: each gives a module, its own preprocessing or None, and its classes or None

Made = tuple[nn.Module, Preprocessing | None, tuple[str, ...] | None]


def _zoo(entry: Entry) -> Made:
    digits = load_images("digits")
    network = load_network(entry.source.partition(":")[2], digits, halves(digits, seed=0)[0], seed=0)
    return network.module, Grey(digits.size), tuple(map(str, range(digits.n_classes)))


def held_out_digits() -> np.ndarray:
    """Positions of the digits that the line-up's zoo was not trained on."""
    return halves(load_images("digits"), seed=0)[1]


def _function(entry: Entry) -> Made:
    place, _, name = entry.source.rpartition(":")
    module = _imported_file(Path(place)) if entry.kind == "file" else importlib.import_module(place)
    build: Callable[..., nn.Module] = getattr(module, name)
    return (build(_weights(entry)) if entry.weights else build()), None, None


def _imported_file(path: Path):
    """A user's Python file, run as a module of its own; files beside it can be imported from it."""
    spec = importlib.util.spec_from_file_location(f"lineup_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise LineupError(f"'{path}' must be a Python file.")
    module = importlib.util.module_from_spec(spec)
    before = set(sys.modules)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise LineupError(f"'{path}' could not be run: {type(error).__name__}: {error}.") from error
    finally:
        sys.path.remove(str(path.parent))
        for name in set(sys.modules) - before:  # the next user's folder may have other files of the same names
            if Path(getattr(sys.modules[name], "__file__", None) or "").parent == path.parent:
                del sys.modules[name]
    return module


def _weights(entry: Entry) -> Path:
    name = str(entry.weights)
    if not name.startswith(PUBLIC):
        return Path(name)
    from analysis.data.registry import public_path

    return public_path(name.removeprefix(PUBLIC))


def _onnx(entry: Entry) -> Made:
    from analysis.models.onnx_reader import read_onnx

    return read_onnx(Path(entry.source)), None, None


def _pt2(entry: Entry) -> Made:
    try:
        program = torch.export.load(entry.source)
        return torch.export.unflatten(program), None, None  # its parts are modules again, which can be recorded
    except Exception as error:  # a damaged archive fails in many ways
        raise LineupError(f"Model '{entry.name}': '{entry.source}' could not be read: {error}.") from error


def _torchvision(entry: Entry) -> Made:
    from torchvision.models import get_model, get_model_weights

    name = entry.source.partition(":")[2]
    if entry.training == "untrained":
        return get_model(name, weights=None), None, None
    weights = get_model_weights(name).DEFAULT
    transform = weights.transforms()
    return get_model(name, weights=weights), Wrapped(transform, str(transform)), tuple(weights.meta["categories"])


def _timm(entry: Entry) -> Made:
    import timm

    name = entry.source.partition(":")[2]
    module = timm.create_model(name, pretrained=entry.training != "untrained")
    settings = timm.data.resolve_model_data_config(module)
    classes = imagenet_categories() if settings.get("num_classes", module.num_classes) == 1000 else None
    return module, Wrapped(timm.data.create_transform(**settings, is_training=False), str(settings)), classes


def _transformers(entry: Entry) -> Made:
    from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoModelForImageClassification

    name = entry.source.partition(":")[2]
    settings = AutoConfig.from_pretrained(name)
    chooses = any("ImageClassification" in kind for kind in settings.architectures or ())
    module = (AutoModelForImageClassification if chooses else AutoModel).from_pretrained(name)
    processor = AutoImageProcessor.from_pretrained(name)

    def transform(picture):
        return processor(picture, return_tensors="pt")["pixel_values"][0]

    classes = tuple(settings.id2label[place] for place in range(len(settings.id2label))) if chooses else None
    return module, Wrapped(transform, str(processor)), classes


_SOURCES: dict[str, Callable[[Entry], Made]] = {
    "zoo": _zoo,
    "file": _function,
    "function": _function,
    "onnx": _onnx,
    "pt2": _pt2,
    "torchvision": _torchvision,
    "timm": _timm,
    "transformers": _transformers,
}

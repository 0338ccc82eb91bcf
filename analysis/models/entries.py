"""One model of a line-up: what describes it, and whether it is there. Nothing is loaded or run to find out."""

import ast
import difflib
import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from analysis.errors import ToldError
from analysis.files import shortened

PACKAGES = ("torchvision", "timm", "transformers")
"""Packages whose models are had by name; an optional extra."""

PUBLIC = "public:"
FORMS = (
    " A line-up may also be a models.yml, a folder that 'extract' wrote, or sources such as 'timm:resnet18' and "
    "'file.py:function', separated by commas."
)


class LineupError(ToldError, ValueError):
    """A line-up that cannot take part; the message is one sentence for the person who wrote it."""


class Entry(BaseModel):
    """One model of a line-up, as a ``models.yml`` describes it.

    Attributes
    ----------
    name : str
        Unique in the line-up; letters, digits, dots, dashes and underscores.
    source : str
        ``torchvision:NAME``, ``timm:NAME``, ``transformers:NAME``, ``zoo:NAME``, ``package.module:function`` or
        ``file.py:function`` (anything that returns a `torch.nn.Module`), ``FILE.onnx`` or ``FILE.pt2``.
    weights : str, optional
        A file of weights that the function takes as its argument, or ``public:NAME`` of the public data.
    layers : tuple of str
        Names from ``module.named_modules()``; none: the top-level stages (`analysis.models.loading.stages`).
    family, motif, training : str
        What the model is compared by.
    mean, std : three numbers
        Of the pixels in [0, 1] of the red, green and blue channel; subtracted, and divided by.
    size : int
        Side in pixels of the square that the model sees: the shorter side of a picture is resized to it, and the
        middle cut out.
    classes : str or tuple of str, optional
        What the outputs stand for: names in their order, or ``"cifar10"`` or ``"imagenet"``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^\w[\w.\-]*$", max_length=100)
    source: str = Field(min_length=1)
    weights: str | None = None
    layers: tuple[str, ...] = ()
    family: str = "unknown"
    motif: str = "unknown"
    training: str = "unknown"
    mean: tuple[float, float, float] | None = None
    std: tuple[Annotated[float, Field(gt=0)], ...] | None = Field(None, min_length=3, max_length=3)
    size: int | None = Field(None, ge=1, le=4096)
    classes: str | tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _preprocessing_is_whole(self) -> Self:
        given = [name for name in ("mean", "std", "size") if getattr(self, name) is not None]
        if 0 < len(given) < 3:
            raise ValueError(f"must have all of 'mean', 'std' and 'size' or none, got only {' and '.join(given)}.")
        return self

    @property
    def kind(self) -> str:
        """What kind of source this is: a package's name, ``zoo``, ``onnx``, ``pt2``, ``file`` or ``function``."""
        prefix, _, rest = self.source.partition(":")
        if prefix in (*PACKAGES, "zoo") and rest:
            return prefix
        for suffix in ("onnx", "pt2"):
            if self.source.lower().endswith((f".{suffix}", f".{suffix}.gz")):
                return suffix
        return "file" if prefix.endswith(".py") else "function"

    @property
    def runs_a_users_file(self) -> bool:
        """Whether loading may run code of the user's file: Python, or an exported program, which may hold pickles."""
        return self.kind in ("file", "pt2")


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """One sentence for a name that does not exist, with the nearest one that does."""
    known = list(known)
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{nearest[0]}'?" if nearest else f"known are {', '.join(known[:10])}."
    return f"Unknown {kind} {shortened(name)}: {hint}"


def check(entry: Entry) -> None:
    """Refuse an entry whose model, file or package is not there.

    Raises
    ------
    LineupError
        In one sentence, with the nearest name that there is.
    """
    if entry.kind in PACKAGES:
        _check_package(entry)
    elif entry.kind == "zoo":
        _check_zoo(entry)
    elif entry.kind in ("file", "function"):
        _check_function(entry)
    elif not Path(entry.source).is_file():
        raise LineupError(f"Model '{entry.name}': there is no file '{entry.source}'.")
    _check_weights(entry)


def _check_weights(entry: Entry) -> None:
    if entry.weights and entry.weights.startswith(PUBLIC):
        from analysis.data.registry import registry  # loads its checks of files

        if entry.weights.removeprefix(PUBLIC) not in registry():
            raise LineupError(f"Model '{entry.name}': '{entry.weights}' is not among the public files.")
    elif entry.weights and not Path(entry.weights).is_file():
        raise LineupError(f"Model '{entry.name}': there is no file of weights '{entry.weights}'.")


def _check_zoo(entry: Entry) -> None:
    from analysis.models.zoo_networks import ZOO

    name = entry.source.partition(":")[2]
    if name not in ZOO:
        raise LineupError(unknown_name("model of the line-up 'zoo'", name, ZOO))


def _check_package(entry: Entry) -> None:
    package, _, name = entry.source.partition(":")
    if importlib.util.find_spec(package) is None:
        raise LineupError(f"Model '{entry.name}' needs the package '{package}': pip install {package}")
    if package == "timm":
        import timm

        known = timm.list_models()
        if name.partition(".")[0] not in known and not name.startswith("hf-hub:"):
            raise LineupError(unknown_name("model of timm", name, known))
    if package == "torchvision":
        from torchvision.models import list_models

        if name not in list_models():
            raise LineupError(unknown_name("model of torchvision", name, list_models()))


def _check_function(entry: Entry) -> None:
    """That the function is there, by reading the source: nothing of it is run."""
    place, _, function = entry.source.rpartition(":")
    if not place or not function.isidentifier():
        raise LineupError(f"Model '{entry.name}': 'source' must be a known form, got {entry.source!r}.{FORMS}")
    path = Path(place) if entry.kind == "file" else module_file(entry.name, place)
    if not path.is_file():
        raise LineupError(f"Model '{entry.name}': there is no file '{path}'.")
    try:
        defined = _defined(ast.parse(path.read_text(encoding="utf-8")))
    except (SyntaxError, ValueError) as error:  # among them: not UTF-8, NUL bytes
        raise LineupError(f"Model '{entry.name}': '{path}' must be Python: {error}.") from None
    if function not in defined:
        raise LineupError(f"Model '{entry.name}': " + unknown_name(f"function of '{place}'", function, sorted(defined)))


def module_file(name: str, module: str) -> Path:
    """The file of a module that a model's source names, found without running it; LineupError if there is none."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None:
        raise LineupError(f"Model '{name}': there is no module '{module}'.")
    return Path(spec.origin)


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module has at its top level."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
    return names

"""Parts of thingsvision by themselves: the whole package asks for NumPy below 2, torchvision and TensorFlow."""

import importlib
import importlib.metadata
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any


def part(folder: str, module: str, stand_ins: Mapping[str, Mapping[str, Any]] | None = None) -> ModuleType:
    """A module of a folder in ``thingsvision.core``.

    Parameters
    ----------
    folder, module : str
    stand_ins : mapping, optional
        By name, the content of modules that it imports and does not use here.
    """
    place = importlib.metadata.distribution("thingsvision").locate_file(f"thingsvision/core/{folder}")
    package = f"thingsvision_{folder}"
    for name, content in {package: {"__path__": [str(place)]}, **(stand_ins or {})}.items():
        _stand_in(name, content)
    return importlib.import_module(f"{package}.{module}")


def _stand_in(name: str, content: Mapping[str, Any]) -> None:
    around, _, _ = name.rpartition(".")
    if around:
        _stand_in(around, {})
    vars(sys.modules.setdefault(name, ModuleType(name))).update(content)

"""Where the book is published: one setting, from which all buttons and clone lines come; unset, there are none."""

from pathlib import Path
from typing import Any

import yaml

from analysis.plain_yaml import read_yaml

_BUTTONS = ("use_repository_button", "use_issues_button", "use_edit_page_button")
_HOW = "Set `repository: url` in `_config.yml` to the address under which this book is published"


def configured(path: Path) -> dict[str, Any]:
    """The book's settings; without a repository's address also without all that would lead to it.

    Parameters
    ----------
    path : Path
        A ``_config.yml``, whose ``repository: url`` may be empty.

    Raises
    ------
    ValueError
        If the address is no address.
    """
    settings = read_yaml(path)
    url = (settings.get("repository") or {}).get("url") or ""
    if url and not url.startswith("https://"):
        raise ValueError(f"'repository: url' in {path.name} must begin with https:// or be empty, got '{url}'.")
    if not url:
        settings = {key: part for key, part in settings.items() if key not in ("repository", "launch_buttons")}
        html = {key: value for key, value in settings.get("html", {}).items() if key not in _BUTTONS}
        settings["html"] = html
    return settings


def staged(path: Path) -> dict[Path, bytes]:
    """Files of the staging folder that depend on the setting, by their path in it."""
    settings = configured(path)
    url = settings.get("repository", {}).get("url", "").rstrip("/")
    return {
        Path("_config.yml"): yaml.safe_dump(settings, sort_keys=False, allow_unicode=True).encode(),
        Path("book/generated/clone.md"): (_clone(url) if url else _no_clone()).encode(),
        Path("book/generated/colab.md"): (_colab(url) if url else _no_colab()).encode(),
    }


def _clone(url: str) -> str:
    folder = url.rpartition("/")[2].removesuffix(".git")
    return f"```bash\ngit clone {url}\ncd {folder}\nmake book\n```\n"


def _no_clone() -> str:
    told = "In a clone of the book's repository:"
    return f"{told}\n\n```bash\nmake book\n```\n\n{_HOW}, and the line to clone it is here.\n"


def _colab(url: str) -> str:
    told = "The Colab button at the top of a chapter opens its notebook. Run this there first:"
    return f"{told}\n\n```text\n%pip install --quiet git+{url.removesuffix('.git')}.git\n```\n"


def _no_colab() -> str:
    return f"{_HOW}: chapters then have buttons for Binder and Colab, and the line to install the book there is here.\n"

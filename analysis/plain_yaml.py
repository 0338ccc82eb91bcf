"""YAML that a person wrote, read as plain data: no objects, no aliases, no key twice, no bottomless nesting."""

from pathlib import Path
from typing import Any

import yaml

_LARGEST = 10**6  # bytes


class _Plain(yaml.SafeLoader):
    """A key that stands twice would hide the first; aliases can nest without end, and one into itself."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "aliases are not allowed", self.peek_event().start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        twice = [key for key in keys if isinstance(key, str) and keys.count(key) > 1]
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice[0]!r} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file.

    Raises
    ------
    ValueError
        In one line, if the file is no plain YAML in UTF-8, or larger than a megabyte.
    OSError
        If it cannot be opened.
    """
    size = path.stat().st_size
    if size > _LARGEST:
        raise ValueError(f"'{path}' must be a YAML file of at most {_LARGEST:,} bytes, got {size:,}.")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Plain)
    except RecursionError:
        raise ValueError(f"'{path}' must be YAML, and nests too deeply.") from None
    except (yaml.YAMLError, ValueError) as error:  # what is not UTF-8, and dates that do not exist, are ValueErrors
        raise ValueError(f"'{path}' must be YAML: {' '.join(str(error).split())[:300]}.") from None

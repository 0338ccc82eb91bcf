"""The whole book as one zip that is read without a network: unpacked, its index.html opens in any browser."""

import zipfile
from io import BytesIO
from pathlib import Path

from analysis.files import write_atomically
from analysis.runs import publish
from analysis.runs.runner import RunError

_FOLDER = "book"
_THEN = (1980, 1, 1, 0, 0, 0)  # one book, one zip: no time of packing in it


def write(output: Path) -> None:
    """Pack the book that was built last into `output`, whole or not at all.

    Raises
    ------
    RunError
        If no book was built.
    """
    if not (publish.HTML / "index.html").is_file():
        raise RunError("There is no book yet: call 'make book' first.")
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(path for path in publish.HTML.rglob("*") if path.is_file()):
            name = f"{_FOLDER}/{path.relative_to(publish.HTML).as_posix()}"
            packed.writestr(zipfile.ZipInfo(name, _THEN), path.read_bytes(), zipfile.ZIP_DEFLATED)
    write_atomically(output, content.getvalue())

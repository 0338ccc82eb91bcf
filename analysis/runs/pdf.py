"""The whole book as one PDF: Sphinx writes it as a single page, and Chromium prints that."""

import shutil
import subprocess
from pathlib import Path

from analysis.files import write_atomically
from analysis.runs import processes, publish
from analysis.runs.runner import RunError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge", "chrome")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer")
_TIME_FOR_FORMULAS = "--virtual-time-budget=60000"  # milliseconds that pass at once when nothing is left to do


def browser() -> str:
    """The program that prints.

    Raises
    ------
    RunError
        If there is none.
    """
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if not found:
        raise RunError(
            "A PDF is printed by Chromium or Chrome, and none was found: install one (apt install chromium)."
        )
    return found


def write(output: Path) -> None:
    """Print the book that was built last to `output`, whole or not at all.

    Raises
    ------
    RunError
        If no book was built, there is no browser, or either fails.
    """
    program = browser()
    with processes.scratch_folder() as folder:
        page = publish.single_page(folder)
        printed = folder / "book.pdf"
        command = [program, *_FLAGS, f"--user-data-dir={folder / 'browser'}", _TIME_FOR_FORMULAS]
        result = subprocess.run(
            [*command, f"--print-to-pdf={printed}", page.as_uri()], capture_output=True, text=True, check=False
        )
        if result.returncode != 0 or not printed.is_file():
            raise RunError(f"{Path(program).name} could not print the book:\n\n{result.stderr}")
        write_atomically(output, printed.read_bytes())

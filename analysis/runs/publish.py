"""The book: executed notebooks and pages, staged and built into HTML."""

import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from analysis.files import write_atomically
from analysis.plain_yaml import read_yaml
from analysis.runs import (
    catalogue,
    findings,
    harmless,
    heads,
    performance,
    processes,
    reference,
    repository,
    reproduction,
    sliders,
)
from analysis.runs.catalogue import BOOK, PUBLIC
from analysis.runs.outputs import FIGURE, TABLES, VALUES, taken
from analysis.runs.runner import Run, RunError, prepare, reserved, side_files
from analysis.sources import ROOT, sha256

BUILD = ROOT / "_build"
HTML = BUILD / "html"
_STAGE = BUILD / "book"
_STAMP = ".staged.sha256"
_NEVER_FOLDED = {"parameters", "injected-parameters", "remove-cell", "remove-input"}
_STAGED = {".md", ".bib", ".css", ".csv", ".js", ".svg", ".png"}
_STRICTLY = ("-W", "-n", "--keep-going", "-q")
# In this very environment, whatever is on PATH; the first argument is the folder that the build ends with.
_JUPYTER_BOOK = """\
import sys
from analysis.runs.processes import guard
from jupyter_book.cli.main import main
guard(sys.argv.pop(1))
main()
"""


def executed_path(chapter: str, profile: str) -> Path:
    """Where the book keeps the executed notebook of a chapter."""
    return BUILD / "executed" / profile / f"{chapter}.ipynb"


def is_current(stage: dict[Path, bytes]) -> bool:
    """Whether the HTML was built from just these staged files."""
    stamp = HTML / _STAMP
    return stamp.is_file() and stamp.read_text() == _fingerprint(stage)


def build(stage: dict[Path, bytes]) -> None:
    """Build the HTML from the staged files.

    Raises
    ------
    RunError
        If Sphinx warns of anything, or a page of the table of contents is missing. The HTML built before stays.
    """
    BUILD.mkdir(exist_ok=True)
    with reserved(HTML.with_suffix(".built")):
        _write_stage(stage)
        _sphinx()
        _check_pages(_STAGE / "_build" / "html")
        _publish(_STAGE / "_build" / "html", _fingerprint(stage))


def single_page(folder: Path) -> Path:
    """Write the book that was built last as one page, with all that it needs, into a folder; the page's path.

    Raises
    ------
    RunError
        If no book was built, or Sphinx fails.
    """
    if not (_STAGE / "_config.yml").is_file():
        raise RunError("There is no book yet: call 'make book' first.")
    _sphinx("--builder", "custom", "--custom-builder", "singlehtml", "--path-output", str(folder))
    written = folder / "_build" / "singlehtml"
    root = written / f"{catalogue.toc_pages()[0]}.html"
    return root.rename(written / "whole.html")  # its links start from the book's folder


def _fingerprint(stage: dict[Path, bytes]) -> str:
    return sha256(b"".join(f"{path}".encode() + stage[path] for path in sorted(stage)))


def staged(runs: list[Run]) -> dict[Path, bytes]:
    """Every file that Sphinx sees, by its path below the staging folder: the sources' own names."""
    files = {Path("_toc.yml"): (ROOT / "_toc.yml").read_bytes(), **repository.staged(ROOT / "_config.yml")}
    files |= reference.staged() | performance.staged()
    executed = {catalogue.text_half(name) for name in catalogue.chapters()}  # these are staged as notebooks
    executed |= {catalogue.text_half(name, PUBLIC) for name in catalogue.public_runs()}
    for path in sorted(BOOK.rglob("*")):
        if path.suffix in {".md", ".bib", ".css", ".csv", ".js", ".svg", ".png"} and path not in executed:
            files[path.relative_to(ROOT)] = path.read_bytes()
    listed = catalogue.toc_pages()
    pages = {f"book/{run.chapter}": _chapter_page(run) for run in runs}
    public = {f"book/public/{name}": name for name in catalogue.public_runs()}
    pages |= {page_name: public_page(name) for page_name, name in public.items() if page_name in listed}
    for name, notebook in pages.items():
        data = side_files(notebook, _data_path(name))
        files |= {path: text.encode() for path, text in data.items()} | sliders.frames(notebook, name)
    files |= findings.staged(BOOK / "findings.yml", pages)
    rows = reproduction.all_rows(pages)
    files[Path("book/generated/claims.md")] = reproduction.as_markdown(rows).encode()
    files[Path("book/data/reproduction.json")] = reproduction.as_json(rows).encode()
    return files | {
        Path(f"{name}.ipynb"): nbformat.writes(page(notebook, name)).encode() for name, notebook in pages.items()
    }


def _chapter_page(run: Run) -> NotebookNode:
    """The executed notebook of a chapter; its head says how long the run took."""
    notebook = nbformat.read(executed_path(run.chapter, run.profile), as_version=4)
    notebook.cells[0].source = heads.with_measured_time(notebook.cells[0].source, run.chapter, notebook)
    return notebook


def public_page(chapter: str) -> NotebookNode:
    """The run of a chapter on public data, with a badge that says whether its source is still the same."""
    notebook = nbformat.read(catalogue.text_half(chapter, PUBLIC).with_suffix(".ipynb"), as_version=4)
    then = notebook.metadata.analysis.made_from
    now = prepare(chapter, profile=PUBLIC, earlier=then).made_from
    changed = [part for part in ("notebook", "modules", "parameters", "data") if now[part] != then[part]]
    head = f"{_badge(changed, notebook.metadata.analysis)}\n\n{heads.of_public_run(chapter, notebook)}"
    notebook.cells.insert(1, new_markdown_cell(head, id="public"))
    return notebook


def _badge(changed: list[str], record: NotebookNode) -> str:
    state = f"its {', '.join(changed)} changed since" if changed else "its sources have not changed since"
    return (
        f'<span class="badge-public {"changed" if changed else "current"}">Public run</span> '
        f"{record.started[:10]}, {record.device}; {state}."
    )


def page(notebook: NotebookNode, name: str) -> NotebookNode:
    """The executed notebook as a page: each figure followed by its numbers, and at the end how it was made.

    The book's own types of output are taken out: Sphinx knows nothing of them.
    """
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        for figure in taken(cell, FIGURE):
            slider = sliders.cell(figure, name)
            cells += [*([slider] if slider else []), _numbers_cell(name, figure["name"])]
        for mime in (*TABLES, VALUES):
            taken(cell, mime)
    used = reference.used_cell(notebook)
    notebook.cells = [*cells, *([used] if used else []), _citation_cell(notebook), _provenance_cell(notebook)]
    _fold_code(notebook)
    return notebook


def _fold_code(notebook: NotebookNode) -> None:
    """Hide all code but the parameters and the example of the method, which is small enough to check by hand."""
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            section = ([section] + [line for line in cell.source.splitlines() if line.startswith("## ")])[-1]
            continue
        tags = cell.metadata.get("tags", [])
        if section != "## The method" and not _NEVER_FOLDED & set(tags):
            cell.metadata["tags"] = [*tags, "hide-input"]


def _data_path(name: str) -> Path:
    """The path from which those of a page's side files are made: `book/data/PAGE.FIGURE.csv`."""
    return Path("book/data") / f"{name.removeprefix('book/').replace('/', '-')}.ipynb"


def _numbers_cell(name: str, figure: str) -> NotebookNode:
    source = f"{{download}}`The numbers of this figure (CSV) </{_data_path(name).with_suffix(f'.{figure}.csv')}>`"
    return new_markdown_cell(source, id=f"numbers-{sha256(figure.encode())[:8]}")


def _citation_cell(notebook: NotebookNode) -> NotebookNode:
    about = read_yaml(ROOT / "CITATION.cff")
    lines = (line for cell in notebook.cells for line in cell.source.splitlines())
    title = next((line[2:] for line in lines if line.startswith("# ")), "Notebook")
    authors = ", ".join(author["name"] for author in about["authors"])
    book, year = about["title"].partition("?")[0] + "?", str(about["date-released"])[:4]
    run = f"run of {notebook.metadata.analysis.started[:10]}"
    title += "" if title[-1] in "?!." else "."
    text = f"**To cite this page:** {authors} ({year}). {title} In *{book}*, version {about['version']}, {run}."
    return new_markdown_cell(f"{text} Cite the paper whose result you use, too.", id="citation")


def _provenance_cell(notebook: NotebookNode) -> NotebookNode:
    record = notebook.metadata.analysis
    facts = {
        "Profile": record.profile,
        "Parameters": ", ".join(
            harmless.code(f"{name} = {value!r}") for name, value in record.made_from.parameters.items()
        ),
        "Run": f"{record.started}, {record.seconds:.0f} seconds on {record.device}",
        "Notebook": f"`{record.made_from.notebook[:16]}`",
        "Code and environment": f"`{record.key[:16]}` ({len(record.made_from.modules)} modules of `analysis`)",
        "Data files": _data_files(record.made_from.data, record.profile),
        "Versions": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
    }
    rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    text = f"```{{admonition}} How this page was made\n:class: dropdown provenance\n\n| | |\n|---|---|\n{rows}\n```"
    return new_markdown_cell(text, id="provenance")


def _data_files(hashes: dict[str, str], profile: str) -> str:
    """The files with their hashes; where they are many, each folder with its number of files and one hash for all."""
    if not hashes:
        return "not noted by this run" if profile == PUBLIC else "none"
    if len(hashes) <= 12:
        return f"{len(hashes)}: " + ", ".join(f"{harmless.code(name)} `{value[:8]}`" for name, value in hashes.items())
    folders: dict[str, list[str]] = {}
    for name, value in sorted(hashes.items()):
        folders.setdefault(name.partition("/")[0], []).append(value)
    named = (
        f"{harmless.code(f'{name}/')} ({len(parts)}) `{sha256(''.join(parts).encode())[:8]}`"
        for name, parts in folders.items()
    )
    return f"{len(hashes)}: " + ", ".join(named)


def _write_stage(files: dict[Path, bytes]) -> None:
    """Make the staging folder hold just `files`; what is unchanged keeps its time stamp, so that Sphinx reuses it."""
    for old in [path for path in _STAGE.rglob("*") if path.is_file()]:
        relative = old.relative_to(_STAGE)
        if relative.parts[0] != "_build" and relative not in files:
            old.unlink()
    for path, content in files.items():
        target = _STAGE / path
        if not target.is_file() or target.read_bytes() != content:
            write_atomically(target, content)


def _sphinx(*options: str) -> None:
    with processes.scratch_folder() as folder:
        command = [sys.executable, "-c", _JUPYTER_BOOK, str(folder), "build", str(_STAGE), *(options or _STRICTLY)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        result = subprocess.run(command, cwd=ROOT, start_new_session=True, check=False, **pipes)
    if result.returncode != 0:
        shutil.rmtree(_STAGE / "_build")  # pages that Sphinx has read once would not warn a second time
        raise RunError(f"Building the HTML failed; Sphinx says:\n\n{result.stdout}")


def _check_pages(folder: Path) -> None:
    missing = [name for name in catalogue.toc_pages() if not (folder / f"{name}.html").is_file()]
    if missing:
        raise RunError(f"These pages of _toc.yml are missing from the HTML: {', '.join(missing)}.")


def _publish(folder: Path, fingerprint: str) -> None:
    """Swap the new HTML in; the stamp is written last, so that a swap cut short is done again."""
    new, old = BUILD / "html.new", BUILD / "html.old"
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copytree(folder, new)
    if HTML.exists():
        HTML.rename(old)
    new.rename(HTML)
    (HTML / _STAMP).write_text(fingerprint)
    shutil.rmtree(old, ignore_errors=True)

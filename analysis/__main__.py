"""The command line: ``python -m analysis``."""

from pathlib import Path

import click

from analysis import files
from analysis.errors import ToldError
from analysis.runs import catalogue, processes
from analysis.runs.grid import grid_points
from analysis.runs.parameters import ParameterError, describe_rule, unknown

# What is imported above takes a third of a second. Help, lists and refusals need no more, so that they answer at once;
# a command imports papermill, PyTorch and the like itself, once it knows that it can do what was asked.


class Refused(click.ClickException):
    """What the person typed cannot be done: exit code 2, nothing executed, nothing written."""

    exit_code = 2


class Commands(click.Group):
    """Turns the package's own errors into one sentence each and an exit code."""

    def invoke(self, context: click.Context):
        """Run the command."""
        try:
            return super().invoke(context)
        except ParameterError as error:
            raise Refused(str(error)) from None
        except ToldError as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            raise click.ClickException(f"A file could not be read or written: {files.reason(error)}{where}.") from None


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main():
    """Run the book's chapters with your own parameters, and build the book.

    \b
    python -m analysis list                      which chapters there are
    python -m analysis list neuron_correlation   what can be changed in one
    python -m analysis run neuron_correlation -p n_seeds 10 -o mine.ipynb
    python -m analysis book                      what `make book` does
    """


@main.command("list")
@click.argument("chapter", required=False)
def list_(chapter: str | None):
    """List the chapters or, with CHAPTER, its parameters."""
    if chapter is None:
        for name in catalogue.chapters():
            click.echo(f"{name:24} {catalogue.title(catalogue.text_half(name))}")
        click.echo(f"\nProfiles: {', '.join(catalogue.profiles())}. 'list CHAPTER' shows a chapter's parameters.")
        return
    model = catalogue.parameters_of(chapter)
    for name, field in model.model_fields.items():
        click.echo(f"{name}\n    {field.description}\n    {describe_rule(model, name)}; default {field.default!r}")


@main.command()
@click.argument("chapter")
@click.option("-p", "--parameter", "values", nargs=2, multiple=True, metavar="NAME VALUE", help="Set one parameter.")
@click.option("--profile", default="default", show_default=True, help="Starting values: quick is small, default fair.")
@click.option("-o", "--output", type=Path, metavar="PATH", help="Notebook to write [CHAPTER-PROFILE.ipynb].")
@click.option("--force", is_flag=True, help="Run even if the output is up to date.")
@click.option("--html", "as_page", is_flag=True, help="Write a page beside it that needs no other file and no network.")
def run(chapter, values, profile, output: Path | None, force: bool, as_page: bool):
    """Execute CHAPTER and write the notebook, its claims (JSON) and its figures' numbers (CSV) beside it."""
    given = _once_each(values)
    catalogue.checked(chapter, profile, given)
    output = _checked_output(output or Path(f"{chapter}-{profile}.ipynb"))
    if as_page:
        _try_to_write(output.with_suffix(".html"))
    from analysis.runs import results, runner

    if output.exists() and results.read(output) is None and not force:
        raise ParameterError(
            f"'{output}' is no notebook as a run wrote it (it is another's, or was changed since): choose another name "
            "with -o, or --force to overwrite it."
        )
    processes.remove_abandoned(output.parent)
    prepared = runner.prepare(chapter, profile=profile, values=given)
    if runner.is_current(prepared, output) and not force:
        click.echo(f"{output} is up to date; --force runs it again.")
        notebook = results.read(output)
    else:
        _announce(prepared)
        notebook = runner.execute(prepared, output)
        for path in (output, *runner.side_files(notebook, output)):
            click.echo(f"wrote {path}")
    if as_page:
        _write_page(notebook, output.with_suffix(".html"))


def _write_page(notebook, path: Path) -> None:
    from analysis.files import write_atomically
    from analysis.runs import standalone

    write_atomically(path, standalone.page(notebook))
    click.echo(f"wrote {path}")


def _checked_output(typed: Path) -> Path:
    output = _user_path(typed)
    if output.suffix != ".ipynb":
        raise ParameterError(f"Option '-o' must name a file that ends in .ipynb, got '{output}'.")
    if not output.parent.is_dir():
        raise ParameterError(f"Option '-o' must be in a folder that exists, and '{output.parent}' does not.")
    _keep_out_of_the_book(output)
    _try_to_write(output)
    return output


def _try_to_write(path: Path) -> None:
    try:
        files.try_to_write(path)
    except OSError as error:
        raise ParameterError(f"'{path}' cannot be written: {files.reason(error)}.") from None


def _user_path(typed: Path) -> Path:
    try:
        return files.user_path(typed)
    except ValueError as error:
        raise ParameterError(f"Option '-o': {error}") from None


def _keep_out_of_the_book(path: Path) -> None:
    if path.resolve().is_relative_to(catalogue.BOOK):
        raise ParameterError("Option '-o' must not be in book/, which holds the sources; choose another folder.")


def _once_each(values: tuple[tuple[str, str], ...]) -> dict[str, str]:
    names = [name for name, _ in values]
    for name in names:
        if names.count(name) > 1:
            raise ParameterError(f"Option '-p' must set each parameter once, got '{name}' twice.")
    return dict(values)


def _announce(prepared) -> None:
    click.echo(f"[run] {prepared.chapter}, {prepared.profile} profile: {_expected(prepared)}")


def _expected(prepared) -> str:
    from analysis.runs import runner

    fewest, most = runner.expected_seconds(prepared)
    if most < 100:
        return f"{fewest:.0f} to {most:.0f} s"
    return f"{_minutes(fewest)} to {_minutes(most)} min"


def _minutes(seconds: float) -> str:
    return "less than 1" if seconds < 60 else f"{seconds / 60:.0f}"


@main.command()
@click.option("--profile", default="default", show_default=True, help="Which parameters the chapters run with.")
def book(profile: str):
    """Execute the chapters that are out of date and build the HTML into _build/html."""
    for chapter in catalogue.chapters():
        catalogue.checked(chapter, profile)
    from analysis.runs import publish, runner

    outputs = {chapter: publish.executed_path(chapter, profile) for chapter in catalogue.chapters()}
    runs = [runner.prepare_again(chapter, output, profile=profile) for chapter, output in outputs.items()]
    processes.remove_abandoned(publish.BUILD, publish.executed_path("", profile).parent)
    for prepared in runs:
        output = outputs[prepared.chapter]
        if runner.is_current(prepared, output):
            click.echo(f"[book] {prepared.chapter}: up to date")
            continue
        _announce(prepared)
        runner.execute(prepared, output)
    stage = publish.staged(runs)
    if publish.is_current(stage):
        click.echo("[book] HTML: up to date")
    else:
        click.echo("[book] HTML: building, half a minute")
        publish.build(stage)
    click.echo(f"[book] open {(publish.HTML / 'index.html').as_uri()}")


@main.command()
@click.option("-o", "--output", type=Path, default="book.pdf", show_default=True, metavar="PATH", help="File to write.")
def pdf(output: Path):
    """Print the whole book, as it was built last, to one PDF; needs Chromium or Chrome, and no network."""
    output = _checked_ending(output, ".pdf")
    from analysis.runs import pdf as printing

    printing.write(output)
    click.echo(f"wrote {output}")


@main.command()
@click.option("-o", "--output", type=Path, default="book.zip", show_default=True, metavar="PATH", help="File to write.")
def offline(output: Path):
    """Pack the whole book, as it was built last, into one zip; unpacked, it is read without a network."""
    output = _checked_ending(output, ".zip")
    from analysis.runs import offline as packing

    packing.write(output)
    click.echo(f"wrote {output}")


def _checked_ending(typed: Path, ending: str) -> Path:
    output = _user_path(typed)
    if output.suffix != ending:
        raise ParameterError(f"Option '-o' must name a file that ends in {ending}, got '{output}'.")
    _try_to_write(output)
    return output


@main.command("sweep")
@click.argument("chapter")
@click.option(
    "--grid", multiple=True, required=True, metavar="NAME=V1,V2", help="Values of one parameter; a..b counts."
)
@click.option("-p", "--parameter", "values", nargs=2, multiple=True, metavar="NAME VALUE", help="Set one parameter.")
@click.option("--profile", default="default", show_default=True, help="Starting values.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 1000), help="Runs at a time.")
@click.option("-o", "--output", "folder", type=Path, metavar="PATH", help="Folder to write to [CHAPTER-sweep].")
def sweep_(chapter, grid, values, profile, jobs, folder):
    """Run CHAPTER once for every combination of the --grid values, and write one table of all results.

    Finished points are skipped on the next call; a point that fails is reported at the end and stops no other.
    """
    given, grid_values = _once_each(values), grid_points(grid)
    for name in given.keys() & grid_values[0].keys():
        raise ParameterError(f"Parameter '{name}' must be set by '-p' or by '--grid', not by both.")
    points = [given | point for point in grid_values]
    for point in points:
        catalogue.checked(chapter, profile, point)
    from tqdm import tqdm

    from analysis.runs import runner, sweep

    folder = _user_path(folder or Path(f"{chapter}-sweep"))
    _keep_out_of_the_book(folder)
    runs = sweep.prepare(chapter, points, profile=profile, folder=folder)
    sweep.check_folder(runs, folder)
    processes.remove_abandoned(folder)
    done = sum(runner.is_current(run, path) for path, run in runs.items())
    click.echo(f"[sweep] {len(runs)} points, {done} of them finished; {_expected(next(iter(runs.values())))} each")
    failed = sweep.run_all(runs, n_jobs=jobs, progress=lambda points, total: tqdm(points, "points", total))
    sweep.write_table(runs, folder / "sweep.csv")
    click.echo(f"wrote {folder / 'sweep.csv'}")
    if failed:
        reports = "\n\n".join(f"{path.name}\n{error}" for path, error in failed.items())
        raise runner.RunError(
            f"{len(failed)} of {len(runs)} points failed; the next call tries them again.\n\n{reports}"
        )


@main.command()
@click.argument("chapters", nargs=-1)
@click.option("--force", is_flag=True, help="Run even what is up to date.")
def public(chapters: tuple[str, ...], force: bool):
    """Execute the public-data notebooks of CHAPTERS (all, if none is named) and keep them in book/public."""
    names = chapters or catalogue.public_runs()
    for name in names:
        catalogue.checked(name, catalogue.PUBLIC)
    from analysis.runs import runner

    processes.remove_abandoned(catalogue.BOOK / catalogue.PUBLIC)
    for prepared in [runner.prepare(name, profile=catalogue.PUBLIC) for name in names]:
        output = catalogue.text_half(prepared.chapter, catalogue.PUBLIC).with_suffix(".ipynb")
        if runner.is_current(prepared, output) and not force:
            click.echo(f"[public] {prepared.chapter}: up to date")
            continue
        _announce(prepared)
        runner.execute(prepared, output, side=False)
        click.echo(f"wrote {output}")


@main.command("extract")
@click.argument("models")
@click.option("--images", required=True, help="A folder of pictures, an .npz file, or a set's name, as 'cifar10'.")
@click.option("-o", "--output", "folder", required=True, type=Path, metavar="PATH", help="Folder to write to.")
@click.option("--layers", default="auto", show_default=True, help="Names separated by commas; auto: all stages.")
@click.option("--pool", default="mean", show_default=True, type=click.Choice(["mean", "none"]), help="Maps, tokens.")
@click.option("--all-units", is_flag=True, help="Keep all units of layers that are not pooled, however many.")
@click.option("--batch-size", default=64, show_default=True, type=click.IntRange(1, 100_000), help="Pictures at once.")
@click.option("--device", default="cpu", show_default=True, type=click.Choice(["cpu", "cuda"]), help="Where to run.")
@click.option("--jobs", default=1, show_default=True, type=click.IntRange(1, 256), help="Models at a time.")
def extract_(models, images, folder, layers, pool, all_units, batch_size, device, jobs):
    """Record the activations and answers of MODELS, a line-up, on a set of pictures.

    Every chapter takes the folder where it takes models. A call that was killed goes on where it was.
    """
    folder = _user_path(folder)
    _keep_out_of_the_book(folder)
    processes.remove_abandoned(folder)
    from analysis.runs.extracting import extract_lineup

    names = () if layers == "auto" else tuple(name.strip() for name in layers.split(","))
    for line in extract_lineup(models, images, folder, names, pool, all_units, batch_size, device, jobs):
        click.echo(line)


@main.command()
@click.argument("datasets", nargs=-1)
def fetch(datasets: tuple[str, ...]):
    """Download and check the public files of DATASETS; without a name, list what there is.

    Files go to the folder that ANALYSIS_DATA names, or into the user's cache. Nothing that is there already is
    downloaded again, and every file is checked by its SHA-256.
    """
    from analysis.data import registry

    known = registry.datasets()
    for name in datasets:
        if name not in {*known, *registry.ARCHIVES}:
            raise ParameterError(unknown("dataset", name, [*known, *registry.ARCHIVES]))
    for name in datasets:
        paths = [registry.public_path(file.name, progress=True) for file in known.get(name, [])]
        for path in paths or [registry.ARCHIVES[name]()]:
            click.echo(f"{path}: whole")
    if not datasets:
        click.echo("".join(_dataset_line(name, found) for name, found in known.items()), nl=False)
        click.echo("mnist comes from OpenML when it is first asked for (about 15 MB), cifar10 from its site (170 MB).")


def _dataset_line(name: str, registered: list) -> str:
    there = sum(file.is_whole() for file in registered)
    size = sum(file.bytes for file in registered) / 1e6
    licences, sources = (", ".join(sorted({getattr(file, key) for file in registered})) for key in ("licence", "cite"))
    here = f"{there} of {len(registered)} files here, {size:.1f} MB in all"
    return f"{name:22} {here}; licence: {licences}; cite: {sources}\n"


@main.command("course")
@click.option("-o", "--output", "folder", required=True, type=Path, metavar="PATH", help="Folder to write to.")
@click.option("--profile", default="default", show_default=True, help="Whose figures the slides show.")
@click.option(
    "--time", "timed", is_flag=True, help="Run every chapter's quick profile, and say how long it takes here."
)
@click.option("--wheels", is_flag=True, help="Bring the packages along, for this platform; gigabytes.")
def course_(folder: Path, profile: str, timed: bool, wheels: bool):
    """Write notebooks for students and instructors, slides, and a zip for a classroom.

    The book has to be built before. FOLDER must not be there yet, or be empty.
    """
    folder = _user_path(folder)
    for chapter in catalogue.chapters():
        catalogue.checked(chapter, profile)
    _keep_out_of_the_book(folder)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ParameterError(f"Option '-o' must name a new or an empty folder, and '{folder}' is not.")
    if not folder.parent.is_dir():
        raise ParameterError(f"Option '-o' must be in a folder that exists, and '{folder.parent}' does not.")
    _try_to_write(folder.with_name(f"{folder.name}.zip"))
    from analysis.runs import course

    files.remove_abandoned(folder.parent)
    notebooks = course.executed(profile)
    seconds = {chapter: course.quick_seconds(chapter) for chapter in notebooks} if timed else {}
    course.write(folder, notebooks, seconds, wheels)
    click.echo(
        f"wrote {folder}: for {len(notebooks)} chapters student and instructor notebooks, slides; {course.ARCHIVE}"
    )


@main.command()
@click.argument("chapters", nargs=-1)
def pair(chapters: tuple[str, ...]):
    """Write the notebook half of CHAPTERS (all, if none is named) from the text half, book/CHAPTER.md."""
    names = chapters or catalogue.chapters()
    for name in names:
        if name not in catalogue.chapters():
            raise ParameterError(unknown("chapter", name, catalogue.chapters()))
    from analysis.runs import pairs

    for name in names:
        click.echo(f"wrote {pairs.write_notebook_half(catalogue.text_half(name))}")


if __name__ == "__main__":
    processes.stop_in_one_sentence()
    main(prog_name="python -m analysis")

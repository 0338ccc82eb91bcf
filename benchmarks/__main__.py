"""Measure every job of the suite, or those that are named: ``python -m benchmarks [JOB]... [--record]``."""

import datetime
import json
from pathlib import Path

import click

from analysis.files import write_atomically
from analysis.runs import catalogue, publish, results
from analysis.runs.performance import RECORD
from analysis.sources import ROOT
from benchmarks import machine
from benchmarks.harness import Job, measure
from benchmarks.jobs import all_jobs

LATEST = ROOT / "_build" / "performance.json"


@click.command()
@click.argument("names", nargs=-1, metavar="[JOB]...")
@click.option("--record", is_flag=True, help="Write what the book's page shows, book/performance.json.")
def main(names: tuple[str, ...], record: bool) -> None:
    """Measure every job, or the JOBs named. What was measured is written after each job."""
    jobs = all_jobs()
    if unknown := sorted(set(names) - set(jobs)):
        raise click.UsageError(f"There is no job {', '.join(unknown)}. There are: {', '.join(jobs)}.")
    path = RECORD if record else LATEST
    run([jobs[name] for name in names or jobs], path)
    if record:
        from benchmarks.figure import draw

        draw(path)
    click.echo(f"Written: {path.relative_to(ROOT)}")


def run(jobs: list[Job], path: Path) -> None:
    """Measure jobs, each written when it is done beside what the file holds from this very machine."""
    here = machine.describe()
    suite = {job.name: job.title for job in all_jobs().values()}
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    same = _identity(known.get("machine", {})) == _identity(here)
    measured, chapters = known["jobs"] if same else {}, _chapters()
    for job in jobs:
        measured[job.name] = measure(job, click.echo)
        ordered = {name: measured[name] for name in suite if name in measured}
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d")
        text = json.dumps(
            {"date": now, "machine": here, "chapters": chapters, "suite": suite, "jobs": ordered},
            indent=1,
            ensure_ascii=False,
        )
        write_atomically(path, f"{text}\n".encode())


def _chapters() -> dict[str, dict]:
    """When the chapters of the book that was built here ran, and for how long: their notebooks say so."""
    paths = {name: publish.executed_path(name, "default") for name in catalogue.chapters()}
    built = {name: results.read(path) for name, path in paths.items()}
    return {
        name: {key: notebook.metadata.analysis[key] for key in ("started", "seconds", "device")}
        for name, notebook in built.items()
        if notebook is not None
    }


def _identity(described: dict) -> dict:
    """What makes measurements comparable: all but how busy the machine was."""
    return {key: value for key, value in described.items() if key != "limits"}


if __name__ == "__main__":
    main()

"""The page on speed: what was measured, in tables, and what follows from it; nothing of it is typed."""

import json
import math
from collections.abc import Callable
from decimal import Decimal
from html import escape
from pathlib import Path
from statistics import linear_regression, median

from analysis.runs.claim_tables import html_table
from analysis.sources import ROOT

RECORD = ROOT / "book" / "performance.json"
"""What `make benchmarks ARGS=--record` wrote last."""

_OURS, _ALTERNATIVE, _LIMIT, _REFERENCE = "ours", "alternative", "limit", "reference"


def staged() -> dict[Path, bytes]:
    """The generated parts of the page, and the record itself for those who want its numbers."""
    text = RECORD.read_text(encoding="utf-8")
    record = json.loads(text)
    parts = {"machine": machine(record), "jobs": jobs(record), "growth": growth(record), "paper": projection(record),
             "chapters": chapters(record)}  # fmt: skip
    pages = {Path(f"book/generated/performance-{name}.md"): f"{part}\n".encode() for name, part in parts.items()}
    return pages | {Path("book/data/performance.json"): text.encode()}


# ---------------------------------------------------------------------------------------------------------------------
# Numbers


def seconds(way: dict) -> float:
    """Of the whole job: the median over rounds, by the share of the job that a call does."""
    return median(way["seconds"]) / way["part"]


def ours(job: dict) -> dict:
    """The way that is the book's."""
    return job["ways"][0]


def measured(job: dict, kind: str) -> list[dict]:
    """The ways of one kind that could be taken."""
    return [way for way in job["ways"][1:] if way["kind"] == kind and not way["missing"]]


def limit(job: dict) -> dict | None:
    """The fastest of the limits: where two libraries multiply, the better one sets it."""
    return min(measured(job, _LIMIT), key=seconds, default=None)


def ratios(way: dict, base: dict) -> list[float]:
    """Seconds of one way over those of another: first the ratio of medians, then the least and the largest a round.

    A way that was called once is set against every round of the other.
    """
    others, bases = ([value / each["part"] for value in each["seconds"]] for each in (way, base))
    rounds = max(len(others), len(bases))
    each = [(others * rounds)[k] / (bases * rounds)[k] for k in range(rounds)]
    return [seconds(way) / seconds(base), min(each), max(each)]


def grown(job: dict, what: str) -> list[tuple[int, float]]:
    """(size, value) of ours at every size; `what` is "seconds" or "peak_bytes"."""
    points = [point for point in job["growth"] if not point["missing"]]
    return [(point["size"], median(point[what]) if what == "seconds" else point[what] or 0) for point in points]


def power_law(points: list[tuple[int, float]]) -> tuple[float, float] | None:
    """(factor, exponent) of values as a power of the size, fitted to logarithms; None below three points above 0."""
    logs = [(math.log(size), math.log(value)) for size, value in points if value > 0]
    if len(logs) < 3:
        return None
    line = linear_regression(*zip(*logs, strict=True))
    return math.exp(line.intercept), line.slope


# ---------------------------------------------------------------------------------------------------------------------
# Aims


def _times_faster(job: dict, against: dict) -> float:
    return seconds(against) / seconds(ours(job))


def _at_equal_error(job: dict, against: dict) -> float:
    """Sampling errors fall with the root of the number of answers, and its cost is proportional to that number."""
    return _times_faster(job, against) * (against["rms"] / ours(job)["rms"]) ** 2


MEASURES: dict[str, tuple[str, Callable[[dict, dict], float], bool]] = {
    "times faster": ("{:.3g} × faster than {}", _times_faster, True),
    "times faster at equal error": ("{:.3g} × faster than {} with as small an error", _at_equal_error, True),
    "efficiency of two": ("efficiency {:.2f}", lambda job, one: seconds(one) / seconds(ours(job)) / 2, True),
    "of the limit": ("{:.2f} × {}", lambda job, least: seconds(ours(job)) / seconds(least), False),
    "seconds over the limit": ("{:.2f} s more than {}", lambda job, least: seconds(ours(job)) - seconds(least), False),
    "seconds": ("{:.1f} s", lambda job, _: seconds(ours(job)), False),
    "gigabytes": ("{:.2g} GB at the peak", lambda job, _: ours(job)["peak_bytes"] / 1e9, False),
    "from the optimum": ("{:.2g} from the optimum at most", lambda job, _: ours(job)["difference"], False),
}
"""What an aim is about: how it reads, how it is computed, and whether more is better."""


def judged(job: dict, aim: dict) -> dict:
    """What came of an aim: `text`, and `met`, None where something that it needs was not measured."""
    text, compute, more = MEASURES[aim["measure"]]
    over_limit = "limit" in aim["measure"]
    found = limit(job) if over_limit else _named(job, aim["against"])
    bound = text.format(aim["bound"], aim["against"] or (found or {}).get("name", "the limit"))
    wanted = f"{'at least' if more else 'at most'} {bound}"
    absent = (over_limit or aim["against"]) and (found is None or found["missing"])
    if ours(job)["missing"] or absent:
        return {"wanted": wanted, "value": None, "met": None}
    value = compute(job, found or {})
    return {"wanted": wanted, "value": value, "met": value >= aim["bound"] if more else value <= aim["bound"]}


def _named(job: dict, name: str) -> dict | None:
    return next((way for way in job["ways"] if way["name"] == name), None)


# ---------------------------------------------------------------------------------------------------------------------
# What the page shows


def jobs(record: dict) -> str:
    """Every job: ours, what else there is, the limit, and what became of the aims."""
    table = html_table(list(record["jobs"].values()), _COLUMNS, explained=False)
    missing = [title for name, title in record["suite"].items() if name not in record["jobs"]]
    return f"{table}\n\nNot measured in this record: {'; '.join(missing)}." if missing else table


def _job(job: dict) -> str:
    threads = "" if job["threads"] is None else f"<small>{job['threads']} thread</small>"
    return f"<b>{escape(job['title'])}</b><small>{escape(job['size'])}</small>{threads}"


def _ours(job: dict) -> str:
    way = ours(job)
    if way["missing"]:
        return f"not measured: {escape(way['missing'])}"
    return f"<b>{_seconds(seconds(way))}</b><small>{_memory(way)}</small>"


def _beside(kind: str) -> Callable[[dict], str]:
    return lambda job: "".join(_ratio(job, way) for way in job["ways"][1:] if way["kind"] == kind) or "—"


def _ratio(job: dict, way: dict) -> str:
    """The seconds of an alternative as a multiple of ours, and ours as a multiple of a limit."""
    name = escape(way["name"])
    if way["missing"] or ours(job)["missing"]:
        return f"<div>{name}: not measured<small>{escape(way['missing'] or ours(job)['missing'])}</small></div>"
    pair = (ours(job), way) if way["kind"] == _LIMIT else (way, ours(job))
    middle, least, most = ratios(*pair)
    marks = ["extrapolated"] if way["part"] < 1 else []
    marks += [f"{_short(least)} to {_short(most)}", *filter(None, [_seconds(seconds(way)), _memory(way)])]
    if way["difference"]:
        marks.append(f"answers differ by {way['difference']:.0e} at most")
    return f"<div>{name}: <b>{_short(middle)} ×</b><small>{', '.join(marks)}</small></div>"


def _aims(job: dict) -> str:
    return "".join(_aim(judged(job, aim)) for aim in job["aims"]) or "none set"


def _aim(judgement: dict) -> str:
    word = {True: "met", False: "missed", None: "open"}[judgement["met"]]
    found = "" if judgement["value"] is None else f"{_short(judgement['value'])}; "
    return f"<div><b>{word}</b><small>{found}{escape(judgement['wanted'])}</small></div>"


_COLUMNS = {
    "Job": _job,
    "Ours": _ours,
    "Alternatives, as multiples of ours": _beside(_ALTERNATIVE),
    "Ours, as a multiple of the limit": _beside(_LIMIT),
    "Aims": _aims,
}


def _short(value: float) -> str:
    """Three digits, and no power of ten for what is large or small."""
    return f"{Decimal(f'{value:.3g}'):,f}"


def _seconds(value: float) -> str:
    if value >= 3600:
        return f"{value / 3600:.3g} h"
    if value >= 100:
        return f"{value / 60:.3g} min"
    return f"{value * 1000:.3g} ms" if value < 0.1 else f"{value:.3g} s"


def _memory(way: dict) -> str:
    """At the peak, beyond the input; empty where it is not known."""
    if way["peak_bytes"] is None:
        return ""
    megabytes = max(way["peak_bytes"], 0) / 1e6
    if megabytes < 1:
        return "below 1 MB"
    return f"{megabytes / 1000:.2f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"


def machine(record: dict) -> str:
    """Processor, libraries and limits, as a list."""
    here = record["machine"]
    limits = here["limits"]
    loads = [job["load"] for job in record["jobs"].values()]
    gibibytes = here["memory_bytes"] / 2**30
    facts = {
        "Measured": record["date"],
        "Processor": f"{here['processor']}, {here['cores']} cores, {gibibytes:.0f} GiB, {here['system']}",
        "Graphics processor": here["gpu"] or "none",
        "NumPy multiplies with": f"{here['numpy_blas']}, {limits['numpy_gflops']:.0f} GFLOP/s in float32",
        "PyTorch multiplies with": f"{here['torch_blas']}, {limits['torch_gflops']:.0f} GFLOP/s in float32, "
        f"{here['torch_threads']} threads",
        "Memory": f"{limits['copy_gb_per_second']:.1f} GB/s read and written while copying",
        "Versions": ", ".join(f"{name} {version}" for name, version in here["versions"].items()),
        "Load of the machine before each job": f"{min(loads):.1f} to {max(loads):.1f} (0: nothing else ran)",
    }
    lines = [f"{name}\n: {fact}\n" for name, fact in facts.items()]
    busy = ["Other programs ran beside some of these measurements: their times are too long, and ratios vary.\n"]
    return "\n".join(lines + (busy if max(loads) > here["cores"] / 2 else []))


def growth(record: dict) -> str:
    """The exponents of every job that was measured at several sizes."""
    lines = ["| job | what grows | from | to | seconds grow with | memory grows with |", "|---|---|--:|--:|--:|--:|"]
    for job in record["jobs"].values():
        if points := grown(job, "seconds"):
            powers = [_power(power_law(grown(job, what))) for what in ("seconds", "peak_bytes")]
            ends = [f"{size:,}" for size in (points[0][0], points[-1][0])]
            lines.append(f"| {' | '.join([job['title'], job['grows'], *ends, *powers])} |")
    return "\n".join(lines)


def _power(law: tuple[float, float] | None) -> str:
    return "—" if law is None else f"size<sup>{law[1]:.2f}</sup>"


def projection(record: dict) -> str:
    """The paper's whole grid from the measured fits of one probe: a sentence, and why, where it cannot be told."""
    fits = record["jobs"].get("probe_wide")
    law = fits and power_law(grown(fits, "seconds"))
    if law is None:
        return "The fits that it would be projected from were not measured."
    hours = core_hours(*law, smallest=grown(fits, "seconds")[0][0])
    text = f"**A projection:** {N_FITS:,} fits, {hours:,.0f} core hours ({hours / 8766:.1f} years of one core)"
    gpu = _named(fits, ON_GPU)
    if gpu is None or gpu["missing"]:
        return f"{text}. Hours of a graphics processor are not projected: none has been measured."
    share = seconds(gpu) / seconds(ours(fits))
    return f"{text}, or {hours * share:,.0f} hours of one {record['machine']['gpu']}."


def chapters(record: dict) -> str:
    """How long the chapters of the book last took here, as their runs noted; a sentence where there is no such book."""
    if not record["chapters"]:
        return "No book had been built where this was measured."
    lines = ["| chapter | run | seconds |", "|---|---|--:|"]
    lines += [f"| {name} | {run['started']} | {run['seconds']:.0f} |" for name, run in record["chapters"].items()]
    total = sum(run["seconds"] for run in record["chapters"].values())
    return "\n".join([*lines, f"| **all, one after the other** | | **{total:.0f}** |"])


ON_GPU = "fit_probe on a GPU"
PAPER_SIZES = (*(50 * 2**k for k in range(17)), 4_200_000)
"""Numbers of training triplets of arXiv:2510.23321."""
_FITS_A_SIZE = 20 * 20 * 30 * 3 * 11  # generators, candidates, seeds, folds, penalties
N_FITS = _FITS_A_SIZE * len(PAPER_SIZES)


def core_hours(factor: float, power: float, *, smallest: int) -> float:
    """Of all fits, if one takes ``factor * n**power`` seconds; below the smallest n measured, as long as that one."""
    return sum(_FITS_A_SIZE * factor * max(size, smallest) ** power for size in PAPER_SIZES) / 3600

"""The page on speed says what the record holds: every job, every ratio, and aims judged by what was measured."""

import json
import math
import re
from html import escape
from pathlib import Path

import pytest

from analysis.runs import performance
from analysis.sources import ROOT, sha256
from benchmarks.harness import Aim, Job
from benchmarks.jobs import all_jobs

RECORD = json.loads(performance.RECORD.read_text(encoding="utf-8"))
JOBS = all_jobs()


def way(name="ours", kind="", seconds=(2.0,), **more):
    kind = kind or ("ours" if name == "ours" else "alternative")
    plain = {"part": 1.0, "peak_bytes": 3_000_000_000, "missing": "", "difference": None, "rms": None}
    return {"name": name, "kind": kind, "seconds": list(seconds)} | plain | more


def job(*ways, aims=(), sizes=()):
    grown = [way(seconds=[seconds]) | {"size": size, "peak_bytes": peak} for size, seconds, peak in sizes]
    text = {"title": "A & B", "size": "10 things", "grows": "things", "threads": None, "load": 0.5}
    return text | {"aims": [vars(aim) for aim in aims], "ways": list(ways), "growth": grown}


def test_the_record_holds_jobs_as_the_suite_has_them():
    assert RECORD["suite"] == {name: suite.title for name, suite in JOBS.items()}
    assert list(RECORD["jobs"]) == [name for name in JOBS if name in RECORD["jobs"]]
    for name, recorded in RECORD["jobs"].items():
        suite: Job = JOBS[name]
        assert recorded["aims"] == [vars(aim) for aim in suite.aims]
        assert [(each["name"], each["kind"]) for each in recorded["ways"]] == [(w.name, w.kind) for w in suite.ways]
        assert [point["size"] for point in recorded["growth"]] == [
            size[suite.grows] for size in suite.sizes if suite.grows
        ]
        assert all(each["seconds"] or each["missing"] for each in recorded["ways"])


def test_every_job_that_grows_has_four_sizes():
    assert {name: len(suite.sizes) for name, suite in JOBS.items() if suite.grows and len(suite.sizes) < 4} == {}


def test_the_page_names_every_job_of_the_suite_also_where_it_was_not_measured():
    page = performance.jobs(RECORD)
    assert [name for name, suite in JOBS.items() if escape(suite.title, quote=True) not in page] == []
    left = performance.jobs({"suite": {"x": "One", "y": "Two"}, "jobs": {"x": job(way())}})
    assert left.endswith("Not measured in this record: Two.")


@pytest.mark.parametrize("name", RECORD["jobs"])
def test_the_table_says_what_the_record_holds(name):
    recorded = RECORD["jobs"][name]
    row = performance.jobs({"suite": {}, "jobs": {name: recorded}})
    mine = performance.ours(recorded)
    for each in recorded["ways"][1:]:
        if each["kind"] == "reference" or each["missing"] or mine["missing"]:
            continue
        spent = [sorted(w["seconds"])[(len(w["seconds"]) - 1) // 2] for w in (each, mine)]
        if all(len(w["seconds"]) % 2 for w in (each, mine)):  # else the median lies between two rounds
            theirs, ours = (seconds / w["part"] for seconds, w in zip(spent, (each, mine), strict=True))
            ratio = ours / theirs if each["kind"] == "limit" else theirs / ours
            told = f"{ratio:.3g}" if ratio < 1000 else f"{round(ratio, 2 - math.floor(math.log10(ratio))):,.0f}"
            assert f"<b>{told} ×</b>" in row
    words = [performance.judged(recorded, aim)["met"] for aim in recorded["aims"]]
    assert re.findall("<b>(met|missed|open)</b>", row) == [
        {True: "met", False: "missed", None: "open"}[w] for w in words
    ]


def test_the_picture_was_drawn_from_this_record():
    drawn = performance.RECORD.with_suffix(".svg").read_text(encoding="utf-8")
    assert f"<dc:identifier>{sha256(performance.RECORD.read_bytes())}</dc:identifier>" in drawn


def test_what_the_page_includes_is_staged():
    page = (ROOT / "book" / "performance.md").read_text(encoding="utf-8")
    included = {Path("book", name) for name in re.findall(r"generated/performance-\w+\.md", page)}
    staged = performance.staged()
    assert staged.keys() == included | {Path("book/data/performance.json")}
    assert json.loads(staged[Path("book/data/performance.json")]) == RECORD


def test_part_of_a_job_counts_for_as_much_as_it_does():
    assert performance.seconds(way(seconds=[2, 1, 6], part=0.5)) == 4


def test_ratios_are_of_medians_and_their_spread_is_over_rounds():
    ours, other = way(seconds=[1, 2, 4]), way(seconds=[2, 6, 4])
    assert performance.ratios(other, ours) == [2, 1, 3]
    assert performance.ratios(way(seconds=[8.0]), ours) == [4, 2, 8]


def test_the_faster_limit_counts():
    limits = [way(name, "limit", [seconds]) for name, seconds in (("slow", 3), ("fast", 1.5))]
    assert performance.limit(job(way(), *limits))["name"] == "fast"
    assert performance.limit(job(way())) is None


@pytest.mark.parametrize(
    ("aim", "ways", "value", "met"),
    [
        (Aim("times faster", 5, "b"), [way(), way("b", seconds=[10])], 5, True),
        (Aim("times faster", 5.1, "b"), [way(), way("b", seconds=[10])], 5, False),
        (Aim("times faster", 5, "b"), [way(), way("b", seconds=[], missing="no b")], None, None),
        (Aim("times faster", 5, "b"), [way(seconds=[], missing="broke"), way("b")], None, None),
        (Aim("times faster at equal error", 50, "b"), [way(rms=0.1), way("b", seconds=[4], rms=0.5)], 50, True),
        (Aim("of the limit", 1.9), [way(), way("b", "limit", [1])], 2, False),
        (Aim("of the limit", 2), [way()], None, None),
        (Aim("seconds over the limit", 1), [way(), way("b", "limit", [1])], 1, True),
        (Aim("seconds", 1), [way()], 2, False),
        (Aim("gigabytes", 3), [way()], 3, True),
        (Aim("from the optimum", 0.1), [way(difference=0.2)], 0.2, False),
        (Aim("efficiency of two", 0.85, "b"), [way(), way("b", seconds=[3])], 0.75, False),
    ],
)
def test_aims_are_judged_by_what_was_measured(aim, ways, value, met):
    judgement = performance.judged(job(*ways), vars(aim))
    assert judgement["value"] == (None if value is None else pytest.approx(value))
    assert judgement["met"] is met


def test_every_measure_is_tested_above_and_every_aim_has_one():
    used = {aim.measure for suite in JOBS.values() for aim in suite.aims}
    assert used <= performance.MEASURES.keys()


def test_names_are_shown_as_they_are():
    row = performance.jobs(
        {"suite": {}, "jobs": {"x": job(way(), way("<b>", part=0.1), way("c", missing="no <c>", seconds=[]))}}
    )
    assert "A &amp; B" in row
    assert "&lt;b&gt;: <b>10 ×</b><small>extrapolated, " in row
    assert "c: not measured<small>no &lt;c&gt;</small>" in row


def test_memory_is_shown_where_it_is_known():
    cells = {"ours": way(), "small": way("small", peak_bytes=2_600_000), "none": way("none", "limit", peak_bytes=None)}
    row = performance.jobs({"suite": {}, "jobs": {"x": job(*cells.values())}})
    assert "<b>2 s</b><small>3.00 GB</small>" in row
    assert "small: <b>1 ×</b><small>1 to 1, 2 s, 3 MB</small>" in row
    assert "none: <b>1 ×</b><small>1 to 1, 2 s</small>" in row


def test_a_busy_machine_is_said_to_be_one():
    record = {"machine": RECORD["machine"] | {"cores": 2}, "date": "2026-01-01"}
    quiet, busy = (performance.machine(record | {"jobs": {"x": job(way()) | {"load": load}}}) for load in (1.0, 1.1))
    assert "Other programs ran" in busy
    assert "Other programs ran" not in quiet


def test_a_power_is_found():
    grown = job(way(), sizes=[(10, 3.0, 5), (20, 12.0, 10), (40, 48.0, 20)])
    factor, power = performance.power_law(performance.grown(grown, "seconds"))
    assert (factor, power) == (pytest.approx(0.03), pytest.approx(2))
    assert performance.power_law(performance.grown(grown, "peak_bytes"))[1] == pytest.approx(1)
    assert performance.power_law([(1, 2.0), (2, 0.0), (4, 3.0)]) is None
    assert "| A & B | things | 10 | 40 | size<sup>2.00</sup> | size<sup>1.00</sup> |" in performance.growth(
        {"jobs": {"x": grown}}
    )


def test_the_papers_grid_is_as_large_as_it_says():
    assert performance.N_FITS == 20 * 18 * 30 * 3 * 11 * 20
    assert performance.PAPER_SIZES[16] == 3_276_800
    assert performance.core_hours(3600, 0, smallest=1) == performance.N_FITS
    each = performance.N_FITS // 18
    assert performance.core_hours(3600, 1, smallest=4_200_000) == pytest.approx(18 * each * 4_200_000)


def test_hours_of_a_gpu_are_projected_only_where_one_was_measured():
    wide = job(way(), sizes=[(10, 1.0, 5), (20, 2.0, 10), (40, 4.0, 20)])
    record = {"jobs": {"probe_wide": wide}, "machine": {"gpu": "G1"}}
    assert "not measured" in performance.projection({"jobs": {}})
    assert "none has been measured" in performance.projection(record)
    wide["ways"].append(way(performance.ON_GPU, seconds=[0.5]))
    whole, on_gpu = (
        float(number.replace(",", ""))
        for number in re.findall(r"([\d,]+) (?:core )?hours", performance.projection(record))
    )
    assert on_gpu == pytest.approx(whole / 4, rel=1e-6)


def test_times_and_sizes_can_be_read():
    assert [performance._seconds(value) for value in (0.0031, 0.5, 45, 170.4, 2100, 9000)] == [
        "3.1 ms", "0.5 s", "45 s", "2.84 min", "35 min", "2.5 h",
    ]  # fmt: skip
    assert [performance._short(value) for value in (3e-9, 6.5e-5, 0.0011, 12.34, 2317, 0)] == [
        "0.000000003", "0.000065", "0.0011", "12.3", "2,320", "0",
    ]  # fmt: skip
    assert performance._memory(way(peak_bytes=9)) == "below 1 MB"

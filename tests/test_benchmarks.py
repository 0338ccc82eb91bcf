"""The suite's harness, and every job at a size that takes no time; nothing here is a matter of seconds."""

import contextlib
import dataclasses
import json
import os

import numpy as np
import pytest
from click.testing import CliRunner

from analysis.data.registry import DataError
from analysis.runs import runner
from analysis.sources import sha256
from benchmarks import __main__ as command
from benchmarks import figure, harness, machine
from benchmarks.harness import REFERENCE, NotMeasuredError, Way
from benchmarks.jobs import all_jobs, workers
from tests import benchmark_ways

MEGABYTES = 2**20
LOOSE = {"predictivity": 0.03, "recovery_limit": 0.1}
"""Scores of another choice of penalty, and of sampled answers."""
NEVER_TINY = {"book_again", "workers_sweep"}  # call the command line for the whole book, and for notebooks


@pytest.fixture(scope="module")
def measured():
    return harness.measure(benchmark_ways.JOB, say=lambda line: None)


def by_name(measured):
    return {way["name"]: way for way in measured["ways"]}


def test_ways_are_called_in_rounds(measured):
    ways = by_name(measured)
    assert {name: len(way["seconds"]) for name, way in ways.items()} == {
        "ours": 3, "limit": 1, "half": 3, "absent": 0, "refused": 0, "broke": 0, "killed": 0,
    }  # fmt: skip
    assert ways["limit"]["seconds"][0] >= 0.02
    assert measured["size"] == "200 things"


def test_a_way_that_cannot_be_taken_says_why(measured):
    assert {name: way["missing"] for name, way in by_name(measured).items() if way["missing"]} == {
        "absent": "no-such-distribution is not installed",
        "refused": "because",
        "broke": "ValueError: broken",
        "killed": "its process ended with code 3",
    }


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="tells peaks of a process only, not of a call")
def test_memory_is_what_a_call_holds_beyond_its_input(measured):
    peaks = [point["peak_bytes"] / MEGABYTES for point in measured["growth"]]
    assert peaks == pytest.approx([20, 60, 100, 200], abs=8)
    assert by_name(measured)["limit"]["peak_bytes"] < 8 * MEGABYTES


def test_our_way_is_measured_at_every_size(measured):
    assert [point["size"] for point in measured["growth"]] == [20, 60, 100, 200]


def test_answers_are_compared_with_the_reference_where_they_have_numbers():
    ways = (
        Way("ours", benchmark_ways.first),
        Way("other", benchmark_ways.second),
        Way("truth", benchmark_ways.truth, REFERENCE),
        Way("silent", benchmark_ways.slept),
    )
    job = dataclasses.replace(benchmark_ways.JOB, ways=ways, sizes=({"n": 1},), grows="", rounds=1)
    found = by_name(harness.measure(job, say=lambda line: None))
    assert [found[name]["difference"] for name in ("ours", "other", "truth", "silent")] == [0.5, 2, 0, None]
    assert found["ours"]["rms"] == pytest.approx(np.sqrt(0.25 / 2))


def test_threads_are_as_many_as_the_job_says():
    job = dataclasses.replace(
        benchmark_ways.JOB, ways=(Way("threads", benchmark_ways.threads),), sizes=({"n": 1},), grows="", threads=1
    )
    with harness._Worker(job, job.ways[0], {"n": 1}) as worker:
        worker.run()
    assert worker.answer == [1, 1]


@pytest.mark.public_data
@pytest.mark.parametrize("name", sorted(set(all_jobs()) - NEVER_TINY))
def test_every_way_of_a_job_can_be_taken_and_does_the_same(name):
    """A ratio between different jobs would say nothing. Alternatives that the tests' environment lacks are left out."""
    job = all_jobs()[name]
    try:
        data = job.prepare(**job.tiny)
    except DataError as error:  # what describes some networks is public data
        pytest.skip(str(error))
    answers = []
    for way in job.ways:
        if not harness._missing(way):
            with contextlib.suppress(NotMeasuredError):
                answers.append(way.call(data))
    assert answers
    first = np.asarray(answers[0], dtype=float)
    for answer in answers[1:]:
        if answer is not None:
            same = ~np.isnan(np.asarray(answer, dtype=float)) & ~np.isnan(first)
            np.testing.assert_allclose(np.asarray(answer, dtype=float)[same], first[same], atol=LOOSE.get(name, 3e-4))


def test_what_the_sweep_varies_is_a_parameter_of_its_chapter():
    first, second = (runner.prepare(workers.CHAPTER, profile="quick", values={workers.SWEPT: k}) for k in range(2))
    assert first.parameters != second.parameters


def test_the_machine_is_named():
    described = machine._described(side=64, n_bytes=2**16)
    assert described["processor"]
    assert described["numpy_blas"]
    assert "unknown" not in described["torch_blas"]
    assert all(value > 0 for value in described["limits"].values())


def test_results_are_written_after_each_job(tmp_path, monkeypatch):
    here = {"processor": "P", "limits": {"numpy_gflops": 1.0}}
    jobs = {name: dataclasses.replace(benchmark_ways.JOB, name=name) for name in ("a", "b")}
    monkeypatch.setattr(command, "all_jobs", lambda: jobs)
    monkeypatch.setattr(command.machine, "describe", lambda: here)
    monkeypatch.setattr(command, "measure", lambda job, say: {"title": job.name} if job.name == "a" else 1 / 0)
    path = tmp_path / "record.json"
    with pytest.raises(ZeroDivisionError):
        command.run(list(jobs.values()), path)
    assert json.loads(path.read_text())["jobs"] == {"a": {"title": "a"}}

    monkeypatch.setattr(command, "measure", lambda job, say: {"title": "new"})
    here["limits"] = {"numpy_gflops": 2.0}
    command.run([jobs["b"]], path)
    assert json.loads(path.read_text())["jobs"] == {"a": {"title": "a"}, "b": {"title": "new"}}

    here["processor"] = "Q"
    command.run([jobs["b"]], path)
    assert json.loads(path.read_text())["jobs"] == {"b": {"title": "new"}}


def test_a_job_that_is_not_there_is_refused():
    result = CliRunner().invoke(command.main, ["kapa"])
    assert result.exit_code == 2
    assert "There is no job kapa. There are: best_match, kappa," in result.output


def test_the_picture_names_what_it_was_drawn_from(measured, tmp_path):
    record = tmp_path / "record.json"
    record.write_text(json.dumps({"jobs": {"x": measured}}))
    drawn = figure.draw(record)
    assert sha256(record.read_bytes()) in drawn.read_text()

"""Sweeps: a validated run per grid point, finished points kept, failed ones reported, one tidy table."""

import math
import os

import pandas as pd
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_notebook

from analysis.__main__ import main
from analysis.runs import runner, sweep

CHAPTER = "neuron_correlation"
CODE = """
from analysis.runs.claims import Claim, Ledger
from analysis.runs.rules import Above
from analysis.runs.values import tell
from analysis.intervals import Measured
if n_seeds == 13:
    raise RuntimeError("thirteen seeds")
tell(large=25_600 * n_seeds, small=-0.00012345 / n_seeds, text=f"{n_seeds} of many", third=n_seeds / 3)
tell(".0%", share=1 / n_seeds)
tell(interval=Measured(1234.5 * n_seeds, -n_seeds / 7, float("inf")), no_number=float("nan"), endless=-float("inf"))
ledger = Ledger([Claim("a", "p", "s", "w", Above(0)), Claim("b", "p", "s", "w", Above(0))], same_setting=True)
ledger.measure("a", Measured(n_seeds, n_seeds - 1, n_seeds + 1))
ledger.show()
"""


@pytest.fixture
def small(monkeypatch):
    """The chapter's notebook replaced by one that takes a second."""
    cells = [
        new_code_cell("n_seeds = 5", metadata={"tags": ["parameters"]}, id="p"),
        new_code_cell(CODE, id="c"),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    monkeypatch.setattr(runner, "_source", lambda *_: new_notebook(cells=cells, metadata=kernel))


def test_names_can_be_read_and_differ():
    names = [
        sweep._name(point) for point in ({"a": "1"}, {"images": "x/y.npz"}, {"images": "x-y.npz"}, {"a": "1" * 200})
    ]
    assert names[0] == "a=1"
    assert len(set(names)) == 4
    assert all("/" not in name and len(name) < 120 for name in names)


def call(folder, *options):
    return CliRunner().invoke(main, ["sweep", CHAPTER, "-o", str(folder), *options])


def test_a_sweep_runs_reports_resumes_and_tabulates(small, tmp_path):
    result = call(tmp_path, "--grid", "n_seeds=2,13,3", "--jobs", "2")
    assert result.exit_code == 1
    assert "1 of 3 points failed" in result.output
    assert "RuntimeError: thirteen seeds" in result.output
    assert sorted(path.name for path in tmp_path.glob("*.ipynb")) == ["n_seeds=2.ipynb", "n_seeds=3.ipynb"]

    found = pd.read_csv(tmp_path / "sweep.csv")
    assert set(found["n_seeds"]) == {2, 3}
    claim = found[(found["name"] == "a") & (found["n_seeds"] == 3)].iloc[0]
    assert (claim["kind"], claim["value"], claim["low"], claim["high"], claim["verdict"]) == (
        "claim",
        3,
        2,
        4,
        "reproduced",
    )
    assert found[found["name"] == "b"]["verdict"].tolist() == ["not testable here"] * 2
    for n_seeds in (2, 3):
        rows = found[(found["n_seeds"] == n_seeds) & (found["kind"] == "value")].set_index("name")
        expected = {
            "large": 25_600 * n_seeds,
            "small": -0.00012345 / n_seeds,
            "text": math.nan,
            "third": n_seeds / 3,
            "share": 1 / n_seeds,
            "interval": 1234.5 * n_seeds,
            "no-number": math.nan,
            "endless": -math.inf,
        }
        assert rows["value"].to_dict() == pytest.approx(expected, rel=1e-15, abs=0, nan_ok=True)
        assert rows.loc["interval", ["low", "high"]].tolist() == [-n_seeds / 7, math.inf]
        assert rows["text"][["large", "text"]].tolist() == [f"{25_600 * n_seeds:,}", f"{n_seeds} of many"]

    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.ipynb")}
    again = call(tmp_path, "--grid", "n_seeds=2,3,4")
    assert again.exit_code == 0, again.output
    assert "3 points, 2 of them finished" in again.output
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.ipynb")}
    assert {name: after[name] for name in before} == before
    assert len(after) == 3


def test_one_bad_point_executes_nothing(small, tmp_path):
    result = call(tmp_path / "new", "--grid", "n_seeds=2,0")
    assert result.exit_code == 2
    assert "'n_seeds' must be an integer of at least 1" in result.output
    assert not (tmp_path / "new").exists()


def test_workers_share_the_cores(small, tmp_path, monkeypatch):
    seen = {}
    monkeypatch.setattr(runner, "execute", lambda *_, **__: seen.update(os.environ))
    monkeypatch.setattr(sweep.joblib, "cpu_count", lambda: 8)
    for name in ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
        monkeypatch.setenv(name, "")
    runs = sweep.prepare(CHAPTER, [{"n_seeds": "2"}], profile="quick", folder=tmp_path)
    with sweep.joblib.parallel_config(backend="sequential"):
        sweep.run_all(runs, n_jobs=4, progress=lambda results, total: results)
    assert (seen["OMP_NUM_THREADS"], seen["LOKY_MAX_CPU_COUNT"]) == ("2", "2")

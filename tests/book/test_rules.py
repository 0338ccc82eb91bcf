"""When each rule was fixed and what it first judged: complete, and as the history has it where there is one."""

import subprocess

import pytest

from analysis.sources import ROOT
from tools import date_rules

ROWS = date_rules.dated()


def git(*words):
    return subprocess.run(("git", *words), cwd=ROOT, capture_output=True, text=True, check=False)


in_history = pytest.mark.skipif(
    git("rev-parse", "--verify", f"{ROWS[0]['commit']}^{{commit}}").returncode != 0, reason="no history here"
)


def test_every_rule_is_dated():
    assert [{key: row[key] for key in ("page", "kind", "id", "rule")} for row in ROWS] == date_rules.committed(), (
        "book/rules.csv is behind the claims: commit them, then call `python -m tools.date_rules`"
    )


def test_a_rule_that_a_run_preceded_says_what_was_known():
    late = [
        row["id"] for row in ROWS if row["first_run"] and row["first_run"] < row["fixed"] and not row["known_before"]
    ]
    assert not late


def test_rows_are_whole():
    assert ROWS[0].keys() == set(date_rules.COLUMNS)
    assert all(row["fixed"] and row["commit"] for row in ROWS)
    assert all(bool(row["first_run"]) == bool(row["first_run_commit"]) for row in ROWS)


@pytest.mark.skipif(
    git("rev-parse", "--verify", f"{ROWS[0]['commit']}^{{commit}}").returncode != 0, reason="no history"
)
def test_dates_and_commits_are_those_of_the_history():
    pairs = {
        (row[date], row[commit])
        for row in ROWS
        for date, commit in (("fixed", "commit"), ("first_run", "first_run_commit"))
    }
    for date, commit in pairs - {("", "")}:
        assert git("show", "-s", "--format=%cs", commit).stdout.strip() == date, commit
        assert git("merge-base", "--is-ancestor", commit, "HEAD").returncode == 0, commit


@pytest.mark.skipif(
    git("rev-parse", "--verify", f"{ROWS[0]['commit']}^{{commit}}").returncode != 0, reason="no history"
)
def test_a_rule_stood_in_its_commit_and_came_before_its_first_run():
    for row in ROWS:
        chapter = date_rules.chapter_of(row["page"])
        paths = (f"analysis/chapters/{chapter}/claims.py", f"analysis/{chapter}/claims.py")
        text = "".join(git("show", f"{row['commit']}:{path}").stdout for path in paths)
        parts = row["id"].partition("-net")[0], row["id"].partition("-")[2]  # some ids are put together from names
        assert any(part and part in text for part in parts), row
        if row["first_run_commit"] and not row["known_before"]:
            assert git("merge-base", "--is-ancestor", row["commit"], row["first_run_commit"]).returncode == 0, row

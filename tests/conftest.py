"""Shared by all tests: caches of their own, and no silent skips where everything must run."""

import os

import pytest

_MUST_RUN = {"public_data", "browser"}


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """What tests train goes to a folder of the session, so that no test reads or writes the user's cache."""
    os.environ["ANALYSIS_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """With ANALYSIS_NO_SKIPS set, a skipped public-data or browser test is a failed one."""
    report = (yield).get_result()
    marked = _MUST_RUN & {marker.name for marker in item.iter_markers()}
    if report.skipped and marked and os.environ.get("ANALYSIS_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be ({', '.join(marked)}): {report.longrepr[2]}"

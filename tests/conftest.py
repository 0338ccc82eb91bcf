"""Shared by all tests: one cache of their own, workers that share well, and no silent skips where all must run."""

import os

import pytest

_MUST_RUN = {"public_data", "browser"}
_N_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))

if _N_WORKERS > 1:  # before anything loads OpenMP: workers that each take all cores wait for each other
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // _N_WORKERS)))


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """What tests train goes to one folder of all workers, so that no test reads or writes the user's cache."""
    base = tmp_path_factory.getbasetemp()
    os.environ["ANALYSIS_CACHE"] = str((base.parent if _N_WORKERS > 1 else base) / "cache")


@pytest.hookimpl(optionalhook=True)  # without pytest-xdist, tests run one after the other
def pytest_xdist_make_scheduler(config, log):
    """Workers take whole files, or a chapter's, whose tests share what they build; the built book is one long piece."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::")[0]
            folder = file.rpartition("/")[0]
            return folder if folder.startswith(("tests/book", "tests/chapters/")) else file

    return ByFile(config, log)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """With ANALYSIS_NO_SKIPS set, a skipped public-data or browser test is a failed one."""
    report = (yield).get_result()
    marked = _MUST_RUN & {marker.name for marker in item.iter_markers()}
    if report.skipped and marked and os.environ.get("ANALYSIS_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be ({', '.join(marked)}): {report.longrepr[2]}"

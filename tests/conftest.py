"""Shared by all tests: caches of their own, so that no test reads or writes the user's."""

import os

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Weights trained in tests go to a folder of the session; `ANALYSIS_TEST_CACHE` may name one that lasts."""
    os.environ["ANALYSIS_CACHE"] = os.environ.get("ANALYSIS_TEST_CACHE") or str(tmp_path_factory.mktemp("cache"))

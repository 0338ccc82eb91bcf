"""Where runs read public data and keep what they make."""

import os
from pathlib import Path

import pooch


def cache_dir() -> Path:
    """Folder for what runs write (weights, pieces of an experiment): `ANALYSIS_CACHE`, or the user's cache folder."""
    return Path(os.environ.get("ANALYSIS_CACHE") or pooch.os_cache("network-alignment-book"))


def data_dir() -> Path:
    """Folder that public files are read from: `ANALYSIS_DATA` (may be read-only), or ``data`` in the cache folder."""
    return Path(os.environ.get("ANALYSIS_DATA") or cache_dir() / "data")

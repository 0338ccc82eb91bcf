"""The jobs, in the order of the page; each module holds `JOBS`."""

import importlib

_MODULES = (
    "best_match",
    "agreement",
    "cka",
    "rsa",
    "alignment",
    "probes",
    "recovery",
    "choosing_triplets",
    "metric_scores",
    "activations",
    "workers",
    "command_line",
    "book",
)


def all_jobs() -> dict:
    """Every job by its name; a process that does one job loads that one's module alone."""
    modules = (importlib.import_module(f"{__name__}.{name}") for name in _MODULES)
    return {job.name: job for module in modules for job in module.JOBS}

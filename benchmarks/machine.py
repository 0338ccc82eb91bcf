"""What the measurements were made on: processor, libraries, and how fast it multiplies and moves memory."""

import contextlib
import importlib.metadata
import os
import platform
import re
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

PACKAGES = (
    "numpy",
    "torch",
    "scipy",
    "pandas",
    "statsmodels",
    "torchmetrics",
    "rsatoolbox",
    "torch-cka",
    "thingsvision",
)
_SIDE, _BYTES, _ROUNDS = 3000, 2**28, 5


def describe() -> dict:
    """Processor, memory, system, versions, BLAS and limits, from a process of its own: this one stays small."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(_described).result()


def _described(side: int = _SIDE, n_bytes: int = _BYTES) -> dict:
    import threadpoolctl
    import torch

    pools = threadpoolctl.threadpool_info()
    numpys = [pool for pool in pools if pool["user_api"] == "blas" and "numpy" in pool["filepath"]]
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "versions": {name: version for name in PACKAGES if (version := _version(name))},
        "numpy_blas": ", ".join(map(_blas, numpys)) or "a library that does not tell its name",
        "torch_blas": _torch_blas(torch.__config__.show()),
        "torch_threads": torch.get_num_threads(),
        "limits": limits(side, n_bytes),
    }


def limits(side: int, n_bytes: int) -> dict:
    """Float32 products in GFLOP/s, and memory copied in GB/s (bytes read and written); medians.

    Parameters
    ----------
    side : int
        Of the square matrices.
    n_bytes : int
        What is copied at a time: more than the processor's caches hold.
    """
    import numpy as np
    import torch

    a, b = np.random.default_rng(0).standard_normal((2, side, side), dtype=np.float32)
    s, t = torch.from_numpy(a), torch.from_numpy(b)
    source, target = np.ones(n_bytes, dtype=np.uint8), np.zeros(n_bytes, dtype=np.uint8)
    work = 2 * side**3 / 1e9
    return {
        "numpy_gflops": work / _seconds(lambda: a @ b),
        "torch_gflops": work / _seconds(lambda: s @ t),
        "copy_gb_per_second": 2 * n_bytes / 1e9 / _seconds(lambda: np.copyto(target, source)),
    }


def _seconds(call: Callable) -> float:
    call()
    taken = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        call()
        taken.append(time.perf_counter() - started)
    return sorted(taken)[_ROUNDS // 2]


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _blas(pool: dict) -> str:
    return f"{pool['internal_api']} {pool['version']} ({pool.get('architecture')})"


def _torch_blas(shown: str) -> str:
    """The library and the instructions, of `torch.__config__.show()`."""
    found = [re.search(pattern, shown) for pattern in (r"BLAS_INFO=(\w+)", r"CPU capability usage: (\w+)")]
    return ", ".join(match[1] for match in found if match) or "unknown"

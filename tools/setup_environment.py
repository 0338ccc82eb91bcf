"""Create .venv and install requirements.lock into it, unless that has been done.

Keeps to old syntax, so that a Python too old for the book can say so in one sentence.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
STAMP = os.path.join(VENV, "installed.sha256")
PYTHON = os.path.join(VENV, "Scripts" if os.name == "nt" else "bin", "python.exe" if os.name == "nt" else "python")

# On Linux, the default index holds PyTorch's CUDA build: gigabytes that a machine without an NVIDIA GPU cannot use.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
BUILDS = ("cpu", "default")


def stop(sentence):
    sys.stderr.write("\n" + sentence + "\n")
    sys.exit(2)


def torch_build():
    """'cpu', from PyTorch's own index, or 'default', whatever pip finds by itself; TORCH_BUILD decides."""
    build = os.environ.get("TORCH_BUILD")
    if build in BUILDS:
        return build
    if build:
        stop("TORCH_BUILD must be one of " + ", ".join(BUILDS) + ", got '" + build + "'.")
    return "cpu" if sys.platform.startswith("linux") and not has_nvidia_gpu() else "default"


def has_nvidia_gpu():
    return bool(shutil.which("nvidia-smi")) or os.path.exists("/proc/driver/nvidia/version")


def wanted():
    """What the environment is made of, by content: the lock, the metadata, the interpreter, the build of PyTorch."""
    digest = hashlib.sha256(f"{sys.version_info[0]}.{sys.version_info[1]} {ROOT} {torch_build()}".encode())
    for name in ("requirements.lock", "requirements.hashes", "pyproject.toml"):
        with open(os.path.join(ROOT, name), "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def installed():
    try:
        with open(STAMP) as file:
            return os.path.exists(PYTHON) and file.read() == wanted()
    except OSError:
        return False


def check_python():
    if sys.version_info < (3, 11):
        stop(
            f"Python 3.11 or newer is needed, and this is Python {sys.version_info[0]}.{sys.version_info[1]}: install "
            "a newer one, or name it with 'make PYTHON=/path/to/python3.11 book'."
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        stop(
            "This Python has no 'venv' module: install it (on Debian or Ubuntu: apt install python3-venv), then call "
            "make again."
        )


def call(step, arguments, advice):
    print("[setup] " + step, flush=True)
    if subprocess.call(arguments, cwd=ROOT) != 0:
        stop(advice)


def reachable(index):
    try:
        urllib.request.urlopen(index + "/torch/", timeout=10).close()
    except (OSError, ValueError):
        return False
    return True


def install_cpu_torch(pip):
    """The locked release of PyTorch in its CPU build; where that index cannot be had, a sentence, and pip goes on."""
    print(
        "[setup] PyTorch in its CPU build, for machines without an NVIDIA GPU (TORCH_BUILD=default: pip's)", flush=True
    )
    with open(os.path.join(ROOT, "requirements.lock")) as lock:
        (pin,) = [line.strip() for line in lock if line.startswith("torch==")]
    arguments = [*pip, "--no-deps", "--index-url", CPU_INDEX, pin]
    if not reachable(CPU_INDEX) or subprocess.call(arguments, cwd=ROOT) != 0:
        print("[setup] " + CPU_INDEX + " cannot be used here: taking the build that pip finds by itself.", flush=True)


def main():
    build = torch_build()
    if installed():
        return
    check_python()
    if os.path.exists(STAMP):
        os.remove(STAMP)
    call(
        "1/4 creating the virtual environment .venv",
        [sys.executable, "-m", "venv", "--clear", VENV],
        "The virtual environment could not be created: read the message above, remove '.venv' and call make again.",
    )
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install"]
    advice = "Installing failed: read pip's message above (network? disk?), then call make again; it starts afresh."
    hashed = ["--require-hashes", "--no-deps", "-r", "requirements.hashes"]
    call("2/4 installing the pinned packages, checked by their hashes", [*pip, *hashed], advice)
    if build == "cpu":
        install_cpu_torch(pip)
    call("3/4 installing PyTorch (minutes, the first time)", [*pip, "-r", "requirements.lock"], advice)
    local = ["--quiet", "--no-deps", "--no-build-isolation", "-e", "."]
    call("4/4 installing the analysis package", [*pip, *local], advice)
    with open(STAMP, "w") as file:
        file.write(wanted())


if __name__ == "__main__":
    main()

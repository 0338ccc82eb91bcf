"""One environment: pyproject.toml, the lock and environment.yml agree, and setting up fails in one sentence."""

import importlib.metadata
import importlib.util
import re
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from analysis.sources import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def locked():
    pins = re.findall(r"^([A-Za-z0-9_.-]+)==(\S+)$", (ROOT / "requirements.lock").read_text(), flags=re.MULTILINE)
    return {name.lower().replace("_", "-"): version for name, version in pins}


def test_every_dependency_is_locked_within_its_range():
    wanted = [Requirement(text) for text in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["test"]]
    assert [str(r) for r in wanted if r.name not in locked() or locked()[r.name] not in r.specifier] == []


def test_the_lock_can_be_installed_by_the_oldest_python():
    """A lock made by a later patch release may hold what asks for that one."""
    oldest = re.fullmatch(r">=(\d+\.\d+)", PROJECT["requires-python"])[1] + ".0"
    wanted = {name: importlib.metadata.metadata(name).get("Requires-Python") or "" for name in locked()}
    assert {name: pythons for name, pythons in wanted.items() if oldest not in SpecifierSet(pythons)} == {}


def test_the_lock_holds_pins_only_and_names_no_host():
    lines = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not re.match(r"\s*(#|$)", line)]
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.]+", line) for line in lines)
    assert locked()["torch"] == "2.13.0"


def test_all_but_pytorch_is_locked_by_hash():
    """Of PyTorch, the lock accepts any build of one release, each of which has hashes of its own."""
    text = (ROOT / "requirements.hashes").read_text(encoding="utf-8")
    blocks = [block.split() for block in re.split(r"\n(?=[A-Za-z])", re.sub(r"^#.*$", "", text, flags=re.MULTILINE))]
    pins = dict(block[0].split("==") for block in blocks)
    assert pins == {name: version for name, version in locked().items() if name != "torch"}
    hashes = [[word for word in block[1:] if word != "\\"] for block in blocks]
    assert all(hashes)
    assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", word) for words in hashes for word in words)


def test_what_has_hashes_is_installed_by_them(setup, monkeypatch):
    calls = []
    monkeypatch.setattr(setup.subprocess, "call", lambda arguments, cwd: calls.append(arguments) or 1)
    monkeypatch.setattr(setup, "stop", lambda sentence: None)
    monkeypatch.setattr(setup, "STAMP", str(ROOT / "nowhere" / "stamp"))
    with pytest.raises(FileNotFoundError):
        setup.main()
    (hashed,) = [call for call in calls if "requirements.hashes" in call]
    assert {"--require-hashes", "--no-deps"} <= set(hashed)
    assert calls.index(hashed) < next(place for place, call in enumerate(calls) if "requirements.lock" in call)


def test_conda_and_binder_get_the_lock_and_the_package():
    content = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)]
    assert pip == ["-r requirements.lock", "-e ."]
    (python,) = [entry for entry in content["dependencies"] if str(entry).startswith("python=")]
    assert python.removeprefix("python=") in PROJECT["requires-python"]


def test_installed_versions_are_the_locked_ones():
    from importlib.metadata import version

    for name in ("numpy", "pandas", "papermill", "jupyter-book", "scikit-learn"):
        assert version(name) == locked()[name]


@pytest.fixture
def setup(monkeypatch, tmp_path):
    spec = importlib.util.spec_from_file_location("setup_environment", ROOT / "tools" / "setup_environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(module, "STAMP", str(tmp_path / ".venv" / "stamp"))
    monkeypatch.setenv("TORCH_BUILD", "default")
    return module


def refusal(setup, capsys):
    with pytest.raises(SystemExit) as stopped:
        setup.main()
    assert stopped.value.code == 2
    message = capsys.readouterr().err.strip()
    assert "\n" not in message
    return message


def test_too_old_a_python(setup, capsys, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert "Python 3.11 or newer is needed, and this is Python 3.10" in refusal(setup, capsys)


def test_no_venv_module(setup, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "venv", None)
    assert "no 'venv' module: install it" in refusal(setup, capsys)


def test_a_failed_install(setup, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(setup.subprocess, "call", lambda arguments, cwd: int("install" in arguments))
    assert "Installing failed: read pip's message above" in refusal(setup, capsys)
    assert not (tmp_path / ".venv" / "stamp").exists()


@pytest.mark.parametrize(
    ("platform", "gpu", "build"), [("linux", False, "cpu"), ("linux", True, "default"), ("darwin", False, "default")]
)
def test_linux_without_an_nvidia_gpu_takes_the_cpu_build(setup, monkeypatch, platform, gpu, build):
    monkeypatch.delenv("TORCH_BUILD")
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(setup, "has_nvidia_gpu", lambda: gpu)
    assert setup.torch_build() == build


def test_one_variable_decides_the_build(setup, monkeypatch, capsys):
    monkeypatch.setattr(setup, "has_nvidia_gpu", lambda: False)
    assert setup.torch_build() == "default"
    stamp = setup.wanted()
    monkeypatch.setenv("TORCH_BUILD", "cpu")
    assert setup.torch_build() == "cpu"
    assert setup.wanted() != stamp
    monkeypatch.setenv("TORCH_BUILD", "gpu")
    assert refusal(setup, capsys) == "TORCH_BUILD must be one of cpu, default, got 'gpu'."


@pytest.mark.parametrize(("answers", "pip_fails"), [(True, False), (True, True), (False, False)])
def test_the_cpu_build_or_a_sentence(setup, monkeypatch, capsys, answers, pip_fails):
    calls = []
    monkeypatch.setattr(setup, "reachable", lambda index: answers)
    monkeypatch.setattr(setup.subprocess, "call", lambda arguments, cwd: calls.append(arguments) or int(pip_fails))
    setup.install_cpu_torch(["pip", "install"])
    expected = ["pip", "install", "--no-deps", "--index-url", setup.CPU_INDEX, f"torch=={locked()['torch']}"]
    assert calls == ([expected] if answers else [])
    fell_back = "cannot be used here: taking the build that pip finds by itself" in capsys.readouterr().out
    assert fell_back == (pip_fails or not answers)


def test_an_index_without_a_host_is_not_reachable(setup):
    assert not setup.reachable("http://127.0.0.1:9")


def test_readme_names_the_two_commands_first():
    readme = (ROOT / "README.md").read_text()
    assert readme.index("make book") < readme.index("make test") < readme.index("## The chapters")

"""Each chapter is run once, with the quick profile, and the book is built once from these runs."""

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from analysis.runs import catalogue, outputs, publish, runner


@pytest.fixture(scope="module")
def public_run(request) -> nbformat.NotebookNode:
    """The public run that the module `test_public_<chapter>` is about."""
    chapter = request.module.__name__.rpartition("test_public_")[2]
    return nbformat.read(catalogue.text_half(chapter, catalogue.PUBLIC).with_suffix(".ipynb"), as_version=4)


@pytest.fixture(scope="module")
def numbers(public_run) -> dict[str, pd.DataFrame]:
    """The numbers of the public run's figures, by name."""
    shown = outputs.embedded(public_run, outputs.FIGURE)
    return {figure["name"]: pd.read_csv(io.StringIO(figure["csv"])) for figure in shown}


@pytest.fixture(scope="module")
def judged(public_run) -> dict[str, dict]:
    """The public run's rows, claims and hypotheses alike, by id."""
    kinds = (outputs.CLAIMS, outputs.HYPOTHESES)
    return {row["id"]: row for kind in kinds for table in outputs.embedded(public_run, kind) for row in table}


@pytest.fixture(scope="session")
def quick_runs(tmp_path_factory, _own_cache) -> dict[str, Path]:
    """The executed notebook of every chapter, from the command line, started in a folder that is not the project's."""
    folder = tmp_path_factory.mktemp("quick")
    for chapter in catalogue.chapters():
        call = [sys.executable, "-m", "analysis", "run", chapter, "--profile", "quick", "-o", f"{chapter}.ipynb"]
        result = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
    return {chapter: folder / f"{chapter}.ipynb" for chapter in catalogue.chapters()}


LINE_UPS = {
    "contrastive_stimuli": ("mlp-100", "cnn", "cnn-slim", "resnet-8-b1", "vit-24-d3-p8"),
    "metric_correlation": (
        *("mlp-100", "mlp-60-40", "mlp-40-60", "mlp-50-50", "mlp-20x5"),
        *("cnn", "cnn-slim", "resnet-8-b1", "vit-24-d3-p8", "vit-32-d2-p6"),
    ),
}
"""Networks of the zoo as somebody's own line-up: as few as each chapter takes. The quick runs have trained them."""


@pytest.fixture(scope="session", params=LINE_UPS)
def line_up_run(request, quick_runs, tmp_path_factory) -> Path:
    """The executed notebook of a chapter about papers, on a line-up."""
    chapter, path = request.param, tmp_path_factory.mktemp("line-up") / f"{request.param}.ipynb"
    models = ",".join(f"zoo:{name}" for name in LINE_UPS[chapter])
    call = [sys.executable, "-m", "analysis", "run", chapter, "--profile", "quick", "-p", "models", models]
    result = subprocess.run([*call, "-o", path], cwd=path.parent, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return path


@pytest.fixture(scope="session")
def html(quick_runs, tmp_path_factory) -> Path:
    """The book, built from the quick runs in a folder of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        build = tmp_path_factory.mktemp("build")
        patch.setattr(publish, "BUILD", build)
        patch.setattr(publish, "HTML", build / "html")
        patch.setattr(publish, "_STAGE", build / "book")
        runs = [runner.prepare(chapter, profile="quick") for chapter in catalogue.chapters()]
        for chapter, path in quick_runs.items():
            target = publish.executed_path(chapter, "quick")
            os.makedirs(target.parent, exist_ok=True)
            shutil.copy(path, target)
        stage = publish.staged(runs)
        assert not publish.is_current(stage)
        publish.build(stage)
        assert publish.is_current(stage)
    return build / "html"


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not (chromium and driver):
        pytest.skip("Chromium and its driver are not installed (Debian: apt install chromium chromium-driver)")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    flags = "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-sync"
    for flag in (*flags.split(), "disable-component-update", f"user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    window = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield window
    window.quit()

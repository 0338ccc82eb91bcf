"""The page about one's own models, with people: one call, and everything that it writes."""

import json
import re
import subprocess
import sys

import nbformat
import numpy as np
import pandas as pd
import pytest

from analysis.data.pictures import open_pictures
from analysis.models.loading import held_out_digits
from analysis.recovery.triplets import draw_triplets
from analysis.runs import outputs
from analysis.runs.values import told
from analysis.sources import sha256


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two networks of the zoo; people who always name the right digit, and odd ones at random."""
    folder = tmp_path_factory.mktemp("own")
    digits = open_pictures("digits").subset(held_out_digits())
    counts = pd.DataFrame(7 * np.eye(10, dtype=int)[digits.labels], columns=list(digits.categories))
    counts.assign(stimulus=digits.ids).to_csv(folder / "people.csv", index=False)
    trials = np.array(digits.ids)[draw_triplets(40, 300, 0)]
    trials = pd.DataFrame(trials, columns=["image1", "image2", "odd"]).assign(subject=np.arange(300) % 6)
    trials.to_csv(folder / "trials.csv", index=False)
    call = [sys.executable, "-m", "analysis", "run", "your_models", "--profile", "quick", "--html", "-o", "mine.ipynb"]
    for name, value in {"models": "zoo:mlp-100,zoo:cnn", "people": "people.csv", "triplets": "trials.csv"}.items():
        call += ["-p", name, value]
    subprocess.run(call, cwd=folder, check=True, capture_output=True)
    return folder


def test_people_are_on_the_page_and_in_its_provenance(run):
    notebook = nbformat.read(run / "mine.ipynb", as_version=4)
    hashes = notebook.metadata.analysis.made_from.data
    assert hashes["people"] == sha256((run / "people.csv").read_bytes())
    assert hashes["triplets"] == sha256((run / "trials.csv").read_bytes())
    choices = told(notebook)["choices"]["text"]
    assert choices.startswith("300 answers of 6 people about 40 stimuli.")
    assert "No answer repeats" in choices


def test_all_metrics_are_in_one_table(run):
    metrics = pd.read_csv(run / "mine.metrics.csv").set_index("model")
    assert metrics.index.tolist() == ["mlp-100", "cnn"]
    assert metrics["Answers shared with people"].tolist() == pytest.approx(metrics["Accuracy"].tolist())
    assert metrics.shape[1] >= 9
    assert metrics.notna().all(axis=None)


def test_a_page_about_no_paper_claims_nothing(run):
    assert json.loads((run / "mine.claims.json").read_text()) == []


def test_the_page_to_be_mailed_needs_no_other_file(run):
    page = (run / "mine.html").read_text()
    outside = re.findall(r"<(?:img|script|link|iframe)[^>]*\b(?:src|href)=[\"'](?!data:)[^\"']+", page)
    assert outside == []
    assert "url(http" not in page
    assert "Who fits people" in page
    drawn = outputs.embedded(nbformat.read(run / "mine.ipynb", as_version=4), outputs.FIGURE)
    assert page.count("<figure ") == len(drawn) >= 7

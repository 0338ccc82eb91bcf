"""The command line: what it refuses, in one sentence and at once, and what it lists."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from analysis.__main__ import main
from analysis.runs import catalogue, runner

CHAPTER = "neuron_correlation"
HEAVY = {"IPython", "joblib", "jupytext", "matplotlib", "nbformat", "numpy", "pandas", "papermill", "scipy", "seaborn",
         "sklearn", "torch"}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", CHAPTER, "-p", "n_seedz", "3"], "Unknown parameter 'n_seedz': did you mean 'n_seeds'?"),
        (["run", CHAPTER, "-p", "n_seeds", "many"], "'n_seeds' must be an integer of at least 1 and at most 100"),
        (["run", CHAPTER, "-p", "n_seeds", "0"], "'n_seeds' must be an integer of at least 1 and at most 100, got '0'"),
        (["run", CHAPTER, "-p", "penalty", "idx"], "'penalty' must be one of 'index', 'relative', 'none', got 'idx'"),
        (["run", CHAPTER, "-p", "images", "no.npz"], "there is no 'no.npz'"),
        (["run", "neuron_corelation"], "Unknown chapter 'neuron_corelation': did you mean 'neuron_correlation'?"),
        (["run", CHAPTER, "--profile", "quik"], "Unknown profile 'quik': did you mean 'quick'?"),
        (["book", "--profile", "quik"], "Unknown profile 'quik': did you mean 'quick'?"),
        (["list", "neurons"], "Unknown chapter 'neurons'"),
        (["run", CHAPTER, "-o", "out.txt"], "'-o' must name a file that ends in .ipynb, got 'out.txt'"),
        (["run", CHAPTER, "-o", "nowhere/out.ipynb"], "'nowhere' does not"),
        (["run", CHAPTER, "-o", str(catalogue.BOOK / "x.ipynb")], "must not be in book/"),
        (["pair", "nothing"], "Unknown chapter 'nothing'"),
    ],
)
def test_refusals(arguments, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runner, "execute", lambda *_, **__: pytest.fail("executed"))
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert sentence in result.output
    assert result.output.count("\n") <= 2
    assert os.listdir(tmp_path) == []


def test_list_shows_every_parameter_with_its_rule_and_default():
    result = CliRunner().invoke(main, ["list", CHAPTER])
    assert result.exit_code == 0
    for name in catalogue.parameters_of(CHAPTER).model_fields:
        assert name in result.output
    assert "an integer of at least 1 and at most 100; default 5" in result.output
    assert CHAPTER in CliRunner().invoke(main, ["list"]).output


@pytest.mark.parametrize("command", [[], ["list"], ["run"], ["book"], ["pair"]])
def test_help(command):
    result = CliRunner().invoke(main, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage: " in result.output


CALL = """
import json, sys
from analysis.__main__ import main
try:
    main()
except SystemExit as done:
    print(json.dumps([done.code, sorted({name.split(".")[0] for name in sys.modules})]), file=sys.stderr)
"""


def called(*arguments):
    """Exit code of a command, and the top-level modules that it imported, in a process of its own."""
    result = subprocess.run([sys.executable, "-c", CALL, *arguments], capture_output=True, text=True, check=True)
    code, modules = json.loads(result.stderr.splitlines()[-1])
    return code, set(modules)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["run", "--help"], 0),
        (["list"], 0),
        *((["list", chapter], 0) for chapter in catalogue.chapters()),
        (["run", "nothing"], 2),
        (["run", CHAPTER, "-p", "n_seedz", "3"], 2),
        (["run", CHAPTER, "-p", "n_seeds", "many"], 2),
        (["run", CHAPTER, "-p", "n_seeds", "0"], 2),
        (["run", CHAPTER, "-p", "images", "digits", "-o", "x.txt"], 2),
        (["run", "contrastive_stimuli", "--profile", "quick", "-p", "n_contrastive", "1797"], 2),
        (["run", "contrastive_stimuli", "-p", "n_bins", "9"], 2),
        (["run", "recovery_curve", "--profile", "quick", "-p", "models", "zoo:mlp-1,zoo:mlp-2,zoo:mlp-3"], 2),
        (["run", "metric_correlation", "-p", "reference", "resnet"], 2),
        (["sweep", CHAPTER, "--grid", "n_seeds=2,0"], 2),
        (["book", "--profile", "quik"], 2),
        (["public", "nothing"], 2),
        (["pair", "nothing"], 2),
    ],
)
def test_answers_at_once(arguments, code):
    """Seconds would be spent on these libraries, for an answer that needs none of them."""
    found, modules = called(*arguments)
    assert found == code
    assert modules & HEAVY == set()

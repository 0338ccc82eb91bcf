"""The chapter's parameters: a table of one's own is read, bad ones are refused in one sentence."""

import numpy as np
import pytest

from analysis.chapters.metric_correlation import zoo_metrics
from analysis.chapters.metric_correlation.parameters import Parameters, PublicParameters, read_own
from analysis.data.registry import registry
from analysis.runs.parameters import ParameterError

YAML = "neural:\n  V1: [a, b]\n  IT: [c]\nbehaviour: [d, e, f]\n"


def test_a_table_of_ones_own_is_read(tmp_path, made_up, write):
    table, groups = write(tmp_path, made_up())
    parameters = Parameters.checked({"table": table, "groups": groups})
    assert set(parameters.data_hashes()) == {"table", "groups"}
    assert zoo_metrics.board_of(parameters).scores.shape == (40, 6)
    assert Parameters.checked({}).data_hashes() == {}


@pytest.mark.parametrize(
    ("change", "groups", "sentence"),
    [
        ({}, "- a\n- b\n", "'groups' must be a mapping from group to metrics"),
        ({}, "neural: [a, b\n", "must be YAML: while parsing"),
        ({}, "neural: [a, b]\nbehaviour: [d, oops]\n", "got 'oops'"),
        ({}, "neural: [a, b, c, d, e, f]\n", "must begin with two parts of at least 2 metrics each, got neural (6)"),
        ({}, "neural: [a]\nbehaviour: [b, c]\n", "got neural (1), behaviour (2)"),
        ({"a": np.nan}, YAML, "must have at least 10 models with every metric, got 0 of 40"),
        ({"b": 1.0}, YAML, "got a constant 'b'"),
        ({"c": "high"}, YAML, "got 'high'"),
    ],
)
def test_bad_tables_are_refused_in_one_sentence(change, groups, sentence, tmp_path, made_up, write):
    table, groups = write(tmp_path, made_up().assign(**change), groups)
    with pytest.raises(ParameterError) as error:
        Parameters.checked({"table": table, "groups": groups})
    assert sentence in str(error.value)
    assert "\n\n" not in str(error.value)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"table": "nowhere.csv"}, "there is no file 'nowhere.csv'"),
        ({"groups": "mine.yml"}, "'groups' must be empty for the zoo"),
        ({"reference": "resnet-1000"}, "must be one of 'mlp-100'"),
        ({"severity": 6}, "an integer of at least 1 and at most 5"),
        ({"n_contrastive": 5}, "at least 10"),
        ({"models": "zoo:cnn,zoo:mlp-100"}, "'models': must be at least 10 models, .* got 2"),
        ({"models": "zoo:cnnn,zoo:mlp-100"}, "did you mean 'cnn'"),
        ({"models": "cifar10", "table": "mine.csv"}, "'table': must be 'zoo' beside 'models'"),
        ({"images": "mnist"}, "'images': must be 'digits' for this book's own networks"),
    ],
)
def test_bad_parameters_are_refused(values, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked(values)


def test_a_table_needs_its_groups(tmp_path, made_up, write):
    table, _ = write(tmp_path, made_up())
    with pytest.raises(ParameterError, match="'groups' must be the path of a YAML file"):
        Parameters.checked({"table": table})


def test_an_empty_table_is_refused(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "groups.yml").write_text(YAML)
    with pytest.raises(ValueError, match="could not be read"):
        read_own(str(tmp_path / "empty.csv"), str(tmp_path / "groups.yml"))


def test_the_recorded_run_names_registered_files():
    assert set(PublicParameters.checked({}).public_files()) <= set(registry())

"""The chapter's parameters: bounds in a sentence, and how much work they ask for."""

import pytest

from analysis.chapters.neuron_correlation.parameters import Parameters, PublicParameters
from analysis.data.registry import MNIST
from analysis.runs.parameters import ParameterError


def test_the_defaults_are_the_papers_setting():
    parameters = Parameters()
    assert (parameters.n_seeds, parameters.n_probe, parameters.penalty) == (5, 10, "index")


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"n_seeds": 0}, "'n_seeds' must be an integer of at least 1"),
        ({"n_probe": 2}, "'n_probe' must be an integer of at least 3, got 2"),
        ({"penalty": "depth"}, "'penalty' must be one of 'index', 'relative', 'none'"),
        ({"step": 0}, "'step' must be a number of more than 0"),
        ({"images": "nowhere.npz"}, "nowhere.npz"),
    ],
)
def test_bad_parameters_are_refused(values, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked(values)


def test_more_seeds_and_rounds_are_more_work():
    assert Parameters(n_seeds=10).amount() > Parameters(n_seeds=5).amount()
    assert PublicParameters(n_rounds=20).amount() > PublicParameters(n_rounds=10).amount()


def test_the_public_run_is_on_mnist():
    assert PublicParameters().public_files() == [MNIST]

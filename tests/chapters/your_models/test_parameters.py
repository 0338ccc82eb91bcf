"""The page's parameters: files of people's answers must be there, and are part of the run's key."""

import pytest

from analysis.chapters.your_models.parameters import CIFAR10H, Parameters, repetitions
from analysis.data import registry
from analysis.runs.parameters import ParameterError


def test_files_of_answers_are_named_and_hashed(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("a,b\n")
    given = Parameters.model_construct(people=str(path), triplets=str(path))
    assert given.data_files() == {"people": path, "triplets": path}
    assert len(given.data_hashes()["triplets"]) == 64
    with pytest.raises(ParameterError, match=r"'people'.* there is no file 'nowhere.csv'"):
        Parameters.checked({"people": "nowhere.csv"})


def test_published_answers_are_part_of_the_key():
    hashes = Parameters.model_construct(**Parameters().model_dump() | {"people": CIFAR10H}).data_hashes()
    assert hashes["people"] == registry.registered_hash("cifar10h/cifar10h-counts.npy")
    assert "people" not in Parameters().data_hashes()


def test_what_is_no_file_is_none():
    assert Parameters.model_construct(people=CIFAR10H, triplets="none").data_files() == {}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"n_planned": 10}, "'n_planned' must be an integer of at least 50"),
        ({"n_compared": 10}, "'n_compared' must be an integer of at least 30"),
        ({"pool": "max"}, "'pool' must be one of 'mean', 'none'"),
    ],
)
def test_bad_parameters_are_refused(values, sentence):
    with pytest.raises(ParameterError, match=sentence):
        Parameters.checked(values)


def test_a_layer_that_a_model_does_not_have_is_refused():
    with pytest.raises(ParameterError, match="'layers': Model 'mlp-100' has no layer 'stage1': did you mean"):
        Parameters.checked({"layers": "stage0,stage1"})


def test_more_models_and_trials_take_longer():
    few, more = Parameters(), Parameters(models="zoo")
    assert few.amount() < more.amount()
    assert few.amount() < Parameters(n_planned=20_000).amount()


def test_many_models_need_no_repetition():
    """Every model generates answers once a repetition: fifteen simulations or more, or three repetitions."""
    assert [repetitions(n) for n in (2, 5, 10, 15, 34)] == [3, 3, 2, 1, 1]

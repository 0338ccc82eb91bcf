"""What a run may change, and what is refused in a sentence."""

import pytest

from analysis.chapters.choosing_stimuli.parameters import Parameters
from analysis.runs.parameters import ParameterError


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"sizes": "48,24"}, "'sizes': must be rising, got \\[48, 24\\]"),
        ({"policies": "information"}, "'policies': must hold disagreement and information, which the hypotheses"),
        ({"policies": "information,best"}, "'policies': must be different ones of disagreement, information"),
        ({"transforms": "zero-shot"}, "'transforms': must hold full, which the hypotheses are about"),
        ({"transforms": "full,low-rank"}, "'transforms': must be different ones of zero-shot, diagonal, full"),
        ({"most": 100}, "'most': must be at least 480, the triplets that are shown, got 100"),
        ({"n_objects": 20}, "'n_objects' must be an integer of at least 48"),
    ],
)
def test_what_is_refused(values, says):
    with pytest.raises(ParameterError, match=says):
        Parameters.checked(values)


def test_policies_that_look_at_transforms_choose_training_triplets_only():
    chosen = Parameters(policies=["disagreement", "information", "bald"])
    assert chosen.train == ["random", "disagreement", "information", "bald"]
    assert chosen.test == ["random", "disagreement", "information"]


def test_more_work_is_more():
    assert Parameters(n_seeds=4).amount() == 2 * Parameters().amount()
    assert Parameters(policies=["disagreement", "information", "refit"]).amount() > Parameters().amount()

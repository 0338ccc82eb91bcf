"""Planning: what a budget of answers would recover."""

import numpy as np
import pytest

from analysis.recovery.planning import planned_recovery, planned_seconds
from analysis.recovery.triplets import draw_triplets, sample_choices


def quiet(iterable, label, total):
    return iterable


def models(n_objects=36, width=4):
    rng = np.random.default_rng(0)
    return {name: rng.normal(size=(n_objects, width)) for name in "abc"}


def test_more_answers_recover_more_and_a_part_is_never_asked_twice():
    features = models()
    few, many, more = (
        planned_recovery(features, n, transforms=["zero-shot"], n_seeds=4, progress=quiet) for n in (10, 300, 10**6)
    )
    assert few.recovery.item() < many.recovery.item() == more.recovery.item() == 1
    assert (many.n_triplets.item(), more.n_triplets.item()) == (240, 680)  # 680: all of 17 training objects
    assert more.answers_per_pair.item() == pytest.approx(15)


def test_one_row_a_number_of_objects_and_transform():
    found = planned_recovery(models(), 200, n_objects=[18, 36], penalties=[0.1], n_seeds=1, progress=quiet)
    assert found[["n_objects", "transform"]].to_numpy().tolist() == [
        [18, "zero-shot"], [18, "full"], [36, "zero-shot"], [36, "full"]
    ]  # fmt: skip
    assert found.recovery.between(0, 1).all()


def test_generators_may_be_fitted_to_an_observer():
    features = models()
    triplets = draw_triplets(36, 500, 0)
    choices = sample_choices(features["a"] @ features["a"].T, triplets, 0)
    answers = {"observer_triplets": triplets, "observer_choices": choices}
    found = planned_recovery(
        features, 200, transforms=["zero-shot"], penalty=0.01, n_seeds=1, progress=quiet, **answers
    )
    assert len(found) == 1
    with pytest.raises(ValueError, match="'penalty' must come with"):
        planned_recovery(features, 200, **answers)
    with pytest.raises(ValueError, match="'penalty' must come with"):
        planned_recovery(features, 200, penalty=0.1)


def test_the_time_said_before_grows_with_the_work():
    features = models()
    once = planned_seconds(features, 200, n_seeds=1)
    assert 0 < once < planned_seconds(features, 200, n_seeds=50)
    assert planned_seconds(features, 200, transforms=["zero-shot"]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_objects": [36, 40]}, r"'n_objects' must be 15 to 36, the objects of 'features', got \[36, 40\]"),
        ({"n_objects": [5]}, "'n_objects' must be 15 to 36"),
        ({"n_trials": 9}, "'n_trials' must be at least 10, got 9"),
    ],
)
def test_bad_input_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        planned_recovery(models(), **({"n_trials": 100} | change))

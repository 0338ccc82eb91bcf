"""Triplets to show next: ids of the stimuli, the most telling first, chosen by trained models."""

import numpy as np
import pandas as pd

from analysis.chapters.your_models import following
from analysis.models.study import Study


def seen(n_stimuli=40, names=("a", "b", "c")):
    rng = np.random.default_rng(0)
    layers = {name: {"last": rng.normal(size=(n_stimuli, 5))} for name in names}
    models = pd.DataFrame({"family": "f", "motif": "", "training": "normal"}, index=list(names))
    return Study(models, layers, tuple(f"s{number}" for number in range(n_stimuli)))


def test_triplets_to_show_next_are_ids_and_the_first_say_most():
    found = following.next_triplets(seen(), 20, seed=0)
    ids = found[["image1", "image2", "image3"]]
    assert len(found) == 20
    assert ids.isin(seen().stimuli).all().all()
    assert (ids.nunique(axis=1) == 3).all()
    assert found["information"].is_monotonic_decreasing


def test_untrained_models_choose_no_triplets():
    study, alone = seen(), seen(names=("a", "b"))
    study.models["training"] = ["normal", "normal", "untrained"]
    alone.layers.update({name: study.layers[name] for name in "ab"})
    assert following.next_triplets(study, 10, seed=0).equals(following.next_triplets(alone, 10, seed=0))


def test_few_stimuli_have_no_next_triplets():
    assert following.next_triplets(seen(12), 5, seed=0).empty


def test_the_figure_has_a_dot_a_triplet():
    (axis,) = following.information(following.next_triplets(seen(), 7, seed=0)).axes
    assert len(axis.lines[0].get_xdata()) == 7

"""What policies show of photographs: chosen by trained networks, among those drawn, with their own pictures."""

import numpy as np
import pandas as pd

from analysis.chapters.choosing_stimuli import photographs
from analysis.models.study import Study

IDS = tuple(f"p{number}" for number in range(40))


def test_untrained_twins_choose_nothing_and_pictures_are_those_of_the_places(monkeypatch):
    monkeypatch.setattr(photographs, "N_PHOTOGRAPHS", 30)
    monkeypatch.setattr(photographs, "read_pictures", lambda study, _, rows: [study.stimuli[row] for row in rows])
    rng = np.random.default_rng(0)
    layers = {name: {"last": rng.normal(size=(40, 5)).astype(np.float32)} for name in "abc"}
    layers["twin"] = {"last": np.full((40, 5), np.nan, np.float32)}
    models = pd.DataFrame({"training": ["normal", "robust", "normal", "untrained"]}, index=list(layers))
    found = photographs.of_study(Study(models, layers, IDS), ["random", "information"], ceiling=0.6, seed=0)
    assert found.networks == ["a", "b", "c"]
    assert found.pictures == found.ids
    assert len(set(found.ids)) == 30
    assert {policy: chosen.shape for policy, chosen in found.chosen.items()} == {
        "random": (4, 3),
        "information": (4, 3),
    }
    assert all((np.diff(np.sort(chosen)) > 0).all() and chosen.max() < 30 for chosen in found.chosen.values())

"""A line-up's answers and what its models make of squares, on networks that need no training."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.contrastive_stimuli import experiments, lineups
from analysis.chapters.contrastive_stimuli.parameters import Parameters
from analysis.chapters.contrastive_stimuli.representations import Geometry, separation_interval
from analysis.data.stimuli import squares
from analysis.models.study import Study


def study(answers, training=None):
    models = pd.DataFrame({"family": "f", "motif": "", "training": "normal"}, index=list(answers.models))
    return Study(models.assign(training=training or "normal"), {}, answers.stimuli, answers, left_out={"pictures": 3})


def test_untrained_models_do_not_decide_what_splits_models(table):
    given = table(np.arange(30).reshape(6, 5) % 3, np.zeros(5, int), 3)
    found = lineups.answers_of(study(given, ["normal", "untrained", "normal", "robust", "untrained", "normal"]))
    assert found.models == ("m0", "m2", "m3", "m5")
    assert found.answers.tolist() == given.answers[[0, 2, 3, 5]].tolist()
    assert found.left_out == {"missing answers": 0, "untrained models left out": 2, "pictures": 3}


def test_fewer_models_than_halves_need_are_refused(table):
    given = table(np.zeros((4, 5), int), np.zeros(5, int), 3)
    with pytest.raises(ValueError, match="at least 4 trained models that choose between the same categories, got 3"):
        lineups.answers_of(study(given, ["normal", "untrained", "normal", "robust"]))
    with pytest.raises(ValueError, match="got 0"):
        lineups.answers_of(Study(pd.DataFrame(), {}, ("s0",)))


def test_a_line_up_sees_the_users_pictures_and_squares(tmp_path, line_up):
    values = line_up(tmp_path, n_models=5)
    parameters = Parameters(**values)
    seen = lineups.study_or_none(parameters)
    answers = lineups.answers_of(seen)
    assert answers.answers.shape == (5, 40)
    assert answers.categories == ("cat", "dog", "owl")
    drawn = squares(50, size=16, side=3, n_squares=2, distance=4, seed=0)
    found = lineups.geometry(seen, values["models"], drawn, debiased=True, seed=0)
    assert list(found.matrices) == [("squares", "last"), ("pictures", "last")]
    assert all(matrix.shape == (5, 5) for matrix in found.matrices.values())
    assert lineups.separations(found) == {}, "motifs are not known"


def test_the_zoo_is_no_line_up():
    assert lineups.study_or_none(Parameters()) is None


def test_models_are_ordered_by_motif_and_told_apart_by_it(tmp_path, line_up):
    values = line_up(tmp_path, n_models=5)
    seen = lineups.study_or_none(Parameters(**values))
    motifs = ["unknown", "attention", "convolution", "attention", "convolution"]
    seen = Study(seen.models.assign(motif=motifs), seen.layers, seen.stimuli, seen.answers)
    drawn = squares(30, size=16, side=3, n_squares=2, distance=4, seed=0)
    found = lineups.geometry(seen, values["models"], drawn, debiased=True, seed=0)
    assert found.names == ["net2", "net4", "net1", "net3", "net0"]
    apart = lineups.separations(found)
    by_hand = separation_interval([found.matrices["squares", "last"][:4, :4]], found.motifs[:4])
    assert apart["squares"] == by_hand


def test_a_folder_of_activations_sees_no_squares(tmp_path, table):
    (tmp_path / "stimuli.csv").write_text("stimulus,label\n")
    assert lineups.geometry(None, str(tmp_path), None, debiased=True, seed=0) is None


@pytest.mark.parametrize(
    ("labels", "fitting"), [(np.zeros(30, int), (2, 10)), (np.full(30, -1), (1, 10))], ids=["labels", "no labels"]
)
def test_as_many_bins_and_stimuli_as_answers_allow(table, labels, fitting):
    assert experiments.fitting(table(np.zeros((9, 30), int), labels), 6, 100) == fitting
    assert experiments.fitting(table(np.zeros((9, 30), int), labels), 1, 5) == (1, 5)


def test_block_means_and_ways_to_part_them():
    motifs = np.array(["convolution", "convolution", "convolution", "attention", "attention", "unknown"])
    blocks = np.where(motifs[:, None] == motifs, 0.8, 0.2)
    blocks[0, 1] = blocks[1, 0] = 0.5
    found = Geometry(list("abcdef"), motifs, {("squares", "last"): blocks}, {})
    means = lineups.block_means(found).loc["squares"]
    assert means.to_dict() == pytest.approx({"within convolution": 0.7, "within attention": 0.8, "between": 0.2})
    assert lineups.as_well_apart(blocks[:5, :5], motifs[:5]) == (1, 10)
    rng = np.random.default_rng(0)
    same = np.full((5, 5), 0.5) + np.diag(rng.random(5))
    same[3, 4] = same[4, 3] = 0.4
    as_well, n_ways = lineups.as_well_apart(same, motifs[:5])
    assert (as_well, n_ways) == (10, 10), "no way parts them worse than the true one, which pairs the least alike"

"""A line-up's own table: which metrics it has, how they are parted, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from analysis.chapters.metric_correlation import lineup_metrics, zoo_metrics
from analysis.chapters.metric_correlation.parameters import Parameters
from analysis.models import likeness
from analysis.models.study import study_of

ANSWERS = ["Agreement with the others", "Accuracy", "Error consistency", "Accuracy on contrastive stimuli"]


@pytest.fixture(scope="module")
def values(tmp_path_factory, line_up):
    folder = tmp_path_factory.mktemp("line-up")
    return line_up(folder, n_models=10, family="small")


def test_the_table_is_that_of_the_line_up(values):
    parameters = Parameters.checked(values)
    board = zoo_metrics.board_of(parameters)
    assert board.scores.index.tolist() == [f"net{number}" for number in range(10)]
    assert list(board.tree) == ["representations", "answers"]
    assert board.tree["answers"] == ANSWERS
    assert set(board.models["family"]) == {"small"}
    study = study_of(**values)
    np.testing.assert_allclose(board.scores["Accuracy"], study.answers.accuracies)
    rows = np.arange(40)
    likeness_of = likeness.representations(study, rows)["Procrustes"]
    others = (likeness_of.sum(1) - 1) / 9
    np.testing.assert_allclose(board.scores["Procrustes"], others, rtol=1e-6)
    assert zoo_metrics.subsets(parameters, board) == {}


def test_untrained_models_can_be_left_out(line_up, tmp_path):
    values = line_up(tmp_path, n_models=10)
    path = tmp_path / "models.yml"
    path.write_text(path.read_text().replace("size: 16", "size: 16, training: untrained", 3))
    (name,) = found = zoo_metrics.subsets(Parameters.checked(values), None)
    assert found[name].tolist() == [f"net{number}" for number in range(3, 10)]


def table(n_answering=12, n_models=12, columns=ANSWERS):
    rng = np.random.default_rng(0)
    names = [*lineup_metrics.GEOMETRY, *lineup_metrics.UNITS, *columns]
    scores = pd.DataFrame(rng.random((n_models, len(names))), columns=names)
    scores.loc[n_answering:, columns] = np.nan
    return scores


@pytest.mark.parametrize(
    "scores", [table(columns=[]), table(columns=ANSWERS[:1]), table(n_answering=9)], ids=["none", "no labels", "few"]
)
def test_without_enough_answers_geometry_is_set_against_units(scores):
    assert list(lineup_metrics.tree_of(scores)) == ["geometry", "units"]


def test_with_answers_they_are_a_part():
    assert lineup_metrics.tree_of(table())["answers"] == ANSWERS


def test_too_few_comparable_models_are_refused():
    scores = table()
    scores.loc[:3, "Matched units"] = np.nan
    with pytest.raises(ValueError, match="at least 10 models that are compared by every metric, got 8"):
        lineup_metrics.tree_of(scores)

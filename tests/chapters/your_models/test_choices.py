"""People's choices against models: who made them wins, what is known of people is said, what is not is left out."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis.chapters.your_models import choices, figures
from analysis.chapters.your_models.parameters import Parameters
from analysis.models.study import Study
from analysis.recovery.triplets import draw_triplets, sample_choices
from analysis.runs.parameters import ParameterError

N = 36
IDS = tuple(f"set/{number}.png" for number in range(N))
RNG = np.random.default_rng(0)
FEATURES = {name: RNG.normal(size=(N, 4)) for name in ("true", "other", "third")}
STUDY = Study(
    pd.DataFrame({"family": "f", "motif": "", "training": "normal"}, list(FEATURES)),
    {name: {"last": table} for name, table in FEATURES.items()},
    IDS,
)


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path / "cache"))


def written(path, triplets, odd, subjects=None):
    """A file of trials, named by file name; the odd one comes last."""
    order = np.array([[[1, 2, 0], [0, 2, 1], [0, 1, 2]][place] for place in odd])
    names = np.take_along_axis(triplets, order, axis=1)
    table = pd.DataFrame([[IDS[place].removeprefix("set/") for place in row] for row in names])
    table.columns = ["image1", "image2", "odd"]
    (table if subjects is None else table.assign(subject=subjects)).to_csv(path, index=False)
    return str(path)


@pytest.fixture
def answered(tmp_path):
    """Six people answer the same two hundred triplets as the true model would, with some noise."""
    table = FEATURES["true"] / np.sqrt((FEATURES["true"] ** 2).sum(axis=1).mean())
    triplets = np.tile(draw_triplets(N, 200, 0), (6, 1))
    odd = sample_choices(table @ table.T, triplets, 0, temperature=0.15)
    return written(tmp_path / "people.csv", triplets, odd, np.repeat(list("abcdef"), 200))


def test_the_model_that_made_the_choices_is_found(answered):
    found = choices.choices(STUDY, answered, seed=0)
    for transform, rows in found.table.groupby("transform"):
        assert rows.iloc[0]["model"] == "true", transform
        assert (rows["behind_low"].iloc[1:] > 0).all()
        assert rows["behind"].iloc[0] == 0
    assert found.ceiling.interval.endswith("6 people")
    zero_shot = found.table.set_index(["transform", "model"]).loc[("zero-shot", "true")]
    assert found.ceiling.value == pytest.approx(zero_shot["accuracy"], abs=0.1)  # the truth is what the others show
    assert found.recovery["chance"].tolist() == [1 / 3, 1 / 3]


def test_the_result_is_told_with_what_it_is_worth(answered):
    told = choices.told_choices(choices.choices(STUDY, answered, seed=0))
    assert told.startswith("1,200 answers of 6 people about 36 stimuli. As the features are, true fits best")
    assert "all others are behind it" in told
    assert "The most frequent answer of the others predicts" in told
    assert "need not be the true one" in told
    assert "(by luck 33%)" in told


def test_single_answers_of_unknown_people_about_few_stimuli(tmp_path):
    """No ceiling, no transform, no simulated study: each is said."""
    path = written(tmp_path / "few.csv", np.array([[0, 1, 2], [3, 4, 5], [0, 4, 7]]), np.array([0, 1, 2]))
    found = choices.choices(STUDY, path, seed=0)
    assert (found.ceiling, len(found.recovery), found.n_objects) == (None, 0, 7)
    told = choices.told_choices(found)
    assert "people who are not told apart about 7 stimuli" in told
    assert "No answer repeats" in told
    assert "it cannot be said how often" in told


def test_unknown_pictures_are_told_by_name(tmp_path):
    path = tmp_path / "unknown.csv"
    path.write_text("image1,image2,odd\n0.png,1.png,nowhere.png\n0.png,1.png,2.png\n3.png,4.png,\n")
    told = choices.told_choices(choices.choices(STUDY, str(path), seed=0))
    assert "1 answers of people" in told
    assert "trials without an answer: 1; trials that name the unknown image 'nowhere.png': 1." in told


def test_without_a_file_the_part_is_left_out():
    assert choices.choices(STUDY, "none", seed=0) is None
    assert "left out" in choices.told_choices(None)


def test_the_figure_shows_every_model_twice_and_the_other_people(answered):
    found = choices.choices(STUDY, answered, seed=0)
    (axis,) = figures.people_predicted(found).axes
    assert [tick.get_text() for tick in axis.get_yticklabels()][-1] == "true"
    labels = [text.get_text() for text in axis.get_legend().get_texts()]
    assert labels == ["luck", "other people", "zero-shot", "full"]
    plt.close("all")


def test_a_file_of_choices_is_checked_before_anything_runs(tmp_path):
    with pytest.raises(ParameterError, match=r"'triplets'.* there is no file 'nowhere.csv'"):
        Parameters.checked({"triplets": "nowhere.csv"})
    path = tmp_path / "trials.csv"
    path.write_text("image1,image2,odd\na,b,c\n")
    with pytest.raises(ParameterError, match="at least 1 answered trial with images of this study, got none"):
        Parameters.checked({"triplets": str(path)})

"""Studies: models, stimuli, answers and people, joined by id."""

import numpy as np
import pytest

from analysis.data.pictures import open_pictures
from analysis.data.registry import DataError
from analysis.models.recordings import Extracted, Recording
from analysis.models.study import answers_of, people_of, shown, some, study_of

IDS = ("a.png", "b.png", "c.png", "d.png")


def recording(name, *, classes=("x", "y"), seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(4, len(classes))) if classes else None
    layers = {"first": rng.normal(size=(4, 3)), "last": rng.normal(size=(4, 5))}
    return Recording(name, "family", "motif", "normal", "here", "none", layers, logits, classes)


def extracted(*models, labels=("x", "y", "x", "")):
    return Extracted(IDS, labels, {model.name: model for model in models})


def test_answers_are_those_of_models_with_the_same_categories():
    found = extracted(
        recording("a"), recording("b", seed=1), recording("other", classes=("x", "z")), recording("none", classes=None)
    )
    answers, left_out = answers_of(found)
    assert answers.models == ("a", "b")
    assert answers.stimuli == IDS
    assert answers.labels.tolist() == [0, 1, 0, -1]
    assert answers.answers[1].tolist() == found.models["b"].logits.argmax(1).tolist()
    assert left_out == {
        "models whose outputs are no answers": 1,
        "models with other categories": 1,
        "stimuli without a label among the categories": 1,
    }


def test_without_classes_there_are_no_answers():
    answers, left_out = answers_of(extracted(recording("a", classes=None)))
    assert answers is None
    assert left_out == {"models whose outputs are no answers": 1}


@pytest.fixture
def answers():
    return answers_of(extracted(recording("a"), recording("b", seed=1)))[0]


def test_people_are_joined_by_id_and_category(tmp_path, answers):
    path = tmp_path / "people.csv"
    path.write_text("stimulus,y,x,more\nd.png,1,0,0\nc.png,0,2,5\nb.png,3,0,0\na.png,0,4,0\ne.png,1,1,1\n")
    assert people_of(str(path), answers).tolist() == [[4, 0], [0, 3], [2, 0], [0, 1]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stimulus,x,y\na.png,1,0\n", "must have every stimulus, got none for 3"),
        ("stimulus,x,z\na.png,1,0\n", "a column for every category, got none for 'y'"),
        ("picture,x,y\na.png,1,0\n", "must have the columns 'stimulus' and one a category"),
        ("stimulus,x,y\na.png,1,-1\n", "must hold counts"),
        ("stimulus,x,y\na.png,1,0.5\n", "must hold counts"),
        ("stimulus,x,y\na.png,0,0\n", "at least 1 answer to every stimulus"),
        ("stimulus,x,y\na.png,1,0\na.png,1,0\n", "must name every stimulus once"),
    ],
)
def test_people_that_do_not_fit_are_refused(tmp_path, answers, text, message):
    (tmp_path / "people.csv").write_text(text)
    with pytest.raises(ValueError, match=message):
        people_of(str(tmp_path / "people.csv"), answers)
    with pytest.raises(ValueError, match="there is no file"):
        people_of("nowhere.csv", answers)


def test_a_study_of_the_zoo(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_CACHE", str(tmp_path))
    study = study_of("zoo:vit-40-d4-p4-untrained,zoo:resnet-12-s2-b2-untrained", "digits")
    assert study.names == ["vit-40-d4-p4-untrained", "resnet-12-s2-b2-untrained"]
    assert study.labelled
    assert {name: x.shape[0] for name, x in study.last(slice(0, 7)).items()} == dict.fromkeys(study.names, 7)
    one = study.of(["resnet-12-s2-b2-untrained"])
    assert one.answers.models == ("resnet-12-s2-b2-untrained",)
    digits = open_pictures("digits")
    expected = digits.read([digits.ids.index(study.stimuli[7]), digits.ids.index(study.stimuli[2])])
    np.testing.assert_array_equal(shown(study, "digits", [7, 2]), expected)
    np.savez(tmp_path / "others.npz", x=np.zeros((3, 4, 4), np.uint8))
    assert shown(study, str(tmp_path / "others.npz"), [0]) is None


@pytest.mark.public_data
def test_cifar10h_belongs_to_the_photographs():
    from analysis.data.categories import CIFAR10

    try:
        pictures = open_pictures("cifar10").subset([5, 3, 9_999])
    except DataError as error:
        pytest.skip(str(error))
    labels = tuple(CIFAR10[label] for label in pictures.labels)
    rng = np.random.default_rng(0)
    model = Recording("m", "f", "m", "t", "s", "p", {}, rng.normal(size=(3, 10)), CIFAR10)
    answers, _ = answers_of(Extracted(pictures.ids, labels, {"m": model}))
    counts = people_of("cifar10h", answers)
    assert (counts.argmax(1) == answers.labels).all()
    assert counts.sum(1).min() > 40


def test_some_rows_are_seeded_and_in_order():
    assert some(5, 10, 0).tolist() == [0, 1, 2, 3, 4]
    drawn = some(100, 10, 3)
    assert (np.diff(drawn) > 0).all()
    assert drawn.tolist() == some(100, 10, 3).tolist()
    assert drawn.tolist() != some(100, 10, 4).tolist()

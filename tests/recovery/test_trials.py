"""Trials in a CSV file: joined by id or file name, nothing dropped without being counted, everything odd refused."""

import numpy as np
import pytest

from analysis.recovery.trials import load_answers, load_trials

STIMULI = ("cats/a.png", "cats/b.png", "dogs/a.png", "dogs/c.png")


@pytest.fixture
def file(tmp_path):
    def written(*lines, header="image1,image2,odd,subject"):
        path = tmp_path / "trials.csv"
        path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
        return path

    return written


def test_names_are_joined_by_id_or_by_file_name(file):
    found = load_trials(file("cats/a.png,b.png,c.png,zoe", "dogs/c.png, dogs/a.png, b.png, adam"), STIMULI)
    assert found.triplets.tolist() == [[0, 1, 3], [3, 2, 1]]
    assert found.choices.tolist() == [2, 2]
    assert found.subjects.tolist() == [1, 0]
    assert found.left_out == {}


def test_the_order_of_the_stimuli_does_not_matter(file):
    path, order = file("cats/a.png,b.png,c.png,1", "dogs/c.png,dogs/a.png,b.png,2"), [2, 0, 3, 1]
    one, other = load_trials(path, STIMULI), load_trials(path, [STIMULI[place] for place in order])
    np.testing.assert_array_equal(np.array(order)[other.triplets], one.triplets)


def test_columns_may_come_in_any_order_and_subjects_may_be_unknown(file):
    found = load_trials(file("200,b.png,c.png,cats/a.png", header="rt,image2,odd,image1"), STIMULI)
    assert found.triplets.tolist() == [[0, 1, 3]]
    assert found.subjects is None


def test_what_cannot_take_part_is_counted(file):
    path = file("cats/a.png,b.png,,1", "b.png,x.png,c.png,1", "x.png,y.png,c.png,2", "cats/a.png,b.png,c.png,2")
    found = load_trials(path, STIMULI, missing="count")
    assert found.triplets.tolist() == [[0, 1, 3]]
    assert found.subjects.tolist() == [0]
    assert found.left_out == {
        "trials without an answer": 1,
        "trials that name the unknown image 'x.png'": 2,
        "trials that name the unknown image 'y.png'": 1,
    }


BAD = [
    (["b.png,x.png,c.png,1"], r"by the ids or file names of the stimuli, got 'x.png' \(1 of the names"),
    (["a.png,b.png,c.png,1"], "must name one image, got 'a.png', the file name of several stimuli"),
    (["b.png,cats/b.png,c.png,1"], "three different images in every row, got b.png, cats/b.png, c.png"),
    (["cats/a.png,b.png,c.png,"], "must name a subject in every row or have no such column, got none in 1"),
    (["cats/a.png,b.png,,1"], "must hold at least 1 answered trial"),
    ([], "must hold at least 1 answered trial"),
]


@pytest.mark.parametrize(("lines", "message"), BAD)
def test_bad_trials_are_named(file, lines, message):
    with pytest.raises(ValueError, match=message):
        load_trials(file(*lines), STIMULI)


def test_a_missing_column_is_named(file):
    with pytest.raises(ValueError, match="none named 'odd' among image1, image2, subject"):
        load_trials(file("a,b,1", header="image1,image2,subject"), STIMULI)


def test_a_file_that_is_no_table_is_named(file):
    with pytest.raises(ValueError, match="must be a CSV file"):
        load_trials(file("a,b,c,1,2,3,4"), STIMULI)


def test_both_forms_of_answers_are_read(file, tmp_path):
    named = load_answers(file("0,1,3,p"), ["0", "1", "2", "3"])
    (tmp_path / "things.txt").write_text("0 1 3\n")
    numbered = load_answers(tmp_path / "things.txt", ["0", "1", "2", "3"])
    assert named.triplets.tolist() == numbered.triplets.tolist() == [[0, 1, 3]]
    with pytest.raises(ValueError, match="none named 'image2'"):
        load_answers(file("0,3,p", header="image1,odd,subject"), ["0", "1"])

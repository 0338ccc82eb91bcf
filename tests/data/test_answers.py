"""Tables of answers: read as written, joined by image, nothing dropped without being counted."""

import time
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.data import answers
from analysis.data.answers import (
    MODEL_VS_HUMAN,
    Predictions,
    image_name,
    imagenet_files,
    load_cifar10h_counts,
    load_imagenet_predictions,
    load_model_vs_human,
    model_vs_human_files,
    read_predictions,
)

EXAMPLE = """model,   img1, img2, img3
label,   cat,  dog,  cat
resnet,  cat,  dog,  dog
vit,     cat,  cat,
person1, cat,  dog,  cat
"""


@pytest.fixture
def write(tmp_path):
    def written(text, name="answers.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


# The user's own


def test_the_documented_example_is_read_as_it_says(write):
    table = read_predictions(write(EXAMPLE))
    assert table.models == ("resnet", "vit", "person1")
    assert table.stimuli == ("img1", "img2", "img3")
    assert table.categories == ("cat", "dog")
    assert table.answers.tolist() == [[0, 1, 1], [0, 0, -1], [0, 1, 0]]
    assert table.labels.tolist() == [0, 1, 0]
    assert table.left_out == {"missing answers": 1}
    assert table.accuracies.tolist() == [2 / 3, 1 / 2, 1]


def test_the_order_of_rows_and_columns_changes_nothing_but_the_order(write):
    rows = [line.split(",") for line in EXAMPLE.split("\n")[:-1]]
    turned = "\n".join(",".join([row[0], row[3], row[1], row[2]]) for row in [rows[0], *rows[:0:-1]])
    table, other = read_predictions(write(EXAMPLE)), read_predictions(write(turned))
    columns = [other.stimuli.index(name) for name in table.stimuli]
    order = [other.models.index(name) for name in table.models]
    assert (other.answers[order][:, columns] == table.answers).all()
    assert (other.labels[columns] == table.labels).all()


def test_numbers_are_sorted_as_numbers_before_words(write):
    table = read_predictions(write("model,a,b,c,d\nlabel,10,9,2,none\nm,2,2,2,2\nn,9,9,9,9\n"))
    assert table.categories == ("2", "9", "10", "none")


def spellings(number):
    """Ways in which programs write one category: as pandas does beside a gap, with zeros, signs and spaces."""
    digits = str(number)
    ways = [
        digits,
        f"{digits}.0",
        f"{digits}.",
        f"{digits}.00",
        f"0{digits}",
        f"00{digits}.0",
        f"+{digits}",
        f"{digits}e0",
    ]
    return st.sampled_from([*ways, *(f" {way} " for way in ways)])


@st.composite
def respelt(draw):
    """Answers, some of them missing, and the rows of a CSV that spells each in one of its ways."""
    shape = draw(st.tuples(st.integers(2, 4), st.integers(1, 5)))
    cell = st.one_of(st.none(), st.integers(0, 30))
    table = [[draw(cell) for _ in range(shape[1])] for _ in range(shape[0])]
    table = [[3, *row] for row in table]  # nobody is silent
    labels = [30, *(draw(st.integers(0, 30)) for _ in range(shape[1]))]
    none = st.sampled_from(["", " ", "NA", "NaN", "nan", "na", " NaN"])
    rows = [[draw(none if value is None else spellings(value)) for value in row] for row in (labels, *table)]
    return labels, table, rows


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(respelt())
def test_spellings_of_one_number_are_one_category_and_gaps_no_answer(write, case):
    labels, numbers, rows = case
    names = ["label", *(f"m{n}" for n in range(len(numbers)))]
    lines = ["model," + ",".join(f"i{n}" for n in range(len(labels)))]
    lines += [",".join([name, *row]) for name, row in zip(names, rows, strict=True)]
    table = read_predictions(write("\n".join(lines)))
    found = [[int(table.categories[code]) if code >= 0 else None for code in row] for row in table.answers]
    assert found == numbers
    assert [int(table.categories[code]) for code in table.labels] == labels
    assert table.left_out == {"missing answers": sum(row.count(None) for row in numbers)}


def test_what_pandas_writes_beside_a_gap_is_what_was_meant(tmp_path):
    """A model with a gap is a column of floats to pandas, and its 1 becomes 1.0."""
    whole = pd.DataFrame({"label": [0, 1, 1, 0], "a": [1, 1, 0, 0], "b": [0, 1, 1, 1]}, index=list("wxyz"))
    gap = whole.astype({"b": float}).astype(object)
    gap.loc["w", "b"] = np.nan
    gap.T.to_csv(tmp_path / "gap.csv")
    assert "1.0" in (tmp_path / "gap.csv").read_text()
    assert read_predictions(tmp_path / "gap.csv").answers.tolist() == [[1, 1, 0, 0], [-1, 1, 1, 1]]


@pytest.mark.parametrize(
    "pair", [("cat", "Cat"), ("café", "cafe\u0301"), ("dog", "ｄｏｇ"), ("1", "１"), ("straße", "STRASSE")]
)
def test_lookalikes_stay_two_and_are_warned_of_by_name(write, pair):
    path = write("model,a,b\nlabel,{0},{1}\nm,{0},{1}\nn,{1},{0}\n".format(*pair))
    with pytest.warns(UserWarning, match="differ only in case or Unicode form") as caught:
        table = read_predictions(path)
    assert len(table.categories) == 2
    assert all(ascii(word) in str(caught[0].message) for word in pair)


def test_no_warning_without_lookalikes(write):
    with warnings.catch_warnings(action="error"):
        read_predictions(write(EXAMPLE))


def test_numbers_that_differ_are_different(write):
    table = read_predictions(
        write(
            "model,a,b,c,d\nlabel,1,1.5,-1,1e1\nm,0.1,.10,1e0,-0\nn,1,12345678901234567890.1,12345678901234567890.2,1\n"
        )
    )
    assert table.categories[:6] == ("-1", "0", "0.1", "1", "1.5", "10")
    assert table.categories[6:] == ("12345678901234567890.1", "12345678901234567890.2")


def test_a_byte_order_mark_and_blank_lines_change_nothing(write):
    table = read_predictions(write("\ufeff" + EXAMPLE.replace("\n", "\r\n\r\n")))
    assert table.answers.tolist() == read_predictions(write(EXAMPLE, "plain.csv")).answers.tolist()


def test_a_large_file_is_read_at_a_tenth_of_the_speed_of_pandas_or_faster(tmp_path):
    path = tmp_path / "large.csv"
    numbers = np.random.default_rng(0).integers(0, 1000, (2000, 1000))
    frame = pd.DataFrame(numbers, index=["label", *(f"m{n}" for n in range(1999))])
    frame.to_csv(path)

    def fastest(read):
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            read(path)
            seconds.append(time.perf_counter() - started)
        return min(seconds)

    assert fastest(read_predictions) < 10 * fastest(pd.read_csv)


def test_some_models_can_be_picked(write):
    table = read_predictions(write(EXAMPLE)).of(np.array([True, False, True]))
    assert table.models == ("resnet", "person1")
    assert table.answers.shape == (2, 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must be a CSV file, and could not be read"),
        ("model,a\nlabel,x\nm,x,y,z\n", "must be a CSV file, and could not be read"),
        ("model,a,b\nm,x,y\nn,x,y\n", "must have a row named 'label' and rows of at least 2 models, got m, n"),
        ("model,a,b\nlabel,x,y\nm,x,y\n", "rows of at least 2 models, got label, m"),
        ("model,a,b\nlabel,x,\nm,x,y\nn,x,y\n", "an answer for every stimulus, got none for 'b'"),
        (
            "model,a,a\nlabel,x,y\nm,x,y\nn,x,y\n",
            "The first row of .* must hold different stimulus names, got 'a' twice",
        ),
        ("model,a,b\nlabel,x,y\nm,x,y\nm,x,y\n", "The first column of .* different model names, got 'm' twice"),
        ("model,a,\nlabel,x,y\nm,x,y\nn,x,y\n", "different stimulus names, got an empty one"),
        ("model,a,b\nlabel,x,x\nm,x,x\nn,x,x\n", "at least 2 different answers, got only 'x'"),
        ("model,a,b\nlabel,x,y\nm,x,y\nn,,\n", "Every model of .* must have at least 1 answer, got none from 'n'"),
        ("model,a,b\nlabel,x,y\nm,x\nn,x,y\n", "could not be read: line 3 has 2 fields, and the first line 3"),
        ('model,a,b\nlabel,x,y\nm,"x,y\nn,x,y\n', "could not be read: unexpected end of data"),
        ("model,a,b\nlabel,x,NaN\nm,x,y\nn,x,y\n", "an answer for every stimulus, got none for 'b'"),
        ("model,a,b\nlabel,0,1\nm,-1,1\nn,0,1\n", "must leave a field without an answer empty, got -1"),
        ("model,a,b\nlabel,1,1.0\nm,1,01\nn,1,1\n", "at least 2 different answers, got only '1'"),
        ("model\nlabel\nm\nn\n", "The first row of .* must hold different stimulus names"),
    ],
)
def test_bad_files_are_refused_in_one_sentence(write, text, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_predictions(write(text))


def test_a_binary_file_is_refused(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_bytes(b"\x80\x81\xff\xfe" * 10)
    with pytest.raises(ValueError, match="must be a CSV file, and could not be read"):
        read_predictions(path)


def test_a_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match=r"there is no file 'nowhere\.csv'"):
        read_predictions("nowhere.csv")


# Public files, in miniature


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """A data folder of the test's own, instead of the registry's files."""
    monkeypatch.setattr(answers, "public_path", lambda name: tmp_path / name)

    def files(tables):
        for name, text in tables.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(answers, "registry", lambda: tables)

    return files


def test_imagenet_files_are_joined_on_the_image(mirror):
    mirror(
        {
            "imagenet_predictions/a.csv": "one,3,3\ntwo,1,0\nthree,2,2\n",
            "imagenet_predictions/b.csv": "three,0,2\none,3,3\nfour,1,1\n",
        }
    )
    table = load_imagenet_predictions()
    assert table.models == ("a", "b")
    assert table.stimuli == ("one", "three")
    assert table.answers.tolist() == [[3, 2], [3, 0]]
    assert table.labels.tolist() == [3, 2]
    assert table.left_out == {"images not in every file": 2}
    assert len(table.categories) == 4


def test_contradicting_labels_are_refused(mirror):
    mirror({"imagenet_predictions/a.csv": "one,3,3\n", "imagenet_predictions/b.csv": "one,3,1\n"})
    with pytest.raises(ValueError, match="agree on each image's label, got 1 images with several, the first 'one'"):
        load_imagenet_predictions()


HEAD = "subj,session,trial,rt,object_response,category,condition,imagename\n"


def trials(observer, *rows):
    lines = [f"{observer},1,{n},NaN,{answer},{label},0,{image}" for n, (image, label, answer) in enumerate(rows)]
    return HEAD + "\n".join(lines) + "\n"


def test_people_and_networks_are_joined_on_the_image_itself(mirror):
    network = trials("net", ("cat1-dog2.png", "cat", "dog"), ("dog3-cat1.png", "dog", "dog"))
    other = trials("net2", ("cat1-dog2.png", "cat", "cat"))
    person = trials(
        "subject-01",
        ("0001_s5n_s01_0_dog_00_dog3-cat1.png", "dog", "na"),
        ("0002_s5n_s01_0_cat_00_cat1-dog2.png", "cat", "cat"),
    )
    names = [f"model_vs_human/edge/{name}.csv" for name in "abc"]
    mirror(dict(zip(names, (network, other, person), strict=True)))
    both = load_model_vs_human("edge")
    assert both.networks.stimuli == both.humans.stimuli == ("cat1-dog2.png", "dog3-cat1.png")
    assert both.networks.answers.tolist() == [[1, 1], [0, -1]]
    assert both.humans.answers.tolist() == [[0, -1]]
    assert both.networks.labels.tolist() == [0, 1]
    assert both.networks.left_out == {"trials without an answer": 0, "images missing from an observer's file": 1}
    assert both.humans.left_out == {"trials without an answer": 1, "images missing from an observer's file": 0}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("x.png", "cat", "cat"), ("x.png", "cat", "dog")], "each image once an observer, got 'x.png' of net"),
        ([("x.png", "cat", "cat"), ("y.png", "dog", "zebra")], r"'object_response' must be .* got \['zebra'\]"),
    ],
)
def test_damaged_trials_are_refused(mirror, rows, sentence):
    person = trials("subject-01", ("x.png", "cat", "cat"))
    mirror({"model_vs_human/edge/a.csv": trials("net", *rows), "model_vs_human/edge/b.csv": person})
    with pytest.raises(ValueError, match=sentence):
        load_model_vs_human("edge")


def test_labels_of_one_image_must_agree(mirror):
    other = trials("subject-01", ("x.png", "dog", "cat"))
    mirror({"model_vs_human/edge/a.csv": trials("net", ("x.png", "cat", "cat")), "model_vs_human/edge/b.csv": other})
    with pytest.raises(ValueError, match="agree on each image's label"):
        load_model_vs_human("edge")


@pytest.mark.parametrize(
    ("trial", "image"),
    [
        ("0001_edg_s01_0_oven_00_oven10.png", "oven10.png"),
        ("0001_ske_dnn_0_airplane_00_airplane-0001-sketch-0.png", "airplane-0001-sketch-0.png"),
        ("airplane1-bicycle2.png", "airplane1-bicycle2.png"),
    ],
)
def test_a_trial_is_reduced_to_its_image(trial, image):
    assert image_name(trial) == image


def test_unknown_image_sets_are_refused():
    with pytest.raises(ValueError, match="'dataset' must be one of 'cue-conflict'"):
        load_model_vs_human("photos")


def test_the_registry_has_every_file():
    assert len(imagenet_files()) == 14
    assert [len(model_vs_human_files(name)) for name in MODEL_VS_HUMAN] == [41, 41, 41, 37, 35]


def test_cifar_counts_must_be_counts(tmp_path, monkeypatch):
    np.save(tmp_path / "counts.npy", np.full((2, 10), 0.5))
    monkeypatch.setattr(answers, "public_path", lambda name: tmp_path / "counts.npy")
    with pytest.raises(ValueError, match="CIFAR-10H must be a table of counts"):
        load_cifar10h_counts()


def test_accuracies_leave_missing_answers_out():
    given = np.array([[-1, -1], [0, -1], [1, 1]])
    table = Predictions(given, np.array([0, 1]), ("a", "b", "c"), ("s", "t"), ("x", "y"))
    assert np.isnan(table.accuracies[0])
    assert table.accuracies[1:].tolist() == [1, 0.5]


def test_accuracy_is_judged_where_the_right_answer_is_known():
    found = np.array([[0, 1, 1, -1], [0, 0, 1, -1], [-1, 1, 1, 0]])
    table = Predictions(found, np.array([0, -1, 0, -1]), tuple("abc"), tuple("wxyz"), ("p", "q"))
    assert table.accuracies.tolist() == [0.5, 0.5, 0]
    unknown = replace(table, labels=np.full(4, -1))
    assert np.isnan(unknown.accuracies).all()

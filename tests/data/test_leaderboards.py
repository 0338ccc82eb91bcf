"""Reading a table of one's own: every trap on a small made-up one."""

import numpy as np
import pandas as pd
import pytest
import yaml

from analysis.data.leaderboards import read_groups, read_table


def test_names_made_different_collide_with_no_other_name(tmp_path):
    path = tmp_path / "board.csv"
    path.write_text("model,a\nm1,1\nm1,2\nm1 (row 1),3\nm1 (row 1) (row 3),4\n")
    board = read_table(path)
    assert board.scores.index.is_unique
    assert board.scores["a"].tolist() == [1, 2, 3, 4]
    assert board.scores.index[1] == "m1 (row 2)"


TABLE = """model, V1 fit, IT fit, odd one out, extra
alexnet, 0.31, 0.42, 0.55, 1
resnet50, 0.35, X, 0.61, 2
vgg16, , 0.40, nan, 3
"""


GROUPS = {"neural": {"V1": ["V1 fit"], "IT": ["IT fit"]}, "behaviour": ["odd one out"]}


@pytest.fixture
def own(tmp_path):
    (tmp_path / "mine.csv").write_text(TABLE, encoding="utf-8")
    (tmp_path / "groups.yml").write_text(yaml.safe_dump(GROUPS, sort_keys=False), encoding="utf-8")
    return tmp_path


def test_own_table_with_groups_from_yaml(own):
    mine = read_table(own / "mine.csv", own / "groups.yml")
    expected = {"V1 fit": [0.31, 0.35, np.nan], "IT fit": [0.42, np.nan, 0.4], "odd one out": [0.55, 0.61, np.nan]}
    pd.testing.assert_frame_equal(mine.scores.reset_index(drop=True), pd.DataFrame(expected))
    assert list(mine.scores.index) == ["alexnet", "resnet50", "vgg16"]
    assert mine.status.loc["resnet50", "IT fit"] == "failed"
    assert mine.status.loc["vgg16", ["V1 fit", "odd one out"]].tolist() == ["missing", "missing"]
    assert mine.metrics.to_dict("list") == {
        "part": ["neural", "neural", "behaviour"],
        "group": ["V1", "IT", "behaviour"],
    }
    assert mine.report[["what", "metric"]].to_numpy().tolist() == [["other metric", "extra"]]
    assert mine.models["family"].tolist() == ["alexnet", "resnet", "vgg"]
    assert mine.tree == read_groups(own / "groups.yml") == GROUPS


def test_own_table_needs_no_groups(own):
    mine = read_table(own / "mine.csv")
    assert list(mine.scores) == ["V1 fit", "IT fit", "odd one out", "extra"]
    assert set(mine.metrics["part"]) == {"metrics"}
    assert mine.report.empty


def test_own_families_identifiers_and_ranges(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("net,model_id,family,a,b\nx,1,small,.1,.2\nx,2,small,.1,.2\nx,3,large,.3,7\n", encoding="utf-8")
    mine = read_table(path, ranges={"b": (0, 1)})
    assert mine.models[["name", "identifier", "family"]].to_numpy().tolist() == [
        ["x", "1", "small"],
        ["x", "3", "large"],
    ]
    assert mine.report["what"].tolist() == ["impossible score", "duplicate model"]
    assert mine.scores.loc["x (3)"].isna().tolist() == [False, True]


def test_documented_example_is_read_as_documented(tmp_path):
    """The CSV and the YAML in the docstring."""
    lines = [line[12:] for line in read_table.__doc__.splitlines() if line.startswith(" " * 12)]
    start = lines.index("model,V1 fit,IT fit,odd one out")
    (tmp_path / "mine.csv").write_text("\n".join(lines[start : start + 3]), encoding="utf-8")
    start = lines.index("neural:")
    (tmp_path / "groups.yml").write_text("\n".join(lines[start : start + 4]), encoding="utf-8")
    assert read_table(tmp_path / "mine.csv", tmp_path / "groups.yml").tree == GROUPS


@pytest.mark.parametrize(
    ("text", "groups", "message"),
    [
        ("m,a,a\nx,1,2\n", None, "'path' must name each column once, got 'a' again"),
        ("m,a\n", None, "'path' must hold models and metrics, got 0 rows, 2 columns"),
        ("m\nx\n", None, "'path' must hold models and metrics, got 1 rows, 1 columns"),
        ("m,a\nx,good\n", None, "'path' must hold a number, X or nothing in every cell, got 'good' at 'x', 'a'"),
        ('m,a\nx,"0,5"\n', None, "'path' must hold a number, .* got '0,5' at 'x', 'a'"),
        ("m,a\n,1\n", None, "'path' must give every model a name, got none in row 1"),
        ("m,family,a\nx,,1\n", None, "'path' must give every model a family, got none in row 1"),
        ("m,model_id,a\nx,1,1\ny,1,2\n", None, "'path' must hold each model_id once, got '1' again"),
        ("m,V1 fit\nx,1\n", {"neural": ["v1 fit"]}, "'groups' and .* got 'v1 fit'; did you mean 'V1 fit'?"),
        ("m,a\nx,1\n", {"neural": ["zzz"]}, "'groups' and 'ranges' must name columns of mine.csv, got 'zzz'."),
        ("m,a\nx,1\n", {"neural": ["a"], "it": ["a"]}, "'tree' must name each metric once .* 'a' again"),
        ("m,a\nx,1\n", ["a"], r"'groups' must be a mapping from group to metrics, got \['a'\]"),
        ("m,a\nx,1\n", {"neural": "a"}, "'tree' must nest mappings and lists of metrics, got 'a'"),
    ],
)
def test_bad_tables_are_named(tmp_path, text, groups, message):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_table(path, groups)


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text", "neural: V1 fit\n"])
def test_bad_groups_files_are_named(tmp_path, text):
    (tmp_path / "groups.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"'(groups|tree)' must .*(mapping|lists)"):
        read_groups(tmp_path / "groups.yml")


def test_infinite_scores_are_impossible(tmp_path):
    (tmp_path / "mine.csv").write_text("m,a,b\nx,inf,1\n", encoding="utf-8")
    assert read_table(tmp_path / "mine.csv").status.loc["x", "a"] == "impossible"


def test_bad_options_are_named(own):
    with pytest.raises(ValueError, match="'duplicates' must be one of 'drop', 'keep', got 'merge'"):
        read_table(own / "mine.csv", duplicates="merge")

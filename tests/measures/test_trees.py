"""Trees of metrics: leaves and children in their order, and trees that do not fit a table are refused."""

import pytest

from analysis.measures.trees import check_tree, tree_children, tree_leaves

TREE = {"neural": {"V1": ["a", {"texture": ["b"]}], "IT": ["c"]}, "behaviour": ["d"]}


def test_leaves_come_depth_first():
    assert tree_leaves(TREE) == list("abcd")
    assert tree_leaves(["a"]) == ["a"]


def test_children_are_names_with_their_subtrees():
    assert dict(tree_children(TREE)) == TREE
    assert list(tree_children(TREE["neural"]["V1"])) == [("a", None), ("texture", ["b"])]


def test_a_tree_of_the_tables_metrics_in_any_order_is_accepted():
    check_tree("dcba", TREE)


@pytest.mark.parametrize(
    ("metrics", "tree", "message"),
    [
        ("abcde", TREE, "exactly the metrics of the table, got 'e' in one only"),
        ("abc", TREE, "exactly the metrics of the table, got 'd' in one only"),
        ("a", {"x": ["a"], "y": ["a"]}, "each metric once and each node once, got 'a' again"),
        ("ab", {"x": ["a", {"x": ["b"]}]}, "each metric once and each node once, got 'x' again"),
        ("a", {"overall": ["a"]}, "got 'overall' again"),
        ("a", {"x": ["a"], "y": []}, r"must have a metric in every node, got \[\]"),
        ("a", {"x": "a"}, "must nest mappings and lists of metrics, got 'a'"),
        ("a", 3, "must nest mappings and lists of metrics, got 3"),
    ],
)
def test_other_trees_are_refused(metrics, tree, message):
    with pytest.raises(ValueError, match=message):
        check_tree(metrics, tree)

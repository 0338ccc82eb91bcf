"""Trees of metrics: how a leaderboard nests them in its overall score."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

Tree = Mapping | Sequence


def tree_leaves(tree: Tree) -> list:
    """The metrics of a tree, depth first.

    Examples
    --------
    >>> tree_leaves({"neural": {"V1": ["a", {"texture": ["b"]}], "IT": ["c"]}, "behaviour": ["d"]})
    ['a', 'b', 'c', 'd']
    """
    return [leaf for name, node in tree_children(tree) for leaf in ([name] if node is None else tree_leaves(node))]


def tree_children(node: Tree) -> Iterator[tuple[Hashable, Tree | None]]:
    """The children of one node: names with their subtree, metrics with None.

    Examples
    --------
    >>> list(tree_children(["a", {"texture": ["b"]}]))
    [('a', None), ('texture', ['b'])]
    """
    if isinstance(node, Mapping):
        yield from node.items()
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for child in node:
            yield from child.items() if isinstance(child, Mapping) else [(child, None)]
    else:
        raise ValueError(f"'tree' must nest mappings and lists of metrics, got {node!r}.")


def check_tree(metrics: Iterable[Hashable], tree: Tree) -> None:
    """Raises a ValueError unless the tree names each of the metrics once, nothing else, and no node twice."""
    leaves = tree_leaves(tree)
    for names in (leaves, ["overall", *_nodes(tree)]):
        repeated = [name for i, name in enumerate(names) if name in names[:i]]
        if repeated:
            raise ValueError(f"'tree' must name each metric once and each node once, got {repeated[0]!r} again.")
    differing = set(leaves) ^ set(metrics)
    if differing:
        raise ValueError(f"'tree' must name exactly the metrics of the table, got {differing.pop()!r} in one only.")


def _nodes(tree: Tree) -> list:
    children = list(tree_children(tree))
    if not children:
        raise ValueError(f"'tree' must have a metric in every node, got {tree!r}.")
    return [each for name, node in children if node is not None for each in (name, *_nodes(node))]

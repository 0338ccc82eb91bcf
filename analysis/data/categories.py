"""Names of the categories of public image sets, in the order of their numbers."""

from collections import Counter

from analysis.data import registry

CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
"""Categories of CIFAR-10."""


def imagenet_categories() -> tuple[str, ...]:
    """The 1,000 categories of ImageNet, each by all its names; two that share their names carry their numbers.

    Raises
    ------
    analysis.data.registry.DataError
        If the file of names is not to be had.
    """
    path = registry.public_path("imagenet_nets/imagenet_labels.txt")
    names = path.read_text(encoding="utf-8").splitlines()[1:]  # the first is the background of TensorFlow's models
    counts = Counter(names)
    return tuple(name if counts[name] == 1 else f"{name} ({number})" for number, name in enumerate(names))

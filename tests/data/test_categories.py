"""Names of categories: one a number, none twice."""

import pytest

from analysis.data import categories, registry


def test_cifar10_has_its_ten_in_the_order_of_their_numbers():
    assert categories.CIFAR10[3] == "cat"
    assert categories.CIFAR10[9] == "truck"
    assert len(set(categories.CIFAR10)) == 10


def test_names_that_two_categories_share_carry_their_numbers(tmp_path, monkeypatch):
    path = tmp_path / "labels.txt"
    path.write_text("background\ntench\ncrane\nhen\ncrane\n")
    monkeypatch.setattr(registry, "public_path", lambda name: path)
    assert categories.imagenet_categories() == ("tench", "crane (1)", "hen", "crane (3)")


@pytest.mark.public_data
def test_imagenet_has_a_thousand_different_names():
    try:
        names = categories.imagenet_categories()
    except registry.DataError as error:
        pytest.skip(str(error))
    assert len(set(names)) == len(names) == 1000

"""What is written down of the digits is what they are."""

from analysis.data.digits import DIGITS_SIZE, N_DIGITS
from analysis.data.images import load_images


def test_the_digits_are_as_many_and_as_large():
    assert load_images("digits").x.shape == (N_DIGITS, 1, DIGITS_SIZE, DIGITS_SIZE)

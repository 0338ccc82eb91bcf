"""Errors that a person is told in one sentence have one ancestor, which the command line knows."""

import pytest

from analysis.data.registry import DataError
from analysis.errors import ToldError
from analysis.runs.runner import RunError


@pytest.mark.parametrize("kind", [DataError, RunError])
def test_what_the_command_line_tells_is_a_told_error(kind):
    assert issubclass(kind, ToldError)
    assert str(kind("There is no file 'x'.")) == "There is no file 'x'."

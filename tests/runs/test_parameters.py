"""Errors of parameters are sentences that name the parameter, the rule and the value."""

from typing import Literal

import pytest
from pydantic import Field, field_validator

from analysis.runs.parameters import ChapterParameters, ParameterError, describe_rule


class Example(ChapterParameters):
    n_seeds: int = Field(5, ge=1, le=100, description="seeds")
    step: float = Field(0.5, gt=0, description="a step")
    penalty: Literal["index", "none"] = Field("index", description="a choice")
    sizes: list[int] = Field([10, 20], description="a list")
    images: str = Field("digits", description="a file")

    @field_validator("images")
    @classmethod
    def _exists(cls, value):
        if value != "digits":
            raise ValueError(f"there is no file '{value}'.")
        return value


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"n_seedz": 3}, "Unknown parameter 'n_seedz': did you mean 'n_seeds'?"),
        ({"quite": 3}, "Unknown parameter 'quite': choose from n_seeds, step, penalty, sizes, images."),
        ({"n_seeds": "abc"}, "Parameter 'n_seeds' must be an integer of at least 1 and at most 100, got 'abc'."),
        ({"n_seeds": 0}, "Parameter 'n_seeds' must be an integer of at least 1 and at most 100, got 0."),
        ({"n_seeds": 2.5}, "Parameter 'n_seeds' must be an integer of at least 1 and at most 100, got 2.5."),
        ({"step": "0"}, "Parameter 'step' must be a number of more than 0, got '0'."),
        ({"penalty": "idx"}, "Parameter 'penalty' must be one of 'index', 'none', got 'idx'."),
        ({"sizes": "10,x"}, "Parameter 'sizes' must be a list of values, each an integer, got 'x'."),
        ({"images": "no.npz"}, "Parameter 'images': there is no file 'no.npz'."),
    ],
)
def test_sentence(values, sentence):
    with pytest.raises(ParameterError) as caught:
        Example.checked(values)
    assert str(caught.value) == sentence


def test_texts_from_a_command_line_are_converted():
    checked = Example.checked({"n_seeds": "3", "step": "1e-1", "sizes": "5,6"})
    assert (checked.n_seeds, checked.step, checked.sizes) == (3, 0.1, [5, 6])


def test_a_notebook_hands_in_its_variables_and_nothing_else():
    namespace = {"n_seeds": 7, "_hidden": 1, "In": [], "Out": {}, "pytest": pytest, "Example": Example, "open": open}
    assert Example.from_notebook(namespace) == Example(n_seeds=7)
    with pytest.raises(ParameterError, match="did you mean 'n_seeds'"):
        Example.from_notebook({**namespace, "n_seed": 3})


def test_a_terminal_obeys_nothing_that_was_typed():
    with pytest.raises(ParameterError) as caught:
        Example.checked({"images": "\x1b[31m\n\u202e"})
    assert str(caught.value) == "Parameter 'images': there is no file '\\x1b[31m\\n\\u202e'."


def test_every_problem_is_named():
    with pytest.raises(ParameterError, match=r"'n_seeds'.*'step'"):
        Example.checked({"n_seeds": 0, "step": -1})


def test_rules_in_words():
    assert describe_rule(Example, "step") == "a number of more than 0"
    assert describe_rule(Example, "images") == "a text"

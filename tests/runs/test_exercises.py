"""Exercises: read as they are written, every solution passes its check, and no stub does."""

import ast

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from analysis.runs import catalogue, exercises, pairs
from analysis.runs.parameters import ParameterError

HINT = "```{admonition} Hint\n:class: dropdown\nThink.\n```\n"
WRITTEN = f"""## Exercises

### 1. Predict: What is it?

A *task*.

{HINT}
```{{admonition}} Solution
:class: dropdown
It is 2.
```

### 2. Code: Double it

Another.

{HINT}
```python
def double(x):
    ...
```

```python
assert double(1) == 2
```

````{{admonition}} Solution
:class: dropdown

```python
def double(x):
    return 2 * x
```

Or so:

```python
x + x
```
````

## What to take home
"""
CHAPTERS = [name for name in catalogue.chapters() if "\n## Exercises" in catalogue.text_half(name).read_text("utf-8")]


def read(text):
    return exercises.of(new_notebook(cells=[new_markdown_cell(text)]))


def test_an_exercise_is_read_as_it_is_written():
    first, second = read(WRITTEN)
    assert first == exercises.Exercise(1, "Predict", "What is it?", "A *task*.", "Think.", "", "", "", "It is 2.")
    assert (second.level, second.task, second.hint) == ("Code", "Another.", "Think.")
    assert second.stub == "def double(x):\n    ..."
    assert second.check == "assert double(1) == 2"
    assert second.solution == "def double(x):\n    return 2 * x"
    assert second.answer == "Or so:\n\n```python\nx + x\n```"


def test_a_page_without_the_section_has_none():
    assert read("# A title\n\n### 1. Predict: no") == []


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("### 2. Code", "### 3. Code", "'### 2. Level: Title'"),
        ("Predict", "Guess", "got '### 1. Guess: What is it\\?'"),
        ("} Solution", "} Answer", "'What is it\\?' must have a hint, a solution"),
        (HINT, "", "'What is it\\?' must have a hint"),
        ("```python\nassert double(1) == 2\n```", "", "'Double it' must have .* a check"),
        ("def double(x):\n    return 2 * x\n```", "```", "'Double it' must have .* a solution that begins with code"),
    ],
)
def test_what_is_not_written_so_is_refused(was, becomes, says):
    assert was in WRITTEN
    with pytest.raises(ParameterError, match=says):
        read(WRITTEN.replace(was, becomes))


def of_chapter(chapter):
    return exercises.of(pairs.notebook_from_text(catalogue.text_half(chapter)))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_five_at_all_levels_and_two_with_code(chapter):
    found = of_chapter(chapter)
    assert len(found) == 5
    assert {exercise.level for exercise in found} == set(exercises.LEVELS)
    assert sum(bool(exercise.check) for exercise in found) >= 2
    assert all((exercise.level == "Code") == bool(exercise.check) for exercise in found)


WITH_CODE = [(name, exercise) for name in CHAPTERS for exercise in of_chapter(name) if exercise.check]
coded = pytest.mark.parametrize(
    "exercise", [pytest.param(found, id=f"{name}-{found.number}") for name, found in WITH_CODE]
)


def test_every_chapter_about_a_result_has_exercises():
    about = {name for name in catalogue.chapters() if (catalogue.CHAPTERS / name / "claims.py").is_file()}
    assert set(CHAPTERS) == about


@coded
def test_a_solution_passes_its_check(exercise):
    exec(compile(f"{exercise.solution}\n\n{exercise.check}", exercise.title, "exec"), {})


@coded
def test_a_stub_fails_its_check(exercise):
    names = {}
    exec(compile(exercise.stub, exercise.title, "exec"), names)
    with pytest.raises((AssertionError, TypeError)):
        exec(compile(exercise.check, exercise.title, "exec"), names)


@coded
def test_a_stub_is_the_solution_with_bodies_left_out(exercise):
    def begun(source):
        tree = ast.parse(source)
        return {
            node.name: (ast.unparse(node.args), ast.get_docstring(node)) for node in tree.body if hasattr(node, "args")
        }

    assert begun(exercise.stub).items() <= begun(exercise.solution).items()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_code_in_answers_runs(chapter):
    """Code that an answer shows is tried too."""
    for exercise in of_chapter(chapter):
        for block in exercises._blocks(exercise.answer)[1]:
            exec(compile(block[1], exercise.title, "exec"), {})

"""The public face: every name is there, where the stub says, and costs nothing until it is used."""

import importlib
import inspect
import subprocess
import sys

import pytest

import analysis


@pytest.mark.parametrize("name", analysis.__all__)
def test_every_public_name_is_the_one_of_its_home(name):
    home = importlib.import_module(f"analysis.{analysis.HOMES[name]}")
    assert getattr(analysis, name) is getattr(home, name)
    assert getattr(home, name).__doc__
    assert name in dir(analysis)


@pytest.mark.parametrize("name", analysis.__all__)
def test_every_public_function_says_what_it_takes_and_gives(name):
    functions = functions_of(getattr(analysis, name))
    bare = [
        f"{function.__qualname__}: {parameter}"
        for function in functions
        for parameter in [*inspect.signature(function).parameters, "return"]
        if parameter not in (*function.__annotations__, "self", "cls")
    ]
    assert bare == []


def functions_of(value):
    """A function, or the public methods and properties that a class writes out."""
    if inspect.isfunction(value):
        return [value]
    members = [member for name, member in vars(value).items() if not name.startswith("_")]
    inner = [getattr(member, "__func__", getattr(member, "fget", member)) for member in members]
    return [member for member in inner if inspect.isfunction(member)]


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'fleis_kappa'"):
        _ = analysis.fleis_kappa


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, analysis; print([name for name in ('numpy', 'torch', 'pandas') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"

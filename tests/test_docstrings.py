"""Every public docstring documents arguments, fields, arrays, errors and sources."""

from __future__ import annotations

import ast
import builtins
import dataclasses
import enum
import inspect
import re
import textwrap

import pytest

import hashkit
from hashkit import errors
from hashkit.hashes import classic, cryptographic, pdq, tmk, vpdq

ALGORITHMS = (cryptographic, pdq, vpdq, tmk, classic)
ERRORS = {name: value for name, value in vars(errors).items() if inspect.isclass(value)}


def defined_in(module):
    """The public functions and classes that a module defines itself."""
    for name, value in vars(module).items():
        mine = getattr(value, "__module__", None) == module.__name__
        if not name.startswith("_") and callable(value) and mine:
            yield f"{module.__name__}.{name}", value


def methods_of(name, owner):
    for part, value in vars(owner).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if not part.startswith("_") and inspect.isfunction(function):
            yield f"{name}.{part}", function


def public_things():
    things = {f"hashkit.{name}": getattr(hashkit, name) for name in hashkit.__all__}
    for module in ALGORITHMS:
        things |= dict(defined_in(module))
    for name, value in list(things.items()):
        if inspect.isclass(value):
            things |= dict(methods_of(name, value))
    return {name: value for name, value in things.items() if callable(value)}


THINGS = public_things()
FUNCTIONS = {name: value for name, value in THINGS.items() if inspect.isfunction(value)}


def words_of(value):
    return set(re.findall(r"\w+", inspect.getdoc(value) or ""))


def words_with_those_referred_to(name):
    words, beside = words_of(THINGS[name]), name.rpartition(".")[0]
    for other in re.findall(r"as\s+for\s+``(\w+)``", inspect.getdoc(THINGS[name])):
        near = f"{beside}.{other}"
        words |= words_with_those_referred_to(near if near in THINGS else f"hashkit.{other}")
    return words


@pytest.mark.parametrize("name", THINGS)
def test_it_says_what_it_is(name):
    said = inspect.getdoc(THINGS[name])
    assert said
    assert said.rstrip()[-1] in ".?:", said


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_argument_is_explained(name):
    own = words_with_those_referred_to(name)
    arguments = set(inspect.signature(FUNCTIONS[name]).parameters) - {"self", "cls"}
    missing = {each for each in arguments if each not in own and len(arguments) > 1}
    assert not missing


@pytest.mark.parametrize(
    "name", [name for name, value in THINGS.items() if dataclasses.is_dataclass(value)]
)
def test_every_field_is_explained(name):
    fields = {field.name for field in dataclasses.fields(THINGS[name])}
    assert fields <= words_of(THINGS[name])


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, value in FUNCTIONS.items()
        if re.search(r"Pixels|NDArray|Float32", str(inspect.signature(value)))
    ],
)
def test_arrays_have_a_type_and_a_shape(name):
    said = inspect.getdoc(FUNCTIONS[name])
    assert re.search(r"u?int\d+|float\d+|as for ``|[Aa]s ``compute``", said)
    assert re.search(r"shape|as for ``|[Aa]s ``compute``", said)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_it_raises_itself_is_named(name):
    tree = ast.parse(textwrap.dedent(inspect.getsource(FUNCTIONS[name])))
    raised = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and node.exc is not None:
            what = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(what, ast.Name):
                raised.add(what.id)
    assert {each for each in raised if each[0].isupper()} <= words_of(FUNCTIONS[name])


@pytest.mark.parametrize("name", THINGS)
def test_errors_that_are_named_exist(name):
    named = {each for each in words_of(THINGS[name]) if re.fullmatch(r"[A-Z]\w+Error", each)}
    assert named <= {*ERRORS, *dir(builtins)}


@pytest.mark.parametrize("module", ALGORITHMS, ids=lambda module: module.__name__)
def test_every_algorithm_says_where_it_is_defined(module):
    said = inspect.getdoc(module) + "".join(
        filter(None, map(inspect.getdoc, vars(module).values()))
    )
    assert re.search(r"Definitions?: |library's own", said)


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_says_when_and_has_a_code(name):
    error = ERRORS[name]
    if issubclass(error, errors.HashkitError) and not isinstance(error, enum.EnumMeta):
        assert error.__doc__
        assert re.fullmatch("[a-z_]+", error.code)

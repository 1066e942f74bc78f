"""The tables of formats and backends name every class that there is, by its own name."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import pytest

from hashkit.submission import formats
from hashkit.submission.formats.base import Format, Reader
from hashkit.submission.formats.registry import FORMATS, READERS
from hashkit.submission.sending import backends
from hashkit.submission.sending.backends import BACKENDS
from hashkit.submission.sending.backends.base import Backend


def classes_in(package, base) -> Iterator[type]:
    """The classes in the modules of a package that are of this base and can be made."""
    for module in iter_modules(package.__path__, f"{package.__name__}."):
        found = import_module(module.name)
        for each in vars(found).values():
            is_its_own = inspect.isclass(each) and each.__module__ == found.__name__
            if is_its_own and issubclass(each, base) and not inspect.isabstract(each):
                yield each


@pytest.mark.parametrize(
    ("table", "package", "base"),
    [(FORMATS, formats, Format), (READERS, formats, Reader), (BACKENDS, backends, Backend)],
)
def test_every_class_is_in_the_table(table, package, base):
    assert dict(table) == {each.name: each for each in classes_in(package, base)}
    assert len(table) == len(dict(table))
    assert "none" not in table

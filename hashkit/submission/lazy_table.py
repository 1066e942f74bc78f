"""A table of classes by name, each imported when it is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any


class LazyTable(Mapping[str, Any]):
    """The classes of a package by name. ``places`` says where each is, as ``module.Class``, so that
    listing the names imports none of them."""

    def __init__(self, package: str, places: Mapping[str, str]) -> None:
        self._package = package
        self._places = places

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = self._places[name].rpartition(".")
        return getattr(import_module(f"{self._package}.{module}"), attribute)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

"""Lists everything that programs and scripts may rely on, a line each: docs/stability.md.

    python tools/public_surface.py > tests/public_surface.txt

A test fails when the file and the code differ, so that nothing public changes unnoticed. For an
intended change, write the file anew and add a line to the changelog.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import BuiltinFunctionType, ModuleType
from typing import Any

import hashkit
from hashkit import errors, notices
from hashkit.cli.commands import COMMANDS, load
from hashkit.cli.output.terminal import ExitCode
from hashkit.hashes import classic, cryptographic, pdq, tmk, vpdq
from hashkit.submission.document import FORMAT, VERSION, VERSION_WITH_READINGS
from hashkit.submission.formats.registry import FORMATS, READERS
from hashkit.submission.sending.backends import BACKENDS

ROOT = Path(hashkit.__file__).parent


def lines() -> Iterator[str]:
    """All lines."""
    for name in hashkit.__all__:
        yield from _thing(f"hashkit.{name}", getattr(hashkit, name))
    for module in (cryptographic, pdq, vpdq, tmk, classic):
        yield from _module(module)
    yield from _errors()
    known = [each for each in vars(notices).values() if isinstance(each, hashkit.Notice)]
    yield from sorted(f"notice {each.code}" for each in known)
    yield from _commands()
    yield from _documents()


def _module(module: ModuleType) -> Iterator[str]:
    listed = getattr(module, "__all__", None) or _defined_in(module)
    for name in sorted(listed):
        value = getattr(module, name)
        if callable(value) or isinstance(value, int | float | str | tuple):
            yield from _thing(f"{module.__name__}.{name}", value)


def _defined_in(module: ModuleType) -> Iterator[str]:
    """The public names that a module defines itself."""
    for node in ast.parse(inspect.getsource(module)).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=[*targets]):
                names = [each.id for each in targets if isinstance(each, ast.Name)]
            case _:
                names = []
        yield from (each for each in names if not each.startswith("_"))


def _thing(name: str, value: Any) -> Iterator[str]:
    if inspect.isclass(value):
        yield from _class(name, value)
    elif callable(value):
        yield f"{name}{_arguments(value)}"
    elif isinstance(value, dict):
        yield f"{name}: {', '.join(value)}"
    else:
        yield f"{name} = {value!r}"


def _class(name: str, value: type) -> Iterator[str]:
    bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
    yield f"class {name}({bases})"
    if issubclass(value, Enum):
        for member in value:
            yield f"{name}.{member.name} = {member.value!r}"
    elif not issubclass(value, Exception):
        yield f"{name}{_arguments(value)}"
    for part, member in sorted(vars(value).items()):
        function = getattr(member, "__func__", member)
        if part.startswith("_"):
            continue
        if isinstance(member, property):
            yield f"{name}.{part}: {member.fget.__annotations__.get('return')}"
        elif inspect.isfunction(function):
            yield f"{name}.{part}{_arguments(function)}"


def _arguments(value: Any) -> str:
    """Arguments and result, written the same under every version of Python."""
    signature = inspect.signature(value)
    parts = []
    for each in signature.parameters.values():
        default = each.default
        if isinstance(default, BuiltinFunctionType):
            default = f"{default.__module__}.{default.__name__}"
        plain = each.replace(annotation=each.empty, default=each.empty)
        kind = getattr(each.annotation, "__forward_arg__", each.annotation)
        parts.append(
            f"{plain}{'' if kind is each.empty else f': {kind}'}"
            f"{'' if default is each.empty else f' = {default!r}'}"
        )
        if each.kind is each.KEYWORD_ONLY and "*" not in parts:
            parts.insert(-1, "*")
    result = signature.return_annotation
    return f"({', '.join(parts)}){'' if result is signature.empty else f' -> {result}'}"


def _errors() -> Iterator[str]:
    for name, value in sorted(vars(errors).items()):
        if inspect.isclass(value) and issubclass(value, errors.HashkitError):
            base = value.__bases__[0].__name__
            yield f"error {name}({base}) {value.code}"


def _commands() -> Iterator[str]:
    for code in ExitCode:
        yield f"exit code {code.value} {code.name}"
    for name in sorted(COMMANDS):
        for parameter in load(name).params:
            if parameter.name != "help" and not getattr(parameter, "hidden", False):
                spelling = " ".join(parameter.opts + parameter.secondary_opts)
                needed = " (required)" if parameter.required else ""
                kind = parameter.param_type_name
                usual = "" if parameter.default in (None, False) else f" = {parameter.default}"
                yield f"command {name} {kind} {spelling}{needed}{usual}"


def _documents() -> Iterator[str]:
    yield f"document {FORMAT} {VERSION}, with other readings of a file {VERSION_WITH_READINGS}"
    yield f"formats written: {', '.join(FORMATS)}"
    yield f"formats read: {', '.join(READERS)}"
    for name, kind in sorted(BACKENDS.items()):
        yield f"profile {name}: {', '.join(sorted({*kind.settings, *kind.credentials}))}"
    for schema in sorted((ROOT / "submission").rglob("*.schema.json")):
        content = json.dumps(json.loads(schema.read_text("utf-8")), sort_keys=True)
        yield f"schema {schema.name} {_digest(content)}"
    xsd = ROOT / "submission" / "formats" / "ncmec.xsd"
    yield f"schema {xsd.name} {_digest(xsd.read_text('utf-8'))}"
    description = Path(__file__).parent.parent / "docs" / "receiving.openapi.json"
    yield f"webhook {_digest(description.read_text('utf-8'))}"


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()[:16]


if __name__ == "__main__":
    print(*lines(), sep="\n")

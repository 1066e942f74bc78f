"""Joins ES modules into one classic script, which runs where modules do not load: in a page that is
opened from disk, and in a Worker made of the page's own script.

Modules import by name only, export by declaration only, and share no name at the top level, so the
joined script is their code without these words, each module after those that it imports. Anything
else is an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from hashkit.web.site.javascript import Kind, NotUnderstood, Token, tokens_of, without_comments

__all__ = ["CannotBeJoined", "joined"]

_IMPORT = re.compile(r'import ?\{\s*(\w+(?:,\s*\w+)*),?\s*\} ?from ?"(\.\.?/[\w./]+\.js)";')
_EXPORTED = ("function", "class", "const", "async")
_DECLARING = ("const", "let", "class", "function")
_BRACKETS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_ENDS_SCRIPT = re.compile(r"</script|<!--|<script", re.IGNORECASE)


class CannotBeJoined(ValueError):
    """The modules cannot be joined, for this reason."""


@dataclass(frozen=True, slots=True)
class _Module:
    """``code`` is without imports and exports. ``imports`` are names by the module that has them,
    ``declared`` all names of its top level, and ``exported`` those that others may import."""

    code: str
    imports: Mapping[Path, tuple[str, ...]]
    declared: tuple[str, ...]
    exported: frozenset[str]


def joined(root: Path, worker: Path, page: Sequence[Path], replaced: Mapping[Path, Path]) -> str:
    """One script of these modules and all that they import. In a Worker the code of ``worker``
    runs, on a page that of ``page`` and of the modules in the same folders; the code of all others
    comes first. For a module in ``replaced`` stands another. CannotBeJoined if the result would not
    be the same program."""
    modules = _read_all([worker, *page], replaced)
    _check_names(modules, root)
    folders = {each.parent for each in page} | {each.parent for each in replaced.values()}
    order = _in_order(modules, [worker, *page])
    shown = [each for each in order if each.parent in folders]
    shared = [each for each in order if each not in shown and each != worker]
    for each in [worker, *shared]:
        if wrong := [other for other in modules[each].imports if other in shown]:
            raise CannotBeJoined(f"{each.name} imports {wrong[0].name}, which needs a page")

    def code_of(paths: Sequence[Path]) -> Iterator[str]:
        for path in paths:
            yield f"// {path.relative_to(root).as_posix()}\n{modules[path].code}\n"

    script = "".join(
        (
            '(() => {\n"use strict";\n',
            *code_of(shared),
            'if (typeof document === "undefined") {\n',
            *code_of([worker]),
            "} else {\n",
            *code_of(shown),
            "}\n})();\n",
        )
    )
    if found := _ENDS_SCRIPT.search(script):
        raise CannotBeJoined(f"there is a {found[0]} in it")
    return script


def _read_all(entries: Sequence[Path], replaced: Mapping[Path, Path]) -> dict[Path, _Module]:
    modules: dict[Path, _Module] = {}
    waiting = [*entries]
    while waiting:
        path = waiting.pop()
        if path in modules:
            continue
        try:
            modules[path] = _read(path, replaced)
        except (OSError, NotUnderstood) as error:
            raise CannotBeJoined(f"{path.name}: {error}") from error
        waiting += modules[path].imports
    return modules


def _read(path: Path, replaced: Mapping[Path, Path]) -> _Module:
    tokens = [*tokens_of(path.read_text("utf-8"))]
    code = without_comments(tokens) + "\n"
    imports: dict[Path, tuple[str, ...]] = {}
    while found := _IMPORT.match(code := code.lstrip()):
        target = (path.parent / found[2]).resolve()
        imports[replaced.get(target, target)] = tuple(re.split(r",\s*", found[1]))
        code = code[found.end() :]
    kept: list[str] = []
    exported: list[str] = []
    significant = [*tokens_of(code)]
    for place, token in enumerate(significant):
        if token.kind is Kind.WORD and token.text in ("import", "export"):
            before = significant[place - 1].text if place else ""
            if before == ".":  # the name of a property
                pass
            elif token.text == "import" or significant[place + 2].text not in _EXPORTED:
                raise NotUnderstood(f"another {token.text} in {code[:60]!r}")
            else:
                exported += _declared_by(significant[place + 2 :])[:1]
                significant[place + 1] = Token(Kind.SPACE, "", token.line)
                continue
        kept.append(token.text)
    return _Module("".join(kept).rstrip(), imports, tuple(_top_level(code)), frozenset(exported))


def _top_level(code: str) -> Iterator[str]:
    """The names that are declared outside of all brackets."""
    words = [each for each in tokens_of(code) if each.kind is not Kind.SPACE]
    depth, declares = 0, False
    for place, token in enumerate(words):
        if depth == 0 and token.kind is Kind.WORD and token.text in _DECLARING:
            yield from _declared_by(words[place:])
            declares = True
        if depth == 0 and (token.text in ("var", "await") or (declares and token.text == ",")):
            raise NotUnderstood(f"line {token.line}: {token.text} at the top level")
        if token.kind is Kind.SIGN:
            depth += _BRACKETS.get(token.text, 0)
            declares = declares and token.text not in (";", "}")


def _declared_by(tokens: Sequence[Token]) -> list[str]:
    """The names that the declaration declares with which these tokens begin."""
    words = [each for each in tokens if each.kind is not Kind.SPACE]
    while words[0].text in ("async", *_DECLARING, "*"):
        words.pop(0)
    if words[0].kind is Kind.WORD:
        return [words[0].text]
    end = next(place for place, each in enumerate(words) if each.text in ("]", "}"))
    inner = "".join(each.text for each in words[1:end])
    if not re.fullmatch(r"\w+(:\w+)?(,\w+(:\w+)?)*", inner):
        raise NotUnderstood(f"line {words[0].line}: names that are unpacked from {inner}")
    return [each.rpartition(":")[2] for each in inner.split(",")]


def _check_names(modules: Mapping[Path, _Module], root: Path) -> None:
    counts = Counter(name for module in modules.values() for name in module.declared)
    if shared := sorted(name for name, count in counts.items() if count > 1):
        raise CannotBeJoined(f"declared more than once: {', '.join(shared)}")
    for path, module in modules.items():
        for target, names in module.imports.items():
            if missing := {*names} - modules[target].exported:
                raise CannotBeJoined(f"{path.name} imports {min(missing)}, which is not exported")
        if not path.is_relative_to(root):
            raise CannotBeJoined(f"{path.name} is not in {root.name}")


def _in_order(modules: Mapping[Path, _Module], entries: Sequence[Path]) -> list[Path]:
    """Each after what it imports; the entries in their order, as far as that allows."""
    try:
        TopologicalSorter({path: each.imports for path, each in modules.items()}).prepare()
    except CycleError as error:
        names = " -> ".join(each.name for each in error.args[1])
        raise CannotBeJoined(f"a circle of imports: {names}") from error
    order: dict[Path, None] = {}

    def add(path: Path) -> None:
        for each in modules[path].imports:
            add(each)
        order.setdefault(path)

    for entry in entries:
        add(entry)
    return [*order]

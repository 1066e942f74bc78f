"""Divides JavaScript into tokens: as much of its grammar as comments and declarations need.

Where a ``/`` begins a regular expression depends on what stands before it. Our own code is all that
is ever read here, so what would take a parser to decide is an error, and not a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What a token is. ``TEXT`` is a string or a template, with all that is in it."""

    SPACE = auto()
    COMMENT = auto()
    WORD = auto()
    NUMBER = auto()
    TEXT = auto()
    REGEX = auto()
    SIGN = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token, and the line that it begins in."""

    kind: Kind
    text: str
    line: int


class NotUnderstood(ValueError):
    """The code is not of the kind that is read here."""


_STANDS_ALONE = frozenset("()[]{},;")
_SPACES = (Kind.SPACE, Kind.COMMENT)

# Words after which a value is still to come.
_BEFORE_VALUES = frozenset(
    (
        *("await", "case", "delete", "do", "else", "extends", "in", "instanceof", "new", "of"),
        *("return", "throw", "typeof", "void", "yield"),
    )
)
_PATTERNS = (
    (Kind.SPACE, re.compile(r"\s+")),
    (Kind.COMMENT, re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)),
    (Kind.WORD, re.compile(r"[#@]?[A-Za-z_$][\w$]*")),
    (Kind.NUMBER, re.compile(r"(?:\d|\.\d)[\w.]*(?:(?<=\de)[+-]\d+)?")),
    (Kind.TEXT, re.compile(r'"(?:[^"\\\n]|\\.)*"|' r"'(?:[^'\\\n]|\\.)*'")),
)
_REGEX = re.compile(r"/(?![*/\s])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
_SIGN = re.compile(r"=>|\.\.\.|[-+*/%&|^!=<>?:;,.(){}\[\]~]")


def tokens_of(code: str) -> Iterator[Token]:
    """All tokens; together they are the code. NotUnderstood if it cannot be divided."""
    place, line = 0, 1
    before: Token | None = None
    while place < len(code):
        token = _token_at(code, place, line, before)
        yield token
        place += len(token.text)
        line += token.text.count("\n")
        if token.kind not in _SPACES:
            before = token


def without_comments(tokens: Iterable[Token]) -> str:
    """The same code without comments, and with as little space as it can do with. Its lines stay,
    since the end of a line may end a statement."""
    kept: list[Token] = []
    space = ""
    for token in tokens:
        if token.kind in _SPACES:
            space = "\n" if "\n" in token.text or space == "\n" else space or " "
            continue
        if space == " " and _may_stand_together(kept[-1], token):
            space = ""
        if space and kept:
            kept.append(Token(Kind.SPACE, space, token.line))
        kept.append(token)
        space = ""
    return "".join(token.text for token in kept)


def _may_stand_together(one: Token, other: Token) -> bool:
    """Whether no other token comes of these two if nothing is between them. (A / is left as it is:
    the space after it says that it divides.)"""
    if "/" in one.text + other.text or one.text == "." or other.text.startswith("."):
        return False
    if Kind.REGEX in (one.kind, other.kind):
        return False
    if one.kind is Kind.SIGN and other.kind is Kind.SIGN:
        return one.text in _STANDS_ALONE or other.text in _STANDS_ALONE
    return Kind.SIGN in (one.kind, other.kind)


def _token_at(code: str, place: int, line: int, before: Token | None) -> Token:
    for kind, pattern in _PATTERNS:
        if found := pattern.match(code, place):
            return Token(kind, found[0], line)
    if code[place] == "`":
        return Token(Kind.TEXT, code[place : _end_of_template(code, place)], line)
    if code[place] == "/" and _value_follows(before, line):
        if found := _REGEX.match(code, place):
            return Token(Kind.REGEX, found[0], line)
    elif code[place] == "/" and code[place + 1 : place + 2] not in (" ", "="):
        pass  # a division has a space after it: this may be a regular expression
    elif found := _SIGN.match(code, place):
        return Token(Kind.SIGN, found[0], line)
    raise NotUnderstood(f"line {line}: {code[place : place + 20]!r}")


def _value_follows(before: Token | None, line: int) -> bool:
    """Whether a value stands after this token, and not an operator. So begins a regular expression
    after it, and not a division."""
    if before is None:
        return True
    if before.text == "}":  # the end of a block, or of an object
        raise NotUnderstood(f"line {line}: a / after a }}")
    if before.kind is Kind.SIGN:
        return before.text not in (")", "]")
    return before.kind is Kind.WORD and before.text in _BEFORE_VALUES


def _end_of_template(code: str, start: int) -> int:
    """The place behind a template, in which there may be code, and in that templates."""
    place = start + 1
    while place < len(code):
        if code[place] == "\\":
            place += 2
        elif code[place] == "`":
            return place + 1
        elif code.startswith("${", place):
            place = _end_of_braces(code, place + 2)
        else:
            place += 1
    raise NotUnderstood("a template does not end")


def _end_of_braces(code: str, start: int) -> int:
    place, depth = start, 1
    before: Token | None = None
    while depth:
        if place >= len(code):
            raise NotUnderstood("a template does not end")
        token = _token_at(code, place, code.count("\n", 0, place) + 1, before)
        place += len(token.text)
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if token.kind not in _SPACES:
            before = token
    return place

"""Comments, docstrings and names use the field's words, as in docs/architecture.md."""

from __future__ import annotations

import ast
import io
import re
import tokenize

import pytest

FOLDERS = ("hashkit", "tests", "tools", "bench", "samples_synthetic", "examples")

# Old phrase in comments and docstrings: the words for it.
PHRASES = {
    r"rooms?": "package",
    r"(?:upper|lower|this|that|each|every) floors?": "layer",
    r"crews?": "pool",
    r"parcels?": "batch",
    r"supervisors?": "parent process, pool",
    r"wires?": "protocol",
    r"probes?": "escape test",
    r"abilit(?:y|ies)": "capability",
    r"walls?": "restriction",
    r"somebody's|whoever's|nobody's": "the user's, the caller's",
    r"(?:was|were|be|been) taken over": "compromised",
    r"(?:call|calls|called|calling) (?:it |them |the rest |the work )?off": "cancel",
    r"(?:hand|hands|handed|handing) over": "send, pass, read",
    r"(?:what )?(?:becomes|became|become) of": "result, outcome",
    r"what came of": "result, outcome",
    r"(?:gets?|got|getting) (?:nowhere|somewhere|anywhere)": "progress",
    r"told": "given, notices",
    r"how many-th": "serial number",
    r"of Greenwich": "UTC",
}
# Old word in names: the word for it.
NAMES = {
    "room": "package",
    "crew": "pool",
    "parcel": "batch",
    "supervisor": "process, pool",
    "wire": "protocol",
    "probe": "escape_test",
    "abilities": "capabilities",
    "wall": "restriction",
    "somebodys": "adapter",
    "told": "notices",
}
_PHRASE = re.compile(rf"(?<![\w-])(?:{'|'.join(PHRASES)})(?![\w-])", re.IGNORECASE)
_PART_OF_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def old_words_in(source):
    """Line and old word, for each in the comments, docstrings and names of a module."""
    for node in ast.walk(ast.parse(source)):
        # A string that stands alone: a docstring, also of an attribute.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield from _phrases_in(str(node.value.value), node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from _phrases_in(token.string, token.start[0])
        elif token.type == tokenize.NAME:
            for part in _PART_OF_NAME.findall(token.string):
                word = part.lower()
                if word in NAMES or word.removesuffix("s") in NAMES:
                    yield token.start[0], token.string


def _phrases_in(text, line):
    for found in _PHRASE.finditer(" ".join(text.split())):
        yield line, found[0]


def test_no_old_words(root):
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            source = path.read_text("utf-8")
            found += [f"{name}:{line}: {word}" for line, word in old_words_in(source)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ('"""The rooms above."""', "rooms"),
        ("def f():\n    '''What becomes\n    of it.'''", "What becomes of"),
        ("X = 1\n'''Seconds until it is\ncalled off.'''", "called off"),
        ("x = 1  # for the supervisor", "supervisor"),
        ("class ParcelList: ...", "ParcelList"),
        ("told_of = ()", "told_of"),
        ("print('You are told of rooms.')", None),
        ("wall_clock = walls = 'no: hallway, wallet'", "wall_clock"),
        ("hallway = wallet = 1  # room-temperature, wireless", None),
    ],
)
def test_old_words_are_found(source, word):
    assert next((found for _, found in old_words_in(source)), None) == word

"""Keeps the catalogues of hashkit's texts, ``hashkit/locale``: run it from a checkout.

    python tools/catalogue.py update   # brings each .po up to date with the texts, makes each .mo
    python tools/catalogue.py check    # lists what is wrong, and exits with 1 if anything is

The texts come from the Python files (``marked``, ``gettext``, ``ngettext``), the templates, and the
directory of services. What a translator has to know is in docs/translating.md.

A .po holds nothing but texts: no dates, no names, no line numbers, in the order of the English. So
a change of a catalogue shows what was translated, and not who ran this, or when.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import runpy
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import babel_extract

Text = str | tuple[str, str]
"""A text in English, or one text for one thing and another for several."""

Found = tuple[Text | None, int]
"""A text and its line; None for one that cannot be read off where it stands."""

_TEXTS_IN_CALL = {"marked": 1, "gettext": 1, "_": 1, "ngettext": 2}
_TEXT_KEYS = {"audience", "what_it_does", "needs", "limits", "shared_limits"}
_TEMPLATE_OPTIONS = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}

# A sign that stands alone counts too: "100 %" for "100%%" would break the page that shows it.
_NOT_WORDS = re.compile(r"%\(\w+\)[a-z]|%%|\{\{|\}\}|\{[^{}]*\}|<[^<>]*>|[%{}<>]")


class Unreadable(Exception):
    """A file that cannot be read. Nothing is written then: its translations would be lost."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout, and the languages that its texts are translated into."""

    root: Path
    languages: Mapping[str, str]
    unreviewed: frozenset[str]

    @property
    def package(self) -> Path:
        return self.root / "hashkit"

    def po(self, language: str) -> Path:
        return self.package / "locale" / language / "LC_MESSAGES" / "hashkit.po"

    def mo(self, language: str) -> Path:
        return self.po(language).with_suffix(".mo")


class Catalogue(Catalog):
    """Babel's catalogue, with a head of ours: Babel's has dates, and a place for names."""

    def __init__(self, tree: Tree, language: str) -> None:
        lines = [
            f"# The texts of hashkit. Language: {tree.languages[language]}.",
            "# How to translate: docs/translating.md",
        ]
        if language in tree.unreviewed:
            lines.append("# Unreviewed: no native speaker has read this translation yet.")
        super().__init__(locale=language, header_comment="\n".join(lines), fuzzy=False)

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit\n"),
        ]


# The texts of a tree


def texts_of(tree: Tree) -> tuple[dict[Text, list[str]], list[str]]:
    """Every text with the files that say it, and the faults of the files. Raises Unreadable."""
    said: dict[str, Text] = {}
    places: dict[str, set[str]] = {}
    faults = []
    for path in _sources(tree):
        file = path.relative_to(tree.root).as_posix()
        for text, line in _found_in(path):
            if text is None:
                faults.append(f"{file}:{line}: only plain text in quotes can be translated")
                continue
            one = text if isinstance(text, str) else text[0]
            places.setdefault(one, set()).add(file)
            before = said.setdefault(one, text)
            if isinstance(before, str):
                said[one] = text
            elif isinstance(text, tuple) and text != before:
                faults.append(f"{file}:{line}: this has another plural elsewhere: {_shown(one)}")
    return {text: sorted(places[one]) for one, text in said.items()}, faults


def _sources(tree: Tree) -> Iterator[Path]:
    yield from sorted(tree.package.rglob("*.py"))
    yield from sorted(tree.package.rglob("templates/**/*.html"))
    directory = tree.package / "services" / "directory.toml"
    if directory.exists():
        yield directory


def _found_in(path: Path) -> list[Found]:
    read = {".py": _found_in_python, ".html": _found_in_template, ".toml": _found_in_toml}
    try:
        return list(read[path.suffix](path.read_bytes()))
    except (SyntaxError, TemplateSyntaxError, ValueError) as error:
        raise Unreadable(f"{path}: {error}") from error


def _found_in_python(source: bytes) -> Iterator[Found]:
    """Through ``ast``, which sees what Babel's own reader of Python passes over in silence: a
    marked text that is an f-string, or is put together."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
        if name not in _TEXTS_IN_CALL:
            continue
        arguments = node.args[: _TEXTS_IN_CALL[name]]
        if name in {"gettext", "_"} and not _are_said_here(arguments):
            continue  # it is given a variable, whose text was marked elsewhere
        words = [each.value if isinstance(each, ast.Constant) else None for each in arguments]
        yield _text(name, words), node.lineno


def _are_said_here(arguments: list[ast.expr]) -> bool:
    return any(isinstance(each, ast.Constant | ast.JoinedStr | ast.BinOp) for each in arguments)


def _found_in_template(source: bytes) -> Iterator[Found]:
    for line, name, said, _ in babel_extract(
        io.BytesIO(source), ["_", "gettext", "ngettext"], [], _TEMPLATE_OPTIONS
    ):
        words = said if isinstance(said, tuple) else (said,)
        if name == "ngettext" or words[:1] != (None,):
            yield _text(name, words[: _TEXTS_IN_CALL[name]]), line


def _found_in_toml(source: bytes) -> Iterator[Found]:
    yield from ((text, 0) for text in _texts_in_table(tomllib.loads(source.decode())))


def _texts_in_table(table: object) -> Iterator[str]:
    if isinstance(table, list):
        for each in table:
            yield from _texts_in_table(each)
    if isinstance(table, dict):
        for key, value in table.items():
            if key in _TEXT_KEYS:
                yield from [value] if isinstance(value, str) else value
            else:
                yield from _texts_in_table(value)


def _text(name: str, words: Iterable[object]) -> Text | None:
    texts = [each for each in words if isinstance(each, str) and each]
    if len(texts) != _TEXTS_IN_CALL[name]:
        return None
    return texts[0] if len(texts) == 1 else (texts[0], texts[1])


# Catalogues


def update(tree: Tree) -> None:
    """Writes each catalogue anew, with the translations that it had. Raises Unreadable."""
    texts, _ = texts_of(tree)
    before = {language: _read(tree.po(language)) for language in tree.languages}
    for language in tree.languages:
        had = {_id(message): message for message in _messages(before[language])}
        after = Catalogue(tree, language)
        for text, files in texts.items():
            old = had.get(text)
            after.add(
                text,
                old.string if old else None,
                locations=[(file, 0) for file in files],  # 0: no line is written
                flags={"fuzzy"} if old and old.fuzzy else (),
                user_comments=old.user_comments if old else (),
            )
        tree.po(language).parent.mkdir(parents=True, exist_ok=True)
        tree.po(language).write_bytes(_po(after))
        tree.mo(language).write_bytes(compiled(tree, language))


def _read(path: Path) -> Catalog:
    try:
        with path.open("rb") as stream:
            return read_po(stream, abort_invalid=True)
    except FileNotFoundError:
        return Catalog()
    except (PoFileError, ValueError) as error:
        raise Unreadable(f"{path}: {error}") from error


def _po(catalogue: Catalog) -> bytes:
    stream = io.BytesIO()
    write_po(stream, catalogue, width=0, sort_output=True)
    return stream.getvalue().rstrip(b"\n") + b"\n"


def compiled(tree: Tree, language: str) -> bytes:
    """What the .po makes, under our head whatever its own is: the same bytes every time."""
    whole = Catalogue(tree, language)
    for message in _messages(_read(tree.po(language))):
        whole[message.id] = message
    stream = io.BytesIO()
    write_mo(stream, whole)
    return stream.getvalue()


def _messages(catalogue: Catalog) -> list[Message]:
    """All but the head, which Babel keeps as the translation of nothing."""
    return [message for message in catalogue if message.id]


def _id(message: Message) -> Text:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


# Faults


def faults_in(tree: Tree) -> list[str]:
    """What is wrong, a sentence each. Raises Unreadable."""
    texts, faults = texts_of(tree)
    for language in tree.languages:
        faults += [f"{language}: {each}" for each in _faults_of_catalogue(tree, language, texts)]
    for folder in sorted((tree.package / "locale").glob("*/")):
        if folder.name not in tree.languages:
            faults.append(f"{folder.name}: hashkit does not list this language")
    return faults


def _faults_of_catalogue(
    tree: Tree, language: str, texts: Mapping[Text, list[str]]
) -> Iterator[str]:
    path = tree.po(language)
    if not path.exists():
        yield "there is no catalogue"
        return
    catalogue = _read(path)
    if _head(path.read_text("utf-8")) != _head(_po(Catalogue(tree, language)).decode()):
        yield "the head is not the one that update writes"
    listed = {_id(message) for message in _messages(catalogue) if not message.context}
    for text in sorted(set(texts) - listed, key=_shown):
        yield f"not in the catalogue: {_shown(text)}"
    for message in _messages(catalogue):
        if message.context or _id(message) not in texts:
            yield f"not used: {_shown(_id(message))}"
        for fault in _faults_of_translation(message):
            yield f"{fault}: {_shown(_id(message))}"
    for message in catalogue.obsolete.values():
        yield f"not used: {_shown(_id(message))}"
    mo = tree.mo(language)
    if not mo.exists() or mo.read_bytes() != compiled(tree, language):
        yield "the .mo file is not what the .po file makes"


def _head(po: str) -> str:
    return po.partition("\n\n")[0].strip()


def _faults_of_translation(message: Message) -> Iterator[str]:
    english, said = _forms(message.id), _forms(message.string)
    if not all(said):
        yield "not translated"
        return
    if message.fuzzy:
        yield "marked as unsure (fuzzy)"
    # The text for one thing may leave the number out ("a file"); that for many never does.
    allowed = [_not_words(each) for each in english]
    if any(_not_words(each) not in allowed for each in said) or _not_words(said[-1]) != allowed[-1]:
        yield "other placeholders than in English"
    if any(_edges(each) != _edges(english[0]) for each in said):
        yield "other spaces at its ends than in English"


def _forms(text: str | Sequence[str] | None) -> list[str]:
    return [text or ""] if text is None or isinstance(text, str) else list(text)


def _not_words(text: str) -> set[str]:
    return set(_NOT_WORDS.findall(text))


def _edges(text: str) -> tuple[str, str]:
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]


def _shown(text: Text) -> str:
    one = text if isinstance(text, str) else text[0]
    return repr(one if len(one) <= 70 else f"{one[:67]}...")


def _checkout(root: Path) -> Tree:
    """The languages are those that the checkout lists, whatever hashkit is installed."""
    listed = runpy.run_path(str(root / "hashkit" / "language.py"))
    names = {code: name for code, name in listed["LANGUAGES"].items() if code != "en"}
    return Tree(root, names, listed["UNREVIEWED"])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Keeps the catalogues of hashkit's texts.")
    parser.add_argument("task", choices=["update", "check"])
    task = parser.parse_args(arguments).task
    tree = _checkout(Path(__file__).resolve().parents[1])
    try:
        if task == "update":
            update(tree)
            return 0
        faults = faults_in(tree)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(faults) or "The catalogues are complete.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Updates and checks the translation catalogues in ``hashkit/locale``, from a checkout.

    python tools/catalogue.py update   # update each .po from the texts, compile each .mo
    python tools/catalogue.py check    # list what is wrong, and exit with 1 if anything is

The texts come from the Python files (``marked``, ``gettext``, ``ngettext``), the templates, and the
directory of services. docs/translating.md is for translators.

A .po file holds only texts: no dates, names or line numbers, in the order of the English. So its
diff shows what was translated, and not who ran this, or when.

Babel reads and writes the files, but nothing depends on its plural rules, wrapping or order, which
differ between releases. The plural rules are those of hashkit/locale/language.py, and ``check``
compares parsed files, not bytes.
"""

from __future__ import annotations

import argparse
import ast
import gettext
import io
import re
import runpy
import struct
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import PoFileError, read_po, write_po
from jinja2.exceptions import TemplateSyntaxError
from jinja2.ext import babel_extract

Text = str | tuple[str, str]
"""An English text, or its singular and plural."""

Found = tuple[Text | None, int]
"""A text and its line; None for one that cannot be determined from the source."""

_TEXTS_IN_CALL = {"marked": 1, "gettext": 1, "_": 1, "ngettext": 2}
_TEXT_KEYS = {"audience", "what_it_does", "needs", "limits", "shared_limits"}
_TEMPLATE_OPTIONS = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}

# A sign that stands alone counts too: "100 %" for "100%%" would break the page that shows it.
_NOT_WORDS = re.compile(r"%\(\w+\)[a-z]|%%|\{\{|\}\}|\{[^{}]*\}|<[^<>]*>|[%{}<>]")


_RULE = re.compile(r"\s*nplurals\s*=\s*(\d+)\s*;\s*plural\s*=\s*([^;]+?)\s*;?\s*")
_NUMBERS = [*range(201), 1_000, 10_000, 1_000_000]  # some languages count millions in another way


class Unreadable(Exception):
    """A file cannot be read. Nothing is written then: its translations would be lost."""


@dataclass(frozen=True, slots=True)
class Rule:
    """The plural rule in the head of a catalogue: which form goes with which number."""

    written: str
    forms: int
    expression: str

    @classmethod
    def read(cls, written: str) -> Rule:
        """ValueError for a rule that selects no form, or a form that does not exist."""
        parts = _RULE.fullmatch(written)
        if parts is None:
            raise ValueError(f"this is no plural rule: {written!r}")
        rule = cls(written, int(parts[1]), parts[2])
        if not all(0 <= form < rule.forms for form in rule.chosen().values()):
            raise ValueError(f"this plural rule chooses a form that is not there: {written!r}")
        return rule

    def chosen(self) -> dict[int, int]:
        """The form for each of many numbers: the meaning of the rule, however it is spelled."""
        form_for = gettext.c2py(self.expression)  # raises ValueError
        return {number: form_for(number) for number in _NUMBERS}

    def means(self, written: str) -> bool:
        try:
            other = Rule.read(written)
        except ValueError:
            return False
        return (other.forms, other.chosen()) == (self.forms, self.chosen())


@dataclass(frozen=True, slots=True)
class Tree:
    """A checkout, and the languages that its texts are translated into."""

    root: Path
    languages: Mapping[str, str]
    unreviewed: frozenset[str]
    plurals: Mapping[str, str]

    @property
    def package(self) -> Path:
        return self.root / "hashkit"

    def po(self, language: str) -> Path:
        return self.package / "locale" / language / "LC_MESSAGES" / "hashkit.po"

    def mo(self, language: str) -> Path:
        return self.po(language).with_suffix(".mo")

    def rule(self, language: str) -> Rule:
        """Raises Unreadable: without a rule, the number of forms is unknown."""
        try:
            return Rule.read(self.plurals[language])
        except KeyError as error:
            raise Unreadable(
                f"hashkit/locale/language.py: no plural rule for {language}"
            ) from error
        except ValueError as error:
            raise Unreadable(f"hashkit/locale/language.py: {language}: {error}") from error


class Catalogue(Catalog):
    """Babel's catalogue with our head: Babel's has dates, names, and plural rules that change
    between releases."""

    def __init__(self, tree: Tree, language: str) -> None:
        lines = [
            f"# The texts of hashkit. Language: {tree.languages[language]}.",
            "# How to translate: docs/translating.md",
        ]
        if language in tree.unreviewed:
            lines.append("# Unreviewed: no native speaker has read this translation yet.")
        self.rule = tree.rule(language)
        super().__init__(locale=language, header_comment="\n".join(lines), fuzzy=False)

    @property
    def num_plurals(self) -> int:
        return self.rule.forms

    @property
    def plural_expr(self) -> str:
        return self.rule.expression

    @property
    def plural_forms(self) -> str:
        return self.rule.written

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale_identifier)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit\n"),
        ]

    @mime_headers.setter
    def mime_headers(self, value: Iterable[tuple[str, str]]) -> None:
        raise NotImplementedError("the head is ours")


# The texts of a tree


def texts_of(tree: Tree) -> tuple[dict[Text, list[str]], list[str]]:
    """Every text with the files that use it, and the faults of the files. Raises Unreadable."""
    said: dict[str, Text] = {}
    places: dict[str, set[str]] = {}
    faults = []
    for path in _sources(tree):
        file = path.relative_to(tree.root).as_posix()
        for text, line in _found_in(path):
            if text is None:
                faults.append(f"{file}:{line}: only plain text in quotes can be translated")
                continue
            one = _one(text)
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
    directory = tree.package / "guide" / "directory.toml"
    if directory.exists():
        yield directory


def _found_in(path: Path) -> list[Found]:
    read = {".py": _found_in_python, ".html": _found_in_template, ".toml": _found_in_toml}
    try:
        return list(read[path.suffix](path.read_bytes()))
    except (SyntaxError, TemplateSyntaxError, ValueError) as error:
        raise Unreadable(f"{path}: {error}") from error


def _found_in_python(source: bytes) -> Iterator[Found]:
    """Through ``ast``, which finds what Babel's own parser skips silently: a marked text that is an
    f-string or a concatenation."""
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
    """Write each catalogue anew with its translations. Raises Unreadable."""
    texts, _ = texts_of(tree)
    before = {language: _read(tree.po(language)) for language in tree.languages}
    for language in tree.languages:
        had = {_id(message): message for message in _messages(before[language])}
        after = Catalogue(tree, language)
        for text, files in sorted(texts.items(), key=lambda each: _one(each[0])):
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
    except (PoFileError, ValueError, LookupError) as error:  # Babel raises any of them
        raise Unreadable(f"{path}: {error}") from error


def _po(catalogue: Catalog) -> bytes:
    stream = io.BytesIO()
    write_po(stream, catalogue, width=0)
    return stream.getvalue().rstrip(b"\n") + b"\n"


def compiled(tree: Tree, language: str) -> bytes:
    """The compiled .po with our head. Unfinished translations are left out, so that the English
    text is shown."""
    whole = Catalogue(tree, language)
    for message in _messages(_read(tree.po(language))):
        if _is_ready(message, whole.rule):
            whole[message.id] = message
    stream = io.BytesIO()
    write_mo(stream, whole)
    return stream.getvalue()


def _messages(catalogue: Catalog) -> list[Message]:
    """All messages but the head, which Babel keeps as the translation of the empty text."""
    return [message for message in catalogue if message.id]


def _id(message: Message) -> Text:
    return message.id if isinstance(message.id, str) else (message.id[0], message.id[1])


def _is_ready(message: Message, rule: Rule) -> bool:
    """Whether hashkit can use it: it never asks for a text with a context."""
    forms = _forms(message.string)
    number = 1 if isinstance(message.id, str) else rule.forms
    return all(forms) and len(forms) == number and not message.fuzzy and not message.context


# Faults


def faults_in(tree: Tree) -> list[str]:
    """What is wrong, a sentence each. Raises Unreadable."""
    texts, faults = texts_of(tree)
    for language in tree.languages:
        faults += [f"{language}: {each}" for each in _faults_of_catalogue(tree, language, texts)]
    for folder in sorted((tree.package / "locale").glob("*/")):
        if folder.name not in {*tree.languages, "__pycache__"}:
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
    if not _has_head(path.read_text("utf-8"), Catalogue(tree, language)):
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
    if not _says(tree.mo(language), _messages(catalogue), tree.rule(language)):
        yield "the .mo file is not what the .po file makes"


def _has_head(po: str, catalogue: Catalogue) -> bool:
    """Whether its comment and fields are ours, in any order and wrapping."""
    lines = [line.strip() for line in po.partition("\n\n")[0].splitlines()]
    comment = [line for line in lines if line.startswith("#")]
    quoted = "".join(line[1:-1] for line in lines if line.startswith('"'))
    fields = [field.partition(":") for field in quoted.split("\\n") if field]
    found = {name.strip().lower(): value.strip() for name, _, value in fields}
    ours = {name.lower(): value.strip() for name, value in catalogue.mime_headers}
    return (
        _unwrapped(comment) == _unwrapped(catalogue.header_comment.splitlines())
        and len(fields) == len(found)
        and catalogue.rule.means(found.pop("plural-forms", ""))
        and found == {name: value for name, value in ours.items() if name != "plural-forms"}
    )


def _unwrapped(comment: Iterable[str]) -> list[str]:
    return [word for line in comment for word in line.removeprefix("#").split()]


def _says(mo: Path, messages: Sequence[Message], rule: Rule) -> bool:
    """Whether the compiled file holds the finished translations of the catalogue, and nothing
    else."""
    ready = [message for message in messages if _is_ready(message, rule)]
    try:
        with mo.open("rb") as stream:
            texts = gettext.GNUTranslations(stream)
            stream.seek(0)
            listed = [(each.context, _id(each)) for each in _messages(read_mo(stream))]
    except (OSError, ValueError, LookupError, struct.error):
        return False  # missing, or not such a file
    return (
        sorted(listed, key=str) == sorted(((None, _id(each)) for each in ready), key=str)
        and rule.means(texts.info().get("plural-forms", ""))
        and all(_says_one(texts, message, rule) for message in ready)
    )


def _says_one(texts: gettext.NullTranslations, message: Message, rule: Rule) -> bool:
    text, forms = _id(message), _forms(message.string)
    if isinstance(text, str):
        return texts.gettext(text) == forms[0]
    return all(
        texts.ngettext(*text, number) == forms[form] for number, form in rule.chosen().items()
    )


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


def _one(text: Text) -> str:
    return text if isinstance(text, str) else text[0]


def _shown(text: Text) -> str:
    one = _one(text)
    return repr(one if len(one) <= 70 else f"{one[:67]}...")


def _checkout(root: Path) -> Tree:
    """The languages are those of the checkout, whatever hashkit is installed."""
    listed = runpy.run_path(str(root / "hashkit" / "locale" / "language.py"))
    names = {code: name for code, name in listed["LANGUAGES"].items() if code != "en"}
    return Tree(root, names, listed["UNREVIEWED"], listed["PLURALS"])


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

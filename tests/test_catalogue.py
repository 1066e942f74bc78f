"""tools/catalogue.py: nothing is missing here, and it finds what is missing elsewhere.

Babel reads and writes the files, and how it wraps, orders and spells is up to it. So the test
catalogue is written here, and the tool's output is parsed before it is compared.
"""

from __future__ import annotations

import gettext
import importlib.util
import re
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import DictLoader, Environment

from hashkit.locale.language import texts_in


def load_tool():
    path = Path(__file__).parents[1] / "tools" / "catalogue.py"
    spec = importlib.util.spec_from_file_location("catalogue_tool", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


catalogue = load_tool()

PYTHON = """
from hashkit.locale.language import marked
TITLE = marked("Your files, "
    "in short")
def show(texts, number):
    texts.gettext(TITLE)
    texts.gettext("It took {seconds} s.").format(seconds=3)
    return texts.ngettext("A file", "{number} files", number)
"""

TEMPLATE = """
<h1>{{ _("Notes") }}</h1>
<p>{% trans name=who %}
    Ask %(name)s <b>now</b>, 100 % of
    what {{ name }} says
{% endtrans %}</p>
{% trans count=number %}One step{% pluralize %}{{ count }} steps{% endtrans %}
{% trans %}All 100 %{% endtrans %}
{{ _("Of %(all)s", all=3) }} {{ _(title) }}
"""

DIRECTORY = """
shared_limits = ["It looks on some sites only."]
[[services]]
name = "Not a text"
audience = "For adults."
needs = ["The picture."]
limits = ["It is slow."]
what_it_does = "It blocks copies."
"""

FRENCH = {
    "Your files, in short": "Tes fichiers, en bref",
    "It took {seconds} s.": "Cela a pris {seconds} s.",
    "Notes": "Notes",
    "Ask %%(name)s <b>now</b>, 100 %% of what %(name)s says": (
        "Demande %%(name)s <b>maintenant</b>, 100 %% de ce que %(name)s dit"
    ),
    "All 100 %%": "Les 100 %%",
    "Of %(all)s": "Sur %(all)s",
    "It looks on some sites only.": "Seuls certains sites sont vus.",
    "For adults.": "Pour les adultes.",
    "The picture.": "La photo.",
    "It is slow.": "Le service est lent.",
    "It blocks copies.": "Les copies sont bloquées.",
}

PLURALS = {
    ("A file", "{number} files"): ("Un fichier", "{number} fichiers"),
    ("One step", "%(count)s steps"): ("Une étape", "%(count)s étapes"),
}

RULE = "nplurals=2; plural=(n > 1);"
HEAD = f"""\
# The texts of hashkit. Language: Français.
# How to translate: docs/translating.md
# Unreviewed: no native speaker has read this translation yet.
msgid ""
msgstr ""
"Language: fr\\n"
"Plural-Forms: {RULE}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"""

OTHER_HEAD = "fr: the head is not the one that update writes"
STALE = "fr: the .mo file is not what the .po file makes"


@pytest.fixture
def tree(tmp_path):
    """A small checkout, fully translated."""
    for name, content in {
        "said.py": PYTHON,
        "web/templates/page.html": TEMPLATE,
        "guide/directory.toml": DIRECTORY,
    }.items():
        path = tmp_path / "hashkit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    tree = catalogue.Tree(tmp_path, {"fr": "Français"}, frozenset({"fr"}), {"fr": RULE})
    texts = [f'msgid "{english}"\nmsgstr "{french}"\n' for english, french in FRENCH.items()]
    texts += [
        f'msgid "{one}"\nmsgid_plural "{many}"\nmsgstr[0] "{french}"\nmsgstr[1] "{several}"\n'
        for (one, many), (french, several) in PLURALS.items()
    ]
    tree.po("fr").parent.mkdir(parents=True)
    tree.po("fr").write_text("\n".join([HEAD, *texts]), "utf-8")
    tree.mo("fr").write_bytes(catalogue.compiled(tree, "fr"))
    return tree


def edit(tree, old, new, count=1):
    """Change the catalogue as a translator would, and compile it."""
    content = tree.po("fr").read_text("utf-8")
    assert content.count(old) == count
    tree.po("fr").write_text(content.replace(old, new), "utf-8")
    tree.mo("fr").write_bytes(catalogue.compiled(tree, "fr"))


def written(tree):
    """The catalogue, parsed: each text with its translation."""
    with tree.po("fr").open("rb") as stream:
        return {each.id: each for each in read_po(stream) if each.id}


FIELDS = "".join(re.findall(r'^"(.*)"$', HEAD, re.MULTILINE)).replace("\\n", "\n")
COMPILED = {
    "": FIELDS,
    **FRENCH,
    **{"\0".join(english): "\0".join(french) for english, french in PLURALS.items()},
}


def mo_of(texts):
    """A .mo file with these texts, as the gettext manual defines the format."""
    pairs = sorted((one.encode(), other.encode()) for one, other in texts.items())
    blob, at = b"", 28 + 16 * len(pairs)
    tables = [b"", b""]
    for place in (0, 1):
        for pair in pairs:
            tables[place] += struct.pack("<2I", len(pair[place]), at + len(blob))
            blob += pair[place] + b"\0"
    first = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return first + tables[0] + tables[1] + blob


def say(tree, content):
    (tree.package / "more.py").write_text(content)


# The real one


def test_nothing_is_missing_here(root):
    """Fails until every text of hashkit is translated."""
    done = subprocess.run(
        [sys.executable, root / "tools" / "catalogue.py", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("The catalogues are complete.\n", 0)


@pytest.mark.parametrize(
    ("language", "several"), [("es", lambda number: number != 1), ("fr", lambda number: number > 1)]
)
def test_each_language_counts_as_its_speakers_do(root, language, several):
    """Zero is plural in Spanish (0 archivos) and singular in French (0 fichier)."""
    rule = catalogue._checkout(root).rule(language)
    assert rule.forms == 2
    assert rule.chosen() == {number: int(several(number)) for number in rule.chosen()}
    assert texts_in(language).info()["plural-forms"] == rule.written


# Texts


def test_every_text_is_found_where_it_is_said(tree):
    texts, faults = catalogue.texts_of(tree)
    assert set(texts) == {*FRENCH, *PLURALS}
    assert faults == []
    assert texts["Your files, in short"] == ["hashkit/said.py"]
    assert texts["Notes"] == ["hashkit/web/templates/page.html"]
    assert texts["It is slow."] == ["hashkit/guide/directory.toml"]


def test_what_is_found_is_what_a_page_asks_for(tree):
    environment = Environment(
        extensions=["jinja2.ext.i18n"], loader=DictLoader({"page": TEMPLATE}), autoescape=True
    )
    environment.policies["ext.i18n.trimmed"] = True
    with tree.mo("fr").open("rb") as stream:
        texts = gettext.GNUTranslations(stream)
    environment.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)
    shown = environment.get_template("page").render(who="<i>", number=2, title="Notes")
    assert "<b>maintenant</b>, 100 % de ce que &lt;i&gt; dit" in shown
    assert "2 étapes" in shown
    assert "Les 100 %\nSur 3 Notes" in shown


def test_a_tree_without_a_directory_of_services(tree):
    (tree.package / "guide" / "directory.toml").unlink()
    assert "For adults." not in catalogue.texts_of(tree)[0]


@pytest.mark.parametrize(
    "line",
    [
        'marked(f"{size} bytes")',
        'marked("one" + word)',
        "marked(word)",
        'marked("")',
        'texts.gettext(f"{size} bytes")',
        'texts.gettext("one" + word)',
        "texts.ngettext(one, many, 3)",
    ],
)
def test_a_text_that_cannot_be_read_off(tree, line):
    say(tree, f"\n{line}\n")
    fault = "hashkit/more.py:2: only plain text in quotes can be translated"
    assert catalogue.faults_in(tree) == [fault]


def test_a_text_with_two_plurals(tree):
    say(tree, 'texts.ngettext("A file", "{number} others", 3)')
    assert "hashkit/said.py:8: this has another plural elsewhere: 'A file'" in catalogue.faults_in(
        tree
    )


def test_a_text_alone_and_with_a_plural_is_one_text(tree):
    say(tree, 'marked("A file")')
    catalogue.update(tree)
    assert catalogue.faults_in(tree) == []


@pytest.mark.parametrize("name", ["said.py", "web/templates/page.html", "guide/directory.toml"])
@pytest.mark.parametrize("content", [b"{% trans %}(", b"\xff"])
def test_a_source_that_cannot_be_read_loses_no_translation(tree, name, content):
    before = tree.po("fr").read_bytes()
    (tree.package / name).write_bytes(content)
    for task in (catalogue.update, catalogue.faults_in):
        with pytest.raises(catalogue.Unreadable, match=re.escape(str(Path(name)))):
            task(tree)
    assert tree.po("fr").read_bytes() == before


# Update


def test_update_keeps_what_was_translated(tree):
    catalogue.update(tree)
    assert {english: each.string for english, each in written(tree).items()} == FRENCH | PLURALS
    assert catalogue.faults_in(tree) == []


def test_update_does_the_same_every_time(tree):
    catalogue.update(tree)
    before = tree.po("fr").read_bytes(), tree.mo("fr").read_bytes()
    catalogue.update(tree)
    assert (tree.po("fr").read_bytes(), tree.mo("fr").read_bytes()) == before


def test_update_adds_what_is_new_and_drops_what_is_gone(tree):
    say(tree, 'marked("It blocks copies!")')
    (tree.package / "guide" / "directory.toml").unlink()
    catalogue.update(tree)
    assert catalogue.faults_in(tree) == ["fr: not translated: 'It blocks copies!'"]
    found = written(tree)
    assert not found["It blocks copies!"].string
    assert not [each for each in found.values() if each.fuzzy]
    assert "It blocks copies." not in tree.po("fr").read_text("utf-8")


def test_update_begins_a_catalogue(tree):
    tree.po("fr").unlink()
    catalogue.update(tree)
    missing = sorted([*FRENCH, *(one for one, _ in PLURALS)])
    expected = [f"fr: not translated: {catalogue._shown(each)}" for each in missing]
    assert catalogue.faults_in(tree) == expected


def test_update_keeps_what_a_translator_noted(tree):
    edit(tree, 'msgid "Notes"', '# Is this clear?\n#, fuzzy\nmsgid "Notes"')
    catalogue.update(tree)
    found = written(tree)["Notes"]
    assert found.user_comments == ["Is this clear?"]
    assert found.fuzzy
    assert found.string == "Notes"


def test_update_says_which_files_say_a_text_and_not_where(tree):
    catalogue.update(tree)
    found = written(tree)
    assert [file for file, _ in found["A file", "{number} files"].locations] == ["hashkit/said.py"]
    assert [file for file, _ in found["Notes"].locations] == ["hashkit/web/templates/page.html"]
    assert {line for each in found.values() for _, line in each.locations} == {None}


def test_a_text_that_moves_within_its_file_changes_nothing(tree):
    catalogue.update(tree)
    before = tree.po("fr").read_bytes()
    (tree.package / "said.py").write_text("\n\n" + PYTHON)
    catalogue.update(tree)
    assert tree.po("fr").read_bytes() == before


def test_texts_stand_in_the_order_of_the_english(tree):
    catalogue.update(tree)
    listed = [each if isinstance(each, str) else each[0] for each in written(tree)]
    assert len(listed) == len(FRENCH) + len(PLURALS)
    assert listed == sorted(listed)


def test_the_head_says_nothing_of_who_and_when(tree):
    tree.po("fr").unlink()
    catalogue.update(tree)
    with tree.mo("fr").open("rb") as stream:
        assert set(gettext.GNUTranslations(stream).info()) == {
            *("language", "plural-forms", "mime-version", "content-type"),
            "content-transfer-encoding",
        }
    assert not re.search(r"@|\d{4}|fuzzy|Babel", tree.po("fr").read_text("utf-8"))


def test_a_language_whose_rule_has_another_number_of_forms(tree):
    """The new form is reported as missing, and the others are kept."""
    rule = "nplurals=3; plural=(n == 0 ? 0 : n == 1 ? 1 : 2);"
    more = replace(tree, plurals={"fr": rule})
    assert OTHER_HEAD in catalogue.faults_in(more)
    catalogue.update(more)
    assert catalogue.faults_in(more) == [
        "fr: not translated: 'A file'",
        "fr: not translated: 'One step'",
    ]
    found = {english: each.string for english, each in written(more).items()}
    assert found == FRENCH | {english: (*said, "") for english, said in PLURALS.items()}


def test_a_language_with_three_forms(tree):
    rule = "nplurals=3; plural=(n == 0 ? 0 : n == 1 ? 1 : 2);"
    more = replace(tree, plurals={"fr": rule})
    edit(more, RULE, rule)
    edit(more, '"{number} fichiers"', '"Un seul"\nmsgstr[2] "{number} fichiers"')
    edit(more, '"%(count)s étapes"', '"Une seule"\nmsgstr[2] "%(count)s étapes"')
    assert catalogue.faults_in(more) == []
    with more.mo("fr").open("rb") as stream:
        texts = gettext.GNUTranslations(stream)
    said = [texts.ngettext("A file", "{number} files", number) for number in range(4)]
    assert said == ["Un fichier", "Un seul", "{number} fichiers", "{number} fichiers"]


@pytest.mark.parametrize(
    "rule",
    [
        *("", "plural=n > 1", "nplurals=2; plural=", "nplurals=two; plural=n > 1"),
        *("nplurals=2; plural=n + 1", "nplurals=2; plural=__import__", "nplurals=0; plural=0"),
    ],
)
def test_a_language_without_a_rule_is_not_written(tree, rule):
    before = tree.po("fr").read_bytes()
    for plurals in ({}, {"fr": rule}):
        for task in (catalogue.update, catalogue.faults_in):
            with pytest.raises(catalogue.Unreadable, match=r"hashkit/locale/language\.py"):
                task(replace(tree, plurals=plurals))
    assert tree.po("fr").read_bytes() == before


# Check


def test_no_fault(tree):
    assert catalogue.faults_in(tree) == []


def test_a_text_that_is_not_in_the_catalogue(tree):
    say(tree, 'marked("New.")')
    assert catalogue.faults_in(tree) == ["fr: not in the catalogue: 'New.'"]


def test_a_text_that_is_not_translated(tree):
    edit(tree, "Le service est lent.", "")
    assert catalogue.faults_in(tree) == ["fr: not translated: 'It is slow.'"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Un fichier"', '""'),
        ('\nmsgstr[1] "{number} fichiers"', ""),
    ],
)
def test_a_plural_that_is_half_translated(tree, old, new):
    edit(tree, old, new)
    assert catalogue.faults_in(tree) == ["fr: not translated: 'A file'"]


def test_a_text_that_is_not_used(tree):
    edit(tree, 'msgid "Notes"', 'msgid "Old"\nmsgstr "Ancien"\n\nmsgid "Notes"')
    assert catalogue.faults_in(tree) == ["fr: not used: 'Old'"]


def test_an_old_text_that_was_commented_out(tree):
    with tree.po("fr").open("a", encoding="utf-8") as stream:
        stream.write('\n#~ msgid "Old"\n#~ msgstr "Ancien"\n')
    assert catalogue.faults_in(tree) == ["fr: not used: 'Old'"]


def test_a_text_with_a_context_which_hashkit_never_asks_for(tree):
    edit(tree, 'msgid "Notes"', 'msgctxt "title"\nmsgid "Notes"')
    assert sorted(catalogue.faults_in(tree)) == [
        "fr: not in the catalogue: 'Notes'",
        "fr: not used: 'Notes'",
    ]


def test_an_unsure_translation(tree):
    edit(tree, 'msgid "Notes"', '#, fuzzy\nmsgid "Notes"')
    assert catalogue.faults_in(tree) == ["fr: marked as unsure (fuzzy): 'Notes'"]


@pytest.mark.parametrize(
    ("old", "new", "english"),
    [
        ("pris {seconds} s", "pris {secondes} s", "It took {seconds} s."),
        ("pris {seconds} s", "pris {seconds s", "It took {seconds} s."),
        ("Sur %(all)s", "Sur %(tout)s", "Of %(all)s"),
        ("Sur %(all)s", "Sur %(all)d", "Of %(all)s"),
        ("Sur %(all)s", "Sur 3", "Of %(all)s"),
        ('"Tes fichiers', '"{tes} fichiers', "Your files, in short"),
        ("100 %% de", "100 % de", "Ask %%(name)s <b>now</b>, 100 %% of what %(name)s says"),
        (
            "</b>, 100 %% de",
            ", 100 %% de",
            "Ask %%(name)s <b>now</b>, 100 %% of what %(name)s says",
        ),
        ('"Un fichier"', '"{nombre} fichier"', "A file"),
        ('"{number} fichiers"', '"Des fichiers"', "A file"),
    ],
)
def test_other_placeholders(tree, old, new, english):
    edit(tree, old, new)
    shown = catalogue._shown(english)
    assert catalogue.faults_in(tree) == [f"fr: other placeholders than in English: {shown}"]


def test_a_placeholder_may_stand_elsewhere_and_in_the_text_for_one(tree):
    edit(tree, "Cela a pris {seconds} s.", "{seconds} s : voilà.")
    edit(tree, '"Un fichier"', '"{number} fichier"')
    assert catalogue.faults_in(tree) == []


@pytest.mark.parametrize(
    "new", [" Le service est lent.", "Le service est lent. ", "Le service est lent.\\n"]
)
def test_other_spaces_at_the_ends(tree, new):
    edit(tree, "Le service est lent.", new)
    fault = "fr: other spaces at its ends than in English: 'It is slow.'"
    assert catalogue.faults_in(tree) == [fault]


def test_a_catalogue_that_was_not_compiled(tree):
    tree.mo("fr").write_bytes(b"old")
    assert catalogue.faults_in(tree) == [STALE]
    tree.mo("fr").unlink()
    assert catalogue.faults_in(tree) == [STALE]


@pytest.mark.parametrize(
    "changes",
    [
        {"It is slow.": "Le service est long."},
        {"It is slow.": ""},
        {"It is slow.": None},
        {"Old": "Ancien"},
        {"title\x04Notes": "Notes"},
        {"title\x04Notes": "Notes", "Notes": None},
        {"A file\0{number} files": "Un fichier\0{number} dossiers"},
        {"A file\0{number} files": "{number} fichiers\0{number} fichiers"},
        {"A file\0{number} files": "Un fichier"},
        {"A file\0{number} files": None},
        {"A file\0{number} files": None, "A file": "Un fichier"},
        {"": FIELDS.replace("n > 1", "n != 1")},
        {"": FIELDS.replace("nplurals=2", "nplurals=3")},
        {"": FIELDS.replace("n > 1", "n >")},
        {"": FIELDS.replace("Plural-Forms", "Plurals")},
        {"": None},
        {"": FIELDS.replace("utf-8", "latin-1")},
        {"": FIELDS.replace("utf-8", "nothing")},
    ],
)
def test_a_compiled_catalogue_that_says_something_else(tree, changes):
    texts = {english: said for english, said in (COMPILED | changes).items() if said is not None}
    tree.mo("fr").write_bytes(mo_of(texts))
    assert catalogue.faults_in(tree) == [STALE]
    catalogue.update(tree)
    assert catalogue.faults_in(tree) == []


@pytest.mark.parametrize(
    "fields", [FIELDS, FIELDS.replace("(n > 1)", "n >= 2"), f"{FIELDS}X-Made-By: another tool\n"]
)
def test_a_compiled_catalogue_with_other_bytes_that_says_the_same(tree, fields):
    tree.mo("fr").write_bytes(mo_of(COMPILED | {"": fields}))
    assert catalogue.faults_in(tree) == []


@pytest.mark.parametrize("end", [0, 4, 20, 100, -300])
def test_a_compiled_catalogue_that_was_cut_short(tree, end):
    tree.mo("fr").write_bytes(mo_of(COMPILED)[:end])
    assert catalogue.faults_in(tree) == [STALE]


def test_a_text_that_is_not_ready_is_said_in_english(tree):
    edit(tree, '"Un fichier"', '""')
    edit(tree, 'msgid "Notes"', '#, fuzzy\nmsgid "Notes"')
    with tree.mo("fr").open("rb") as stream:
        texts = gettext.GNUTranslations(stream)
    assert texts.ngettext("A file", "{number} files", 2) == "{number} files"
    assert texts.gettext("Notes") == "Notes"
    assert texts.gettext("It is slow.") == "Le service est lent."


def test_a_language_that_has_no_catalogue(tree):
    tree.po("fr").unlink()
    assert catalogue.faults_in(tree) == ["fr: there is no catalogue"]


def test_a_catalogue_of_a_language_that_is_not_listed(tree):
    (tree.package / "locale" / "de").mkdir()
    assert catalogue.faults_in(tree) == ["de: hashkit does not list this language"]


@pytest.mark.parametrize(
    "content",
    ['msgid "Notes\n', f'{HEAD}\nmsgid "A"\nmsgid_plural "B"\nmsgstr[2] "C"\n'],
)
def test_a_catalogue_that_cannot_be_read(tree, content):
    tree.po("fr").write_text(content)
    for task in (catalogue.update, catalogue.faults_in):
        with pytest.raises(catalogue.Unreadable, match=r"hashkit\.po"):
            task(tree)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("nplurals=2; plural=(n > 1)", "nplurals=2; plural=(n != 1)"),
        ("nplurals=2; plural=(n > 1)", "nplurals=3; plural=(n > 1)"),
        ("nplurals=2; plural=(n > 1)", "nplurals=2; plural=(n > 1 && n != 1000000)"),
        ('"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n', ""),
        ('"MIME-Version: 1.0\\n"\n', ""),
        ('"MIME-Version', '"Last-Translator: somebody\\n"\n"MIME-Version'),
        ('"MIME-Version', '"Language: fr\\n"\n"MIME-Version'),
        ("Language: fr", "Language: es"),
        ("# Unreviewed", "# Reviewed"),
        ("# Unreviewed", "# Somebody, 2026\n# Unreviewed"),
        ("yet.\nmsgid", "yet.\n#, fuzzy\nmsgid"),
    ],
)
def test_another_head(tree, old, new):
    edit(tree, old, new)
    faults = catalogue.faults_in(tree)
    assert OTHER_HEAD in faults
    catalogue.update(tree)
    assert catalogue.faults_in(tree) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("plural=(n > 1);", "plural=n>=2"),
        ("plural=(n > 1);", 'plural="\n"(n == 0 || n == 1 ? 0 : 1);'),
        ('"Language: fr\\n"\n"Plural-Forms', '"language:fr\\n"\n"Plural-Forms'),
        ('"MIME-Version: 1.0\\n"\n', '"MIME-"\n"Version: 1.0\\n"\n'),
        ("this translation yet.", "this\n# translation yet."),
    ],
)
def test_the_same_head_in_another_spelling(tree, old, new):
    edit(tree, old, new)
    assert catalogue.faults_in(tree) == []


def test_the_head_says_whether_somebody_has_read_it(tree):
    reviewed = replace(tree, unreviewed=frozenset())
    assert catalogue.faults_in(reviewed) == [OTHER_HEAD]
    catalogue.update(reviewed)
    assert catalogue.faults_in(reviewed) == []
    assert "Unreviewed" not in tree.po("fr").read_text("utf-8")
    assert catalogue.faults_in(tree) == [OTHER_HEAD]
    catalogue.update(tree)
    assert "Unreviewed: no native speaker" in tree.po("fr").read_text("utf-8")

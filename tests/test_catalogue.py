"""tools/catalogue.py: nothing is missing here, and what is missing elsewhere it finds."""

from __future__ import annotations

import gettext
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment


def load_tool():
    path = Path(__file__).parents[1] / "tools" / "catalogue.py"
    spec = importlib.util.spec_from_file_location("catalogue_tool", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    return module


catalogue = load_tool()

PYTHON = """
from hashkit.language import marked
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

STALE = "fr: the .mo file is not what the .po file makes"


@pytest.fixture
def tree(tmp_path):
    """A small checkout, translated whole."""
    for name, content in {
        "said.py": PYTHON,
        "web/templates/page.html": TEMPLATE,
        "services/directory.toml": DIRECTORY,
    }.items():
        path = tmp_path / "hashkit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    tree = catalogue.Tree(tmp_path, {"fr": "Français"}, frozenset({"fr"}))
    catalogue.update(tree)
    for english, french in FRENCH.items():
        edit(tree, f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{french}"')
    for (_, many), (one, several) in PLURALS.items():
        edit(
            tree,
            f'msgid_plural "{many}"\nmsgstr[0] ""\nmsgstr[1] ""',
            f'msgid_plural "{many}"\nmsgstr[0] "{one}"\nmsgstr[1] "{several}"',
        )
    return tree


def edit(tree, old, new):
    """Change the catalogue as a translator would, and compile it."""
    content = tree.po("fr").read_text("utf-8")
    assert content.count(old) == 1
    tree.po("fr").write_text(content.replace(old, new), "utf-8")
    tree.mo("fr").write_bytes(catalogue.compiled(tree, "fr"))


def say(tree, content):
    (tree.package / "more.py").write_text(content)


# The real one


def test_nothing_is_missing_here(root):
    """Fails until every text that hashkit says is translated."""
    done = subprocess.run(
        [sys.executable, root / "tools" / "catalogue.py", "check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("The catalogues are complete.\n", 0)


# Texts


def test_every_text_is_found_where_it_is_said(tree):
    texts, faults = catalogue.texts_of(tree)
    assert set(texts) == {*FRENCH, *PLURALS}
    assert faults == []
    assert texts["Your files, in short"] == ["hashkit/said.py"]
    assert texts["Notes"] == ["hashkit/web/templates/page.html"]
    assert texts["It is slow."] == ["hashkit/services/directory.toml"]


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
    (tree.package / "services" / "directory.toml").unlink()
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


@pytest.mark.parametrize("name", ["said.py", "web/templates/page.html", "services/directory.toml"])
@pytest.mark.parametrize("content", [b"{% trans %}(", b"\xff"])
def test_a_source_that_cannot_be_read_loses_no_translation(tree, name, content):
    before = tree.po("fr").read_bytes()
    (tree.package / name).write_bytes(content)
    for task in (catalogue.update, catalogue.faults_in):
        with pytest.raises(catalogue.Unreadable, match=re.escape(name)):
            task(tree)
    assert tree.po("fr").read_bytes() == before


# Update


def test_update_keeps_what_was_translated(tree):
    before = tree.po("fr").read_bytes(), tree.mo("fr").read_bytes()
    catalogue.update(tree)
    assert (tree.po("fr").read_bytes(), tree.mo("fr").read_bytes()) == before


def test_update_adds_what_is_new_and_drops_what_is_gone(tree):
    say(tree, 'marked("It blocks copies!")')
    (tree.package / "services" / "directory.toml").unlink()
    catalogue.update(tree)
    assert catalogue.faults_in(tree) == ["fr: not translated: 'It blocks copies!'"]
    content = tree.po("fr").read_text("utf-8")
    assert 'msgid "It blocks copies!"\nmsgstr ""\n' in content
    assert "It blocks copies." not in content
    assert "fuzzy" not in content


def test_update_keeps_what_a_translator_noted(tree):
    noted = '# Is this clear?\n#: hashkit/web/templates/page.html\n#, fuzzy\nmsgid "Notes"'
    edit(tree, '#: hashkit/web/templates/page.html\nmsgid "Notes"', noted)
    catalogue.update(tree)
    assert noted in tree.po("fr").read_text("utf-8")


def test_a_text_that_moves_within_its_file_changes_nothing(tree):
    before = tree.po("fr").read_bytes()
    (tree.package / "said.py").write_text("\n\n" + PYTHON)
    catalogue.update(tree)
    assert tree.po("fr").read_bytes() == before
    assert b"said.py:" not in before


def test_texts_stand_in_the_order_of_the_english(tree):
    listed = re.findall(r'^msgid "(.+)"$', tree.po("fr").read_text("utf-8"), re.MULTILINE)
    assert len(listed) == len(FRENCH) + len(PLURALS)
    assert listed == sorted(listed)


def test_the_head_says_nothing_of_who_and_when(tree):
    head = tree.po("fr").read_text("utf-8").partition("\n\n")[0]
    names = re.findall(r'^"([\w-]+): ', head, re.MULTILINE)
    assert names == [
        *("Language", "Plural-Forms", "MIME-Version", "Content-Type"),
        "Content-Transfer-Encoding",
    ]
    assert not re.search(r"@|\d{4}|#, ", head)


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


def test_a_language_that_has_no_catalogue(tree):
    tree.po("fr").unlink()
    assert catalogue.faults_in(tree) == ["fr: there is no catalogue"]


def test_a_catalogue_of_a_language_that_is_not_listed(tree):
    (tree.package / "locale" / "de").mkdir()
    assert catalogue.faults_in(tree) == ["de: hashkit does not list this language"]


@pytest.mark.parametrize(
    "content", ['msgid "Notes\n', 'msgid "A"\nmsgid_plural "B"\n' + 'msgstr[2] "C"\n']
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
        ('"MIME-Version', '"Last-Translator: somebody\\n"\n"MIME-Version'),
        ("# Unreviewed", "# Reviewed"),
    ],
)
def test_another_head(tree, old, new):
    edit(tree, old, new)
    assert catalogue.faults_in(tree) == ["fr: the head is not the one that update writes"]
    catalogue.update(tree)
    assert catalogue.faults_in(tree) == []


def test_the_head_says_whether_somebody_has_read_it(tree):
    assert "\n# Unreviewed: no native speaker" in tree.po("fr").read_text("utf-8")
    reviewed = catalogue.Tree(tree.root, tree.languages, frozenset())
    assert catalogue.faults_in(reviewed) == ["fr: the head is not the one that update writes"]
    catalogue.update(reviewed)
    assert catalogue.faults_in(reviewed) == []
    assert "Unreviewed" not in tree.po("fr").read_text("utf-8")
    assert catalogue.faults_in(tree) == ["fr: the head is not the one that update writes"]

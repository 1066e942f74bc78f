"""Languages: each can be loaded, and the best one is chosen for a browser."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashkit.locale.language import (
    LANGUAGES,
    PLURALS,
    PSEUDO,
    UNREVIEWED,
    best_of,
    direction_of,
    marked,
    texts_in,
)


def test_a_marked_text_is_the_text():
    assert marked("Notes") == "Notes"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_texts(language):
    texts = texts_in(language)
    unknown = "a text in no catalogue"
    assert texts.gettext(unknown) == unknown
    assert texts.ngettext("one", "many", 1) == "one"
    assert texts.ngettext("one", "many", 2) == "many"


def test_each_translation_has_a_plural_rule():
    assert set(PLURALS) == set(LANGUAGES) - {"en"}


def test_english_is_said_as_it_is_written():
    assert texts_in("en").gettext("Notes") == "Notes"
    assert "en" not in UNREVIEWED


def test_unreviewed_languages_are_languages():
    assert set(LANGUAGES) > UNREVIEWED


@pytest.mark.parametrize("language", ["", "de", "EN", "fr-CA", "../en"])
def test_other_languages_are_refused(language):
    with pytest.raises(ValueError, match="no such language"):
        texts_in(language)


def test_directions():
    assert {direction_of(language) for language in LANGUAGES} == {"ltr"}
    assert direction_of(PSEUDO) == "rtl"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("de, ja;q=0.5", "en"),
        ("es", "es"),
        ("fr-CA,fr;q=0.8,en;q=0.5", "fr"),
        ("ES-419", "es"),
        ("en;q=0.5, fr;q=0.9", "fr"),
        ("de, es;q=0.2, fr;q=0.1", "es"),
        ("fr; q=0.2, es ; Q=0.3", "es"),
        ("es, fr", "es"),
        ("fr, es", "fr"),
        ("fr;q=0, es;q=0.1", "es"),
        ("fr;q=0", "en"),
        ("fr;q=nan, es;q=much, fr;q=-1, es;q=2", "en"),
        (PSEUDO, "en"),
        ("de," * 50 + "fr", "en"),
    ],
)
def test_the_best_language(accepted, language):
    assert best_of(accepted) == language


WISHES = st.lists(
    st.tuples(
        st.sampled_from(["en", "es", "fr", "fr-CA", "*", "de", ""]) | st.text(max_size=5),
        st.sampled_from(["", ";q=", ";q=0.5", "; q=1", ";q=inf", ";q=1e999", ";;"]) | st.text(),
    ).map("".join)
).map(",".join)


@given(st.text() | WISHES)
def test_whatever_a_browser_sends_gets_a_language(accepted):
    assert best_of(accepted) in LANGUAGES


def test_the_made_up_language_shows_what_was_marked():
    texts = texts_in(PSEUDO)
    assert texts.gettext("Your notes") == "⟦Yöûr nötés⟧"
    assert texts.ngettext("one file", "many files", 1) == "⟦öné fîlé⟧"
    assert texts.ngettext("one file", "many files", 3) == "⟦màny fîlés⟧"


PLACEHOLDERS = ["%(name)s", "%(size)d", "{}", "{name}", "{size:.1e}", '<a href="#ae">', "&amp;"]
WORDS = st.text(string.ascii_letters + " .,%")


@given(st.lists(st.tuples(WORDS, st.sampled_from(PLACEHOLDERS))))
def test_the_made_up_language_keeps_placeholders(parts):
    said = texts_in(PSEUDO).gettext("".join(word + placeholder for word, placeholder in parts))
    at = 0
    for _, placeholder in parts:
        at = said.index(placeholder, at) + len(placeholder)
    assert not set(said) & set("AEIOU")

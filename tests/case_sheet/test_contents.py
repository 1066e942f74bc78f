"""The contents of a case sheet."""

from __future__ import annotations

import hashlib
import os
import re
from datetime import datetime

import pytest

import hashkit
from hashkit.case_sheet.blocks import CaseSheet, Facts, Note, Section, Table
from hashkit.case_sheet.choosing import About, groups
from hashkit.case_sheet.reading import read_document
from hashkit.errors import DocumentInvalid, FileMissing
from hashkit.guide.directory import SHARED_LIMITS, Age, Purpose, all_services
from hashkit.models import FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item

from .conftest import DAY, digits, every_text, picture, video


def section(sheet: CaseSheet, name: str) -> Section:
    return next(each for each in sheet.sections if each.id == name)


def facts(section: Section) -> dict[str, str]:
    return {
        fact.label: fact.value
        for block in section.blocks
        if isinstance(block, Facts)
        for fact in block.facts
    }


def table(section: Section) -> Table:
    return next(block for block in section.blocks if isinstance(block, Table))


def services(sheet: CaseSheet) -> dict[str, list[str]]:
    """The names of the services in each group."""
    return {
        group.id.removeprefix("services-"): [each.heading for each in group.sections]
        for group in section(sheet, "services").sections
    }


def test_counts(sheet):
    made = sheet(picture(1), picture(2, 79, edits=3), picture(3, 12), video(4, 10, 55, 40))
    assert facts(section(made, "hashed")) == {
        "Pictures": "3",
        "Videos": "1",
        "Edits, hashed too": "3",
        "Quality: good": "1",
        "Quality: fair": "2",
        "Quality: too plain": "1",
    }


@pytest.mark.parametrize(
    ("quality", "word"),
    [(100, "good"), (80, "good"), (79, "fair"), (50, "fair"), (49, "too plain"), (0, "too plain")],
)
def test_quality_in_words(sheet, quality, word):
    for item in (picture(1, quality), video(1, 0, quality)):
        (row,) = table(section(sheet(item), "hashed")).rows
        assert row[3] == word


def test_quality_of_what_has_none(sheet):
    moving = Item(MediaKind.VIDEO, (Hash("sha256", digits(64, 1)),), FrameHashes(1.0, ()))
    classic = Item(MediaKind.IMAGE, (Hash("phash", digits(16, 1)),))
    words = {"exact copies only": picture(1, None), "not measured": moving}
    for word, item in (*words.items(), ("not measured", classic)):
        (row,) = table(section(sheet(item), "hashed")).rows
        assert row[3] == word


def test_rows_are_as_inspect_numbers_them(sheet, document):
    items = (picture(1), video(2, 90), picture(3, 60, edits=2))
    rows = table(section(sheet(*items), "hashed")).rows
    assert [row[0] for row in rows] == ["1", "2", "3"]
    for row, item in zip(rows, document(*items).submission.items, strict=True):
        sha256 = next(each.value for each in item.hashes if each.algorithm == "sha256")
        assert row[5] == f"SHA-256 {sha256[:12]}"
        assert row[1] == ("video" if item.frames else "picture")
        assert row[2] == ("SHA-256, vPDQ" if item.frames else "MD5, SHA-256, PDQ")
    assert sorted(row[4] for row in rows) == ["0", "0", "2"]


def test_a_row_without_sha256_is_known_by_another_hash(sheet):
    pdq = Item(MediaKind.IMAGE, (Hash("pdq", digits(64, 1), 90),))
    frames = Item(MediaKind.VIDEO, (), video(1, 70).frames)
    for item, begins in ((pdq, digits(12, 1)), (frames, frames.frames.hashes[0].value[:12])):
        (row,) = table(section(sheet(item), "hashed")).rows
        assert row[5] == f"PDQ {begins}"


def test_a_long_list_goes_to_the_end(sheet):
    short, long = (sheet(*map(picture, range(number))) for number in (40, 41))
    assert len(table(section(short, "hashed")).rows) == 40
    assert "list" not in [each.id for each in short.sections]
    assert not [each for each in section(long, "hashed").blocks if isinstance(each, Table)]
    assert len(table(long.sections[-1]).rows) == 41
    assert "The list of all of them is at the end of this sheet." in every_text(long)


def test_empty(sheet):
    assert "This submission is empty." in every_text(sheet())


def test_checksums_and_dates(sheet, document, tmp_path):
    made = sheet(picture(1))
    path = tmp_path / "untold-name.json"
    checksums = facts(section(made, "checksums"))
    assert checksums["SHA-256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert checksums["MD5"] == hashlib.md5(path.read_bytes()).hexdigest()
    assert checksums["Windows"] == "certutil -hashfile FILE SHA256"
    moment = datetime(2026, 2, 3, 4, 5, 6).timestamp()
    os.utime(path, (moment, moment))
    assert read_document(path).saved == datetime.fromtimestamp(moment)
    assert facts(section(made, "when"))["Sheet made on"] == DAY.isoformat()
    saved = document(picture(1)).saved
    assert facts(section(made, "when"))["Submission saved on"][:10] == f"{saved:%Y-%m-%d}"


def test_no_path_or_name_of_the_file(sheet, tmp_path):
    found = " ".join(every_text(sheet(picture(1))))
    assert "untold-name" not in found
    assert str(tmp_path) not in found
    assert hashkit.__version__ in found


def test_reading_fails_as_for_a_submission(tmp_path):
    with pytest.raises(FileMissing):
        read_document(tmp_path / "none.json")
    (tmp_path / "other.json").write_text('{"format": "other"}')
    with pytest.raises(DocumentInvalid):
        read_document(tmp_path / "other.json")


def test_both_ages_where_none_is_given(sheet):
    named = services(sheet(picture(1)))
    assert list(named) == ["adult", "under-18"]
    assert "StopNCII" in named["adult"]
    assert "StopNCII" not in named["under-18"]
    assert "Take It Down" in named["under-18"]
    assert "Take It Down" not in named["adult"]
    every = {name for names in named.values() for name in names}
    assert every == {service.name for service in all_services()}


@pytest.mark.parametrize(
    ("about", "ages"),
    [
        ({"age": Age.UNDER_18}, ["under-18"]),
        ({"age": Age.UNDER_18, "age_in_picture": Age.ADULT}, ["under-18"]),
        ({"age": Age.ADULT}, ["adult", "under-18"]),
        ({"age_in_picture": Age.ADULT}, ["adult"]),
        ({"age_in_picture": Age.UNDER_18}, ["under-18"]),
        ({"age": Age.ADULT, "age_in_picture": Age.UNDER_18}, ["under-18"]),
    ],
)
def test_the_ages_that_are_possible(about, ages):
    assert [age.value for age, _ in groups(About(**about))] == ages


def test_services_by_country_and_age_now():
    def named(**about: object) -> set[str]:
        return {each.name for _, services in groups(About(**about)) for each in services}

    assert "Report Remove" in named(age=Age.UNDER_18, country="GB")
    assert "Report Remove" in named(country="GB")
    assert "Report Remove" not in named(age=Age.ADULT, country="GB")
    assert "Report Remove" not in named(age=Age.UNDER_18, country="US")
    assert "Meri Trustline" in named(country="IN")
    assert "Meri Trustline" not in named(country="other")
    assert "Revenge Porn Helpline" in named(age=Age.ADULT, country="GB")
    assert "Revenge Porn Helpline" not in named(age=Age.UNDER_18, country="GB")


def test_takedown_comes_first_and_help_last():
    order = [Purpose.TAKEDOWN, Purpose.REPORT, Purpose.HELP]
    for _, services in groups(About()):
        places = [order.index(each.purpose) for each in services]
        assert places == sorted(places)


def test_a_helper_never_receives_a_picture_of_a_child(sheet):
    sentence = "A helper must never receive, copy or forward a picture of a person under 18."
    for about in ({}, {"age": Age.UNDER_18}, {"age_in_picture": Age.UNDER_18}):
        (group,) = section(sheet(picture(1), **about), "services").sections[-1:]
        assert group.blocks[0] == Note(sentence)
    assert sentence not in every_text(sheet(picture(1), age_in_picture=Age.ADULT))


def test_limits_and_what_a_service_needs(sheet):
    found = every_text(sheet(picture(1)))
    assert set(SHARED_LIMITS) <= set(found)
    assert any("blurred idea of the picture" in text for text in found)
    for service in all_services():
        for text in (*service.needs, *service.limits, service.page, service.phone, service.name):
            assert text is None or any(text in each for each in found)


def test_a_line_for_every_case_number(sheet):
    (form,) = (
        each for each in section(sheet(picture(1)), "records").blocks if each.kind == "table"
    )
    names = [row[0] for row in form.rows]
    assert names == list(dict.fromkeys(names))
    assert set(names) == {each.name for each in all_services() if each.purpose is not Purpose.HELP}
    assert all(row[1:] == ("", "") for row in form.rows)


def test_an_unreviewed_translation_has_a_note(sheet, monkeypatch):
    monkeypatch.setattr("hashkit.case_sheet.contents.UNREVIEWED", frozenset())
    before = len(sheet(picture(1)).opening)
    monkeypatch.setattr("hashkit.case_sheet.contents.UNREVIEWED", frozenset({"en"}))
    found = sheet(picture(1)).opening
    assert len(found) == before + 1
    assert found[-1].text == "No native speaker has checked this translation yet."


# Names of hashes, systems and commands, checksums, dates and numbers: the same in every language.
SAME_EVERYWHERE = re.compile(
    r"(MD5|SHA-256|PDQ|, )+|SHA-256 \w{12}|[0-9a-f]{32,64}|[0-9:+() -]+|Windows|macOS|Linux|"
    r".* FILE( SHA256)?|https://.*"
)


def test_every_text_is_marked(sheet):
    """In the test language, unmarked texts have no brackets round them."""
    names = {service.name for service in all_services()}
    for text in every_text(sheet(picture(1, edits=1), language="qps")):
        if text not in names and not SAME_EVERYWHERE.fullmatch(text):
            assert re.fullmatch(r"(⟦([^⟦⟧]|⟦[^⟦⟧]*⟧)*⟧[ ,]*)+", text), text


def test_no_such_language(sheet):
    with pytest.raises(ValueError, match="no such language"):
        sheet(picture(1), language="xx")

"""The guide: which services fit whom, in the right order."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashkit.guide.directory import SHARED_LIMITS, Age, all_services
from hashkit.guide.guidance import (
    COUNTRIES,
    DANGER,
    NOT_YOUR_FAULT,
    Answers,
    country_of,
    guidance,
)

ADULT, UNDER_18 = Age.ADULT, Age.UNDER_18

FOR_CHILDREN = ["cybertipline", "iwf"]
# By age now, age in the picture and country: services to take down and report, and helplines.
FITTING = {
    (ADULT, ADULT, "GB"): (["stopncii"], ["revenge-porn-helpline"]),
    (ADULT, ADULT, "US"): (["stopncii"], ["ccri"]),
    (ADULT, ADULT, "AU"): (["stopncii", "esafety"], []),
    (ADULT, ADULT, "IN"): (["stopncii", "meri-trustline"], []),
    (ADULT, ADULT, "other"): (["stopncii"], []),
    (ADULT, UNDER_18, "GB"): (
        ["take-it-down", "project-arachnid", *FOR_CHILDREN],
        ["revenge-porn-helpline"],
    ),
    (ADULT, UNDER_18, "US"): (["take-it-down", "project-arachnid", *FOR_CHILDREN], ["ccri"]),
    (ADULT, UNDER_18, "AU"): (["take-it-down", "project-arachnid", "esafety", *FOR_CHILDREN], []),
    (ADULT, UNDER_18, "IN"): (
        ["take-it-down", "meri-trustline", "project-arachnid", *FOR_CHILDREN],
        [],
    ),
    (ADULT, UNDER_18, "other"): (["take-it-down", "project-arachnid", *FOR_CHILDREN], []),
    (UNDER_18, UNDER_18, "GB"): (
        ["take-it-down", "report-remove", "project-arachnid", *FOR_CHILDREN],
        [],
    ),
    (UNDER_18, UNDER_18, "US"): (["take-it-down", "project-arachnid", *FOR_CHILDREN], []),
    (UNDER_18, UNDER_18, "AU"): (
        ["take-it-down", "project-arachnid", "esafety", *FOR_CHILDREN],
        [],
    ),
    (UNDER_18, UNDER_18, "IN"): (
        ["take-it-down", "meri-trustline", "project-arachnid", *FOR_CHILDREN],
        [],
    ),
    (UNDER_18, UNDER_18, "other"): (["take-it-down", "project-arachnid", *FOR_CHILDREN], []),
}
ALL = [Answers(*each) for each in product(Age, Age, COUNTRIES, (True, False))]


def step(found, id):
    return next(each for each in found.steps if each.id == id)


def texts_of(found):
    return [text for each in found.steps for text in each.points]


def ids(services):
    return [each.id for each in services]


@pytest.mark.parametrize("answers", ALL, ids=str)
class TestEveryAnswer:
    def test_services_that_fit(self, answers):
        in_picture = UNDER_18 if answers.age is UNDER_18 else answers.age_in_picture
        services, helplines = map(list, FITTING[answers.age, in_picture, answers.country])
        if answers.threatened and in_picture is UNDER_18:  # for threats: comes first
            services.remove("cybertipline")
            helplines.append("cybertipline")
        found = guidance(answers)
        assert ids(step(found, "services").services) == services
        assert ids(step(found, "safety").services) == helplines
        assert not step(found, "evidence").services + step(found, "hashes").services

    def test_steps_in_order(self, answers):
        found = guidance(answers)
        assert [each.id for each in found.steps] == ["safety", "evidence", "hashes", "services"]
        assert texts_of(found)[:2] == [DANGER, NOT_YOUR_FAULT]
        order = (
            "emergency",
            "Do not delete the original",
            "report the account",
            "Block the",
            "A ha",
        )
        places = [
            next(n for n, text in enumerate(texts_of(found)) if part in text) for part in order
        ]
        assert places == sorted(places)

    def test_whoever_is_under_18_was_so_in_the_picture(self, answers):
        found = guidance(answers)
        under = UNDER_18 in (answers.age, answers.age_in_picture)
        assert found.minor == under
        assert found.answers.age_in_picture == (UNDER_18 if under else ADULT)
        assert found.answers.age == answers.age
        assert found.answers.threatened == answers.threatened

    def test_the_picture_of_a_child_stays_where_it_is(self, answers):
        found = guidance(answers)
        points = " ".join(step(found, "hashes").points)
        for part in (
            "on the device that holds the picture",
            "Never send or show the picture",
            "A helper must never receive, copy or forward",
        ):
            assert (part in points) == found.minor
        evidence = " ".join(step(found, "evidence").points)
        assert ("out of your screenshots" in evidence) == found.minor

    def test_threats(self, answers):
        points = step(guidance(answers), "safety").points
        assert "Paying leads to more demands." in " ".join(points)
        assert any(each.startswith("Do not pay.") for each in points) == answers.threatened
        assert any(each.startswith("If somebody") for each in points) != answers.threatened

    def test_what_always_holds(self, answers):
        points = step(guidance(answers), "services").points
        assert points[-len(SHARED_LIMITS) :] == SHARED_LIMITS
        assert "Details change." in " ".join(points)
        assert "your own post may be blocked" in " ".join(points)

    def test_an_adult_learns_why(self, answers):
        points = " ".join(step(guidance(answers), "services").points)
        between = answers.age is ADULT and answers.age_in_picture is UNDER_18
        assert ("You were under 18 in the picture" in points) == between
        assert ("answer the questions once more" in points) == between

    def test_manner(self, answers):
        found = guidance(answers)
        for text in [*texts_of(found), *(each.title for each in found.steps)]:
            assert "!" not in text
            assert "should" not in text
            for sentence in re.split(r"(?<=[.:]) ", text):
                assert len(sentence.split()) <= 24, sentence


def test_every_service_fits_somebody():
    named = {
        each.id for answers in ALL for part in guidance(answers).steps for each in part.services
    }
    assert named == set(ids(all_services()))


def test_another_country_has_what_is_worldwide():
    for age, in_picture in product(Age, Age):
        elsewhere = guidance(Answers(age, in_picture, "FR"))
        assert elsewhere.steps == guidance(Answers(age, in_picture, "other")).steps
        for part in elsewhere.steps:
            assert not any(each.countries for each in part.services)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        *((key, key) for key in COUNTRIES),
        *((name, key) for key, name in COUNTRIES.items()),
        ("gb", "GB"),
        (" uk ", "GB"),
        ("USA", "US"),
        ("united kingdom", "GB"),
        ("OTHER", "other"),
        ("fr", "other"),
        ("DE", "other"),
    ],
)
def test_countries(text, country):
    assert country_of(text) == country


@pytest.mark.parametrize("text", ["", "narnia", "1", "12", "éé", "G B", "GBR"])
def test_what_is_no_country(text):
    with pytest.raises(ValueError, match="no such country"):
        country_of(text)


@given(st.text(max_size=30))
def test_any_text_is_a_country_or_refused(text):
    try:
        assert country_of(text) in COUNTRIES
    except ValueError:
        pass

"""The directory holds the known facts about services, and nothing else."""

from __future__ import annotations

import copy
import json
import re
import tomllib
from datetime import date
from importlib import resources

import jsonschema
import pytest

from hashkit.guide.directory import (
    SHARED_LIMITS,
    Age,
    Handling,
    Purpose,
    all_services,
    directory_schema,
    service,
)
from hashkit.hashes.registry import ALGORITHMS

SCHEMA = json.loads(directory_schema())
DIRECTORY = tomllib.loads(
    resources.files("hashkit.guide").joinpath("directory.toml").read_text("utf-8")
)

# The facts again, written independently from the services' own pages and the press: the name, the
# ages in the picture, the ages today, the countries, the page and the phone number.
BOTH = ["adult", "under-18"]
FACTS = {
    "take-it-down": ("Take It Down", ["under-18"], BOTH, [], "https://takeitdown.ncmec.org", None),
    "stopncii": ("StopNCII", ["adult"], BOTH, [], "https://stopncii.org", None),
    "report-remove": (
        *("Report Remove", ["under-18"], ["under-18"]),
        *(["GB"], "https://childline.org.uk", None),
    ),
    "meri-trustline": ("Meri Trustline", BOTH, BOTH, ["IN"], None, None),
    "esafety": ("eSafety Commissioner", BOTH, BOTH, ["AU"], "https://esafety.gov.au", None),
    "project-arachnid": (
        *("Project Arachnid", ["under-18"], BOTH),
        *([], "https://projectarachnid.ca", None),
    ),
    "cybertipline": (
        *("CyberTipline", ["under-18"], BOTH),
        *([], "https://report.cybertip.org", "1-800-843-5678"),
    ),
    "iwf": (
        *("Internet Watch Foundation", ["under-18"], BOTH),
        *([], "https://report.iwf.org.uk", None),
    ),
    "revenge-porn-helpline": (
        *("Revenge Porn Helpline", BOTH, ["adult"]),
        *(["GB"], "https://revengepornhelpline.org.uk", "0345 6000 459"),
    ),
    "ccri": (
        *("Cyber Civil Rights Initiative", BOTH, ["adult"]),
        *(["US"], "https://cybercivilrights.org", None),
    ),
}
HASHES = {"stopncii": (("pdq",), ("md5",))}
HANDLING = {
    **{"take-it-down": "in_browser", "stopncii": "in_browser"},
    **{"report-remove": "upload", "meri-trustline": "upload"},
}
PURPOSE = {
    **{"cybertipline": "report", "iwf": "report", "esafety": "report"},
    **{"revenge-porn-helpline": "help", "ccri": "help"},
}


def as_json(value):
    """TOML values as the schema sees them: a date is a text."""
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_json(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def validate(document):
    jsonschema.Draft202012Validator(
        SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(as_json(document))


def texts():
    for each in all_services():
        yield from (each.audience, each.what_it_does, *each.needs, *each.limits)
    yield from SHARED_LIMITS


class TestFacts:
    def test_every_service_is_there_once(self):
        assert [each["id"] for each in DIRECTORY["services"]] == list(
            {each["id"]: each for each in DIRECTORY["services"]}
        )
        assert {each.id for each in all_services()} == set(FACTS)

    @pytest.mark.parametrize("id", FACTS)
    def test_what_is_said_is_known(self, id):
        name, ages, ages_now, countries, page, phone = FACTS[id]
        found = service(id)
        assert found.name == name
        assert (list(found.ages), list(found.ages_now)) == (ages, ages_now)
        assert list(found.countries) == countries
        assert (found.page, found.phone) == (page, phone)
        assert (found.image_hashes, found.video_hashes) == HASHES.get(id, ((), ()))
        assert found.handling == HANDLING.get(id, "no_files")
        assert found.purpose == PURPOSE.get(id, "takedown")

    def test_every_hash_is_one_that_can_be_made(self):
        for each in all_services():
            assert {*each.image_hashes, *each.video_hashes} <= set(ALGORITHMS)

    def test_all_say_where_from_and_when(self):
        for each in all_services():
            assert each.checked == date(2026, 11, 1)
            assert each.source == (each.page or "The service's own pages and press")

    def test_no_text_brings_a_fact_of_its_own(self):
        """Addresses and numbers are only in fields that are compared above."""
        for text in texts():
            assert set(re.findall(r"\d+", text)) <= {"18"}, text
            assert not re.search(r"https?:|www\.|\.(org|com|gov|uk|ca)\b|@", text), text

    def test_uploading_services_say_that_the_file_leaves(self):
        for each in all_services():
            leaves = any("leaves your device" in limit for limit in each.limits)
            assert leaves == (each.handling is Handling.UPLOAD)
            stays = "stays on your device" in each.what_it_does
            assert stays == (each.handling is Handling.IN_BROWSER)

    def test_shared_limits(self):
        limits = " ".join(SHARED_LIMITS)
        for word in ("take part", "private", "cropped", "find or delete", "your own post"):
            assert word in limits

    def test_the_pin(self):
        assert "cannot be recovered" in " ".join(service("stopncii").limits)


class TestReading:
    def test_types(self):
        for each in all_services():
            assert isinstance(each.purpose, Purpose)
            assert all(isinstance(age, Age) for age in (*each.ages, *each.ages_now))
            assert isinstance(each.handling, Handling)
            hash(each)  # nothing in it can be changed

    def test_everything_in_the_file_is_read(self):
        for given in DIRECTORY["services"]:
            found = service(given["id"])
            for key, value in given.items():
                read = getattr(found, key)
                assert (list(read) if isinstance(value, list) else read) == value
        assert list(SHARED_LIMITS) == DIRECTORY["shared_limits"]

    def test_unknown(self):
        with pytest.raises(KeyError):
            service("nobody")


class TestSchema:
    def test_is_met(self):
        jsonschema.Draft202012Validator.check_schema(SCHEMA)
        validate(DIRECTORY)

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("id", "Take It Down"),
            ("id", None),
            ("name", ""),
            ("name", None),
            ("purpose", "money"),
            ("purpose", None),
            ("audience", "for somebody."),
            ("audience", "For somebody"),
            ("audience", "Hurry!"),
            ("audience", "L" + 200 * "o" + "ng."),
            ("audience", None),
            ("ages", []),
            ("ages", ["17"]),
            ("ages", None),
            ("ages_now", ["old"]),
            ("countries", ["UK", "UK"]),
            ("countries", ["Britain"]),
            ("countries", []),
            ("handling", "email"),
            ("handling", None),
            ("what_it_does", ""),
            ("what_it_does", None),
            ("image_hashes", ["photodna"]),
            ("image_hashes", []),
            ("video_hashes", "md5"),
            ("page", "http://example.org"),
            ("page", "https://example.org/page?of=you"),
            ("page", ""),
            ("phone", "call us"),
            ("needs", "A file."),
            ("needs", []),
            ("limits", [""]),
            ("source", None),
            ("source", ""),
            ("checked", "lately"),
            ("checked", "2026-13-01"),
            ("checked", None),
            ("deadline", "soon"),
        ],
    )
    def test_refuses_a_wrong_entry(self, key, value):
        """With another value, or without the field for None."""
        wrong = copy.deepcopy(DIRECTORY)
        entry = wrong["services"][0]
        if value is None:
            del entry[key]
        else:
            entry[key] = value
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong)

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"services": DIRECTORY["services"]},
            {"shared_limits": [], "services": DIRECTORY["services"]},
            {"shared_limits": ["Yes."], "services": []},
            {**DIRECTORY, "more": 1},
        ],
    )
    def test_refuses_a_wrong_whole(self, wrong):
        with pytest.raises(jsonschema.ValidationError):
            validate(wrong)

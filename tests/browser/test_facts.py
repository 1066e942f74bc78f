"""The tables that the engine for browsers has of Python are Python's, and so are its texts."""

from __future__ import annotations

import importlib.util
import json
import math
import random
import re
import sys
from pathlib import Path

import pytest

from hashkit import errors, notices
from hashkit.errors import HashkitError
from hashkit.media import formats, limits, recognition
from hashkit.media.formats import NOT_OPENED, unsupported
from hashkit.models import Notice

sys.path.insert(0, str(Path(__file__).parent))

from in_node import call, run_module


@pytest.fixture(scope="module")
def tool(root):
    """The script that writes data.js."""
    spec = importlib.util.spec_from_file_location("browser_data", root / "tools/browser_data.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def facts(root):
    """What data.js gives."""
    script = "import {FACTS} from './data.js'; console.log(JSON.stringify(FACTS));"
    return json.loads(run_module(script, root / "hashkit" / "browser"))


def test_the_tables_are_those_of_python(root, tool):
    """If not: ``python tools/browser_data.py write``."""
    text = (root / "hashkit" / "browser" / "data.js").read_bytes().decode()
    assert text == tool.javascript()


def test_what_is_written_is_read(tool, facts):
    assert facts == json.loads(json.dumps(tool.facts()))
    assert tool.TARGET.name == "data.js"


def test_check_fails_for_another_file(root, tmp_path, tool, monkeypatch, capsys):
    monkeypatch.setattr(tool, "TARGET", tmp_path / "data.js")
    assert tool.main(["write"]) == 0
    assert tool.main(["check"]) == 0
    (tmp_path / "data.js").write_text(tool.javascript().replace("cut short", "cut"))
    assert tool.main(["check"]) == 1
    assert "write" in capsys.readouterr().out
    assert tool.main([]) == 2


def test_nothing_in_the_tables_can_be_changed(root):
    script = """
import { FACTS } from "./data.js";
const check = (value) => {
  if (typeof value === "object" && value !== null) {
    if (!Object.isFrozen(value)) throw new Error(JSON.stringify(value));
    Object.values(value).forEach(check);
  }
};
check(FACTS);
console.log("unchangeable");
"""
    assert run_module(script, root / "hashkit" / "browser") == "unchangeable\n"


def test_regular_expressions_match_the_same(tool):
    patterns = [
        each.signature.pattern
        for each in formats.FORMATS.values()
        if isinstance(each.signature, re.Pattern)
    ]
    patterns.append(recognition._OTHERS.pattern)
    chance = random.Random(1)
    for pattern in patterns:
        javascript = tool.in_javascript(pattern)
        assert javascript.isascii()
        for escape in re.findall(r"\\(.)", javascript):
            assert escape in "xnrt" or escape in ".*+?()[]{}|/^$\\", pattern
        # Python reads it as JavaScript does, with these escapes.
        again = re.compile(javascript, re.DOTALL)
        before = re.compile(pattern, re.DOTALL)
        for _ in range(200):
            text = bytes(chance.choice(pattern + b"\0\xff") for _ in range(24))
            assert bool(before.match(text)) == bool(again.match(text.decode("latin-1")))
    with pytest.raises(ValueError, match="JavaScript"):
        tool.in_javascript(rb"\d")


# Errors


def test_errors_have_the_texts_of_python(facts):
    known = {
        each.code: each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, HashkitError)
    }
    assert set(facts["errors"]) <= set(known)
    codes = [*facts["errors"]]
    for code, found in zip(codes, call("errors.js", "HashkitError", zip(codes)), strict=True):
        error = known[code]()
        assert found == {"code": code, "text": str(error), "advice": error.advice}
    (found,) = call("errors.js", "HashkitError", [("not_media", "Another text.")])
    assert found["text"] == "Another text."
    assert found["advice"] == errors.NotMedia.advice


def test_media_errors_are_all_there(facts):
    def below(error):
        return {error.code} | {code for each in error.__subclasses__() for code in below(each)}

    assert below(errors.MediaError) - {errors.MediaError.code} <= set(facts["errors"])


def test_formats_that_are_not_opened(facts):
    names = [*sorted(NOT_OPENED), "AVIF picture", "EXR", "IFF picture", "OBU", "UHD", "BMP"]
    expected = [
        {"code": error.code, "text": str(error), "advice": error.advice}
        for error in map(unsupported, names)
    ]
    assert call("errors.js", "unsupported", zip(names)) == expected
    rare = {each.replace("{bits}", "12") for each in facts["rareKinds"].values()}
    shown = {each["shown"] for each in facts["formats"] if not each["opened"]}
    assert rare | shown <= NOT_OPENED
    missing = {each for each in NOT_OPENED - rare - shown if "bits a colour" not in each}
    assert all("TIFF" in each for each in missing)  # none is opened


SIZES = [(1, 1, 1), (2, 1, 1), (1000, 1, 999), (20_000, 20_000, 200_000_000), (0, 5, 5), (5, 0, 5)]


@pytest.mark.parametrize("size", SIZES)
def test_limits_of_pixels(size):
    (found,) = call("errors.js", "checkPixels", [size])
    try:
        limits.check_pixels(*size)
    except HashkitError as error:
        assert found["error"] == {"code": error.code, "text": str(error), "advice": error.advice}
    else:
        assert found is None


# Notices


def test_notices_have_the_texts_of_python(facts):
    never = (notices.TMK_LEFT_OUT, notices.VIDEO_WITHOUT_TIMES)
    given = [each for each in notices.ALL if each not in never]
    assert [*facts["notices"]] == [each.code for each in given]
    found = call("errors.js", "noticeOf", [(each.code,) for each in given])
    assert found == [{"code": each.code, "text": each.text} for each in given]
    assert all(isinstance(each, Notice) for each in given)


SECONDS = [0, 0.04, 0.05, 0.09999, 0.1, 1, 9.95, 59.9, 59.999, 60, 61.25, 599.99, 600, 3599.96]
SECONDS += [3600, 3661.5, 36_000, 86_400, 359_999.95, 0.3, 1.1, 2.3, 4.35, 8.2]


def test_spans_are_shown_as_python_shows_them():
    chance = random.Random(2)
    ends = SECONDS + [round(chance.uniform(0, 10_000), 3) for _ in range(500)]
    given = [(end, chance.choice([None, end + 7.77, end, 0.5])) for end in ends]
    expected = [
        notices.with_span(notices.VIDEO_TRUNCATED, 0.0, end, whole).text for end, whole in given
    ]
    arguments = [("video_truncated", {"end": end, "whole": whole}) for end, whole in given]
    assert [each["text"] for each in call("errors.js", "noticeOf", arguments)] == expected
    (found,) = call("errors.js", "noticeOf", [("video_damaged", {"start": 65.4, "end": 3600.0})])
    assert found["text"] == notices.with_span(notices.VIDEO_DAMAGED, 65.4, 3600.0, None).text


NUMBERS = [25, 30, 29.97, 30000 / 1001, 24000 / 1001, 0.5, 100, 1000, 10.1, 7.0625, 7.1875, 12.3125]
NUMBERS += [0.0625, 0.1875, 1 / 3, 59.9995, 0.0005, 120.0]


def test_thousandths_are_rounded_as_python_rounds_them():
    chance = random.Random(3)
    numbers = NUMBERS + [chance.uniform(0, 300) for _ in range(500)]
    numbers += [math.floor(chance.uniform(0, 3000)) / 16 for _ in range(200)]
    expected = [f"{each:.3f}" for each in numbers]
    assert call("errors.js", "thousandths", zip(numbers)) == expected

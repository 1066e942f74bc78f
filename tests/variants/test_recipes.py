"""Names of edits, and where they put a picture."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hashkit
from hashkit.models import ORIENTATIONS
from hashkit.variants import recipes
from hashkit.variants.recipes import is_edit, layout_of
from hashkit.variants.sets import BY_COVERAGE, LEVELS, MAX_HASHES, moving_names_at, names_at

SCHEMA_NAME = json.loads(hashkit.submission_schema())["$defs"]["item"]["properties"]["variants"][
    "items"
]["properties"]["name"]["pattern"]


@pytest.mark.parametrize(
    "name",
    [
        *("original", "", "jane-doe", "crop-5-jane", "max.0171-1234567", "crop-5+", "+mirrored"),
        *("x" * 10_000 + "_", "crop-5" + "+mirrored" * 20, "Mirrored", "mirrored\n"),
    ],
)
def test_no_other_name_is_an_edit(name):
    """A person's name does not fit in, and no name takes long to refuse."""
    assert not is_edit(name)


def box(layout):
    return pytest.approx((layout.left, layout.top, layout.right, layout.bottom))


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("original", 1.5, (0, 0, 1, 1)),
        ("crop-10", 1.5, (-0.125, -0.125, 1.125, 1.125)),
        ("crop-left-20", 1.5, (-0.25, 0, 1, 1)),
        ("crop-ends-25", 1.5, (0, -0.5, 1, 1.5)),
        ("square", 2.0, (-0.5, 0, 1.5, 1)),
        ("square-at-0", 2.0, (0, 0, 2, 1)),
        ("square-at-100", 0.5, (0, -1, 1, 1)),
        ("padded-1x1-black", 2.0, (0, 0.25, 1, 0.75)),
        ("padded-1x1-black-at-0", 2.0, (0, 0, 1, 0.5)),
        ("bordered-white-25", 1.0, (1 / 6, 1 / 6, 5 / 6, 5 / 6)),
        ("caption-top-25", 1.0, (0, 0.2, 1, 1)),
        ("caption-bottom-100", 1.0, (0, 0, 1, 0.5)),
    ],
)
def test_where_the_picture_lies(name, shape, expected):
    assert box(layout_of(name, shape)) == expected


@pytest.mark.parametrize(
    ("name", "shape"),
    [("square", 1.0), ("crop-4x5", 0.8), ("padded-9x16-black", 9 / 16), ("crop-5", 1.7)],
)
def test_the_shape_of_the_canvas(name, shape):
    assert layout_of(name, 1.7).shape == pytest.approx(shape)


def test_what_was_cut_off_stays_off():
    layout = layout_of("crop-left-50+padded-1x1-black".replace("50", "40"), 1.0)
    assert layout.window[0] == pytest.approx(0.2)
    assert layout.left < layout.window[0]


@pytest.mark.parametrize(
    "name",
    [
        *("", "crop", "crop-", "crop-50", "crop-99", "crop-5-", "crop--5", "crop-5 ", "Crop-5"),
        *("square+", "+square", "padded-9x16-red", "padded-0x16-black", "rotated-3-blurred"),
        *("crop-5+rotated-3", "padded-1x1-black+bordered-white-3", "nothing", "crop-1e3"),
    ],
)
def test_other_names(name):
    with pytest.raises(ValueError, match=r"edit|rotation"):
        layout_of(name, 1.0)


@given(st.text(max_size=30), st.floats(0.01, 100))
def test_any_text(name, shape):
    try:
        layout = layout_of(name, shape)
    except ValueError as error:
        assert str(error)
    else:
        assert layout.shape > 0


@pytest.mark.parametrize("shape", [0.01, 0.4, 9 / 16, 1.0, 1.78, 100])
def test_every_edit_of_the_sets_is_one(shape):
    for name in (*BY_COVERAGE, *ORIENTATIONS):
        layout = layout_of(name, shape)
        assert layout.left < layout.right
        assert layout.top < layout.bottom
        left, top, right, bottom = layout.window
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1


def test_sets():
    assert len(set(BY_COVERAGE)) == len(BY_COVERAGE) >= MAX_HASHES["wide"]
    assert BY_COVERAGE[0] == "mirrored"
    assert names_at("orientations") == ORIENTATIONS[1:]
    for level in LEVELS:
        for name in (*names_at(level), *moving_names_at(level)):
            assert is_edit(name)
            assert re.fullmatch(SCHEMA_NAME, name)


def test_every_kind_of_name_is_explained():
    explained = recipes.__doc__
    for name in BY_COVERAGE:
        for part in name.split("+"):
            kind = re.sub(r"-?\d+(\.\d)?(x\d+)?", "", part).removesuffix("-at")
            kind = re.sub(r"(black|white|grey|left|right|top|bottom|sides|ends)$", "", kind)
            assert kind.split("-")[0] in explained, name

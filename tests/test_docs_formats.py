"""docs/formats.md: its examples match the output, and its tables are complete."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from hashkit.submission.formats.base import Reader
from hashkit.submission.formats.converting import export_submission, import_submission
from hashkit.submission.formats.registry import FORMATS


@pytest.fixture(scope="module")
def page(root):
    return (root / "docs" / "formats.md").read_text("utf-8")


def section(page, name):
    return page.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]


def example(page, name):
    (block,) = re.findall(r"```(?:json|xml|text)\n(.*?)```", section(page, name), re.DOTALL)
    return block


@pytest.mark.parametrize("name", FORMATS)
def test_the_example_is_what_is_written(page, name):
    submission = import_submission(example(page, "csv").encode()).submission
    written = export_submission(submission, name).content.decode()
    shown = example(page, name)
    if name == "ncmec":
        assert ET.canonicalize(shown) == ET.canonicalize(written)
    elif shown.lstrip()[0] in "[{":
        assert json.loads(shown) == json.loads(written)
    else:
        assert shown == written


@pytest.mark.parametrize("name", FORMATS)
def test_the_table_says_what_is_a_draft_and_what_is_read(page, name):
    (row,) = re.findall(rf"^\| \[`{name}`\].*$", page, re.M)
    assert ("**draft**" in row) == bool(FORMATS[name].draft)
    assert row.endswith("| yes |") == issubclass(FORMATS[name], Reader)
    assert ("**Draft" in section(page, name)) == bool(FORMATS[name].draft)


def test_every_option_is_there(page, commands):
    for command in ("export", "import"):
        named = set(re.findall(r"--[a-z]+", page)) | {"--format", "--force"}
        assert "--out" in commands[command]
        assert commands[command] <= named

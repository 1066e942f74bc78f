"""The submission: nothing in it but hashes, whatever the files were called."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

import hashkit
from hashkit.errors import DocumentInvalid, FileMissing, IsAFolder
from hashkit.hashes.registry import ALGORITHMS
from hashkit.models import (
    MOVING_READINGS,
    READINGS,
    STILL_READINGS,
    FailedFile,
    FrameHash,
    FrameHashes,
    Hash,
    HashedFile,
    MediaKind,
)
from hashkit.submission.document import Item, Submission

SCHEMA = json.loads(hashkit.submission_schema())
items = st.from_type(Item)  # see conftest.py


@given(st.lists(items, max_size=8))
def test_round_trip_and_schema(given_items):
    submission = Submission.from_items(given_items)
    text = submission.to_json()
    jsonschema.validate(json.loads(text), SCHEMA)
    again = Submission.from_json(text)
    assert again.to_json() == text

    def contents(items):
        return {
            (item.kind, frozenset(item.hashes), item.frames, item.frame_variants) for item in items
        }

    assert contents(again.items) == contents(given_items)


@given(st.lists(items, max_size=6), st.randoms())
def test_the_order_of_the_files_does_not_show(given_items, random):
    shuffled = list(given_items)
    random.shuffle(shuffled)
    texts = {Submission.from_items(each).to_json() for each in (given_items, shuffled)}
    assert len({json.dumps(sorted(json.loads(t)["items"], key=str)) for t in texts}) == 1
    order = [each["hashes"].get("sha256", "") for each in json.loads(texts.pop())["items"]]
    assert order == sorted(order)


def test_the_same_picture_twice_is_one_item(samples, tmp_path):
    copy = tmp_path / "copy.jpg"
    copy.write_bytes((samples / "scene-1.jpg").read_bytes())
    outcomes = hashkit.hash_files([samples / "scene-1.jpg", copy, samples / "scene-2.jpg"])
    assert len(Submission.of(outcomes).items) == 2


def test_schema_and_registry_know_the_same_hashes():
    properties = SCHEMA["$defs"]["item"]["properties"]["hashes"]["properties"]
    assert set(properties) == set(ALGORITHMS)
    for name, algorithm in ALGORITHMS.items():
        described = properties[name]
        if name == "vpdq":
            continue  # its values are those of PDQ
        if "$ref" in described:
            described = SCHEMA["$defs"][described["$ref"].rpartition("/")[2]]
        if "properties" in described:
            described = described["properties"]["value"]
        assert described["pattern"] == "^" + algorithm.pattern.pattern.replace("?:", "") + "$"


def test_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


MARK = "marker-7f3a"


def test_nothing_personal_gets_in(tmp_path):
    """Markers in names, folders, EXIF, comments and text fields; none in the document."""
    folder = tmp_path / f"folder-{MARK}"
    folder.mkdir()
    picture = Image.effect_noise((120, 90), 80).convert("RGB")
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = exif[0x0132] = f"{MARK} 2024:05:06 07:08:09"  # text, artist, date
    exif.get_ifd(0x8769)[0x9003] = f"{MARK} 2024:05:06 07:08:09"
    picture.save(folder / f"{MARK}.jpg", exif=exif, comment=MARK.encode())
    text = PngInfo()
    text.add_text("Comment", MARK)
    picture.save(folder / f"{MARK}.png", pnginfo=text)
    broken = folder / f"{MARK}-broken.png"
    broken.write_bytes((folder / f"{MARK}.png").read_bytes()[:200])
    outcomes = list(hashkit.hash_files(hashkit.files_in(tmp_path), algorithms="all"))
    assert len(outcomes) == 3
    target = tmp_path / "out.json"
    hashkit.write_submission(Submission.of(outcomes), target)
    written = target.read_text()
    document = json.loads(written)
    assert len(document["items"]) == 3
    assert set(document) == {"format", "version", "items"}
    for item in document["items"]:
        assert set(item) == {"kind", "hashes"}
    for secret in (MARK, "2024", "120", "jpg", "png", str(tmp_path)):
        # Hex digits may spell a number by chance: those are looked for as words.
        assert f'"{secret}' not in written
        assert f" {secret}" not in written
    assert MARK not in written
    jsonschema.validate(document, SCHEMA)


def test_what_failed_is_in_it_with_its_exact_hashes_only():
    error = hashkit.HashkitError()
    failed = FailedFile(None, error)
    broken = FailedFile(None, error, MediaKind.IMAGE, (Hash("md5", "0" * 32),))
    good = HashedFile(None, MediaKind.IMAGE, (Hash("md5", "1" * 32),))
    found = [item.hashes[0].value[0] for item in Submission.of([failed, broken, good]).items]
    assert found == ["0", "1"]


GOOD = {
    "format": "hashkit-submission",
    "version": 1,
    "items": [{"kind": "image", "hashes": {"pdq": {"value": "0" * 64, "quality": 77}}}],
}


def changed(**fields):
    return json.dumps({**GOOD, **fields})


def with_item(**fields):
    return changed(items=[{**GOOD["items"][0], **fields}])


def with_hash(name, value):
    return with_item(hashes={name: value})


def with_variant(name, version=2):
    variants = [{"name": name, "pdq": {"value": "1" * 64, "quality": 77}}]
    return changed(version=version, items=[{**GOOD["items"][0], "variants": variants}])


def frame(**fields):
    return {"frame": 0, "timestamp": 0.0, "value": "0" * 64, "quality": 5, **fields}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a hashkit submission"),
        ("[]", "not a hashkit submission"),
        ("{}", "missing: format, items, version"),
        ("[" * 100_000, "not a hashkit submission"),
        ('{"format": "hashkit-submission", "version": NaN, "items": []}', "not a hashkit"),
        (changed(format="other"), "not a hashkit submission"),
        (changed(version=3), "another version"),
        (changed(version=0), "another version"),
        (with_variant("alpha-dropped", version=1), "has no other readings"),
        (with_variant("palette-indices+as-stored", version=1), "has no other readings"),
        (with_variant("by-time"), "not one name and one hash"),
        (with_variant("by-frame-count"), "not one name and one hash"),
        (with_variant("as-stored+alpha-dropped"), "not one name and one hash"),
        (with_variant("alpha-dropped+mirrored"), "not one name and one hash"),
        (changed(version=True), "another version"),
        (changed(name="holiday.jpg"), "does not belong"),
        (changed(items={}), "not a list"),
        (with_item(path="a.jpg"), "In item 1, there is something that does not belong"),
        (with_item(kind="person"), "neither image nor video"),
        (with_item(kind=["image"]), "neither image nor video"),
        (with_item(hashes={}), "no hashes"),
        (with_hash("filename", "a.jpg"), "unknown kind"),
        (with_hash("md5", "0" * 31), "not a md5 hash"),
        (with_hash("md5", "0" * 32 + "\n"), "not a md5 hash"),
        (with_hash("md5", "A" * 32), "not a md5 hash"),
        (with_hash("md5", 5), "not a md5 hash"),
        (with_hash("pdq", "0" * 64), "not a hashkit submission"),
        (with_hash("pdq", {"value": "0" * 64, "quality": 101}), "not 0 to 100"),
        (with_hash("pdq", {"value": "0" * 64, "quality": True}), "not 0 to 100"),
        (with_hash("pdq", {"value": "0" * 64, "quality": 5, "width": 9}), "does not belong"),
        (with_hash("tmk_pdqf", "AAAA"), "not a hashkit submission"),
        (with_hash("tmk_pdqf", {"encoding": "base64", "value": "AAAA"}), "not a tmk_pdqf hash"),
        (with_hash("tmk_pdqf", {"encoding": "hex", "value": "A" * 351126 + "=="}), "not base64"),
        (with_hash("vpdq", {"interval": 1, "frames": [], "name": "x"}), "does not belong"),
        (with_hash("vpdq", {"interval": "often", "frames": []}), "not a number of seconds"),
        (with_hash("vpdq", {"interval": 1, "frames": {}}), "not a list"),
        (with_hash("vpdq", {"interval": 1, "frames": [frame(frame=-1)]}), "has no number"),
        (with_hash("vpdq", {"interval": 1, "frames": [frame(timestamp="1")]}), "a timestamp"),
        (with_hash("vpdq", {"interval": 1, "frames": [frame(quality=101)]}), "not 0 to 100"),
        (with_hash("vpdq", {"interval": 1, "frames": [frame(value="0")]}), "not a pdq hash"),
        ('{"format": "x", "format": "hashkit-submission", "version": 1, "items": []}', "not a"),
        (b"\xff\xfe\x00", "not a hashkit submission"),
    ],
)
def test_what_does_not_belong_is_refused(text, why):
    with pytest.raises(DocumentInvalid, match=why):
        Submission.from_json(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["format", "version", "items", "kind", "hashes", "pdq", "value"]),
                inner,
            )
        ),
        max_leaves=12,
    )
)
def test_anything_is_read_or_refused(document):
    try:
        found = Submission.from_json(json.dumps(document))
    except DocumentInvalid as refusal:
        assert str(refusal).endswith(".")
    else:
        assert Submission.from_json(found.to_json()) == found


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data):
    with pytest.raises(DocumentInvalid):
        Submission.from_json(data)


def test_an_item_needs_a_hash_of_the_original():
    with pytest.raises(ValueError, match="needs a hash"):
        Submission.from_items([Item(MediaKind.IMAGE, (Hash("pdq", "0" * 64, 5, "mirrored"),))])


def test_reading_and_refusing_files(tmp_path):
    path = tmp_path / "s.json"
    with pytest.raises(FileMissing):
        hashkit.read_submission(path)
    with pytest.raises(IsAFolder):
        hashkit.read_submission(tmp_path)
    path.write_text(json.dumps(GOOD))
    assert hashkit.read_submission(path).items[0].hashes[0].quality == 77
    with path.open("wb") as stream:
        stream.truncate((256 << 20) + 1)
    with pytest.raises(DocumentInvalid, match="too big"):
        hashkit.read_submission(path)


@pytest.mark.parametrize("wrong", ["x.jpg", b"x.jpg", Path("x.jpg"), ["x.jpg"], [None]])
def test_a_path_is_no_outcome(wrong):
    with pytest.raises(TypeError, match="takes a list of what hash_file and hash_files return"):
        Submission.of(wrong)


def test_one_outcome_is_no_list_of_them(samples):
    paths = samples / "scene-1.jpg", samples / "none.jpg"
    for outcome in hashkit.hash_files(paths, algorithms="md5"):
        with pytest.raises(TypeError, match="takes a list"):
            Submission.of(outcome)


READ = Hash("pdq", "1" * 64, 90, "alpha-dropped")


class TestReadings:
    """Other readings of a file: version 2, which readers of version 1 refuse."""

    def submission(self, *more):
        return Submission.from_items([Item(MediaKind.IMAGE, (Hash("pdq", "0" * 64, 77), *more))])

    def version(self, submission):
        text = submission.to_json()
        assert Submission.from_json(text) == submission
        jsonschema.validate(json.loads(text), SCHEMA)
        return json.loads(text)["version"]

    def test_the_lowest_version_that_holds_the_content(self):
        edit = Hash("pdq", "2" * 64, 90, "mirrored")
        assert self.version(self.submission()) == 1
        assert self.version(self.submission(edit)) == 1
        assert self.version(self.submission(READ)) == 2
        assert self.version(self.submission(READ, edit)) == 2

    @pytest.mark.parametrize("name", MOVING_READINGS)
    def test_of_videos(self, name):
        frames = FrameHashes(1.0, (FrameHash(0, 0.0, "0" * 64, 100),))
        item = Item(MediaKind.VIDEO, (), frames, (replace(frames, variant=name),))
        assert self.version(Submission.from_items([item])) == 2

    def test_version_2_without_readings_is_read_too(self):
        read = Submission.from_json(changed(version=2))
        assert read == Submission.from_json(json.dumps(GOOD))
        assert json.loads(read.to_json())["version"] == 1

    @pytest.mark.parametrize("name", STILL_READINGS)
    def test_the_schema_knows_every_reading(self, name):
        for version in (1, 2):
            document = json.loads(with_variant(name, version))
            assert jsonschema.Draft202012Validator(SCHEMA).is_valid(document) is (version == 2)
        assert sorted(SCHEMA["$defs"]["reading"]["enum"]) == sorted(READINGS)

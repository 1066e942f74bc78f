"""What every format keeps to: nothing lost in silence, nothing changed, nothing added."""

from __future__ import annotations

import json
import re
from collections import Counter
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import hashkit
from hashkit.models import ORIGINAL, FrameHash, FrameHashes, Hash, MediaKind
from hashkit.submission.document import Item, Submission
from hashkit.submission.formats.base import format_schema
from hashkit.submission.formats.converting import export_submission
from hashkit.submission.formats.registry import FORMATS
from hashkit.submission.formats.signals import signals_of

NCMEC = "{https://hashsharing.ncmec.org/hashsharing/v2}"

# What each format has a place for, and what it calls it.
HOLDS = {
    "stopncii": {("image", "pdq"): "ImagePDQ", ("video", "pdq"): "ImagePDQ"}
    | {("video", "md5"): "VideoMD5"},
    "ncmec": {
        (kind, name): f"{kind} {name}"
        for kind in ("image", "video")
        for name in ("md5", "sha1", "pdq")
    },
    "threatexchange": {
        ("image", "pdq"): "HASH_PDQ",
        ("video", "pdq"): "HASH_PDQ",
        ("image", "md5"): "HASH_MD5",
        ("image", "sha1"): "HASH_SHA1",
        ("image", "sha256"): "HASH_SHA256",
        ("video", "md5"): "HASH_VIDEO_MD5",
        ("video", "sha1"): "HASH_SHA1",
        ("video", "sha256"): "HASH_VIDEO_SHA256",
    },
    "threatexchange-cli": {
        ("image", "pdq"): "pdq",
        ("video", "pdq"): "pdq",
        ("image", "vpdq"): "vpdq",
        ("video", "vpdq"): "vpdq",
        ("video", "md5"): "video_md5",
        ("video", "sha256"): "video_sha256",
    },
    "hma": {("image", "pdq"): "pdq", ("video", "pdq"): "pdq", ("video", "md5"): "video_md5"},
    "vics": {(kind, name): name.upper() for kind in ("image", "video") for name in ("md5", "sha1")},
    "vpdq": {("image", "vpdq"): "frames", ("video", "vpdq"): "frames"},
    "csv": {
        (kind, name): f"{kind} {name}" for kind in ("image", "video") for name in hashkit.ALGORITHMS
    },
}
SAYS_QUALITY = {"csv", "vpdq"}


def frames_text(frames):
    return [f"{each.value},{each.quality},{each.timestamp:.3f}" for each in frames.hashes]


def value_of(signal):
    if isinstance(signal.found, FrameHashes):
        return json.dumps(frames_text(signal.found))
    return signal.text


def in_stopncii(text):
    document = json.loads(text)
    assert document["count"] == len(document["hashRecords"])
    return [(each["signalType"], each["hashValue"]) for each in document["hashRecords"]]


def in_ncmec(text):
    root = ET.fromstring(text)
    for group in root:
        assert int(group.get("count")) == len(group)
        assert len({entry.find(f"{NCMEC}id").text for entry in group}) == len(group)
    return [
        (f"{entry.tag} {each.tag}".replace(NCMEC, ""), each.text)
        for group in root
        for entry in group
        for each in entry.find(f"{NCMEC}fingerprints")
    ]


def in_table(text):
    found = {}
    for line in text.splitlines()[1:]:
        item, kind, algorithm, variant, quality, _, frame, timestamp, value = re.findall(
            r'(?:^|,)(?:"([^"]*)"|([^,]*))', line
        )
        cell = [a or b for a, b in (value, quality, timestamp)]
        key = f"{kind[1]} {algorithm[1]}", item[1], variant[1]
        if algorithm[1] != "vpdq":
            found.setdefault((*key, cell[0]), []).append(cell[0])
            continue
        rows = found.setdefault((*key, ""), [])
        if frame[1]:
            rows.append(f"{cell[0]},{cell[1]},{float(cell[2]):.3f}")
    return [
        (key[0], value)
        for key, rows in found.items()
        for value in ([json.dumps(rows)] if key[0].endswith(" vpdq") else rows)
    ]


def in_vpdq(text):
    rows = [line.split(",") for line in text.splitlines()]
    return [("frames", json.dumps([f"{row[2]},{row[1]},{row[3]}" for row in rows]))]


READ = {
    "stopncii": in_stopncii,
    "ncmec": in_ncmec,
    "threatexchange": lambda text: [(e["type"], e["indicator"]) for e in json.loads(text)],
    "threatexchange-cli": lambda text: [tuple(line.split(" ", 1)) for line in text.splitlines()],
    "hma": lambda text: [pair for body in json.loads(text) for pair in body.items()],
    "vics": lambda text: [
        (name, entry[name])
        for entry in json.loads(text)["value"]
        for name in ("MD5", "SHA1")
        if name in entry
    ],
    "vpdq": in_vpdq,
    "csv": in_table,
}


def expected(name, signals):
    """The hashes that a format should hold, worked out without asking it."""
    fit = [each for each in signals if (each.kind.value, each.algorithm) in HOLDS[name]]
    if name not in SAYS_QUALITY:
        fit = [each for each in fit if not is_plain(each)]
    if name == "vics":
        with_md5 = {each.item for each in fit if each.algorithm == "md5"}
        return [each for each in fit if each.item in with_md5]
    if name == "vpdq":
        return [each for each in fit if each.variant == ORIGINAL and each.found.hashes][:1]
    if name == "csv":
        seen = Counter()
        kept = []
        for each in fit:
            key = each.item, each.variant, each.algorithm == "vpdq"
            seen[key] += 1
            if each.algorithm != "vpdq" or seen[key] == 1:
                kept.append(each)
        return kept
    return fit


def is_plain(signal):
    if isinstance(signal.found, FrameHashes):
        return not any(each.quality >= 50 for each in signal.found.hashes)
    return signal.algorithm == "pdq" and signal.found.quality < 50


def test_every_format_is_tested():
    assert list(HOLDS) == list(FORMATS)
    assert set(READ) == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
class TestEveryFormat:
    @given(submission=st.from_type(Submission))
    @settings(max_examples=40)
    def test_holds_all_that_it_can_and_lists_the_rest(self, name, submission):
        exported = export_submission(submission, name)
        signals = list(signals_of(submission))
        assert list(exported.held) == expected(name, signals)
        left = [each.signal for each in exported.left_out]
        assert Counter(left) + Counter(exported.held) == Counter(signals)
        gone = {each.item for each in left} - {each.item for each in exported.held}
        assert exported.missing_items == tuple(sorted(gone))
        for each in exported.left_out:
            assert re.fullmatch(r"[A-Zv][^!]+\.", each.why)

    @given(submission=st.from_type(Submission))
    @settings(max_examples=40)
    def test_what_it_holds_is_in_the_document_and_nothing_else(self, name, submission):
        exported = export_submission(submission, name)
        if name == "vpdq" and not exported.held:
            assert exported.content == b""
            return
        in_it = Counter(READ[name](exported.content.decode("ascii")))
        held = Counter(
            (HOLDS[name][each.kind.value, each.algorithm], value_of(each)) for each in exported.held
        )
        assert set(in_it) == set(held)
        for each in in_it:
            assert in_it[each] <= held[each]

    @given(submission=st.from_type(Submission))
    @settings(max_examples=40)
    def test_is_valid_by_its_schema(self, name, submission):
        exported = export_submission(submission, name)
        content = exported.content.decode("ascii")
        if not exported.held and name in ("threatexchange", "hma"):
            assert content == "[]\n"  # no request at all: the schema wants one
        elif name == "ncmec":
            xmlschema.XMLSchema(format_schema(name)).validate(content)
        elif name in ("stopncii", "threatexchange", "hma", "vics"):
            jsonschema.validate(json.loads(content), json.loads(format_schema(name)))
        else:
            with pytest.raises(KeyError):
                format_schema(name)
            pattern = LINES[name]
            assert all(re.fullmatch(pattern, line) for line in content.splitlines())

    def test_one_item_alone(self, name):
        md5 = [Hash("md5", digit * 32) for digit in "12"]
        frames = [FrameHashes(1, ()), FrameHashes(2, ())]
        items = [Item(MediaKind.VIDEO, (a,), b) for a, b in zip(md5, frames, strict=True)]
        submission = Submission.from_items(items)
        for number, item in enumerate(submission.items, 1):
            exported = export_submission(submission, name, number)
            assert {each.item for each in exported.held} <= {number}
            assert exported.left_out or exported.held
            if name != "vpdq":
                assert item.hashes[0].text in exported.content.decode()
        for number in (0, 3, -1):
            with pytest.raises(ValueError, match="there is no item"):
                export_submission(submission, name, number)

    def test_edits_of_the_same_name_do_not_replace_each_other(self, name):
        edits = [Hash("pdq", digit * 64, 90, "mirrored") for digit in "123"]
        original = Hash("pdq", "0" * 64, 90)
        submission = Submission.from_items([Item(MediaKind.IMAGE, (original, *edits))])
        exported = export_submission(submission, name)
        for each in exported.held:
            assert each.text in exported.content.decode()

    def test_of_nothing(self, name):
        exported = export_submission(Submission(()), name)
        assert (exported.held, exported.left_out, exported.not_said) == ((), (), ())

    def test_nothing_personal_gets_in(self, name, tmp_path):
        mark = "marker-7f3a"
        picture = Image.effect_noise((120, 90), 80).convert("RGB")
        exif = Image.Exif()
        exif[0x010E] = exif[0x013B] = exif[0x0132] = f"{mark} 2024:05:06 07:08:09"
        picture.save(tmp_path / f"{mark}.jpg", exif=exif, comment=mark.encode())
        submission = Submission.of(hashkit.hash_files([tmp_path / f"{mark}.jpg"]))
        content = export_submission(submission, name).content.decode("ascii")
        rest = re.sub(r"[0-9a-f]{32,}|https?://\S+|UTF-8|HASH_\w+|[iI]mage(PDQ)?1?", "", content)
        assert not re.search(r"\d{2,}[-:]\d|[12][09]\d\d|jpg|marker|120|\b90\b", rest)
        assert str(tmp_path) not in content

    def test_says_what_it_does_not_say(self, name):
        pdq = Hash("pdq", "a" * 64, 90)
        plain = Submission.from_items([Item(MediaKind.IMAGE, (pdq,))])
        edited = Submission.from_items(
            [Item(MediaKind.IMAGE, (pdq, Hash("pdq", "b" * 64, 90, "mirrored")))]
        )
        one, both = (export_submission(each, name).not_said for each in (plain, edited))
        if name in ("csv", "vics", "vpdq"):  # say everything of these, or hold none of them
            assert one == both == ()
            return
        assert "the quality of PDQ hashes" in one
        assert "which hashes are of edits, and of what" not in one
        assert "which hashes are of edits, and of what" in both

    def test_draft_says_so_in_sentences(self, name):
        assert re.fullmatch(r"|[A-Z][^!]*\.", FORMATS[name].draft)
        assert bool(FORMATS[name].draft) == (
            name in ("stopncii", "ncmec", "threatexchange", "vics")
        )


LINES = {
    "threatexchange-cli": (
        r"pdq [0-9a-f]{64}|video_md5 [0-9a-f]{32}|video_sha256 [0-9a-f]{64}"
        r'|vpdq \[("[0-9a-f]{64},\d{1,3},\d+\.\d{3}"(, |\]$))+'
    ),
    "vpdq": r"\d+,\d{1,3},[0-9a-f]{64},\d+\.\d{3}",
    "csv": (
        r"item,kind,algorithm,variant,quality,interval,frame,timestamp,value"
        r"|\d+,(image|video),[a-z0-9_]+,[a-z0-9.+-]+,\d{0,3},[a-z0-9.+-]*,\d*,[0-9.e-]*"
        r',("[0-9a-f,]+"|[0-9a-f]*|[A-Za-z0-9+/]{351126}==)'
    ),
}


@pytest.mark.parametrize("name", ["stopncii", "threatexchange", "hma", "vics"])
def test_json_schemas_refuse_anything_more(name):
    schema = json.loads(format_schema(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    for empty in ([], {}):
        assert not jsonschema.Draft202012Validator(schema).is_valid(empty)

    def closed(part):
        if part.get("type") == "object":
            assert part["additionalProperties"] is False
        if part.get("type") == "string":
            assert part["pattern"].startswith("^")
        for below in [*part.get("properties", {}).values(), part.get("items")]:
            if below is not None:
                closed(below)

    closed(schema)


def test_unknown_formats():
    with pytest.raises(ValueError, match="no such format"):
        export_submission(Submission(()), "zip")


def one_item(kind, *hashes, frames=None):
    return Item(kind, hashes, frames)


FRAME = FrameHash(0, 0.0, "a" * 64, 90)
PDQ, OTHER = Hash("pdq", "a" * 64, 90), Hash("pdq", "b" * 64, 90)
MD5, SHA1 = Hash("md5", "a" * 32), Hash("sha1", "a" * 40)
MOVES = FrameHashes(1.0, (FRAME,))
KIND = "whether a PDQ hash is of a picture or of a video"
MOVING = "whether frames are of a video or of a picture that moves"
SAYS_NOT = [
    ("stopncii", one_item(MediaKind.VIDEO, PDQ), {KIND}),
    ("threatexchange", one_item(MediaKind.VIDEO, PDQ), {KIND}),
    ("hma", one_item(MediaKind.VIDEO, PDQ), {KIND}),
    ("threatexchange-cli", one_item(MediaKind.VIDEO, PDQ), {KIND}),
    (
        "threatexchange",
        one_item(MediaKind.IMAGE, SHA1),
        {"whether a SHA-1 is of a picture or of a video"},
    ),
    ("vics", one_item(MediaKind.VIDEO, MD5), {"which entries are of pictures and which of videos"}),
    ("vpdq", one_item(MediaKind.VIDEO, MD5, frames=MOVES), {"how often frames were sampled"}),
    (
        "vpdq",
        one_item(MediaKind.IMAGE, MD5, frames=MOVES),
        {"how often frames were sampled", MOVING},
    ),
    (
        "threatexchange-cli",
        one_item(MediaKind.IMAGE, MD5, frames=MOVES),
        {"how often frames were sampled", "the numbers of frames", MOVING},
    ),
    ("stopncii", one_item(MediaKind.IMAGE, PDQ), set()),
    ("csv", one_item(MediaKind.IMAGE, PDQ, frames=MOVES), set()),
]


@pytest.mark.parametrize(("name", "item", "expected"), SAYS_NOT)
def test_each_detail_is_named_where_it_matters(name, item, expected):
    not_said = set(export_submission(Submission.from_items([item]), name).not_said)
    assert not_said - {"the quality of PDQ hashes"} == expected


@pytest.mark.parametrize("name", ["stopncii", "threatexchange", "threatexchange-cli", "hma"])
def test_what_stands_for_several_files_stands_once(name):
    items = [Item(MediaKind.IMAGE, (Hash("md5", digit * 32), PDQ)) for digit in "12"]
    exported = export_submission(Submission.from_items(items), name)
    assert exported.content.decode().count(PDQ.text) == 1
    assert sum(each.algorithm == "pdq" for each in exported.held) == 2


WHY_NOT = [
    ("ncmec", Hash("tmk_pdqf", bytes(263_344)), "NCMEC takes TMK as a file of its own"),
    ("stopncii", Hash("tmk_pdqf", bytes(263_344)), "in a form that is not published"),
    ("threatexchange", Hash("tmk_pdqf", bytes(263_344)), "in a form that is not published"),
    ("vics", PDQ, "VICS has no published field for PDQ."),
    ("vics", SHA1, "VICS needs an MD5 as well."),
    ("ncmec", Hash("sha256", "a" * 64), "Of the hashes that hashkit makes, NCMEC takes"),
    ("threatexchange-cli", FrameHashes(1.0, ()), "There are no frames in it."),
    (
        "threatexchange-cli",
        FrameHashes(1.0, (FrameHash(0, 0.0, "a" * 64, 49),)),
        "None of its frames shows enough detail",
    ),
]


@pytest.mark.parametrize(("name", "found", "why"), WHY_NOT)
def test_reasons_are_the_true_ones(name, found, why):
    moving = isinstance(found, FrameHashes)
    item = Item(MediaKind.VIDEO, (MD5,) if moving else (found,), found if moving else None)
    exported = export_submission(Submission.from_items([item]), name)
    assert why in {each.signal.found: each.why for each in exported.left_out}[found]


def test_a_video_of_which_some_frames_are_plain_is_held_whole():
    frames = FrameHashes(1.0, (FRAME, FrameHash(1, 1.0, "b" * 64, 3)))
    submission = Submission.from_items([Item(MediaKind.VIDEO, (MD5,), frames)])
    assert b"b" * 64 in export_submission(submission, "threatexchange-cli").content


def changed(document, *place, to):
    """A document with another value in a place; or with a new field."""
    copy = json.loads(json.dumps(document))
    part = copy
    for step in place[:-1]:
        part = part[step]
    if to is None:
        del part[place[-1]]
    else:
        part[place[-1]] = to
    return copy


def exported_json(name):
    items = [Item(MediaKind.IMAGE, (MD5, SHA1, PDQ)), Item(MediaKind.VIDEO, (MD5,))]
    return json.loads(export_submission(Submission.from_items(items), name).content)


BAD_JSON = [
    ("stopncii", ("count",), None),
    ("stopncii", ("name",), "anna"),
    ("stopncii", ("hashRecords", 0, "lastModtimestamp"), 1),
    ("stopncii", ("hashRecords", 0, "hashValue"), "a" * 32),  # it is a PDQ
    ("stopncii", ("hashRecords", 1, "hashValue"), "a" * 64),  # it is an MD5
    ("stopncii", ("hashRecords", 0, "signalType"), "ImageMD5"),
    ("stopncii", ("hashRecords", 0, "CSPFeedbacks"), [{}]),
    ("threatexchange", (0, "type"), "HASH_SHA1"),
    ("threatexchange", (0, "type"), "HASH_PDQ"),
    ("threatexchange", (1, "type"), "HASH_MD5"),
    ("threatexchange", (0, "share_level"), "WHITE"),
    ("threatexchange", (0, "privacy_type"), "VISIBLE"),
    ("threatexchange", (0, "privacy_type"), None),
    ("threatexchange", (0, "description"), "anna"),
    ("hma", (0,), {}),
    ("hma", (0, "note"), "anna"),
    ("hma", (0, "pdq"), "a" * 32),
    ("vics", ("value", 0, "MD5"), None),
    ("vics", ("value", 0, "MD5"), "A" * 32),
    ("vics", ("value", 0, "Category"), 1),
    ("vics", ("value", 0, "MediaID"), 0),
    ("vics", ("value", 0, "RelativeFilePath"), "anna.jpg"),
    ("vics", ("@odata.context",), "x"),
]


@pytest.mark.parametrize(("name", "place", "to"), BAD_JSON)
def test_json_schemas_refuse_what_is_wrong(name, place, to):
    document, schema = exported_json(name), json.loads(format_schema(name))
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(document, *place, to=to), schema)


BAD_XML = [
    ("<md5>", "<md5> "),
    ("<md5>a", "<md5>A"),
    ("<sha1>a", "<sha1>"),
    ("<pdq>a", "<pdq>aa"),
    (' count="1"', ""),
    ("image1", "video9"),
    ("image1", "image2024-05-06"),
    ("<id>image1</id>", ""),
    ("<id>image1</id>", "<id>image1</id><name>anna</name>"),
    ("<md5>" + "a" * 32 + "</md5>", ""),  # of the video, nothing is left
]


@pytest.mark.parametrize(("part", "other"), BAD_XML)
def test_the_xml_schema_refuses_what_is_wrong(part, other):
    items = [Item(MediaKind.IMAGE, (MD5, SHA1, PDQ)), Item(MediaKind.VIDEO, (MD5,))]
    text = export_submission(Submission.from_items(items), "ncmec").content.decode()
    schema = xmlschema.XMLSchema(format_schema("ncmec"))
    schema.validate(text)
    assert part in text
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(other.join(text.rsplit(part, 1)))

"""Of several video tracks, the one that players show is hashed."""

from __future__ import annotations

import base64
import io
import zlib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

import hashkit
from hashkit import notices
from hashkit.errors import NotMedia
from hashkit.media.recognition import recognise
from hashkit.media.tracks import has_several, length_of, packets_of, shown_track

CASES = Path(__file__).parents[1] / "cases"
RATE = 10


NOTHING, DEFAULT = Disposition(0), Disposition.default


@dataclass
class Codec:
    width: int = 100
    height: int = 100


@dataclass
class Track:
    """What ``shown_track`` asks of a stream."""

    name: str
    duration: int | None = 600
    disposition: Any = NOTHING
    codec_context: Codec | None = field(default_factory=Codec)
    metadata: dict[str, str] = field(default_factory=dict)
    time_base: Fraction = Fraction(1, 10)
    frames: int = 0


FILM = Track("film")


@pytest.mark.parametrize(
    ("others", "film"),
    [
        ([Track("cover", disposition=Disposition.attached_pic | DEFAULT)], FILM),
        ([Track("thumbnails", disposition=Disposition.timed_thumbnails)], FILM),
        ([Track("preview", 1)], FILM),
        ([Track("preview", 299, codec_context=Codec(999, 999))], FILM),
        ([Track("small", codec_context=Codec(99, 100))], FILM),
        ([Track("small", None, codec_context=Codec(99, 100))], FILM),
        ([Track("small", codec_context=Codec(99, 100))], Track("film of unknown length", None)),
        ([Track("longer", 1200, codec_context=Codec(99, 100))], FILM),
        ([Track("large", codec_context=Codec(900, 900))], Track("film", 1, DEFAULT)),
        ([Track("unknown codec", 600, DEFAULT, None)], FILM),
        ([Track("coded", codec_context=None), Track("preview", 5)], FILM),
        (
            [Track("preview", None, metadata={"DURATION": "00:00:01.000000000"})],
            Track("film", None, metadata={"DURATION": "00:01:00.000000000"}),
        ),
    ],
    ids=lambda value: value[0].name if isinstance(value, list) else "",
)
def test_what_is_shown(others, film):
    assert shown_track([*others, film]) is film
    assert shown_track([film, *others]) is film


@pytest.mark.parametrize(
    ("other", "several"),
    [
        (Track("cover", disposition=Disposition.attached_pic), False),
        (Track("thumbnails", disposition=Disposition.timed_thumbnails), False),
        (Track("preview of one picture", frames=1), False),
        (Track("announced only", codec_context=Codec(0, 0)), False),
        (Track("preview", 1, frames=2), True),
        (Track("unknown codec", codec_context=None), True),
        (FILM, True),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_several(other, several):
    assert has_several([FILM, other]) == several
    assert has_several([other, FILM]) == several
    assert not has_several([other])


def test_the_first_of_equals():
    first, second = Track("first"), Track("second")
    assert shown_track([first, second]) is first


def test_none_of_covers_only():
    assert shown_track([Track("cover", disposition=Disposition.attached_pic)]) is None
    assert shown_track([]) is None


@pytest.mark.parametrize(
    ("tag", "length"),
    [("01:02:03.500000000", 3723.5), ("00:00:07", 7.0), ("soon", None), ("", None)],
)
def test_lengths_from_tags(tag, length):
    assert length_of(Track("a", None, metadata={"DURATION": tag})) == length


def test_a_tag_is_surer_than_a_guess():
    assert length_of(Track("a", 25, metadata={"DURATION": "00:00:01.5"})) == 1.5


def test_lengths_from_headers():
    assert length_of(Track("a", 25)) == 2.5


def write(path, *tracks):
    """Each track: the number of its frames, its size, its grey, whether it is the default."""
    with av.open(str(path), "w") as output:
        streams = []
        for _, (width, height), _, default in tracks:
            stream = output.add_stream("libx264", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.disposition = DEFAULT if default else Disposition(0)
            streams.append(stream)
        for stream, (frames, (width, height), grey, _) in zip(streams, tracks, strict=True):
            for number in range(frames):
                level = np.random.default_rng(number).integers(grey, grey + 30, (height, width, 3))
                frame = av.VideoFrame.from_ndarray(level.astype(np.uint8), "rgb24")
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
    return path


SMALL, LARGE = (64, 48), (320, 240)


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv"])
class TestFiles:
    def frames(self, path):
        return len(hashkit.hash_file(path, sample="all").frames.hashes)

    def test_the_default_is_not_the_first(self, tmp_path, container):
        tracks = (30, LARGE, 0, False), (20, SMALL, 100, True)
        assert self.frames(write(tmp_path / f"a.{container}", *tracks)) == 20

    def test_a_second_one_is_noticed(self, tmp_path, container):
        one, other = (30, SMALL, 0, True), (28, LARGE, 100, False)
        name = f"a.{container}"
        assert hashkit.hash_file(write(tmp_path / name, one), "vpdq").notices == ()
        assert hashkit.hash_file(write(tmp_path / name, one, other), "vpdq").notices == (
            notices.SEVERAL_TRACKS,
        )

    def test_a_preview_comes_first(self, tmp_path, container):
        tracks = (1, LARGE, 0, True), (30, SMALL, 100, True)
        assert self.frames(write(tmp_path / f"a.{container}", *tracks)) == 30

    def test_the_larger_of_two(self, tmp_path, container):
        tracks = (30, SMALL, 0, True), (28, LARGE, 100, True)
        assert self.frames(write(tmp_path / f"a.{container}", *tracks)) == 28


def test_a_preview_in_a_file_from_the_field():
    hashed = hashkit.hash_file(CASES / "two_tracks_preview_first.mp4", sample="all")
    assert len(hashed.frames.hashes) == 40
    assert hashed.notices == ()


# Found by fuzzing: a transport stream that names further tracks while it is read.
LATE_TRACKS = zlib.decompress(
    base64.b85decode(
        "c-nLSKXie+1A_nq!v<ak#)AwD42&Nbv^KJA8Y*rN0J@!NgV2x+cOYhmvVr0L07P>"
        "kq=7=4;Y<cbG|fN}26O>N`nr7-&@fdC4b@aVEP&9^PB0%B{>#zIs)cm*7yzI)6M6"
    )
)


def test_tracks_that_come_late_are_borne():
    with av.open(io.BytesIO(LATE_TRACKS), format="mpegts") as container:
        list(packets_of(container))
    with pytest.raises(hashkit.HashkitError):
        hashkit.hash_file(io.BytesIO(LATE_TRACKS), "vpdq")
    with pytest.raises(NotMedia):
        recognise(io.BytesIO(LATE_TRACKS), bytes(range(256)))

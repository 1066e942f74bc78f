"""The frames of an answer: all that an honest worker finds are taken, and no more than it could."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hashkit
from hashkit.errors import DocumentInvalid
from hashkit.media.limits import MAX_SECONDS
from hashkit.media.sampling import Sampler
from hashkit.models import FrameHash, FrameHashes, Hash, HashedFile, MediaKind
from hashkit.pipeline.options import Options
from hashkit.sandbox import frames as sending
from hashkit.sandbox import protocol
from hashkit.sandbox.frames import FrameReader, max_frames, to_parts
from hashkit.variants.sets import BY_COVERAGE, MAX_HASHES, moving_names_at

ALL = Options(sample="all")
LARGE = 1 << 30  # bytes of a file


def some(count, first=0, variant="original", interval="all"):
    hashes = (FrameHash(first + n, (first + n) / 25, f"{n:064x}", n % 101) for n in range(count))
    return FrameHashes(interval, tuple(hashes), variant)


def received(options, size, *sent):
    reader = FrameReader(options, size)
    for each in sent:
        for part in to_parts(each):
            reader.add(json.loads(json.dumps(part)))
    return reader.finish()


@given(st.integers(0, 2001), st.sampled_from(["none", "standard", "orientations"]))
def test_round_trip(count, level):
    options = Options(sample="all", variants=level)
    sent = [some(count, variant=name) for name in ("original", *moving_names_at(level))]
    assert received(options, LARGE, *sent) == tuple(sent)
    found = HashedFile(None, MediaKind.VIDEO, (), (), sent[0], tuple(sent[1:]))
    *parts, rest = protocol.WorkerResult(found, None).to_lines()
    reader = FrameReader(options, LARGE)
    for part in parts:
        assert part.endswith(b"\n")
        assert len(part) < protocol.MAX_LINE // 4
        reader.add(protocol.from_line(part))
    answer = protocol.Answer(reader.finish(), protocol.from_line(rest))
    assert protocol.WorkerResult.from_json(answer, None).outcome == found


PART = next(to_parts(some(3)))


@pytest.mark.parametrize(
    "untrusted",
    [
        {**PART, "more": 1},
        {"frames": PART["frames"]},
        {**PART, "variant": 1},
        {**PART, "variant": "crop-2.5"},
        {**PART, "variant": "mirrored"},  # before the original
        {**PART, "frames": []},
        {**PART, "frames": {**PART["frames"], "interval": 1.0}},
        {**PART, "frames": {**PART["frames"], "frames": [{}]}},
        {**PART, "frames": {**PART["frames"], "frames": PART["frames"]["frames"][::-1]}},
    ],
)
def test_anything_else_is_refused(untrusted):
    options = Options(sample="all", variants="standard")
    FrameReader(options, LARGE).add(PART)
    with pytest.raises(DocumentInvalid):
        FrameReader(options, LARGE).add(untrusted)


@pytest.mark.parametrize(
    "sent",
    [
        [some(3), some(3)],  # the numbers go back
        [some(3), some(3, first=2)],
        [some(3), some(3, variant="mirrored"), some(3, first=3)],  # an original after its variant
        [some(3), some(3, variant="rotated-90")],  # of another level
    ],
)
def test_frames_come_in_order(sent):
    with pytest.raises(DocumentInvalid):
        received(Options(sample="all", variants="standard"), LARGE, *sent)


def test_none_where_none_were_asked_for():
    with pytest.raises(DocumentInvalid):
        received(Options(("pdq",), sample="all"), LARGE, some(1))
    assert max_frames(Options(("pdq",)), LARGE) == 0


class TestHowMany:
    """Exactly so many are taken, of each variant and in all."""

    def test_by_the_size_of_the_file(self):
        assert max_frames(ALL, 4000) == 1016
        assert len(received(ALL, 4000, some(1016))[0].hashes) == 1016
        with pytest.raises(DocumentInvalid):
            received(ALL, 4000, some(1017))
        standard = Options(sample="all", variants="standard")
        with pytest.raises(DocumentInvalid):
            received(standard, 4000, some(3), some(1017, variant="mirrored"))

    def test_in_all(self, monkeypatch):
        monkeypatch.setattr(sending, "MAX_FRAMES", 1000)
        standard = Options(sample="all", variants="standard")
        assert received(standard, LARGE, some(600), some(400, variant="mirrored"))
        with pytest.raises(DocumentInvalid):
            received(standard, LARGE, some(600), some(401, variant="mirrored"))

    @pytest.mark.parametrize("interval", [0.1, 1.0, 1.7, 60.0, 1e5])
    @pytest.mark.parametrize("rate", [0.5, 1.99, 23.976, 25.0, 29.97, None])
    def test_by_the_interval(self, interval, rate):
        """As many as the sampler takes of a day of video, at any rate."""
        frames = int(MAX_SECONDS * (rate or 25) / 50)  # a fiftieth of it
        sampler = Sampler(interval, rate)
        taken = 0
        for number in range(frames):
            timestamp = number / (rate or 25)
            frame = SimpleNamespace(number=number, timestamp=timestamp, duration=0.0)
            taken += len(sampler.take(frame))
        taken += len(sampler.finish())
        most = max_frames(Options(sample=interval), LARGE)
        whole_day = (taken - 1) * 50 + 1
        assert whole_day <= most <= 2 * (MAX_SECONDS / interval + 1)

    def test_a_day_at_a_frame_a_second_is_known_to_fit(self):
        assert max_frames(Options(), LARGE) == 172_802
        assert max_frames(ALL, LARGE) == 2_160_000
        assert max_frames(Options(sample="keyframes"), LARGE) == 2_160_000


def test_every_line_is_shorter_than_the_limit():
    """The longest: a picture with all hashes and edits, and one with the hash of a video."""
    segments = Hash("crop_resistant", ",".join(["f" * 16] * 256))
    edits = tuple(Hash("pdq", "f" * 64, 100, name) for name in BY_COVERAGE)
    texts = tuple(hashkit.Notice(each.code, each.label, each.text) for each in ALL_NOTICES)
    tmk = Hash("tmk_pdqf", bytes(263_344))
    found = HashedFile(
        None, MediaKind.VIDEO, (Hash("pdq", "f" * 64, 100), *edits, tmk, segments), texts
    )
    (line,) = protocol.WorkerResult(found, "0" * 64).to_lines()
    assert 351_000 < len(line) < protocol.MAX_LINE


ALL_NOTICES = protocol.notices.ALL


def test_edits_of_a_picture_come_once_and_no_more_than_the_level_has():
    options = Options(variants="standard")

    def check(count, *more):
        hashes = (Hash("pdq", "0" * 64, 9), *more)
        hashes += tuple(Hash("pdq", "0" * 64, 9, name) for name in BY_COVERAGE[:count])
        protocol.check_asked_for(HashedFile(None, MediaKind.IMAGE, hashes), options)

    most = MAX_HASHES["standard"]
    check(most - 1)
    with pytest.raises(DocumentInvalid):
        check(most)
    with pytest.raises(DocumentInvalid):
        check(1, Hash("pdq", "1" * 64, 9, BY_COVERAGE[0]))


STILL = {"g": "100000", "keyint_min": "100000"}


@pytest.mark.parametrize(
    ("form", "codec", "options", "pixels"),
    [
        ("mp4", "libx264", STILL, "yuv420p"),
        ("matroska", "libx264", STILL | {"crf": "51"}, "yuv420p"),
        ("mp4", "mpeg4", STILL, "yuv420p"),
        ("mp4", "libvpx-vp9", STILL | {"deadline": "realtime", "cpu-used": "8"}, "yuv420p"),
        ("mov", "qtrle", STILL, "rgb24"),
    ],
)
def test_videos_in_which_nothing_moves(form, codec, options, pixels, tmp_path):
    """They have the fewest bytes a frame. All frames are taken, and twice as many would be."""
    path = tmp_path / "still"
    path.write_bytes(still_video(form, codec, options, pixels, 1500))
    (outcome,) = hashkit.hash_files([path], algorithms="vpdq", sample="all", workers=1)
    assert len(outcome.frames.hashes) == 1500
    assert max_frames(ALL, path.stat().st_size) > 2 * 1500


def still_video(form, codec, options, pixels, count):
    file = io.BytesIO()
    frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
    with av.open(file, "w", format=form) as container:
        try:
            stream = container.add_stream(codec, rate=30)
        except av.codec.codec.UnknownCodecError:
            pytest.skip("no such encoder here")
        stream.width = stream.height = 64
        stream.pix_fmt, stream.options = pixels, options
        for number in range(count):
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return file.getvalue()


# A parent process, and a worker that a file took over: it answers with as much as it can.
LYING = r"""
import json, os, sys
import hashkit.sandbox.worker as worker
from hashkit.sandbox.worker import main
def frame(n):
    return '{"frame": %d, "timestamp": 1.5, "value": "%s", "quality": 50}' % (n, "%064x" % n)
def sent(*texts):
    for text in texts:
        data = text.encode()
        while data:
            data = data[os.write(3, data):]
def vpdq(frames):
    return '{"interval": %s, "frames": [%s]}' % (json.dumps(OPTIONS["sample"]), frames)
def whole(hashes, variants="[]", notices="[]"):
    return ('{"outcome": {"kind": "video", "hashes": {%s}, "variants": %s, "notices": %s, '
            '"error": null}, "sha256": null}\n' % (hashes, variants, notices))
def hash_or_fail(path, options, on_progress):
    if "lists" in LIE: sent('{"outcome": [', "[]," * (60 << 20), "[]]}\n")
    if "frames" in LIE:
        sent(whole('"vpdq": ' + vpdq(", ".join(map(frame, range(600_000))))))
    if "edits" in LIE:
        edit = '{"name": "mirrored", "vpdq": %s}' % vpdq(", ".join(map(frame, range(7_000))))
        sent(whole('"vpdq": ' + vpdq(frame(0)), "[%s]" % ", ".join([edit] * 100)))
    if "notices" in LIE: sent(whole("", "[]", "[%s]" % ", ".join(['["small", ""]'] * 5_000_000)))
    if "value" in LIE:
        value = "A" * (200 << 20)
        sent(whole('"tmk_pdqf": {"encoding": "base64", "value": "%s"}' % value))
    if "parts" in LIE:
        for start in range(0, 3_000_000, 500):
            sent('{"variant": "original", "frames": %s}\n'
                 % vpdq(", ".join(map(frame, range(start, start + 500)))))
    sent(whole(""))
LIE, OPTIONS = [], {}
real = worker._answer
def answer(request, options, channel):
    file = request.get("hash", request.get("exact"))["path"]
    LIE[:] = [os.path.basename(file).split(".")[0]] if "hash" in request else []
    OPTIONS["sample"] = options.sample
    return real(request, options, channel)
worker._answer, worker.hash_or_fail = answer, hash_or_fail
"""
PARENT = """
import json, resource, sys
from pathlib import Path
from hashkit.pipeline.options import Options
from hashkit.sandbox import process
from hashkit.sandbox.pool import WorkerPool
from hashkit.sandbox.process import Limits
lying, path, sample = sys.argv[1:]
def taken():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
changed = process._BOOTSTRAP.replace("from hashkit.sandbox.worker import main", f"exec({lying!r})")
assert changed != process._BOOTSTRAP
process._BOOTSTRAP = changed
options = Options(sample=json.loads(sample), variants="standard")
pool = WorkerPool(options, Limits(seconds=60))
before = taken()
outcome = pool.hash(Path(path)).outcome
pool.close()
print(json.dumps([type(outcome).__name__, taken() - before]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other units elsewhere")
@pytest.mark.parametrize("sample", [1.0, "all"])
@pytest.mark.parametrize("lie", ["lists", "frames", "edits", "notices", "value", "parts"])
def test_a_lying_worker_takes_no_memory_of_its_parent(lie, sample, samples, tmp_path):
    path = tmp_path / f"{lie}.mp4"
    path.write_bytes((samples / "film-h264.mp4").read_bytes())
    command = [sys.executable, "-c", PARENT, LYING, path, json.dumps(sample)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    outcome, taken = json.loads(done.stdout)
    assert outcome == "FailedFile"
    assert taken < 48 << 20

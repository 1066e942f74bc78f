"""Videos are known by what can be decoded; nothing else is taken for one."""

from __future__ import annotations

import io
import os
import random
import sysconfig
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hashkit
from hashkit.errors import NotMedia
from hashkit.media import recognition
from hashkit.media.formats import FORMATS, identify
from hashkit.media.recognition import is_motion_jpeg, is_plainly_other, recognise
from hashkit.pipeline.hashing import exact_or_fail, hash_or_fail
from hashkit.pipeline.options import Options

CASES = Path(__file__).parents[1] / "cases"
RATE = 25
FRAMES = 20


def picture(number, width=176, height=144):
    cells = np.random.default_rng(1).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    scene = cv2.resize(cells, (width + 40, height + 40), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(scene[number:, number:][:height, :width])


def film(path, codec="libx264", container=None, size=(176, 144), pixels="yuv420p"):
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = (*size, pixels)
        stream.codec_context.gop_size = 5
        stream.bit_rate = 25_000_000 if codec == "dvvideo" else 1_000_000
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(picture(number, *size), "rgb24")
            output.mux(stream.encode(frame.reformat(format=pixels)))
        output.mux(stream.encode())
    return path


def frames_of(path):
    return hashkit.hash_file(path, sample="all").frames.hashes


def format_of(path):
    data = path.read_bytes()
    try:
        return identify(data[:4096]).format
    except NotMedia:
        return recognise(io.BytesIO(data), data[:4096]).format


BARE = {
    "h264": ("libx264", "h264"),
    "hevc": ("libx265", "hevc"),
    "m4v": ("mpeg4", "m4v"),
    "mpegvideo": ("mpeg1video", "mpeg1video"),
    "mpegvideo-2": ("mpeg2video", "mpeg2video"),
    "mjpeg": ("mjpeg", "mjpeg"),
    "obu": ("libsvtav1", "obu"),
}


@pytest.mark.parametrize("name", BARE)
def test_bare_streams(tmp_path, name):
    codec, muxer = BARE[name]
    path = film(
        tmp_path / "a.bin", codec, muxer, pixels="yuvj420p" if name == "mjpeg" else "yuv420p"
    )
    (hashed,) = hashkit.hash_files([path], sample="all")  # isolated, as people's files are
    assert hashed.kind == "video"
    assert len(hashed.frames.hashes) == FRAMES
    assert [each.timestamp for each in hashed.frames.hashes] == pytest.approx(
        [number / RATE for number in range(FRAMES)]
    )
    (notice,) = hashed.notices
    assert notice.code == "video_without_times"
    assert "25 frames a second" in notice.text


def test_bare_streams_of_another_rate(tmp_path):
    path = tmp_path / "a"
    with av.open(str(path), "w", format="h264") as output:
        stream = output.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
        for number in range(FRAMES):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), "rgb24")))
        output.mux(stream.encode())
    hashed = hashkit.hash_file(path, sample="all")
    assert "30 frames a second" in hashed.notices[0].text
    assert hashed.frames.hashes[-1].timestamp == pytest.approx((FRAMES - 1) / 30)


@pytest.mark.parametrize("name", ["h264", "mjpeg", "mpegvideo"])
def test_keyframes_of_bare_streams(tmp_path, name):
    codec, muxer = BARE[name]
    path = film(tmp_path / "a", codec, muxer, pixels="yuvj420p" if name == "mjpeg" else "yuv420p")
    found = hashkit.hash_file(path, sample="keyframes").frames.hashes
    every = 1 if name == "mjpeg" else 5  # the encoder may begin a group after fewer
    expected = [number / RATE for number in range(0, FRAMES, every)]
    assert [each.timestamp for each in found] == pytest.approx(expected, abs=1.01 / RATE)


CONTAINERS = {
    "ivf": ("libvpx", "ivf", {}),
    "ivf-vp9": ("libvpx-vp9", "ivf", {}),
    "mxf": ("mpeg2video", "mxf", {}),
    "nut": ("libx264", "nut", {}),
    "nut-ffv1": ("ffv1", "nut", {}),
    "rm": ("rv20", "rm", {}),
    "dv": ("dvvideo", "dv", {"size": (720, 576)}),
}


def test_one_frame_is_no_bare_stream(tmp_path):
    """Noise may hold one that can be decoded."""
    data = film(tmp_path / "a", "mpeg4", "m4v").read_bytes()
    second = data.index(b"\0\0\1\xb6", data.index(b"\0\0\1\xb6") + 4)
    with pytest.raises(NotMedia):
        recognise(io.BytesIO(data[:second]), data[:second])
    assert recognise(io.BytesIO(data), data).format == "m4v"


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers(tmp_path, name):
    codec, muxer, options = CONTAINERS[name]
    path = film(tmp_path / "a.bin", codec, muxer, **options)
    (hashed,) = hashkit.hash_files([path], sample="all")
    assert hashed.kind == "video"
    assert format_of(path) == name.partition("-")[0]
    assert len(hashed.frames.hashes) >= FRAMES - 1  # the decoder of RV20 keeps its last
    assert "video_without_times" not in [each.code for each in hashed.notices]


def box(name, content=b""):
    return (8 + len(content)).to_bytes(4, "big") + name + content


class TestQuickTime:
    @pytest.mark.parametrize("name", [b"skip", b"free", b"udta", b"junk", b"wide", b"uuid"])
    @pytest.mark.parametrize("size", [16, 100, 5000])
    def test_a_box_before_the_film(self, tmp_path, name, size):
        path = film(tmp_path / "a.mov")
        path.write_bytes(box(name, bytes(size)) + path.read_bytes())
        assert len(frames_of(_moved(path, 8 + size))) == FRAMES

    def test_words_of_a_text_are_no_boxes(self, tmp_path):
        for word in (b"Get free stuff", b"You skip this", b"The junk"):
            with pytest.raises(NotMedia):
                hashkit.hash_file(_written(tmp_path / "a", word * 9))


def _written(path, data):
    path.write_bytes(data)
    return path


def _moved(path, by):
    """The places of the chunks in this MOV are so many bytes later."""
    data = bytearray(path.read_bytes())
    place = data.index(b"stco")
    for entry in range(int.from_bytes(data[place + 8 : place + 12], "big")):
        at = place + 12 + 4 * entry
        data[at : at + 4] = (int.from_bytes(data[at : at + 4], "big") + by).to_bytes(4, "big")
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("cut", [1, 100, 187, 188 * 3 + 50])
def test_transport_streams_that_begin_within_a_packet(tmp_path, cut):
    path = film(tmp_path / "a.ts")
    path.write_bytes(path.read_bytes()[cut:])
    assert hashkit.hash_file(path).kind == "video"


@pytest.mark.parametrize("before", [bytes(5000), b"recorded by a box\0" * 20, b"\x47" * 300])
def test_transport_streams_behind_something_else(tmp_path, before):
    path = film(tmp_path / "a.ts")
    path.write_bytes(before + path.read_bytes())
    assert len(frames_of(path)) == FRAMES


def test_transport_streams_of_cameras_that_begin_within_a_packet(tmp_path):
    data = film(tmp_path / "a.ts").read_bytes()
    packets = [bytes(4) + data[at : at + 188] for at in range(0, len(data), 188)]
    assert len(frames_of(_written(tmp_path / "a.m2ts", b"".join(packets)[100:]))) == FRAMES


def test_program_streams_that_begin_within_a_packet(tmp_path):
    path = film(tmp_path / "a.mpg", "mpeg2video")
    path.write_bytes(path.read_bytes()[100:])
    assert len(frames_of(path)) > FRAMES // 2


def test_titles_in_another_encoding(tmp_path):
    path = film(tmp_path / "a.ts")
    data = path.read_bytes()
    assert b"Service01" in data
    path.write_bytes(data[1:].replace(b"Service01", b"S\xe9rvice\xff1"))
    assert len(frames_of(path)) >= FRAMES - 1


@pytest.mark.parametrize(
    ("name", "frames"),
    [
        ("first_skip.mov", 40),
        ("ts_midpacket.ts", 40),
        ("raw.m1v", 100),
        ("raw.h264", 40),
        ("stream.mjpeg", 6),
    ],
)
def test_videos_from_the_field(name, frames):
    (hashed,) = hashkit.hash_files([CASES / name], sample="all")
    assert len(hashed.frames.hashes) == frames
    assert {each.code for each in hashed.notices} <= {"video_without_times"}


@pytest.mark.parametrize("name", ["photo.avci", "burst_msf1.heics", "heif_jpeg_brand.heif"])
def test_photos_from_the_field_are_no_videos(name):
    (outcome,) = hashkit.hash_files([CASES / name])
    assert outcome.kind == "image"
    assert outcome.error.code == "unsupported_media"
    assert "HEI" in str(outcome.error)  # HEIF, or HEIC
    assert [each.algorithm for each in outcome.hashes] == ["md5", "sha1", "sha256"]


@pytest.mark.parametrize(
    ("brands", "shown"),
    [
        ((b"avci", b"mif1", b"avci"), "AVC"),
        ((b"avcs", b"msf1"), "AVC"),
        ((b"jpeg", b"mif1"), "JPEG"),
        ((b"jpgs", b"msf1"), "JPEG"),
        ((b"msf1", b"hevc", b"iso8"), "burst"),
        ((b"hevc", b"msf1"), "burst"),
    ],
)
def test_photos_with_other_brands(tmp_path, brands, shown):
    head = box(b"ftyp", brands[0] + bytes(4) + b"".join(brands[1:])) + bytes(64)
    assert shown in str(hash_or_fail(_written(tmp_path / "a", head), Options()).error)


def test_heif_with_a_still_picture_is_opened():
    head = box(b"ftyp", b"hevc" + bytes(4) + b"mif1heichevc")
    assert identify(head).format == "heif"


def element(name, content):
    """One of Matroska (RFC 8794), of less than 127 bytes."""
    return bytes.fromhex(name) + bytes([0x80 | len(content)]) + content


def scrambled(stream, key, before):
    """A transport stream in which only the tables can be read; ``key`` is what its packets say,
    ``before`` the bytes before each packet."""
    packets = []
    for place in range(0, len(stream), 188):
        packet = bytearray(stream[place : place + 188])
        if 0x100 <= int.from_bytes(packet[1:3], "big") & 0x1FFF < 0x1000:  # as FFmpeg numbers them
            packet[3] = packet[3] & 0x1F | key
            packet[4:] = random.Random(place).randbytes(184)
        packets.append(before + packet)
    return b"".join(packets)


class TestProtected:
    def check(self, path):
        (outcome,) = hashkit.hash_files([path])
        assert outcome.error.code == "protected_media"
        assert "protected against copying" in str(outcome.error)
        assert [each.algorithm for each in outcome.hashes] == ["md5", "sha1", "sha256"]

    def test_from_the_field(self):
        self.check(CASES / "cenc.mp4")

    @pytest.mark.parametrize("sample", ["all", "keyframes", 1.0])
    def test_with_every_sample(self, sample):
        outcome = hash_or_fail(CASES / "cenc.mp4", Options(sample=sample))
        assert outcome.error.code == "protected_media"

    @pytest.mark.parametrize("key", [0x80, 0xC0])
    @pytest.mark.parametrize("before", [b"", b"\0\0\0\0"])
    def test_transport_stream(self, tmp_path, key, before):
        plain = film(tmp_path / "a.ts", "mpeg2video").read_bytes()
        (tmp_path / "b.ts").write_bytes(scrambled(plain, key, before))
        self.check(tmp_path / "b.ts")

    def test_damaged_transport_stream_is_not_called_protected(self, tmp_path):
        plain = film(tmp_path / "a.ts", "mpeg2video").read_bytes()
        (tmp_path / "b.ts").write_bytes(scrambled(plain, 0x00, b""))
        (outcome,) = hashkit.hash_files([tmp_path / "b.ts"])
        assert outcome.error.code == "media_corrupt"

    def test_windows_media(self, tmp_path):
        path = film(tmp_path / "a.wmv", "wmv2")
        texts = (b"secret", b"DRM\0", b"key\0", b"http://127.0.0.1/\0")
        content = b"".join(len(text).to_bytes(4, "little") + text for text in texts)
        data = bytearray(path.read_bytes())
        guid = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")  # the content encryption object
        added = guid + (24 + len(content)).to_bytes(8, "little") + content
        data[24:28] = (int.from_bytes(data[24:28], "little") + 1).to_bytes(4, "little")
        data[16:24] = (int.from_bytes(data[16:24], "little") + len(added)).to_bytes(8, "little")
        path.write_bytes(data[:30] + added + data[30:])
        self.check(path)

    def test_webm(self, tmp_path):
        path = film(tmp_path / "a.webm", "libvpx")
        data = path.read_bytes()
        key = element("47e2", b"0123456789abcdef")
        added = element(
            "6d80",
            element(
                "6240",
                element("5033", b"\1") + element("5035", element("47e1", b"\5") + key),
            ),
        )
        at = data.index(bytes.fromhex("1654ae6b")) + 4  # named in the index before
        for name in ("1654ae6b", "ae"):  # tracks, and the first of them
            at = data.index(bytes.fromhex(name), at) + len(name) // 2
            width = 9 - data[at].bit_length()
            size = int.from_bytes(data[at : at + width], "big") + len(added)
            data = data[:at] + size.to_bytes(width, "big") + data[at + width :]
            at += width
        path.write_bytes(data[:at] + added + data[at:])
        self.check(path)

    @pytest.mark.parametrize("container", ["mp4", "mov", "ismv"])
    def test_made_here(self, tmp_path, container):
        options = {
            "encryption_scheme": "cenc-aes-ctr",
            "encryption_key": "00112233445566778899aabbccddeeff",
            "encryption_kid": "000102030405060708090a0b0c0d0e0f",
        }
        path = tmp_path / "a"
        with av.open(str(path), "w", format=container, container_options=options) as output:
            stream = output.add_stream("libx264", rate=RATE)
            stream.width, stream.height, stream.pix_fmt = 176, 144, "yuv420p"
            for number in range(FRAMES):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), "rgb24")))
            output.mux(stream.encode())
        self.check(path)


def jpeg(number=0, size=(176, 144)):
    return cv2.imencode(".jpg", picture(number, *size))[1].tobytes()


class TestMotionJpeg:
    def test_a_stream(self):
        assert is_motion_jpeg(jpeg(0) + jpeg(1) + jpeg(2))
        assert is_motion_jpeg(jpeg(0) + jpeg(1) + jpeg(2) + b"rest")

    @pytest.mark.parametrize(
        "data",
        [
            jpeg(),
            jpeg() + jpeg(1),
            jpeg() + b"\0" + jpeg() + jpeg(),
            jpeg() + jpeg(1) + jpeg(2, (32, 24)),
            jpeg() + jpeg() + jpeg()[:-2],
            jpeg() + jpeg() + jpeg()[:100],
            jpeg()[:2] + box(b"MPF\0")[:0] + b"\xff\xe2\0\x06MPF\0" + jpeg()[2:] + jpeg() + jpeg(),
            b"\xff\xd8\xff\xe0\0\0\xff\xd9\xff\xd8" + jpeg(),
            b"\xff\xd8\xff\xd9\xff\xd8",
        ],
    )
    def test_single_pictures(self, data):
        assert not is_motion_jpeg(data)

    def test_progressive_ones(self):
        frames = [
            cv2.imencode(".jpg", picture(number), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
            for number in range(3)
        ]
        assert is_motion_jpeg(b"".join(frames))

    @given(st.binary(max_size=300))
    def test_anything_at_all(self, rest):
        assert not is_motion_jpeg(b"\xff\xd8\xff" + rest)


DANGEROUS = {
    "concat": "ffconcat version 1.0\nfile {film}\n",
    "concat with a zero byte": "ffconcat version 1.0\n#\0\0\0\nfile {film}\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{film}\n#EXT-X-ENDLIST\n",
    "hls with a zero byte": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#\0\0\n#EXTINF:9,\n{film}\n",
    "dash": '<?xml version="1.0"?><MPD><BaseURL>{film}</BaseURL>\0\0</MPD>',
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 1 RTP/AVP 96\0\r\n",
}


class TestFilesThatNameOthers:
    @pytest.mark.parametrize("name", DANGEROUS)
    def test_are_no_media(self, tmp_path, name):
        named = film(tmp_path / "film.mp4")
        data = DANGEROUS[name].format(film=named).encode()
        path = _written(tmp_path / "list.mp4", data)
        assert hash_or_fail(path, Options()).error.code == "not_media"

    @pytest.mark.parametrize("name", DANGEROUS)
    def test_open_nothing(self, tmp_path, name, monkeypatch):
        """Not even where the quick check lets them pass."""
        monkeypatch.setattr(recognition, "is_plainly_other", lambda _: False)
        named = film(tmp_path / "film.mp4")
        os.utime(named, (1, 1))
        data = DANGEROUS[name].format(film=named).encode()
        with pytest.raises(NotMedia):
            recognise(io.BytesIO(data), data)

    def test_the_list_of_those_that_may_be_tried(self):
        tried = recognition._OPTIONS["format_whitelist"].split(",")
        assert set(tried) == {each.decoder for each in FORMATS.values() if each.kind == "video"}
        forbidden = {"concat", "hls", "dash", "image2", "sdp", "rtsp", "lavfi", "tee"}
        assert not forbidden.intersection(tried)
        assert not [name for name in tried if name.endswith("pipe")]

    def test_guessing_alone_would_open_them(self, tmp_path):
        """The danger is real: without the list, FFmpeg goes for the named file."""
        data = DANGEROUS["concat"].format(film=film(tmp_path / "film.mp4")).encode()
        with pytest.raises(PermissionError):  # it is only kept from it
            av.open(io.BytesIO(data))


def installed_files():
    root = Path(sysconfig.get_paths()["purelib"])
    media = {".png", ".jpg", ".gif", ".ico", ".webp", ".mp4"}
    found = sorted(
        each
        for each in root.rglob("*")
        if each.is_file() and each.stat().st_size and each.suffix not in media
    )
    return random.Random(17).sample(found, 400)


def test_installed_files_are_no_media():
    probed = 0
    for path in installed_files():
        with path.open("rb") as file:
            head = file.read(4096)
            with pytest.raises(NotMedia):
                identify(head)
            probed += not is_plainly_other(head)
            with pytest.raises(NotMedia):
                recognise(file, head)
    assert probed < 80  # the others cost nothing


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"\0\0\1",
        b"\0\0\0\1\x67",
        b"\0\0\1\xb0",
        b"\x1f\x07\0",
        b"\x47",
        b"\0\0\0\1\x40\x01",
        b"\0\0\0\x08skip",
    ],
)
def test_noise_is_no_media(tmp_path, beginning):
    for seed in range(5):
        noise = beginning + b"\0" + random.Random(seed).randbytes(30_000)
        outcome = hash_or_fail(_written(tmp_path / "a", noise), Options())
        assert outcome.error.code in ("not_media", "no_video", "media_corrupt")


@given(st.binary(max_size=2000))
def test_anything_at_all_is_refused_or_known(data):
    try:
        found = recognise(io.BytesIO(data), data)
    except NotMedia:
        return
    assert found.kind == "video"


def test_the_file_is_at_its_beginning_afterwards():
    for data in (b"\0" * 999, (CASES / "raw.h264").read_bytes()):
        file = io.BytesIO(data)
        try:
            recognise(file, data[:4096])
        except NotMedia:
            pass
        assert file.tell() == 0


def test_sound_is_no_video(tmp_path):
    for name, codec in (("a.m4a", "aac"), ("a.ogg", "libopus"), ("a.mp3", "libmp3lame")):
        with av.open(str(tmp_path / name), "w") as output:
            sound = output.add_stream(codec, rate=48000, layout="stereo")
            silence = np.zeros((1, 96000), np.int16)
            frame = av.AudioFrame.from_ndarray(silence, "s16", "stereo")
            frame.sample_rate = 48000
            output.mux(sound.encode(frame))
            output.mux(sound.encode())
        outcome = hash_or_fail(tmp_path / name, Options())
        assert outcome.error.code in ("not_media", "no_video"), name


def test_exact_hashes_of_what_a_decoder_fails_on(tmp_path):
    """The bytes of what may be a video are hashed, where decoding it ends a worker."""
    hashed = exact_or_fail(CASES / "raw.h264", Options())
    assert (hashed.kind, hashed.hashes[0].algorithm) == ("video", "md5")
    text = exact_or_fail(_written(tmp_path / "a", b"a text\n"), Options())
    assert text.error.code == "not_media"


@pytest.mark.parametrize(
    ("head", "other"),
    [
        (b"a text\nof two lines", True),
        ("naïve café\t\r\n".encode(), True),
        (b"PK\3\4" + bytes(9), True),
        (b"\x1f\x8b\x08\0", True),
        (b"\x7fELF\2\1\1\0", True),
        (b"%PDF-1.7\n\0", True),
        (b"\xa7\r\r\n\0\0\0\0", True),
        (b"\xa7\r\r\n\x09\0\0\0", False),
        (b"\xff\xfea\0b\0", True),
        (b"text\0", False),
        (b"\0", False),
        (b"\0\0\0\1\x67", False),
    ],
)
def test_what_is_plainly_something_else(head, other):
    assert is_plainly_other(head) is other

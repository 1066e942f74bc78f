"""Videos in real browsers: the frames, times and notices of Python, and hashes that are the same or
a few bits away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from browsers import Browser
from made_videos import make_all

import hashkit
from hashkit.hashes import pdq
from hashkit.media.formats import identify
from hashkit.models import FrameHashes

pytestmark = pytest.mark.test_all

READ = {".mp4", ".mov", ".mkv", ".webm"}
MAX_BITS = 6
MAX_MEAN_BITS = 4
"""With more, a browser has to say that it cannot open the video."""
GIVES_PLANES = {"chromium", "webkit"}
"""They hand out the luma plane as it was coded, so nothing may differ but colours that are coded
as red, green and blue."""

# What the codecs of the test machine have at least; WebKit's are those of the system's GStreamer.
OPENED_AT_LEAST = {
    "chromium": {"h264", "vp8", "vp9", "av1"},
    "firefox": {"h264", "vp8", "vp9", "av1"},
    "webkit": {"vp8"},
}
CODED_AS = {"hevc": ("film-hevc-10-bit.mov", "hevc_10bit_60fps.mov")}

HASH = """
const { FileBytes } = await load("bytes.js");
const { hashFrames } = await load("videos.js");
const { sample, variants, file, format } = given;
try {
  return await hashFrames(new FileBytes(file), format, { sample, variants });
} catch (error) {
  if (error.toJSON === undefined) throw error;
  return { error: error.toJSON() };
}
"""


def format_of(path: Path) -> str:
    with path.open("rb") as file:
        return identify(file.read(4096)).format


def in_browser(
    browser: Browser, path: Path, sample: Any = 1.0, variants: str = "readings"
) -> dict[str, Any]:
    given = {"file": path, "format": format_of(path), "sample": sample, "variants": variants}
    return browser.run(HASH, given, where="worker")


def in_python(
    path: Path, sample: Any = 1.0, variants: str = "readings"
) -> hashkit.HashedFile | str:
    """The code of the error where there is one."""
    try:
        return hashkit.hash_file(path, algorithms=("vpdq",), sample=sample, variants=variants)
    except hashkit.HashkitError as error:
        return error.code


def bits_apart(path: Path, hashed: hashkit.HashedFile, found: dict[str, Any]) -> list[int]:
    """In how many bits each hash differs; all else is the same."""
    assert hashed.frames is not None
    named = [*hashed.frame_variants]
    assert [each.variant for each in named] == [each["name"] for each in found["variants"]], path
    bits = frame_bits(path, hashed.frames, found["frames"])
    for variant, other in zip(named, found["variants"], strict=True):
        bits += frame_bits(path, variant, other["vpdq"])
    notices = [{"code": each.code, "text": each.text} for each in hashed.notices]
    assert notices == found["notices"], path
    return bits


def frame_bits(path: Path, frames: FrameHashes, found: dict[str, Any]) -> list[int]:
    assert found["interval"] == frames.interval
    times = [(each.frame, round(each.timestamp, 3)) for each in frames.hashes]
    assert times == [(each["frame"], each["timestamp"]) for each in found["frames"]], path
    return [
        pdq.distance(one.value, other["value"])
        for one, other in zip(frames.hashes, found["frames"], strict=True)
        if one.quality >= pdq.QUALITY_THRESHOLD
    ]


@pytest.fixture(scope="module")
def own_videos(root: Path) -> list[Path]:
    folders = ("samples_synthetic", "tests/vectors/conformance/videos", "tests/cases")
    found = [each for name in folders for each in sorted((root / name).iterdir())]
    return [each for each in found if each.suffix in READ]


@pytest.fixture(scope="module")
def made_videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {path.name: path for path in make_all(tmp_path_factory.mktemp("made"))}


def test_every_browser_hashes_as_python_or_says_that_it_cannot(
    each_browser: Browser, own_videos: list[Path], record_property: Callable[..., None]
) -> None:
    bits: dict[str, list[int]] = {}
    refused = set()
    for path in own_videos:
        found, expected = in_browser(each_browser, path), in_python(path)
        if isinstance(expected, str):
            assert found["error"]["code"] == expected, path
        elif "error" in found:
            assert found["error"]["code"] == "unsupported_media", path
            refused.add(path.name)
        else:
            bits[path.name] = bits_apart(path, expected, found)
    allowed = {*CODED_AS["hevc"]}
    if each_browser.name == "webkit":
        allowed |= {each.name for each in own_videos} - {"film-reencoded.webm", "still_end.webm"}
    assert refused <= allowed
    for name, each in bits.items():
        print(f"{each_browser.name} {name}: mean {mean(each):.2f}, at most {max(each)} bits")
        assert max(each) <= MAX_BITS, name
        assert mean(each) <= MAX_MEAN_BITS, name
        if each_browser.name in GIVES_PLANES and "rgb" not in name:
            assert max(each) == 0, name


def test_every_container_that_is_read(chromium: Browser, made_videos: dict[str, Path]) -> None:
    hashed = 0
    for path in made_videos.values():
        found, expected = in_browser(chromium, path), in_python(path)
        if isinstance(expected, str):
            assert found["error"]["code"] == expected, path
        elif "error" in found:
            assert path.name in ("hevc.mp4", "vp9-440.webm"), found
        else:
            assert set(bits_apart(path, expected, found)) <= {0}, path
            hashed += 1
    assert hashed > 65


@pytest.mark.parametrize(
    ("sample", "variants"),
    [
        ("all", "none"),
        ("keyframes", "none"),
        (0.3, "readings"),
        (2.7, "none"),
        (1.0, "orientations"),
    ],
)
def test_every_way_to_sample(
    chromium: Browser, own_videos: list[Path], sample: Any, variants: str
) -> None:
    for path in own_videos:
        found, expected = in_browser(chromium, path, sample, variants), None
        if "error" in found:
            continue
        expected = in_python(path, sample, variants)
        assert not isinstance(expected, str), path
        bits = bits_apart(path, expected, found)
        assert max(bits) <= (2 if "rgb" in path.name else 0), path


@pytest.mark.parametrize(
    "name", ["turned-90.mp4", "turned-270.mp4", "mirrored.mp4", "transverse.mp4"]
)
@pytest.mark.parametrize("variants", ["readings", "orientations"])
def test_videos_are_turned(
    each_browser: Browser, made_videos: dict[str, Path], name: str, variants: str
) -> None:
    path = made_videos[name]
    found, expected = in_browser(each_browser, path, 1.0, variants), in_python(path, 1.0, variants)
    if "error" in found:
        assert each_browser.name == "webkit"
        return
    assert not isinstance(expected, str)
    assert max(bits_apart(path, expected, found)) <= MAX_BITS
    assert "as-stored" in [each["name"] for each in found["variants"]]


@pytest.mark.parametrize("name", ["full-range.mp4", "vp9-422.webm"])
def test_colours_that_cannot_be_undone_are_refused(
    each_browser: Browser, made_videos: dict[str, Path], name: str
) -> None:
    """Where a browser gives colours instead of the plane, and by other numbers than usual."""
    found, expected = in_browser(each_browser, made_videos[name]), in_python(made_videos[name])
    if "error" in found:
        assert each_browser.name != "chromium"
        assert found["error"]["code"] == "unsupported_media"
    else:
        assert each_browser.name != "firefox"
        assert not isinstance(expected, str)
        assert set(bits_apart(made_videos[name], expected, found)) == {0}


def test_a_video_that_the_decoder_gives_up_at_once_is_not_called_damaged(
    chromium: Browser, made_videos: dict[str, Path]
) -> None:
    """Chromium says that it decodes this kind of colour, and does not."""
    path = made_videos["vp9-440.webm"]
    assert not isinstance(in_python(path), str)
    assert in_browser(chromium, path)["error"]["code"] == "unsupported_media"


def damaged(data: bytes) -> dict[str, bytes]:
    length = len(data)
    hole, tail = bytearray(data), bytearray(data)
    hole[length * 55 // 100 : length * 55 // 100 + 3000] = bytes(3000)
    tail[length * 7 // 10 :] = bytes(length - length * 7 // 10)
    return {
        "cut-60": data[: length * 6 // 10],
        "cut-90": data[: length * 9 // 10],
        "hole": bytes(hole),
        "tail": bytes(tail),
    }


@pytest.mark.parametrize(
    "name",
    [
        *("film-h264.mp4", "film-reencoded.webm", "film-trimmed.mkv", "vp9_24fps.webm"),
        *("av1_24fps.mp4", "portrait_25fps_gop1s.mp4"),
    ],
)
def test_no_damage_goes_without_a_notice(
    each_browser: Browser, own_videos: list[Path], tmp_path: Path, name: str
) -> None:
    source = next(each for each in own_videos if each.name == name)
    for way, data in damaged(source.read_bytes()).items():
        path = tmp_path / f"{way}{source.suffix}"
        path.write_bytes(data)
        found, expected = in_browser(each_browser, path), in_python(path)
        if "error" in found:
            assert expected == found["error"]["code"] or found["error"]["code"] in (
                "unsupported_media",
                "media_corrupt",
            ), way
            continue
        assert not isinstance(expected, str), way
        if any(each.code.startswith("video_") for each in expected.notices):
            codes = [each["code"] for each in found["notices"]]
            assert {"video_truncated", "video_damaged"} & {*codes}, (way, codes)


@pytest.mark.parametrize("name", ["film-reencoded.webm", "film-trimmed.mkv", "vp9_24fps.webm"])
def test_what_is_left_of_a_cut_file_is_hashed_as_in_python(
    chromium: Browser, own_videos: list[Path], tmp_path: Path, name: str
) -> None:
    source = next(each for each in own_videos if each.name == name)
    data = source.read_bytes()
    for part in (30, 60, 90, 99):
        path = tmp_path / f"cut-{part}{source.suffix}"
        path.write_bytes(data[: len(data) * part // 100])
        expected = in_python(path)
        assert not isinstance(expected, str)
        assert expected.notices
        assert set(bits_apart(path, expected, in_browser(chromium, path))) == {0}


def test_decoding_goes_on_at_the_next_keyframe(
    chromium: Browser, own_videos: list[Path], tmp_path: Path
) -> None:
    source = next(each for each in own_videos if each.name == "portrait_25fps_gop1s.mp4")
    data = bytearray(source.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(range(1, 251)) * 12
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data)
    found = in_browser(chromium, path)
    whole = in_python(source)
    assert not isinstance(whole, str)
    assert whole.frames is not None
    last = found["frames"]["frames"][-1]
    assert [each["code"] for each in found["notices"]][:1] == ["video_damaged"]
    assert last["value"] == whole.frames.hashes[-1].value
    assert last["timestamp"] == whole.frames.hashes[-1].timestamp


COUNTING = """
const counts = { open: 0, most: 0, decoders: 0 };
const Decoder = VideoDecoder;
globalThis.VideoDecoder = class extends Decoder {
  constructor({ output, error }) {
    super({
      error,
      output: (frame) => {
        const close = frame.close.bind(frame);
        frame.close = () => { counts.open -= 1; close(); };
        counts.open += 1;
        counts.most = Math.max(counts.most, counts.open);
        output(frame);
      },
    });
    counts.decoders += 1;
  }
  close() { counts.decoders -= 1; super.close(); }
};
"""
COUNTED = COUNTING + HASH.replace(
    "return await hashFrames", "const done = await hashFrames"
).replace(
    "{ sample, variants });\n",
    "{ sample, variants });\n  return { ...counts, hashed: done.frames.frames.length };\n",
)
CANCELLED = (
    COUNTING
    + """
const { FileBytes } = await load("bytes.js");
const { hashFrames } = await load("videos.js");
const controller = new AbortController();
const parts = [];
const onProgress = (part) => {
  parts.push(part);
  if (part > 0.2) controller.abort(new Error("enough"));
};
try {
  const options = { sample: "all", variants: "none", onProgress, signal: controller.signal };
  await hashFrames(new FileBytes(given.file), given.format, options);
} catch (error) {
  return { ...counts, parts, message: error.message };
}
"""
)


@pytest.mark.parametrize("sample", [1.0, "all"])
def test_few_frames_are_held_and_all_are_closed(
    each_browser: Browser, own_videos: list[Path], sample: Any
) -> None:
    names = (
        ("film-reencoded.webm",)
        if each_browser.name == "webkit"
        else ("h264_30fps_cuts.mp4", "film-reencoded.webm")
    )
    for path in [each for each in own_videos if each.name in names]:
        given = {"file": path, "format": format_of(path), "sample": sample, "variants": "none"}
        found = each_browser.run(COUNTED, given)
        assert found["hashed"] > 4
        assert found["open"] == 0
        assert found["most"] <= 16
    each_browser.end()  # with the page's own decoder


def test_it_can_be_cancelled(each_browser: Browser, own_videos: list[Path]) -> None:
    path = next(each for each in own_videos if each.name == "film-reencoded.webm")
    found = each_browser.run(CANCELLED, {"file": path, "format": format_of(path)})
    each_browser.end()
    assert found["message"] == "enough"
    assert (found["open"], found["decoders"]) == (0, 0)
    assert found["parts"][0] == 0
    assert 0.2 < found["parts"][-1] < 0.4


RECORD = """
const canvas = document.createElement("canvas");
[canvas.width, canvas.height] = [160, 120];
const context = canvas.getContext("2d");
const recorder = new MediaRecorder(canvas.captureStream(30), { mimeType: given.type });
const parts = [];
recorder.ondataavailable = ({ data }) => parts.push(data);
const stopped = new Promise((resolve) => { recorder.onstop = resolve; });
recorder.start(given.slice);
for (let i = 0; i < 75; i++) {
  for (let j = 0; j < 60; j++) {
    context.fillStyle = `hsl(${7 * j + i} ${20 + (j % 3) * 10}% ${(37 * j) % 90}%)`;
    context.beginPath();
    context.arc((53 * j + i * (j % 4)) % 160, (71 * j + i) % 120, 4 + ((11 * j) % 30), 0, 7);
    context.fill();
  }
  await new Promise((resolve) => setTimeout(resolve, 33));
}
recorder.stop();
await stopped;
return new Uint8Array(await new Blob(parts).arrayBuffer());
"""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("chromium", "video/webm;codecs=vp8"),
        ("chromium", "video/webm;codecs=vp9"),
        ("chromium", "video/webm;codecs=av1"),
        ("firefox", "video/webm;codecs=vp8"),
    ],
)
@pytest.mark.parametrize("slices", [None, 300])
def test_what_a_page_records(
    browser_named: Callable[[str], Browser],
    tmp_path: Path,
    name: str,
    kind: str,
    slices: int | None,
) -> None:
    """Written as it comes: no lengths, no durations, no index."""
    browser = browser_named(name)
    data = browser.run(RECORD, {"type": kind, "slice": slices})
    path = tmp_path / "recorded.webm"
    path.write_bytes(data.tobytes())
    found, expected = in_browser(browser, path), in_python(path)
    assert not isinstance(expected, str)
    assert len(found["frames"]["frames"]) > 2
    assert max(bits_apart(path, expected, found), default=0) <= MAX_BITS


def test_other_containers_are_not_opened(chromium: Browser, root: Path) -> None:
    found = in_browser(chromium, root / "samples_synthetic" / "film-mpeg4.avi")
    assert found["error"]["code"] == "unsupported_media"

"""Opens video files and yields timed frames.

PyAV decodes. OpenCV's own video reader gives no frames of AV1 without an error, takes cover art for
video, and cannot distinguish a broken stream from its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np
from av.error import FFmpegError
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorRange, VideoReformatter

from hashkit.errors import (
    MediaCorrupt,
    NoVideo,
    ProtectedMedia,
    TooLong,
    UnsupportedMedia,
)
from hashkit.hashes.arrays import Pixels
from hashkit.media.completeness.packets import has_gap
from hashkit.media.formats import FORMATS, Clock, Format
from hashkit.media.limits import (
    MAX_FRAME_PIXELS,
    MAX_SECONDS,
    MAX_STREAMS,
    check_pixels,
)
from hashkit.media.tee import Tee
from hashkit.media.timeline import StampChooser, Timeline, without_joints
from hashkit.media.tracks import packets_of, shown_track
from hashkit.media.video_headers import (
    LENIENT,
    lengths_of,
    rates_of,
    start_of,
    timeline_of,
)

THREADS = "AUTO"
"""How a frame is shared out among threads, in PyAV's words: as the codec and the machine allow."""

_SMALL_SIDE = 64
_SLACK = 1.0  # seconds: by so much, the tracks of whole files differ


@dataclass(slots=True)
class Frame:
    """A decoded frame: ``number`` in order of display from 0, ``timestamp`` and ``duration`` in
    seconds (0.0 where the file does not say). Its memory is the decoder's: use it before the next
    but one.
    """

    number: int
    timestamp: float
    duration: float
    _native: av.VideoFrame
    _reformatter: VideoReformatter = field(repr=False)
    _turn: Turn

    @property
    def limited_range(self) -> bool:
        """Does ``pixels`` use 16 to 235 of 0 to 255, as most video does?"""
        return (
            _has_luma_plane(self._native)
            and self._native.color_range != ColorRange.JPEG
            and not self._native.format.name.startswith(("yuvj", "gray"))
        )

    @property
    def pixels(self) -> Pixels:
        """uint8, upright: the luma plane, (height, width), without a copy where it has 8 bits; red
        green blue, (height, width, 3), of formats that have none."""
        return _upright(_luma_plane(self._native), self._turn)

    @property
    def as_stored(self) -> Pixels | None:
        """As ``pixels``, but not turned; None where there is nothing to turn."""
        return _luma_plane(self._native) if any(self._turn) else None

    def small(self) -> Pixels:
        """The frame scaled to 64x64 by FFmpeg's bicubic scaler: uint8 of shape (64, 64, 3)."""
        scaled = self._reformatter.reformat(
            self._native, _SMALL_SIDE, _SMALL_SIDE, "rgb24", interpolation="BICUBIC"
        )
        colours: Pixels = scaled.to_ndarray().astype(np.uint8, copy=False)
        return _upright(colours, self._turn)


@dataclass
class Video:
    """An open video: what its header says, and its frames.

    Times are in seconds, rates in frames a second: ``rate`` on average, ``guessed_rate`` as FFmpeg
    goes by, ``constant_rate`` where it does not vary. ``end`` (where the last frame that could be
    decoded ends) and ``damaged`` (how often something could not) fill up while decoding.
    """

    duration: float | None
    expected_end: float | None
    rate: float
    guessed_rate: float
    constant_rate: float | None
    end: float = 0.0
    damaged: int = 0
    has_times: bool = True
    _container: Any = None
    _stream: Any = None
    _start: float = 0.0
    _turn: Turn | None = None
    _timeline: Timeline = field(kw_only=True)
    _stamps: StampChooser = field(default_factory=StampChooser)
    _asks_others: bool = False

    def frames(self) -> Iterator[Frame]:
        """Every frame, in order of display. Those that cannot be decoded are counted and left out.

        UnsupportedMedia where there is no decoder, TooManyPixels where a frame is larger than it
        may be.
        """
        reformatter = VideoReformatter()
        for number, native in enumerate(_decoded(self, self._packets())):
            yield self._frame(number, native, reformatter)

    def keyframes(self, gap: float) -> Iterator[Frame]:
        """The frames that can be decoded on their own; and where they are more than ``gap`` seconds
        apart, further ones in between, ``gap`` apart.

        Only the packets that are needed are decoded: those of keyframes, and those of gaps.
        """
        # Threads that each decode a frame only start up and wait when frames come one by one.
        self._stream.thread_type = "SLICE"
        reformatter, last, number = VideoReformatter(), float("-inf"), -1
        for group in _groups(self._packets()):
            # A gap shows as soon as a packet lies that far behind its keyframe: what was kept until
            # then is decoded with the rest of the group, so memory does not grow with the gap.
            packets, is_gap = _up_to_gap(group, gap / self._tick)
            skipped = [] if is_gap else [each.pts for each in packets if each.pts is not None]
            for native in _decoded(self, packets if is_gap else packets[:1]):
                frame = self._frame(-1, native, reformatter)
                if native.key_frame or frame.timestamp - last >= gap * 0.999:
                    last = frame.timestamp
                    # By the average rate: where it varies, two may come out as one.
                    number = max(number + 1, round(frame.timestamp * self.rate))
                    frame.number = number
                    yield frame
            self._stream.codec_context.flush_buffers()
            if skipped:
                self._timeline.pass_by(max(skipped) * self._tick - self._start)

    @property
    def _tick(self) -> float:
        return float(self._stream.time_base or Fraction(1, 1000))

    def _packets(self) -> Iterator[Any]:
        """The packets of the stream, without the demuxer's end mark; damage ends them."""
        codec = self._stream.codec_context.codec.canonical_name
        pixels = self._stream.width * self._stream.height
        tracks = [] if self._asks_others else [self._stream]
        others_end, count = 0.0, 0
        try:
            for packet in without_joints(packets_of(self._container, *tracks), self._stream.index):
                if packet.size and packet.stream.index == self._stream.index:
                    if not count and packet.has_sidedata("encryption_info"):
                        raise ProtectedMedia
                    if not self.has_times:
                        packet.pts = packet.dts = round(count / self.rate / self._tick)
                    # Corrupt: of a transport stream, packets before it are missing.
                    self.damaged += packet.is_corrupt or has_gap(bytes(packet), codec, pixels)
                    count += 1
                    yield packet
                elif packet.pts is not None and packet.time_base:
                    ends = packet.pts + (packet.duration or 0)
                    others_end = max(others_end, float(ends * packet.time_base) - self._start)
        except MemoryError:
            raise
        except FFmpegError:
            self.damaged += 1
        if self.expected_end is not None and others_end >= self.expected_end - _SLACK:
            self.expected_end = None  # the sound lasts as long as the file: it is whole

    def _frame(self, number: int, native: Any, reformatter: VideoReformatter) -> Frame:
        check_pixels(native.width, native.height, MAX_FRAME_PIXELS)
        if native.is_corrupt:
            self.damaged += 1
        duration = (native.duration or 0) * self._tick
        if duration > MAX_SECONDS:
            duration = 0.0  # as if the file did not say
        stamp = None
        if not self.has_times and number >= 0:
            stamp = number / self.rate
        else:
            ticks = self._stamps.choose(native.pts, native.dts)
            if ticks is not None:
                stamp = ticks * float(native.time_base or self._tick) - self._start
        timestamp = self._timeline.place(stamp, duration)
        if timestamp > MAX_SECONDS:
            raise TooLong
        if self._timeline.is_mended:
            self.expected_end = None
        self.end = max(self.end, timestamp + (duration or 1 / self.rate))
        if self._turn is None:
            # Once: looking at a frame's side data ties it into a cycle, and frames that wait for
            # the garbage collector are many megabytes.
            self._turn = _turn_of(native)
        return Frame(number, timestamp, duration, native, reformatter, self._turn)


@contextmanager
def open_video(untrusted: Tee, video_format: str) -> Iterator[Video]:
    """Open a video of the format that ``formats.identify`` found, and check its header.

    Raises NoVideo, ProtectedMedia, TooManyPixels, UnsupportedMedia, or MediaCorrupt with what
    FFmpeg said as its cause.
    """
    options = {"max_streams": str(MAX_STREAMS), "protocol_whitelist": "none"}
    try:
        # The demuxer is named: others, that would open further files, are out of reach.
        container = av.open(
            untrusted,
            "r",
            format=FORMATS[video_format].decoder,
            container_options=options,
            buffer_size=1 << 18,
            **LENIENT,
        )
    except (FFmpegError, ValueError) as error:  # "no memory" also means too many streams, here
        raise MediaCorrupt("The file is damaged, and the video could not be read.") from error
    with container:
        yield _checked(container, FORMATS[video_format])


def _checked(container: Any, media: Format) -> Video:
    stream = shown_track(container.streams.video)
    if stream is None:
        raise NoVideo
    if "enc_key_id" in stream.metadata or "ASF_Protection_Type" in container.metadata:
        raise ProtectedMedia
    if stream.codec_context is None:
        raise UnsupportedMedia("This video is coded in a way that cannot be opened here.")
    if stream.width and stream.height:
        check_pixels(stream.width, stream.height, MAX_FRAME_PIXELS)
    stream.thread_type = THREADS
    stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
    rates = rates_of(stream, media.clock)
    lengths = lengths_of(container, stream, media)
    return Video(
        duration=lengths.file,
        expected_end=lengths.picture,
        rate=rates.average,
        guessed_rate=rates.guessed,
        constant_rate=rates.constant,
        has_times=media.clock is not Clock.NONE,
        _container=container,
        _stream=stream,
        _start=start_of(container, stream),
        _timeline=timeline_of(rates.average, media.clock),
        _asks_others=lengths.of_all,
    )


def _decoded(video: Video, packets: Any) -> Iterator[Any]:
    """The frames of these packets, and those that the decoder still holds when they end."""
    codec = video._stream.codec_context
    for packet in [None] if packets is None else _with_end(packets):
        try:
            frames = codec.decode(packet)
        except MemoryError:
            raise
        except (FFmpegError, ValueError):
            video.damaged += 1
            continue
        yield from frames


def _with_end(packets: Any) -> Iterator[Any]:
    yield from packets
    yield None


def _groups(packets: Iterator[Any]) -> Iterator[Iterator[Any]]:
    """Packets group by group, each beginning with a keyframe. Take each group before the next."""
    pending = next(packets, None)

    def group(first: Any) -> Iterator[Any]:
        nonlocal pending
        yield first
        for packet in packets:
            if packet.is_keyframe:
                pending = packet
                return
            yield packet

    while pending is not None:
        first, pending = pending, None
        current = group(first)
        yield current
        for _ in current:
            pass


def _up_to_gap(group: Iterator[Any], gap: float) -> tuple[Any, bool]:
    """The packets of a group; and whether it lasts longer than ``gap``, in ticks of the stream. If
    so, they are still coming in."""
    packets = [next(group)]
    start = packets[0].pts
    for packet in group:
        packets.append(packet)
        if start is None or packet.pts is None or packet.pts - start >= gap:
            return _chain(packets, group), True
    return packets, False


def _chain(packets: list[Any], rest: Iterator[Any]) -> Iterator[Any]:
    yield from packets
    yield from rest


def _has_luma_plane(native: Any) -> bool:
    pixel_format = native.format
    return (
        not pixel_format.is_rgb
        and not pixel_format.has_palette
        and pixel_format.components[0].is_luma
        and (pixel_format.is_planar or pixel_format.name.startswith("gray"))
        and not pixel_format.is_big_endian
    )


def _luma_plane(native: Any) -> Pixels:
    if not _has_luma_plane(native):
        converted: Pixels = native.to_ndarray(format="rgb24")
        return converted
    plane, bits = native.planes[0], native.format.components[0].bits
    if bits <= 8:
        return np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width]
    deep = np.frombuffer(plane, np.uint16).reshape(plane.height, -1)[:, : plane.width]
    # p010 and its kin keep their bits at the top of the word.
    shift = 8 if native.format.name.startswith(("p0", "p2", "p4")) else bits - 8
    return (deep >> shift).astype(np.uint8)


class Turn(NamedTuple):
    """How a player turns what is stored: first swap the axes, then mirror left and right, then top
    and bottom."""

    swap: bool = False
    mirror: bool = False
    flip: bool = False


def _turn_of(native: Any) -> Turn:
    """The turn that a frame's display matrix asks for. It (ISO 14496-12) maps x, y to a x + c y,
    b x + d y; turns by other angles than right ones do not occur in practice."""
    try:
        matrix = np.frombuffer(native.side_data[SideDataType.DISPLAYMATRIX], np.int32)
    except KeyError:
        return Turn()
    (a, b, _), (c, d, _) = matrix[:6].reshape(2, 3)
    if abs(int(b)) > abs(int(a)):
        return Turn(True, bool(c < 0), bool(b < 0))
    return Turn(False, bool(a < 0), bool(d < 0))


def _upright(pixels: Pixels, turn: Turn) -> Pixels:
    """The frame as displayed, as a view."""
    if turn.swap:
        pixels = pixels.swapaxes(0, 1)
    return pixels[:: -1 if turn.flip else 1, :: -1 if turn.mirror else 1]

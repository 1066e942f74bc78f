"""One video: one read, one decode, every hash that was asked for.

file -> Tee -> demuxer -> decoder -> frames -> vPDQ, and 15 a second -> TMK+PDQF
          \\-> a thread -> MD5, SHA-1, SHA-256
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from hashkit import notices
from hashkit.errors import (
    HashkitError,
    MediaCorrupt,
    MediaError,
    ProtectedMedia,
    TooMuchMemory,
)
from hashkit.hashes import pdq, tmk
from hashkit.hashes.arrays import Float32
from hashkit.hashes.cryptographic import Digests
from hashkit.hashes.registry import Family, of_family
from hashkit.media import videos
from hashkit.media.formats import truncated_video
from hashkit.media.sampling import KEYFRAME_GAP, Sampler
from hashkit.media.scrambling import is_scrambled
from hashkit.media.tee import Tee
from hashkit.media.truncation import Parts, look_at_parts
from hashkit.models import (
    BY_FRAME_COUNT,
    READINGS,
    FailedFile,
    FrameHashes,
    Hash,
    HashedFile,
    MediaKind,
    Notice,
)
from hashkit.pipeline.files import UntrustedFile
from hashkit.pipeline.frame_hashing import FrameHasher, MovingFrame
from hashkit.pipeline.options import OnProgress, Options


def hash_video(
    path: Path | None,
    untrusted: UntrustedFile,
    video_format: str,
    options: Options,
    on_progress: OnProgress | None = None,
) -> HashedFile | FailedFile:
    """Hash an open video. What was read is checked to be of one version (FileChanged)."""
    moving = of_family(options.algorithms, Family.VIDEO)
    error: MediaError | None = None
    done = MovingHashes()
    notes: tuple[Notice, ...] = ()
    parts = Parts(False, False)
    if moving:
        parts = look_at_parts(untrusted.stream, untrusted.size, video_format)
    with _digests_in_thread(of_family(options.algorithms, Family.CRYPTOGRAPHIC)) as digests:
        tee = Tee(untrusted.stream, digests.feed)
        if moving:
            try:
                with videos.open_video(tee, video_format) as video:
                    done, notes = _hash_moving(video, moving, options, parts, on_progress)
            except MediaError as caught:
                error = caught
                if video_format == "mpegts" and is_scrambled(untrusted.stream):
                    error = ProtectedMedia()
                elif parts.cut_short and isinstance(caught, MediaCorrupt):
                    error = truncated_video()
                    error.__cause__ = caught.__cause__
            except MemoryError:
                error = TooMuchMemory()
        untrusted.check_unchanged(tee.finish())
    exact = digests.hashes()
    if error is not None:
        return failed(path, error, MediaKind.VIDEO, exact)
    if not exact and not moving:
        notes = (notices.NO_HASH,)
    hashes = (*exact, *done.hashes)
    return HashedFile(path, MediaKind.VIDEO, hashes, notes, done.frames, done.variants)


def failed(
    path: Path | None, error: HashkitError, kind: MediaKind | None, exact: tuple[Hash, ...]
) -> FailedFile:
    """The outcome of a file of which nothing but its bytes could be hashed."""
    return FailedFile(path, error, kind, exact, (notices.EXACT_ONLY,) if exact else ())


@dataclass(frozen=True, slots=True)
class MovingHashes:
    """The hashes of frames: TMK+PDQF, vPDQ, and the vPDQ of edits."""

    hashes: tuple[Hash, ...] = ()
    frames: FrameHashes | None = None
    variants: tuple[FrameHashes, ...] = ()

    def rate_notes(self, *, is_whole: bool) -> tuple[Notice, ...]:
        """What their readings show of the frame rate. Nothing where the file is not whole: what is
        missing makes a constant rate look like one that varies."""
        counted = any(each.variant.startswith(BY_FRAME_COUNT) for each in self.variants)
        return (notices.VARIABLE_RATE,) if counted and is_whole else ()

    def best_quality(self) -> int | None:
        """The quality of the best frame, of the original or another reading of it. None where
        there is no frame."""
        readings = (each for each in self.variants if each.variant in READINGS)
        of_original = () if self.frames is None else (self.frames,)
        found = (frame.quality for each in (*of_original, *readings) for frame in each.hashes)
        return max(found, default=None)

    def quality_notes(self) -> tuple[Notice, ...]:
        """A notice where services would discard every frame."""
        best = self.best_quality()
        is_low = best is not None and best < pdq.QUALITY_THRESHOLD
        return (notices.LOW_QUALITY,) if is_low else ()


def _hash_moving(
    video: videos.Video,
    algorithms: tuple[str, ...],
    options: Options,
    parts: Parts,
    on_progress: OnProgress | None,
) -> tuple[MovingHashes, tuple[Notice, ...]]:
    sample = options.sample
    only_keyframes = sample == "keyframes"
    tmk_left_out = only_keyframes and "tmk_pdqf" in algorithms
    interval = 0.0 if isinstance(sample, str) else sample
    # Of keyframes, all are wanted, whatever their numbers.
    sampler = Sampler[MovingFrame](interval, None if only_keyframes else video.constant_rate)
    frames = video.keyframes(KEYFRAME_GAP) if only_keyframes else video.frames()
    if tmk_left_out:
        algorithms = tuple(name for name in algorithms if name != "tmk_pdqf")
    done = hash_frames(
        _reporting(frames, video.duration, on_progress),
        replace(options, algorithms=algorithms),
        FrameHasher(options, sampler, None if only_keyframes else video.rate),
        video.guessed_rate,
    )
    if not video.end:
        raise MediaCorrupt("The file is damaged, and the video could not be read.")
    damage = _damage_notices(video, parts.cut_short)
    notes = (*done.quality_notes(), *damage)
    if video.several:
        notes = (*notes, notices.SEVERAL_TRACKS)
    if parts.more_behind:
        notes = (*notes, notices.MORE_BEHIND)
    if tmk_left_out:
        notes = (*notes, notices.TMK_LEFT_OUT)
    if not video.has_times:
        notes = (*notes, notices.with_rate(notices.VIDEO_WITHOUT_TIMES, video.rate))
    return done, (*notes, *done.rate_notes(is_whole=not damage))


def hash_frames(
    frames: Iterable[MovingFrame],
    options: Options,
    sampled: FrameHasher,
    rate: float,
) -> MovingHashes:
    """The video hashes of frames in order: TMK+PDQF of all of them, PDQ of those ``sampled``.

    ``rate`` in frames a second is the one that FFmpeg would go by.
    """
    signature = _SignatureBuilder(rate) if "tmk_pdqf" in options.algorithms else None
    with_vpdq = "vpdq" in options.algorithms
    for frame in frames:
        if with_vpdq:
            sampled.add(frame)
        if signature is not None:
            signature.add(frame)
    whole = signature.finish() if signature is not None else None
    hashes = () if whole is None else (Hash("tmk_pdqf", whole.to_bytes()),)
    if not with_vpdq:
        return MovingHashes(hashes)
    return MovingHashes(hashes, *sampled.finish())


class _SignatureBuilder:
    """TMK+PDQF, frame by frame; computes the features of those only that it uses."""

    def __init__(self, rate: float) -> None:
        self._clock = tmk.FrameClock(rate)
        self._into = tmk.Accumulator()
        self._last: MovingFrame | None = None
        self._features: Float32 | None = None

    def add(self, frame: MovingFrame) -> None:
        before, now = self._clock.ticks(frame.timestamp, frame.duration)
        if self._last is None:
            before, now = 0, before + now  # nothing is before the first
        self._repeat_last(before)
        self._last, self._features = frame, None
        self._repeat_last(now)

    def _repeat_last(self, times: int) -> None:
        if times and self._last is not None:
            if self._features is None:
                self._features = tmk.features_of(self._last.small())
            self._into.add(self._features, times)

    def finish(self) -> tmk.Signature | None:
        """The signature, or None of no frames at all."""
        self._repeat_last(self._clock.ticks_at_end())
        return self._into.signature() if self._last is not None else None


def _damage_notices(video: videos.Video, cut_short: bool) -> tuple[Notice, ...]:
    """A notice about the part that could not be read, if any. ``cut_short``: the file is."""
    slack = max(1.0, 3 / video.rate)  # sound often lasts a little longer than the picture
    early = video.expected_end is not None and video.end < video.expected_end - slack
    to_the_end = (
        video.expected_end is not None and video.end >= video.expected_end - 0.5 / video.rate
    )
    if early or (cut_short and not to_the_end):
        notice = notices.VIDEO_TRUNCATED
    elif video.damaged or cut_short:
        notice = notices.VIDEO_DAMAGED
    else:
        return ()
    return (notices.with_span(notice, 0.0, video.end, video.expected_end),)


def _reporting(
    frames: Iterable[videos.Frame], duration: float | None, on_progress: OnProgress | None
) -> Iterator[videos.Frame]:
    for frame in frames:
        yield frame
        if on_progress is not None:
            on_progress(min(1.0, frame.timestamp / duration) if duration else 0.0)


class _DigestsThread:
    """Digests in their own thread: hashlib and the decoder both release the interpreter lock."""

    _WAITING = 64  # chunks of at most a quarter megabyte: then the reader waits

    def __init__(self, algorithms: tuple[str, ...]) -> None:
        self._digests = Digests(algorithms)
        self._queue: queue.Queue[bytes | None] = queue.Queue(self._WAITING)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._is_needed = bool(algorithms)

    def _work(self) -> None:
        while (data := self._queue.get()) is not None:
            self._digests.update(data)

    def feed(self, data: bytes) -> None:
        """Hash these bytes, after those before."""
        if self._is_needed:
            self._queue.put(data)

    def hashes(self) -> tuple[Hash, ...]:
        """The hashes, when all is fed."""
        return self._digests.hashes()


@contextmanager
def _digests_in_thread(algorithms: tuple[str, ...]) -> Iterator[_DigestsThread]:
    running = _DigestsThread(algorithms)
    if not algorithms:  # a thread that does nothing still costs its start and its end
        yield running
        return
    running._thread.start()
    try:
        yield running
    finally:
        running._queue.put(None)
        running._thread.join()

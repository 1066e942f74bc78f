"""Captures what native decoders print on standard error.

libjpeg (in OpenCV) and libtiff (in Pillow) repair damaged pictures without an error: a line on
standard error is the only sign that not all of the picture was read. So the descriptor is
redirected while they decode. It belongs to the whole process: hence the lock, and what others write
in the meantime is passed on.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

_STDERR = 2
_lock = threading.Lock()
_kept: list[int] = []  # the descriptor of the file in memory that ``keep_file`` made

# How libjpeg's warnings (jerror.h), libtiff's messages ("function: text") and OpenCV's log begin.
_DECODER_LINE = re.compile(
    r"Corrupt JPEG data|Premature end of JPEG|Inconsistent progression sequence"
    r"|Invalid (SOS parameters|component ID)|Application transferred too|Unsupported marker type"
    r"|Unknown Adobe color transform|Warning: unknown JFIF revision"
    r"|(tempfile\.tif|_?TIFF\w+|MissingRequired|CheckDirCount|EstimateStripByteCounts|ChopUp\w+"
    r"|(LZW|ZIP|ZSTD|LZMA|LERC|PixarLog|LogL|Fax|OJPEG|JPEG|Predictor|PackBits|DumpMode|Thunder"
    r"|NeXT|WebP)\w*): "
    r"|\[ ?(WARN|ERROR|INFO):"
)
# The last: padding that some cameras write before the end of a picture that is whole, and what
# follows a segment of metadata that is longer than it says.
_HARMLESS = re.compile(
    r"Unknown Adobe|Warning: |\[ INFO:|\w+: Warning, "
    r"|Corrupt JPEG data: \d+ extraneous bytes before marker 0x(d[9b]|c[0-2]|e[0-9a-f]|fe)"
)


def keep_file() -> None:
    """Make now the file in memory that messages are captured in, for a process that will not be
    able to make any. Without effect where there is no such file.

    Not for processes that fork: both would write to the same place of it.
    """
    if not _kept and hasattr(os, "memfd_create"):
        with suppress(OSError):
            _kept.append(os.memfd_create("messages"))


@contextmanager
def decoder_messages() -> Iterator[list[str]]:
    """A list that holds, after the ``with`` block, the decoders' complaints within it. Always empty
    where they cannot be captured (Windows, or no standard error)."""
    complaints: list[str] = []
    with _lock, ExitStack() as stack:
        capture = _Capture.open(stack)
        if capture is not None:
            stack.callback(capture.sort, complaints)
            stack.callback(os.dup2, capture.original, _STDERR)
            os.dup2(capture.writer, _STDERR)
        yield complaints


@dataclass(frozen=True, slots=True)
class _Capture:
    """Descriptors: the real standard error, and both ends of where it is redirected to."""

    original: int
    reader: int
    writer: int

    @classmethod
    def open(cls, stack: ExitStack) -> _Capture | None:
        if os.name != "posix":
            return None
        try:
            original = os.dup(_STDERR)
            stack.callback(os.close, original)
            if _kept:
                os.lseek(_kept[0], 0, os.SEEK_SET)
                return cls(original, _kept[0], _kept[0])
            if hasattr(os, "memfd_create"):  # in memory: never full, never waits
                reader = writer = os.memfd_create("messages")
                stack.callback(os.close, reader)
                return cls(original, reader, writer)
            reader, writer = os.pipe()
            stack.callback(os.close, reader)
            stack.callback(os.close, writer)
            os.set_blocking(reader, False)
            os.set_blocking(writer, False)  # more than a pipe holds is lost
        except OSError:
            return None
        return cls(original, reader, writer)

    def sort(self, complaints: list[str]) -> None:
        """Keep the decoders' lines; pass on what others wrote in the meantime."""
        foreign = b""
        for line in self._captured().splitlines(keepends=True):
            text = line.decode("utf-8", "replace").strip()
            if not _DECODER_LINE.match(text):
                foreign += line
            elif not _HARMLESS.match(text):
                complaints.append(text)
        if foreign:
            with suppress(OSError):
                os.write(self.original, foreign)

    def _captured(self) -> bytes:
        if self.reader == self.writer:  # up to where it was written: the rest is from before
            written = os.lseek(self.reader, 0, os.SEEK_CUR)
            return os.pread(self.reader, written, 0)
        captured = bytearray()
        with suppress(BlockingIOError):
            while chunk := os.read(self.reader, 1 << 16):
                captured += chunk
        return bytes(captured)

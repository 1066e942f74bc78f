"""Hearing what a native decoder says, instead of letting it write to the person's terminal.

libjpeg, inside OpenCV, and libtiff, inside Pillow, repair damaged pictures without an error: all
they do is to print a line on the process's standard error. That line is the only sign that less
than the whole picture was read. So while they decode, the descriptor leads elsewhere. It is the
whole process's, hence the lock, and hence what others write meanwhile is passed on.
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
# The last: padding that some cameras write before the end of a picture that is whole.
_HARMLESS = re.compile(
    r"Unknown Adobe|Warning: |\[ INFO:|\w+: Warning, "
    r"|Corrupt JPEG data: \d+ extraneous bytes before marker 0xd9"
)


@contextmanager
def decoder_messages() -> Iterator[list[str]]:
    """A list that, after the ``with`` block, holds what decoders complained of within it. Always
    empty where the system has no way to hear them (Windows, or no standard error at all)."""
    complaints: list[str] = []
    with _lock, ExitStack() as stack:
        ear = _Ear.open(stack)
        if ear is not None:
            stack.callback(ear.sort, complaints)
            stack.callback(os.dup2, ear.original, _STDERR)
            os.dup2(ear.writer, _STDERR)
        yield complaints


@dataclass(frozen=True, slots=True)
class _Ear:
    """Descriptors: where standard error really leads, and where it leads while we listen."""

    original: int
    reader: int
    writer: int

    @classmethod
    def open(cls, stack: ExitStack) -> _Ear | None:
        if os.name != "posix":
            return None
        try:
            original = os.dup(_STDERR)
            stack.callback(os.close, original)
            if hasattr(os, "memfd_create"):  # memory: takes whatever is said, and never waits
                reader = writer = os.memfd_create("messages")
                stack.callback(os.close, reader)
                return cls(original, reader, writer)
            reader, writer = os.pipe()
            stack.callback(os.close, reader)
            stack.callback(os.close, writer)
            os.set_blocking(reader, False)
            os.set_blocking(writer, False)  # who says more than a pipe holds loses the rest
        except OSError:
            return None
        return cls(original, reader, writer)

    def sort(self, complaints: list[str]) -> None:
        """Keep what decoders said; pass on what others wrote meanwhile."""
        foreign = b""
        for line in self._heard().splitlines(keepends=True):
            text = line.decode("utf-8", "replace").strip()
            if not _DECODER_LINE.match(text):
                foreign += line
            elif not _HARMLESS.match(text):
                complaints.append(text)
        if foreign:
            with suppress(OSError):
                os.write(self.original, foreign)

    def _heard(self) -> bytes:
        if self.reader == self.writer:
            os.lseek(self.reader, 0, os.SEEK_SET)
        heard = bytearray()
        with suppress(BlockingIOError):
            while piece := os.read(self.reader, 1 << 16):
                heard += piece
        return bytes(heard)

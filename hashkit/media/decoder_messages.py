"""Hearing what a native decoder says, instead of letting it write to the person's terminal.

libjpeg, inside OpenCV, and libtiff, inside Pillow, repair damaged pictures without an error: all
they do is to print a line on the process's standard error. That line is the only sign that less
than the whole picture was read. So while they decode, the descriptor leads into a pipe. It is the
whole process's, hence the lock, and hence what comes from elsewhere is passed on.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_STDERR = 2
_lock = threading.Lock()

# How libjpeg's warnings (jerror.h), libtiff's messages ("function: text") and OpenCV's log begin.
_DECODER_LINE = re.compile(
    r"Corrupt JPEG data|Premature end of JPEG|Inconsistent progression sequence"
    r"|Invalid (SOS parameters|component ID)|Application transferred too|Unsupported marker type"
    r"|Unknown Adobe color transform|Warning: unknown JFIF revision"
    r"|tempfile\.tif: "
    r"|(?!\w*(Error|Warning|Exception): )(?=\w*[a-z])_?[A-Z]\w{0,40}?[A-Z]\w{0,40}: "
    r"|\[ ?(WARN|ERROR|INFO):"
)
_HARMLESS = re.compile(r"Unknown Adobe|Warning: |\[ INFO:|\w+: Warning, ")


@contextmanager
def decoder_messages() -> Iterator[list[str]]:
    """A list that, after the ``with`` block, holds what decoders complained of within it."""
    complaints: list[str] = []
    with _lock:
        try:
            original = os.dup(_STDERR)
        except OSError:  # no standard error at all: then nothing can be said, or heard
            yield complaints
            return
        reader, writer = os.pipe()
        try:
            os.set_blocking(reader, False)
            os.set_blocking(writer, False)  # a decoder that says too much loses the rest
            os.dup2(writer, _STDERR)
            yield complaints
        finally:
            os.dup2(original, _STDERR)
            os.close(writer)
            heard = _drain(reader)
            os.close(reader)
            _sort(heard, complaints, original)
            os.close(original)


def _drain(reader: int) -> bytes:
    heard = bytearray()
    with suppress(BlockingIOError):
        while piece := os.read(reader, 1 << 16):
            heard += piece
    return bytes(heard)


def _sort(heard: bytes, complaints: list[str], original: int) -> None:
    """Keep what decoders said; pass on what others wrote meanwhile."""
    foreign = b""
    for line in heard.splitlines(keepends=True):
        text = line.decode("utf-8", "replace").strip()
        if not _DECODER_LINE.match(text):
            foreign += line
        elif not _HARMLESS.match(text):
            complaints.append(text)
    if foreign.strip():
        with suppress(OSError):
            os.write(original, foreign)

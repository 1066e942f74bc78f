"""Reads a file once for two readers: a demuxer that seeks, and digests that need every byte in
order."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

_CHUNK = 1 << 20


class Tee:
    """A readable, seekable file that passes every byte on, once and in order, while it is read.

    What the reader skips is passed on when it seeks back to it, or at the end by ``finish``.
    """

    def __init__(self, stream: BinaryIO, pass_on: Callable[[bytes], None]) -> None:
        self._stream = stream
        self._pass_on = pass_on
        self._passed = 0
        self._position = stream.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Read as from any file."""
        data = self._stream.read(size)
        start, self._position = self._position, self._position + len(data)
        if start <= self._passed < self._position:
            self._pass_on(data[self._passed - start :])
            self._passed = self._position
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Seek as in any file."""
        self._position = self._stream.seek(offset, whence)
        return self._position

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def finish(self) -> int:
        """Pass on what has not been read yet. Returns how many bytes were passed on in all."""
        self.seek(self._passed)
        while self.read(_CHUNK):
            pass
        return self._passed

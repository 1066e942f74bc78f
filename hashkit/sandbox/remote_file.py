"""A file that a worker reads by byte ranges from somewhere else, such as a browser.

A page in a browser cannot name the path of a file but can read any part of it. So nothing is copied
to disk or held in memory as a whole, however large the file is, and the reader can seek.

    worker: RemoteFile.read -> {"read": [start, length]} -> parent: RemoteSource.read_range
                            <- the bytes                 <-
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hashkit.errors import DecoderCrashed

MAX_RANGE = 4 << 20
"""Bytes of the longest range that is requested."""

MIN_RANGE = 64 << 10
"""Bytes of the shortest range that an honest reader requests, except at the end."""

_MAX_CACHED = 4  # ranges: a demuxer alternates between sound and picture

RangeReader = Callable[[int, int], bytes]
"""Takes an offset and a length; returns the bytes."""


@dataclass(frozen=True, slots=True)
class RemoteSource:
    """The parent's side: a file of ``size`` bytes (more than 0) that ``read_range`` reads.

    ``read_range`` may block. It raises an error of the FileError branch if the bytes cannot be
    read, and any other exception to cancel. ``is_cancelled`` is polled while the worker is busy.
    """

    size: int
    read_range: RangeReader
    is_cancelled: Callable[[], bool] = bool  # never

    @property
    def max_bytes(self) -> int:
        """The total that may be requested: a reader may seek back, but not for ever."""
        return 8 * self.size + (64 << 20)

    def read_requested(self, untrusted: Any) -> bytes:
        """The range that a worker requests. DecoderCrashed if the request is invalid."""
        match untrusted:
            case [int(start), int(length)] if (  # (True counts as 1, which does no harm)
                start >= 0 and 0 < length <= MAX_RANGE and start + length <= self.size
            ):
                return self.read_range(start, length)
        raise DecoderCrashed


class RemoteFile(io.RawIOBase):
    """The worker's side: readable and seekable; caches a few ranges.

    Sequential reads request ever longer ranges; after a seek they start short again.
    """

    def __init__(self, size: int, read_range: RangeReader) -> None:
        super().__init__()
        self._size, self._read_range = size, read_range
        self._position = 0
        self._cached: OrderedDict[int, bytes] = OrderedDict()  # by offset

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("there is nothing before the beginning")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """As many bytes as requested; fewer at the end only."""
        end = self._size if size is None or size < 0 else min(self._size, self._position + size)
        parts = []
        while self._position < end:
            start, data = self._range_at(self._position)
            part = data[self._position - start : end - start]
            parts.append(part)
            self._position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _range_at(self, position: int) -> tuple[int, bytes]:
        """The range that holds this position: its offset and its bytes."""
        before = 0  # bytes in the range that ends here
        for start, data in self._cached.items():
            if start <= position < start + len(data):
                self._cached.move_to_end(start)
                return start, data
            if start + len(data) == position:
                before = len(data)
        length = min(max(MIN_RANGE, 2 * before), MAX_RANGE, self._size - position)
        self._cached[position] = self._read_range(position, length)
        if len(self._cached) > _MAX_CACHED:
            self._cached.popitem(last=False)
        return position, self._cached[position]

"""A file that is not here: whoever holds it hands over the pieces that are asked for.

The holder may be a page in a browser, which cannot say where a file is but can read any part of it.
So nothing has to be copied first, to the disk or into memory, however large the file is, and a
reader can jump about in it as in any file.

    worker: RemoteFile.read -> {"want": [start, length]} -> supervisor -> HandedOver.piece -> holder
                        <- the bytes                 <-            <-                  <-
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hashkit.errors import DecoderCrashed

MAX_PIECE = 4 << 20
"""Bytes that are asked for at once, at most."""

MIN_PIECE = 64 << 10
"""Bytes that an honest reader asks for at least, but at the end."""

_KEPT = 4  # pieces: a demuxer goes back and forth between sound and picture

PieceReader = Callable[[int, int], bytes]
"""Given where a piece starts and how many bytes it has, gives these bytes."""


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A file of ``size`` bytes, more than 0, that ``piece`` reads from its holder.

    ``piece`` may wait for the holder. It raises an error of the FileError branch where the bytes
    cannot be had, and whatever calls the work off. ``called_off`` is asked now and then, so that a
    worker is ended that is busy with what nobody wants any more.
    """

    size: int
    piece: PieceReader
    called_off: Callable[[], bool] = bool  # never

    @property
    def max_bytes(self) -> int:
        """So many may be asked for in all: a reader may go back, but not for ever."""
        return 8 * self.size + (64 << 20)

    def wanted(self, untrusted: Any) -> bytes:
        """The piece that a worker wants. DecoderCrashed where no honest worker would want it."""
        match untrusted:
            case [int(start), int(length)] if (  # (True counts as 1, which does no harm)
                start >= 0 and 0 < length <= MAX_PIECE and start + length <= self.size
            ):
                return self.piece(start, length)
        raise DecoderCrashed


class RemoteFile(io.RawIOBase):
    """The file as a worker sees it: readable and seekable, in memory no more than a few pieces.

    What is read in one go comes in ever longer pieces; after a jump, in short ones again.
    """

    def __init__(self, size: int, piece: PieceReader) -> None:
        super().__init__()
        self._size, self._piece = size, piece
        self._position = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()  # by where they start

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
        """As many bytes as are asked for; fewer at the end only."""
        end = self._size if size is None or size < 0 else min(self._size, self._position + size)
        parts = []
        while self._position < end:
            start, data = self._holding(self._position)
            part = data[self._position - start : end - start]
            parts.append(part)
            self._position += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def readinto(self, buffer: Any) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _holding(self, position: int) -> tuple[int, bytes]:
        """The piece with the byte at this position, and where it starts."""
        before = 0  # bytes in the piece that ends just here
        for start, data in self._kept.items():
            if start <= position < start + len(data):
                self._kept.move_to_end(start)
                return start, data
            if start + len(data) == position:
                before = len(data)
        length = min(max(MIN_PIECE, 2 * before), MAX_PIECE, self._size - position)
        self._kept[position] = self._piece(position, length)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return position, self._kept[position]

"""Runs of zero bytes: what is read where nothing was ever written, or can be read no more."""

from __future__ import annotations

from collections.abc import Iterator

MAX_IN_CODED = 64
"""A run of this many zeros does not occur in codes that forbid it (HEVC, where three stand for
something else), nor, as measured on plain pictures, in AV1 and LZW."""

_CHUNK = 1 << 16


def has_run(data: bytes, start: int, end: int, length: int = MAX_IN_CODED) -> bool:
    """Whether ``data[start:end]`` holds ``length`` zeros in a row."""
    return data.find(bytes(length), start, end) != -1


def runs(data: bytes, start: int, end: int, length: int) -> Iterator[tuple[int, int]]:
    """Where runs of at least ``length`` zeros begin and end in ``data[start:end]``."""
    wanted = bytes(length)
    while (begin := data.find(wanted, start, end)) != -1:
        start = run_end(data, begin + length, end)
        yield begin, start


def run_end(data: bytes, start: int, end: int) -> int:
    """Where the zeros from ``start`` on end; at most ``end``."""
    while start < end:
        chunk = data[start : min(start + _CHUNK, end)]
        rest = len(chunk.lstrip(b"\0"))
        start += len(chunk) - rest
        if rest:
            break
    return start


def tail_start(data: bytes, start: int, end: int) -> int:
    """Where the zeros begin with which ``data[start:end]`` ends; ``end`` if there are none."""
    while end > start:
        chunk = data[max(start, end - _CHUNK) : end]
        rest = len(chunk.rstrip(b"\0"))
        end -= len(chunk) - rest
        if rest:
            break
    return end

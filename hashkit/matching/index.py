"""An index of PDQ hashes, searched exactly by Hamming distance.

    index = Index()
    index.add("f8f8f0cc…", "holiday.jpg")
    index.search("f8f8f0cd…")  ->  [Match(key="holiday.jpg", distance=1)]

Each search compares with every hash: in NumPy 0.3 ms for 100,000 (bench/searching.py). For a
million and more, the faiss package does the same in less than half the time, if it is installed
(``pip install faiss-cpu``). Its index of hash tables, exact too, was no faster and took ten times
the memory; its approximate ones could miss a copy.

A saved index holds the keys, which are often the names of files. It is for this computer, and not
for sending; what may leave is a submission.
"""

from __future__ import annotations

import os
import re
import struct
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from itertools import accumulate, pairwise
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hashkit.errors import DocumentInvalid, OutputUnwritable
from hashkit.hashes import pdq
from hashkit.pipeline.files import open_untrusted
from hashkit.submission.writing import write_whole

MAX_BYTES = 1 << 30
"""A bigger file is neither saved nor loaded. It holds ten million hashes with keys of 70 bytes."""

FAISS_FROM = 1_000_000
"""With this many hashes, faiss is used if it is there. With fewer, a search could gain less than
2 ms, and to import faiss and copy the hashes takes 0.2 s."""

Words = npt.NDArray[np.uint64]
"""Hashes, of shape (4, n): a row of 64 bits each. In rows, NumPy adds up the bits of many hashes at
a time; in the shape (n, 4) that takes seven times as long."""
Counts = npt.NDArray[np.uint16]
Near = tuple[Counts, npt.NDArray[np.int64]]
"""The distances of those that are near, and their positions."""


class Match(NamedTuple):
    """An entry that was found: the ``key`` it was added with, and in how many of the 256 bits it
    differs."""

    key: str
    distance: int


class Index:
    """PDQ hashes, each with a key of the caller's choice, searched by Hamming distance.

    Several entries may have the same hash, or the same key. Leave hashes of a quality below
    ``pdq.QUALITY_THRESHOLD`` out: plain pictures have hashes alike that are not alike themselves.
    Several threads may search at a time, as long as none adds.
    """

    def __init__(self) -> None:
        self._words: Words = np.empty((4, 0), np.uint64)  # grows as hashes are added
        self._keys: list[str] = []
        self._faiss_from: float = FAISS_FROM
        self._flat: Any = None  # faiss's copy of the hashes, or of the first of them
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, value: str, key: str) -> None:
        """Add one hash of 64 hex digits. ValueError for another value, TypeError for a key that is
        no text."""
        self.extend([(value, key)])

    def extend(self, entries: Iterable[tuple[str, str]]) -> None:
        """Add many, each a value and its key: all, or none where one raises ValueError or TypeError
        as in ``add``."""
        pairs = list(entries)
        keys = [key for _, key in pairs]
        if not all(isinstance(key, str) for key in keys):
            raise TypeError("a key is text")
        new = _words([value for value, _ in pairs])
        begin, end = len(self), len(self) + len(keys)
        if end > self._words.shape[1]:
            # Twice the size each time, so that adding one by one copies each hash about once.
            grown = np.empty((4, max(end, 2 * begin)), np.uint64)
            grown[:, :begin] = self._words[:, :begin]
            self._words = grown
        self._words[:, begin:end] = new
        self._keys += keys

    def search(self, value: str, threshold: int = pdq.THRESHOLD) -> list[Match]:
        """All entries that are at most ``threshold`` bits (0 to 256) away from ``value`` (64 hex
        digits): the nearest first, equal ones in the order they were added. ValueError for a value
        or a threshold out of range."""
        return self.search_many([value], threshold)[0]

    def search_many(
        self, values: Sequence[str], threshold: int = pdq.THRESHOLD
    ) -> list[list[Match]]:
        """What ``search`` gives, for each of the ``values`` in turn; ValueError as there. Arguments
        as for ``search``."""
        if not 0 <= threshold <= pdq.BITS:
            raise ValueError(f"a threshold is 0 to {pdq.BITS} bits")
        queries = _words(values)
        large = len(self) >= self._faiss_from
        search = self._by_faiss if large and _faiss() is not None else self._by_numpy
        return [self._matches(near) for near in search(queries, threshold)]

    def _matches(self, near: Near) -> list[Match]:
        distances, positions = near
        order = np.lexsort((positions, distances))
        found = zip(positions[order].tolist(), distances[order].tolist(), strict=True)
        return [Match(self._keys[position], distance) for position, distance in found]

    def _by_numpy(self, queries: Words, threshold: int) -> Iterator[Near]:
        words = self._words[:, : len(self)]
        for query in queries.T:
            distances, positions = [np.empty(0, np.uint16)], [np.empty(0, np.int64)]
            for begin in range(0, len(self), _BLOCK):
                some = _ones(words[:, begin : begin + _BLOCK] ^ query[:, None])
                (near,) = np.nonzero(some <= threshold)
                distances.append(some[near])
                positions.append(near + begin)
            yield np.concatenate(distances), np.concatenate(positions)

    def _by_faiss(self, queries: Words, threshold: int) -> Iterator[Near]:
        flat = self._flat_index()
        with _one_thread():
            # faiss finds what is nearer than its radius, and not what is at it.
            limits, distances, positions = flat.range_search(_rows(queries), int(threshold) + 1)
        for begin, end in pairwise(limits.tolist()):
            yield distances[begin:end].astype(np.uint16), positions[begin:end]

    def _flat_index(self) -> Any:
        """faiss's own index, brought up to date."""
        with self._lock:
            if self._flat is None:
                self._flat = _faiss().IndexBinaryFlat(pdq.BITS)
            if self._flat.ntotal < len(self):
                self._flat.add(_rows(self._words[:, self._flat.ntotal : len(self)]))
            return self._flat

    def save(self, path: str | os.PathLike[str], *, replace: bool = False) -> None:
        """Write the index to one file at ``path``, whole or not at all, readable by its owner only.

        The file holds the keys as they are. It is for this computer, not for sending. Any text may
        be a key, a file name that is not valid Unicode too. OutputExists where there is a file and
        ``replace`` is false; OutputUnwritable where the system refuses, and for an index of more
        than a gigabyte.
        """
        keys = [key.encode("utf-8", "surrogatepass") for key in self._keys]
        size = _HEAD.size + _ENTRY * len(keys) + sum(map(len, keys)) + _SEAL
        if size > MAX_BYTES:
            raise OutputUnwritable("The index is too big to be saved.")
        head = _HEAD.pack(_MAGIC, _VERSION, len(keys))
        hashes = _rows(self._words[:, : len(keys)]).tobytes()
        lengths = np.array([len(key) for key in keys], _LENGTH).tobytes()
        body = b"".join([head, hashes, lengths, *keys])
        write_whole(Path(path), body + sha256(body).digest(), replace=replace)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Index:
        """Read an index that was saved. DocumentInvalid for a file that is none or is damaged, or
        an error of the FileError branch."""
        with open_untrusted(path) as source:
            if source.size > MAX_BYTES:
                raise DocumentInvalid("This is too big for a hashkit index.")
            untrusted = source.read()
        index = cls()
        index._words, index._keys = _from_bytes(untrusted)
        return index


_BLOCK = 1 << 16  # hashes: 2 MB, and 2 MB more for what differs
_VALUE = re.compile("[0-9A-Fa-f]{64}")


def _words(values: Iterable[str]) -> Words:
    """The hashes of these values. ValueError for what is not 64 hex digits."""
    texts = list(values)
    if not all(isinstance(text, str) and _VALUE.fullmatch(text) for text in texts):
        raise ValueError("a PDQ hash is 64 hex digits")
    return np.frombuffer(bytes.fromhex("".join(texts)), np.uint64).reshape(-1, 4).T


def _rows(words: Words) -> npt.NDArray[np.uint8]:
    """The same hashes as uint8 of shape (n, 32), the bytes in the order of the hex digits."""
    return np.ascontiguousarray(words.T).view(np.uint8)


def _ones(words: Words) -> Counts:
    """How many bits of each hash are set: 0 to 256, of shape (n,)."""
    ones: Counts = np.bitwise_count(words).sum(axis=0, dtype=np.uint16)
    return ones


@cache
def _faiss() -> Any:
    """The faiss package, or None where it is not installed."""
    with warnings.catch_warnings():
        # What its wrapper (SWIG) and its older loaders do when they are imported is no fault of the
        # caller's, and would end a program that runs with -W error.
        for message in (r"builtin type swig\w+ has no __module__", r"numpy\.core\b.* deprecated"):
            warnings.filterwarnings("ignore", message, DeprecationWarning)
        try:
            import faiss  # noqa: PLC0415 (takes a tenth of a second)
        except ImportError:
            return None
    return faiss


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let faiss use the calling thread only. On a busy machine, a search of 1 ms took 30 ms
    waiting for OpenMP's idle threads."""
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


# A saved index, numbers little-endian: the head; 32 bytes a hash; the length of each key, 4 bytes;
# the keys in UTF-8; the SHA-256 of all that, which tells a file that was cut short or damaged.
_MAGIC, _VERSION = b"hashkit-index", 1
_HEAD = struct.Struct("<13sBQ")  # the magic, the version, how many entries
_LENGTH = np.dtype("<u4")
_ENTRY = pdq.BITS // 8 + _LENGTH.itemsize
_SEAL = sha256().digest_size

_DAMAGED = "This index is cut short or damaged."


def _from_bytes(untrusted: bytes) -> tuple[Words, list[str]]:
    """The hashes and keys of a saved index. DocumentInvalid for anything else."""
    if len(untrusted) < _HEAD.size + _SEAL or not untrusted.startswith(_MAGIC):
        raise DocumentInvalid("This is not a saved hashkit index.")
    _, version, count = _HEAD.unpack_from(untrusted)
    if version != _VERSION:
        raise DocumentInvalid("This index was made by another version of hashkit.")
    body = memoryview(untrusted)[:-_SEAL]
    if sha256(body).digest() != untrusted[-_SEAL:]:
        raise DocumentInvalid(_DAMAGED)
    # Anyone can make the SHA-256 fit, so nothing that follows relies on it.
    lengths_at = _HEAD.size + pdq.BITS // 8 * count
    keys_at = _HEAD.size + _ENTRY * count
    if keys_at > len(body):
        raise DocumentInvalid(_DAMAGED)
    lengths = np.frombuffer(body, _LENGTH, count, lengths_at).tolist()
    cuts = [*accumulate(lengths, initial=keys_at)]
    if cuts[-1] != len(body):
        raise DocumentInvalid(_DAMAGED)
    try:
        keys = [str(body[begin:end], "utf-8", "surrogatepass") for begin, end in pairwise(cuts)]
    except UnicodeDecodeError as error:
        raise DocumentInvalid(_DAMAGED) from error
    words = np.frombuffer(body, np.uint64, 4 * count, _HEAD.size).reshape(-1, 4)
    return np.array(words.T, order="C"), keys

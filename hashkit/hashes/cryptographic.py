"""MD5, SHA-1, SHA-256 and SHA-512 of the bytes exactly as they are, all in one pass.

They find exact copies. MD5 and SHA-1 are here because services match by them, not for security.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from hashkit.models import Hash

_KNOWN = {"md5", "sha1", "sha256", "sha512"}
_CHUNK = 1 << 20  # each chunk is still in the processor's cache for the second digest


class Digests:
    """Several digests fed with the same bytes. For streams; ``compute`` is for bytes at hand."""

    def __init__(self, algorithms: Iterable[str]) -> None:
        names = tuple(algorithms)
        if unknown := set(names) - _KNOWN:
            raise ValueError(f"unsupported: {', '.join(sorted(unknown))}")
        # usedforsecurity: lets a system in FIPS mode compute MD5 for matching.
        self._digests = [hashlib.new(name, usedforsecurity=False) for name in names]

    def update(self, data: bytes | memoryview) -> None:
        """Feed the next bytes."""
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            chunk = view[start : start + _CHUNK]
            for digest in self._digests:
                digest.update(chunk)

    def hashes(self) -> tuple[Hash, ...]:
        """The hashes of all bytes so far, in the order in which they were asked for."""
        return tuple(Hash(digest.name, digest.hexdigest()) for digest in self._digests)


def compute(
    data: bytes | memoryview, algorithms: Iterable[str] = ("md5", "sha1", "sha256")
) -> tuple[Hash, ...]:
    """Hash ``data`` with each of ``algorithms`` (md5, sha1, sha256, sha512), in that order.

    Values are lowercase hex. Definitions: RFC 1321, FIPS 180-4. ValueError for an unknown name.
    """
    digests = Digests(algorithms)
    digests.update(data)
    return digests.hashes()

"""Digests against published test vectors and against hashlib fed in one piece."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hashkit.hashes import cryptographic

# RFC 1321, FIPS 180-4 (examples with intermediate values), for the message "abc".
ABC = {
    "md5": "900150983cd24fb0d6963f7d28e17f72",
    "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
    "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    "sha512": "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
}


@pytest.mark.parametrize("name", ABC)
def test_published_vectors(name):
    assert cryptographic.compute(b"abc", [name])[0].value == ABC[name]


def test_several_at_once_in_the_order_asked_for():
    found = cryptographic.compute(b"abc", ["sha256", "md5"])
    assert [(each.algorithm, each.value) for each in found] == [
        ("sha256", ABC["sha256"]),
        ("md5", ABC["md5"]),
    ]


@given(pieces=st.lists(st.binary(max_size=3000), max_size=20))
def test_pieces_make_no_difference(pieces):
    digests = cryptographic.Digests(["sha256"])
    for piece in pieces:
        digests.update(piece)
    assert digests.hashes()[0].value == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_longer_than_one_chunk():
    data = bytes(range(256)) * 20_000
    assert cryptographic.compute(data, ["md5"])[0].value == hashlib.md5(data).hexdigest()


def test_unknown_name():
    with pytest.raises(ValueError, match="unsupported"):
        cryptographic.compute(b"", ["sha3_256"])

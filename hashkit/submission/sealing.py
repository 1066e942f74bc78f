"""Sealing: a submission that only one person can open, for handing it to a support worker.

    sealed = seal(submission, ["age1…"])            # for whoever has the private key
    sealed = seal_with_passphrase(submission, "…")  # for whoever knows the passphrase

Hashes are sensitive, and mail and chats keep copies. A sealed submission is a file of age
(https://age-encryption.org/v1), in its text form (armor), so that it can also be pasted into a
message. ``age`` and every other program for that format opens it. Both the text and the binary form
are read. What was sealed is checked to be a submission. It is decrypted in memory, whole, so that
nothing is written of a file that cannot be decrypted to its end.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from enum import StrEnum
from importlib import import_module
from typing import Any

from hashkit.errors import (
    IdentityUnknown,
    NotSealed,
    PassphraseShort,
    RecipientUnknown,
    SealCostly,
    SealDamaged,
    SealUnavailable,
    WrongKey,
)
from hashkit.submission.document import MAX_BYTES, Submission

MIN_PASSPHRASE = 12
"""Characters. Trying one passphrase takes age about a second, so that these are too many to try."""

MAX_SEALED_BYTES = MAX_BYTES * 3 // 2
"""Bytes of a sealed file: those of the largest submission, in the text form."""

MAX_RECIPIENTS = 100
"""People that a file can be sealed for at a time."""

_MAX_HEADER_BYTES = 1 << 14  # age reads long headers slowly; that for 100 people has 10 KB
_LOOKED_AT = 4096
_END_OF_HEADER = b"\n--- "
_BINARY = b"age-encryption.org/v1\n"
_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END_OF_ARMOR = b"-----END AGE ENCRYPTED FILE-----"
_PRIVATE_KEY = "AGE-SECRET-KEY-1"

# What pyrage says where the file is well formed and the key is another one.
_NOT_THIS_KEY = ("No matching keys found", "Decryption failed")
_COSTLY = "Excessive work parameter"
_COSTLY_TRIES = 3


class SealKind(StrEnum):
    """What opens a sealed file."""

    KEY = "key"
    PASSPHRASE = "passphrase"  # noqa: S105 (a name, not a passphrase)


def seal(submission: Submission, recipients: Iterable[str]) -> bytes:
    """The submission, sealed for those who have the private keys of these ``recipients`` (public
    keys of age, ``age1…``), each of whom can open it alone.

    RecipientUnknown for one that is no such key, for none at all, and for more than 100;
    SealUnavailable; TypeError for a single text.
    """
    if isinstance(recipients, str):
        raise TypeError("recipients is an iterable of keys")
    pyrage = _pyrage()
    recipients = tuple(recipients)
    if len(recipients) > MAX_RECIPIENTS:
        raise RecipientUnknown(f"This is for more than {MAX_RECIPIENTS} people.")
    keys = []
    for recipient in recipients:
        try:
            keys.append(pyrage.x25519.Recipient.from_str(recipient.strip()))
        except pyrage.RecipientError as error:
            raise RecipientUnknown from error
    if not keys:
        raise RecipientUnknown
    sealed: bytes = pyrage.encrypt(submission.to_json().encode(), keys, armored=True)
    return sealed


def seal_with_passphrase(submission: Submission, passphrase: str) -> bytes:
    """The submission, sealed for those who know the passphrase.

    PassphraseShort where it has fewer than 12 characters, not counting spaces around it;
    SealUnavailable.
    """
    if len(passphrase.strip()) < MIN_PASSPHRASE:
        raise PassphraseShort
    content = submission.to_json().encode()
    sealed: bytes = _pyrage().passphrase.encrypt(content, passphrase, armored=True)
    return sealed


def unseal(untrusted_sealed: bytes, identities: Iterable[str]) -> Submission:
    """The submission in a sealed file, whose content is ``untrusted_sealed``, opened with one of
    these ``identities``: private keys of age (``AGE-SECRET-KEY-1…``).

    NotSealed, WrongKey (also for one that is sealed with a passphrase), SealDamaged;
    IdentityUnknown for an identity that is no such key, or for none; DocumentInvalid where
    something else than a submission was sealed; SealUnavailable; TypeError for a single text.
    """
    if isinstance(identities, str):
        raise TypeError("identities is an iterable of keys")
    pyrage = _pyrage()
    keys = []
    for identity in identities:
        try:
            keys.append(pyrage.x25519.Identity.from_str(identity))
        except pyrage.IdentityError:
            raise IdentityUnknown from None  # the cause could show a part of the key
    if not keys:
        raise IdentityUnknown
    return _opened(untrusted_sealed, pyrage.decrypt, keys)


def unseal_with_passphrase(untrusted_sealed: bytes, passphrase: str) -> Submission:
    """The submission in a file that was sealed with this ``passphrase``. ``untrusted_sealed`` and
    errors as for ``unseal``; SealCostly for a file that is made to keep this computer busy."""
    return _opened(untrusted_sealed, _pyrage().passphrase.decrypt, passphrase)


def seal_kind(untrusted_sealed: bytes) -> SealKind:
    """What opens this file. NotSealed where it is no file of age."""
    head = _head(untrusted_sealed[:_LOOKED_AT], 48)
    if head is None or not head.startswith(_BINARY):
        raise NotSealed
    first = head[len(_BINARY) :]
    return SealKind.PASSPHRASE if first.startswith(b"-> scrypt ") else SealKind.KEY


def identities_in(untrusted_text: str) -> tuple[str, ...]:
    """The private keys of age in an identity file, which ``age-keygen`` writes: a key a line, and
    comments after ``#``. IdentityUnknown where there is anything else, or nothing."""
    lines = [line.strip() for line in untrusted_text.removeprefix("\ufeff").splitlines()]
    keys = tuple(line for line in lines if line and not line.startswith("#"))
    if not keys or not all(key.startswith(_PRIVATE_KEY) for key in keys):
        raise IdentityUnknown
    return keys


def _opened(untrusted_sealed: bytes, decrypt: Any, key: Any) -> Submission:
    seal_kind(untrusted_sealed)
    if len(untrusted_sealed) > MAX_SEALED_BYTES:
        raise SealDamaged("This is too big for a sealed submission.")
    sealed = _without_surroundings(untrusted_sealed)
    if _END_OF_HEADER not in (_head(sealed, _MAX_HEADER_BYTES) or b""):
        raise SealDamaged("This is not what hashkit seals: it begins with too much else.")
    content = _decrypted(sealed, decrypt, key)
    return Submission.from_json(content)


def _without_surroundings(untrusted_sealed: bytes) -> bytes:
    """The file without the rest of the message that it was pasted into."""
    begin = untrusted_sealed.find(_ARMOR)
    if begin < 0 or untrusted_sealed.lstrip().startswith(_BINARY):
        return untrusted_sealed.lstrip()
    end = untrusted_sealed.find(_END_OF_ARMOR, begin)
    return untrusted_sealed[begin : end + len(_END_OF_ARMOR) if end >= 0 else None]


def _decrypted(untrusted_sealed: bytes, decrypt: Any, key: Any) -> bytes:
    """What was sealed. pyrage refuses files whose passphrase takes too long to check. It measures
    that by a short trial, which fails on a busy computer, so it is tried more than once."""
    for _ in range(_COSTLY_TRIES):
        try:
            return bytes(decrypt(untrusted_sealed, key))
        except _pyrage().DecryptError as error:
            if str(error) in _NOT_THIS_KEY:
                raise WrongKey from error
            if not str(error).startswith(_COSTLY):
                raise SealDamaged from error
    raise SealCostly


def _head(untrusted_sealed: bytes, size: int) -> bytes | None:
    """At most ``size`` first bytes of the binary form; None where the armor is damaged."""
    start = _without_surroundings(untrusted_sealed)
    if not start.startswith(_ARMOR):
        return start[:size]
    text = b"".join(start[len(_ARMOR) : 2 * size].partition(_END_OF_ARMOR)[0].split())
    letters = text[: size * 4 // 3]
    try:
        return base64.b64decode(letters[: len(letters) // 4 * 4], validate=True)
    except binascii.Error:
        return None


def check_available() -> None:
    """SealUnavailable where the extra is not installed."""
    _pyrage()


def _pyrage() -> Any:
    try:
        return import_module("pyrage")  # an extra: nobody has to have it
    except ImportError as error:
        raise SealUnavailable from error

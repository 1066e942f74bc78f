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
import re
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
_MAX_WORK = 21
"""Of a passphrase: one try takes 2 to the power of this in KiB of memory, 2 GiB. Programs for age
write 18, or what takes a second, which is 20 at most. pyrage itself has no limit of memory."""

_WORK = re.compile(rb"-> scrypt [A-Za-z0-9+/]{22} ([1-9][0-9]?)")
_LOOKED_AT = 4096
_END_OF_HEADER = b"\n--- "
_BINARY = b"age-encryption.org/v1\n"
_ARMOR = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END_OF_ARMOR = b"-----END AGE ENCRYPTED FILE-----"
_PRIVATE_KEY = "AGE-SECRET-KEY-1"

_POST_QUANTUM = "This key is of the post-quantum kind (age1pq1), which hashkit does not support."
_PLUGIN = "This key is for a plugin of age, such as one for a security key. hashkit supports none."
_SSH = (
    "This is an SSH key. hashkit does not seal for SSH keys, since the file would show whose it is."
)
_PRIVATE = "This is a private key, which opens files. It is not needed for sealing them."
_USUAL = (
    "Ask the person for a key that age-keygen makes when no kind is chosen: it begins with age1 "
    "and has 62 characters."
)
_PUBLIC = (
    "Use a public key of age, which begins with age1. If others may have seen the private key, "
    "make a new pair."
)
_BECH32 = "[02-9ac-hj-np-z]"  # https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki

# Keys that people may have, and what hashkit says of them. Of a key of the usual kind, a slip can
# make one that looks like that of a plugin, but for its length.
_OTHER_RECIPIENTS = {
    "age1pq1.*": (_POST_QUANTUM, _USUAL),
    f"age1(yubikey|tag|tagpq|se)1.*|(?!.{{62}}$)age1[a-z0-9+._-]+1{_BECH32}{{6,}}": (
        _PLUGIN,
        _USUAL,
    ),
    "(ssh|ecdsa|sk-ssh|sk-ecdsa)-.*": (_SSH, _USUAL),
    "age-plugin-.*": (_PLUGIN, _USUAL),
    "age-secret-key-.*|-----begin .*private key.*": (_PRIVATE, _PUBLIC),
}
_OTHER_IDENTITIES = {
    "age-secret-key-pq-.*": "The private key is of the post-quantum kind, which hashkit does not "
    "support.",
    "age-plugin-.*": "The private key is for a plugin of age. hashkit supports none.",
    "-----begin .*private key.*": "This is a private key, but not one of age.",
}
_OPEN_WITH_AGE = "If the file was sealed for this key, the program age opens it: age --decrypt"

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

    RecipientUnknown for one that is no such key (the text says so where it is one of another kind),
    for none at all, and for more than 100;
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
            raise _not_a_recipient(recipient) from error
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
            raise _not_an_identity(identity) from None  # the cause could show a part of the key
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
    for key in keys:
        if not key.startswith(_PRIVATE_KEY):
            raise _not_an_identity(key)
    if not keys:
        raise IdentityUnknown
    return keys


def _not_a_recipient(untrusted_key: str) -> RecipientUnknown:
    """The error for this key. It never shows the key, which may be a private one."""
    for pattern, (text, advice) in _OTHER_RECIPIENTS.items():
        if re.fullmatch(pattern, untrusted_key.strip().lower(), re.DOTALL):
            return RecipientUnknown(text, advice=advice)
    return RecipientUnknown()


def _not_an_identity(untrusted_key: str) -> IdentityUnknown:
    """The error for this line of an identity file. It never shows the line."""
    for pattern, text in _OTHER_IDENTITIES.items():
        if re.fullmatch(pattern, untrusted_key.strip().lower(), re.DOTALL):
            return IdentityUnknown(text, advice=_OPEN_WITH_AGE)
    return IdentityUnknown()


def _opened(untrusted_sealed: bytes, decrypt: Any, key: Any) -> Submission:
    seal_kind(untrusted_sealed)
    if len(untrusted_sealed) > MAX_SEALED_BYTES:
        raise SealDamaged("This is too big for a sealed submission.")
    sealed = _without_surroundings(untrusted_sealed)
    header, end, _ = (_head(sealed, _MAX_HEADER_BYTES) or b"").partition(_END_OF_HEADER)
    if not end:
        raise SealDamaged("This is not what hashkit seals: it begins with too much else.")
    _check_work(header)
    content = _decrypted(sealed, decrypt, key)
    return Submission.from_json(content)


def _check_work(untrusted_header: bytes) -> None:
    """SealCostly where a try of a passphrase takes too much; SealDamaged where that is not plain,
    since age could read it in another way."""
    for line in untrusted_header.split(b"\n"):
        if line.startswith(b"-> scrypt"):
            work = _WORK.fullmatch(line)
            if work is None:
                raise SealDamaged
            if int(work[1]) > _MAX_WORK:
                raise SealCostly


def _without_surroundings(untrusted_sealed: bytes) -> bytes:
    """The file without the rest of the message that it was pasted into."""
    begin = untrusted_sealed.find(_ARMOR)
    if begin < 0 or untrusted_sealed.lstrip().startswith(_BINARY):
        return untrusted_sealed.lstrip()
    end = untrusted_sealed.find(_END_OF_ARMOR, begin)
    return untrusted_sealed[begin : end + len(_END_OF_ARMOR) if end >= 0 else None]


def _decrypted(untrusted_sealed: bytes, decrypt: Any, key: Any) -> bytes:
    """What was sealed. pyrage refuses files whose passphrase takes too long to check on this
    computer. It measures that by a short trial, which fails on a busy one, so it is tried more than
    once."""
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

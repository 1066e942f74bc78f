"""Sealed submissions: opened by the right key only, whole, and by other programs of the format."""

from __future__ import annotations

import base64
import re
import sys

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hashkit.errors import (
    DocumentInvalid,
    IdentityUnknown,
    NotSealed,
    PassphraseShort,
    RecipientUnknown,
    SealCostly,
    SealDamaged,
    SealError,
    SealUnavailable,
    WrongKey,
)
from hashkit.models import Hash, MediaKind
from hashkit.submission import sealing
from hashkit.submission.document import Item, Submission
from hashkit.submission.sealing import (
    SealKind,
    identities_in,
    seal,
    seal_kind,
    seal_with_passphrase,
    unseal,
    unseal_with_passphrase,
)

pytestmark = pytest.mark.test_all

SUBMISSION = Submission.from_items(
    [Item(MediaKind.IMAGE, (Hash("pdq", f"{n:064x}", 90),)) for n in range(800)]
)
CONTENT = SUBMISSION.to_json().encode()
KEY, OTHER = (pyrage.x25519.Identity.generate() for _ in range(2))
PUBLIC, OTHER_PUBLIC = str(KEY.to_public()), str(OTHER.to_public())
WORDS = "correct horse battery staple"
SEALED = seal(SUBMISSION, [PUBLIC])
BINARY = pyrage.encrypt(CONTENT, [KEY.to_public()])
assert len(BINARY) > 65536  # age seals in chunks of that size: there are several


@pytest.fixture(scope="module")
def with_words():
    return seal_with_passphrase(SUBMISSION, WORDS)


def test_there_and_back(with_words):
    assert unseal(SEALED, [str(KEY)]) == SUBMISSION
    assert unseal_with_passphrase(with_words, WORDS) == SUBMISSION


def test_nothing_of_it_can_be_read(with_words):
    for sealed in (SEALED, with_words):
        assert sealed.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----\n")
        assert sealed.isascii()
        assert b'"hashes"' not in sealed


def test_each_recipient_can_open_it_alone():
    sealed = seal(SUBMISSION, [PUBLIC, f" {OTHER_PUBLIC}\n"])
    for key in (KEY, OTHER):
        assert unseal(sealed, [str(key)]) == SUBMISSION
    assert unseal(SEALED, [str(OTHER), str(KEY)]) == SUBMISSION  # the key that fits is found


def test_other_programs_open_ours(with_words):
    assert pyrage.decrypt(SEALED, [KEY]) == CONTENT
    assert pyrage.passphrase.decrypt(with_words, WORDS) == CONTENT


@pytest.mark.parametrize("armored", [True, False])
def test_we_open_those_of_other_programs(armored):
    both = [KEY.to_public(), OTHER.to_public()]
    assert unseal(pyrage.encrypt(CONTENT, both, armored=armored), [str(OTHER)]) == SUBMISSION
    sealed = pyrage.passphrase.encrypt(CONTENT, "short", armored=armored)  # theirs may be
    assert unseal_with_passphrase(sealed, "short") == SUBMISSION


def test_a_pasted_file_opens():
    pasted = b"\r\n  " + SEALED.replace(b"\n", b"\r\n") + b"\r\n\r\n"
    assert seal_kind(pasted) is SealKind.KEY
    assert unseal(pasted, [str(KEY)]) == SUBMISSION


def test_the_wrong_key(with_words):
    with pytest.raises(WrongKey):
        unseal(SEALED, [str(OTHER)])
    with pytest.raises(WrongKey):
        unseal(with_words, [str(KEY)])
    with pytest.raises(WrongKey):
        unseal_with_passphrase(with_words, WORDS + " ")
    with pytest.raises(WrongKey):
        unseal_with_passphrase(SEALED, WORDS)


def test_what_opens_it_is_known_without_a_key(with_words):
    assert seal_kind(SEALED) is seal_kind(BINARY) is SealKind.KEY
    assert seal_kind(with_words) is SealKind.PASSPHRASE
    assert seal_kind(pyrage.passphrase.encrypt(b"", "x")) is SealKind.PASSPHRASE


@pytest.mark.parametrize("sealed", [SEALED, BINARY], ids=["armor", "binary"])
class TestNotWhole:
    def test_cut_anywhere(self, sealed):
        ends = {*range(1, 400, 7), len(sealed) // 2, 65536, 65536 + 200, len(sealed) - 2}
        for end in ends:
            with pytest.raises((SealDamaged, NotSealed)):
                unseal(sealed[:end], [str(KEY)])
        with pytest.raises(SealDamaged):
            unseal(sealed[: len(sealed) // 2], [str(KEY)])

    def test_one_bit_changed(self, sealed):
        for place in (*range(0, 400, 7), len(sealed) // 2, len(sealed) - 50):
            damaged = bytearray(sealed)
            damaged[place] ^= 1
            with pytest.raises((SealDamaged, NotSealed, WrongKey)):
                unseal(bytes(damaged), [str(KEY)])
        with pytest.raises(SealDamaged):
            unseal(bytes(damaged), [str(KEY)])

    def test_something_added(self, sealed):
        if sealed.startswith(b"-----"):  # a message around it, from which it was not cut out
            assert unseal(sealed + b"more", [str(KEY)]) == SUBMISSION
            sealed = sealed.replace(b"-----END", b"QUFB\n-----END")
        with pytest.raises(SealDamaged):
            unseal(sealed + b"more", [str(KEY)])


@pytest.mark.parametrize("before", [b"\xef\xbb\xbf", b"Hi, here it is:\r\n\r\n", b" \n"])
def test_pasted_from_a_message(before):
    pasted = before + SEALED.replace(b"\n", b"\r\n") + b"\r\nBye\r\n"
    assert seal_kind(pasted) is SealKind.KEY
    assert unseal(pasted, [str(KEY)]) == SUBMISSION


def long_headers():
    stanza = b"-> grease " + b"a" * 80 + b"\n\n"
    for many in (stanza * 1500, b"-> grease " + b"a" * 80_000 + b"\n\n"):
        binary = b"age-encryption.org/v1\n" + many + BINARY[22:]
        yield binary
        text = base64.encodebytes(binary)
        yield b"-----BEGIN AGE ENCRYPTED FILE-----\n" + text + b"-----END AGE ENCRYPTED FILE-----\n"


@pytest.mark.parametrize("hostile", list(long_headers()), ids=["many", "armored", "long", "both"])
def test_a_header_that_would_take_long_is_not_read(hostile, monkeypatch):
    def decrypt(*_):
        raise AssertionError("it was read")

    monkeypatch.setattr(pyrage, "decrypt", decrypt)
    with pytest.raises(SealDamaged, match="begins with too much"):
        unseal(hostile, [str(KEY)])


def test_a_hundred_people_and_no_more():
    keys = [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(100)]
    assert unseal(seal(SUBMISSION, [*keys[:99], PUBLIC]), [str(KEY)]) == SUBMISSION
    with pytest.raises(RecipientUnknown, match="more than 100"):
        seal(SUBMISSION, [*keys, PUBLIC])


def test_spaces_are_no_passphrase():
    with pytest.raises(PassphraseShort):
        seal_with_passphrase(SUBMISSION, " " * 20)


def test_an_identity_file_of_another_system():
    assert identities_in(f"\ufeff# public key: {PUBLIC}\r\n{KEY}\r\n") == (str(KEY),)


def test_no_error_shows_a_key():
    for wrong in (f"{str(KEY)[:-3]}QQQ", f"AGE-SECRET-KEY-1{'x' * 58}"):
        with pytest.raises(IdentityUnknown) as refusal:
            unseal(SEALED, [wrong])
        cause = refusal.value.__cause__ or refusal.value.__context__
        assert refusal.value.__suppress_context__
        assert cause is None or refusal.value.__cause__ is None


def test_a_busy_computer_gets_more_than_one_try(monkeypatch):
    """What would cost too much is found by a short trial, which others can spoil."""
    tried = []

    def decrypt(*given):
        tried.append(given)
        if len(tried) < 3:
            raise pyrage.DecryptError("Excessive work parameter for passphrase.")
        return CONTENT

    monkeypatch.setattr(pyrage.passphrase, "decrypt", decrypt)
    assert unseal_with_passphrase(pyrage.passphrase.encrypt(b"", "x"), "x") == SUBMISSION


def test_chunks_in_another_order():
    start = BINARY.index(b"\n", BINARY.index(b"\n---") + 1) + 1 + 16
    size = 65536 + 16
    first, second = BINARY[start : start + size], BINARY[start + size :]
    with pytest.raises(SealDamaged):
        unseal(BINARY[:start] + second + first, [str(KEY)])


@pytest.mark.parametrize(
    "other", [b"", b"{}", CONTENT, b"\xff\xd8\xff", b"-----BEGIN AGE ENCRYPTED FILE-----\n%%%%"]
)
def test_what_is_not_sealed(other):
    with pytest.raises(NotSealed):
        seal_kind(other)
    with pytest.raises(NotSealed):
        unseal(other, [str(KEY)])
    with pytest.raises(NotSealed):
        unseal_with_passphrase(other, WORDS)


@settings(max_examples=60)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data):
    for sealed in (data, b"age-encryption.org/v1\n" + data):
        with pytest.raises(SealError):
            unseal(sealed, [str(KEY)])


def with_work(work):
    """Two files whose header asks for that work."""
    binary = re.sub(rb"(-> scrypt \S+) \d+", rb"\1 " + work, pyrage.passphrase.encrypt(b"", "x"))
    text = base64.encodebytes(binary)
    yield binary
    yield b"-----BEGIN AGE ENCRYPTED FILE-----\n" + text + b"-----END AGE ENCRYPTED FILE-----\n"


@pytest.mark.parametrize(
    ("work", "error"),
    [
        (b"22", SealCostly),  # 4 GiB of memory, which pyrage would take
        (b"40", SealCostly),
        (b"022", SealDamaged),
        (b"+22", SealDamaged),
        (b"222", SealDamaged),
        (b"22 x", SealDamaged),
    ],
)
def test_a_file_that_asks_for_hours_of_work_or_much_memory(work, error, monkeypatch):
    def decrypt(*_):
        raise AssertionError("it was read")

    monkeypatch.setattr(pyrage.passphrase, "decrypt", decrypt)
    for costly in with_work(work):
        with pytest.raises(error):
            unseal_with_passphrase(costly, "x")


def test_work_that_other_programs_ask_for_is_done(monkeypatch):
    """Whether pyrage would, depends on the computer."""
    asked = []
    monkeypatch.setattr(pyrage.passphrase, "decrypt", lambda *_: asked.append(_) or CONTENT)
    for work in (b"1", b"18", b"21"):
        for file in with_work(work):
            assert unseal_with_passphrase(file, "x") == SUBMISSION
    assert len(asked) == 6


@pytest.mark.parametrize("inside", [b"", b"hello", b'{"format": "hashkit-submission"}'])
def test_only_a_submission_comes_out(inside):
    with pytest.raises(DocumentInvalid):
        unseal(pyrage.encrypt(inside, [KEY.to_public()]), [str(KEY)])


def test_too_big(monkeypatch):
    monkeypatch.setattr(sealing, "MAX_SEALED_BYTES", 1000)
    with pytest.raises(SealDamaged, match="too big"):
        unseal(SEALED, [str(KEY)])


def test_keys_that_are_none():
    for wrong in (["age1xyz"], [str(KEY)], [""], [PUBLIC[:-1]], [PUBLIC, "ssh-ed25519 AAAA"], []):
        with pytest.raises(RecipientUnknown):
            seal(SUBMISSION, wrong)
    for wrong in ([PUBLIC], [str(KEY)[:-1]], []):
        with pytest.raises(IdentityUnknown) as refusal:
            unseal(SEALED, wrong)
        assert refusal.value.__cause__ is None


# Keys as age-plugin-yubikey and ssh-keygen print them.
YUBIKEY = "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN a@b"


@pytest.mark.parametrize(
    ("key", "text", "advice"),
    [
        ("age1pq1" + "q5x" * 650, "post-quantum", "62 characters"),
        ("AGE1PQ1QQQ", "post-quantum", "62 characters"),
        (YUBIKEY, "plugin", "62 characters"),
        (f" {YUBIKEY}\n", "plugin", "62 characters"),
        ("age1tag1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw", "plugin", "62"),
        ("age1tagpq1" + "q5x" * 600, "plugin", "62 characters"),
        ("age1se1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw", "plugin", "62"),
        ("age1some-other1qqqqqq", "plugin", "62 characters"),
        (SSH, "SSH key", "begins with age1"),
        ("ssh-rsa AAAA", "SSH key", "begins with age1"),
        ("ecdsa-sha2-nistp256 AAAA", "SSH key", "begins with age1"),
        ("sk-ssh-ed25519@openssh.com AAAA", "SSH key", "begins with age1"),
        (str(KEY), "private key", "public key of age"),
        (str(KEY)[:-9], "private key", "public key of age"),
        ("AGE-SECRET-KEY-PQ-1QQQ", "private key", "public key of age"),
        ("AGE-PLUGIN-YUBIKEY-1QQQ", "plugin", "62 characters"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "private key", "public key of age"),
        # What may be a key of the usual kind, with a slip
        (PUBLIC[:30] + "1" + PUBLIC[31:], "not a public key of age", "Copy it again"),
        (PUBLIC[:-1], "not a public key of age", "Copy it again"),
        ("age1some-other1qqqqq", "not a public key of age", "Copy it again"),
        ("sshd", "not a public key of age", "Copy it again"),
    ],
    ids=map(str, range(21)),  # some of the keys are made anew in each process
)
def test_keys_of_another_kind(key, text, advice):
    with pytest.raises(RecipientUnknown) as refusal:
        seal(SUBMISSION, [PUBLIC, key])
    assert text in refusal.value.text
    assert advice in refusal.value.advice
    assert key not in f"{refusal.value.text}{refusal.value.advice}{refusal.value.__cause__}"


def test_a_key_of_the_usual_kind_has_as_many_characters_as_is_said():
    assert len(PUBLIC) == 62


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("AGE-SECRET-KEY-PQ-1QQQ", "post-quantum"),
        ("AGE-PLUGIN-YUBIKEY-1QQQ", "plugin of age"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "not one of age"),
        ("-----BEGIN PRIVATE KEY-----", "not one of age"),
        (PUBLIC, "no private key of age"),
    ],
    ids=map(str, range(5)),
)
def test_private_keys_of_another_kind(line, text):
    for attempt in (
        lambda: identities_in(f"# a comment\n{line}\nb3Bl"),
        lambda: unseal(SEALED, [line]),
    ):
        with pytest.raises(IdentityUnknown, match=text) as refusal:
            attempt()
        assert line not in refusal.value.text + refusal.value.advice
        assert ("age --decrypt" in refusal.value.advice) == (line != PUBLIC)


def test_a_short_passphrase():
    with pytest.raises(PassphraseShort):
        seal_with_passphrase(SUBMISSION, "password123")


def test_identity_files():
    text = f"# created: today\r\n# public key: {PUBLIC}\r\n{KEY}\r\n\n  {OTHER}"
    assert identities_in(text) == (str(KEY), str(OTHER))
    for wrong in ("", "# nothing", PUBLIC, f"{KEY}\nsomething", "AGE-PLUGIN-YUBIKEY-1ABC"):
        with pytest.raises(IdentityUnknown):
            identities_in(wrong)


def test_without_pyrage(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrage", None)
    for attempt in (
        lambda: seal(SUBMISSION, [PUBLIC]),
        lambda: seal_with_passphrase(SUBMISSION, WORDS),
        lambda: unseal(SEALED, [str(KEY)]),
        lambda: unseal_with_passphrase(SEALED, WORDS),
    ):
        with pytest.raises(SealUnavailable):
            attempt()

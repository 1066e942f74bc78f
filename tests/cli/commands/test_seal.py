"""``hashkit seal`` and ``hashkit open``."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

import pyrage
import pytest

import hashkit

pytestmark = pytest.mark.test_all

WORDS = "correct horse battery staple"
KEY, OTHER = (pyrage.x25519.Identity.generate() for _ in range(2))
PUBLIC = str(KEY.to_public())


@cache
def sealed_by_words():
    """Made once: age takes a second or more to do it, so that guessing is slow."""
    return pyrage.passphrase.encrypt(b"{}", WORDS)


@pytest.fixture
def folder(run, samples, tmp_path):
    run("hash", samples / "scene-1.jpg", samples / "scene-2.jpg", "--out", "s.json")
    (tmp_path / "key.txt").write_text(f"# public key: {PUBLIC}\n{KEY}\n")
    (tmp_path / "other.txt").write_text(f"{OTHER}\n")
    return tmp_path


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_for_a_key_and_back(run, folder):
    before = names(folder)
    done = run("seal", "s.json", "--to", PUBLIC)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Sealed: s.json.age.")
    assert names(folder) == {*before, "s.json.age"}
    if os.name == "posix":
        assert (folder / "s.json.age").stat().st_mode & 0o777 == 0o600
    done = run("open", "s.json.age", "--identity", "key.txt", "--out", "t.json")
    assert done.returncode == 0
    assert done.stdout == "Opened: t.json. See what is in it with: hashkit inspect\n"
    assert (folder / "t.json").read_bytes() == (folder / "s.json").read_bytes()


def test_for_several_keys(run, folder):
    run("seal", "s.json", "--to", PUBLIC, "--to", str(OTHER.to_public()), "--out", "two.age")
    for key in ("key.txt", "other.txt"):
        run("open", "two.age", "--identity", key, "--out", f"{key}.json")
        assert hashkit.read_submission(folder / f"{key}.json")


def typed(folder, answers, *arguments):
    """Run hashkit in a terminal, and type the answers where it asks."""
    pty = pytest.importorskip("pty", reason="needs terminals of POSIX")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "hashkit", *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,  # this machine's own terminal must not be asked
        text=True,
    )
    os.close(theirs)
    printed = ""
    with process:
        for prompt, answer in answers:
            while not printed.endswith(prompt):
                letter = process.stderr.read(1)
                assert letter, printed
                printed += letter
            os.write(ours, f"{answer}\n".encode())
        out, rest = process.communicate(timeout=120)
    os.set_blocking(ours, False)
    try:
        shown = os.read(ours, 10_000)
    except OSError:  # nothing was, and the other end is closed
        shown = b""
    os.close(ours)
    assert not any(
        answer in shown.decode() + printed + out + rest for _, answer in answers if answer
    )
    return process.returncode, out, rest


def test_with_a_passphrase_and_back(folder):
    twice = [("Passphrase: ", WORDS), ("again: ", WORDS)]
    code, out, printed = typed(folder, twice, "seal", "s.json", "--passphrase")
    assert (code, out.startswith("Sealed: s.json.age.")) == (0, True)
    assert "Give the passphrase on another way" in printed
    content = (folder / "s.json").read_bytes()
    assert pyrage.passphrase.decrypt((folder / "s.json.age").read_bytes(), WORDS) == content
    once = [("Passphrase: ", WORDS)]
    code, _, _ = typed(folder, once, "open", "s.json.age", "--passphrase", "--out", "t.json")
    assert (code, (folder / "t.json").read_bytes()) == (0, content)
    code, _, _ = typed(folder, once, "open", "s.json.age", "--out", "t.json", "--force")
    assert code == 0
    wrong = [("Passphrase: ", "something else")]
    code, _, printed = typed(folder, wrong, "open", "s.json.age", "--out", "u.json")
    assert code == 1
    assert "This key or passphrase does not open the file." in printed
    assert not (folder / "u.json").exists()


def test_a_passphrase_that_will_not_do(folder):
    before = names(folder)
    code, _, printed = typed(
        folder, [("Passphrase: ", "too easy")], "seal", "s.json", "--passphrase"
    )
    assert (code, "too short" in printed) == (1, True)
    differ = [("Passphrase: ", WORDS), ("again: ", WORDS + "s")]
    code, _, printed = typed(folder, differ, "seal", "s.json", "--passphrase")
    assert (code, "The two were not the same." in printed) == (2, True)
    assert names(folder) == before


def test_no_passphrase_at_all(folder):
    code, _, printed = typed(folder, [("Passphrase: ", "\x04")], "seal", "s.json", "--passphrase")
    assert (code, "There was no passphrase." in printed) == (2, True)


@pytest.mark.skipif(os.name != "posix", reason="Windows asks at the keyboard alone")
def test_a_passphrase_is_asked_for_in_a_terminal_only(run, folder):
    before = names(folder)
    done = run(
        "seal", "s.json", "--passphrase", input=f"{WORDS}\n" * 2, stdin=None, start_new_session=True
    )
    assert done.returncode == 2
    assert "in a terminal, and there is none" in done.stderr
    assert run("seal", "s.json", "--passphrase", WORDS).returncode == 2  # no such argument
    assert names(folder) == before


@pytest.mark.parametrize(
    ("arguments", "printed", "code"),
    [
        (["seal", "s.json"], "either --to or --passphrase", 2),
        (["seal", "s.json", "--to", PUBLIC, "--passphrase"], "either --to or --passphrase", 2),
        (["seal", "s.json", "--to", "age1me"], "This is not a public key of age.", 2),
        (["seal", "none.json", "--to", PUBLIC], "There is no file with this name here.", 1),
        (["seal", "key.txt", "--to", PUBLIC], "This is not a hashkit submission.", 1),
        (["seal", "more.json", "--to", PUBLIC], "Do not send this file.", 1),
        (
            ["seal", "s.json", "--to", PUBLIC, "--out", "s.json", "--force"],
            "This file is to be read.",
            2,
        ),
        (["seal", "s.json", "--to", PUBLIC, "--out", "key.txt"], "already a file", 2),
        (["open", "s.json", "--identity", "key.txt"], "This file is not sealed.", 1),
        (["open", "a.age", "--identity", "other.txt"], "does not open the file.", 1),
        (["open", "a.age", "--identity", "s.json"], "There is no private key of age", 1),
        (["open", "a.age", "--identity", "none"], "none: There is no file with this name", 1),
        (["open", "a.age", "--identity", "key.txt", "--passphrase"], "either --identity or", 2),
        (
            ["open", "a.age", "--identity", "key.txt", "--out", "key.txt", "--force"],
            "key.txt: This file is to be read. It was left as it is.",
            2,
        ),
        (["open", "a.age", "--identity", "bad.txt"], "bad.txt: There is no private key of age", 1),
        (["open", "a.age"], "Give yours with --identity KEYFILE.", 2),
        (["open", "words.age", "--identity", "key.txt"], "Leave out --identity.", 2),
        (["open", "cut.age", "--identity", "key.txt"], "damaged or cut short", 1),
        (["open", "strange.age", "--identity", "key.txt"], "not a hashkit submission", 1),
        (["open", "a.age", "--identity", "key.txt", "--out", "no/x.json"], "not be written", 2),
    ],
)
def test_what_does_not_work_leaves_nothing(run, unwrapped, folder, arguments, printed, code):
    run("seal", "s.json", "--to", PUBLIC, "--out", "a.age")
    sealed = (folder / "a.age").read_bytes()
    (folder / "cut.age").write_bytes(sealed[: len(sealed) // 2])
    (folder / "strange.age").write_bytes(pyrage.encrypt(b"hello", [KEY.to_public()]))
    (folder / "words.age").write_bytes(sealed_by_words())
    (folder / "bad.txt").write_text(f"AGE-SECRET-KEY-1{'X' * 58}\n")
    whole = (folder / "s.json").read_text()
    (folder / "more.json").write_text(whole.replace('"version": 1,', '"version": 1, "by": "me",'))
    before = {path: path.read_bytes() for path in folder.iterdir()}
    if arguments[0] == "open" and "--out" not in arguments:
        arguments = [*arguments, "--out", "t.json"]
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert printed in unwrapped(done.stderr)
    assert str(KEY) not in done.stderr
    assert {path: path.read_bytes() for path in folder.iterdir()} == before

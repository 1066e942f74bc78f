"""``hashkit send``, ``hashkit withdraw`` and ``hashkit profiles``, as processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from hashkit.cli import app
from hashkit.sandbox import lockdown
from hashkit.submission.document import Submission
from hashkit.submission.sending.plan import as_sent

pytestmark = pytest.mark.test_all


@pytest.fixture
def command(run):
    """Run a command for a sender."""

    def go(sending, name, *arguments, **options):
        where = ("--to", "test", "--profiles", sending.profiles)
        return run(name, sending.given, *where, *arguments, **options)

    return go


def test_sending(sender, command):
    sending = sender("webhook")
    done = command(sending, "send", "--yes")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "item 1 (md5, vpdq): accepted"
    assert done.stderr.splitlines() == [
        f"To test: webhook, {sending.service.address}/hashes",
        "What goes, in 6 requests:",
        "       1  md5",
        "       1  vpdq",
        "       5  pdq",
        "       4  sha256",
        "Accepted: 6.",
    ]
    assert len(sending.backend.stored) == 6
    done = command(sending, "send")  # there is nothing to ask
    assert (done.returncode, done.stdout) == (0, "")
    assert "The service has 6 requests already." in done.stderr
    assert "Nothing is left to send." in done.stderr
    assert len(sending.backend.calls) == 6


def test_what_is_left_out_is_printed(sender, command):
    sending = sender("hma")
    done = command(sending, "send", "--yes")
    assert re.search(r"- 1 vpdq hash \(item \d\): Hasher-Matcher-Actioner has PDQ", done.stderr)
    assert re.search(r"- 1 pdq hash \(item \d\): It shows too little detail", done.stderr)


def test_nothing_goes_without_a_yes(sender, command):
    sending = sender("webhook")
    done = command(sending, "send")
    assert done.returncode == 2
    assert "There is nobody to ask. Add --yes to go on." in done.stderr
    assert sending.service.seen == []
    assert {path.name for path in sending.folder.iterdir()} == {"s.json", "profiles.toml"}


def typed(sending, name, keys):
    """Run it in a terminal in which these keys are pressed."""
    pty = pytest.importorskip("pty", reason="needs terminals of POSIX")
    ours, theirs = pty.openpty()
    os.write(ours, keys)
    arguments = [name, sending.given, "--to", "test", "--profiles", sending.profiles]
    done = subprocess.run(
        [sys.executable, "-m", "hashkit", *arguments],
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        start_new_session=True,
    )
    os.close(ours)
    os.close(theirs)
    return done


@pytest.mark.parametrize(("answer", "sent"), [("n", 0), ("", 0), ("y", 6)])
def test_a_person_is_asked(sender, answer, sent):
    sending = sender("webhook")
    done = typed(sending, "send", f"{answer}\n".encode())
    assert done.returncode == 0
    assert "Send them?" in done.stderr
    assert len(sending.backend.stored) == sent


@pytest.mark.parametrize("kind", ["webhook", "threatexchange"])
def test_a_dry_run_prints_every_byte_and_sends_none(sender, command, monkeypatch, kind):
    sending = sender(kind)
    plan = sending.plan()
    for name in ("TEST_SECRET", "TEST_TOKEN"):
        monkeypatch.delenv(name)  # not needed
    arguments = ["send", sending.given, "--to", "test", "--profiles", sending.profiles]
    done = subprocess.run(  # as bytes
        [sys.executable, "-m", "hashkit", *arguments, "--dry-run"],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0
    shown = b"".join(as_sent(plan, batch.request) + b"\r\n" for batch in plan.batches)
    assert done.stdout == shown
    assert sending.service.seen == []
    assert {path.name for path in sending.folder.iterdir()} == {"s.json", "profiles.toml"}


def raw(sending, name, *arguments):
    """A dry run, as bytes."""
    where = [name, sending.given, "--to", "test", "--profiles", sending.profiles, "--dry-run"]
    done = subprocess.run(
        [sys.executable, "-m", "hashkit", *where, *arguments],
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0
    return done.stdout


def test_a_dry_run_shows_the_rest_only(sender, command):
    sending = sender("webhook")
    sending.service.faults = [None, None, 503]
    command(sending, "send", "--yes", "--tries", "1")
    plan = sending.plan()
    rest = plan.batches[2:]
    assert raw(sending, "send") == b"".join(as_sent(plan, e.request) + b"\r\n" for e in rest)


def test_a_dry_run_shows_what_is_asked_first(sender, command):
    sending = sender("hma")
    sending.service.faults = ["store_and_cut"]
    command(sending, "send", "--yes", "--tries", "1")
    seen = len(sending.service.seen)
    shown = raw(sending, "send")
    assert shown.startswith(b"GET /m/lookup?signal=")
    assert len(sending.service.seen) == seen
    done = command(sending, "send", "--yes")
    assert "The service may have 1 request of these" in done.stderr
    first, second, *_ = sending.service.seen[seen:]
    assert shown.startswith(first.raw)
    assert second.raw != sending.service.seen[0].raw  # it was found, and not sent again


@pytest.mark.parametrize("kind", ["webhook", "hma", "threatexchange"])
def test_a_dry_run_of_withdrawing_shows_every_byte(sender, command, kind):
    sending = sender(kind)
    command(sending, "send", "--yes")
    seen = len(sending.service.seen)
    shown = re.escape(raw(sending, "withdraw")).replace(b"hidden", b"[!-~ ]+")
    assert len(sending.service.seen) == seen
    command(sending, "withdraw", "--yes")
    sent = b"".join(each.raw + b"\r\n" for each in sending.service.seen[seen:])
    assert re.fullmatch(shown, sent)


def test_a_dry_run_gives_up_the_network(sender, monkeypatch):
    class Locked(Exception):
        pass

    def lock():
        raise Locked

    sending = sender("webhook")
    monkeypatch.setattr(lockdown, "lock_network", lock)
    where = ["--to", "test", "--profiles", str(sending.profiles), "--dry-run"]
    done = CliRunner().invoke(app, ["send", str(sending.given), *where])
    assert isinstance(done.exception, Locked)
    assert done.stdout == ""


def test_what_a_service_says_does_nothing_to_the_terminal(sender, command):
    sending = sender("threatexchange")
    body = {"error": {"message": "\x1b]0;owned\x07\x1b[31m", "code": 190}}
    sending.service.faults = [(400, {}, json.dumps(body).encode())]
    done = command(sending, "send", "--yes")
    assert done.returncode == 1
    assert r"\x1b]0;owned\x07\x1b[31m" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_half_a_letter_does_not_keep_the_rest_back(sender, command):
    sending = sender("webhook")
    sending.service.faults = [(422, {}, b'{"detail": "\\ud800 a"}')]
    done = command(sending, "send", "--yes")
    assert r"item 1 (md5, vpdq): rejected: \ud800 a" in done.stdout
    assert done.stdout.count(": accepted") == 5


@pytest.mark.skipif(os.name != "posix", reason="links are of POSIX")
def test_a_journal_that_cannot_be_written_is_named(sender, command):
    sending = sender("webhook")
    (sending.folder / "s.json.sent.jsonl").symlink_to(sending.folder / "elsewhere")
    done = command(sending, "send", "--yes")
    assert done.returncode == 1
    assert "s.json.sent.jsonl: What is sent cannot be noted" in done.stderr
    assert sending.service.seen == []


def test_a_submission_of_nothing(sender, command):
    sending = sender("webhook")
    sending.given.write_text(Submission(()).to_json())
    done = command(sending, "send", "--yes")
    assert done.returncode == 0
    assert done.stderr.splitlines()[1:] == [
        "There are no hashes in this submission.",
        "Nothing is left to send.",
    ]


@pytest.mark.parametrize("name", ["send", "withdraw"])
def test_stopped_at_the_question(sender, command, name):
    sending = sender("webhook")
    if name == "withdraw":
        command(sending, "send", "--yes")
    seen = len(sending.service.seen)
    done = typed(sending, name, b"\x04")  # the end of what is typed
    assert done.returncode == 130
    otherwise = "Nothing was sent." if name == "send" else "Nothing was taken back."
    assert done.stderr.splitlines()[-1] == otherwise
    assert len(sending.service.seen) == seen


def test_rejections_are_listed_and_the_rest_goes_on(sender, command):
    sending = sender("webhook")
    no = (422, {}, json.dumps({"detail": "No \x1b[31mroom\u202e."}).encode())
    sending.service.faults = [None, no]
    done = command(sending, "send", "--yes")
    assert done.returncode == 1
    assert r"item 2 (pdq): rejected: No \x1b[31mroom\u202e." in done.stdout
    assert done.stderr.splitlines()[-1] == "Accepted: 5. Rejected: 1."


def test_json(sender, command):
    sending = sender("hma")
    sending.service.faults = [(400, {}, b'{"message": "Bad hash"}')]
    done = command(sending, "send", "--yes", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[0].pop("key") == sending.plan().batches[0].key
    assert lines[0] == {
        "item": 1,
        "hashes": {"md5": 1},
        "state": "rejected",
        "id": None,
        "reason": "Bad hash",
    }
    assert [line["id"] for line in lines[1:]] == ["1", "2", "3", "4"]


def test_it_waits_and_goes_on(sender, command):
    sending = sender("webhook")
    sending.service.faults = [(429, {"Retry-After": "0"}, b""), "store_and_cut"]
    done = command(sending, "send", "--yes")
    assert done.returncode == 0
    assert done.stderr.count("then trying again.") == 2
    assert len(sending.backend.stored) == 6


def test_giving_up_and_going_on(sender, command):
    sending = sender("webhook")
    sending.service.faults = [None, None, 503]
    done = command(sending, "send", "--yes", "--tries", "1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-2:] == [
        "Accepted: 2.",
        "The service cannot take more at the moment. Run it again later to go on with the rest.",
    ]
    done = command(sending, "send", "--yes")
    assert "in 4 requests" in done.stderr
    assert sorted(sending.backend.stored.values()) == sorted(
        Submission((item,)).to_json().encode() for item in sending.submission.items
    )


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX")
@pytest.mark.parametrize("fault", ["stall", "store_and_stall"])
@pytest.mark.parametrize("kind", ["webhook", "hma"])
@pytest.mark.parametrize("before", [0, 2])
def test_killed_in_the_middle(sender, command, kind, fault, before):
    """Before the service stored it, and after: then, everything is there, once."""
    sending = sender(kind)
    sending.service.faults = [None] * before + [fault]
    arguments = ["send", sending.given, "--to", "test", "--profiles", sending.profiles, "--yes"]
    with subprocess.Popen(
        [sys.executable, "-m", "hashkit", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert sending.service.stalled.wait(60)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    sending.service.release.set()
    done = command(sending, "send", "--yes")
    assert done.returncode == 0
    count = len(sending.plan().batches)
    assert f"in {count - before} requests" in done.stderr
    assert len(sending.backend.stored) == count
    values = list(sending.backend.stored.values())
    assert len(set(values)) == count


def test_withdrawing(sender, command):
    sending = sender("hma")
    done = command(sending, "withdraw", "--yes")
    assert "It has nothing of this submission" in done.stderr
    command(sending, "send", "--yes")
    assert command(sending, "withdraw").returncode == 2
    assert sending.backend.stored
    done = command(sending, "withdraw", "--yes")
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "item 1 (md5): withdrawn"
    assert done.stderr.splitlines()[-1] == "Withdrawn: 5."
    assert sending.backend.stored == {}


def test_withdrawing_what_is_not_in_the_submission_any_more(sender, command):
    sending = sender("webhook")
    command(sending, "send", "--yes")
    sending.given.write_text(Submission(()).to_json())
    done = command(sending, "withdraw", "--yes")
    assert done.returncode == 0
    assert done.stdout.count("request ") == 6
    assert sending.backend.stored == {}


def test_no_way_to_withdraw(sender, command):
    sending = sender("stopncii")
    done = command(sending, "withdraw", "--yes")
    assert done.returncode == 1
    assert "no published way to take hashes back" in done.stderr


@pytest.mark.parametrize(
    ("change", "message", "code"),
    [
        (lambda s: s.given.unlink(), "There is no file with this name here.", 1),
        (lambda s: s.given.write_text("{}"), "In the document, this is missing", 1),
        (lambda s: s.profiles.unlink(), "There is no file of profiles.", 2),
        (
            lambda s: s.profiles.write_text("[other]"),
            "There is no profile 'test' in this file. There are: 'other'.",
            2,
        ),
        (lambda s: s.profiles.write_text('[test]\nkind = "ncmec"'), "NCMEC is not published", 1),
        (lambda s: os.environ.pop("TEST_SECRET"), "There is no credential at env:TEST_SECRET.", 1),
        (lambda s: os.environ.update(TEST_SECRET="short"), "24 to 64 bytes", 1),
        (
            lambda s: (s.folder / "s.json.sent.jsonl").write_text("x\n"),
            "The record of what was sent",
            1,
        ),
    ],
)
def test_what_keeps_it_from_sending(sender, command, monkeypatch, change, message, code):
    sending = sender("webhook")
    monkeypatch.setenv("TEST_SECRET", os.environ["TEST_SECRET"])  # put back afterwards
    change(sending)
    done = command(sending, "send", "--yes")
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr
    assert sending.service.seen == []


def test_profiles(run, tmp_path, monkeypatch):
    path = tmp_path / "profiles.toml"
    path.write_text(
        '[good]\nkind = "hma"\naddress = "https://a.example"\nbank = "B"\n'
        'proxy = "http://p.example:1"\n'
    )
    done = run("profiles", "--profiles", path)
    assert done.returncode == 0
    assert done.stdout == ("good: hma, https://a.example\n  through the proxy http://p.example:1\n")
    with path.open("a") as stream:
        stream.write(
            '["b\\u001b"]\n[te]\nkind = "threatexchange"\n'
            '[hook]\nkind = "webhook"\naddress = "https://b.example"\nsecret = "env:HOOK_SECRET"\n'
            'ca = "none.pem"\n'
        )
    done = run("profiles", "--profiles", path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert (
        lines[2] == r"b\x1b: cannot be used. Names of profiles are letters, digits, dots, - and _."
    )
    assert lines[3] == (
        'te: cannot be used. token is missing: say where it is, as in "env:VARIABLE".'
    )
    assert lines[5] == "  secret: There is no credential at env:HOOK_SECRET."
    assert lines[6] == "  ca: There is no such file."
    monkeypatch.setenv("HOOK_SECRET", "too-short")
    assert "24 to 64 bytes" in run("profiles", "--profiles", path).stdout
    monkeypatch.setenv("HOOK_SECRET", "whsec_" + "A" * 40)
    done = run("profiles", "--profiles", path)
    assert "  secret: env:HOOK_SECRET, there" in done.stdout
    assert "AAAA" not in done.stdout + done.stderr


def test_no_profiles(run, tmp_path, monkeypatch):
    monkeypatch.setenv("HASHKIT_PROFILES", str(tmp_path / "none.toml"))
    done = run("profiles")
    assert done.returncode == 1
    assert "There is no file of profiles. How to write one: docs/sending.md" in done.stderr
    (tmp_path / "none.toml").write_text("# none\n")
    done = run("profiles")
    assert (done.returncode, "There are no profiles in this file." in done.stderr) == (0, True)

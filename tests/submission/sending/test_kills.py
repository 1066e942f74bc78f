"""``hashkit send`` and ``withdraw``, killed at any moment, with a service whose answers are odd.
After each run, what the journal says is compared with what the service has.

``HASHKIT_TEST_KILLS=200`` kills that often, for each kind of service.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from sending_answers import EARLY, NO_ANSWER, ONE_ANSWER
from sending_backends import served_by

from hashkit.submission.sending.journal import Entry, State, journal_beside, read_journal

pytestmark = [
    pytest.mark.test_all,
    pytest.mark.skipif(os.name != "posix", reason="kill -9 is of POSIX"),
]

KILLS = int(os.environ.get("HASHKIT_TEST_KILLS", "6"))
ODD = (*ONE_ANSWER, *NO_ANSWER, "garbage_before")
PLAIN = ("cut", "store_and_cut", "store_and_half", "garbage", 503, 429)


class Runs:
    """Runs of hashkit, most of them killed."""

    def __init__(self, sending, chance: random.Random) -> None:
        self.sending = sending
        self.chance = chance
        self.count: Counter[str] = Counter()
        self.batches = {batch.key: batch for batch in sending.plan().batches}

    def go(self, what: str, *, kill: bool) -> int:
        """One run, and its exit code. The journal is compared with the service after it."""
        service = self.sending.service
        before = service.connections
        arguments = [what, self.sending.given, "--to", "test", "--yes", "--tries", "1"]
        process = subprocess.Popen(
            [sys.executable, "-m", "hashkit", *arguments, "--profiles", self.sending.profiles],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        with process:
            if kill:
                wanted = before + self.chance.randint(1, 3)
                while service.connections < wanted and process.poll() is None:
                    time.sleep(0.0005)
                time.sleep(self.chance.choice((0, 0.002, 0.01, 0.05)) * self.chance.random())
                process.send_signal(signal.SIGKILL)
            print(what, process.stderr.read().decode().splitlines()[-1:])  # shown if the test fails
        self.count[f"{what}: {process.returncode}"] += 1
        self.settle()
        self.hold()
        return process.returncode

    @property
    def killed(self) -> int:
        return self.count[f"send: {-signal.SIGKILL}"] + self.count[f"withdraw: {-signal.SIGKILL}"]

    def end_well(self) -> None:
        """Send and withdraw without a fault."""
        self.sending.service.faults, self.sending.service.early = [], []
        assert self.go("send", kill=False) == 0
        assert all(map(self.copies, self.batches)), "not all arrived"
        code = self.go("withdraw", kill=False)
        assert code == 1 or not any(map(self.copies, self.batches)), "it did not say what is left"

    def begin_anew(self) -> None:
        """What is left has no name that is known, so that it cannot be withdrawn."""
        journal_beside(self.sending.given).unlink()
        self.sending.backend.stored.clear()

    def settle(self) -> None:
        """Wait until the service is done with what it was sent before the kill."""
        service = self.sending.service
        time.sleep(0.02)  # one may have been connected, and not taken yet
        while service.busy:
            time.sleep(0.001)

    def fail_at_random(self) -> None:
        service, chance = self.sending.service, self.chance
        service.faults = [
            chance.choice((None, None, None, chance.choice(ODD), chance.choice(PLAIN)))
            for _ in range(8)
        ]
        service.early = [chance.choice((*[None] * 9, *EARLY)) for _ in range(8)]

    def copies(self, key: str) -> list[str]:
        """The names of what the service has of a batch."""
        stored = self.sending.backend.stored
        if self.sending.kind == "webhook":
            return [key] if key in stored else []
        ((name, value),) = json.loads(self.batches[key].request.body).items()
        return [str(number) for number, each in stored.items() if each == (name, value)]

    def hold(self) -> None:
        """Nothing is lost, and nothing is doubled without a word."""
        plan = self.sending.plan()
        journal = read_journal(journal_beside(self.sending.given), plan.backend.destination)
        for key in self.batches:
            entry = journal.entry(key) or Entry(State.UNSENT)
            there = self.copies(key)
            if entry.state is State.ACCEPTED:
                assert there, "it was lost"
                # With ``again``, the entry of this name may have been withdrawn since.
                is_named = entry.id is None or entry.id in there or entry.again
                assert is_named, "this is of another batch"
            elif entry.state is not State.TRYING:
                assert entry.again or not there, "it was forgotten"
            may_be = entry.state in (State.ACCEPTED, State.TRYING) and entry.id is None
            strays = [name for name in there if name not in (entry.id, key)]
            assert entry.again or len(strays) <= may_be, "it is there twice"


@pytest.mark.parametrize("with_tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("kind", ["webhook", "hma"])
def test_killed_at_any_moment(sender, authority, tmp_path, kind, with_tls):
    more = ""
    if with_tls:
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        more = 'ca = "ca.pem"'
    sending = sender(kind, served_by(authority, "127.0.0.1") if with_tls else None, more)
    runs = Runs(sending, random.Random(os.environ.get("HASHKIT_TEST_SEED", f"{kind} {with_tls}")))
    while runs.killed < KILLS:
        for _ in range(5):
            runs.fail_at_random()
            runs.go(runs.chance.choice(("send", "send", "withdraw")), kill=True)
        runs.end_well()
        runs.begin_anew()
    print(dict(runs.count), f"{sending.service.connections} connections")

"""Nothing is left behind, nothing is sent: every command, watched by strace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pyrage
import pytest

pytestmark = pytest.mark.test_all

_KEY = pyrage.x25519.Identity.generate()
PUBLIC_KEY = str(_KEY.to_public())

COMMANDS = {
    "hash": ["hash", "-r", "{samples}"],
    "hash all": ["hash", "-r", "{samples}", "--algorithms", "all", "--json"],
    "hash to a submission": ["hash", "{samples}/scene-1.jpg", "--out", "{out}/s.json"],
    "hash to lines": ["hash", "-r", "{samples}", "--json", "--out", "{out}/s.jsonl"],
    "hash with TMK files": ["hash", "{samples}/film-h264.mp4", "--save-tmk", "{out}"],
    "hash what fails": ["hash", "{samples}/generate.py", "{samples}/none"],
    "hash with variants": [
        "hash",
        "-r",
        "{samples}",
        "--variants",
        "wide",
        "--out",
        "{out}/v.json",
    ],
    "compare": ["compare", "{samples}/scene-1.jpg", "{samples}/scene-1-cropped.jpg"],
    "compare with a submission": ["compare", "{out}/given.json", "{samples}/scene-1-resized.jpg"],
    "find": ["find", "{samples}/scene-1.jpg", "{samples}/film-h264.mp4", "--in", "{samples}"],
    "find from a submission": ["find", "{out}/given.json", "--in", "{samples}", "--json"],
    "guide": [
        *("guide", "--age", "adult", "--age-in-picture", "under-18"),
        *("--country", "GB", "--threatened"),
    ],
    "hash for a service": [
        *("hash", "{samples}/scene-1.jpg", "{samples}/film-h264.mp4"),
        *("--for", "stopncii", "--out", "{out}/f.json"),
    ],
    "inspect": ["inspect", "{out}/given.json"],
    "site": ["site", "build", "--single-file", "{out}/page.html"],
    "export": ["export", "{out}/given.json", "--format", "ncmec"],
    "export to a table": ["export", "{out}/given.json", "--format", "csv", "--out", "{out}/t.csv"],
    "import": ["import", "{out}/given.json"],
    "import to a submission": ["import", "{out}/given.json", "--out", "{out}/i.json"],
    "report to HTML": ["report", "{out}/given.json", "--out", "{out}/sheet.html"],
    "report to PDF": ["report", "{out}/given.json", "--out", "{out}/sheet.pdf"],
    "seal to a file": ["seal", "{out}/given.json", "--to", PUBLIC_KEY, "--out", "{out}/sealed.age"],
    "open": [
        *("open", "{out}/given.age", "--identity", "{out}/key.age"),
        *("--out", "{out}/opened.json"),
    ],
    "send, to nobody": [  # tests/submission/sending: the rest
        *("send", "{out}/given.json", "--to", "nobody", "--profiles", "{out}/profiles.toml"),
        "--yes",
    ],
    "send without sending": [
        *("send", "{out}/given.json", "--to", "test", "--profiles", "{out}/profiles.toml"),
        "--dry-run",
    ],
    "withdraw": [
        *("withdraw", "{out}/given.json", "--to", "test", "--profiles", "{out}/profiles.toml"),
        "--yes",
    ],
    "profiles": ["profiles", "--profiles", "{out}/profiles.toml"],
    "schema": ["schema"],
    "doctor": ["doctor"],
    "doctor's report": ["doctor", "--report"],
    "help": ["--help"],
    "version": ["--version"],
    "app in a language that it does not speak": ["app", "--language", "xx"],  # tests/web: the rest
    "wrong use": ["hash"],
}


def test_every_command_is_here(commands):
    assert commands
    assert set(commands) <= {arguments[0] for arguments in COMMANDS.values()}


@pytest.fixture
def given(run, samples, tmp_path):
    """Folders for input and output, and folders that must stay empty."""
    out, home, temporary, work = (tmp_path / name for name in ("out", "home", "tmp", "work"))
    for folder in (out, home, temporary, work):
        folder.mkdir()
    run("hash", samples / "scene-1.jpg", "--out", out / "given.json")
    (out / "key.age").write_text(str(_KEY))
    profile = 'kind = "hma"\naddress = "https://hma.invalid"\nbank = "BANK"\n'
    (out / "profiles.toml").write_text(f"[test]\n{profile}")
    content = (out / "given.json").read_bytes()
    (out / "given.age").write_bytes(pyrage.encrypt(content, [_KEY.to_public()]))
    return out, home, temporary, work


def listing(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_left_behind(name, given, samples):
    out, home, temporary, work = given
    before = listing(samples)
    arguments = [each.format(samples=samples, out=out) for each in COMMANDS[name]]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
    subprocess.run(
        [sys.executable, "-m", "hashkit", *arguments],
        env={**kept, "HOME": str(home), "TMPDIR": str(temporary), "TEMP": str(temporary)},
        cwd=work,
        capture_output=True,
        check=False,
        timeout=120,
    )
    for folder in (home, temporary, work):
        assert list(folder.rglob("*")) == []
    assert listing(samples) == before
    asked_for = {".json", ".jsonl", ".tmk", ".html", ".pdf", ".csv", ".age", ".toml"}
    assert {path.suffix for path in out.iterdir()} <= asked_for
    assert not [path for path in out.iterdir() if path.name.startswith(".")]


NETWORK = (
    "socket,socketpair,connect,bind,listen,accept,accept4,sendto,sendmsg,sendmmsg,recvfrom,recvmsg,"
    "recvmmsg,io_uring_setup"
)
WRITING = (
    "open,openat,creat,openat2,mkdir,mkdirat,mknod,mknodat,rename,renameat,renameat2,link,linkat,"
    "symlink,symlinkat,truncate,unlink,unlinkat,rmdir,chmod,fchmodat,chown,fchownat,setxattr"
)


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize(
    "name",
    [
        *("hash", "hash all", "hash to a submission", "hash to lines", "compare", "find", "guide"),
        *("report to HTML", "report to PDF", "export", "export to a table"),
        *("import to a submission", "seal to a file", "send without sending", "withdraw"),
    ],
)
def test_strace_sees_no_network_and_one_file_written(name, given, samples, tmp_path):
    """All system calls of the command and its workers."""
    out, home, temporary, work = given
    log = tmp_path / "strace.log"
    arguments = [each.format(samples=samples, out=out) for each in COMMANDS[name]]
    done = subprocess.run(
        [
            *("strace", "-f", "-qq", "-e", f"trace={NETWORK},{WRITING}", "-o", log),
            *(sys.executable, "-B", "-m", "hashkit", *arguments),
        ],
        env={**os.environ, "HOME": str(home), "TMPDIR": str(temporary)},
        cwd=work,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    calls = [line.split(maxsplit=1)[1] for line in log.read_text().splitlines()]
    calls = [call for call in calls if re.match(r"\w", call)]  # not ends of calls, or signals
    assert len(calls) > 200  # it was watched
    assert [call for call in calls if call.startswith(tuple(NETWORK.split(",")))] == []
    opened = [call for call in calls if re.match(r"open|creat", call)]
    written = [
        call for call in opened if not re.search(r"O_RDONLY|O_PATH", call) or "O_CREAT" in call
    ]
    changed = [call for call in calls if call not in opened]
    for call in [*written, *changed]:
        assert str(out) in call or "/dev/null" in call, call
    if "to" not in name:
        assert not [call for call in [*written, *changed] if "/dev/null" not in call]

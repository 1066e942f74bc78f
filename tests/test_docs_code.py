"""Every code block of the README and of the documentation works as shown.

The blocks of a page run one after the other in one folder, as a reader would run them. What a page
assumes is there from the start: a photo, a submission, a service to send to. Prompts of a command
are answered in a terminal.
"""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import tomllib
from contextlib import suppress
from pathlib import Path

import pyrage
import pytest
from babel.messages.pofile import read_po
from markdown_it import MarkdownIt

import hashkit
from hashkit.submission.sending.profile import Profile
from hashkit.submission.sending.profiles import read_profiles

pytestmark = pytest.mark.test_all

ROOT = Path(__file__).parent.parent
PAGES = ["README.md", "SECURITY.md", "CHANGELOG.md", "tests/vectors/README.md"]
PAGES += sorted(str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md"))

ANSWERS = {
    "Send them?": "y",  # Typer's own ending of a question
    "Take back what it got in ": "y",
    "Passphrase: ": "correct horse battery staple",
    "The same passphrase again: ": "correct horse battery staple",
    "Type a number and press Enter: ": "1",
}
EXTRA_FOR = {
    **{"seal": "seal", "open": "seal"},
    **{"send": "send", "withdraw": "send", "profiles": None},
}
KNOWN_TO_OTHERS = (
    "docs/formats.md",
    "README.md",
    "docs/architecture.md",
    "docs/browser.md",
    "docs/site.md",
)
# Commands of docs/releasing.md that need a checkout, much time, an index, or a database.
NOT_HERE = [
    *(["git", "status"], [".ci/run"], [".ci/latest"], [".ci/lowest"], [".ci/browser"]),
    *(["python", "-m", "venv"], ["python", "-m", "pip"], ["pip-audit"]),
]
CLUSTER = """
import sys
from distributed import LocalCluster, Security
if __name__ == "__main__":
    own = f"{sys.argv[1]}/client"
    all_ = ("scheduler", "worker", "client")
    security = Security(
        require_encryption=True,
        tls_ca_file=f"{sys.argv[1]}/ca.pem",
        **{f"tls_{who}_cert": f"{own}.pem" for who in all_},
        **{f"tls_{who}_key": f"{own}.key" for who in all_},
    )
    with LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, protocol="tls://",
        security=security,
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""


def blocks(page):
    """The code blocks of a page, each as its language and content."""
    tokens = MarkdownIt("commonmark").parse((ROOT / page).read_text("utf-8"))
    return [
        (token.info or token.type, token.content)
        for token in tokens
        if token.type in ("fence", "code_block")
    ]


WITH_CODE = [page for page in PAGES if blocks(page)]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Reader:
    """Runs the blocks of a page in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.within = folder
        self.extras: set[str | None] = set()
        self.servers: list[subprocess.Popen[str]] = []
        self.port = free_port()
        self.key = pyrage.x25519.Identity.generate()
        self.environment = {
            **os.environ,
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "APPDATA": str(folder / "config"),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONWARNINGS": "ignore",
            "BROWSER": "true",
        }
        self.environment.pop("HASHKIT_PROFILES", None)
        self._provide_assumed_files()
        self.given = {path.name for path in folder.iterdir()}

    def _provide_assumed_files(self) -> None:
        samples, folder = ROOT / "samples_synthetic", self.folder
        for name in ("samples_synthetic", "examples", "tools", "hashkit", "docs"):
            shutil.copytree(ROOT / name, folder / name)
        shutil.copytree(ROOT / "tests" / "vectors", folder / "tests" / "vectors")
        shutil.copy(ROOT / "pyproject.toml", folder)
        shutil.copy(samples / "scene-1.jpg", folder / "photo.jpg")
        shutil.copy(samples / "scene-1-resized.jpg", folder / "copy.jpg")
        shutil.copy(samples / "film-h264.mp4", folder / "clip.mp4")
        (folder / "my_folder").mkdir()
        shutil.copy(folder / "copy.jpg", folder / "my_folder")
        found = hashkit.hash_files([folder / "photo.jpg", folder / "clip.mp4"])
        submission = hashkit.Submission.of(found)
        hashkit.write_submission(submission, folder / "submission.json")
        for name, form in (("hashes.csv", "csv"), ("list.txt", "threatexchange-cli")):
            (folder / name).write_bytes(hashkit.export_submission(submission, form).content)
        (folder / "key.txt").write_text(f"{self.key}\n")
        sealed = hashkit.seal(submission, [str(self.key.to_public())])
        (folder / "submission.json.age").write_bytes(sealed)
        words = hashkit.seal_with_passphrase(submission, ANSWERS["Passphrase: "])
        (folder / "by-passphrase.age").write_bytes(words)

    def close(self) -> None:
        for server in self.servers:
            server.terminate()
            server.communicate(timeout=60)

    def sh(self, content: str) -> None:
        for line in content.replace("\\\n", " ").splitlines():
            command = line.strip()
            if command and not command.startswith("#"):
                self._run(command)

    def python(self, content: str) -> None:
        if '"partner"' in content:
            self._partner()
        subprocess.run(
            [sys.executable, "-c", content],
            check=True,
            cwd=self.folder,
            env=self.environment,
            timeout=120,
        )

    def toml(self, content: str) -> None:
        """Delivery profiles: each is valid. They are kept for the commands that follow."""
        path = self.folder / "config" / "hashkit" / "profiles.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content.replace(":8000", f":{self.port}"), "utf-8")
        found = read_profiles(path)
        assert list(found) == list(tomllib.loads(content))
        assert all(isinstance(each, Profile) for each in found.values()), found

    def json(self, content: str) -> None:
        """One JSON value, or one per line."""
        try:
            assert json.loads(content)
        except ValueError:
            assert [json.loads(line) for line in content.splitlines()]

    def po(self, content: str) -> None:
        """A catalogue whose translations are ours. Our head is added: with Babel's, Spanish would
        have another number of plural forms."""
        ours = (ROOT / "hashkit/locale/es/LC_MESSAGES/hashkit.po").read_text("utf-8")
        head = ours.partition("\n\n")[0]
        known = {each.id: each.string for each in read_po(io.BytesIO(ours.encode()))}
        shown = [each for each in read_po(io.BytesIO(f"{head}\n\n{content}".encode())) if each.id]
        assert shown
        for each in shown:
            assert all([each.string] if isinstance(each.string, str) else each.string)
            assert each.pluralizable or known[each.id] == each.string

    def _run(self, command: str) -> None:
        words = shlex.split(command, comments=True)
        if any(words[: len(start)] == start for start in NOT_HERE):
            return
        match words:
            case ["pip", "install", "-c", "constraints.txt", what]:
                self._can_be_installed(what)
            case ["pip", "install", "-c", "constraints.txt", _, "&&", *_]:
                pass  # the two lines of the README, which .ci/run runs as they are
            case ["python3", "-m", "venv", ".venv"] | [".", ".venv/bin/activate"]:
                pass  # this has one already
            case ["export", *_]:
                name, _, value = command.removeprefix("export ").partition("=")
                self.environment[name] = self._shell(f"printf %s {self._for_real(value)}")
            case ["cd", folder]:
                self.within = self.folder / folder
            case ["age-keygen", "-o", "key.txt"]:
                pass  # it is not on every machine that runs the tests, and the key is there
            case ["hashkit", "app"]:
                self._serves("hashkit app", "http://127.0.0.1")
            case ["python", "examples/receiver.py", *_]:
                self._serve(command.replace("8000", str(self.port)))
            case ["hashkit", *_]:
                self._hashkit(command, words)
            case ["pip", *_]:
                pytest.fail(f"nothing tries this: {command}")
            case _:
                self._shell(self._for_real(command))

    def _can_be_installed(self, what: str) -> None:
        """Only checked here: .ci/run does the installing."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        extra = re.fullmatch(r"\.(?:\[([a-z]+)\])?", what)
        assert extra, what
        self.extras |= {extra[1]}
        assert extra[1] is None or extra[1] in project["optional-dependencies"]

    def _hashkit(self, command: str, words: list[str]) -> None:
        if "--out" in words and "--resume" not in words:
            name = words[words.index("--out") + 1]
            if name in self.given:  # a page begins with making what others take for granted
                (self.folder / name).unlink()
                self.given.remove(name)
        if words[:2] == ["hashkit", "seal"] and "--out" not in words:
            (self.folder / f"{words[2]}.age").unlink(missing_ok=True)
        if {"partner", "profiles"} & {*words} and "PARTNER_SECRET" not in self.environment:
            self._partner()
        if "--dask" in words:
            self._cluster()
        if self.extras:  # a page that says how to install says all that its commands need
            assert EXTRA_FOR.get(words[1]) in {None, *self.extras}, command
        self._typed(self._for_real(command))

    def _for_real(self, command: str) -> str:
        stands_for = {
            "age1...": str(self.key.to_public()),
            "/etc/dask": str(self.folder / "dask"),
            "tls://scheduler:8786": self.environment.get("CLUSTER", ""),
            "/shared/case-files": str(self.folder / "my_folder"),
            "/full/path/to": str(self.folder),
            "./my-hasher --with-its-own-options": "python answer_hashkit.py",
            "./my-hasher": "python answer_hashkit.py",
            "node my-hasher.js": "python answer_hashkit.py",
            "python -m build": "python -m build --no-isolation",
            "build/core": sys.prefix,
            "ssh-keygen -t": "ssh-keygen -N '' -t",
        }
        for name, value in stands_for.items():
            command = command.replace(name, value)
        return command

    def _shell(self, command: str) -> str:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.within,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def _typed(self, command: str) -> None:
        """Run a command in a terminal and answer its prompts."""
        import pty

        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            shlex.split(command, comments=True),
            cwd=self.folder,
            env=self.environment,
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        os.close(theirs)
        printed = ""
        limit = threading.Timer(120, process.kill)
        limit.start()
        with process:
            while letter := process.stdout.read(1):
                printed += letter.decode("latin-1")
                if answer := next(
                    (ANSWERS[each] for each in ANSWERS if printed.endswith(each)), ""
                ):
                    printed += "\n"
                    os.write(ours, f"{answer}\n".encode())
        limit.cancel()
        os.close(ours)
        assert process.returncode == 0, f"{command}\n{printed}"

    def _serve(self, command: str) -> None:
        """Start a server and wait until it accepts connections."""
        server = self._start(command)
        while server.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
        pytest.fail(f"{command}\n{server.stdout.read()}")

    def _serves(self, command: str, sign: str) -> None:
        """Start a server that prints its address, and interrupt it."""
        server = self._start(command)
        line = ""
        while sign not in line:
            line = server.stdout.readline()
            assert line, command
        server.send_signal(signal.SIGINT)
        assert server.wait(60) in (0, 130)

    def _start(self, command: str) -> subprocess.Popen[str]:
        server = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        self.servers.append(server)
        return server

    def release(self) -> None:
        """Provide what a release needs."""
        for program in ("ssh-keygen", "sha256sum"):
            if shutil.which(program) is None:
                pytest.skip(f"needs {program}")
        for name in ("README.md", "LICENSE", "constraints.txt"):
            shutil.copy(ROOT / name, self.folder)

    def _partner(self) -> None:
        """A service: the receiving example, with the page's profile pointing to it."""
        self.sh(
            'export PARTNER_SECRET="whsec_'
            '$(python -c "import base64; print(base64.b64encode(bytes(32)).decode())")"'
        )
        self.environment["RECEIVER_SECRET"] = self.environment["PARTNER_SECRET"]
        self._serve(f"python examples/receiver.py hashes.sqlite3 --port {self.port}")
        self.toml(
            f'[partner]\nkind = "webhook"\naddress = "http://127.0.0.1:{self.port}/hashes"\n'
            'secret = "env:PARTNER_SECRET"\n'
        )

    def _cluster(self) -> None:
        """A cluster with TLS, and certificates where the page has them."""
        import trustme

        folder = self.folder / "dask"
        folder.mkdir()
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        own = authority.issue_cert("hashkit.test")
        own.cert_chain_pems[0].write_to_path(folder / "client.pem")
        own.private_key_pem.write_to_path(folder / "client.key")
        script = self.folder / "cluster.py"
        script.write_text(CLUSTER)
        started = self._start(f"python {script} {folder}")
        self.environment["CLUSTER"] = started.stdout.readline().strip()


@pytest.fixture
def reader(tmp_path):
    pytest.importorskip("pty", reason="needs terminals of POSIX")
    found = Reader(tmp_path)
    yield found
    found.close()


@pytest.mark.parametrize("page", WITH_CODE)
def test_every_block_does_what_it_says(page, reader):
    if page == "tests/vectors/README.md":  # it speaks of its own folder
        reader.sh("cd tests/vectors")
    if page == "docs/releasing.md":
        reader.release()
    for language, content in blocks(page):
        if language in ("xml", "text", "html", "js"):  # other tests know these
            assert page in KNOWN_TO_OTHERS
        else:
            getattr(reader, language)(content)


def test_there_is_code_to_run():
    languages = {language for page in WITH_CODE for language, _ in blocks(page)}
    assert languages == {"sh", "python", "toml", "json", "xml", "text", "po", "html", "js"}
    commands = sum(content.count("hashkit ") for page in WITH_CODE for _, content in blocks(page))
    assert commands > 30


def test_the_lines_of_json_are_those_that_are_printed(run, samples, tmp_path):
    """docs/json-lines.md shows a hashed file and a failed one."""
    shown = [json.loads(text) for kind, text in blocks("docs/json-lines.md") if kind == "json"]
    shutil.copy(samples / "gif-animated.gif", tmp_path / "photo.gif")
    (tmp_path / "notes.txt").write_text("notes")
    algorithms = ("--algorithms", "md5,sha1,sha256,pdq")
    done = run("hash", "photo.gif", "notes.txt", "--json", *algorithms)
    for line, expected in zip(done.stdout.splitlines(), shown, strict=True):
        printed = json.loads(line)
        assert printed.keys() == expected.keys()
        assert printed["path"] == expected["path"]
        if "error" in expected:
            assert printed["error"].keys() == expected["error"].keys()
            assert printed["error"]["code"] == expected["error"]["code"]
        else:
            assert printed["hashes"].keys() == expected["hashes"].keys()
            assert expected["notices"][0]["code"] in [each["code"] for each in printed["notices"]]

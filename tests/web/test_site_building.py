"""The page that does everything itself: what is in it, the same in every build."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from hashkit import errors, notices
from hashkit.cli.output.outcomes import json_line
from hashkit.errors import FileError, HashkitError, MediaError, WorkerLost
from hashkit.guide.directory import all_services
from hashkit.locale.language import LANGUAGES, PSEUDO
from hashkit.models import FailedFile, FrameHash, FrameHashes, Hash, HashedFile, MediaKind
from hashkit.web.rendering import LEAVE_TO
from hashkit.web.site import building
from hashkit.web.site.building import build
from hashkit.web.site.hosting import files_to_host, headers_of
from hashkit.web.site.javascript import Kind, tokens_of
from hashkit.web.words import describe

MAX_BYTES = 400_000
MAX_BYTES_OF_ALL = 400 * 1024
"""With all languages: each takes 58 KB."""


class Page(HTMLParser):
    """The elements of the page in order, the text in each script and style, and all other texts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.code: dict[str, list[str]] = {"script": [], "style": []}
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open and self._open[-1] in self.code:
            self.code[self._open[-1]].append(data)
        elif data.strip():
            self.texts.append(data.strip())


@pytest.fixture(scope="module")
def built():
    return build()


@pytest.fixture(scope="module")
def page(built):
    return Page(built.html.decode())


def test_built_twice_it_is_the_same(run, tmp_path, built):
    """In other processes, with other orders of sets and another clock."""
    for number, zone in enumerate(("UTC", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONHASHSEED": str(number), "TZ": zone}
        done = run("site", "build", "--single-file", f"{number}.html", env=environment)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"{number}.html").read_bytes() == built.html
        assert hashlib.sha256(built.html).hexdigest() in done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_small_enough_to_be_sent_on(language):
    assert len(build([language]).html) <= MAX_BYTES


def test_so_it_is_with_all_languages(built):
    assert len(built.html) <= MAX_BYTES_OF_ALL


def test_nothing_comes_before_the_policy_and_the_guard(page):
    tags = [tag for tag, _ in page.elements[:5]]
    assert tags == ["html", "head", "meta", "meta", "script"]
    assert page.elements[2][1] == {"charset": "utf-8"}
    assert page.elements[3][1]["http-equiv"] == "Content-Security-Policy"


def test_the_policy_allows_what_is_in_the_page_and_nothing_else(built, page):
    def named(code):
        return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"

    assert page.elements[3][1]["content"] == built.policy
    directives = dict(each.split(" ", 1) for each in built.policy.split("; "))
    assert directives.pop("script-src") == " ".join(map(named, page.code["script"]))
    assert directives.pop("style-src") == " ".join(map(named, page.code["style"]))
    assert directives.pop("worker-src") == "blob:"
    assert directives.pop("img-src") == "data:"
    nothing = ("default-src", "connect-src", "frame-src", "form-action", "base-uri")
    assert directives == dict.fromkeys(nothing, "'none'")
    assert (len(page.code["script"]), len(page.code["style"])) == (2, 1)


def test_nothing_is_loaded_from_anywhere(page):
    official = {service.page for service in all_services()} | {LEAVE_TO}
    for tag, fields in page.elements:
        assert not any(name == "style" or name.startswith("on") for name in fields)
        assert not {"src", "srcset", "action", "formaction", "ping", "data"} & fields.keys()
        assert tag not in {"iframe", "object", "embed", "base", "img", "video", "audio"}
        address = fields.get("href")
        if tag == "link":
            assert fields["rel"] == "icon"
            assert address.startswith("data:image/svg+xml;base64,")
        elif address is not None:
            assert tag == "a"
            assert address in official or re.fullmatch(r"#\w\w", address), address
    assert "http:" not in "".join(page.code["style"])


def test_the_guard_knows_every_address_of_the_page(page):
    (links,) = re.findall(r"\}\)\((\[.*\])\);", page.code["script"][0])
    shown = {fields["href"] for tag, fields in page.elements if tag == "a" and fields.get("href")}
    shown = {each for each in shown if each.startswith("http")}
    assert {each if each.count("/") > 2 else f"{each}/" for each in shown} == {*json.loads(links)}


# What sends, keeps, or runs a text as a program.
FORBIDDEN = {
    *("fetch", "XMLHttpRequest", "WebSocket", "WebSocketStream", "sendBeacon", "EventSource"),
    *("WebTransport", "RTCPeerConnection", "importScripts", "import", "navigation", "location"),
    *("serviceWorker", "SharedWorker", "Worker", "BroadcastChannel", "Image", "FontFace", "Audio"),
    *("localStorage", "sessionStorage", "indexedDB", "caches", "cookie", "cookieStore", "storage"),
    *("eval", "Function", "innerHTML", "outerHTML", "insertAdjacentHTML", "globalThis", "open"),
    *(
        "submit",
        "action",
        "src",
        "srcdoc",
        "srcset",
        "iframe",
        "console",
        "window",
        "self",
    ),
    *("setAttribute", "setAttributeNS", "PaymentRequest", "write", "writeln"),
}
ALLOWED = {
    # For people who hear the page.
    "web/static/files.js": {"setAttribute"},
    "web/static/questions.js": {"setAttribute"},
    # Where the page goes when the person leaves, or chooses a language, and other tabs with it.
    "web/static/exit.js": {"location", "BroadcastChannel", "window"},
    "web/site/scripts/language.js": {"location"},
    "web/site/scripts/work.js": {"Worker"},
    "browser/pool.js": {"Worker"},
    "browser/containers.js": {"open"},  # a constant of its own
}


def words_by_module(script):
    """The names that the code of each module uses, without what is in its texts."""
    parts = re.split(r"^// ([\w/]+\.js)$", script, flags=re.MULTILINE)[1:]
    for name, code in zip(parts[::2], parts[1::2], strict=True):
        yield name, {each.text for each in tokens_of(code) if each.kind is Kind.WORD}


def test_no_module_of_the_page_can_send(page):
    found = dict(words_by_module(page.code["script"][1]))
    assert len(found) > 50
    for name, words in found.items():
        assert words & FORBIDDEN == ALLOWED.get(name, set()), name
    assert "sendBeacon" in dict(words_by_module("// a.js\nnavigator.sendBeacon(b);"))["a.js"]


def test_texts_in_code_name_no_way_to_send(page):
    """As in self["fetch"]."""
    script = page.code["script"][1]
    texts = [each.text for each in tokens_of(script) if each.kind is Kind.TEXT]
    assert len(texts) > 500
    assert {each[1:-1] for each in texts} & FORBIDDEN == {
        "submit",
        "BroadcastChannel",
    }  # an event; is there one?
    addresses = [each for each in texts if re.search(r"\w://|^[\"'`]//[\w.]+/", each)]
    assert addresses == ['"http://ns.adobe.com/hdr-gain-map"']  # a name in pictures


def test_all_that_is_shown_is_translated(monkeypatch):
    html = build([PSEUDO]).html.decode()
    services = {name for service in all_services() for name in (service.name, service.phone)}
    addresses = {each.page.removeprefix("https://") for each in all_services() if each.page}
    for text in Page(html).texts:
        rest = text
        while (inner := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)) != rest:
            rest = inner
        assert not rest.strip() or text in services | addresses, text


def test_it_does_not_speak_of_a_computer(page):
    """It is for phones, too."""
    assert [text for text in page.texts if "this computer" in text] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_language_is_shown_where_no_other_is_wished(language):
    rest = [each for each in LANGUAGES if each != language]
    html = build([language, *rest]).html.decode()
    assert f'<html lang="{language}" dir="ltr">' in html
    found = Page(html)
    others = [
        fields["data-language"]
        for tag, fields in found.elements
        if tag == "template" and "data-language" in fields
    ]
    assert others == rest
    links = [fields["href"] for tag, fields in found.elements if tag == "a" and fields.get("lang")]
    assert {*links} == {f"#{each}" for each in LANGUAGES}


# What is said of a file, here and there.


def kinds_of(branch):
    for each in branch.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from kinds_of(each)


def outcomes():
    exact = Hash("sha256", "0" * 64)
    place = Path("a")

    def image(*hashes, said=()):
        return HashedFile(place, MediaKind.IMAGE, (exact, *hashes), said)

    for quality in (0, 49, 50, 100):
        yield image(Hash("pdq", "0" * 64, quality))
        yield image(Hash("pdq", "0" * 64, 0), Hash("pdq", "1" * 64, quality, "alpha-dropped"))
        yield image(Hash("pdq", "0" * 64, 0), Hash("pdq", "1" * 64, quality, "mirrored"))
        frames = (FrameHash(0, 0.0, "0" * 64, 0), FrameHash(1, 1.0, "0" * 64, quality))
        yield HashedFile(place, MediaKind.VIDEO, (exact,), frames=FrameHashes(1.0, frames))
    yield image()
    yield HashedFile(place, MediaKind.IMAGE, (), (notices.NO_HASH,))
    yield HashedFile(place, MediaKind.VIDEO, (exact,), frames=FrameHashes(1.0, ()))
    for notice in notices.ALL:
        yield image(Hash("pdq", "0" * 64, 100), said=(notice,))
        yield image(Hash("pdq", "0" * 64, 10), said=(notice, notices.LOW_QUALITY))
    for branch in (FileError, MediaError):
        for kind in kinds_of(branch):
            yield FailedFile(place, kind())
            yield FailedFile(place, kind(), MediaKind.IMAGE, (exact,), (notices.EXACT_ONLY,))
            yield FailedFile(place, kind(), None, (exact,))
    yield FailedFile(place, WorkerLost())

    class Unknown(HashkitError):
        code = "of_another_version"
        text = "Something."

    yield FailedFile(place, Unknown())


def test_the_same_is_said_of_a_file_as_by_the_local_page(root):
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    given = [*outcomes()]
    fields = [json.loads(json_line(each)) for each in given]
    said = dict(building._spoken())
    module = (root / "hashkit" / "web" / "site" / "scripts" / "telling.js").as_uri()
    script = f"""
        import {{ describedAs }} from {json.dumps(module)};
        const [outcomes, said] = JSON.parse(await new Promise((done) => {{
          let text = "";
          process.stdin.on("data", (each) => text += each).on("end", () => done(text));
        }}));
        const found = outcomes.map((each) => describedAs(each, (name) => said[name] ?? []));
        console.log(JSON.stringify(found));
    """
    done = subprocess.run(
        [node, "--input-type=module", "-e", script],
        input=json.dumps([fields, said]),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for outcome, found in zip(given, json.loads(done.stdout), strict=True):
        expected = describe(outcome)
        assert found == {
            "verdict": expected.usability,
            "title": expected.title,
            "points": [*expected.points],
        }, outcome


# To be hosted.


def test_the_headers_are_the_same_for_every_server(built):
    headers = headers_of(built)
    assert headers["Content-Security-Policy"] == f"{built.policy}; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    files = {name: content.decode() for name, content in files_to_host(built).items()}
    patterns = {
        "headers.nginx.conf": r'^add_header ([\w-]+) "([^"]*)" always;$',
        ".htaccess": r'^Header always set ([\w-]+) "([^"]*)"$',
        "Caddyfile.headers": r'^  ([\w-]+) "([^"]*)"$',
    }
    for name, pattern in patterns.items():
        assert dict(re.findall(pattern, files[name], re.MULTILINE)) == headers, name
        assert "\\" not in files[name]
        assert "$" not in files[name], "a variable, for nginx"
        assert "%" not in files[name], "a variable, for Apache"
    digest = hashlib.sha256(built.html).hexdigest()
    assert files["SHA256SUMS"] == f"{digest}  index.html\n"


# The command.


def test_a_folder_to_host(run, tmp_path, built):
    done = run("site", "build", "out")
    assert (done.returncode, done.stdout) == (0, "Written: out.\n")
    found = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert found == files_to_host(built)
    if os.name != "nt":
        modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()}
        mask = os.umask(0)
        os.umask(mask)
        assert modes == {0o666 & ~mask}, "a web server reads them"


def test_only_some_languages(run, tmp_path):
    done = run("site", "build", "--single-file", "a.html", "--language", "fr", "--language", "en")
    assert done.returncode == 0
    assert (tmp_path / "a.html").read_bytes() == build(["fr", "en"]).html


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["build"], "give either a folder or --single-file"),
        (["build", "out", "--single-file", "a.html"], "give either a folder or --single-file"),
        (["make", "out"], "give one of build"),
        (["build", "out", "--language", "xx"], "give one of en, es, fr"),
        (["build", "full"], "full: This folder is not empty"),
        (["build", "--single-file", "full/a.html"], "full/a.html: There is already a file"),
        (["build", "none/out"], "none/out: "),
        (["build", "--single-file", "none/a.html"], "none/a.html: "),
    ],
)
def test_what_the_command_refuses(run, tmp_path, arguments, sentence):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a.html").write_text("mine")
    done = run("site", *arguments)
    assert done.returncode in (1, 2)
    assert sentence in " ".join(re.sub("[│╭╮╰╯─]", "", done.stderr).split())
    assert (tmp_path / "full" / "a.html").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full"]


def test_files_are_replaced_if_that_is_asked_for(run, tmp_path, built):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("mine")
    (tmp_path / "out" / "other").write_text("mine")
    assert run("site", "build", "out", "--force").returncode == 0
    assert (tmp_path / "out" / "index.html").read_bytes() == built.html
    assert (tmp_path / "out" / "other").read_text() == "mine"

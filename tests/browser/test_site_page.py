"""The built page, used as a person does, from disk and from a server, in three browsers."""

from __future__ import annotations

import functools
import http.server
import threading

import pytest
from browsers import NAMES, Browser, missing
from windows import window

from hashkit.guide.guidance import guidance
from hashkit.web.rendering import LEAVE_TO, Renderer
from hashkit.web.site.building import _all_answers, _answers, build
from hashkit.web.site.hosting import files_to_host, headers_of

pytestmark = pytest.mark.test_all

MAX_BYTES = 3_000_000  # of the files of one run together


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder to be hosted."""
    path = tmp_path_factory.mktemp("site")
    for name, content in files_to_host(build()).items():
        (path / name).write_bytes(content)
    return path


@pytest.fixture
def addresses(folder):
    """Where the page is: on disk, on a server that sends the headers, and on one that does not."""
    headers = headers_of(build())

    class Handler(http.server.SimpleHTTPRequestHandler):
        sent: tuple[tuple[str, str], ...] = ()

        def end_headers(self):
            for name, value in self.sent:
                self.send_header(name, value)
            super().end_headers()

        def log_message(self, *_):
            pass

    class WithHeaders(Handler):
        sent = tuple(headers.items())

    servers = {}
    for name, kind in (("served", Handler), ("with headers", WithHeaders)):
        handler = functools.partial(kind, directory=str(folder))
        servers[name] = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=servers[name].serve_forever, args=(0.05,), daemon=True).start()
    found = {name: f"http://127.0.0.1:{each.server_port}/" for name, each in servers.items()}
    yield {"from disk": (folder / "index.html").as_uri(), **found}
    for each in servers.values():
        each.shutdown()
        each.server_close()


@pytest.fixture(params=NAMES)
def name(request):
    if (lack := missing(request.param)) is not None:
        pytest.skip(f"needs {lack}")
    return request.param


ANSWER = """
    const [age, inPicture, country, threatened] = arguments;
    const find = (selector) => document.querySelector(selector);
    find('[data-go="questions"]').click();
    find(`input[name="age"][value="${age}"]`).click();
    if (age === "adult") find(`input[name="age_in_picture"][value="${inPicture}"]`).click();
    find("#country").value = country;
    find(`input[name="threatened"][value="${threatened}"]`).click();
    find('#answers [type="submit"]').click();
"""
SAVE = """
    const make = URL.createObjectURL;
    return new Promise((done) => {
      URL.createObjectURL = (blob) => { blob.text().then(done); return make.call(URL, blob); };
      document.querySelector("#save").click();
    }).finally(() => { URL.createObjectURL = make; });
"""
SAID = """
    return [...document.querySelectorAll("#files > li")].map((each) => [
      each.querySelector("[data-name]").textContent,
      each.dataset.verdict,
      [...each.querySelectorAll("[data-points] li")].map((point) => point.textContent),
    ]);
"""


def at(page, step):
    page.wait_for(f"document.body.dataset.step === {step!r}")


def hashed(page, files):
    """Hash these files, and give the text that the person saves, and what is said of each."""
    page.run(ANSWER, "adult", "adult", "GB", "yes")
    at(page, "guidance")
    page.run("document.querySelector('#to-choose').click()")
    page.choose("#files-input", files)
    page.wait_for(f"document.querySelectorAll('#files > li').length === {len(files)}")
    page.run("document.querySelector('#start').click()")
    at(page, "result")
    return page.run(SAVE), page.run(SAID)


@pytest.fixture(scope="module")
def files(samples, tmp_path_factory):
    """Pictures of every kind, short videos, and what is neither."""
    found, total = [], 0
    for path in sorted(samples.iterdir(), key=lambda each: each.stat().st_size):
        total += path.stat().st_size
        if path.suffix not in (".py", ".md", ".toml", ".csv") and total < MAX_BYTES:
            found.append(path)
    assert len(found) > 30
    text = tmp_path_factory.mktemp("others") / "text.jpg"
    text.write_text("This is no picture.\n")
    return [*found, text]


BY_MODULES = """
    const { hashFile, submissionText } = await load("hashkit.js");
    return submissionText(await Promise.all(given.map((each) => hashFile(each))));
"""


def test_the_joined_engine_gives_what_the_modules_give(name, files, addresses):
    """The very bytes, wherever the page comes from."""
    with Browser(name) as browser:
        expected = browser.run(BY_MODULES, files, seconds=300)
    assert expected.count('"sha256"') > 30
    for where, address in addresses.items():
        with window(name) as page:
            page.open(address)
            text, said = hashed(page, files)
            assert text == expected, where
            assert len(said) == len(files)
            assert said[-1][1:] == [
                "unreadable",
                ["This is not a picture or a video.", "Check that it is the file you mean."],
            ]
            assert sum(verdict == "good" for _, verdict, _ in said) > 15, where


AS_TEXT = """
    const shape = document.createElement("template");
    shape.innerHTML = arguments[0];
    const told = (node) => node.nodeType === Node.TEXT_NODE
      ? node.data.trim().replace(/\\s+/g, " ")
      : `<${node.nodeName} ${[...node.attributes ?? []].map((a) => a.name + "=" + a.value)}>`
        + [...(node.content ?? node).childNodes].map(told).filter(Boolean).join("")
        + "</>";
    return [told(shape.content), told(document.querySelector("#guidance-text"))];
"""


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_guidance_is_that_of_the_local_page(language, folder):
    """For all answers."""
    if (lack := missing("chromium")) is not None:
        pytest.skip(f"needs {lack}")
    every = [*_all_answers()]
    assert len(every) == 30
    with window("chromium") as page:
        page.open(f"{(folder / 'index.html').as_uri()}#{language}")
        for answers in every:
            page.run(ANSWER, *answers)
            at(page, "guidance")
            html = Renderer().guidance(language, guidance(_answers(*answers)))
            expected, found = page.run(AS_TEXT, html)
            assert found.partition(">")[2] == expected.partition(">")[2], answers


@pytest.mark.parametrize("where", ["from disk", "with headers"])
def test_languages_and_leaving(name, addresses, where):
    with window(name) as page:
        page.open(addresses[where])
        assert page.run("return document.documentElement.lang") == "en"
        page.run("document.querySelector('#languages a[hreflang=es]').click()")
        page.wait_for("document.documentElement.lang === 'es' && document.body.dataset.step")
        heading = page.run("return document.querySelector('#welcome h1').textContent")
        assert heading == "Crear hashes aquí"
        page.run("document.querySelector('#languages a[hreflang=en]').click()")
        page.wait_for("document.documentElement.lang === 'en' && document.body.dataset.step")
        page.run("document.querySelector('[data-action=\"finish\"]').click()")
        assert page.run("return document.querySelector('main h1').textContent") == (
            "You can close this page now"
        )


def test_what_is_taken_off_the_list_is_not_saved(name, folder, samples):
    with window(name) as page:
        page.open((folder / "index.html").as_uri())
        chosen = [samples / "scene-1.jpg", samples / "scene-2.jpg"]
        both, _ = hashed(page, chosen)
        page.run("document.querySelector('#files [data-do=\"remove\"]').click()")
        one = page.run(SAVE)
        assert (both.count('"sha256"'), one.count('"sha256"')) == (2, 1)


CLICK = """
    const found = [];
    const note = (event) => {
      found.push([event.target.href, event.defaultPrevented]);
      event.preventDefault();
    };
    addEventListener("click", note);
    for (const link of document.querySelectorAll("a[target=_blank]")) link.click();
    removeEventListener("click", note);
    return found;
"""


def test_links_to_services_work_and_others_do_not(name, folder):
    """What a person clicks in the guidance is not stopped; an address of anybody else is."""
    with window(name) as page:
        page.open((folder / "index.html").as_uri())
        page.run(ANSWER, "under-18", "under-18", "US", "yes")
        at(page, "guidance")
        links = page.run(CLICK)
        assert len(links) > 2
        assert not any(stopped for _, stopped in links), links
        page.run("document.querySelector('a[target=_blank]').href = 'http://127.0.0.1:9/'")
        (changed,) = [each for each in page.run(CLICK) if "127.0.0.1" in each[0]]
        assert changed == ["http://127.0.0.1:9/", True]


@pytest.mark.parametrize("how", ["click", "keys"])
def test_leaving(folder, how):
    """The guard lets the page go where the button leads. (Only Chromium can be given a page in the
    place of that one.)"""
    if (lack := missing("chromium")) is not None:
        pytest.skip(f"needs {lack}")
    with window("chromium") as page:
        page.answer(LEAVE_TO, "<title>Elsewhere</title>")
        page.open((folder / "index.html").as_uri())
        page.wait_for("document.body.dataset.step")
        if how == "click":
            page.click("#leave")
        else:
            for _ in range(3):
                page.press("Shift")
        page.wait_for("document.title === 'Elsewhere'")
        assert page.run("return location.href") == LEAVE_TO

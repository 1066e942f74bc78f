"""What a page can ask of hashFile: options, progress, cancelling, several files, odd files."""

from __future__ import annotations

import hashlib
import re

import pytest
from browsers import JavaScriptError
from PIL import Image
from playwright.sync_api import expect

from hashkit.errors import FileChanged, FileEmpty, FileTooBig, FileUnreadable

pytestmark = pytest.mark.test_all

HASH = """
    const { hashFile } = await load("hashkit.js");
    return hashFile(given.file, given.options);
"""


def hashed(browser, file, **options):
    return browser.run(HASH, {"file": file, "options": options})


@pytest.fixture(scope="module")
def large(tmp_path_factory, scene):
    """A picture of 24 million pixels."""
    path = tmp_path_factory.mktemp("large") / "large.jpg"
    scene(1, 1500, 1000).resize((6000, 4000), Image.Resampling.BICUBIC).save(path, quality=90)
    return path


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"algorithm": "pdq"}, "There is no option called algorithm. Known: algorithms, sample,"),
        ({"algorithms": "pdq,sha3"}, 'There is no hash called "sha3". Known here: md5, sha1,'),
        ({"algorithms": "tmk_pdqf"}, "tmk_pdqf cannot be computed in a browser. Known here: md5"),
        ({"algorithms": []}, "No hash was asked for. Known here: md5, sha1, sha256, sha512, pdq,"),
        ({"algorithms": 5}, "algorithms are a list of names, or a text with commas"),
        ({"algorithms": ["pdq", None]}, "algorithms are a list of names, or a text with commas"),
        ({"algorithms": "constructor"}, 'There is no hash called "constructor"'),
        ({"sample": 0}, "a sample is a number of seconds, 'all' or 'keyframes', not 0."),
        ({"sample": -1}, "a sample is a number of seconds"),
        ({"sample": 1e6}, "a sample is a number of seconds"),
        ({"sample": "1"}, "a sample is a number of seconds"),
        ({"sample": [1]}, "a sample is a number of seconds"),
        ({"variants": "wide"}, "variants are one of none, readings, orientations here, not wide."),
        ({"variants": 1}, "variants are one of"),
        ({"maxPixels": 0}, "maxPixels is a whole number, at least 1."),
        ({"maxPixels": 1.5}, "maxPixels is a whole number"),
        ({"maxPixels": "9"}, "maxPixels is a whole number"),
        ({"onProgress": 1}, "onProgress is a function."),
        ({"signal": {}}, "signal is an AbortSignal."),
    ],
)
def test_wrong_options_are_refused_with_a_sentence(chromium, samples, options, sentence):
    with pytest.raises(JavaScriptError) as caught:
        hashed(chromium, samples / "scene-1.jpg", **options)
    assert caught.value.name == "TypeError"
    assert caught.value.message.startswith(sentence)


@pytest.mark.parametrize("file", ["a name", None, {}, [1]])
def test_what_is_no_file_is_refused(each_browser, file):
    with pytest.raises(JavaScriptError, match="hashFile takes a File") as caught:
        hashed(each_browser, file)
    assert caught.value.name == "TypeError"


@pytest.mark.parametrize("options", [None, 1, "pdq"])
def test_options_are_an_object(chromium, samples, options):
    with pytest.raises(JavaScriptError, match=r"The options are an object\."):
        chromium.run(HASH, {"file": samples / "scene-1.jpg", "options": options})


@pytest.mark.parametrize(
    ("algorithms", "names"),
    [
        ("services", ["md5", "sha1", "sha256", "pdq"]),
        (" PDQ , md5 ", ["md5", "pdq"]),
        (["sha512", "md5"], ["md5", "sha512"]),
        ("all", ["md5", "sha1", "sha256", "sha512", "pdq"]),
        ("vpdq", []),
    ],
)
def test_algorithms_are_those_asked_for_in_pythons_order(chromium, samples, algorithms, names):
    found = hashed(chromium, samples / "scene-1.jpg", algorithms=algorithms)
    assert [*found["hashes"]] == names
    assert [each["code"] for each in found["notices"]] == ([] if names else ["no_hash"])


def test_what_a_video_cannot_have_is_said(chromium, samples):
    found = hashed(chromium, samples / "film-h264.mp4", algorithms="pdq")
    assert found["hashes"] == {}
    assert [each["code"] for each in found["notices"]] == ["no_hash"]


def test_a_limit_of_pixels_is_obeyed(each_browser, samples):
    found = hashed(each_browser, samples / "scene-1.jpg", maxPixels=1000, algorithms="md5,pdq")
    assert found["error"]["code"] == "too_many_pixels"
    assert found["error"]["text"].endswith("The limit is 1,000.")
    assert [*found["hashes"]] == ["md5"]


@pytest.mark.parametrize("name", ["large", "film-reencoded.webm", "scene-1.jpg"])
def test_progress_rises_to_the_end(each_browser, samples, large, name):
    body = """
        const { hashFile } = await load("hashkit.js");
        const parts = [];
        await hashFile(given, { onProgress: (part) => parts.push(part) });
        return parts;
    """
    parts = each_browser.run(body, large if name == "large" else samples / name)
    assert parts == sorted(parts)
    assert 0 <= parts[0] < 1
    if name != "film-reencoded.webm":  # or its codec is not known here
        assert parts[-1] == 1
    assert parts[-1] >= 0.25


def test_what_onprogress_raises_does_not_touch_the_file(each_browser, samples):
    body = """
        const { hashFile } = await load("hashkit.js");
        const raised = [];
        const listen = (event) => { event.preventDefault(); raised.push(event.message); };
        addEventListener("error", listen);
        const found = await hashFile(given, { onProgress: () => { throw new Error("mine"); } });
        await new Promise((resolve) => setTimeout(resolve, 50));
        removeEventListener("error", listen);
        return { found, raised };
    """
    both = each_browser.run(body, samples / "scene-1.jpg")
    assert "error" not in both["found"]
    assert all("mine" in each for each in both["raised"])
    assert len(both["raised"]) > 0


def test_the_page_stays_awake(each_browser, large):
    body = """
        const { hashFile } = await load("hashkit.js");
        let ticks = 0;
        const clock = setInterval(() => { ticks += 1; }, 1);
        const found = await Promise.all([hashFile(given), hashFile(given)]);
        clearInterval(clock);
        return { found, ticks };
    """
    both = each_browser.run(body, large)
    assert both["ticks"] >= 5
    assert both["found"][0] == both["found"][1]
    assert "pdq" in both["found"][0]["hashes"]


@pytest.mark.parametrize("when", ["before", "at the beginning", "while waiting"])
def test_a_file_can_be_cancelled(each_browser, large, when):
    body = """
        const { hashFile } = await load("hashkit.js");
        const cancel = new AbortController();
        const reason = { why: "enough" };
        const waiting = [];
        if (given.when === "before") cancel.abort(reason);
        if (given.when === "while waiting") {
          for (let i = 0; i < 5; i += 1) waiting.push(hashFile(given.file));
        }
        const onProgress = () => cancel.abort(reason);
        const doomed = hashFile(given.file, { signal: cancel.signal, onProgress });
        if (given.when === "while waiting") cancel.abort(reason);
        const outcome = await doomed.catch((error) => ({ same: error === reason }));
        await Promise.all(waiting);
        return { outcome, next: await hashFile(given.file, { algorithms: "md5" }) };
    """
    found = each_browser.run(body, {"file": large, "when": when})
    assert found["outcome"] == {"same": True}
    assert found["next"]["hashes"] == {"md5": hashlib.md5(large.read_bytes()).hexdigest()}


@pytest.mark.parametrize(
    ("made", "error", "kind"),
    [
        ("new Blob([])", FileEmpty, None),
        ("new Blob([head, ...Array(65).fill(gigabyte)])", FileTooBig, None),
        ("new Blob([head, gigabyte])", FileTooBig, "image"),
    ],
)
def test_sizes_are_checked_before_anything_is_read(chromium, made, error, kind):
    body = f"""
        const {{ hashFile }} = await load("hashkit.js");
        const head = new Uint8Array([0xff, 0xd8, 0xff, 0xe0]);
        const megabyte = new Blob([new Uint8Array(1 << 20)]);
        const gigabyte = new Blob(Array(1024).fill(megabyte));
        return hashFile({made}, {{ algorithms: "pdq" }});
    """
    found = chromium.run(body)
    assert found.get("kind") == kind
    assert found["error"] == {"code": error.code, "text": error.text, "advice": error.advice}
    assert "hashes" not in found


ON_PAGE = """
    const { hashBlob } = await load("hashing.js");
    const { checkedOptions } = await load("options.js");
    const blob = new Blob([given.file]);
    const fail = (error) => () => Promise.reject(error);
"""


@pytest.mark.parametrize("error", ["new RangeError('no memory')", "'out of memory'"])
def test_a_file_that_does_not_fit_has_its_digests(each_browser, samples, error):
    path = samples / "scene-1.jpg"
    body = f"blob.arrayBuffer = fail({error}); return hashBlob(blob, checkedOptions({{}}));"
    found = each_browser.run(ON_PAGE + body, {"file": path})
    assert found["error"]["code"] == "too_much_memory"
    assert found["kind"] == "image"
    assert found["hashes"]["md5"] == hashlib.md5(path.read_bytes()).hexdigest()
    assert [each["code"] for each in found["notices"]] == ["exact_only"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("new RangeError('no memory')", "too_much_memory"),
        ("'out of memory'", "too_much_memory"),
        ("new DOMException('', 'NotReadableError')", "file_changed"),
        ("new DOMException('', 'NotFoundError')", "file_unreadable"),
        ("new TypeError('a fault of ours')", "decoder_crashed"),
    ],
)
def test_what_the_browser_raises_while_reading_has_a_code(each_browser, samples, error, code):
    """After the first bytes, which say that it is a picture."""
    body = f"""
        const slice = blob.slice.bind(blob);
        let reads = 0;
        blob.slice = (...places) => {{
          const piece = slice(...places);
          reads += 1;
          if (reads > 1) piece.arrayBuffer = fail({error});
          return piece;
        }};
        blob.arrayBuffer = fail({error});
        return hashBlob(blob, checkedOptions({{}}));
    """
    found = each_browser.run(ON_PAGE + body, {"file": samples / "scene-1.jpg"})
    assert [*found] == ["error"]
    assert found["error"]["code"] == code


@pytest.fixture
def disk_page(browser, root):
    """A page whose files are on disk, as a person chooses them: no other browser can be given some
    without a driver."""
    page = browser.new_page()
    folder = root / "hashkit" / "browser"

    def serve(route, request):
        name = request.url.rpartition("/")[2]
        if name:
            route.fulfill(path=folder / name, content_type="text/javascript")
        else:
            route.fulfill(body="<input type=file>", content_type="text/html")

    page.context.route("http://127.0.0.1:9/**", serve)
    page.goto("http://127.0.0.1:9/")
    yield page
    page.close()


DISK = """async () => {
    const { hashFile } = await import("/hashkit.js");
    const [file] = document.querySelector("input").files;
    return hashFile(file, { onProgress: (part) => globalThis.change?.(part) });
}"""


def test_a_file_that_was_changed_or_deleted_is_not_hashed(disk_page, tmp_path, samples):
    path = tmp_path / "photo.jpg"
    path.write_bytes((samples / "scene-1.jpg").read_bytes())
    disk_page.set_input_files("input", path)
    assert "pdq" in disk_page.evaluate(DISK)["hashes"]
    path.write_bytes(path.read_bytes() + b"more")
    found = disk_page.evaluate(DISK)
    assert [*found] == ["error"]
    assert found["error"]["code"] in (FileChanged.code, FileUnreadable.code)
    path.unlink()
    found = disk_page.evaluate(DISK)
    assert [*found] == ["error"]
    assert found["error"]["code"] == FileUnreadable.code


def test_a_file_that_changes_while_it_is_read_is_not_hashed(disk_page, tmp_path, samples):
    path = tmp_path / "film.mp4"
    film = (samples / "film-h264.mp4").read_bytes()
    path.write_bytes(film + bytes.fromhex("0c000000") + b"free" + bytes(200_000_000))

    def change(_):
        with path.open("ab") as file:
            file.write(b"more")

    disk_page.expose_function("change", change)
    disk_page.set_input_files("input", path)
    found = disk_page.evaluate(DISK)
    assert [*found] == ["error"]
    assert found["error"]["code"] == FileChanged.code


def test_the_page_of_the_documentation_works(browser, root, samples):
    text = (root / "docs" / "browser.md").read_text("utf-8")
    page_html, page_js = (
        re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)[1]
        for language in ("html", "js")
    )
    said = []

    def serve(route, request):
        name = request.url.rpartition("/")[2]
        if "/hashkit/" in request.url:
            path = root / "hashkit" / "browser" / name
            route.fulfill(path=path, content_type="text/javascript")
        elif name == "page.js":
            route.fulfill(body=page_js, content_type="text/javascript")
        else:
            route.fulfill(body=page_html, content_type="text/html")

    context = browser.new_context()
    context.route("http://127.0.0.1:9/**", serve)
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto("http://127.0.0.1:9/")
    page.set_input_files("input", [samples / "scene-1.jpg", samples / "film-h264.mp4"])
    expect(page.locator("#out")).to_contain_text(re.compile("kind.*kind", re.DOTALL))
    shown = page.text_content("#out")
    workers = len(page.workers)
    context.close()
    assert hashlib.sha256((samples / "scene-1.jpg").read_bytes()).hexdigest() in shown
    assert '"pdq": {' in shown
    assert '"vpdq": {' in shown
    assert workers > 0  # the policy lets them start
    assert [each for each in said if "favicon" not in each] == []

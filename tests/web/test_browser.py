"""The page in a real browser: the whole way through, and every detour."""

from __future__ import annotations

import os
import random
import re
import struct
import zlib

import pytest
from PIL import Image
from playwright.sync_api import expect

from hashkit import Submission, hash_file
from hashkit.locale.language import LANGUAGES, PSEUDO
from hashkit.web.rendering import LEAVE_TO

pytestmark = pytest.mark.test_all

MARKER = "name-that-nobody-may-see"
STEPS = ("welcome", "questions", "guidance", "choose", "working", "result")


@pytest.fixture
def files(tmp_path, samples):
    """Pictures, a video, a decompression bomb, a text named as a picture; their names are
    marked."""
    folder = tmp_path / "chosen"
    folder.mkdir()
    found = {}
    for name in ("scene-1.jpg", "heic.heic", "png-flat.png", "film-h264.mp4"):
        found[name] = folder / f"{MARKER}-{name}"
        found[name].write_bytes((samples / name).read_bytes())
    found["bomb"] = folder / f"{MARKER}-bomb.png"
    found["bomb"].write_bytes(bomb())
    found["text"] = folder / f"{MARKER}-text.jpg"
    found["text"].write_text("This is no picture.\n")
    found["empty"] = folder / f"{MARKER}-empty.jpg"
    found["empty"].write_bytes(b"")
    return found


def bomb():
    """A PNG of a few bytes that claims ten thousand million pixels."""

    def chunk(kind, data):
        check = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    data = zlib.compress(bytes(1 << 20))
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def step_of(page):
    return page.locator("body").get_attribute("data-step")


def at(page, step):
    """Wait until only this step is shown and its heading has the focus."""
    expect(page.locator("body")).to_have_attribute("data-step", step, timeout=120_000)
    shown = page.locator("section[data-step]:visible")
    expect(shown).to_have_count(1)
    if step != "welcome":
        expect(shown.locator("h1")).to_be_focused()
    return shown


def answer(page, age="adult", age_in_picture="adult", country="GB", threatened="yes"):
    page.locator("#begin").click()
    at(page, "questions")
    page.check(f"input[name=age][value={age}]")
    if age == "adult":
        page.check(f"input[name=age_in_picture][value={age_in_picture}]")
    page.select_option("#country", country)
    page.check(f"input[name=threatened][value={threatened}]")
    page.locator("#answers [type=submit]").click()
    return at(page, "guidance")


def choose(page, paths, variants=False):
    page.locator("#to-choose").click()
    at(page, "choose")
    page.set_input_files("#files-input", [str(path) for path in paths])
    expect(page.locator("#files > li")).to_have_count(len(paths))
    if variants:
        page.check("#variants")


def hash_all(page, paths, variants=False):
    choose(page, paths, variants)
    page.locator("#start").click()
    at(page, "result")


def saved(page, tmp_path):
    with page.expect_download() as download:
        page.locator("#save").click()
    assert download.value.suggested_filename == "submission.json"
    download.value.save_as(tmp_path / "saved.json")
    return (tmp_path / "saved.json").read_bytes()


def count_of(page, verdict):
    shown = page.locator(f'[data-count="{verdict}"]')
    return int(shown.locator("[data-number]").inner_text()) if shown.is_visible() else 0


@pytest.mark.parametrize("language", [*LANGUAGES, PSEUDO])
def test_the_whole_way(language, window, serve, files, tmp_path):
    """From the address to the saved file, in every language."""
    page = window.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request))
    complaints = []
    page.on(  # errors only: browsers also announce future changes
        "console", lambda each: complaints.append(each.text) if each.type == "error" else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    server = serve("--language", language)
    page.goto(server.address)
    assert page.locator("body").get_attribute("data-language") == language
    answer(page)
    expect(page.locator('[data-service="stopncii"]')).to_have_count(1)
    hash_all(page, files.values())
    assert count_of(page, "good") == 3
    assert count_of(page, "plain") == 1
    assert count_of(page, "exact_only") == 1
    assert count_of(page, "unreadable") == 2
    submission = saved(page, tmp_path)
    hashed = ("scene-1.jpg", "heic.heic", "png-flat.png", "film-h264.mp4")
    expected = Submission.of(hash_file(files[name]) for name in hashed)
    found = Submission.from_json(submission)
    assert set(expected.items) < set(found.items)
    assert len(found.items) == len(hashed) + 1  # the bomb, for exact copies
    assert MARKER.encode() not in submission
    # The names of the files never left the page.
    for request in asked:
        assert MARKER not in request.url
        assert MARKER not in str(request.all_headers())
        assert MARKER.encode() not in (request.post_data_buffer or b"")
        assert request.url.startswith(server.origin), request.url
    assert complaints == []


def test_variants_are_made_when_they_are_asked_for(page, files, tmp_path):
    answer(page)
    hash_all(page, [files["scene-1.jpg"]], variants=True)
    expected = Submission.of([hash_file(files["scene-1.jpg"], variants="wide")])
    assert Submission.from_json(saved(page, tmp_path)) == expected


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such names")
def test_names_are_shown_as_text_and_pictures_are_not_shown(page, tmp_path, samples):
    named = [
        "<img src=x onerror=alert(1)>.jpg",
        "a\u202egpj.exe.jpg",
        "x" * 150 + ".jpg",
        "é 猫.jpg",
    ]
    paths = [tmp_path / name for name in named]
    for path in paths:
        path.write_bytes((samples / "scene-1.jpg").read_bytes())
    answer(page)
    hash_all(page, paths)
    expect(page.locator("bdi")).to_have_count(len(named))
    assert page.locator("bdi").all_inner_texts() == named
    assert page.locator("img, video, canvas, object, embed, iframe, picture").count() == 0
    html = page.content()
    assert "blob:" not in html
    assert "data:" not in re.sub(r"[a-z]+data:", "", html)


def test_a_folder_is_looked_through_without_what_is_hidden(page, tmp_path, samples):
    folder = tmp_path / "folder"
    (folder / "deeper" / ".hidden").mkdir(parents=True)
    for place in ("scene-1.jpg", "deeper/scene-2.jpg", ".DS_Store", "deeper/.hidden/scene.jpg"):
        (folder / place).write_bytes((samples / "scene-2.jpg").read_bytes())
    answer(page)
    page.locator("#to-choose").click()
    page.set_input_files("#folder-input", str(folder))
    expect(page.locator("#files > li")).to_have_count(2)
    expect(page.locator("#choosing-notes p")).to_have_count(1)


DROP = """
async ([data, name]) => {
  const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
  const carried = new DataTransfer();
  carried.items.add(new File([bytes], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true });
    document.getElementById("drop").dispatchEvent(event);
    if (!event.defaultPrevented) throw new Error("the browser would open the file");
  }
}
"""


def test_files_can_be_dragged_here(page, samples):
    from base64 import b64encode

    answer(page)
    page.locator("#to-choose").click()
    data = b64encode((samples / "scene-1.jpg").read_bytes()).decode()
    page.evaluate(DROP, [data, "dragged.jpg"])
    expect(page.locator("#files bdi")).to_have_text("dragged.jpg")
    page.locator("#start").click()
    at(page, "result")
    assert count_of(page, "good") == 1


def test_a_picture_that_is_dropped_elsewhere_is_not_opened(page):
    """The browser would show it."""
    page.evaluate(DROP, ["", "dropped.jpg"])
    assert step_of(page) == "welcome"
    answer(page)
    page.evaluate(DROP, ["", "dropped.jpg"])
    page.locator("#to-choose").click()
    expect(page.locator("#files > li")).to_have_count(0)


def test_a_file_can_be_cancelled_and_tried_again(page, files, tmp_path, hold):
    for number in (1, 3):  # the first file, and when it is tried again
        hold(page, number)
    answer(page)
    choose(page, [files["film-h264.mp4"], files["scene-1.jpg"]])
    page.locator("#start").click()
    at(page, "working")
    row = page.locator("#files > li").first
    expect(row).to_have_attribute("data-state", "working")
    row.locator("[data-do=cancel]").click()
    expect(row).to_have_attribute("data-state", "stopped")
    at(page, "result")
    assert (count_of(page, "good"), count_of(page, "stopped")) == (1, 1)
    row.locator("[data-do=again]").click()
    expect(row).to_have_attribute("data-state", "working")
    row.locator("[data-do=cancel]").click()
    row.locator("[data-do=remove]").click()
    expect(page.locator("#files > li")).to_have_count(1)
    assert len(Submission.from_json(saved(page, tmp_path)).items) == 1


def test_all_can_be_stopped(page, files, hold):
    hold(page)
    answer(page)
    chosen = [files[name] for name in ("scene-1.jpg", "heic.heic", "png-flat.png", "text")]
    choose(page, chosen)
    page.locator("#start").click()
    at(page, "working")
    page.locator("#stop-all").click()
    at(page, "result")
    assert count_of(page, "stopped") == len(chosen)
    expect(page.locator("#submission")).to_be_hidden()


def test_a_file_without_useful_hashes_is_explained_kindly(page, files):
    answer(page)
    hash_all(page, [files["text"], files["empty"]])
    assert count_of(page, "unreadable") == 2
    expect(page.locator("#submission")).to_be_hidden()
    expect(page.locator("#nothing-good")).to_contain_text("not your fault")


def test_a_file_that_changes_while_it_waits(page, files):
    answer(page)
    choose(page, [files["scene-1.jpg"], files["heic.heic"]])
    files["scene-1.jpg"].write_bytes(b"something else")
    os.utime(files["scene-1.jpg"], (1, 1))
    page.locator("#start").click()
    at(page, "result")
    assert (count_of(page, "good"), count_of(page, "unreadable")) == (1, 1)


def test_what_is_removed_is_not_in_the_submission(page, files, tmp_path):
    answer(page)
    hash_all(page, [files["scene-1.jpg"], files["heic.heic"]])
    page.locator("#files > li").first.locator("[data-do=remove]").click()
    expected = Submission.of([hash_file(files["heic.heic"])])
    assert Submission.from_json(saved(page, tmp_path)) == expected


def test_more_files_can_be_added(page, files, tmp_path):
    answer(page)
    hash_all(page, [files["scene-1.jpg"]])
    page.locator("#add-more").click()
    at(page, "choose")
    page.set_input_files("#files-input", str(files["heic.heic"]))
    page.locator("#start").click()
    at(page, "result")
    assert len(Submission.from_json(saved(page, tmp_path)).items) == 2


@pytest.mark.parametrize(
    ("age", "age_in_picture"), [("under-18", "under-18"), ("adult", "under-18")]
)
def test_who_was_under_18_is_led_to_their_services(page, age, age_in_picture):
    shown = answer(page, age, age_in_picture)
    text = shown.inner_text()
    assert "Take It Down" in text
    assert "Never send or show the picture to a person, and do not move it" in text
    assert "A helper must never receive, copy or forward" in text
    places = [text.index(each) for each in ("emergency number", "Take It Down")]
    assert places == sorted(places)
    assert page.locator('[data-service="stopncii"]').count() == 0
    page.locator("#to-choose").click()
    expect(page.locator('#choose [data-for="minor"]')).to_be_visible()
    expect(page.locator("#choose")).to_contain_text("on the device that holds the picture")
    assert (page.locator('[data-service="report-remove"]').count() == 1) == (age == "under-18")


def test_age_is_asked_before_anything_else(page):
    page.locator("#begin").click()
    at(page, "questions")
    expect(page.locator("#after-age")).to_be_hidden()
    page.locator("#answers [type=submit]").click()
    expect(page.locator("#missing")).to_be_focused()
    expect(page.locator("#age-error")).to_be_visible()
    page.check("input[name=age][value=under-18]")
    expect(page.locator("#country")).to_be_visible()
    expect(page.locator("#age_in_picture")).to_be_hidden()
    page.locator("#answers [type=submit]").click()
    assert step_of(page) == "questions"
    expect(page.locator("#country-error")).to_be_visible()


def test_finishing_ends_it(page, files, server):
    answer(page)
    hash_all(page, [files["scene-1.jpg"]])
    page.locator("#result [data-action=finish]").click()
    at(page, "finished")
    assert MARKER not in page.content()
    assert server.process.wait(60) == 0
    assert page.title() != "Elsewhere"


def test_when_hashkit_is_gone_the_page_forgets(page, files, server):
    answer(page)
    hash_all(page, [files["scene-1.jpg"]])
    assert MARKER in page.content()
    server.process.kill()
    at(page, "ended")
    assert MARKER not in page.content()
    assert page.url.startswith(server.origin)


def test_nothing_is_kept_in_the_browser(page, files, window, server):
    answer(page)
    hash_all(page, [files["scene-1.jpg"]])
    kept = page.evaluate(
        """async () => [localStorage.length, sessionStorage.length,
            (await indexedDB.databases()).length, (await caches.keys()).length,
            document.cookie, history.length]"""
    )
    assert kept[:5] == [0, 0, 0, 0, ""]
    (cookie,) = window.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert cookie["expires"] == -1
    assert page.url == server.home
    assert page.title() == "Notes"
    assert "/start/" not in str(page.evaluate("performance.getEntries().map((each) => each.name)"))


def go_to(page, step, files, hold):
    """Walk to this step."""
    if step == "welcome":
        return
    if step == "questions":
        page.locator("#begin").click()
    else:
        answer(page)
    if step == "choose":
        choose(page, [files["scene-1.jpg"]])
    if step == "working":
        hold(page)
        choose(page, [files["film-h264.mp4"]])
        page.locator("#start").click()
    if step == "result":
        hash_all(page, [files["scene-1.jpg"]])
    at(page, step)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("how", ["button", "shift"])
def test_quick_exit(how, step, page, server, files, hold):
    go_to(page, step, files, hold)
    requested = []
    page.on("request", lambda request: requested.append(request.url))
    exit_button = page.locator("#leave")
    expect(exit_button).to_be_in_viewport(ratio=1)
    page.mouse.wheel(0, 3000)
    expect(exit_button).to_be_in_viewport(ratio=1)
    if how == "button":
        exit_button.click()
    else:
        for _ in range(3):
            page.keyboard.press("Shift")
    page.wait_for_url(f"{LEAVE_TO}**")
    assert page.title() == "Elsewhere"
    assert [url for url in requested if url.startswith(f"{server.home}leave?page=")]
    assert server.process.wait(60) == 0
    # Back does not lead to the page.
    page.go_back(wait_until="commit") if step == "result" else None
    assert MARKER not in page.content()
    assert server.origin not in page.evaluate("document.referrer")


def test_quick_exit_when_hashkit_is_gone(page, files, server):
    answer(page)
    hash_all(page, [files["scene-1.jpg"]])
    server.process.kill()
    at(page, "ended")
    page.locator("#leave").click()
    page.wait_for_url(f"{LEAVE_TO}**")


def test_quick_exit_blanks_the_page_at_once(page, files, window):
    """Also if the neutral site is slow or there is no network."""
    window.unroute(f"{LEAVE_TO}**")
    held = []
    window.route(f"{LEAVE_TO}**", lambda route: held.append(route))  # never answered
    answer(page)
    hash_all(page, [files["scene-1.jpg"]])
    seen = page.evaluate(
        """() => { document.getElementById("leave").click();
            return [document.documentElement.style.visibility, document.body.innerText]; }"""
    )
    assert seen == ["hidden", ""]
    for route in held:
        route.abort()


def test_a_page_that_the_browser_kept_is_left_when_it_is_shown_again(page):
    """From the back-forward cache: first blanked, then left."""
    seen = page.evaluate(
        """() => { dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
            return document.body.innerText; }"""
    )
    assert seen == ""
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    page.wait_for_url(f"{LEAVE_TO}**")


def test_a_lost_response_does_no_harm(page, tmp_path):
    """The server has the range but the page does not know it, and sends it again."""
    lost = []

    def lose_once(route):
        if lost or "/ranges/3" not in route.request.url:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/ranges/*", lose_once)
    picture = tmp_path / "large.bmp"
    Image.frombytes("RGB", (2000, 2000), random.Random(1).randbytes(12_000_000)).save(picture)
    answer(page)
    hash_all(page, [picture])
    assert lost == [200]
    assert Submission.from_json(saved(page, tmp_path)) == Submission.of([hash_file(picture)])


def test_typing_does_not_leave(page):
    for keys in ("Shift+a", "Shift+Tab", "Control+Shift", "a"):
        for _ in range(4):
            page.keyboard.press(keys)
    page.keyboard.press("Shift")
    page.keyboard.press("Shift")
    page.keyboard.press("a")
    page.keyboard.press("Shift")
    assert step_of(page) == "welcome"


def test_a_second_tab(page, window, server, files, tmp_path):
    answer(page)
    hash_all(page, [files["scene-1.jpg"]])
    second = window.new_page()
    second.goto(server.home)
    answer(second)
    hash_all(second, [files["heic.heic"]])
    assert Submission.from_json(saved(second, tmp_path)) == Submission.of(
        [hash_file(files["heic.heic"])]
    )
    assert Submission.from_json(saved(page, tmp_path)) == Submission.of(
        [hash_file(files["scene-1.jpg"])]
    )
    second.locator("#leave").click()
    page.wait_for_url(f"{LEAVE_TO}**")  # the other tab is left, too
    assert server.process.wait(60) == 0


def test_closing_one_of_two_tabs_does_not_end_it(page, window, server):
    second = window.new_page()
    second.goto(server.home)
    at(second, "welcome")
    second.close()
    answer(page)
    assert server.process.poll() is None
    page.close()
    assert server.process.wait(60) == 0


def test_loading_it_again_begins_anew(page, server, files):
    answer(page)
    hash_all(page, [files["scene-1.jpg"]])
    page.reload()
    at(page, "welcome")
    assert MARKER not in page.content()
    answer(page)
    assert server.process.poll() is None


def test_a_stale_address(browser, window, server, page):
    at(page, "welcome")
    stranger = browser.new_context()
    other = stranger.new_page()
    answered = other.goto(server.address)
    assert answered.status == 403
    expect(other.locator("h1")).to_be_visible()
    assert other.locator("script").count() == 0
    assert other.goto(server.home).status == 403
    stranger.close()
    # In the same browser it leads back in.
    again = window.new_page()
    again.goto(server.address)
    at(again, "welcome")


def test_languages_can_be_chosen(page):
    page.locator('#languages a[hreflang="es"]').click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.locator("#unreviewed")).to_be_visible()
    assert page.evaluate("history.length") <= 3
    page.locator('#unreviewed a[hreflang="en"]').click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator("#unreviewed")).to_have_count(0)


RINGED = """
[document.activeElement, document.activeElement.closest("label")]
  .some((each) => each && getComputedStyle(each).outlineStyle !== "none")
"""


def test_the_keyboard_is_enough(page, files):
    """Every step without a mouse; the focus is always visible."""

    def tab_to(selector):
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
                assert page.evaluate(RINGED), selector
                return
        raise AssertionError(f"{selector} cannot be reached")

    page.on("filechooser", lambda chooser: chooser.set_files(str(files["scene-1.jpg"])))
    tab_to("#begin")
    page.keyboard.press("Enter")
    at(page, "questions")
    tab_to("input[name=age]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowDown")
    tab_to("input[name=age_in_picture]")
    page.keyboard.press("Space")
    tab_to("#country")
    page.keyboard.press("ArrowDown")
    tab_to("input[name=threatened]")
    page.keyboard.press("Space")
    tab_to("#answers [type=submit]")
    page.keyboard.press("Enter")
    at(page, "guidance")
    tab_to("#to-choose")
    page.keyboard.press("Enter")
    at(page, "choose")
    tab_to("#choose-files")
    page.keyboard.press("Enter")
    expect(page.locator("#files > li")).to_have_count(1)
    tab_to("#start")
    page.keyboard.press("Enter")
    at(page, "result")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    tab_to("#save")

"""Accessibility: axe-core, small screens, dark mode, right to left, print."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from hashkit.locale.language import LANGUAGES, PSEUDO

pytestmark = pytest.mark.test_all


def walk(page, samples, tmp_path, hold):
    """Walk through the page; yields the name of each step."""
    yield "welcome"
    page.locator("#begin").click()
    page.locator("#answers [type=submit]").click()
    expect(page.locator("#missing")).to_be_visible()
    page.check("input[name=age][value=adult]")
    yield "questions"
    page.check("input[name=age_in_picture][value=under-18]")
    page.select_option("#country", "GB")
    page.check("input[name=threatened][value=yes]")
    page.locator("#answers [type=submit]").click()
    expect(page.locator("#guidance h1")).to_be_visible()
    yield "guidance"
    page.locator("#to-choose").click()
    long = tmp_path / f"{'long' * 40}.mp4"
    long.write_bytes((samples / "film-h264.mp4").read_bytes())
    files = [samples / "scene-1.jpg", samples / "png-flat.png", samples / "generate.py", long]
    hold(page, 4)
    page.set_input_files("#files-input", [str(path) for path in files])
    expect(page.locator("#files > li")).to_have_count(4)
    yield "choose"
    page.locator("#start").click()
    expect(page.locator('#files > li[data-state="done"]')).to_have_count(3, timeout=120_000)
    yield "working"
    page.locator("#stop-all").click()
    expect(page.locator("#result h1")).to_be_visible()
    yield "result"


def opened(browser, server, **options):
    # The test injects axe: the page itself allows no foreign script.
    context = browser.new_context(bypass_csp=True, **options)
    page = context.new_page()
    page.goto(server.address)
    return context, page


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("language", [*LANGUAGES, PSEUDO])
def test_axe_finds_nothing(
    language, colours, browser, found_by_axe, serve, samples, tmp_path, hold
):
    server = serve("--language", language)
    context, page = opened(browser, server, color_scheme=colours)
    for step in walk(page, samples, tmp_path, hold):
        assert found_by_axe(page) == [], step
    context.close()


def test_axe_would_find_something(browser, found_by_axe, server):
    """The check itself works."""
    context, page = opened(browser, server)
    pale = "color: #ddd; background: #fff; transition: none"  # at once, before axe looks
    page.evaluate(f"document.getElementById('begin').style.cssText = '{pale}'")
    assert "color-contrast" in {each for each, _, _ in found_by_axe(page)}
    context.close()


def test_the_error_page_is_accessible(browser, found_by_axe, server):
    for colours in ("light", "dark"):
        context = browser.new_context(bypass_csp=True, color_scheme=colours)
        page = context.new_page()
        page.goto(f"{server.home}start/stale")
        assert found_by_axe(page) == []
        context.close()


WIDER_THAN_THE_SCREEN = """
[...document.querySelectorAll("body *")]
  .filter((each) => each.checkVisibility() && !each.closest(".only-heard"))
  .filter((each) => { const box = each.getBoundingClientRect();
    return box.width && (box.right > innerWidth + 1 || box.left < -1); })
  .map((each) => each.outerHTML.slice(0, 120))
"""
TOO_SMALL_TO_PRESS = """
[...document.querySelectorAll("button, .button, label.choice, select, #leave")]
  .filter((each) => each.checkVisibility())
  .map((each) => [each.outerHTML.slice(0, 80), each.getBoundingClientRect()])
  .filter(([, box]) => box.height < 24 || box.width < 24)
"""


@pytest.mark.parametrize("language", ["fr", PSEUDO])
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_it_fits_every_screen(width, language, browser, serve, samples, tmp_path, hold):
    server = serve("--language", language)
    context, page = opened(browser, server, viewport={"width": width, "height": 640})
    for step in walk(page, samples, tmp_path, hold):
        assert page.evaluate(WIDER_THAN_THE_SCREEN) == [], step
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(TOO_SMALL_TO_PRESS) == [], step
        expect(page.locator("#leave")).to_be_in_viewport(ratio=1)
    context.close()


def test_large_text_fits(browser, server, samples, tmp_path, hold):
    context, page = opened(browser, server, viewport={"width": 640, "height": 640})
    page.add_style_tag(content="html { font-size: 200% }")
    for step in walk(page, samples, tmp_path, hold):
        assert page.evaluate(WIDER_THAN_THE_SCREEN) == [], step
        expect(page.locator("#leave")).to_be_in_viewport(ratio=1)
    context.close()


UNMARKED = """
(() => {
  const unmarked = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const text = node.data.trim();
    if (!text || !node.parentElement.checkVisibility()) continue;
    if (text.startsWith("⟦") && text.endsWith("⟧")) continue;
    if (node.parentElement.closest("[translate=no], script, [data-number]")) continue;
    let whole = "";
    for (let each = node.parentElement; each && !whole.includes("⟦"); each = each.parentElement) {
      if (each.matches("main, body")) break;
      whole = each.textContent.trim();
    }
    if (!whole.startsWith("⟦") || !/⟧[.]?$/u.test(whole)) unmarked.push(text);
  }
  return unmarked;
})()
"""


def test_from_right_to_left(browser, serve, samples, tmp_path, hold):
    """The test language: every text is from the catalogue, and the layout is mirrored."""
    server = serve("--language", PSEUDO)
    context, page = opened(browser, server, viewport={"width": 1280, "height": 800})
    assert page.locator("html").get_attribute("dir") == "rtl"
    for step in walk(page, samples, tmp_path, hold):
        assert page.evaluate(UNMARKED) == [], step
        heading = page.locator("section[data-step]:visible h1")
        assert heading.evaluate("(each) => getComputedStyle(each).textAlign") in ("start", "right")
        assert heading.evaluate("(each) => getComputedStyle(each).direction") == "rtl"
        if step == "welcome":
            indent = page.locator("#welcome ul").first.evaluate(
                "(each) => [getComputedStyle(each).paddingRight, "
                "getComputedStyle(each).paddingLeft]"
            )
            assert indent[0] != "0px"
            assert indent[1] == "0px"
    context.close()


def test_dark_mode_is_dark(browser, serve):
    shades = {}
    for colours in ("light", "dark"):
        context, page = opened(browser, serve(), color_scheme=colours)
        shade = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        shades[colours] = sum(map(int, shade[4:-1].split(",")))
        context.close()
    assert shades["dark"] < 150
    assert shades["light"] > 600


MOVES = """
[...document.querySelectorAll("*")].filter((each) => {
  const style = getComputedStyle(each);
  const long = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
  return long(style.animationDuration) && style.animationName !== "none"
    || long(style.transitionDuration) || style.scrollBehavior === "smooth";
}).map((each) => each.outerHTML.slice(0, 80))
"""


def test_nothing_moves_for_those_who_do_not_want_that(browser, server):
    context, page = opened(browser, server, reduced_motion="reduce")
    assert page.evaluate(MOVES) == []
    context.close()


def test_what_is_printed(browser, server, samples, tmp_path, hold):
    """Guidance only: no files, buttons or quick exit."""
    context, page = opened(browser, server)
    for step in walk(page, samples, tmp_path, hold):
        if step not in ("guidance", "result"):
            continue
        page.emulate_media(media="print")
        expect(page.locator("#leave")).to_be_hidden()
        for hidden in ("#files", "button", "header"):
            assert page.locator(hidden).and_(page.locator(":visible")).count() == 0, hidden
        assert "Take It Down" in page.locator("body").inner_text()
        assert "scene-1" not in page.locator("body").inner_text()
        page.emulate_media(media="screen")
    context.close()


def test_what_is_heard(browser, server, samples, tmp_path, hold):
    """Every field, button and bar has a name; changes are announced politely."""
    context, page = opened(browser, server)
    for step in walk(page, samples, tmp_path, hold):
        if step == "questions":
            expect(page.get_by_role("group").first).to_have_accessible_name("How old are you?")
            field = page.get_by_role("combobox")
            expect(field).to_have_accessible_name("Which country are you in?")
            expect(field).to_have_accessible_description("Choose a country.")
        if step == "working":
            bar = page.locator('#files > li[data-state="working"]').get_by_role("progressbar")
            expect(bar).to_have_accessible_name(f"{'long' * 40}.mp4")
            button = page.locator('#files > li[data-state="working"] [data-do=cancel]')
            expect(button).to_have_accessible_name(f"Cancel {'long' * 40}.mp4")
    assert page.locator("#announcements").get_attribute("role") == "status"
    context.close()

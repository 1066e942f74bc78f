"""Other pages in the same browser get nothing from the local page."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Error, expect

pytestmark = pytest.mark.test_all


@pytest.fixture
def elsewhere():
    """Another server on this machine with hostile pages."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>Theirs</title><body></body>")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def theirs(window, page, elsewhere):
    """A hostile page in the same browser."""
    hostile = window.new_page()
    hostile.goto(elsewhere)
    return hostile


ATTEMPTS = {
    "reads the page": "async (at) => (await fetch(at, {credentials: 'include'})).text()",
    "reads what was made": (
        "async (at) => (await fetch(at + 'submission?page=PAGE', {credentials: 'include'})).text()"
    ),
    "ends it": "async (at) => { const a = await fetch(at + 'leave?page=PAGE', {method: 'POST', "
    "credentials: 'include', mode: 'no-cors'}); if (a.ok) return 'worked'; throw a.type; }",
    "ends it with a beacon": (
        "(at) => { navigator.sendBeacon(at + 'leave?page=PAGE'); throw 'unseen'; }"
    ),
    "shows it in a frame": """(at) => new Promise((done, failed) => {
        const frame = document.createElement('iframe');
        frame.src = at;
        frame.onload = () => { try { done(frame.contentDocument.body.innerHTML || '') }
            catch (error) { failed(error) } };
        frame.onerror = failed;
        document.body.append(frame);
        setTimeout(() => failed('nothing came'), 3000); })""",
    "loads its scripts": """(at) => new Promise((done, failed) => {
        const script = document.createElement('script');
        script.src = at + 'static/page.js';
        script.onload = () => done('worked');
        script.onerror = failed;
        document.body.append(script); })""",
    "loads its picture": """(at) => new Promise((done, failed) => {
        const picture = document.createElement('img');
        picture.src = at + 'static/icon.svg';
        picture.onload = () => done('worked');
        picture.onerror = failed;
        document.body.append(picture); })""",
    "sends a form": """(at) => new Promise((done, failed) => {
        const frame = document.createElement('iframe');
        frame.name = 'into';
        document.body.append(frame);
        const form = document.createElement('form');
        form.method = 'POST'; form.action = at + 'leave?page=PAGE'; form.target = 'into';
        document.body.append(form);
        form.submit();
        setTimeout(() => failed('unseen'), 1000); })""",
}


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_page_from_elsewhere_gets_nothing(name, theirs, page, server):
    number = page.locator("body").get_attribute("data-page")
    with pytest.raises(Error):
        theirs.evaluate(ATTEMPTS[name].replace("PAGE", number), server.home)
    assert_untouched(page, server)


def test_a_window_that_they_open_is_out_of_their_reach(theirs, page, server):
    """Links from elsewhere lead to the error page, since they come from another page."""
    with theirs.expect_popup() as popup:
        theirs.evaluate("(at) => { window.other = open(at); }", server.home)
    expect(popup.value.locator("h1")).to_be_visible()
    assert popup.value.locator("#welcome").count() == 0
    assert theirs.evaluate("window.other.closed") is True  # cut off by the opener policy
    assert_untouched(page, server)


def test_a_name_that_leads_here_is_refused(window, page, server):
    """DNS rebinding: the browser takes the port for another host's."""
    other = window.new_page()
    answered = other.goto(f"http://rebound.test:{server.port}{server.folder}")
    assert answered.status == 403
    assert other.locator("#welcome").count() == 0
    answered = other.goto(f"http://rebound.test:{server.port}{server.start}")
    assert answered.status == 403
    assert_untouched(page, server)


def assert_untouched(page, server):
    assert server.process.poll() is None
    page.locator("#begin").click()
    expect(page.locator("#questions h1")).to_be_visible()

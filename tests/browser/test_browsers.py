"""The browsers of the tests: values arrive whole, failures are raised, nothing is left running."""

from __future__ import annotations

import os
import signal
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from browsers import Browser, BrowserDied, JavaScriptError, missing

pytestmark = pytest.mark.test_all


@pytest.mark.parametrize("where", ["page", "worker"])
def test_values_travel_both_ways(each_browser, where, tmp_path):
    path = tmp_path / "a file.bin"
    path.write_bytes(bytes(range(256)))
    given = [1, "two", None, True, {"deep": [b"\x00\xff", np.array([1.5], "f4")]}, path]
    body = """
        const [one, two, none, yes, { deep }, file] = given;
        report(file.name);
        const bytes = new Uint8Array(await file.arrayBuffer());
        return { one, two, none, yes, deep, bytes, kinds: deep.map((each) => each.constructor.name),
          lost: undefined, large: 2n ** 64n, odd: [NaN, -Infinity, new Uint16Array([7, 65535])] };
    """
    reports = []
    found = each_browser.run(body, given, where, on_report=reports.append)
    assert reports == ["a file.bin"]
    assert (found["one"], found["two"], found["none"], found["yes"]) == (1, "two", None, True)
    assert found["kinds"] == ["Uint8Array", "Float32Array"]
    assert found["deep"][0].tobytes() == b"\x00\xff"
    assert found["deep"][1].tolist() == [1.5]
    assert found["bytes"].tobytes() == bytes(range(256))
    assert found["lost"] is None
    assert found["large"] == str(2**64)
    assert np.isnan(found["odd"][0])
    assert found["odd"][1] == -np.inf
    assert found["odd"][2].tolist() == [7, 65535]


@pytest.mark.parametrize("where", ["page", "worker"])
def test_what_is_thrown_is_raised(each_browser, where):
    body = "throw Object.assign(new RangeError('too far'), { code: 'far' })"
    with pytest.raises(JavaScriptError, match="too far") as caught:
        each_browser.run(body, where=where)
    assert caught.value.name == "RangeError"
    assert caught.value.fields == {"code": "far"}
    with pytest.raises(JavaScriptError):
        each_browser.call("no_such_module.js", "anything")


def test_the_page_is_secure(each_browser):
    assert each_browser.run("return isSecureContext")


def is_gone(group):
    """Whether no process of a group is left; those that nobody has waited for do not count."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if not any(its == group and state != "Z" for its, state in processes()):
            return True
        time.sleep(0.05)
    return False


def processes():
    """The group and the state of every process."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group = path.read_text("utf-8").rpartition(")")[2].split()[:3]
        except OSError:
            continue  # it has just ended
        yield int(group), state


@pytest.mark.parametrize("name", ["chromium", "firefox", "webkit"])
def test_a_browser_that_hangs_is_ended_and_started_anew(name):
    if missing(name) is not None:
        pytest.skip(f"needs {missing(name)}")
    with Browser(name) as browser:
        browser.run("return 1")
        first = browser.process
        with pytest.raises(BrowserDied, match="did not answer for 1 seconds"):
            browser.run("for (;;);", seconds=1)
        assert is_gone(first)
        assert browser.run("return 2") == 2
        os.kill(browser.process, signal.SIGKILL)
        with pytest.raises(BrowserDied, match="ended with -9"):
            browser.run("for (;;);")
        assert browser.run("return 3") == 3
        last = browser.process
    assert is_gone(last)


def test_nothing_else_is_served(chromium, tmp_path):
    secret = tmp_path / "secret.js"
    secret.write_text("//", "utf-8")
    root = chromium.run("return location.href")
    for place in (
        "../conftest.py",
        "hashkit/../../../pyproject.toml",
        f"hashkit/{secret}",
        "browsers.py",
        "files/0",
        "unit/",
    ):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{root}{place}", timeout=10)


def test_a_file_is_gone_after_its_job(chromium):
    chromium.run("", [Path(__file__)])
    with pytest.raises(JavaScriptError):
        chromium.run("const { ok } = await fetch('/files/0'); if (!ok) throw new Error('gone')")

"""Workers take turns; if one is lost, the file still has an outcome."""

from __future__ import annotations

import hashlib

import pytest
from browsers import JavaScriptError

pytestmark = pytest.mark.test_all

POOL = """
    const { WorkerPool } = await load("pool.js");
    const { checkedOptions } = await load("options.js");
    const { started, ended } = { started: [], ended: [] };
    const poolOf = (address, most = 2, silence = 60_000) => new WorkerPool(() => {
      const worker = new Worker(address, { type: "module" });
      const { terminate } = worker;
      worker.terminate = () => { ended.push(worker); terminate.call(worker); };
      started.push(worker);
      return worker;
    }, most, silence);
    const options = checkedOptions({ algorithms: "md5,pdq" });
"""
REAL, FAULTY = "/hashkit/worker.js", "/faulty_worker.js"


@pytest.fixture(scope="module")
def picture(samples):
    return samples / "scene-1-resized.jpg"


def md5_of(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def test_workers_are_reused_and_no_more_than_allowed(each_browser, picture):
    body = """
        const pool = poolOf(given.address);
        const hash = () => pool.hash(given.file, options, {});
        const outcomes = await Promise.all([...Array(7)].map(hash));
        outcomes.push(await hash());
        return { outcomes, started: started.length, ended: ended.length, free: pool.free };
    """
    found = each_browser.run(POOL + body, {"address": REAL, "file": picture})
    assert (found["started"], found["ended"], found["free"]) == (2, 0, 2)
    assert len(found["outcomes"]) == 8
    for each in found["outcomes"]:
        assert each["hashes"]["md5"] == md5_of(picture)
        assert each == found["outcomes"][0]


@pytest.mark.parametrize(
    ("way", "code"), [("crash", "too_much_memory"), ("silent", "took_too_long")]
)
def test_a_lost_worker_is_replaced_and_the_digests_are_made(each_browser, picture, way, code):
    body = """
        const pool = poolOf(given.address, 1, 500);
        const parts = [];
        const onProgress = (part) => parts.push(part);
        const first = await pool.hash(given.file, options, { onProgress });
        const second = await pool.hash(given.file, options, {});
        return { first, second, parts, started: started.length, ended: ended.length };
    """
    found = each_browser.run(POOL + body, {"address": f"{FAULTY}?{way}", "file": picture})
    assert found["first"]["error"]["code"] == code
    assert found["first"]["kind"] == "image"
    assert found["first"]["hashes"] == {"md5": md5_of(picture)}
    assert [each["code"] for each in found["first"]["notices"]] == ["exact_only"]
    assert found["second"] == found["first"]
    # The one that made the digests of the first began with the second, and was lost in turn.
    assert (found["started"], found["ended"]) == (3, 2)
    assert found["parts"] == ([0.5] if way == "silent" else [])


def test_a_slow_worker_is_waited_for(chromium, picture):
    """It takes longer than the silence that is borne, and is never silent for as long."""
    body = "return poolOf(given.address, 1, 3000).hash(given.file, options, {});"
    found = chromium.run(POOL + body, {"address": f"{FAULTY}?slow", "file": picture})
    assert found == {"slow": True}


def test_a_worker_that_fails_at_the_digests_too_leaves_an_error(each_browser, picture):
    body = "return poolOf(given.address).hash(given.file, options, {});"
    found = each_browser.run(POOL + body, {"address": f"{FAULTY}?always", "file": picture})
    assert [*found] == ["error"]
    assert found["error"]["code"] == "too_much_memory"


@pytest.mark.parametrize("address", [f"{FAULTY}?start", "/no_such_worker.js"])
def test_the_page_works_where_no_worker_starts(each_browser, picture, address):
    body = """
        const pool = poolOf(given.address, 1);
        const outcomes = [await pool.hash(given.file, options, {})];
        outcomes.push(await pool.hash(given.file, options, {}));
        const refuse = () => { throw new DOMException("No.", "SecurityError"); };
        const refused = new WorkerPool(refuse, 1, 60_000);
        outcomes.push(await refused.hash(given.file, options, {}));
        return { outcomes, started: started.length };
    """
    found = each_browser.run(POOL + body, {"address": address, "file": picture})
    assert found["started"] == 1  # it is not tried again
    for each in found["outcomes"]:
        assert each["hashes"]["md5"] == md5_of(picture)
        assert len(each["hashes"]["pdq"]["value"]) == 64


def test_cancelling_ends_the_work_and_lets_the_next_in(each_browser, picture):
    body = """
        const pool = poolOf(given.silent, 1);
        const [now, waiting] = [new AbortController(), new AbortController()];
        const watch = { signal: now.signal, onProgress: () => now.abort("enough") };
        const outcomes = [pool.hash(given.file, options, watch)];
        outcomes.push(pool.hash(given.file, options, { signal: waiting.signal }));
        outcomes.push(pool.hash(given.file, options, { signal: AbortSignal.abort("before") }));
        waiting.abort("waiting");
        const reasons = (await Promise.allSettled(outcomes)).map((each) => each.reason);
        const left = { free: pool.free, waiting: pool.waiting.length, ended: ended.length };
        pool.start = () => new Worker(given.real, { type: "module" });
        return { reasons, left, next: await pool.hash(given.file, options, {}) };
    """
    given = {"silent": f"{FAULTY}?silent", "real": REAL, "file": picture}
    found = each_browser.run(POOL + body, given)
    assert found["reasons"] == ["enough", "waiting", "before"]
    assert found["left"]["free"] == 1
    assert found["left"]["waiting"] == 0
    assert found["left"]["ended"] == 1
    assert found["next"]["hashes"]["md5"] == md5_of(picture)


def test_cancelling_on_the_page_ends_the_work_too(each_browser, picture):
    body = """
        const pool = new WorkerPool(() => { throw new Error("no Workers"); }, 1, 9e4);
        const cancel = new AbortController();
        const watch = { signal: cancel.signal, onProgress: () => cancel.abort("enough") };
        await pool.hash(given.file, options, watch);
    """
    with pytest.raises(JavaScriptError, match="enough"):
        each_browser.run(POOL + body, {"file": picture})

"""The requests of the page, made as the page makes them."""

from __future__ import annotations

import http.client
import json
import os
import random
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from hashkit import Submission, hash_file
from hashkit.sandbox.remote_file import MAX_RANGE
from hashkit.submission.document import read_submission

ANSWERS = {
    "age": "adult",
    "age_in_picture": "adult",
    "country": "GB",
    "threatened": True,
}


def submission_of(visitor):
    status, headers, body = visitor.ask("GET", f"/submission?page={visitor.page}")
    return status, headers, body


def test_pictures_and_videos_become_a_submission(visitor, samples, tmp_path):
    names = ["scene-1.jpg", "heic.heic", "film-h264.mp4", "film-mpeg4.avi"]
    for name in names:
        done = visitor.hash((samples / name).read_bytes())
        assert done["verdict"] == "good", (name, done)
        assert done["kind"] == ("video" if name.startswith("film") else "image")
    status, headers, body = submission_of(visitor)
    assert status == 200
    assert headers["Content-Disposition"] == 'attachment; filename="submission.json"'
    assert Submission.from_json(body) == Submission.of(hash_file(samples / name) for name in names)
    (tmp_path / "s.json").write_bytes(body)
    assert len(read_submission(tmp_path / "s.json").items) == 4


def test_variants_are_those_of_the_widest_level(visitor, samples):
    visitor.hash((samples / "scene-1.jpg").read_bytes(), variants=True)
    expected = Submission.of([hash_file(samples / "scene-1.jpg", variants="wide")])
    assert Submission.from_json(submission_of(visitor)[2]) == expected


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("png-flat.png", "plain"),
        ("generate.py", "unreadable"),
        ("jpeg-truncated.jpg", "good"),
    ],
)
def test_the_result_of_a_file_has_words(visitor, samples, name, verdict):
    done = visitor.hash((samples / name).read_bytes())
    assert done["verdict"] == verdict
    assert done["title"]
    if verdict != "good":
        assert done["points"]


def test_nothing_good_gives_no_submission(visitor, samples):
    assert visitor.hash(b"")["verdict"] == "unreadable"
    assert visitor.hash(b"just text")["verdict"] == "unreadable"
    assert submission_of(visitor)[0] == 404


def test_a_file_can_be_cancelled_and_forgotten(visitor, samples):
    number, _ = visitor.begin(len((samples / "film-h264.mp4").read_bytes()) + (8 << 20))
    assert visitor.ask("DELETE", f"/files/{number}")[0] == 204
    assert visitor.ask("POST", f"/files/{number}", b"")[0] == 404
    visitor.hash((samples / "scene-1.jpg").read_bytes())
    visitor.hash((samples / "scene-2.jpg").read_bytes())
    assert visitor.ask("DELETE", "/files/2")[0] == 204
    assert len(Submission.from_json(submission_of(visitor)[2]).items) == 1


def test_a_file_that_the_page_cannot_read_any_more(visitor, samples):
    number, state = visitor.begin(10**9)
    assert visitor.ask("POST", f"/files/{number}/unreadable", b"")[0] == 200
    while "done" not in state:
        state = json.loads(visitor.ask("POST", f"/files/{number}", b"")[2])
    assert state["done"]["verdict"] == "unreadable"


INVALID = [
    ("PUT", "/files/1", b"", 400),
    ("PUT", "/files/1", b"[]", 400),
    ("PUT", "/files/1", b"[" * 9_000, 400),
    ("PUT", "/files/1", b" " * 20_000, 413),
    ("PUT", "/files/1", {"size": -1, "variants": False}, 400),
    ("PUT", "/files/1", {"size": 1 << 60, "variants": False}, 400),
    ("PUT", "/files/1", {"size": "1", "variants": False}, 400),
    ("PUT", "/files/1", {"size": 1}, 400),
    ("PUT", "/files/-1", {"size": 1, "variants": False}, 404),
    ("PUT", "/files/" + "9" * 5_000, {"size": 1, "variants": False}, 404),
    ("POST", "/files/99/ranges/1", b"x", 404),
    ("POST", "/files/99", b"", 404),
    ("POST", "/files/99/ranges/1", bytes(MAX_RANGE + 1), 413),
    ("POST", "/files/99/unreadable", b"", 404),
    ("DELETE", "/files/99", None, 204),
    ("POST", "/guide", {**ANSWERS, "age": "old"}, 400),
    ("POST", "/guide", {**ANSWERS, "country": "nowhere"}, 400),
    ("POST", "/guide", {**ANSWERS, "country": None}, 400),
    ("POST", "/guide", {**ANSWERS, "country": []}, 400),
    ("POST", "/guide", {}, 400),
    ("GET", "/submission?page=", None, 404),
    ("GET", "/submission", None, 404),
    ("GET", "/here?page=none", None, 404),
    ("POST", "/leave", b"", 404),
    ("POST", "/leave?page=none", b"", 404),
    ("POST", "/active", b"", 204),
    ("GET", "/files/1", None, 405),
    ("GET", "/leave", None, 405),
    ("POST", "/nowhere", b"", 404),
]


def test_invalid_requests_are_refused(visitor):
    for method, path, body, expected in INVALID:
        assert visitor.ask(method, path, body)[0] == expected, (method, path[:50])
    assert visitor.ask("GET", "/")[0] == 200


def test_a_range_that_was_not_requested_is_refused(visitor, samples):
    data = (samples / "scene-1.jpg").read_bytes()
    number, state = visitor.begin(len(data))
    while not state["read"]:
        state = json.loads(visitor.ask("POST", f"/files/{number}", b"")[2])
    serial, _, length = state["read"]
    path = f"/files/{number}/ranges"
    assert visitor.ask("POST", f"{path}/{serial}", data[: length - 1])[0] == 409
    assert visitor.ask("POST", f"{path}/{serial}", data + b"x")[0] == 409
    assert visitor.ask("POST", f"{path}/{serial + 1}", data[:length])[0] == 409
    assert visitor.ask("POST", f"{path}/0", data[:length])[0] == 409


def test_what_is_sent_twice_is_taken_once(visitor, tmp_path):
    """A page that got no response repeats its request: the hashes are still right."""
    Image.frombytes("RGB", (3000, 3000), random.Random(1).randbytes(3000 * 3000 * 3)).save(
        tmp_path / "large.bmp"
    )
    data = (tmp_path / "large.bmp").read_bytes()
    number, state = visitor.begin(len(data))
    while "done" not in state:
        if state["read"]:
            serial, start, length = state["read"]
            path = f"/files/{number}/ranges/{serial}"
            assert visitor.ask("POST", path, data[start : start + length])[0] == 200
        state = visitor.go_on(number, state, lambda start, length: data[start : start + length])
    found = Submission.from_json(submission_of(visitor)[2])
    assert found == Submission.of([hash_file(tmp_path / "large.bmp")])


def test_a_page_knows_nothing_of_another(visitor, samples, server):
    visitor.hash((samples / "scene-1.jpg").read_bytes())
    mine = visitor.page
    html = visitor.ask("GET", "/")[2].decode()
    other = html.split('data-page="')[1].split('"')[0]
    assert other != mine
    assert visitor.ask("GET", f"/submission?page={other}")[0] == 404
    assert visitor.ask("GET", f"/submission?page={mine}")[0] == 200
    assert visitor.ask("POST", "/files/1", b"", X_Page=other)[0] == 404
    assert visitor.ask("PUT", "/files/1", {"size": 1, "variants": False}, X_Page="x")[0] == 404
    assert visitor.ask("POST", "/files/1", b"", X_Page=None)[0] == 404


def test_the_guide_answers_in_the_language_of_the_page(visitor):
    status, headers, body = visitor.ask("POST", "/guide", ANSWERS)
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert "StopNCII" in body.decode()
    minor = {**ANSWERS, "age": "under-18", "age_in_picture": "under-18"}
    text = visitor.ask("POST", "/guide", minor)[2].decode()
    assert "Report Remove" in text
    assert "Take It Down" in text


def test_the_language_is_that_of_the_browser_or_the_one_asked_for(serve, visit):
    visitor = visit(serve())
    for accepted, expected in [
        ("es-MX,es;q=0.9", "es"),
        ("de", "en"),
        ("fr;q=1", "fr"),
        ("", "en"),
    ]:
        assert f'lang="{expected}"' in visitor.ask("GET", "/", Accept_Language=accepted)[2].decode()
    assert 'lang="fr"' in visitor.ask("GET", "/?language=fr", Accept_Language="es")[2].decode()
    assert 'lang="en"' in visitor.ask("GET", "/?language=<script>")[2].decode()
    fixed = visit(serve("--language", "es"))
    assert 'lang="es"' in fixed.ask("GET", "/", Accept_Language="fr")[2].decode()


def test_scripts_and_styles_are_named_as_such(visitor):
    for name, kind in [
        ("page.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ]:
        assert visitor.ask("GET", f"/static/{name}")[1]["Content-Type"] == kind


def test_leaving_ends_it_at_once(visitor, samples):
    visitor.hash((samples / "scene-1.jpg").read_bytes())
    visitor.begin(1 << 30)
    workers = visitor.server.workers
    assert workers or sys.platform != "linux"
    assert visitor.ask("POST", f"/leave?page={visitor.page}", b"")[0] == 204
    assert visitor.server.process.wait(30) == 0
    assert not [each for each in workers if Path(f"/proc/{each}").exists()]


@pytest.mark.test_all
def test_closing_the_last_page_ends_it(visitor):
    connection = open_here(visitor)
    connection.close()
    assert visitor.server.process.wait(60) == 0


@pytest.mark.test_all
def test_a_page_that_was_closed_is_forgotten_and_others_stay(visitor, samples):
    first, second = open_here(visitor), None
    visitor.hash((samples / "scene-1.jpg").read_bytes())
    mine = visitor.page
    visitor.page = visitor.ask("GET", "/")[2].decode().split('data-page="')[1].split('"')[0]
    second = open_here(visitor)
    first.close()
    deadline = time.monotonic() + 30
    while visitor.ask("GET", f"/submission?page={mine}")[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert visitor.ask("POST", "/active", b"")[0] == 204
    second.close()


def test_the_number_of_pages_is_limited(visitor):
    """Each holds a connection, and a browser opens six."""
    open_pages = [open_here(visitor)]
    for _ in range(3):
        html = visitor.ask("GET", "/")[2].decode()
        visitor.page = html.split('data-page="')[1].split('"')[0]
        open_pages.append(open_here(visitor))
    status, _, body = visitor.ask("GET", "/")
    assert status == 409
    assert b"data-page" not in body
    assert visitor.ask("POST", f"/closed?page={visitor.page}", b"")[0] == 204
    assert visitor.ask("GET", "/")[0] == 200
    for each in open_pages:
        each.close()


def test_a_page_that_was_closed_is_forgotten_at_once(visitor, samples):
    visitor.hash((samples / "scene-1.jpg").read_bytes())
    assert visitor.ask("POST", f"/closed?page={visitor.page}", b"")[0] == 204
    assert submission_of(visitor)[0] == 404


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_interrupting_it_ends_the_pages_connection(visitor):
    connection = open_here(visitor)
    code, text = visitor.server.end()
    assert code == 130
    assert "Nothing was kept" in text
    assert "Traceback" not in text
    connection.close()


def test_many_files_at_once(visitor, samples):
    names = ["scene-1.jpg", "scene-2.jpg", "scene-3.png", "webp.webp", "heic.heic", "film-h264.mp4"]
    found = {}

    def work(name):
        found[name] = visitor.hash((samples / name).read_bytes())

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {each["verdict"] for each in found.values()} == {"good"}
    assert len(Submission.from_json(submission_of(visitor)[2]).items) == len(names)


def open_here(visitor):
    """Connect as an open page does."""
    connection = http.client.HTTPConnection("127.0.0.1", visitor.server.port, timeout=60)
    path = f"{visitor.server.folder}here?page={visitor.page}"
    connection.request("GET", path, headers={"Cookie": visitor.cookie})
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.read(1) == b"."
    answer_close = answer.close

    class Here:
        def close(self):
            answer_close()
            connection.close()

    return Here()

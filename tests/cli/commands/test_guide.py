"""``hashkit guide`` as a person runs it, and as a program does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import fields

import pytest

from hashkit.guide.directory import SHARED_LIMITS, Age, Service
from hashkit.guide.guidance import COUNTRIES, DANGER, NOT_YOUR_FAULT, Answers, guidance
from hashkit.locale.language import PSEUDO, texts_in

CHILD = ("--age", "under-18", "--country", "GB", "--threatened")
ADULT = ("--age", "adult", "--age-in-picture", "adult", "--country", "US", "--not-threatened")
PROMPT = "Type a number and press Enter:"


def unwrapped(text):
    return " ".join(text.split())


class TestWithArguments:
    def test_all_of_it(self, run):
        done = run("guide", *CHILD)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert lines[:2] == [DANGER, NOT_YOUR_FAULT]
        found = guidance(Answers(Age.UNDER_18, Age.UNDER_18, "GB", True))
        shown = unwrapped(done.stdout)
        for number, step in enumerate(found.steps, 1):
            assert f"{number}. {step.title}" in lines
            for point in step.points:
                assert shown.count(point) == 1, point
            for service in step.services:
                assert f"  {service.name}" in lines
                assert f"Page: {service.page}" in shown
                for text in (service.what_it_does, *service.needs, *service.limits):
                    assert text in shown
        assert "Phone: 1-800-843-5678" in shown
        assert "Checked: 2026-11" in shown
        assert "StopNCII" not in shown

    def test_limits_come_after_the_services(self, run):
        shown = unwrapped(run("guide", *ADULT).stdout)
        places = [shown.index(each) for each in ("StopNCII", "same for all", *SHARED_LIMITS)]
        assert places == sorted(places)

    def test_whoever_is_under_18_was_so_in_the_picture(self, run):
        found = json.loads(run("guide", *CHILD, "--age-in-picture", "adult", "--json").stdout)
        assert found["minor"]
        assert found["answers"]["age_in_picture"] == "under-18"

    def test_a_service_without_an_address(self, run):
        done = run("guide", *ADULT, "--country", "india")
        assert "Meri Trustline" in done.stdout
        assert "hashkit knows no address for it." in done.stdout

    @pytest.mark.parametrize("columns", ["20", "50", "200"])
    def test_lines_are_as_wide_as_the_terminal_and_at_most_80(self, run, columns):
        done = run("guide", *CHILD, env={**os.environ, "COLUMNS": columns})
        longest = max(done.stdout.splitlines(), key=lambda line: 0 if "://" in line else len(line))
        assert len(longest) <= min(80, int(columns))
        assert len(longest) > min(80, int(columns)) - 15
        for word in ("https://report.cybertip.org", "1-800-843-5678"):
            assert word in done.stdout

    def test_nothing_but_text(self, run):
        assert re.fullmatch(r"[\w\s.,:;()'/-]+", run("guide", *CHILD).stdout)


class TestWrongUse:
    @pytest.mark.parametrize(
        ("arguments", "missing"),
        [
            ([], "--age, --age-in-picture, --country, --threatened / --not-threatened"),
            (["--age", "adult"], "--age-in-picture, --country, --threatened / --not-threatened"),
            (["--age", "under-18"], "--country, --threatened / --not-threatened"),
            (["--age", "under-18", "--threatened"], "--country"),
            (ADULT[2:], "--age"),
        ],
    )
    @pytest.mark.parametrize("as_json", [[], ["--json"]])
    def test_answers_that_are_missing_and_cannot_be_asked_for(
        self, run, arguments, missing, as_json
    ):
        done = run("guide", *arguments, *as_json)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith(f"Some answers are missing: {missing}. ")

    @pytest.mark.parametrize(
        ("option", "wrong", "printed"),
        [
            ("--age", "17", "give one of adult, under-18"),
            ("--age-in-picture", "child", "give one of adult, under-18"),
            ("--country", "Narnia", "a code of two letters"),
            ("--language", "de", "give one of en, es, fr"),
            ("--threatened", "yes", "yes"),  # which takes no value: in Typer's words
        ],
    )
    def test_answers_that_are_none(self, run, option, wrong, printed):
        done = run("guide", *ADULT, option, wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert printed in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.skipif(os.name != "posix", reason="needs descriptors to close")
    def test_no_standard_input_at_all(self, run):
        command = f"{sys.executable} -m hashkit guide <&-"
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.startswith("Some answers are missing")


class TestJson:
    def test_keys(self, run):
        done = run("guide", *CHILD, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        found = json.loads(done.stdout)
        assert list(found) == ["language", "unreviewed", "answers", "minor", "steps"]
        assert (found["language"], found["unreviewed"], found["minor"]) == ("en", False, True)
        assert found["answers"] == {
            "age": "under-18",
            "age_in_picture": "under-18",
            "country": "GB",
            "threatened": True,
        }
        expected = guidance(Answers(Age.UNDER_18, Age.UNDER_18, "GB", True))
        assert [each["id"] for each in found["steps"]] == [each.id for each in expected.steps]
        for step, given in zip(expected.steps, found["steps"], strict=True):
            assert list(given) == ["id", "title", "points", "services"]
            assert (given["title"], given["points"]) == (step.title, list(step.points))
            assert [each["id"] for each in given["services"]] == [each.id for each in step.services]
            for service in given["services"]:
                assert set(service) == {field.name for field in fields(Service)}

    def test_a_service(self, run):
        (step,) = [
            each
            for each in json.loads(run("guide", *ADULT, "--json").stdout)["steps"]
            if each["id"] == "services"
        ]
        (service,) = step["services"]
        assert service | {"audience": "", "what_it_does": "", "needs": [], "limits": []} == {
            "id": "stopncii",
            "name": "StopNCII",
            "purpose": "takedown",
            "audience": "",
            "ages": ["adult"],
            "ages_now": ["adult", "under-18"],
            "for_threats": False,
            "countries": [],
            "handling": "in_browser",
            "what_it_does": "",
            "image_hashes": ["pdq"],
            "video_hashes": ["md5"],
            "page": "https://stopncii.org",
            "phone": None,
            "needs": [],
            "limits": [],
            "source": "https://stopncii.org",
            "checked": "2026-11",
        }


class TestLanguages:
    @pytest.mark.parametrize("language", ["es", "fr"])
    def test_unreviewed(self, run, language):
        texts = texts_in(language)
        done = run("guide", *ADULT, "--language", language)
        assert done.returncode == 0
        note = (
            "No native speaker has checked this translation yet. In English: hashkit guide "
            "--language en"
        )
        opening = " ".join(texts.gettext(each) for each in (DANGER, NOT_YOUR_FAULT, note))
        assert unwrapped(done.stdout).startswith(unwrapped(opening))
        found = json.loads(run("guide", *ADULT, "--language", language, "--json").stdout)
        assert (found["language"], found["unreviewed"]) == (language, True)
        assert texts.gettext(DANGER) in found["steps"][0]["points"]

    def test_english_needs_no_such_line(self, run):
        assert "native speaker" not in run("guide", *ADULT).stdout

    def test_everything_is_in_the_catalogue(self, run):
        """In the language for tests, what was not marked has no brackets round it."""
        done = run("guide", *CHILD, "--language", PSEUDO)
        bare = re.sub(r"⟦[^⟧]*⟧", "", done.stdout)
        names = ("Take It Down", "Report Remove", "Project Arachnid", "CyberTipline")
        for name in (*names, "Internet Watch Foundation"):
            bare = bare.replace(name, "")
        assert re.fullmatch(r"[\s\d.-]*", bare), bare
        found = json.loads(run("guide", *CHILD, "--language", PSEUDO, "--json").stdout)
        for step in found["steps"]:
            assert all(each.startswith("⟦") for each in (step["title"], *step["points"]))
            for service in step["services"]:
                said = (service["audience"], service["what_it_does"])
                assert all(
                    each.startswith("⟦") for each in (*said, *service["needs"], *service["limits"])
                )
        missing = run("guide", "--language", PSEUDO)
        assert missing.stderr.startswith("⟦")


@pytest.fixture
def asked(tmp_path):
    """Run ``hashkit guide`` in a terminal and type; what it printed on each stream."""
    pty = pytest.importorskip("pty", reason="needs terminals of POSIX")

    def hashkit(*arguments, typed=b"", stop=None):
        parent, child = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "hashkit", "guide", *arguments],
            stdin=child,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
        )
        os.close(child)
        os.write(parent, typed)
        seen = b""
        if stop is not None:
            while not seen.endswith(f"{PROMPT} ".encode()):
                seen += process.stderr.read(1)
            process.send_signal(stop)
        out, err = process.communicate(timeout=60)
        os.close(parent)
        return process.returncode, out.decode(), (seen + err).decode()

    return hashkit


def questions(err):
    return re.findall(r"^.*\?$", err, re.M)


class TestAsking:
    def test_an_adult_is_asked_four_questions(self, asked):
        code, out, err = asked(typed=b"1\n1\n1\n2\n")
        assert code == 0
        assert err.startswith(f"{DANGER}\n{NOT_YOUR_FAULT}\n")
        assert questions(err) == [
            "How old are you now?",
            "How old were you in the pictures and videos?",
            "Which country are you in?",
            "Is somebody threatening you?",
        ]
        for number, name in enumerate(COUNTRIES.values(), 1):
            assert f"  {number}. {name}\n" in err
        assert "Revenge Porn Helpline" in out
        assert "StopNCII" in out
        assert DANGER in unwrapped(out)  # also where the questions are not seen any more
        assert PROMPT not in out

    def test_whoever_is_under_18_is_not_asked_twice(self, asked):
        code, out, err = asked(typed=b"2\n1\n1\n")
        assert code == 0
        assert "How old were you" not in err
        assert len(questions(err)) == 3
        assert "Report Remove" in out
        assert "Do not pay." in out

    def test_an_adult_who_is_not_sure_is_sent_to_the_services_for_children(self, asked):
        _, out, _ = asked(typed=b"1\n2\n5\n2\n")
        assert "Take It Down" in out
        assert "StopNCII" not in out

    def test_only_what_is_missing_is_asked(self, asked):
        code, out, err = asked("--age", "adult", "--country", "US", typed=b"1\n2\n")
        assert code == 0
        assert questions(err) == [
            "How old were you in the pictures and videos?",
            "Is somebody threatening you?",
        ]
        assert "Cyber Civil Rights Initiative" in out

    def test_wrong_answers_are_asked_again(self, asked):
        long = 3000 if sys.platform == "linux" else 300  # elsewhere, a terminal holds 1024
        typed = b"x\n\n3\n0\n-1\n" + b"9" * long + b"\n\xff\xfe\n 2. \nINDIA\nno\n"
        code, out, err = asked(typed=typed)
        assert code == 0
        assert err.count("Please type a number from 1 to 2.") == 7
        assert err.count(PROMPT) == 10
        assert "Meri Trustline" in out
        assert "Traceback" not in err

    def test_words_are_answers_too(self, asked):
        code, out, _ = asked(typed=b"Adult\n18 or over in all of them\nau\nYes\n")
        assert code == 0
        assert "eSafety Commissioner" in out
        assert "Do not pay." in out

    def test_in_another_language(self, asked):
        texts = texts_in("fr")
        _, _, err = asked("--language", "fr", typed=b"2\n1\n1\n")
        assert texts.gettext("How old are you now?") in err

    @pytest.mark.parametrize("typed", [b"\x04", b"1\n\x04", b"1\n1\n1\n\x04"])
    def test_ends_quietly_at_the_end_of_input(self, asked, typed):
        code, out, err = asked(typed=typed)
        assert (code, out) == (130, "")
        assert err.endswith(f"{PROMPT} \n")

    def test_ends_quietly_when_interrupted(self, asked):
        code, out, err = asked(stop=signal.SIGINT)
        assert (code, out) == (130, "")
        assert err.endswith(f"{PROMPT} \n")

    def test_json_never_asks(self, asked):
        code, out, err = asked("--json", typed=b"1\n1\n1\n2\n")
        assert (code, out) == (2, "")
        assert err.startswith("Some answers are missing")


def test_nothing_is_sent_and_little_is_loaded():
    """No network module and no decoder is loaded. Those that Typer loads do not count, such as
    ``socket`` for addresses of e-mail; test_traces checks that none is opened."""
    code = """
import contextlib, io, sys
import typer
before = set(sys.modules)
from hashkit.cli import app
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    app(sys.argv[1:])
print(*set(sys.modules) - before)
"""
    network = {"ssl", "http.client", "urllib.request", "asyncio"}
    heavy = {"numpy", "PIL", "cv2", "av", "jinja2", "starlette"}
    for arguments in (["guide", "--help"], ["guide", *CHILD]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        loaded = set(done.stdout.split())
        assert "hashkit.cli.commands.guide" in loaded
        assert not loaded & (network | heavy)
        assert ("hashkit.guide.guidance" in loaded) == (arguments[-1] != "--help")

"""The conformance kit: hashkit passes it, it is complete, and it finds subtle mistakes."""

from __future__ import annotations

import base64
import copy
import json
import platform
import re
import subprocess
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

VECTORS = Path(__file__).parent / "vectors"
sys.path[:0] = [str(VECTORS), str(VECTORS.parent)]
# The kit is no package.
answer_hashkit, check, comparing, mutants = map(
    import_module, ("answer_hashkit", "check", "comparing", "conformance_mutants")
)
Pdq, Tmk = mutants.Pdq, mutants.Tmk

SLOW = ("vpdq_video", "tmk_video")
"""Run once, in the test that runs all cases."""


def run_check(*arguments):
    command = [sys.executable, str(VECTORS / "check.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=280, check=False)


def judge(do, answer_of, exact=False):
    """The outcomes of all cases, in this process: {name: (outcome, difference)}."""

    class Answering:
        def ask(self, request):
            return json.loads(json.dumps(answer_of(request)))

    found = check.check(Answering(), [do], exact)
    return {name: (outcome, what) for _, name, outcome, what in found}


def has_the_tools_of(do):
    """Whether the libraries that made the values of this kind are installed in the same
    versions."""
    return all(version(name) == made for name, made in check.load(do)["made_with"].items())


def steps_that_differ(outcomes):
    return {what.partition(":")[0] for outcome, what in outcomes.values() if outcome == "differs"}


class TestHashkit:
    def test_passes_everything_as_a_process(self):
        ours = [sys.executable, VECTORS / "answer_hashkit.py"]
        # Elsewhere rounding may decide ties otherwise (docs/decisions/0002-pdq-exact.md).
        exact = ["--exact"] if platform.machine() in ("x86_64", "AMD64") else []
        asked = [do for do in check.ORDER if do != "classic" or has_the_tools_of("classic")]
        found = run_check("--all", *exact, "--only", ",".join(asked), *ours)
        assert found.returncode == 0, found.stdout + found.stderr
        cases = sum(len(check.load(do)["cases"]) for do in asked)
        assert found.stdout.splitlines()[-1].split() == ["all", str(cases), "pass"]


class TestTheKitIsWhole:
    def test_every_file_belongs_to_a_case(self):
        used = {f"kit/{do}.json" for do in check.ORDER}
        for do in check.ORDER:
            for case in check.load(do)["cases"]:
                values = (*case["ask"].values(), *case["expect"].values())
                used |= {each for each in values if str(each).startswith(("kit/", "conformance/"))}
        there = {
            str(file.relative_to(VECTORS).as_posix())
            for folder in ("kit", "conformance")
            for file in (VECTORS / folder).rglob("*")
            if file.is_file()
        }
        not_asked = {
            "conformance/README.md",
            "kit/submission.schema.json",
            "conformance/tmk_pair_scores.csv",  # its rows are kit/tmk_score.json
            "conformance/vpdq/variable_frame_rate.mp4.per_second.csv",  # README.md says why
        }
        assert there - not_asked == used
        assert not_asked <= there
        readme = (VECTORS / "README.md").read_text("utf-8")
        assert all(Path(each).name in readme for each in not_asked - {"conformance/README.md"})

    def test_the_scores_are_those_of_the_table(self):
        rows = (VECTORS / "conformance" / "tmk_pair_scores.csv").read_text().splitlines()[1:]
        found = [
            f"{case['expect']['level1']:.6f},{case['expect']['level2']:.6f},"
            f"{Path(case['ask']['first']).name},{Path(case['ask']['second']).name}"
            for case in check.load("tmk_score")["cases"]
        ]
        assert found == rows

    def test_everything_is_described(self):
        readme = (VECTORS / "README.md").read_text("utf-8")
        assert re.findall(r"^### `(\w+)`$", readme, re.M) == list(check.ORDER)
        for do in check.ORDER:
            section = readme.partition(f"### `{do}`\n")[2].partition("\n### ")[0]
            kit = check.load(do)
            for case in kit["cases"]:
                # Maps of their own have other people's names in them.
                for name in {*case["ask"], *case["expect"], *case} - {"name", "ask", "expect"}:
                    assert f"`{name}`" in section, (do, name)
            for number in kit.get("tolerances", {}).values():
                assert re.search(rf"(?<![\d.]){re.escape(f'{number:g}')}(?![\d.]\d)", section), do
        for file in VECTORS.iterdir():
            assert f"`{file.name}" in readme or file.name in ("README.md", "__pycache__"), file

    def test_it_is_small(self):
        files = [file for file in (VECTORS / "kit").rglob("*") if file.is_file()]
        assert sum(file.stat().st_size for file in files) < 1_000_000

    @pytest.mark.test_all
    @pytest.mark.skipif(
        platform.machine() not in ("x86_64", "AMD64"), reason="the reference rounds otherwise"
    )
    def test_it_is_what_the_generator_makes(self, tmp_path):
        made = [sys.executable, str(VECTORS / "make_kit.py"), str(tmp_path)]
        subprocess.run(made, check=True, timeout=200)
        recorded, again = (
            {file.relative_to(root): file.read_bytes() for file in sorted(root.rglob("*.*"))}
            for root in (VECTORS / "kit", tmp_path / "kit")
        )
        clock = Path("tmk_clock.json")
        tools = [json.loads(each.get(clock, "{}")).get("made_with") for each in (recorded, again)]
        if tools[0] != tools[1]:  # another FFmpeg, or none
            del recorded[clock]
            again.pop(clock, None)
        assert recorded.keys() == again.keys()
        for name, content in recorded.items():
            assert _undated(name, content) == _undated(name, again[name]), name


def _undated(name, content):
    """Without the versions of the tools: newer ones must give the same values."""
    if len(name.parts) > 1 or name.suffix != ".json" or name.name not in _CASES:
        return content
    return {**json.loads(content), "made_with": None}


_CASES = {f"{do}.json" for do in check.ORDER}


class TestAnotherImplementationOfPdq:
    """By the definition, in float64: the kit does not depend on hashkit or its rounding."""

    def test_passes(self):
        outcomes = judge("pdq", lambda request: mutants.pdq_answer(request["file"], Pdq()))
        assert {outcome for outcome, _ in outcomes.values()} == {"passes", "rounding"}
        assert sum(outcome == "rounding" for outcome, _ in outcomes.values()) < 10

    def test_ties_count_where_everything_has_to_be_exact(self):
        outcomes = judge(
            "pdq", lambda request: mutants.pdq_answer(request["file"], Pdq()), exact=True
        )
        assert {outcome for outcome, _ in outcomes.values()} == {"passes", "differs"}

    @pytest.mark.parametrize(
        ("wrong", "step"),
        [
            (Pdq(weights=(0.2126, 0.7152, 0.0722)), "luma"),
            (Pdq(weights=(0.114, 0.587, 0.299)), "luma"),
            (Pdq(grey_bytes=True), "luma"),
            (Pdq(smallest_window=255), "luma"),
            (Pdq(lean=0), "luma"),
            (Pdq(passes=1), "luma"),
            (Pdq(corners=True), "luma"),
            (Pdq(swap_rows=True), "luma"),
            (Pdq(least_side=1), "hash"),
            (Pdq(quality_rounds=True), "quality"),
            (Pdq(quality_of_sum=True), "quality"),
            (Pdq(quality_off=1), "quality"),
            (Pdq(quality_off=-1), "quality"),
            (Pdq(first_row=0), "dct"),
            (Pdq(transposed=True), "dct"),
            (Pdq(median_of=128), "hash"),
            (Pdq(median_of=126), "hash"),
            (Pdq(not_less=True), "hash"),
            (Pdq(backwards=True), "hash"),
        ],
        ids=str,
    )
    @pytest.mark.parametrize("half_way", [True, False])
    def test_is_caught(self, wrong, step, half_way):
        def answer(request):
            found = mutants.pdq_answer(request["file"], wrong)
            return found if half_way else {name: found[name] for name in ("hash", "quality")}

        differing = {each.partition(",")[0] for each in steps_that_differ(judge("pdq", answer))}
        assert (step in differing) if half_way else differing & {"hash", "quality"}


class TestAnotherImplementationOfTmk:
    def test_passes(self):
        outcomes = judge("tmk_signature", lambda request: mutants.tmk_answer(request, Tmk()))
        assert {outcome for outcome, _ in outcomes.values()} == {"passes"}

    @pytest.mark.parametrize(
        ("wrong", "step"),
        [
            (Tmk(first_time=1), "cosines"),
            (Tmk(normalized=False), "cosines"),
            (Tmk(scaled=False), "cosines"),
            (Tmk(root=False), "cosines"),
            (Tmk(swap_waves=True), "cosines"),
            (Tmk(swap_periods=True), "cosines"),
            (Tmk(count_off=1), "header"),
            (Tmk(mean_of_unit=True), "mean"),
            (Tmk(big_endian=True), "header"),
        ],
        ids=str,
    )
    def test_is_caught(self, wrong, step):
        outcomes = judge("tmk_signature", lambda request: mutants.tmk_answer(request, wrong))
        assert step in {each.partition(",")[0] for each in steps_that_differ(outcomes)}

    def test_a_clock_that_takes_the_nearest_frame_is_caught(self):
        assert steps_that_differ(judge("tmk_clock", mutants.naive_clock)) == {"taken"}

    def test_a_clock_that_stops_at_exact_borders_is_caught(self, monkeypatch):
        monkeypatch.setattr("hashkit.hashes.tmk._PARTS", 1 << 60)
        outcomes = judge("tmk_clock", answer_hashkit.answer)
        assert outcomes["50"][0] == "differs"


@pytest.mark.parametrize(
    ("do", "wrong", "step"),
    mutants.ANSWERS,
    ids=[f"{do}-{step}-{number}" for number, (do, _, step) in enumerate(mutants.ANSWERS)],
)
def test_a_wrong_answer_is_caught(do, wrong, step):
    """hashkit's answers, each changed a little."""

    def answer(request):
        return wrong(copy.deepcopy(request), answer_hashkit.answer(request))

    outcomes = judge(do, answer)
    assert step in steps_that_differ(outcomes)


class TestWrongVideos:
    """The reference's own numbers, altered; no video is decoded."""

    def judge(self, do, wrong=lambda answer: answer):
        kit, outcomes = check.load(do), {}
        for case in kit["cases"]:
            answer = wrong(getattr(self, do)(case["expect"]))
            found = comparing.difference(kit, case, answer, VECTORS)
            outcomes[case["name"]] = ("passes" if found is None else "differs", str(found))
        return outcomes

    def vpdq_video(self, expect):
        rows = (VECTORS / expect["csv"]).read_text().splitlines()[1:]
        fields = [row.split(",") for row in rows]
        return {
            "frames": [
                {"frame": int(n), "quality": int(q), "hash": value, "timestamp": float(t)}
                for n, q, value, t in fields
            ]
        }

    def tmk_video(self, expect):
        return {"tmk": base64.b64encode((VECTORS / expect["tmk"]).read_bytes()).decode()}

    @pytest.mark.parametrize("do", SLOW)
    def test_the_reference_passes(self, do):
        assert steps_that_differ(self.judge(do)) == set()

    @pytest.mark.parametrize(
        ("change", "step"),
        [
            (lambda frames: frames[1:], "frames"),
            (lambda frames: [{**each, "frame": each["frame"] + 1} for each in frames], "frames"),
            (
                lambda frames: [{**each, "quality": each["quality"] - 3} for each in frames],
                "quality",
            ),
            (
                lambda frames: [{**each, "timestamp": each["timestamp"] + 0.01} for each in frames],
                "timestamps",
            ),
            (lambda frames: [{**each, "hash": flip(each["hash"], 9)} for each in frames], "hash"),
            (lambda frames: [{**each, "hash": flip(each["hash"], 3)} for each in frames], "hash"),
        ],
    )
    def test_frames(self, change, step):
        outcomes = self.judge("vpdq_video", lambda answer: {"frames": change(answer["frames"])})
        assert {outcome for outcome, _ in outcomes.values()} == {"differs"} or step == "timestamps"
        assert steps_that_differ(outcomes) == {step}

    @pytest.mark.parametrize(
        ("change", "step"),
        [
            (lambda data: data[:28] + bytes([data[28] ^ 1]) + data[29:], "header"),
            (lambda data: data[:200] + data[204:] + data[200:204], "mean"),
            (lambda data: data[:1200] + data[-131072:] + data[1200:-131072], "cosines"),
            (lambda data: data[:-131072] + data[-131072 + 4 :] + bytes(4), "sines"),
            (lambda data: data[:-4], "answer"),
        ],
    )
    def test_signatures(self, change, step):
        def wrong(answer):
            data = change(base64.b64decode(answer["tmk"]))
            return {"tmk": base64.b64encode(data).decode()}

        if step == "answer":
            with pytest.raises(ValueError, match="263344 bytes"):
                self.judge("tmk_video", wrong)
        else:
            assert step in steps_that_differ(self.judge("tmk_video", wrong))


def flip(value, count):
    return f"{int(value, 16) ^ ((1 << count) - 1):064x}"


class TestTheChecker:
    @pytest.fixture
    def command(self, tmp_path):
        def written(body):
            file = tmp_path / "implementation.py"
            file.write_text(f"import json, sys\nfor line in sys.stdin:\n    {body}\n")
            return sys.executable, "-u", file

        return written

    def test_what_is_not_implemented_is_counted(self, command):
        unknown = command('print(json.dumps({"unknown": True}))')
        found = run_check("--only", "bytes,webhook", *unknown)
        assert found.returncode == 0
        assert found.stdout.splitlines()[0].split() == ["bytes", "3", "not", "implemented"]
        assert run_check("--only", "bytes", "--all", *unknown).returncode == 1

    def test_differences_are_reported(self, command):
        wrong = command('print(json.dumps({"hash": "0" * 64, "quality": 0}))')
        found = run_check("--only", "pdq", *wrong)
        assert found.returncode == 1
        assert "DIFFERS pdq, small-5x5: quality: expected 100, got 0\n" in found.stdout
        # Too small or black: zero is right; flat: every bit is a tie.
        assert found.stdout.endswith("5 pass, 2 pass but for rounding, 22 differ\n")

    @pytest.mark.parametrize(
        "body",
        [
            "print('{}')",
            "print(json.dumps({'hash': None, 'quality': None}))",
            "print(json.dumps({'hash': 5, 'quality': float('nan')}))",
            "print(json.dumps({'hash': 'z' * 64, 'quality': True, 'luma': [], 'dct': {}}))",
            "print(json.dumps({'error': 'no memory'}))",
        ],
    )
    def test_answers_of_another_form_differ(self, command, body):
        found = run_check("--only", "pdq,pdq_orientations", *command(body))
        assert (found.returncode, found.stderr) == (1, "")
        assert "pass" not in found.stdout

    @pytest.mark.parametrize(
        ("body", "text"),
        [
            ("sys.exit()", "ended"),
            ("print('hello')", "not JSON"),
            ("print('[]')", "not a JSON object"),
            ("import time; time.sleep(60)", "said nothing for 1 seconds"),
        ],
    )
    def test_a_command_that_does_not_answer(self, command, body, text):
        found = run_check("--only", "bytes", "--seconds", 1, *command(body))
        assert found.returncode == 2
        assert text in found.stderr

    @pytest.mark.parametrize("arguments", [[], ["--only", "md6", "true"], ["/no/such/command"]])
    def test_wrong_use(self, arguments):
        assert run_check(*arguments).returncode == 2

    def test_it_needs_the_standard_library_only(self):
        code = "import sys; sys.path.insert(0, sys.argv[1]); import check"
        subprocess.run([sys.executable, "-I", "-S", "-c", code, str(VECTORS)], check=True)

    def test_nan_is_far_from_everything(self):
        (found,) = comparing._near("step", [1.0], [np.nan], 5.0)
        assert "1 of 1" in found.how

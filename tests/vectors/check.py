"""Hold any implementation against the conformance kit. Python's standard library is enough.

    python check.py [--only pdq,tmk_score] [--exact] [--all] [--seconds 120] COMMAND [ARGUMENT …]

The command is started once. It gets one JSON object a line on standard input, {"do": "pdq", "file":
"/…/one-pixel.ppm"}, and answers each with one JSON object on one line of standard output, {"hash":
"…", "quality": 0}; {"unknown": true} where it does not know what to do. README.md lists both sides.

Exit codes: 0 nothing differs; 1 something does, or with --all is not implemented; 2 wrong use, or
the command gave no answer or no JSON.

--exact does not let rounding decide bits that are ties.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from comparing import difference

HERE = Path(__file__).resolve().parent
ORDER = (
    *("bytes", "pdq", "pdq_orientations", "pdq_compare", "classic", "classic_compare"),
    *("vpdq_compare", "vpdq_video", "tmk_features", "tmk_clock", "tmk_signature", "tmk_score"),
    *("tmk_video", "submission", "export", "webhook"),
)
"""What can be asked for, in a sensible order to implement it."""


class NoAnswer(Exception):
    """The command exited, or printed something other than JSON."""


class Implementation:
    """The command, as a process that answers line by line."""

    def __init__(self, command: list[str], seconds: float) -> None:
        self._seconds = seconds
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """NoAnswer if there is none in time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        clock = threading.Timer(self._seconds, self._process.kill)
        clock.start()
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except (OSError, UnicodeDecodeError) as error:
            raise NoAnswer(f"the command cannot be spoken to: {error}") from error
        finally:
            clock.cancel()
        if not line:
            raise NoAnswer(f"the command ended, or said nothing for {self._seconds:g} seconds")
        try:
            answer = json.loads(line)
        except ValueError as error:
            raise NoAnswer(f"this is not JSON: {line.strip()[:200]}") from error
        if not isinstance(answer, dict):
            raise NoAnswer(f"this is not a JSON object: {line.strip()[:200]}")
        return answer

    def end(self) -> None:
        """Close its input; a command that stays is killed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass  # it has gone already
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def load(do: str) -> dict[str, Any]:
    """The cases of one kind."""
    kit: dict[str, Any] = json.loads((HERE / "kit" / f"{do}.json").read_text("utf-8"))
    return kit


def request_of(do: str, case: dict[str, Any]) -> dict[str, Any]:
    """The request, with absolute paths of files."""
    ask = {name: _whole(value) for name, value in case["ask"].items()}
    return {"do": do, **ask}


def _whole(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("kit/", "conformance/")):
        return str(HERE / value)
    return value


def check(
    implementation: Implementation, kinds: list[str], exact: bool
) -> Iterator[tuple[str, str, str, str]]:
    """(kind, name of the case, outcome, difference) for every case; the outcome is ``passes``,
    ``rounding``, ``differs`` or ``unknown``."""
    for do in kinds:
        kit = load(do)
        for case in kit["cases"]:
            answer = implementation.ask(request_of(do, case))
            if answer.get("unknown") is True:
                yield do, case["name"], "unknown", ""
                continue
            try:
                found = difference(kit, case, answer, HERE)
            except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
                yield do, case["name"], "differs", f"answer: {type(error).__name__}: {error}"
                continue
            if found is None:
                yield do, case["name"], "passes", ""
            elif found.rounding and not exact:
                yield do, case["name"], "rounding", str(found)
            else:
                yield do, case["name"], "differs", str(found)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="check.py", description="Hold an implementation against the conformance kit."
    )
    parser.add_argument("--only", help=f"kinds, with commas between: {','.join(ORDER)}")
    parser.add_argument("--exact", action="store_true", help="ties have to be the reference's too")
    parser.add_argument(
        "--all", action="store_true", help="what is not implemented counts as fault"
    )
    parser.add_argument("--seconds", type=float, default=120, help="to wait for an answer")
    parser.add_argument("command", nargs=argparse.REMAINDER, help="the implementation")
    given = parser.parse_args(arguments)
    kinds = given.only.split(",") if given.only else list(ORDER)
    if unknown := set(kinds) - set(ORDER):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("which command?")
    try:
        implementation = Implementation(command, given.seconds)
    except OSError as error:
        parser.error(f"the command cannot be started: {error}")
    counts: Counter[tuple[str, str]] = Counter()
    try:
        for do, name, outcome, what in check(implementation, kinds, given.exact):
            counts[do, outcome] += 1
            if outcome == "differs":
                print(f"DIFFERS {do}, {name}: {what}")
    except NoAnswer as error:
        print(f"check.py: {error}", file=sys.stderr)
        return 2
    finally:
        implementation.end()
    _report(kinds, counts)
    differing = sum(counts[do, "differs"] for do in kinds)
    missing = sum(counts[do, "unknown"] for do in kinds)
    return 1 if differing or (given.all and missing) else 0


def _report(kinds: list[str], counts: Counter[tuple[str, str]]) -> None:
    words = {"passes": "pass", "rounding": "pass but for rounding", "differs": "differ"}
    words["unknown"] = "not implemented"
    for do in [*kinds, "all"]:
        every = kinds if do == "all" else [do]
        numbers = {outcome: sum(counts[each, outcome] for each in every) for outcome in words}
        shown = [f"{count} {words[each]}" for each, count in numbers.items() if count]
        print(f"{do:18}{', '.join(shown)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

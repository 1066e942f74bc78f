"""The answers of the engine for browsers to what check.py asks, in a real browser.

python check.py python answer_browser.py chromium      (or firefox, or webkit)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "browser"))

from browsers import Browser

Json = dict[str, Any]

PDQ = """
    const { pdqOf, orientationsOf } = await load("pdq.js");
    const { width, height, data } = given;
    const bands = async function* () { yield { data, rows: height }; };
    const picture = { width, height, channels: 4, bands };
    const { value, quality, coefficients } = await pdqOf(picture, { orientations: true });
    return { value, quality, coefficients, turned: orientationsOf(coefficients) };
"""
COMPARE = """
    const { pdqDistance } = await load("pdq.js");
    const { FACTS } = await load("data.js");
    const { minQuality } = FACTS.algorithms.pdq;
    const distance = pdqDistance(given.first.hash, given.second.hash);
    const enough = Math.min(given.first.quality, given.second.quality) >= minQuality;
    return { distance, match: enough && distance <= 31 };
"""


class Answers:
    """What the engine can be asked for, one method for each kind."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def bytes(self, file: str) -> Json:
        names = ["md5", "sha1", "sha256", "sha512"]
        return dict(self._browser.call("digests.js", "digestsOf", Path(file), names))

    def pdq(self, file: str) -> Json:
        found = self._pdq(file)
        dct = found["coefficients"].tolist()
        return {"hash": found["value"], "quality": found["quality"], "dct": dct}

    def pdq_orientations(self, file: str) -> Json:
        return {each["name"]: each["value"] for each in self._pdq(file)["turned"]}

    def pdq_compare(self, first: Json, second: Json) -> Json:
        return dict(self._browser.run(COMPARE, {"first": first, "second": second}))

    def vpdq_video(self, file: str, interval: str | float, turn: bool = True) -> Json:
        options = {"algorithms": "vpdq", "sample": interval}
        found = self._browser.run(
            'return (await load("hashkit.js")).hashFile(given.file, given.options)',
            {"file": Path(file), "options": options},
        )
        vpdq = found.get("hashes", {}).get("vpdq")
        stored = [each for each in found.get("variants", ()) if each["name"] == "as-stored"]
        if not turn and stored:  # otherwise there is nothing to turn
            vpdq = stored[0]["vpdq"]
        if vpdq is None:  # this browser lacks the codec
            return {"unknown": True}
        frames = [{"hash": each.pop("value"), **each} for each in vpdq["frames"]]
        return {"frames": frames}

    def _pdq(self, file: str) -> Json:
        pixels = pixels_of(Path(file).read_bytes())
        height, width = pixels.shape[:2]
        opaque = np.full((height, width, 4), 255, np.uint8)
        opaque[..., :3] = pixels
        given = {"width": width, "height": height, "data": opaque.ravel()}
        return dict(self._browser.run(PDQ, given))


def pixels_of(data: bytes) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Of a binary PGM or PPM file of the kit: shape (height, width, 1 or 3)."""
    kind, size, _, rest = data.split(b"\n", 3)
    width, height = map(int, size.split())
    return np.frombuffer(rest, np.uint8).reshape(height, width, 1 if kind == b"P5" else 3)


def main(name: str) -> None:
    with Browser(name) as browser:
        answers = Answers(browser)
        for line in sys.stdin:
            asked = json.loads(line)
            do = asked.pop("do")
            function = None if do.startswith("_") else getattr(answers, do, None)
            try:
                said = {"unknown": True} if function is None else function(**asked)
            except Exception as error:  # the next question may have an answer
                said = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

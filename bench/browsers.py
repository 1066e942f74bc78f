"""The engine in browsers, beside their own decoding of the same file. ``python bench/browsers.py``.

Needs Chromium, Firefox and WebKit as the tests do (CONTRIBUTING.md); what is missing is left out.
Each time is the least of several, taken in turns in a Worker of one page.
"""

from __future__ import annotations

import argparse
import io
import sys
import tempfile
from pathlib import Path

import numpy as np
from compare import where_and_with_what
from PIL import Image

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "browser"))

import browsers  # noqa: E402 # it is beside the tests

SIZE = (4000, 3000)
BUDGETS = {"chromium": 3.0, "firefox": 3.5}
ROUNDS = 5
_JOB = """
const { hashBlob } = await load("hashing.js");
const { checkedOptions } = await load("options.js");
const options = checkedOptions({ algorithms: "pdq" });
const canvas = new OffscreenCanvas(1, 1).getContext("2d");
const decode = async () => {
  const bitmap = await createImageBitmap(given.file);
  canvas.drawImage(bitmap, 0, 0);
  canvas.getImageData(0, 0, 1, 1); // else it may not be decoded yet
  bitmap.close();
};
const times = { decode: [], hash: [] };
for (let round = 0; round < given.rounds; round += 1) {
  for (const [name, work] of [["decode", decode], ["hash", () => hashBlob(given.file, options)]]) {
    const begin = performance.now();
    await work();
    times[name].push(performance.now() - begin);
  }
}
return [Math.min(...times.decode), Math.min(...times.hash)];
"""


def photograph(orientation: int) -> bytes:
    """A JPEG of 12 megapixels with as much detail as a photograph has."""
    dice = np.random.default_rng(1)
    coarse = Image.fromarray(dice.integers(0, 255, (150, 200, 3), dtype=np.uint8))
    pixels = np.asarray(coarse.resize(SIZE, Image.Resampling.BICUBIC), np.int16)
    noisy = (pixels + dice.normal(0, 6, pixels.shape)).clip(0, 255).astype(np.uint8)
    exif, stream = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(noisy).save(stream, "JPEG", quality=88, exif=exif)
    return stream.getvalue()


def main() -> None:
    """Measure, and print the table."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in browsers.NAMES:
            if browsers.missing(name):
                continue
            with browsers.Browser(name) as browser:
                for title, orientation in (("upright", 1), ("turned by EXIF", 6)):
                    path = Path(folder) / f"{orientation}.jpg"
                    path.write_bytes(photograph(orientation))
                    given = {"file": path, "rounds": ROUNDS}
                    decode, whole = browser.run(_JOB, given, where="worker", seconds=600)
                    rows.append((name, title, decode, whole, BUDGETS.get(name)))
    print(where_and_with_what(["Pillow"]))
    print("| browser | 12 MP JPEG | its decoding | decoding and PDQ | ratio | budget |")
    print("|---|---|---|---|---|---|")
    for name, title, decode, whole, budget in rows:
        kept = (
            ""
            if budget is None
            else f"{budget:g}: {'kept' if whole <= budget * decode else 'MISSED'}"
        )
        times = f"{decode:.0f} ms | {whole:.0f} ms | {whole / decode:.2f}"
        print(f"| {name} | {title} | {times} | {kept} |")


if __name__ == "__main__":
    main()

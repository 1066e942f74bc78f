"""Pictures: hashkit beside its peers, in one run. ``python bench/images.py [--markdown FILE]``.

Needs ``pip install '.[bench]'``. Every budget is a ratio of two times measured in turns; the table
says which are kept.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import cv2
import imagehash
import numpy as np
import pdqhash
from compare import measure, python, row, table, where_and_with_what
from PIL import Image
from threatexchange.signal_type.md5 import VideoMD5Signal
from threatexchange.signal_type.pdq.signal import PdqSignal

import hashkit
from hashkit.hashes import classic, pdq, pdq_reference

SIZES = {1: (1280, 800), 2: (1920, 1080), 12: (4000, 3000), 24: (6000, 4000), 48: (8000, 6000)}
HEADINGS = ["work", "hashkit", "against", "its time", "ratio", "budget"]


def photo(width: int, height: int, seed: int = 0) -> np.ndarray:
    """Shapes of all sizes with a little noise, as from a camera."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 128, np.float32)
    for cells in (3, 8, 20, 50, 200):
        layer = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        picture += cv2.resize(layer, (width, height), interpolation=cv2.INTER_CUBIC) * (
            160 / cells**0.5
        )
    picture += rng.normal(0, 3, picture.shape).astype(np.float32)
    return np.clip(picture, 0, 255).astype(np.uint8)


def pdq_of_arrays() -> list[list[str]]:
    rows = []
    for megapixels, size in SIZES.items():
        pixels = photo(*size)
        taken = measure(
            {
                "one": lambda pixels=pixels: pdq.compute(pixels),
                "eight": lambda pixels=pixels: pdq.compute_orientations(pixels),
                "in its order": lambda pixels=pixels: pdq_reference.luma64(pixels),
                "pdqhash": lambda pixels=pixels: pdqhash.compute(pixels),
            },
            rounds=5,
        )
        name = f"PDQ, {megapixels} MP array"
        budget = 1 / 20 if megapixels == 12 else None
        rows.append(row(name, taken["one"], "pdqhash", taken["pdqhash"], budget))
        if megapixels == 12:
            rows.append(row("… all eight orientations", taken["eight"], "one", taken["one"], 1.05))
            rows.append(
                row("… where rounding decides", taken["in its order"], "pdqhash", taken["pdqhash"])
            )
    return rows


def whole_files() -> list[list[str]]:
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for megapixels in (2, 12, 24):
            path = Path(folder, f"{megapixels}.jpg")
            Image.fromarray(photo(*SIZES[megapixels])).save(path, quality=88)
            data = np.frombuffer(path.read_bytes(), np.uint8)
            taken = measure(
                {
                    "hashkit": lambda path=path: hashkit.hash_file(path),
                    "imdecode": lambda data=data: cv2.imdecode(data, cv2.IMREAD_COLOR),
                    "threatexchange": lambda path=path: (
                        PdqSignal.hash_from_file(path),
                        VideoMD5Signal.hash_from_file(path),
                    ),
                },
                rounds=9 if megapixels < 24 else 5,
            )
            name = f"{megapixels} MP JPEG ({len(data) / 1e6:.1f} MB): md5, sha1, sha256, pdq"
            budget = 1.35 if megapixels == 12 else None
            ours = taken["hashkit"]
            rows.append(row(name, ours, "cv2.imdecode alone", taken["imdecode"], budget))
            rows.append(row("…", ours, "threatexchange, md5 and pdq only", taken["threatexchange"]))
    return rows


def classic_hashes() -> list[list[str]]:
    pixels = photo(*SIZES[12])
    library = {
        "ahash": imagehash.average_hash,
        "phash": imagehash.phash,
        "dhash": imagehash.dhash,
        "whash": imagehash.whash,
        "colorhash": imagehash.colorhash,
        "crop_resistant": imagehash.crop_resistant_hash,
    }
    rows = []
    for name, function in library.items():
        taken = measure(
            {
                "ours": lambda name=name: classic.compute(pixels, [name]),
                "theirs": lambda function=function: function(Image.fromarray(pixels)),
            },
            rounds=3,
        )
        rows.append(row(f"{name}, 12 MP array", taken["ours"], "imagehash", taken["theirs"]))
    taken = measure(
        {
            "ours": lambda: classic.compute(pixels, library),
            "theirs": lambda: [f(Image.fromarray(pixels)) for f in library.values()],
        },
        rounds=3,
    )
    rows.append(row("all six, 12 MP array", taken["ours"], "imagehash", taken["theirs"]))
    return rows


def start_up() -> list[list[str]]:
    taken = measure(
        {
            "version": python("-m", "hashkit", "--version"),
            "help": python("-m", "hashkit", "--help"),
            "typer": python("-c", "import typer"),
        },
        rounds=11,
    )
    return [
        row("hashkit --version", taken["version"], "python -c 'import typer'", taken["typer"], 2),
        row("hashkit --help", taken["help"], "python -c 'import typer'", taken["typer"], 2),
    ]


def main() -> None:
    """Measure, print, and write the table if requested."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    rows = [*pdq_of_arrays(), *whole_files(), *classic_hashes(), *start_up()]
    made = where_and_with_what(
        [
            "hashkit",
            "numpy",
            "opencv-python-headless",
            "Pillow",
            "imagehash",
            "pdqhash",
            "threatexchange",
            "typer",
        ]
    )
    text = f"{table(HEADINGS, rows)}\n\nMeasured on {made}\n"
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)


if __name__ == "__main__":
    main()

"""Many files: sandboxed workers against no isolation. ``python bench/batch.py [--markdown FILE]``.

Needs ``pip install '.[bench]'`` and about 2 GB of disk, freed at the end. 500 files like those on a
phone are generated, all different; each way to hash them runs in processes of its own, and the ways
take turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
from compare import table, where_and_with_what
from PIL import Image
from videos import film

COUNTS = {"jpg": 400, "png": 40, "webp": 30, "heic": 20, "mp4": 10}
ROUNDS = 3
PACKAGES = ["hashkit", "numpy", "opencv-python-headless", "Pillow", "pillow-heif", "av"]
HEADINGS = ["way", "files a second", "MB a second", "time", "memory: this process", "a worker"]


def picture(seed: int, width: int, height: int) -> Image.Image:
    """Shapes of all sizes with camera noise."""
    rng = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), 110.0, np.float32)
    for cells in (5, 21, 83, 401):
        noise = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        pixels += cv2.resize(noise, (width, height)) * (140 / cells**0.4)
    pixels += rng.normal(0, 4, (height, width, 1)).astype(np.float32)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def originals(folder: Path) -> Iterator[Path]:
    """A few files of each kind: pictures of 12 megapixels, screenshots, short videos."""
    for seed in range(4):
        path = folder / f"original-{seed}.jpg"
        picture(seed, 4000, 3000).save(path, quality=90)
        yield path
    for name, options in (("a.png", {}), ("a.webp", {"quality": 85})):
        picture(9, 1170, 2532).save(folder / name, **options)
        yield folder / name
    pillow_heif.from_pillow(picture(10, 4032, 3024)).save(folder / "a.heic", quality=60)
    yield folder / "a.heic"
    yield film(folder / "a.mp4", "libx264", 4, 1, preset="veryfast")


def fill(folder: Path) -> None:
    """500 files: copies of the originals with a few different bytes at the end."""
    with tempfile.TemporaryDirectory() as scratch:
        made = list(originals(Path(scratch)))
        for kind, count in COUNTS.items():
            sources = [path.read_bytes() for path in made if path.suffix == f".{kind}"]
            for number in range(count):
                # MP4 and HEIC: a box that readers skip; others: bytes after the end.
                tail = b"\0\0\0\x10free" + number.to_bytes(8, "big")
                path = folder / f"{number:03}.{kind}"
                path.write_bytes(sources[number % len(sources)] + tail)


def in_this_process(paths: list[Path]) -> int:
    """No isolation, one after the other: the naive loop."""
    from hashkit.pipeline.hashing import hash_or_fail
    from hashkit.pipeline.options import Options

    return sum(bool(hash_or_fail(path, Options()).hashes) for path in paths)


def _hash(path: Path) -> bool:
    return bool(in_this_process([path]))


def in_two_processes(paths: list[Path]) -> int:
    """No isolation, over the standard library's process pool."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        return sum(executor.map(_hash, paths))


def isolated(paths: list[Path], workers: int) -> int:
    """With hashkit's sandboxed workers."""
    import hashkit

    return sum(bool(each.hashes) for each in hashkit.hash_files(paths, workers=workers))


WAYS = {
    "1 worker, not isolated": in_this_process,
    "1 worker, isolated": lambda paths: isolated(paths, 1),
    "2 workers, not isolated": in_two_processes,
    "2 workers, isolated": lambda paths: isolated(paths, 2),
}


def run_one(way: str, folder: Path) -> None:
    """In a process of its own: print the seconds and the peak memory in megabytes."""
    import resource

    paths = sorted(folder.iterdir())
    start = time.perf_counter()
    hashed = WAYS[way](paths)
    seconds = time.perf_counter() - start
    if hashed != len(paths):
        raise SystemExit(f"{way}: {len(paths) - hashed} files were not hashed")
    status = Path("/proc/self/status").read_text() if sys.platform == "linux" else "VmHWM: 0 kB"
    own = int(status.split("VmHWM:")[1].split()[0]) / 1024
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(json.dumps([seconds, own, children]))


def measure_all(folder: Path) -> dict[str, list[float]]:
    """Medians of each way: seconds, megabytes of this process, of the largest worker."""
    found: dict[str, list[list[float]]] = {way: [] for way in WAYS}
    for _ in range(ROUNDS):
        for way in WAYS:
            command = [sys.executable, __file__, "--one", way, "--files", str(folder)]
            # Else the threads of two processes would compete.
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
            done = subprocess.run(
                command, check=True, capture_output=True, text=True, env=environment
            )
            found[way].append(json.loads(done.stdout.splitlines()[-1]))
    return {
        way: [statistics.median(each) for each in zip(*all_, strict=True)]
        for way, all_ in found.items()
    }


def report(found: dict[str, list[float]], megabytes: float) -> str:
    """The table, and the two ratios that have budgets."""
    count = sum(COUNTS.values())
    rows = [
        [
            way,
            f"{count / seconds:.1f}",
            f"{megabytes / seconds:.0f}",
            f"{seconds:.1f} s",
            f"{own:.0f} MB",
            f"{child:.0f} MB" if child > 1 else "",
        ]
        for way, (seconds, own, child) in found.items()
    ]
    seconds = {way: each[0] for way, each in found.items()}
    cost = seconds["1 worker, isolated"] / seconds["1 worker, not isolated"]
    gain = seconds["2 workers, isolated"] / seconds["1 worker, isolated"]
    return (
        f"{table(HEADINGS, rows)}\n\n"
        f"- isolation, one worker: {cost:.3f} of the time without "
        f"(budget 1.05: {'kept' if cost <= 1.05 else 'MISSED'})\n"
        f"- two workers: {gain:.3f} of the time of one "
        f"(budget 0.56: {'kept' if gain <= 0.56 else 'MISSED'})\n"
    )


def main() -> None:
    """Measure, print, and write the table if requested."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--files", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_one(options.one, options.files)
        return
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder))
        megabytes = sum(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
        found = measure_all(Path(folder))
    text = (
        f"{report(found, megabytes)}\n{megabytes:.0f} MB in all. {where_and_with_what(PACKAGES)}\n"
    )
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()

"""Which edits of a picture to hash in advance, and what that finds and costs.

    python bench/variants.py --choose          # pick anew: the order for hashkit/variants/sets.py
    python bench/variants.py [--docs docs]     # measure the sets that are in the code

Needs ``pip install '.[bench]'``. Half of the pictures are for choosing, the other half for
measuring. ``--docs`` renews the figures of the page and its plot.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as in a worker; more threads gain nothing on 64 by 512

import cv2
import numpy as np
from compare import measure, milliseconds, table, where_and_with_what
from edits import KINDS, PAIRS, Dice, edited
from PIL import Image

from hashkit.hashes import pdq
from hashkit.variants import computing
from hashkit.variants.sets import MAX_HASHES

sys.path.insert(0, str(Path(__file__).parent.parent / "samples_synthetic"))
from generate import scene

NATURAL = {
    "skimage.data": [
        *("coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png", "coins.png"),
        *("hubble_deep_field.jpg", "moon.png", "brick.png", "gravel.png", "grass.png", "ihc.png"),
        "page.png",
    ],
    "sklearn.datasets.images": ["china.jpg", "flower.jpg"],
}
"""Pictures in packages, of things, animals, textures and places. (Those of people are left out.)"""
SHAPES = (3 / 4, 4 / 3, 9 / 16, 1, 3 / 4, 16 / 9)
DRAWN = 24
SIDE = 600
STEPS = (1, 8, 16, 24, 32, 40, 48)
SHOWN = (1, *MAX_HASHES.values())
THRESHOLD = pdq.THRESHOLD
ALL_KINDS = [*KINDS, PAIRS]


def pictures() -> Iterator[Image.Image]:
    """Natural pictures, scenes like the samples, and clouds; portrait, landscape and square."""
    number = 0
    for package, names in NATURAL.items():
        for name in names:
            with resources.as_file(resources.files(package) / name) as path:
                whole = Image.open(path).convert("RGB")
            yield _in_shape(whole, SHAPES[number % len(SHAPES)])
            number += 1
    for number in range(DRAWN):
        shape = SHAPES[number % len(SHAPES)]
        width, height = (SIDE, round(SIDE / shape)) if shape >= 1 else (round(SIDE * shape), SIDE)
        yield scene(200 + number, width, height)
        yield _clouds(number, width, height)


def _in_shape(picture: Image.Image, shape: float) -> Image.Image:
    own = picture.width / picture.height
    wide, high = min(1.0, shape / own) * picture.width, min(1.0, own / shape) * picture.height
    left, top = (picture.width - wide) / 2, (picture.height - high) / 2
    part = picture.crop((round(left), round(top), round(left + wide), round(top + high)))
    scale = SIDE / max(part.size)
    return part.resize((round(part.width * scale), round(part.height * scale)))


def _clouds(number: int, width: int, height: int) -> Image.Image:
    """Noise with the spectrum of natural pictures."""
    rng = np.random.default_rng(1000 + number)
    down, across = np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width) * width
    frequency = np.maximum(np.hypot(down, across), 1)
    phase, fall = rng.uniform(0, 2 * np.pi, frequency.shape), rng.uniform(1.0, 1.8)
    channels = []
    for _ in range(3):
        turned = np.exp(1j * (phase + rng.normal(0, 0.6, frequency.shape)))
        noise = np.fft.irfft2(turned / frequency**fall, s=(height, width))
        channels.append(128 + 55 * (noise - noise.mean()) / noise.std())
    return Image.fromarray(np.clip(np.stack(channels, -1), 0, 255).astype(np.uint8))


def candidates() -> list[str]:
    """A few hundred edits to choose from."""
    tenths = [f"{each:g}" for each in np.arange(2, 15.5, 0.5)]
    names = [f"crop-{each}" for each in tenths]
    names += [
        f"crop-{side}-{n}" for side in ("left", "right", "top", "bottom") for n in range(3, 21)
    ]
    names += [f"crop-{both}-{n}" for both in ("sides", "ends") for n in range(3, 16)]
    names += [
        f"crop-{a}-{b}-{n}"
        for a in ("top", "bottom")
        for b in ("left", "right")
        for n in (4, 7, 10, 13)
    ]
    shapes = ["square", *(f"crop-{each}" for each in ("4x5", "9x16", "16x9", "3x4", "4x3"))]
    names += [
        f"{each}{at}"
        for each in shapes
        for at in ("", "-at-0", "-at-20", "-at-35", "-at-65", "-at-80", "-at-100")
    ]
    names += [
        f"padded-{each}-black"
        for each in ("1x1", "4x5", "9x16", "16x9", "3x4", "4x3", "9x18", "9x20")
    ]
    names += [
        f"padded-{each}-black-at-{at}"
        for each in ("9x16", "9x18", "9x20")
        for at in (42, 46, 54, 58)
    ]
    names += ["screenshot-dark"]
    names += [
        f"bordered-{fill}-{n:g}"
        for fill in ("black", "white", "grey")
        for n in np.arange(1, 10, 0.5)
    ]
    names += [f"caption-{end}-{n}" for end in ("top", "bottom") for n in range(5, 26)]
    for angle in np.arange(1, 6.5, 0.5):
        for degrees in (f"{angle:g}", f"{360 - angle:g}"):
            names += [f"rotated-{degrees}{fill}" for fill in ("", "-black", "-white", "-grey")]
    return [
        *names,
        *(f"{each}+mirrored" for each in names[::3]),
        "mirrored",
        "rotated-90",
        "rotated-180",
        "rotated-270",
    ]


@dataclass
class Copies:
    """Edited copies: which picture each is of, what kind of edit it is, and its hash as bits."""

    picture: np.ndarray
    kind: np.ndarray
    bits: np.ndarray

    def weights(self) -> np.ndarray:
        """Weights such that each kind counts the same, however many copies it has."""
        counts = {kind: (self.kind == kind).sum() for kind in ALL_KINDS}
        return np.array([1 / counts[kind] for kind in self.kind]) / len(ALL_KINDS)


def population(originals: list[Image.Image], each: int, *, mild: bool) -> Copies:
    """This many random edits of each kind of each picture."""
    dice = Dice(20261122 + mild, mild=mild)
    found = [
        (number, kind, pdq.compute(np.asarray(edited(dice, picture, kind))).text)
        for number, picture in enumerate(originals)
        for kind in ALL_KINDS
        for _ in range(each)
    ]
    numbers, kinds, values = zip(*found, strict=True)
    return Copies(np.array(numbers), np.array(kinds), as_bits(values))


def as_bits(values: object) -> np.ndarray:
    """float32 of shape (n, 256), to multiply."""
    packed = np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(-1, 32)
    return np.unpackbits(packed, axis=1).astype(np.float32)


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Distances of all pairs in bits."""
    return (one.sum(1)[:, None] + other.sum(1) - 2 * one @ other.T).astype(np.uint16)


def choose(originals: list[Image.Image], copies: Copies) -> list[str]:
    """Greedily, what finds most of the copies that nothing before it finds, as the code will use
    it: of each picture, only hashes that are apart, and only so many."""
    names, most = ["original", *candidates()], MAX_HASHES["wide"]
    weights, hits, apart, found, taken = copies.weights(), {}, {}, {}, {}
    for number, picture in enumerate(originals):
        copy = computing.SmallCopy.of(np.asarray(picture))
        hashes = [computing.compute(copy, name) for name in names]
        bits = as_bits(each.text for each in hashes)
        good = np.array([(each.quality or 0) >= pdq.QUALITY_THRESHOLD for each in hashes])
        hits[number] = (distances(copies.bits[copies.picture == number], bits) <= THRESHOLD) & good
        apart[number] = (distances(bits, bits) > computing.APART) & good[:, None]
        found[number], taken[number] = hits[number][:, 0].copy(), [0]
    order: list[int] = []
    while any(len(each) < most for each in taken.values()):
        gain = np.zeros(len(names))
        for number, hit in hits.items():
            if len(taken[number]) < most:
                missed = ~found[number]
                worth = weights[copies.picture == number][missed] @ hit[missed]
                gain += worth * apart[number][:, taken[number]].all(1)
        gain[order] = 0
        best = int(gain.argmax())
        if gain[best] <= 0:
            break
        order.append(best)
        for number, hit in hits.items():
            if len(taken[number]) < most and apart[number][best, taken[number]].all():
                taken[number].append(best)
                found[number] |= hit[:, best]
    return [names[each] for each in order]


def sets_of(originals: list[Image.Image]) -> list[np.ndarray]:
    """The hashes of each picture as bits: the original's, and those of the level ``wide``."""
    sets = []
    for picture in originals:
        pixels = np.asarray(picture)
        original = pdq.compute(pixels)
        found = (original, *computing.hash_variants(pixels, "wide", original))
        sets.append(as_bits(each.text for each in found))
    return sets


def nearest(sets: list[np.ndarray], copies: Copies) -> np.ndarray:
    """For each copy, the distance to the nearest of the first n hashes, by ``STEPS``."""
    found = np.empty((len(copies.bits), len(STEPS)), np.uint16)
    for number, bits in enumerate(sets):
        mine = copies.picture == number
        away = distances(copies.bits[mine], bits)
        found[mine] = np.stack([away[:, :step].min(1) for step in STEPS], 1)
    return found


def recalls(sets: list[np.ndarray], copies: Copies) -> dict[str, np.ndarray]:
    """Recall by kind, and over all kinds, with n hashes."""
    hit = nearest(sets, copies) <= THRESHOLD
    by_kind = {kind: hit[copies.kind == kind].mean(0) for kind in ALL_KINDS}
    return {**by_kind, "all": np.mean([*by_kind.values()], axis=0)}


def price(sets: list[np.ndarray], copies: Copies) -> tuple[int, int, int]:
    """Of every hash against every copy of another picture: pairs, those within the threshold, and
    the smallest distance."""
    pairs = matches = 0
    smallest = pdq.BITS
    for number, bits in enumerate(sets):
        away = distances(copies.bits[copies.picture != number], bits)
        pairs, matches = pairs + away.size, matches + int((away <= THRESHOLD).sum())
        smallest = min(smallest, int(away.min()))
    return pairs, matches, smallest


def halves(originals: list[Image.Image]) -> tuple[list[Image.Image], list[Image.Image]]:
    """One half to choose with, one to measure with."""
    return originals[::2], originals[1::2]


def report(originals: list[Image.Image], each: int, docs: Path | None) -> None:
    """Measure, print, and renew the page and its plot if requested."""
    sets = sets_of(originals)
    strong, mild = (population(originals, each, mild=mild) for mild in (False, True))
    found = {"full": recalls(sets, strong), "mild": recalls(sets, mild)}
    others = [price(sets, copies) for copies in (strong, mild)]
    pairs, matches = (sum(each[i] for each in others) for i in (0, 1))
    parts = [
        table(
            ["edits", *(f"{step} hash{'es' if step > 1 else ''}" for step in STEPS)],
            [[name, *map(_percent, by_kind["all"])] for name, by_kind in found.items()],
        ),
        "By kind of edit, with one hash, 16 and 48:",
        table(
            ["edit", *(f"{name}: {step}" for name in found for step in SHOWN)],
            [
                [
                    kind,
                    *(_percent(by[kind][STEPS.index(n)]) for by in found.values() for n in SHOWN),
                ]
                for kind in ALL_KINDS
            ],
        ),
        f"False matches, of every hash against every edited copy of every other picture: {matches} "
        f"of {pairs:,} pairs. The smallest distance was {min(each[2] for each in others)}.",
        f"Time, of a picture of 12 megapixels: {_cost()}.",
        f"{len(strong.bits) + len(mild.bits):,} copies of {len(originals)} pictures. "
        + where_and_with_what(["numpy", "opencv-python-headless", "Pillow", "scikit-image"]),
    ]
    text = "\n\n".join(parts)
    print(text)
    if docs is not None:
        page = docs / "variants.md"
        before, _, after = re.split(r"(?<=measured -->\n)|(?=<!-- end)", page.read_text())
        page.write_text(f"{before}\n{text}\n\n{after}")
        plot(found, docs / "variants.svg")


def _percent(part: float) -> str:
    return f"{100 * part:.0f} %"


def _cost() -> str:
    """The cost of the variants of a 12 MP JPEG relative to decoding it."""
    large = np.asarray(_clouds(0, 2000, 1500).resize((4000, 3000)))
    large = large + np.random.default_rng(0).integers(0, 12, large.shape, dtype=np.uint8)
    data = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    original = pdq.compute(large)

    def wide() -> None:
        computing._places.cache_clear()  # as for the first picture of its size
        computing.hash_variants(large, "wide", original)

    ways = measure({"wide": wide, "decode": lambda: cv2.imdecode(data, cv2.IMREAD_COLOR)})
    ratio = ways["wide"] / ways["decode"]
    return (
        f"{milliseconds(ways['wide'])} for 48 hashes, {milliseconds(ways['decode'])} for decoding "
        f"the JPEG: {ratio:.2f} of it (at most 1.5: {'kept' if ratio <= 1.5 else 'MISSED'})"
    )


def plot(found: dict[str, dict[str, np.ndarray]], path: Path) -> None:
    """Recall by the number of hashes: all edits, and each kind of the full population."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "hashkit"
    figure = Figure(figsize=(9, 5.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 4])
    for (name, by_kind), style in zip(found.items(), ("-o", "--s"), strict=True):
        left.plot(STEPS, 100 * by_kind["all"], style, color="#0072b2", label=f"{name} amounts")
    left.set(xlabel="hashes a picture", ylabel="edited copies found, %", ylim=(0, 100))
    left.legend(loc="lower right")
    rows = np.arange(len(ALL_KINDS))
    before = np.zeros(len(rows))
    for step, colour in zip(SHOWN, ("#d55e00", "#56b4e9", "#0072b2"), strict=True):
        part = np.array([100 * found["full"][kind][STEPS.index(step)] for kind in ALL_KINDS])
        label = "the original's hash" if step == 1 else f"with {step} hashes"
        right.barh(rows, np.maximum(part - before, 0), left=before, color=colour, label=label)
        before = np.maximum(before, part)
    right.set(
        yticks=rows, yticklabels=ALL_KINDS, xlim=(0, 100), xlabel="full amounts: copies found, %"
    )
    right.invert_yaxis()
    right.legend(loc="upper center", bbox_to_anchor=(0.4, -0.12), ncols=3, fontsize="small")
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--docs", type=Path)
    parser.add_argument("--each", type=int, default=16, help="copies of a kind and picture")
    arguments = parser.parse_args()
    to_choose, to_measure = halves(list(pictures()))
    if arguments.choose:
        both = [population(to_choose, arguments.each // 2, mild=mild) for mild in (False, True)]
        merged = Copies(*(np.concatenate(each) for each in zip(*map(_columns, both), strict=True)))
        print(",\n".join(f'"{name}"' for name in choose(to_choose, merged)))
        return
    report(to_measure, arguments.each, arguments.docs)


def _columns(copies: Copies) -> tuple[np.ndarray, ...]:
    return copies.picture, copies.kind, copies.bits


if __name__ == "__main__":
    main()

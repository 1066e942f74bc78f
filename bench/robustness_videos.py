"""Do video hashes survive edits? ``python bench/robustness_videos.py [--docs docs]``.

Needs ``pip install '.[bench]'``, and matplotlib for ``--docs``, which renews the tables of the page
and its plot. The films are drawn on the spot from fixed numbers and live in memory alone. To
measure another way of telling copies, add it to ``WAYS``.
"""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from compare import table, where_and_with_what
from films import FILMS, Clip, cut, encoded, original

from hashkit import HashedFile, hash_file
from hashkit.hashes import tmk, vpdq
from hashkit.matching.comparing import compare
from hashkit.matching.search import SAMPLE
from hashkit.variants.sets import UNFRAMED


class Hashed(NamedTuple):
    """A video as services hash it, one frame per second; and as ``hashkit find`` does."""

    plain: HashedFile
    searched: HashedFile


Hashes = tuple[Hashed, list[Hashed]]


class Edit(NamedTuple):
    """One edit at one strength: how it changes the frames, and how they are encoded again."""

    name: str
    strength: str
    change: Callable[..., Clip]
    arguments: tuple[float | Fraction, ...] = ()
    codec: str = "libx264"
    crf: int = 26


def scaled(clip: Clip, across: float, down: float) -> Clip:
    height, width = clip.frames[0].shape[:2]
    size = (round(width * across / 2) * 2, round(height * down / 2) * 2)
    return Clip([cv2.resize(f, size, interpolation=cv2.INTER_AREA) for f in clip.frames], clip.rate)


def at_rate(clip: Clip, times: Fraction | int, speed: Fraction | int = 1) -> Clip:
    """A factor for the frame rate and one for the speed. Frames are dropped or repeated."""
    step = Fraction(speed) / times  # exact, so that no frame is off by one
    frames = [clip.frames[int(n * step)] for n in range(int(len(clip.frames) / step))]
    return Clip(frames, clip.rate * times)


def trimmed(clip: Clip, start: float, end: float) -> Clip:
    """From one fraction of the length to another."""
    length = len(clip.frames)
    return Clip(clip.frames[round(start * length) : round(end * length)], clip.rate)


def with_bars(clip: Clip, beside: float, above: float) -> Clip:
    """Black bars on both sides, each this fraction of the new width or height."""
    height, width = clip.frames[0].shape[:2]
    x, y = round(width * beside / (1 - 2 * beside)), round(height * above / (1 - 2 * above))
    bars = (y, y, x, x, cv2.BORDER_CONSTANT)
    return Clip([cv2.copyMakeBorder(f, *bars) for f in clip.frames], clip.rate)


def upright(clip: Clip) -> Clip:
    """In the middle of a 9:16 frame, as on a phone."""
    height, width = clip.frames[0].shape[:2]
    return with_bars(clip, 0, (1 - height / (width * 16 / 9)) / 2)


def with_logo(clip: Clip, part: float) -> Clip:
    """A badge in a corner, ``part`` of the width."""
    frames = [frame.copy() for frame in clip.frames]
    side = round(frames[0].shape[1] * part)
    for frame in frames:
        badge = frame[side // 4 :, : -(side // 4)][:side, -side:]
        badge[:] = (230, 30, 60)
        cv2.circle(badge, (side // 2, side // 2), side // 3, (255, 255, 255), -1, cv2.LINE_AA)
    return Clip(frames, clip.rate)


def captioned(clip: Clip) -> Clip:
    """A white bar with text over the lowest 15 % of the picture."""
    frames = [frame.copy() for frame in clip.frames]
    height, width = frames[0].shape[:2]
    foot, size = (width // 20, round(height * 0.95)), width / 500
    for frame in frames:
        frame[round(height * 0.85) :] = 255
        cv2.putText(frame, "words of whoever posts it", foot, 0, size, (0, 0, 0), 1, cv2.LINE_AA)
    return Clip(frames, clip.rate)


def embedded(clip: Clip, times: float) -> Clip:
    """In the middle of another film, with this multiple of its length before and after."""
    height, width = clip.frames[0].shape[:2]
    count = round(len(clip.frames) * times)
    moments = (n / float(clip.rate) for n in range(2 * count))
    other = [cut(t, (width, height), 600, 2, 4) for t in moments]  # no original shows these
    return Clip([*other[:count], *clip.frames, *other[count:]], clip.rate)


EDITS = [
    *(Edit("re-encoded", f"H.264, crf {crf}", lambda c: c, crf=crf) for crf in (28, 35, 40)),
    Edit("re-encoded", "VP8, 200 kbit/s", lambda c: c, codec="libvpx"),
    Edit("re-encoded", "MPEG-4, 300 kbit/s", lambda c: c, codec="mpeg4"),
    Edit("scaled", "to a half", scaled, (1 / 2, 1 / 2)),
    Edit("scaled", "to a quarter", scaled, (1 / 4, 1 / 4)),
    Edit("scaled", "stretched, a third wider", scaled, (4 / 3, 1)),
    Edit("frame rate", "doubled", at_rate, (2,)),
    Edit("frame rate", "halved", at_rate, (Fraction(1, 2),)),
    Edit("frame rate", "29.97 a second", lambda c: at_rate(c, Fraction(30000, 1001) / c.rate)),
    Edit("frame rate", "10 a second", lambda c: at_rate(c, 10 / c.rate)),
    *(Edit("trimmed", f"first {n} % gone", trimmed, (n / 100, 1)) for n in (10, 25, 50)),
    Edit("trimmed", "middle half alone", trimmed, (1 / 4, 3 / 4)),
    Edit("mirrored", "left to right", lambda c: Clip([f[:, ::-1] for f in c.frames], c.rate)),
    *(Edit("bars", f"above and below, {n} % each", with_bars, (0, n / 100)) for n in (5, 12, 25)),
    Edit("bars", "left and right, 12 % each", with_bars, (0.12, 0)),
    Edit("bars", "in an upright 9:16 frame", upright),
    *(Edit("logo", f"{n} % of the width", with_logo, (n / 100,)) for n in (8, 20)),
    Edit("logo", "caption over lowest 15 %", captioned),
    *(Edit("speed", f"{n} % slower", at_rate, (1, 1 - Fraction(n, 100))) for n in (5, 10, 25)),
    *(Edit("speed", f"{n} % faster", at_rate, (1, 1 + Fraction(n, 100))) for n in (5, 10, 25, 100)),
    Edit("inside another film", "half of it", embedded, (1 / 2,)),
    Edit("inside another film", "a quarter of it", embedded, (3 / 2,)),
]


class Way(NamedTuple):
    """The scores of (original, copy), and the least scores of a copy. ``columns`` names those whose
    means the table shows."""

    scores: Callable[[Hashed, Hashed], tuple[float, ...]]
    least: tuple[float, ...]
    columns: tuple[str, ...]


signature = cache(tmk.Signature.from_bytes)


def vpdq_share(one: Hashed, copy: Hashed) -> tuple[float, ...]:
    """The share of the original's unique frames that are found in the copy."""
    return (vpdq.compare(one.plain.frames.hashes, copy.plain.frames.hashes).first / 100,)


def with_variants(one: Hashed, copy: Hashed) -> tuple[float, ...]:
    """The same, of the original or its mirrored frames, against the copy as a service hashes it."""
    moving = (one.plain.frames, *one.plain.frame_variants)
    found = copy.plain.frames.hashes
    return (max(vpdq.compare(each.hashes, found).first for each in moving) / 100,)


def tmk_levels(one: Hashed, copy: Hashed) -> tuple[float, ...]:
    pair = (signature(each.searched["tmk_pdqf"].value) for each in (one, copy))
    return tmk.score(*pair)


def find(one: Hashed, copy: Hashed) -> tuple[float, ...]:
    """1 if ``hashkit find`` would name the copy, by any of its hashes."""
    return (float(compare(one.searched, copy.searched).verdict.is_copy),)


WAYS = {
    "vPDQ": Way(vpdq_share, (0.5,), ("share",)),
    "vPDQ, 20 %": Way(vpdq_share, (0.2,), ()),
    "with variants": Way(with_variants, (0.5,), ()),
    "TMK": Way(tmk_levels, (tmk.THRESHOLD,) * 2, ("level 1", "level 2")),
    "find": Way(find, (1.0,), ()),
}
PLOTTED = {  # colour-blind safe
    "vPDQ": ("#0072B2", "o"),
    "TMK": ("#D55E00", "s"),
    "find": ("#009E73", "D"),
}


def original_and_copies(name: str) -> Hashes:
    """The hashes of an original, and those of its copies in the order of EDITS."""
    cv2.setNumThreads(1)
    data, clip = original(name)
    copies = (encoded(edit.change(clip, *edit.arguments), edit.codec, edit.crf) for edit in EDITS)
    return hashed(data, "standard"), [hashed(each, UNFRAMED) for each in copies]


def hashed(data: bytes, variants: str) -> Hashed:
    """An original with its variants, or a copy without."""
    return Hashed(
        hash_file(io.BytesIO(data), "vpdq", variants=variants, sample=1.0),
        hash_file(io.BytesIO(data), ("vpdq", "tmk_pdqf"), variants=variants, sample=SAMPLE),
    )


class Outcome(NamedTuple):
    """The scores of each original with its own copies, and with the copies of all others.
    ``scores`` and ``found`` are indexed by original and edit."""

    scores: npt.NDArray[np.float64]
    found: npt.NDArray[np.bool_]
    other_scores: npt.NDArray[np.float64]
    wrong: npt.NDArray[np.bool_]


def judged(way: Way, hashes: list[Hashes]) -> Outcome:
    scores = np.array(
        [[[way.scores(one, copy) for copy in copies] for _, copies in hashes] for one, _ in hashes]
    )
    found, same = (scores >= way.least).all(axis=-1), np.eye(len(hashes), dtype=bool)
    return Outcome(scores[same], found[same], scores[~same], found[~same])


def percent(flags: npt.ArrayLike) -> str:
    return f"{100 * np.mean(flags):.0f} %"


def by_edit(outcomes: dict[str, Outcome]) -> str:
    headings, rows = ["edit", "strength"], [[edit.name, edit.strength] for edit in EDITS]
    for name, outcome in outcomes.items():
        columns = WAYS[name].columns
        headings += [name, *columns]
        for number, row in enumerate(rows):
            means = outcome.scores[:, number].mean(axis=0)[: len(columns)]
            row += [percent(outcome.found[:, number]), *(f"{mean:.2f}" for mean in means)]
    return table(headings, rows)


def by_original(names: list[str], hashes: list[Hashes], outcomes: dict[str, Outcome]) -> str:
    """For each original, its frames with enough detail, and its copies that are found."""
    rows = []
    for number, (one, _) in enumerate(hashes):
        enough = [f.quality >= vpdq.QUALITY_THRESHOLD for f in one.plain.frames.hashes]
        found = [outcome.found[number] for outcome in outcomes.values()]
        rows.append([names[number], *map(percent, [enough, *found])])
    return table(["original", "quality 50 or more", *outcomes], rows)


def false_matches(outcomes: dict[str, Outcome]) -> str:
    rows = []
    for name, outcome in outcomes.items():
        largest = ", ".join(f"{score:.2f}" for score in outcome.other_scores.max(axis=(0, 1)))
        rows.append([name, f"{outcome.wrong.sum()} of {outcome.wrong.size}", largest])
    return table(["hash", "false matches", "largest scores"], rows)


def plot(outcomes: dict[str, Outcome], target: Path) -> None:
    import matplotlib
    from matplotlib.figure import Figure

    first = [edit is EDITS[0] or EDITS[n - 1].name != edit.name for n, edit in enumerate(EDITS)]
    places = np.arange(len(EDITS)) + 0.6 * np.cumsum(first)  # a gap before each edit
    labels = [": ".join(edit[0 if new else 1 : 2]) for new, edit in zip(first, EDITS, strict=True)]
    with matplotlib.rc_context({"svg.hashsalt": "hashkit", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7.5, 9), layout="constrained")
        axes = figure.subplots()
        axes.hlines(places, 0, 100, color="0.9", zorder=0)
        for (name, (colour, shape)), shift in zip(PLOTTED.items(), (-0.24, 0.0, 0.24), strict=True):
            recall = 100 * outcomes[name].found.mean(axis=0)
            axes.plot(recall, places + shift, shape, color=colour, label=name, markersize=5)
        axes.set_yticks(places, labels, fontsize=8.5)
        axes.set(xlim=(-3, 103), ylim=(places[-1] + 0.8, -0.2), xlabel="copies found, %")
        axes.tick_params(left=False)
        axes.spines[["left", "right", "top"]].set_visible(False)
        figure.legend(loc="outside upper right", ncols=len(PLOTTED), frameon=False)
        figure.savefig(target, format="svg", metadata={"Date": None})


def main() -> None:
    """Measure, print, and renew the page and its plot if requested."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--docs", type=Path, help="the folder of the page and the plot to renew")
    arguments = parser.parse_args()
    names = ["film-h264.mp4", *FILMS]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        hashes = list(pool.map(original_and_copies, names))
    outcomes = {name: judged(way, hashes) for name, way in WAYS.items()}
    versions = where_and_with_what(["hashkit", "av", "numpy", "opencv-python-headless"])
    parts = {
        "Copies found, and mean scores, by edit": by_edit(outcomes),
        "Copies found, by original": by_original(names, hashes, outcomes),
        "Originals against copies of others": false_matches(outcomes),
    }
    text = "\n\n".join(f"{heading}:\n\n{rows}" for heading, rows in parts.items())
    text += f"\n\nMeasured on {versions}"
    print(text)
    if arguments.docs:
        page = arguments.docs / "robustness-videos.md"
        before, _, after = re.split(r"(?<=measured -->\n)|(?=<!-- end)", page.read_text())
        page.write_text(f"{before}\n{text}\n\n{after}")
        plot(outcomes, arguments.docs / "robustness-videos.svg")


if __name__ == "__main__":
    main()

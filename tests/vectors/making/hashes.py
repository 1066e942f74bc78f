"""Cases for hashes of pictures and for comparing them, with the reference's values."""

from __future__ import annotations

import hashlib
import io
import sys
from types import ModuleType
from typing import Any

import imagehash
import numpy as np
import pdqhash
from PIL import Image
from threatexchange.signal_type.pdq.pdq_utils import pdq_match, simple_distance

from . import pdq_definition as pdq
from . import pictures
from .cases import Case, Kit, frames_of_csv

# The order of pdqhash.compute_dihedral.
ORIENTATIONS = ("original", "rotated-90", "rotated-180", "rotated-270")
ORIENTATIONS += ("flipped", "mirrored", "transposed", "transverse")
_ODD = np.where(np.arange(16) % 2 == 1, 1.0, -1.0)
_TURNED = {
    "original": lambda dct: dct,
    "rotated-90": lambda dct: (dct * _ODD).T,
    "rotated-180": lambda dct: dct * _ODD * _ODD[:, None],
    "rotated-270": lambda dct: (dct * _ODD[:, None]).T,
    "flipped": lambda dct: dct * _ODD[:, None],
    "mirrored": lambda dct: dct * _ODD,
    "transposed": lambda dct: dct.T,
    "transverse": lambda dct: (dct * _ODD * _ODD[:, None]).T,
}
DISTANCE, QUALITY, PERCENT = 31, 50, 80.0


def make(kit: Kit) -> None:
    for name in pictures.NAMES:
        kit.put(pictures.file_of(name), pictures.netpbm(pictures.draw(name)))
    _bytes(kit)
    _pdq(kit)
    _orientations(kit)
    _classic(kit)
    _pdq_compare(kit)
    _classic_compare(kit)
    _vpdq_compare(kit)


def _hex(vector: np.ndarray[Any, Any]) -> str:
    return f"{int(''.join(map(str, vector)), 2):064x}"


def _bytes(kit: Kit) -> None:
    cases = []
    for name in ("one-pixel", "text-140x150", "large-520x516"):
        data = pictures.netpbm(pictures.draw(name))
        expect = {each: hashlib.new(each, data).hexdigest() for each in _DIGESTS}
        cases.append({"name": name, "ask": {"file": pictures.file_of(name)}, "expect": expect})
    kit.cases("bytes", "Digests of the bytes of a file.", {"hashlib": "Python's"}, cases)


_DIGESTS = ("md5", "sha1", "sha256", "sha512")


def _errors(name: str) -> tuple[float, float]:
    return pdq.ERRORS["ordinary" if name in pictures.ORDINARY else "hard"]


def _pdq(kit: Kit) -> None:
    cases = []
    for name in pictures.NAMES:
        pixels = pictures.draw(name)
        vector, quality = pdqhash.compute(pictures.rgb(pixels))
        expect: Case = {}
        case: Case = {"name": name, "ask": {"file": pictures.file_of(name)}, "expect": expect}
        if min(pixels.shape[:2]) >= 5:
            _halfway(name, pixels, expect, case)
        expect |= {"quality": quality, "hash": _hex(vector)}
        cases.append(case)
    about = "PDQ and its quality; luma and dct say where the two part."
    kit.cases("pdq", about, ("pdqhash", "numpy"), cases, tolerances={"luma": 0.02, "dct": 0.05})


def _halfway(name: str, pixels: pictures.Pixels, expect: Case, case: Case) -> None:
    luma_error, dct_error = _errors(name)
    luma = pdq.luma64(pixels)
    # The reference gives its coefficients backwards: the first belongs to bit 255.
    reference = pdqhash.compute_float(pictures.rgb(pixels))[0][::-1]
    expect["luma"] = {
        "row_0": _rounded(luma[0]),
        "column_63": _rounded(luma[:, 63]),
        "diagonal": _rounded(luma.diagonal()),
    }
    expect["dct"] = _rounded(reference)
    ties = pdq.ties(pdq.dct16(luma), dct_error)
    low, high = pdq.quality_range(luma, luma_error)
    if name in pictures.ORDINARY:
        assert (int(ties, 16), low) == (0, high), f"{name} is not ordinary: draw another"
    if int(ties, 16):
        case["ties"] = ties
    if low < high:
        case["quality_range"] = [low, high]


def _rounded(numbers: np.ndarray[Any, Any]) -> list[float]:
    return [round(float(each), 3) + 0.0 for each in numbers]


def _orientations(kit: Kit) -> None:
    cases = []
    for name in pictures.NAMES:
        pixels = pictures.draw(name)
        if pixels.shape[:2] == (64, 64):
            continue  # here the reference's two functions differ by rounding
        vectors, _ = pdqhash.compute_dihedral(pictures.rgb(pixels))
        expect = dict(zip(ORIENTATIONS, map(_hex, vectors), strict=True))
        case: Case = {"name": name, "ask": {"file": pictures.file_of(name)}, "expect": expect}
        if min(pixels.shape[:2]) >= 5:
            dct = pdq.dct16(pdq.luma64(pixels))
            found = {each: pdq.ties(_TURNED[each](dct), _errors(name)[1]) for each in ORIENTATIONS}
            if ties := {each: mask for each, mask in found.items() if int(mask, 16)}:
                case["ties"] = ties
        cases.append(case)
    kit.cases("pdq_orientations", "PDQ of all eight orientations.", ("pdqhash",), cases)


_CLASSIC = {
    "ahash": imagehash.average_hash,
    "dhash": imagehash.dhash,
    "phash": imagehash.phash,
    "whash": imagehash.whash,
    "colorhash": imagehash.colorhash,
    "crop_resistant": imagehash.crop_resistant_hash,
}
_SMALL = {"ahash": (8, 8), "dhash": (9, 8), "phash": (32, 32)}


def _image(name: str) -> Image.Image:
    return Image.open(io.BytesIO(pictures.netpbm(pictures.draw(name))))


def _classic(kit: Kit) -> None:
    """Of ordinary pictures, and of hard ones for algorithms that compare integers only."""
    cases = []
    for name in pictures.NAMES:
        for algorithm in _CLASSIC if name in pictures.ORDINARY else ("ahash", "dhash"):
            image = _image(name)
            expect: Case = {}
            if algorithm in _SMALL:
                small = image.convert("L").resize(_SMALL[algorithm], Image.Resampling.LANCZOS)
                expect["small"] = small.tobytes().hex()
            expect["hash"] = str(_CLASSIC[algorithm](image))
            ask = {"file": pictures.file_of(name), "algorithm": algorithm}
            cases.append({"name": f"{algorithm} {name}", "ask": ask, "expect": expect})
    tools = ("imagehash", "pillow", "numpy", "scipy", "PyWavelets")
    kit.cases("classic", "The imagehash library's hashes, default parameters.", tools, cases)


def _flipped(value: str, count: int, start: int = 0) -> str:
    """With ``count`` bits flipped, spread over the hash: 37 is coprime to 256."""
    mask = sum(1 << (start + 37 * n) % 256 for n in range(count))
    return f"{int(value, 16) ^ mask:064x}"


def _base(seed: str) -> str:
    return pictures.random_bytes(seed, 32).tobytes().hex()


def _pdq_compare(kit: Kit) -> None:
    a = _base("compare")
    pairs = [(f"{n} bits", a, 100, _flipped(a, n), 100) for n in (0, 1, 10, 30, 31, 32, 128, 256)]
    pairs += [
        ("last bit", a, 80, f"{int(a, 16) ^ 1:064x}", 80),
        ("first bit", a, 80, f"{int(a, 16) ^ 1 << 255:064x}", 80),
        ("strangers", a, 100, _base("other"), 100),
        ("zeros before", "0" * 63 + "f", 60, "0" * 64, 60),
        ("quality 50", a, 50, a, 50),
        ("quality 49 of the first", a, 49, a, 100),
        ("quality 49 of the second", a, 100, a, 49),
    ]
    cases = []
    for name, first, quality, second, other in pairs:
        enough = min(quality, other) >= QUALITY
        cases.append(
            {
                "name": name,
                "ask": {
                    "first": {"hash": first, "quality": quality},
                    "second": {"hash": second, "quality": other},
                },
                "expect": {
                    "distance": simple_distance(first, second),
                    "match": enough and pdq_match(first, second, DISTANCE),
                },
            }
        )
    about = "Bits that differ; a match at 31 or less, where both have a quality of 50 or more."
    thresholds = {"distance": DISTANCE, "quality": QUALITY}
    kit.cases("pdq_compare", about, ("threatexchange",), cases, thresholds=thresholds)


def _classic_compare(kit: Kit) -> None:
    names = ["dim-150x100", "dimmer-150x100", "large-520x516", "thin-200x6"]
    cases = []
    for algorithm in ("ahash", "phash", "dhash", "whash"):
        first, *others = (_CLASSIC[algorithm](_image(name)) for name in names)
        for name, other in zip(names, [first, *others], strict=True):
            away = int(first - other)
            ask = {"algorithm": algorithm, "first": str(first), "second": str(other)}
            expect = {"distance": away, "match": away <= 10}
            cases.append({"name": f"{algorithm} {name}", "ask": ask, "expect": expect})
    about = "Bits of 64 that differ; a match at 10 or less is in common use."
    kit.cases("classic_compare", about, ("imagehash",), cases, thresholds={"distance": 10})


def _vpdq_reference() -> tuple[Any, Any]:
    """The package's matcher. It imports ``vpdq`` for hashing, which matching does not need."""
    stand_in = ModuleType("vpdq")
    stand_in.VpdqFeature = object  # type: ignore[attr-defined]
    before = sys.modules.get("vpdq")
    sys.modules["vpdq"] = stand_in
    try:
        from threatexchange.extensions.vpdq.vpdq_brute_matcher import match_VPDQ_hash_brute
        from threatexchange.extensions.vpdq.vpdq_util import VpdqCompactFeature
    finally:
        if before is None:
            del sys.modules["vpdq"]
        else:
            sys.modules["vpdq"] = before
    return match_VPDQ_hash_brute, VpdqCompactFeature


def _vpdq_pairs() -> dict[str, tuple[list[tuple[str, int]], list[tuple[str, int]]]]:
    def video(name: str) -> list[tuple[str, int]]:
        frames = frames_of_csv(f"conformance/vpdq/{name}.per_second.csv")
        return [(each["hash"], each["quality"]) for each in frames]

    film = [(_base(f"frame {n}"), 100) for n in range(10)]
    near = [(_flipped(value, 31, n), 100) for n, (value, _) in enumerate(film)]
    far = [(_flipped(value, 32, n), 100) for n, (value, _) in enumerate(film)]
    return {
        "itself": (video("h264_30fps_cuts.mp4"), video("h264_30fps_cuts.mp4")),
        "another": (video("h264_30fps_cuts.mp4"), video("odd_dimensions.mp4")),
        "coded twice": (video("vp9_24fps.webm"), video("vp9_rgb_planar_24fps.webm")),
        "coded thrice": (video("av1_24fps.mp4"), video("vp9_24fps.webm")),
        "first half": (film[:5], film),
        "31 bits": (film, near),
        "32 bits": (film, far),
        "eight of ten": (film, film[:8]),
        "seven of ten": (film, film[:7]),
        "seven of ten, asked the other way": (film[:7], film),
        "repeated frames count once": ([*film[:1] * 9, film[1]], film[1:]),
        "quality 49 is left out": ([*film[:3], (film[3][0], 49)], film[:2]),
        "quality 50 is not": ([*film[:3], (film[3][0], 50)], film[:2]),
        "order is nothing": (film[::-1], film[3:] + film[:3]),
    }


def _vpdq_compare(kit: Kit) -> None:
    match, feature = _vpdq_reference()
    cases = []
    for name, sides in _vpdq_pairs().items():
        features = [[feature(value, quality, 0.0) for value, quality in side] for side in sides]
        found = match(*features, QUALITY, DISTANCE)
        percents = found.query_match_percent, found.compared_match_percent
        cases.append(_percent_case(name, sides, percents))
    film = [(_base("frame 0"), 100)]
    # The reference divides by zero where a side has no frame left: hashkit says 0.
    cases.append(_percent_case("nothing left on one side", (film, [(film[0][0], 9)]), (0.0, 0.0)))
    cases.append(_percent_case("no frames", ([], film), (0.0, 0.0)))
    about = "Percent of each side's frames that the other has; a match from 80 of the first on."
    kit.cases(
        "vpdq_compare",
        about,
        ("threatexchange",),
        cases,
        tolerances={"percent": 0.01},
        thresholds={"distance": DISTANCE, "quality": QUALITY, "percent": PERCENT},
    )


def _percent_case(name: str, sides: Any, percents: tuple[float, float]) -> Case:
    expect = {"percents": [round(each, 4) for each in percents], "match": percents[0] >= PERCENT}
    return {"name": name, "ask": {"first": sides[0], "second": sides[1]}, "expect": expect}

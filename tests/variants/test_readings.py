"""Other readings of a file: as tools read it that do not show it as people see it."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import hashkit
from hashkit.hashes import pdq, vpdq
from hashkit.media import images
from hashkit.models import MOVING_READINGS, STILL_READINGS, FrameHash, FrameHashes, Hash
from hashkit.variants import readings
from hashkit.variants.recipes import is_edit
from hashkit.variants.sets import LEVELS, has_readings

ORIENTATION = 0x0112
OPPOSITE = {5: 5, 6: 8, 7: 7, 8: 6}


def variants_of(path, algorithms="pdq", **options):
    hashed = hashkit.hash_file(path, algorithms, **options)
    return [each.variant for each in (*hashed.hashes, *hashed.frame_variants)]


def saved(path, picture, orientation=1, **options):
    if orientation != 1:
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        options["exif"] = exif
    picture.save(path, **options)
    return path


def see_through(scene):
    """One scene on top, and under its transparent half another."""
    picture = scene(1, 300, 240).convert("RGBA")
    alpha = np.full((240, 300), 255, np.uint8)
    alpha[:, 150:] = 0
    picture.putalpha(Image.fromarray(alpha))
    return picture


class TestPictures:
    @pytest.mark.parametrize("name", ["scene-1.jpg", "tiff.tiff", "webp.webp", "jpeg-grey.jpg"])
    @pytest.mark.parametrize("level", ["none", "readings"])
    def test_an_upright_opaque_picture_has_one_hash(self, samples, name, level):
        assert variants_of(samples / name, variants=level) == ["original"]

    def test_it_costs_nothing(self, samples, monkeypatch):
        """An opaque upright picture is hashed once, and a transparent one once more."""
        calls = []
        compute = pdq.compute
        monkeypatch.setattr(pdq, "compute", lambda pixels: calls.append(1) or compute(pixels))
        for name, times in (("scene-1.jpg", 1), ("png-rgba.png", 2), ("orientation-6.png", 2)):
            calls.clear()
            hashkit.hash_file(samples / name, "pdq")
            assert len(calls) == times, name

    def test_decoded_once(self, samples, monkeypatch):
        calls = []
        header = images.open_header
        monkeypatch.setattr(images, "open_header", lambda *a: calls.append(1) or header(*a))
        hashkit.hash_file(samples / "png-palette-alpha.png", "pdq")
        assert calls == [1]

    @pytest.mark.parametrize("orientation", range(1, 9))
    @pytest.mark.parametrize("ending", ["png", "webp", "tiff", "jpg"])
    def test_as_stored(self, scene, tmp_path, ending, orientation):
        stored = scene(3, 300, 240)
        path = saved(tmp_path / f"a.{ending}", stored, orientation)
        expected = [] if orientation == 1 else ["as-stored"]
        assert variants_of(path) == ["original", *expected]
        if expected:
            found = hashkit.hash_file(path, "pdq").hashes[1]
            away = pdq.distance(found.text, pdq.compute(np.asarray(stored)).text)
            assert away <= (8 if ending in ("jpg", "webp") else 0)

    def test_what_lies_under_transparency(self, scene, tmp_path):
        path = saved(tmp_path / "a.png", see_through(scene))
        hashed = hashkit.hash_file(path)
        found = [each for each in hashed.hashes if each.algorithm == "pdq"]
        assert [each.variant for each in found] == ["original", "alpha-dropped"]
        under = np.asarray(scene(1, 300, 240))
        assert found[1].text == pdq.compute(under).text
        assert [each.code for each in hashed.notices] == ["transparent"]
        assert variants_of(path, variants="none") == ["original"]
        assert hashkit.hash_file(path, variants="none").notices == ()

    def test_both_at_once(self, scene, tmp_path):
        path = saved(tmp_path / "a.png", see_through(scene), 6)
        names = ["original", "as-stored", "alpha-dropped", "alpha-dropped+as-stored"]
        assert variants_of(path) == names
        stored = np.asarray(scene(1, 300, 240))
        expected = pdq.compute(np.rot90(stored, 3)), pdq.compute(stored)
        found = hashkit.hash_file(path, "pdq").hashes[2:]
        assert [each.text for each in found] == [each.text for each in expected]

    def test_colours_under_what_is_all_transparent(self, scene, tmp_path):
        """People see white, and the tool of a service a picture: it is found, and not too plain."""
        picture = see_through(scene)
        picture.putalpha(0)
        hashed = hashkit.hash_file(saved(tmp_path / "a.png", picture), "pdq")
        assert [each.variant for each in hashed.hashes] == ["original", "alpha-dropped"]
        assert hashed["pdq"].quality == 0
        assert "low_quality" not in [each.code for each in hashed.notices]

    def test_a_plain_reading_is_left_out(self, scene, tmp_path):
        """Under the transparency there is one colour."""
        picture = Image.new("RGBA", (300, 240), "red")
        picture.putalpha(scene(1, 300, 240).convert("L"))
        hashed = hashkit.hash_file(saved(tmp_path / "a.png", picture), "pdq")
        assert [each.variant for each in hashed.hashes] == ["original"]
        assert hashed["pdq"].quality >= 50
        assert hashed.notices == ()

    def test_next_to_no_transparency_is_no_other_reading(self, scene, tmp_path):
        picture = scene(1, 300, 240).convert("RGBA")
        picture.putpixel((5, 5), (0, 0, 0, 0))
        assert variants_of(saved(tmp_path / "a.png", picture)) == ["original"]

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("gif.gif", ["palette-indices"]),
            ("png-palette-alpha.png", ["alpha-dropped", "palette-indices"]),
            ("jpeg-cmyk.jpg", ["cmyk-as-rgb"]),
            ("png-grey-alpha.png", ["alpha-dropped"]),
            ("orientation-5.png", ["as-stored"]),
            ("png-1-bit.png", []),
            ("png-grey-16.png", []),
        ],
    )
    def test_samples(self, samples, name, expected):
        assert variants_of(samples / name) == ["original", *expected]

    def test_numbers_of_a_palette(self, samples):
        with Image.open(samples / "gif.gif") as picture:
            expected = pdq.compute(np.asarray(picture))
        assert hashkit.hash_file(samples / "gif.gif", "pdq").hashes[1].text == expected.text

    def test_values_of_16_bits_are_clipped(self, scene, tmp_path):
        grey = np.asarray(scene(4, 300, 240).convert("L")).astype(np.uint16)
        path = saved(tmp_path / "a.png", Image.fromarray(grey * 2))
        assert variants_of(path) == ["original", "clipped-to-8-bits"]
        clipped = np.minimum(grey * 2, 255).astype(np.uint8)
        found = hashkit.hash_file(path, "pdq").hashes[1]
        assert found.text == pdq.compute(clipped).text

    @pytest.mark.parametrize("level", LEVELS)
    def test_beside_the_edits_of_every_level(self, scene, tmp_path, level):
        path = saved(tmp_path / "a.png", see_through(scene), 2)
        names = variants_of(path, variants=level)
        edits = {"none": 0, "readings": 0, "orientations": 7, "standard": 15, "wide": 47}[level]
        others = [] if level == "none" else names[1:4]
        assert names[0] == "original"
        assert sum(map(is_edit, names)) == edits
        assert names[1 : 1 + len(others)] == [each for each in STILL_READINGS if each in others]
        assert len(names) == 1 + len(others) + edits
        assert has_readings(level) is bool(others)

    def test_isolated_as_in_this_process(self, samples, tmp_path, scene):
        paths = [samples / name for name in ("gif.gif", "film-variable-rate.mp4", "scene-1.jpg")]
        paths += [samples / "film-portrait-turned.mp4"]
        paths.append(saved(tmp_path / "a.png", see_through(scene), 6))
        for level in ("readings", "wide", "none"):
            one_by_one = [hashkit.hash_file(path, variants=level) for path in paths]
            assert list(hashkit.hash_files(paths, variants=level)) == one_by_one


class TestKept:
    ORIGINAL = Hash("pdq", "0" * 64, 100)

    def kept(self, monkeypatch, *found):
        each = iter(found)
        monkeypatch.setattr(pdq, "compute", lambda pixels: next(each))
        names = [(name, None) for name in STILL_READINGS[: len(found)]]
        return [
            STILL_READINGS.index(one.variant)
            for one in readings.hash_readings(names, self.ORIGINAL)
        ]

    def test_only_what_is_more_than_16_bits_from_all_before(self, monkeypatch):
        def bits(count):
            return Hash("pdq", f"{(1 << count) - 1:064x}", 100)

        assert self.kept(monkeypatch, bits(16), bits(17), bits(33), bits(34)) == [1, 3]

    def test_only_what_services_take(self, monkeypatch):
        values = [Hash("pdq", digit * 64, quality) for digit, quality in (("f", 49), ("3", 50))]
        assert self.kept(monkeypatch, *values) == [1]

    @given(st.lists(st.integers(0, 7), max_size=5), st.lists(st.integers(0, 7), max_size=5))
    def test_of_videos(self, first, second):
        """Kept where a frame is more than 16 bits from all frames of the original."""

        def frames(numbers, name="original"):
            values = [f"{(1 << (6 * each)) - 1:064x}" for each in numbers]
            hashes = [FrameHash(n, float(n), value, 100) for n, value in enumerate(values)]
            return FrameHashes(1.0, tuple(hashes), name)

        kept = readings.apart([frames(second, "by-frame-count")], frames(first))
        new = any(all(6 * abs(one - other) > 16 for other in first) for one in second)
        assert bool(kept) is new

    def test_blocks_do_not_matter(self, monkeypatch):
        values = [f"{(1 << n) - 1:064x}" for n in range(0, 250, 5)]
        hashes = tuple(FrameHash(n, float(n), value, 100) for n, value in enumerate(values))
        reading = FrameHashes(1.0, (*hashes[::-1],), "as-stored")
        monkeypatch.setattr(readings, "_BLOCK", 7)
        assert readings.apart([reading], FrameHashes(1.0, hashes[::3])) == ()
        assert readings.apart([reading], FrameHashes(1.0, hashes[:40])) == (reading,)

    def test_plain_frames_do_not_count(self):
        plain = FrameHashes(1.0, (FrameHash(0, 0.0, "f" * 64, 49),), "as-stored")
        good = FrameHashes(1.0, (FrameHash(0, 0.0, "f" * 64, 50),), "as-stored")
        nothing = FrameHashes(1.0, (FrameHash(0, 0.0, "0" * 64, 10),))
        assert readings.apart([plain], nothing) == ()
        assert readings.apart([good], nothing) == (good,)


def film(path, scene, times, turned=0):
    """A camera that moves fast over a scene; a frame at each of these times, in seconds."""
    wide = np.asarray(scene(7, 1200, 240))
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=30, options={"crf": "12", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 90_000)
        if turned:
            stream.set_display_rotation(turned)
        for time in times:
            x = min(870, int(time * 90))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(wide[:, x : x + 320]), "rgb24")
            frame.pts, frame.time_base = round(time * 90_000), Fraction(1, 90_000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


STANDS_STILL = [n / 30 for n in range(60)] + [5 + n / 10 for n in range(40)]


class TestVideos:
    def moving(self, path, **options):
        hashed = hashkit.hash_file(path, "vpdq", **options)
        return hashed, {each.variant: each for each in (hashed.frames, *hashed.frame_variants)}

    def test_by_frame_count_against_a_plain_model(self, scene, tmp_path):
        """Of Meta's vpdq: every int(seconds * average rate)-th frame, whatever its time. A model,
        not the program itself."""
        path = film(tmp_path / "a.mp4", scene, STANDS_STILL)
        whole = hashkit.hash_file(path, "vpdq", sample="all").frames.hashes
        every = {each.frame: each for each in whole}
        with av.open(str(path)) as container:
            rate = container.streams.video[0].average_rate
        for seconds in (1.0, 0.5, 0.3):
            hashed, found = self.moving(path, sample=seconds)
            expected = range(0, len(every), max(1, int(seconds * rate)))
            assert found["by-frame-count"].hashes == tuple(every[number] for number in expected)
            assert [each.code for each in hashed.notices] == ["variable_rate"]

    def test_by_time_against_a_plain_model(self, scene, tmp_path):
        """Of 29.97 frames a second, 29 are counted as a second. After 12, that is 0.4 s less."""
        path = film(tmp_path / "a.mp4", scene, [n * 1001 / 30_000 for n in range(370)])
        whole = hashkit.hash_file(path, "vpdq", sample="all").frames.hashes
        hashed, found = self.moving(path)
        assert set(found) == {"original", "by-time"}
        assert [each.frame for each in found["original"].hashes] == list(range(0, 370, 29))
        shown = [[each for each in whole if each.timestamp <= k][-1] for k in range(13)]
        assert found["by-time"].hashes == tuple(shown)
        assert hashed.notices == ()
        assert set(self.moving(path, variants="none")[1]) == {"original"}

    def test_of_a_constant_rate_there_is_none(self, scene, tmp_path):
        path = film(tmp_path / "a.mp4", scene, [n / 30 for n in range(90)])
        hashed, found = self.moving(path)
        assert set(found) == {"original"}
        assert hashed.notices == ()

    @pytest.mark.parametrize("sample", ["all", "keyframes"])
    def test_no_count_where_all_frames_are_taken(self, scene, tmp_path, sample):
        path = film(tmp_path / "a.mp4", scene, STANDS_STILL)
        assert set(self.moving(path, sample=sample)[1]) == {"original"}

    def test_as_stored(self, samples):
        """What the same frames are that the phone stored lying."""
        _, found = self.moving(samples / "film-portrait-turned.mp4")
        assert set(found) == {"original", "as-stored"}
        with av.open(str(samples / "film-portrait-turned.mp4")) as container:
            stored = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        for each in found["as-stored"].hashes:
            expected = vpdq.compute(0, 0.0, stored[each.frame], False)
            assert pdq.distance(each.value, expected.value) <= 6

    def test_turned_and_of_a_variable_rate(self, scene, tmp_path):
        path = film(tmp_path / "a.mp4", scene, STANDS_STILL, turned=90)
        _, found = self.moving(path)
        assert set(found) == {"original", *MOVING_READINGS} - {"by-time"}
        upright, stored = found["by-frame-count"], found["by-frame-count+as-stored"]
        assert [each.frame for each in upright.hashes] == [each.frame for each in stored.hashes]
        assert set(self.moving(path, variants="none")[1]) == {"original"}

    def test_each_frame_is_hashed_once(self, scene, tmp_path, monkeypatch):
        path = film(tmp_path / "a.mp4", scene, STANDS_STILL)
        hashed, compute = [], vpdq.compute
        monkeypatch.setattr(vpdq, "compute", lambda n, *more: hashed.append(n) or compute(n, *more))
        constant = film(tmp_path / "b.mp4", scene, [n * 1001 / 30_000 for n in range(90)])
        for sample in (1.0, 0.5, 0.01):
            for each in (path, constant):
                hashed.clear()
                self.moving(each, sample=sample)
                assert len(hashed) == len(set(hashed))

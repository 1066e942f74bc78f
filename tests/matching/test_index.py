"""The index finds exactly what comparing with every hash finds, and its file holds what it held."""

from __future__ import annotations

import io
import os
import random
import stat
import struct
import subprocess
import sys
import warnings
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hashkit.errors import (
    DocumentInvalid,
    FileEmpty,
    FileMissing,
    OutputExists,
    OutputUnwritable,
)
from hashkit.hashes import pdq
from hashkit.matching import index as module
from hashkit.matching.index import Index, Match

ENGINES = {"numpy": float("inf"), "faiss": 0}
values = st.integers(0, 2**256 - 1)
keys = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates too
entries = st.lists(st.tuples(values, keys), max_size=12)


@pytest.fixture(params=["numpy", pytest.param("faiss", marks=pytest.mark.test_all)])
def engine(request):
    """Where to begin with faiss: never, or at once."""
    return ENGINES[request.param]


def text(value):
    return f"{value:064x}"


def index_of(pairs, engine=float("inf")):
    index = Index()
    index._faiss_from = engine
    index.extend((text(value), key) for value, key in pairs)
    return index


def by_brute_force(pairs, query, threshold):
    found = [((value ^ query).bit_count(), key) for value, key in pairs]
    near = [(distance, key) for distance, key in found if distance <= threshold]
    return [Match(key, distance) for distance, key in sorted(near, key=lambda each: each[0])]


def with_flips(rng, value, count):
    return value ^ sum(1 << bit for bit in rng.sample(range(256), count))


def near_and_far(seed, threshold, groups=30):
    """Values in groups: each with some at the threshold, just below, just above, and equal."""
    rng = random.Random(seed)
    found = []
    for _ in range(groups):
        start = rng.getrandbits(256)
        counts = [0, 0, *(min(max(threshold + step, 0), 256) for step in (-1, 0, 0, 1, 2))]
        found += [with_flips(rng, start, count) for count in counts]
    rng.shuffle(found)
    return found


@pytest.mark.parametrize("threshold", [0, 1, 31, 64, 128, 255, 256])
@pytest.mark.parametrize("seed", range(3))
def test_against_brute_force(engine, threshold, seed):
    pairs = [(value, str(i)) for i, value in enumerate(near_and_far(seed, threshold))]
    index = index_of(pairs, engine)
    queries = [value for value, _ in pairs[::3]]
    found = index.search_many([text(query) for query in queries], threshold)
    assert found == [by_brute_force(pairs, query, threshold) for query in queries]
    assert any(len(matches) > 1 for matches in found)
    assert index.search(text(queries[0]), threshold) == found[0]


@given(entries=entries, query=values, threshold=st.integers(0, 256))
@example(entries=[(0, "a"), (2**256 - 1, "b")], query=0, threshold=256)
def test_whatever_is_in_it(entries, query, threshold):
    assert index_of(entries).search(text(query), threshold) == by_brute_force(
        entries, query, threshold
    )


def test_the_threshold_is_included_and_31_if_not_given(engine):
    index = index_of([(2**31 - 1, "31"), (2**32 - 1, "32"), ((2**31 - 1) << 225, "31 others")])
    index._faiss_from = engine
    assert index.search(text(0)) == [Match("31", 31), Match("31 others", 31)]
    assert pdq.THRESHOLD == 31
    assert index.search(text(0), 30) == []
    assert index.search(text(0), 32)[2] == Match("32", 32)


def test_each_bit_counts_once(engine):
    index = index_of([(0, "zero")], engine)
    queries = [text(1 << bit) for bit in range(256)] + [
        text((1 << bits) - 1) for bits in range(257)
    ]
    distances = [found[0].distance for found in index.search_many(queries, 256)]
    assert distances == [1] * 256 + [*range(257)]


@given(a=values, b=values)
def test_symmetric_and_zero_with_itself(a, b):
    there, back = (
        index_of([(x, "")]).search(text(y), 256)[0].distance for x, y in ((a, b), (b, a))
    )
    assert there == back == pdq.distance(text(a), text(b))
    assert index_of([(a, "a")]).search(text(a), 0) == [Match("a", 0)]


def test_nearest_first_and_ties_in_order_of_being_added(engine):
    pairs = [(3, "b"), (0, "z"), (1, "y"), (0, "a"), (2, "b"), (5, "a"), (0, "a")]
    found = index_of(pairs, engine).search(text(0))
    assert [tuple(match) for match in found] == [
        *(("z", 0), ("a", 0), ("a", 0)),
        *(("y", 1), ("b", 1)),
        *(("b", 2), ("a", 2)),
    ]


def test_ties_across_blocks(engine, monkeypatch):
    monkeypatch.setattr(module, "_BLOCK", 3)
    pairs = [((1 << i % 3) - 1, str(i)) for i in range(20)]
    found = index_of(pairs, engine).search(text(0))
    assert found == by_brute_force(pairs, 0, 31)
    assert [match.key for match in found[:3]] == ["0", "3", "6"]


@pytest.mark.test_all
def test_engines_agree_on_many():
    pairs = [(value, str(i % 50)) for i, value in enumerate(near_and_far(9, 31, groups=12_000))]
    assert len(pairs) > module._BLOCK  # more than one block of NumPy's
    index = index_of(pairs)
    queries = [text(value) for value, _ in pairs[::700]]
    found = {}
    for name, index._faiss_from in ENGINES.items():
        found[name] = index.search_many(queries)
    assert found["numpy"] == found["faiss"]
    assert sum(map(len, found["numpy"])) > 2 * len(queries)


@pytest.mark.test_all
def test_faiss_stays_in_the_thread_that_calls_it(monkeypatch):
    import faiss

    seen = []

    class Flat:
        def range_search(self, *_):
            seen.append(faiss.omp_get_max_threads())
            raise KeyboardInterrupt

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    monkeypatch.setattr(Index, "_flat_index", lambda _: Flat())
    try:
        with pytest.raises(KeyboardInterrupt):
            index_of([(0, "a")], engine=0).search(text(0))
        assert seen == [1]
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)


def test_faiss_is_used_for_large_ones_only(monkeypatch):
    used = []
    monkeypatch.setattr(module, "_faiss", object)
    monkeypatch.setattr(Index, "_by_faiss", lambda *_: used.append(1) or [])
    index = index_of([(0, "a"), (0, "b")], engine=3)
    assert len(index.search(text(0))) == 2
    assert not used
    index.add(text(0), "c")
    assert index.search_many([text(0)]) == []
    assert used
    assert Index()._faiss_from == module.FAISS_FROM == 1_000_000


def test_without_faiss(monkeypatch):
    module._faiss.cache_clear()
    monkeypatch.setitem(sys.modules, "faiss", None)  # as if it were not installed
    try:
        assert module._faiss() is None
        assert index_of([(0, "a")], engine=0).search(text(0)) == [Match("a", 0)]
    finally:
        module._faiss.cache_clear()


@pytest.mark.parametrize(
    ("warning", "heard"),
    [
        ("builtin type SwigPyObject has no __module__ attribute", False),
        ("builtin type swigvarlink has no __module__ attribute", False),
        ("numpy.core._multiarray_umath is deprecated and has been renamed", False),
        ("something else is deprecated", True),
    ],
)
def test_what_faiss_warns_of_when_it_is_imported(tmp_path, monkeypatch, warning, heard):
    (tmp_path / "faiss.py").write_text(
        f"import warnings\nwarnings.warn({warning!r}, DeprecationWarning)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "faiss", raising=False)
    module._faiss.cache_clear()
    try:
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            assert module._faiss().__file__ == str(tmp_path / "faiss.py")
        assert [str(each.message) for each in seen] == ([warning] if heard else [])
    finally:
        module._faiss.cache_clear()
        sys.modules.pop("faiss", None)


def test_faiss_is_imported_when_it_is_needed():
    code = """
import sys
from hashkit.matching.index import Index
index = Index()
index.add("0" * 64, "a")
index.search("0" * 64)
print("faiss" in sys.modules)
"""
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, check=True).stdout.strip() == b"False"


def test_bits_are_counted():
    numbers = [0, 2**256 - 1, *(1 << bit for bit in range(256)), *near_and_far(4, 31)]
    words = module._words([text(number) for number in numbers])
    ones = module._ones(np.ascontiguousarray(words))
    assert ones.tolist() == [number.bit_count() for number in numbers]
    assert ones.dtype == np.uint16
    pairs = [(number, str(i)) for i, number in enumerate(numbers)]
    assert index_of(pairs).search(text(numbers[5])) == by_brute_force(pairs, numbers[5], 31)


def test_grows(engine):
    index = index_of([], engine)
    pairs, shapes = [], set()
    for number in range(300):
        pairs.append((number, str(number)))
        index.add(text(number), str(number))
        assert len(index) == number + 1
        shapes.add(index._words.shape)
        if number % 50 == 0:  # searched in between, the copy of faiss must follow
            assert index.search(text(5), 3) == by_brute_force(pairs, 5, 3)
    index.extend((text(number), "more") for number in range(1000))
    pairs += [(number, "more") for number in range(1000)]
    assert len(index) == 1300
    assert index.search(text(5), 2) == by_brute_force(pairs, 5, 2)
    assert len(shapes) < 12  # doubling, not one by one


def test_nothing_to_search_or_to_search_for(engine):
    index = index_of([], engine)
    assert len(index) == 0
    assert index.search(text(0), 256) == []
    assert index.search_many([text(0), text(1)]) == [[], []]
    index.extend([])
    index.add(text(0), "a")
    assert index.search_many([]) == []


def test_upper_and_lower_case_are_one():
    index = Index()
    index.add("AB" * 32, "a")
    assert index.search("ab" * 32, 0) == [Match("a", 0)]


BAD_VALUES = [
    *("", "0" * 63, "0" * 65, "0" * 63 + "g", "0" * 63 + "\n", " " + "0" * 63, "0x" + "0" * 62),
    *("0" * 64 + "\n", "00 " * 21 + "0", "\u0660" * 64, b"0" * 64, 0, None),
]


@pytest.mark.parametrize("value", BAD_VALUES)
def test_values_that_are_none(value):
    index = index_of([(0, "a")])
    with pytest.raises(ValueError, match="64 hex digits"):
        index.add(value, "b")
    with pytest.raises(ValueError, match="64 hex digits"):
        index.extend([(text(1), "c"), (value, "b")])
    with pytest.raises(ValueError, match="64 hex digits"):
        index.search(value)
    assert len(index) == 1
    assert index.search(text(0), 256) == [Match("a", 0)]


def test_keys_are_text():
    index = Index()
    with pytest.raises(TypeError, match="text"):
        index.extend([(text(0), "a"), (text(0), 1)])
    assert len(index) == 0


@pytest.mark.parametrize("threshold", [-1, 257, 1000])
def test_thresholds_out_of_range(threshold, engine):
    with pytest.raises(ValueError, match="0 to 256"):
        index_of([(0, "a")], engine).search(text(0), threshold)


@given(entries=entries)
@example(entries=[])
@example(entries=[(0, ""), (0, "a\udcffb"), (1, "\ud83d"), (1, "\ude00"), (2, "\0/\n")])
def test_what_is_saved_is_loaded(entries):
    index = index_of(entries)
    words, keys = module._from_bytes(saved(index))
    assert words.tobytes() == np.ascontiguousarray(index._words[:, : len(index)]).tobytes()
    assert keys == [key for _, key in entries]


def saved(index):
    """The bytes that ``save`` writes, without a disk."""
    written = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "write_whole", lambda _, content, replace: written.write(content))
        index.save("nowhere")
    return written.getvalue()


def test_save_and_load(tmp_path, engine):
    pairs = [(value, f"{i}.jpg") for i, value in enumerate(near_and_far(1, 31))]
    index_of(pairs).save(tmp_path / "a.index")
    loaded = Index.load(str(tmp_path / "a.index"))
    loaded._faiss_from = engine
    assert loaded.search(text(pairs[0][0])) == by_brute_force(pairs, pairs[0][0], 31)
    loaded.add(text(0), "more")  # it can still grow
    assert loaded.search(text(0), 0) == [Match("more", 0)]
    assert len(loaded) == len(pairs) + 1


def test_an_empty_index_is_saved_and_loaded(tmp_path):
    Index().save(tmp_path / "a.index")
    loaded = Index.load(tmp_path / "a.index")
    assert len(loaded) == 0
    loaded.add(text(7), "a")
    assert loaded.search(text(7)) == [Match("a", 0)]


def test_the_format_stays():
    body = b"hashkit-index" + b"\x01" + struct.pack("<Q", 2)
    body += bytes(31) + b"\x01" + b"\xab" * 32 + struct.pack("<II", 1, 2) + "aé".encode()
    assert saved(index_of([(1, "a"), (int("ab" * 32, 16), "é")])) == body + sha256(body).digest()


def test_the_file_is_for_the_owner_and_alone(tmp_path):
    path = tmp_path / "a.index"
    index_of([(0, "old")]).save(path)
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_bytes()
    with pytest.raises(OutputExists):
        index_of([(1, "new")]).save(path)
    assert path.read_bytes() == before
    index_of([(1, "new")]).save(path, replace=True)
    assert Index.load(path).search(text(1), 0) == [Match("new", 0)]
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written(tmp_path, monkeypatch):
    index = index_of([(0, "abc")])
    with pytest.raises(OutputUnwritable):
        index.save(tmp_path / "none" / "a.index")
    size = len(saved(index))
    monkeypatch.setattr(module, "MAX_BYTES", size)
    index.save(tmp_path / "a.index")
    monkeypatch.setattr(module, "MAX_BYTES", size - 1)
    with pytest.raises(OutputUnwritable, match="too big"):
        index.save(tmp_path / "b.index")
    with pytest.raises(DocumentInvalid, match="too big"):
        Index.load(tmp_path / "a.index")
    assert [path.name for path in tmp_path.iterdir()] == ["a.index"]


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileMissing):
        Index.load(tmp_path / "none")
    (tmp_path / "empty").touch()
    with pytest.raises(FileEmpty):
        Index.load(tmp_path / "empty")
    (tmp_path / "other").write_bytes(b"\xff\xd8 a picture" * 10)
    with pytest.raises(DocumentInvalid, match="not a saved hashkit index"):
        Index.load(tmp_path / "other")


VALID = saved(index_of([(5, "a.jpg"), (2**256 - 1, "é\udcff"), (5, "")]))


def sealed(body):
    return body + sha256(body).digest()


def test_every_change_of_a_bit_is_noticed():
    for at in range(len(VALID)):
        for bit in range(8):
            changed = bytearray(VALID)
            changed[at] ^= 1 << bit
            with pytest.raises(DocumentInvalid):
                module._from_bytes(bytes(changed))


def test_every_cut_and_every_addition_is_noticed():
    for end in range(len(VALID)):
        for untrusted in (VALID[:end], VALID[end + 1 :], VALID + VALID[: end + 1]):
            with pytest.raises(DocumentInvalid):
                module._from_bytes(untrusted)


def test_another_version():
    body = bytearray(VALID[:-32])
    body[13] = 2
    with pytest.raises(DocumentInvalid, match="another version"):
        module._from_bytes(sealed(bytes(body)))


@pytest.mark.parametrize(
    "rest",
    [
        struct.pack("<Q", 2**64 - 1),
        struct.pack("<Q", 1),
        struct.pack("<Q", 1) + bytes(35),
        struct.pack("<Q", 1) + bytes(32) + struct.pack("<I", 2**32 - 1),
        struct.pack("<Q", 1) + bytes(32) + struct.pack("<I", 1),
        struct.pack("<Q", 1) + bytes(32) + struct.pack("<I", 1) + b"ab",
        struct.pack("<Q", 1) + bytes(32) + struct.pack("<I", 1) + b"\xff",
        struct.pack("<Q", 2) + bytes(64) + struct.pack("<II", 1, 1) + "é".encode(),
        struct.pack("<Q", 2) + bytes(64) + struct.pack("<II", 2, 2**32 - 1) + b"a",
        struct.pack("<Q", 0) + b"a",
    ],
)
def test_counts_that_do_not_fit(rest):
    with pytest.raises(DocumentInvalid, match="cut short or damaged"):
        module._from_bytes(sealed(b"hashkit-index\x01" + rest))


@given(untrusted=st.binary(max_size=300))
def test_any_bytes(untrusted):
    with pytest.raises(DocumentInvalid):
        module._from_bytes(untrusted)
    for start in (b"hashkit-index", b"hashkit-index\x01"):
        assert_read_or_refused(sealed(start + untrusted))


@given(
    entries=entries,
    changes=st.lists(st.tuples(st.integers(13, 600), st.binary(max_size=8)), max_size=4),
    cut=st.integers(0, 40),
)
def test_changed_and_made_to_fit(entries, changes, cut):
    """A hostile file has the right SHA-256. It is read as what it says, or refused."""
    body = bytearray(saved(index_of(entries))[:-32])
    for at, replacement in changes:
        body[at : at + len(replacement)] = replacement
    assert_read_or_refused(sealed(bytes(body[: len(body) - cut])))


def assert_read_or_refused(untrusted):
    try:
        words, keys = module._from_bytes(untrusted)
    except DocumentInvalid:
        return
    index = Index()
    index._words, index._keys = words, keys
    assert words.shape == (4, len(keys))
    assert saved(index) == untrusted  # nothing was made up and nothing left out

"""Searching many PDQ hashes: hashkit beside its peers, in one run.
``python bench/searching.py [--markdown FILE]``.

Needs ``pip install '.[bench]'``. The ways take turns, and have to find the same. Half of what is
searched for is in the index with a few bits changed, up to some more than the threshold. faiss has
one thread: threatexchange asks it for one hash at a time, for which more only wait for each other.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import faiss
import numpy as np
from compare import measure, milliseconds, table, where_and_with_what
from threatexchange.signal_type.pdq.pdq_index import PDQIndex

from hashkit.hashes import pdq
from hashkit.matching.index import Index

SIZES = (100_000, 1_000_000)
QUERIES = (1, 50)
SUBSET = 10_000
"""Pure Python compares this many, and its time is extrapolated."""
BUDGETS = {(100_000, 1): 0.005, (100_000, 50): 0.5}
"""Seconds that hashkit may take with NumPy alone, by hashes and queries."""
HEADINGS = [
    *("work", "hashkit, NumPy", "hashkit, faiss", "threatexchange PDQIndex"),
    *(f"Python ints, {SUBSET:,} scaled", "budget for NumPy"),
]

Found = list[list[tuple[str, int]]]
Search = Callable[[Sequence[str]], Found]


def hashes(count: int, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return [each.tobytes().hex() for each in rng.integers(0, 256, (count, 32), np.uint8)]


def queries(values: list[str], count: int, seed: int = 1) -> list[str]:
    """Alternately near to one of ``values`` and near to none."""
    rng = np.random.default_rng(seed)
    found = hashes(count, seed)
    for i in range(0, count, 2):
        bits = rng.choice(pdq.BITS, rng.integers(0, pdq.THRESHOLD + 5), replace=False)
        near = int(values[rng.integers(len(values))], 16) ^ sum(1 << int(bit) for bit in bits)
        found[i] = f"{near:064x}"
    return found


def with_hashkit(values: list[str], faiss_from: float) -> Search:
    index = Index()
    index._faiss_from = faiss_from
    index.extend((value, str(i)) for i, value in enumerate(values))
    return lambda wanted: [[*map(tuple, each)] for each in index.search_many(wanted)]


def with_threatexchange(values: list[str]) -> Search:
    """It takes one query at a time."""
    index = PDQIndex([(value, str(i)) for i, value in enumerate(values)])

    def search(wanted: Sequence[str]) -> Found:
        found = [index.query(value) for value in wanted]
        return [[(each.metadata, each.similarity_info.distance) for each in one] for one in found]

    return search


def with_python(values: list[str]) -> Search:
    numbers = [(int(value, 16), str(i)) for i, value in enumerate(values)]

    def near(value: str) -> list[tuple[str, int]]:
        number = int(value, 16)
        distances = [(key, (number ^ other).bit_count()) for other, key in numbers]
        return [each for each in distances if each[1] <= pdq.THRESHOLD]

    return lambda wanted: [near(value) for value in wanted]


def searching(size: int) -> list[list[str]]:
    values = hashes(size)
    ways = {
        "numpy": with_hashkit(values, float("inf")),
        "faiss": with_hashkit(values, 0),
        "threatexchange": with_threatexchange(values),
    }
    python = with_python(values[:SUBSET])
    rows = []
    for count in QUERIES:
        wanted = queries(values, count)
        check({name: search(wanted) for name, search in ways.items()}, python(wanted))
        taken = measure(
            {name: lambda search=search, w=wanted: search(w) for name, search in ways.items()}
        )
        plain = measure({"python": lambda w=wanted: python(w)}, rounds=3)["python"]
        budget = BUDGETS.get((size, count))
        kept = "kept" if budget and taken["numpy"] <= budget else "MISSED"
        rows.append(
            [
                f"{count} among {size:,}",
                *(milliseconds(seconds) for seconds in taken.values()),
                milliseconds(plain * size / SUBSET),
                f"{milliseconds(budget)}: {kept}" if budget else "",
            ]
        )
    return rows


def check(found: dict[str, Found], among_the_first: Found) -> None:
    """All ways find the same, in any order."""
    alike = {name: [sorted(each) for each in every] for name, every in found.items()}
    alike["Python"] = [sorted(each) for each in among_the_first]
    for name, every in alike.items():
        expected = alike["numpy"]
        if name == "Python":
            expected = [[e for e in each if int(e[0]) < SUBSET] for each in expected]
        if every != expected:
            raise SystemExit(f"{name} does not find what hashkit finds")


def saving() -> list[list[str]]:
    """Loading and saving: the cost of a search that starts with a file."""
    rows = []
    for size in SIZES:
        index = Index()
        index.extend((value, f"folder/{i}.jpg") for i, value in enumerate(hashes(size)))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "a.index")
            taken = measure(
                {
                    "save": lambda index=index, path=path: index.save(path, replace=True),
                    "load": lambda path=path: Index.load(path),
                },
                rounds=3,
            )
        for work, seconds in taken.items():
            rows.append([f"{work} {size:,}", milliseconds(seconds), "", "", "", ""])
    return rows


def main() -> None:
    """Measure, print, and write the table if requested."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", type=Path, help="also write the table to this file")
    arguments = parser.parse_args()
    faiss.omp_set_num_threads(1)
    rows = [*(row for size in SIZES for row in searching(size)), *saving()]
    made = where_and_with_what(["hashkit", "numpy", "faiss-cpu", "threatexchange"])
    text = f"{table(HEADINGS, rows)}\n\nMeasured on {made}\n"
    print(text)
    if arguments.markdown:
        arguments.markdown.write_text(text)


if __name__ == "__main__":
    main()

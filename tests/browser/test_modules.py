"""The modules of the engine keep the rules that let an auditor read them, and let them be joined
into one script."""

from __future__ import annotations

import re
from collections import Counter
from graphlib import TopologicalSorter

import pytest

MAX_LINES = 350
MAX_COLUMNS = 100
MAX_LINES_OF_ALL = 10_000
"""Of the engine without its tables, with comments and types. Who raises this says why."""

TABLES = "data.js"  # generated
FACE = "hashkit.js"
WORKER = "worker.js"

_COMMENT = re.compile(r"(?:^|(?<=\s))//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r'^import \{([^}*]+)\} from "\./(\w+\.js)";$', re.MULTILINE)
_REEXPORT = re.compile(r'^export \{([^}*]+)\} from "\./(\w+\.js)";$', re.MULTILINE)
_DECLARED = re.compile(
    r"^(export )?(?:async )?(?:function\*? ?|class |const |let |var )(\w+)", re.MULTILINE
)
_UNPACKED = re.compile(r"^(?:export )?(?:const|let|var) [\[{]([^=]*)[\]}] =", re.MULTILINE)
_FORBIDDEN = {
    # What sends, or loads.
    *("fetch", "XMLHttpRequest", "WebSocket", "WebSocketStream", "sendBeacon", "EventSource"),
    *("WebTransport", "RTCPeerConnection", "importScripts", "navigation", "location"),
    *("serviceWorker", "SharedWorker", "BroadcastChannel", "Image", "FontFace"),
    # What keeps.
    *("localStorage", "sessionStorage", "indexedDB", "caches", "cookie", "cookieStore", "storage"),
    # What runs a text as a program, or shows something.
    *("eval", "Function", "innerHTML", "outerHTML", "insertAdjacentHTML", "window", "globalThis"),
    *("console", "alert", "confirm", "prompt", "debugger"),
}


@pytest.fixture(scope="module")
def modules(root):
    """The code of each module by its name, without comments."""
    folder = root / "hashkit" / "browser"
    found = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.js"))}
    assert {FACE, WORKER, TABLES} <= found.keys()
    return {name: _COMMENT.sub("", text) for name, text in found.items()}


def names_in(braces):
    return [name for each in braces.split(",") if (name := each.strip())]


def imports_of(code):
    """The modules that this one imports, with the names."""
    return {module: names_in(names) for names, module in _IMPORT.findall(code)}


def exports_of(code):
    return {name for exported, name in _DECLARED.findall(code) if exported}


def test_imports_and_exports_are_by_name_and_by_declaration(modules):
    for name, code in modules.items():
        rest = _IMPORT.sub("", code)
        if name == FACE:  # what a page uses is in one place
            rest = _REEXPORT.sub("", rest)
        assert not re.search(r"\bimport\b(?!\.meta)", rest), name
        assert not re.search(r"\bexport (?!(?:async )?function|class |const )", rest), name
        assert name == FACE or "import.meta" not in rest, name
        assert not re.search(r"^(?!async )\S.*\bawait\b", rest, re.MULTILINE), name
        for module, names in imports_of(code).items():
            assert {*names} <= exports_of(modules[module]), f"{name} imports from {module}"


def test_each_module_comes_after_what_it_imports(modules):
    """Without circles: they can be joined in this order."""
    order = [
        *TopologicalSorter(
            {name: imports_of(code) for name, code in modules.items()}
        ).static_order()
    ]
    assert set(order) == set(modules)


def test_no_two_modules_declare_the_same_name(modules):
    declared = Counter()
    for code in modules.values():
        names = {name for _, name in _DECLARED.findall(code)}
        for unpacked in _UNPACKED.findall(code):
            names |= {each.rpartition(":")[2].strip() for each in names_in(unpacked)}
        declared.update(names)
    assert [name for name, count in declared.items() if count > 1] == []


def test_nothing_is_sent_kept_or_run_from_text(modules):
    for name, code in modules.items():
        said = r'"(?:\\.|[^"\\])*"' if name == TABLES else "(?!)"  # sentences
        words = set(re.findall(r"(?<![\w$])[A-Za-z_$][\w$]*", re.sub(said, "", code)))
        assert words & _FORBIDDEN == set(), name
        assert not re.search(r"\bdocument\s*[.\[]", code), name
        assert not re.search(r"^\s*open\(", code, re.MULTILINE), name


def test_only_the_face_knows_where_the_worker_is(modules):
    for name, code in modules.items():
        assert ("new Worker(" in code) == (name == FACE), name


def test_all_are_short_and_every_one_is_used(modules, root):
    folder = root / "hashkit" / "browser"
    total = 0
    for name in modules.keys() - {TABLES}:
        lines = (folder / name).read_text("utf-8").splitlines()
        assert lines[0].startswith("// "), f"{name} does not say what it holds"
        assert len(lines) <= MAX_LINES, name
        assert [each for each in lines if len(each) > MAX_COLUMNS] == [], name
        total += len(lines)
    print(f"The engine has {total} lines, without its tables.")
    assert total <= MAX_LINES_OF_ALL
    used = {module for code in modules.values() for module in imports_of(code)}
    used |= {module for _, module in _REEXPORT.findall(modules[FACE])}
    assert modules.keys() - used == {FACE, WORKER}


@pytest.mark.parametrize(
    "code",
    [
        'import * as all from "./data.js";',
        'import { FACTS as facts } from "./data.js";',
        'import data from "./data.js";',
        'import { FACTS } from "https://example.org/data.js";',
        'const later = import("./data.js");',
        "export default 1;",
        "const a = 1;\nexport { a };",
        "const a = await b();",
        "const here = import.meta.url;",
    ],
)
def test_other_imports_and_exports_are_found(modules, code):
    with pytest.raises((AssertionError, KeyError)):
        test_imports_and_exports_are_by_name_and_by_declaration({**modules, "more.js": code})


@pytest.mark.parametrize(
    "code",
    [
        "  fetch(place);",
        "const ask = new XMLHttpRequest();",
        "navigator.sendBeacon(place, data);",
        "self.eval(text);",
        'new Function("a", text);',
        "document.write(text);",
        "  open(place);",
        'self["fetch"](place);',
    ],
)
def test_forbidden_calls_are_found(modules, code):
    with pytest.raises(AssertionError):
        test_nothing_is_sent_kept_or_run_from_text({**modules, "more.js": code})

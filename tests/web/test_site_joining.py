"""Modules are joined into a script that is the same program, or not at all."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hashkit.web.site.javascript import Kind, NotUnderstood, tokens_of, without_comments
from hashkit.web.site.joining import CannotBeJoined, joined


def kinds_of(code):
    return [(each.kind, each.text) for each in tokens_of(code) if each.kind is not Kind.SPACE]


@pytest.mark.parametrize(
    ("code", "kind", "text"),
    [
        ("a = /[/*]'\"`/g;", Kind.REGEX, "/[/*]'\"`/g"),
        ("f(/a\\/b/)", Kind.REGEX, "/a\\/b/"),
        ("return /x/u", Kind.REGEX, "/x/u"),
        ("a = b / c; // d", Kind.COMMENT, "// d"),
        ("a = (b) / c /* d */;", Kind.COMMENT, "/* d */"),
        ("a = '// no' + b", Kind.TEXT, "'// no'"),
        ('a = "\\"/*" + b', Kind.TEXT, '"\\"/*"'),
        ("a = `// ${f(`}`, /`/)} */` + b", Kind.TEXT, "`// ${f(`}`, /`/)} */`"),
        ("a = `\\`${b}`", Kind.TEXT, "`\\`${b}`"),
        ("#name = 1e-5;", Kind.NUMBER, "1e-5"),
        ("a = 1_000.5 / 2", Kind.NUMBER, "1_000.5"),
    ],
)
def test_tokens(code, kind, text):
    assert (kind, text) in kinds_of(code)
    assert "".join(each.text for each in tokens_of(code)) == code


@pytest.mark.parametrize(
    "code", ["} /x/.test(y)", "a = (b) /c/d", "`${", '"a\nb"', "a = / x/;", "a §", "x = ]/y/"]
)
def test_what_takes_a_parser_is_refused(code):
    with pytest.raises(NotUnderstood):
        list(tokens_of(code))


@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("// a\nlet b = 1; // c\n\n\nlet d;", "let b=1;\nlet d;"),
        ("a /* b\nc */ d", "a\nd"),
        ("a/**/b", "a b"),
        ("return /* b */ c", "return c"),
        ("a + +b; c - -d; e-- - f", "a+ +b;c- -d;e-- -f"),
        ("a = 1 .toFixed()", "a=1 .toFixed()"),
        ("a = b / /c/.d", "a=b / /c/.d"),
        ("if (a) { b() } else { c() }", "if(a){b()}else{c()}"),
        ("a = '  b  ' + `\n  c  `", "a='  b  '+`\n  c  `"),
        ("a ? .5 : b ?. c", "a? .5:b?. c"),
    ],
)
def test_comments_and_space_go_and_nothing_else(code, kept):
    assert without_comments(tokens_of(code)) == kept


def words_of(code):
    return [pair for pair in kinds_of(code) if pair[0] is not Kind.COMMENT]


def test_what_is_kept_has_the_same_tokens(root):
    """Of every script that there is."""
    paths = [
        path
        for folder in ("browser", "web/static", "web/site/scripts")
        for path in sorted((root / "hashkit" / folder).glob("*.js"))
    ]
    assert len(paths) > 50
    for path in paths:
        code = path.read_text("utf-8")
        assert words_of(without_comments(tokens_of(code))) == words_of(code), path.name


@pytest.fixture
def modules(tmp_path):
    """A function that writes modules, by their names, and joins those that begin: ``worker.js`` and
    ``page/page.js``."""

    def join(replaced=None, **files):
        for name, code in {"worker": "work();", **files}.items():
            path = tmp_path / f"{name.replace('__', '/')}.js"
            path.parent.mkdir(exist_ok=True)
            path.write_text(code, "utf-8")
        pairs = {tmp_path / a: tmp_path / b for a, b in (replaced or {}).items()}
        return joined(tmp_path, tmp_path / "worker.js", [tmp_path / "page" / "page.js"], pairs)

    return join


def run(script, before=""):
    """What a script says, on a page (``document`` is there) or in a Worker."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("needs node")
    done = subprocess.run(
        [node, "-"],
        input=before + script,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_each_part_runs_where_it_belongs_and_in_order(modules):
    script = modules(
        a='import { b } from "./b.js";\nconsole.log("a");\nexport const a = b + 1;',
        b='console.log("b");\nexport const b = 1;',
        worker='import { a } from "./a.js";\nconsole.log("worker", a);',
        page__page=(
            'import { c } from "./c.js";\nimport { a } from "../a.js";\n'
            'export async function d() {}\nconsole.log("page", a, c.export);'
        ),
        page__c='export const c = JSON.parse(\'{"export": 3}\');\nconsole.log("c");',
    )
    assert run(script) == ["b", "a", "worker", "2"]
    assert run(script, "var document;document = {};") == ["b", "a", "c", "page", "2", "3"]
    assert run(script, "const a = 7; var document = {};")[-1] == "3", "nothing is global"


def test_another_module_stands_for_one(modules):
    files = {
        "page__page": 'import { a } from "./a.js";\nconsole.log(a());',
        "page__a": "export function a() { return 1; }",
        "other__a": "export function a() { return 2; }",
    }
    assert run(modules(**files), "var document = {};") == ["1"]
    script = modules({"page/a.js": "other/a.js"}, **files)
    assert run(script, "var document = {};") == ["2"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ('import * as b from "./b.js";', "another import"),
        ('import b from "./b.js";', "another import"),
        ('import { a as b } from "./b.js";', "another import"),
        ('import "./b.js";', "another import"),
        ("const b = import('./b.js');", "another import"),
        ("const b = import.meta.url;", "another import"),
        ("const b = 1;\nexport { b };", "another export"),
        ("export default 1;", "another export"),
        ('export { b } from "./b.js";', "another export"),
        ('import { c } from "./b.js";', "imports c, which is not exported"),
        ('import { hidden } from "./b.js";', "imports hidden, which is not exported"),
        ('import { b } from "./none.js";', "none.js"),
        ("function b() {}", "declared more than once: b"),
        ("const { a: b } = {};", "declared more than once: b"),
        ("const [a, b] = [];", "declared more than once: b"),
        ("class b {}", "declared more than once: b"),
        ("async function* b() {}", "declared more than once: b"),
        ("const a = 1, b = 2;", ", at the top level"),
        ("let [a = 1] = [];", "unpacked"),
        ("var a;", "var at the top level"),
        ("const a = await 1;", "await at the top level"),
        ('const a = "</script>";', "there is a </script"),
        ('import { d } from "./circle.js";\nexport const e = 1;', "a circle of imports"),
    ],
)
def test_what_would_not_be_the_same_program_is_refused(modules, code, why):
    with pytest.raises(CannotBeJoined, match=re.escape(why)):
        modules(
            page__page=code,
            page__b="export const b = 1;\nconst hidden = 2;",
            page__circle='import { e } from "./page.js";\nexport const d = e;',
            worker='import { b } from "./page/b.js";' if "more than once" in why else "",
        )


def test_the_engine_needs_no_page(modules):
    with pytest.raises(CannotBeJoined, match=r"worker\.js imports b\.js, which needs a page"):
        modules(
            worker='import { b } from "./page/b.js";',
            page__page="",
            page__b="export const b = 1;",
        )


def test_all_is_in_one_folder(modules, tmp_path):
    outside = tmp_path.parent / "outside.js"
    outside.write_text("export const b = 1;", "utf-8")
    with pytest.raises(CannotBeJoined, match=r"outside\.js is not in"):
        modules(page__page='import { b } from "../../outside.js";')
    outside.unlink()


def test_what_is_joined_names_nothing_of_this_machine(root):
    from hashkit.web.site import building

    html = building.build(["en"]).html
    for folder in (Path(root).resolve(), Path(building.__file__).parent, Path.home()):
        if len(folder.parts) > 2:  # "/work" may stand in it for other reasons
            assert str(folder).encode() not in html

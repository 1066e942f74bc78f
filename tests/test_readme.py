"""The README: its commands are those of CI, its links work, every option is documented."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys


def test_two_commands_do_everything(root):
    readme = (root / "README.md").read_text("utf-8")
    commands = [line for line in readme.splitlines() if line.startswith("pip install")]
    assert commands == [
        "pip install -c constraints.txt . && hashkit hash -r samples_synthetic",
        "pip install -c constraints.txt '.[test]' && pytest",
    ]
    assert "grep '^pip install' README.md" in (root / ".ci" / "run").read_text("utf-8")


def test_links_lead_somewhere(root):
    for page in [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_table_is_what_is_printed(root, run, samples):
    """The README shows three rows of what its first command prints."""
    shown = re.search(r"```text\n(.*?)```", (root / "README.md").read_text("utf-8"), re.DOTALL)[1]
    names = ("scene-1.jpg", "png-flat.png", "film-h264.mp4")
    printed = run("hash", *names, cwd=samples).stdout.splitlines()
    assert [line.split() for line in shown.splitlines()] == [
        line.split() for line in printed[: len(names) + 1]
    ]


def without_words_of_arguments(reference):
    """Some versions of Typer keep the help of options only."""
    return re.sub(r"^\| (`[^`-][^`]*`) \|.*$", r"| \1 |", reference.strip(), flags=re.MULTILINE)


def test_the_page_of_commands_is_up_to_date(root, commands):
    """If this is on purpose: ``python tools/cli_reference.py --write``."""
    done = subprocess.run(
        [sys.executable, root / "tools" / "cli_reference.py"],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    page = (root / "docs" / "cli.md").read_text("utf-8")
    block = page.partition("<!-- commands -->\n")[2].partition("<!-- /commands -->")[0]
    assert without_words_of_arguments(block) == without_words_of_arguments(done.stdout)
    for name, options in commands.items():
        assert f"### hashkit {name}\n" in block
        for option in options - {"--help"}:
            assert f"`{option}" in block, option


def test_prose_is_wrapped(root):
    """Tables, commands, links and the old decisions may be wider than a hundred characters."""
    for path in [*root.glob("*.md"), *root.glob("docs/**/*.md")]:
        if path.name[:4].isdigit() and int(path.name[:4]) <= 16:
            continue
        text = re.sub(r"^( *)```.*?^ *```", "", path.read_text("utf-8"), flags=re.M | re.S)
        for line in re.sub("`[^`\n]{40,}`", "", text).splitlines():
            if not line.startswith("|") and "](" not in line and "http" not in line:
                assert len(line) <= 100, f"{path.name}: {line}"


def test_no_file_names_a_package_index(root):
    names = ["pypi" + ".org", "files.python" + "hosted", "index" + "-url", "regis" + "try.npm"]
    tracked = []
    if shutil.which("git"):
        command = ["git", "ls-files"]
        done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        tracked = [root / name for name in done.stdout.split("\n") if name]
    files = tracked or list(root.glob("*.*"))
    for path in files:
        if path.is_file():
            content = path.read_bytes()
            assert not any(name.encode() in content for name in names), path

"""The README's commands are the ones that CI runs, and its code works."""

from __future__ import annotations

import re
import shutil
import subprocess


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


def test_every_option_is_documented(root, commands):
    readme = (root / "README.md").read_text("utf-8")
    options = commands["hash"] - {"--recursive"}
    assert options
    for option in options:
        assert option in readme, option


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

"""The README: its commands are those of CI, its links work, every option is documented."""

from __future__ import annotations

import re
import subprocess


def test_two_commands_do_everything(root):
    readme = (root / "README.md").read_text()
    commands = [line for line in readme.splitlines() if line.startswith("pip install")]
    assert commands == [
        "pip install -c constraints.txt . && hashkit hash -r samples_synthetic",
        "pip install -c constraints.txt '.[test]' && pytest",
    ]
    assert "grep '^pip install' README.md" in (root / ".ci" / "run").read_text()


def test_links_lead_somewhere(root):
    for page in [root / "README.md", *root.glob("docs/**/*.md"), *root.glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_option_is_documented(root, commands):
    readme = (root / "README.md").read_text()
    options = commands["hash"] - {"--recursive"}
    assert options
    for option in options:
        assert option in readme, option


def test_no_file_names_a_package_index(root):
    names = ["pypi" + ".org", "files.python" + "hosted", "index" + "-url", "regis" + "try.npm"]
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=root, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    files = [root / name for name in tracked if name] or list(root.glob("*.*"))
    for path in files:
        if path.is_file():
            content = path.read_bytes()
            assert not any(name.encode() in content for name in names), path

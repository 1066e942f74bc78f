"""A hook for MkDocs that adds files outside of ``docs`` to the site, below ``files``.

In a checkout, links lead to the files themselves. For the site, linked schemas, the example and
some pages are added, and the links changed to them. In those pages, a link to a file that is not on
the site becomes plain text.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File

_LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|#)([^)#\s]+)([^)]*)\)")
_FOLDER = "files"
_PAGES = ("SECURITY.md", "CHANGELOG.md")


def on_files(files: Any, config: Any) -> Any:
    """Add every linked file outside of ``docs``."""
    root = Path(config.docs_dir).parent
    found = set(_PAGES)
    for page in files.documentation_pages():
        for _, target, _ in _LINK.findall(page.content_string):
            name = _in_checkout(page.src_uri, target)
            if not name.startswith("docs/"):
                found.add(name)
    for name in sorted(found):
        files.append(File.generated(config, f"{_FOLDER}/{name}", abs_src_path=str(root / name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Change links to such files to their place on the site."""
    del config
    here = page.file.src_uri
    there = {file.src_uri for file in files}

    def turned(link: re.Match[str]) -> str:
        name = _in_checkout(here, link[2])
        on_site = name.removeprefix("docs/") if name.startswith("docs/") else f"{_FOLDER}/{name}"
        if on_site not in there:
            return link[1] if here.startswith(f"{_FOLDER}/") else link[0]
        return f"[{link[1]}]({os.path.relpath(on_site, PurePosixPath(here).parent)}{link[3]})"

    return _LINK.sub(turned, markdown)


def _in_checkout(page: str, target: str) -> str:
    """The path in the checkout that a link on a page means."""
    taken_along = page.startswith(f"{_FOLDER}/")
    source = PurePosixPath(page.removeprefix(f"{_FOLDER}/") if taken_along else f"docs/{page}")
    return os.path.normpath(source.parent / target)

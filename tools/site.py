"""A hook for MkDocs: what the pages link to outside of ``docs`` goes along, below ``files``.

In a checkout the links lead to the files themselves. On the site there is no checkout, so schemas,
the example and the pages of the top folder are taken along and the links are turned to them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File

_LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]+)")
_FOLDER = "files"
_PAGES = ("SECURITY.md", "CHANGELOG.md")


def on_files(files: Any, config: Any) -> Any:
    """Add every file that a page links to outside of ``docs``."""
    root = Path(config.docs_dir).parent
    found = set(_PAGES)
    for page in files.documentation_pages():
        for _, target in _LINK.findall(page.content_string):
            if (name := _outside(page.src_uri, target)) is not None:
                found.add(name)
    for name in sorted(found):
        files.append(File.generated(config, f"{_FOLDER}/{name}", abs_src_path=str(root / name)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn such links to where the files are on the site."""
    del config, files
    here = page.file.src_uri
    if here.startswith(f"{_FOLDER}/"):  # a page of the top folder, seen from below files
        return re.sub(r"(\]\()docs/", r"\1../", markdown)

    def turned(link: re.Match[str]) -> str:
        name = _outside(here, link[2])
        if name is None:
            return link[0]
        return link[1] + os.path.relpath(f"{_FOLDER}/{name}", PurePosixPath(here).parent)

    return _LINK.sub(turned, markdown)


def _outside(page: str, target: str) -> str | None:
    """The path from the top folder, of a link that leaves ``docs``; None for one that does not."""
    path = os.path.normpath(PurePosixPath("docs", page).parent / target)
    return None if path.startswith("docs/") else path

"""What a web server needs to serve the page: the page itself, and headers for three servers.

The page holds without any header. The headers add what a page cannot say of itself: that nobody
may frame it, keep it, or share a process with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from hashkit.web.guard import HEADERS
from hashkit.web.site.building import Built

_PAGE = "index.html"


def headers_of(built: Built) -> dict[str, str]:
    """The headers of every response: those of the local page, with the policy of this one."""
    return HEADERS | {
        "Content-Security-Policy": f"{built.policy}; frame-ancestors 'none'",
        "Strict-Transport-Security": "max-age=31536000",
    }


def files_to_host(built: Built) -> dict[str, bytes]:
    """Each file's content by its name."""
    headers = headers_of(built)
    texts = {
        "headers.nginx.conf": _nginx(headers),
        ".htaccess": _apache(headers),
        "Caddyfile.headers": _caddy(headers),
        "SHA256SUMS": f"{hashlib.sha256(built.html).hexdigest()}  {_PAGE}\n",
    }
    return {_PAGE: built.html} | {name: text.encode() for name, text in texts.items()}


def _nginx(headers: Mapping[str, str]) -> str:
    lines = [f'add_header {name} "{value}" always;' for name, value in headers.items()]
    return _lines("# In the server block: include /path/to/headers.nginx.conf;", *lines)


def _apache(headers: Mapping[str, str]) -> str:
    lines = [f'Header always set {name} "{value}"' for name, value in headers.items()]
    return _lines("# Needs mod_headers, and AllowOverride FileInfo.", *lines)


def _caddy(headers: Mapping[str, str]) -> str:
    lines = [f'  {name} "{value}"' for name, value in headers.items()]
    return _lines("# In the site block: import /path/to/Caddyfile.headers", "header {", *lines, "}")


def _lines(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines)

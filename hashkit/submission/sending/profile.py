"""One delivery profile: a service, its address, and what was agreed on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hashkit.submission.sending.batch import COMMON_HEADERS, Request
from hashkit.submission.sending.credentials import Reference


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile, checked. ``kind`` names the backend. ``address`` is as given, with the host in
    lower case."""

    name: str
    kind: str
    address: str
    settings: Mapping[str, str]
    credentials: Mapping[str, Reference]
    proxy: str | None = None
    ca: Path | None = None

    @property
    def host(self) -> str:
        """The host and port of the address."""
        return self.address.split("/")[2]

    @property
    def place(self) -> str:
        """The address in one form: without a slash at its end, and without the default port."""
        default = ":443" if self.address.startswith("https:") else ":80"
        host = self.host.removesuffix(default)
        return self.address.replace(self.host, host, 1).rstrip("/")

    def url(self, path: str) -> str:
        """The address of a request. Without a path, it is the address of the profile."""
        return self.address.rstrip("/") + path if path else self.address


def headers_of(profile: Profile, request: Request, signed: Mapping[str, str]) -> dict[str, str]:
    """All headers of a request, in their order."""
    headers = {"Host": profile.host, **COMMON_HEADERS, **dict(request.headers), **signed}
    if request.body:
        headers["Content-Length"] = str(len(request.body))
    return headers

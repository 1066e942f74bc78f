"""Reads delivery profiles: tables of a TOML file. Credentials are never in it.

    [partner]
    kind = "webhook"
    address = "https://partner.example/hashes"
    secret = "env:PARTNER_SECRET"           # or "keyring:SERVICE/NAME"

``proxy`` names a proxy; without it none is used, whatever the environment says. ``ca`` names a file
with the certificates to trust instead of the usual ones. An unknown setting is refused, since it
may be a misspelt one.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hashkit.errors import ProfileUnfit, ProfileUnknown
from hashkit.pipeline.files import open_untrusted
from hashkit.submission.sending.backends import BACKENDS, UNPUBLISHED
from hashkit.submission.sending.credentials import Reference, reference
from hashkit.submission.sending.profile import Profile

if TYPE_CHECKING:
    from hashkit.submission.sending.backends.base import Backend

_MAX_BYTES = 1 << 20
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_COMMON = ("kind", "address", "proxy", "ca")

# No user, query or fragment: they could hold credentials.
_ADDRESS = re.compile(
    r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*)/?"
)
_LABEL = re.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LOOPBACK = re.compile(r"localhost|127(\.[0-9]{1,3}){3}|\[::1\]", re.IGNORECASE)


def default_profiles() -> Path:
    """The path of the file of profiles, if none is given: in the folder for settings of this
    system, or where the variable HASHKIT_PROFILES says."""
    if named := os.environ.get("HASHKIT_PROFILES"):
        return Path(named)
    if sys.platform == "win32":
        folder = os.environ.get("APPDATA")
        usual = Path.home() / "AppData" / "Roaming"
    else:
        folder = os.environ.get("XDG_CONFIG_HOME")
        usual = Path.home() / ".config"
    return (Path(folder) if folder else usual) / "hashkit" / "profiles.toml"


def read_profiles(path: Path) -> dict[str, Profile | ProfileUnfit]:
    """All profiles of a file by name; for one that cannot be used, why. ProfileUnfit where the file
    is not one of profiles, or an error of the FileError branch."""
    with open_untrusted(path) as source:
        if source.size > _MAX_BYTES:
            raise ProfileUnfit
        untrusted = source.read()
    try:
        tables = tomllib.loads(untrusted.decode())
    except (ValueError, RecursionError) as error:
        raise ProfileUnfit from error
    if outside := [name for name, table in tables.items() if not isinstance(table, dict)]:
        names = ", ".join(map(repr, outside))
        raise ProfileUnfit(f"{names} stands outside of a profile: begin one with [its-name].")
    found: dict[str, Profile | ProfileUnfit] = {}
    for name, table in tables.items():
        try:
            found[name] = _profile(name, table, path.parent)
        except ProfileUnfit as error:
            found[name] = error
    return found


def read_profile(path: Path, name: str) -> Profile:
    """The profile of this name. ProfileUnknown, and as ``read_profiles``."""
    profiles = read_profiles(path)
    found = profiles.get(name)
    if found is None:
        known = ", ".join(map(repr, profiles)) or "none"
        raise ProfileUnknown(f"There is no profile {name!r} in this file. There are: {known}.")
    if isinstance(found, ProfileUnfit):
        raise found
    return found


def _profile(name: str, untrusted: Mapping[str, Any], folder: Path) -> Profile:
    if not _NAME.fullmatch(name):
        raise ProfileUnfit("Names of profiles are letters, digits, dots, - and _.")
    backend = _backend(untrusted.get("kind"))
    known = {*_COMMON, *backend.settings, *backend.credentials}
    if unknown := sorted(untrusted.keys() - known):
        raise ProfileUnfit(
            f"There is no setting {', '.join(map(repr, unknown))} for the kind {backend.name}."
        )
    for setting, value in untrusted.items():
        if not isinstance(value, str):
            raise ProfileUnfit(f"{setting} is not a text in quotation marks.")
    credentials = _credentials(backend, untrusted)
    address = _address(untrusted.get("address", backend.address))
    proxy = untrusted.get("proxy")
    if proxy is not None:
        _check_proxy(proxy, address)
    return Profile(
        name=name,
        kind=backend.name,
        address=address,
        settings=_settings(backend, untrusted),
        credentials=credentials,
        proxy=proxy,
        ca=folder / untrusted["ca"] if "ca" in untrusted else None,
    )


def _backend(untrusted: Any) -> type[Backend]:
    backend = BACKENDS.get(untrusted) if isinstance(untrusted, str) else None
    if backend is None:
        why = f"The kind is not one of {', '.join(sorted(BACKENDS))}."
        raise ProfileUnfit(UNPUBLISHED.get(str(untrusted), why))
    return backend


def _settings(backend: type[Backend], untrusted: Mapping[str, str]) -> dict[str, str]:
    found = {}
    for name, setting in backend.settings.items():
        value = untrusted.get(name, setting.default)
        if value is None:
            raise ProfileUnfit(f"{name} is missing: {setting.hint}.")
        if not re.fullmatch(setting.pattern, value):
            raise ProfileUnfit(f"{name} has to be {setting.hint}.")
        found[name] = value
    return found


def _credentials(backend: type[Backend], untrusted: Mapping[str, str]) -> dict[str, Reference]:
    found = {}
    for name, needed in backend.credentials.items():
        if name in untrusted:
            found[name] = reference(name, untrusted[name])
        elif needed:
            raise ProfileUnfit(f'{name} is missing: say where it is, as in "env:VARIABLE".')
    return found


def _address(untrusted: str | None) -> str:
    if untrusted is None:
        raise ProfileUnfit("address is missing: it begins with https://")
    found = _ADDRESS.fullmatch(untrusted)
    if found is None:
        raise ProfileUnfit(
            "The address is not https://, a host and a path, without a user name and without ?."
        )
    if found["scheme"] == "http" and not _LOOPBACK.fullmatch(found["host"]):
        raise ProfileUnfit("The address has to begin with https:// unless it is this computer.")
    if "/.." in found["path"] or "/./" in f"{found['path']}/":
        raise ProfileUnfit("The address has dots for folders in its path.")
    if not _is_host(found["host"].lower(), found["port"]):
        raise ProfileUnfit("The host of the address is not one.")
    return untrusted[: found.end("host")].lower() + untrusted[found.end("host") :]


def _is_host(host: str, port: str | None) -> bool:
    if port is not None and not 0 < int(port) < 1 << 16:
        return False
    try:
        if host.startswith("["):
            return bool(ipaddress.IPv6Address(host[1:-1]))
        if host.rpartition(".")[2].isdecimal():
            return bool(ipaddress.IPv4Address(host))
    except ValueError:
        return False
    return len(host) <= 253 and all(map(_LABEL.fullmatch, host.removesuffix(".").split(".")))


def _check_proxy(untrusted: str, address: str) -> None:
    found = _ADDRESS.fullmatch(untrusted)
    if found is None or found["path"] or not _is_host(found["host"].lower(), found["port"]):
        raise ProfileUnfit("The proxy is not http:// or https://, a host and a port.")
    if address.startswith("http://"):
        raise ProfileUnfit("With a proxy, the address has to begin with https://")

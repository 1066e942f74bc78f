"""Reads credentials from where a profile says that they are. They are never written or shown, and
never taken from the file of profiles or from an argument."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from hashkit.errors import CredentialMissing, ProfileUnfit, SendingUnavailable

_REFERENCE = re.compile(
    r"(?P<source>env):(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<ring>keyring):(?P<service>[^/\x00-\x1f]+)/(?P<user>[^\x00-\x1f]+)"
)
_SENDABLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a credential is: a variable of the environment, or an entry of the keyring."""

    service: str | None  # of the keyring; None for the environment
    name: str

    def __str__(self) -> str:
        return f"env:{self.name}" if self.service is None else f"keyring:{self.service}/{self.name}"


def reference(setting: str, untrusted: str) -> Reference:
    """The reference in a profile. ProfileUnfit for anything else; since that may be the credential
    itself, the error does not repeat it."""
    found = _REFERENCE.fullmatch(untrusted)
    if found is None:
        raise ProfileUnfit(
            f"{setting} has to say where it is, env:VARIABLE or keyring:SERVICE/NAME. "
            "A credential itself does not belong in this file."
        )
    if found["source"]:
        return Reference(None, found["name"])
    return Reference(found["service"], found["user"])


def credentials_of(references: Mapping[str, Reference]) -> dict[str, str]:
    """The credentials themselves. CredentialMissing, and SendingUnavailable where one is in the
    keyring and that package is not installed."""
    return {setting: credential(where) for setting, where in references.items()}


def credential(where: Reference) -> str:
    """One credential. Errors as ``credentials_of``."""
    found = (
        os.environ.get(where.name)
        if where.service is None
        else _from_keyring(where.service, where.name)
    )
    if not found:
        raise CredentialMissing(f"There is no credential at {where}.")
    if not _SENDABLE.fullmatch(found.strip()):
        raise CredentialMissing(f"What is at {where} has spaces or letters that cannot be sent.")
    return found.strip()


def _from_keyring(service: str, name: str) -> str | None:
    try:
        keyring = import_module("keyring")  # an extra: nobody has to have it
    except ImportError as error:
        raise SendingUnavailable(
            "The keyring cannot be asked: the package keyring is not installed.",
            advice="Install it with: pip install keyring",
        ) from error
    try:
        found: str | None = keyring.get_password(service, name)
    except keyring.errors.KeyringError as error:
        raise CredentialMissing("The keyring of this system did not answer.") from error
    return found

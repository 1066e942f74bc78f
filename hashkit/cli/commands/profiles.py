"""``hashkit profiles``: lists and checks the delivery profiles."""

from __future__ import annotations

import typer

from hashkit.cli.actions.sending import NO_PROFILES, Profiles
from hashkit.cli.output.terminal import ExitCode, fail, fail_on, say, shown_name
from hashkit.errors import FileMissing, HashkitError, ProfileUnfit, SendingError
from hashkit.sandbox import lockdown
from hashkit.submission.sending.backends import backend_for
from hashkit.submission.sending.credentials import credential
from hashkit.submission.sending.profile import Profile
from hashkit.submission.sending.profiles import default_profiles, read_profiles


def profiles_command(profiles: Profiles = None) -> None:
    """List the profiles that there are, and check them. Nothing is sent."""
    lockdown.lock_to_send()  # the keyring may be a program
    path = profiles or default_profiles()
    try:
        found = read_profiles(path)
    except FileMissing:
        fail(NO_PROFILES, path, ExitCode.SOME_FAILED)
    except HashkitError as error:
        fail_on(error, path)
    fits = True
    for name, profile in found.items():
        if isinstance(profile, ProfileUnfit):
            fits = False
            typer.echo(f"{shown_name(name)}: cannot be used. {shown_name(str(profile))}")
        else:
            fits = _list(profile) and fits
    if not found:
        say("There are no profiles in this file.")
    if not fits:
        raise typer.Exit(ExitCode.SOME_FAILED)


def _list(profile: Profile) -> bool:
    """Show a profile. Returns whether all is there that it needs."""
    typer.echo(f"{profile.name}: {profile.kind}, {profile.address}")
    if profile.proxy is not None:
        typer.echo(f"  through the proxy {profile.proxy}")
    fits = True
    credentials = {}
    for name, where in profile.credentials.items():
        try:
            credentials[name] = credential(where)
            typer.echo(f"  {name}: {shown_name(str(where))}, there")
        except SendingError as error:
            fits = False
            typer.echo(f"  {name}: {shown_name(str(error))}")
    if fits:
        try:
            backend_for(profile).check_credentials(credentials)
        except SendingError as error:
            fits = False
            typer.echo(f"  {error}")
    if profile.ca is not None and not profile.ca.is_file():
        fits = False
        typer.echo("  ca: There is no such file.")
    return fits

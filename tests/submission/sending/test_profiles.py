"""Profiles: what does not fit is refused with a reason, and a credential is never repeated."""

from __future__ import annotations

import os
import re
import sys

import pytest

from hashkit.errors import (
    CredentialMissing,
    FileMissing,
    ProfileUnfit,
    ProfileUnknown,
    SendingUnavailable,
)
from hashkit.submission.sending.backends import BACKENDS, backend_for
from hashkit.submission.sending.credentials import Reference, credential
from hashkit.submission.sending.profiles import default_profiles, read_profile, read_profiles

WEBHOOK = 'kind = "webhook"\nsecret = "env:S"\n'


@pytest.fixture
def write(tmp_path):
    def profile(text, name="p"):
        path = tmp_path / "profiles.toml"
        path.write_text(f"[{name}]\n{text}\n", "utf-8")
        return path

    return profile


def test_a_profile(write, tmp_path):
    path = write(
        'kind = "hma"\naddress = "https://hma.example:5100/api/"\nbank = "NCII"\n'
        'token = "keyring:hma/me@example"\nproxy = "http://proxy.example:3128"\nca = "ca.pem"'
    )
    found = read_profile(path, "p")
    assert (found.name, found.kind, found.address) == ("p", "hma", "https://hma.example:5100/api/")
    assert found.host == "hma.example:5100"
    assert found.settings == {"bank": "NCII", "variants": "no"}
    assert found.credentials == {"token": Reference("hma", "me@example")}
    assert found.proxy == "http://proxy.example:3128"
    assert found.ca == tmp_path / "ca.pem"
    assert backend_for(found).destination == "hma https://hma.example:5100/api NCII"


def test_usual_addresses(write):
    keys = 'function_key = "env:A"\nsubscription_key = "env:B"'
    assert read_profile(write(f'kind = "stopncii"\n{keys}'), "p").address == (
        "https://api.stopncii.org/v1"
    )


@pytest.mark.parametrize(
    "address",
    [
        "https://a.example",
        "https://a.example/",
        "https://a.example:8443/b/c-d_e.f",
        "https://[2001:db8::1]/x",
        "http://localhost:5100",
        "http://127.0.0.1:1",
        "http://127.8.9.1/",
        "http://[::1]:80/x",
    ],
)
def test_addresses_that_will_do(write, address):
    found = read_profile(write(f'{WEBHOOK}address = "{address}"'), "p")
    assert found.address == address
    assert found.url("") == address
    assert found.url("/x") == address.rstrip("/") + "/x"


@pytest.mark.parametrize(
    "address",
    [
        "http://a.example",
        "http://10.0.0.1",
        "http://localhost.example",
        "http://127.0.0.1.example",
        "http://1270.0.0.1",
        "http://[::2]",
        "http://0.0.0.0",
        "https://me:mine@a.example",
        "https://a.example?key=1",
        "https://a.example/x#y",
        "https://a.example/../x",
        "https://a.example/x/..",
        "https://a.example/./x",
        "https://a.example//x",
        "https://a.example/x y",
        "https://a.example/x\\r\\nHost: b",
        "https://a.example\\\\@b.example",
        "https://ä.example",
        "https://a..b/",
        "https://.../",
        "https://-a.example",
        "https://a_b.example",
        f"https://{'a' * 64}.example",
        "https://[:::]/",
        "https://[::1:2:3:4:5:6:7:8:9]/",
        "http://127.999.1.1/",
        "https://1.2.3/",
        "https://a.example:0",
        "https://a.example:65536",
        "https://",
        "ftp://a.example",
        "a.example",
        "",
    ],
)
def test_addresses_that_will_not(write, address):
    with pytest.raises(ProfileUnfit, match="address"):
        read_profile(write(f'{WEBHOOK}address = "{address}"'), "p")


def test_the_same_place_written_otherwise(write):
    places = [
        *("https://A.example/b", "https://a.Example:443/b/", "https://a.example/b/"),
        "https://a.example:443/b",
    ]
    found = {
        backend_for(read_profile(write(f'{WEBHOOK}address = "{each}"'), "p")).destination
        for each in places
    }
    assert found == {"webhook https://a.example/b"}
    other = read_profile(write(f'{WEBHOOK}address = "https://a.example/B"'), "p")
    assert backend_for(other).destination not in found


def test_a_setting_above_all_profiles_is_not_passed_over(write, tmp_path):
    """Somebody who writes a proxy there means it for all of them."""
    path = write(f'{WEBHOOK}address = "https://a.example"')
    path.write_text(f'proxy = "http://p.example:1"\n{path.read_text()}')
    with pytest.raises(ProfileUnfit, match="'proxy' stands outside of a profile"):
        read_profile(path, "p")


HMA = 'kind = "hma"\naddress = "https://a.example"\n'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", f"kind is not one of {', '.join(sorted(BACKENDS))}"),
        ('kind = "smtp"', "kind is not one of"),
        ("kind = 7", "kind is not one of"),
        ('kind = "ncmec"', "How hashes are sent to NCMEC is not published"),
        (HMA, "bank is missing: the name of a bank"),
        (f'{HMA}bank = "lower"', "bank has to be the name of a bank, in capitals"),
        (f'{HMA}bank = "A/../B"', "bank has to be"),
        (f"{HMA}bank = 7", "bank is not a text"),
        (f'{HMA}bank = "A"\nvariants = "maybe"', 'variants has to be "yes" or "no"'),
        (f'{HMA}bank = "A"\nadress = "x"\nCA = "y"', "no setting 'CA', 'adress' for the kind hma"),
        (f'{HMA}bank = "A"\nsecret = "env:S"', "no setting 'secret'"),
        (f'{WEBHOOK}address = "https://a.example"\nproxy = "socks5://x:1"', "The proxy is not"),
        (f'{WEBHOOK}address = "https://a.example"\nproxy = "http://u:p@x:1"', "The proxy is not"),
        (f'{WEBHOOK}address = "http://[::1]"\nproxy = "http://x:1"', "With a proxy"),
        (f"{WEBHOOK}", "address is missing"),
        ('kind = "webhook"\naddress = "https://a.example"', "secret is missing: say where"),
    ],
)
def test_what_does_not_fit(write, text, why):
    path = write(text)
    with pytest.raises(ProfileUnfit, match=why):
        read_profile(path, "p")
    assert isinstance(read_profiles(path)["p"], ProfileUnfit)  # and the others can be used


@pytest.mark.parametrize(
    "literal",
    ["whsec_c2VjcmV0", "env:5a", "env:a b", "env:A\\nB", "keyring:a", "keyring:/a", "file:/a"],
)
def test_a_credential_in_the_file_is_refused_and_not_repeated(write, literal):
    text = f'kind = "webhook"\naddress = "https://a.example"\nsecret = "{literal}"'
    with pytest.raises(ProfileUnfit, match="does not belong in this file") as refusal:
        read_profile(write(text), "p")
    assert literal not in str(refusal.value)


def test_names(write):
    with pytest.raises(ProfileUnfit, match="Names of profiles"):
        read_profile(write(HMA, '"a b"'), "a b")
    with pytest.raises(ProfileUnknown):
        read_profile(write(HMA), "q")


@pytest.mark.parametrize("content", [b"[p", b"\xff", b"a = 1\na = 2", b"[" * 5000 + b"]" * 5000])
def test_other_files(tmp_path, content):
    path = tmp_path / "profiles.toml"
    path.write_bytes(content)
    with pytest.raises(ProfileUnfit):
        read_profiles(path)
    path.write_bytes(b"a = 1")
    with pytest.raises(ProfileUnfit, match="begin one with"):
        read_profile(path, "a")
    with pytest.raises(FileMissing):
        read_profiles(tmp_path / "none")


def test_a_file_that_is_too_big(tmp_path):
    path = tmp_path / "profiles.toml"
    path.write_text("#" * ((1 << 20) + 1))
    with pytest.raises(ProfileUnfit):
        read_profiles(path)


@pytest.mark.skipif(os.name != "posix", reason="other folders on Windows")
def test_where_the_file_is(monkeypatch, tmp_path):
    for name in ("HASHKIT_PROFILES", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_profiles() == tmp_path / ".config" / "hashkit" / "profiles.toml"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "x"))
    assert default_profiles() == tmp_path / "x" / "hashkit" / "profiles.toml"
    monkeypatch.setenv("HASHKIT_PROFILES", str(tmp_path / "mine"))
    assert default_profiles() == tmp_path / "mine"


# Credentials


@pytest.fixture
def ring():
    """A keyring that holds one credential, and can be locked."""
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import KeyringLocked

    class Ring(KeyringBackend):
        priority = 1
        locked = False

        def get_password(self, service, username):
            if self.locked:
                raise KeyringLocked
            return "from-the-ring" if (service, username) == ("hma", "me/you") else None

        def set_password(self, service, username, password):
            raise NotImplementedError

        def delete_password(self, service, username):
            raise NotImplementedError

    before = keyring.get_keyring()
    mine = Ring()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def test_credentials_of_the_environment(monkeypatch):
    monkeypatch.setenv("S", " a-token\n")
    assert credential(Reference(None, "S")) == "a-token"
    for unfit in ("a b", "a\r\nHost: b", "é", ""):
        monkeypatch.setenv("S", unfit)
        with pytest.raises(CredentialMissing) as refusal:
            credential(Reference(None, "S"))
        assert "env:S" in str(refusal.value)
        assert not unfit or unfit not in str(refusal.value)
    monkeypatch.delenv("S")
    with pytest.raises(CredentialMissing, match="no credential at env:S"):
        credential(Reference(None, "S"))


@pytest.mark.test_all
def test_credentials_of_the_keyring(ring, monkeypatch):
    assert credential(Reference("hma", "me/you")) == "from-the-ring"
    with pytest.raises(CredentialMissing, match="no credential at keyring:hma/nobody"):
        credential(Reference("hma", "nobody"))
    ring.locked = True
    with pytest.raises(CredentialMissing, match="did not answer"):
        credential(Reference("hma", "me/you"))
    monkeypatch.setitem(sys.modules, "keyring", None)
    with pytest.raises(SendingUnavailable, match="keyring") as refusal:
        credential(Reference("hma", "me/you"))
    assert refusal.value.advice.endswith("pip install keyring")


def test_every_backend_is_complete():
    for name, backend in BACKENDS.items():
        assert backend.name == name
        assert backend.__doc__
        assert not backend.settings.keys() & {"kind", "address", "proxy", "ca"}
        assert not backend.settings.keys() & backend.credentials.keys()


def test_what_the_documentation_shows(root, tmp_path):
    page = (root / "docs" / "sending.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "profiles.toml"
    path.write_text(example, "utf-8")
    profiles = read_profiles(path)
    assert {profile.kind for profile in profiles.values()} == set(BACKENDS)
    table = page.partition("| setting |")[2].partition("\n\n")[0]
    page = (root / "docs" / "receiving.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    path.write_text(example, "utf-8")
    assert read_profile(path, "receiver").kind == "webhook"
    for backend in BACKENDS.values():
        for name in ("address", "proxy", "ca", *backend.settings, *backend.credentials):
            assert f"`{name}`" in table

"""The way out: to the service that the profile names, over a connection that is proved, or not."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import trustme
from sending_backends import served_by

from hashkit.errors import (
    CertificateRefused,
    ConnectionLost,
    ProfileUnfit,
    SendingUnavailable,
    ServiceRefused,
    ServiceUnreachable,
)
from hashkit.submission.sending import client
from hashkit.submission.sending.batch import Request
from hashkit.submission.sending.client import Client
from hashkit.submission.sending.journal import journal_beside, read_journal
from hashkit.submission.sending.plan import as_sent, requests_to_send
from hashkit.submission.sending.profiles import read_profile

pytestmark = pytest.mark.test_all


@pytest.fixture
def ca(authority, tmp_path):
    """A line for a profile, which trusts that authority."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return 'ca = "ca.pem"'


# Certificates


def test_a_certificate_of_an_authority_that_the_profile_names(sender, authority, ca):
    sending = sender("webhook", served_by(authority, "127.0.0.1"), ca)
    assert sending.profiles.read_text("utf-8").count("https://127") == 1
    sending.go()
    assert len(sending.backend.stored) == len(sending.submission.items)


def expired(authority):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    return served_by(authority, "127.0.0.1", not_after=yesterday)


@pytest.mark.parametrize(
    "context",
    [
        lambda authority: served_by(authority, "other.example"),
        lambda authority: served_by(trustme.CA(), "127.0.0.1"),
        expired,
    ],
    ids=["another host's", "another authority's", "expired"],
)
def test_the_wrong_certificate(sender, authority, ca, context):
    sending = sender("webhook", context(authority), ca)
    with pytest.raises(CertificateRefused):
        sending.go()
    assert sending.service.seen == []
    assert sending.waits == []  # trying again would not help


def test_nobody_is_trusted_but_the_usual_ones(sender, authority, monkeypatch, tmp_path):
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    sending = sender("webhook", served_by(authority, "127.0.0.1"))
    with pytest.raises(CertificateRefused):
        sending.go()
    assert sending.service.seen == []


def test_the_secrets_of_tls_are_written_nowhere(sender, authority, ca, monkeypatch, tmp_path):
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "secrets"))
    sending = sender("webhook", served_by(authority, "127.0.0.1"), ca)
    sending.go()
    assert sending.backend.stored
    assert not (tmp_path / "secrets").exists()


def test_a_proxy_is_proved_as_the_service_is(sender, authority, ca, monkeypatch, tmp_path):
    """By what the profile trusts, and not by what the environment does."""
    other = trustme.CA()
    other.cert_pem.write_to_path(str(tmp_path / "other.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "other.pem"))
    proxy = sender("webhook", served_by(other, "127.0.0.1"))
    named = f'{ca}\nproxy = "{proxy.service.address}"'
    sending = sender("webhook", served_by(authority, "127.0.0.1"), named)
    with pytest.raises(CertificateRefused):
        sending.go()
    assert proxy.service.tunnels == sending.service.seen == []


def test_through_a_proxy_with_tls(sender, authority, ca, monkeypatch):
    proxy = sender("webhook", served_by(authority, "127.0.0.1"))
    named = f'{ca}\nproxy = "{proxy.service.address}"'
    sending = sender("webhook", served_by(authority, "127.0.0.1"), named)
    alarms = []
    start = threading.Timer.start
    monkeypatch.setattr(threading.Timer, "start", lambda each: (alarms.append(each), start(each)))
    sending.go()
    assert len(sending.backend.stored) == len(sending.submission.items)
    assert len(proxy.service.tunnels) == len(sending.service.seen)
    # None is left, of the request for a tunnel or of the one that goes through it.
    assert len(alarms) == 2 * len(sending.service.seen)
    assert all(alarm.finished.is_set() for alarm in alarms)


def test_certificates_that_cannot_be_read(sender, tmp_path):
    for content in (None, "hello"):
        if content is not None:
            (tmp_path / "ca.pem").write_text(content)
        sending = sender("webhook", None, 'ca = "ca.pem"')
        with pytest.raises(ProfileUnfit):
            sending.go()


def test_a_server_without_tls(sender):
    sending = sender("webhook")
    text = sending.profiles.read_text("utf-8").replace("http://", "https://")
    sending.profiles.write_text(text, "utf-8")
    with pytest.raises(ServiceUnreachable):
        sending.go(tries=1)
    assert sending.service.seen == []


# Nowhere else


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(sender, status):
    elsewhere, sending = sender("webhook"), sender("webhook")
    where = {"Location": f"{elsewhere.service.address}/hashes"}
    sending.service.always = (status, where, b"")
    with pytest.raises(ServiceRefused):
        sending.go()
    assert elsewhere.service.seen == []
    assert len(sending.service.seen) == 1


@pytest.mark.parametrize("where", ["er: 7, h: 0", "http://[", "//\x7f", "http://a:b"])
def test_a_redirect_to_no_address(sender, where):
    """httpx reads it all the same."""
    sending = sender("webhook")
    sending.service.always = (302, {"Location": where}, b"")
    with pytest.raises((ServiceRefused, ConnectionLost)):
        sending.go(tries=1)


def test_no_proxy_of_the_environment(sender, monkeypatch):
    proxy, sending = sender("webhook"), sender("webhook")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, proxy.service.address)
        monkeypatch.setenv(name.upper(), proxy.service.address)
    monkeypatch.delenv("no_proxy", raising=False)
    sending.go()
    assert proxy.service.seen == []
    assert sending.backend.stored


def test_the_proxy_of_the_profile(sender, authority, ca):
    """It is asked for a tunnel to the service, and sees nothing of what goes through."""
    proxy = sender("webhook")
    named = f'{ca}\nproxy = "{proxy.service.address}"'
    sending = sender("webhook", served_by(authority, "127.0.0.1"), named)
    sending.go()
    assert len(sending.backend.stored) == len(sending.submission.items)
    assert len(proxy.service.tunnels) == len(sending.service.seen)
    for where, headers in proxy.service.tunnels:
        assert where == f"127.0.0.1:{sending.service.port}"
        assert set(headers) <= {"Host", "Accept"}
    assert proxy.service.seen == []


def test_nothing_of_netrc_and_no_cookies(sender, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    sending = sender("hma")
    cookie = (503, {"Set-Cookie": "who=you; Path=/"}, b"")
    sending.service.faults = [cookie]
    sending.go()
    for seen in sending.service.seen:
        assert {"Authorization", "Cookie"}.isdisjoint(seen.headers)


# What is said


@pytest.mark.parametrize("kind", ["webhook", "hma", "stopncii", "threatexchange"])
def test_every_byte_is_the_one_that_was_shown(sender, kind):
    sending = sender(kind)
    plan = sending.plan()
    journal = read_journal(journal_beside(sending.given), plan.backend.destination)
    shown = [as_sent(plan, request) for request in requests_to_send(plan, journal)]
    sending.go()
    assert len(shown) == len(sending.service.seen)
    for one, seen in zip(shown, sending.service.seen, strict=True):
        pattern = re.escape(one).replace(rb"hidden", rb"[!-~ ]+")
        pattern = pattern.replace(b'"' + b"0" * 32 + b'"', b'"[0-9a-f]{32}"')  # drawn when it goes
        assert re.fullmatch(pattern, seen.raw)
        assert seen.headers["User-Agent"] == "hashkit"


@pytest.mark.parametrize("kind", ["webhook", "stopncii", "threatexchange"])
def test_credentials_are_not_shown_or_written(sender, kind):
    sending = sender(kind)
    plan = sending.plan()
    sending.go()
    everything = [as_sent(plan, batch.request) for batch in plan.batches]
    everything += [path.read_bytes() for path in sending.folder.iterdir()]
    for secret in (
        *(b"the-function-secret", b"the-subscription-secret", b"the-token-secret"),
        os.environ["TEST_SECRET"].encode(),
    ):
        assert not any(secret in each for each in everything)


# What goes wrong


def test_every_error_of_httpx_is_ours():
    """One that is new in httpx and means that nothing was sent would be taken for a lost
    connection: that is safe."""

    def all_below(kind):
        return [kind, *(below for each in kind.__subclasses__() for below in all_below(each))]

    kinds = all_below(httpx.TransportError)
    for kind in kinds:
        expected = ServiceUnreachable if kind.__name__ in client._BEFORE else ConnectionLost
        assert type(client._own_error(vars(httpx), kind("no"))) is expected
    assert set(client._BEFORE) <= {kind.__name__ for kind in kinds}


def test_an_answer_that_is_packed_is_not_unpacked(sender):
    sending = sender("hma")
    sending.service.faults = [(400, {"Content-Encoding": "gzip"}, b"\x1f\x8b" + b"\0" * 100)]
    assert sending.go()[0].reason == "Status 400"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("7\x1d", None),  # white space to Python's strip, and not to its float
        ("\N{ARABIC-INDIC DIGIT SEVEN}", None),
        ("-1", None),
        ("soon", None),
        ("1e9", None),
        ("9" * 20, None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
        ("Fri, 31 Dec 9999 23:59:59 -2300", None),
        (None, None),
    ],
)
def test_how_long_to_wait(text, seconds):
    assert client._seconds(text) == seconds


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no such clock to turn")
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_a_date_that_says_no_zone(zone, monkeypatch):
    """HTTP dates are UTC, whatever the time zone of this computer."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert client._seconds("Fri, 31 Dec 9999 23:59:59 -0000") > 1e11
        then = datetime.now(UTC) + timedelta(hours=1)
        assert 3500 < client._seconds(then.strftime("%a, %d %b %Y %H:%M:%S -0000")) <= 3600
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_date_to_wait_for():
    then = datetime.now(UTC) + timedelta(hours=1)
    assert 3500 < client._seconds(then.strftime("%a, %d %b %Y %H:%M:%S GMT")) <= 3600


def test_without_httpx(sender, monkeypatch):
    sending = sender("webhook")
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(SendingUnavailable):
        sending.go()


@pytest.mark.parametrize("fault", ["endless_headers", "endless_hints", "drip"])
@pytest.mark.parametrize("with_tls", [False, True])
def test_an_answer_that_never_ends_ends(sender, authority, ca, fault, with_tls):
    """Each byte comes in time; the answer does not."""
    context = served_by(authority, "127.0.0.1") if with_tls else None
    sending = sender("webhook", context, ca if with_tls else "")
    sending.service.faults = [fault]
    with pytest.raises(ConnectionLost):
        sending.go(tries=1, patience=0.5)
    sending.go()  # over a new connection
    assert len(sending.backend.stored) == len(sending.submission.items)


def test_a_body_is_read_for_so_long(sender):
    sending = sender("webhook")
    sending.service.faults = ["slow_body"]
    profile = read_profile(sending.profiles, "test")
    with Client(profile, patience=0.5) as way:
        assert len(way.send(Request("POST", "", b"{}"), {}).untrusted_body) < 1000


def test_a_stalled_answer_costs_one_patience(sender):
    sending = sender("webhook")
    sending.service.faults = ["stall"]
    profile = read_profile(sending.profiles, "test")
    with Client(profile, patience=0.3) as way, pytest.raises(ConnectionLost):
        way.send(Request("POST", "", b"{}"), {})
    assert sending.service.stalled.is_set()
    assert threading.active_count() < 50

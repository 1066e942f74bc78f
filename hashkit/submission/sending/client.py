"""The only module of hashkit that connects to another machine, through httpx.

It connects to the address of the profile only. Redirects are not followed, no proxy is used but the
one that the profile names, and nothing is read from the environment (not even SSLKEYLOGFILE).
Certificates are always verified. Each request has a connection of its own, so that what is left on
one is never taken for the answer to the next request. No cookies are kept.
"""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from hashkit.errors import (
    CertificateRefused,
    ConnectionLost,
    ProfileUnfit,
    SendingError,
    SendingUnavailable,
    ServiceUnreachable,
)
from hashkit.submission.sending.batch import Request, Response
from hashkit.submission.sending.exchange import Exchange
from hashkit.submission.sending.profile import Profile, headers_of

if TYPE_CHECKING:
    import httpx

_CONNECT_SECONDS = 15.0
_MAX_BODY = 64 << 10


def check_available() -> None:
    """SendingUnavailable where the extra is not installed."""
    try:
        import httpx  # noqa: F401, PLC0415
    except ImportError as error:
        raise SendingUnavailable from error


class Client:
    """The way to the service of one profile. Use it in a ``with`` block.

    ``patience`` is in seconds: how long the service may be silent. A whole response may take twice
    as long. SendingUnavailable without httpx; ProfileUnfit where the certificates that the profile
    names cannot be read.
    """

    def __init__(self, profile: Profile, patience: float = 30.0) -> None:
        check_available()
        import httpx  # noqa: PLC0415 (an extra: nobody has to have it)

        self._httpx = httpx
        self._profile = profile
        self._patience = patience
        trusted = _trusted(profile)
        self._client = httpx.Client(
            verify=trusted,
            proxy=None if profile.proxy is None else _proxy(httpx.Proxy, profile.proxy, trusted),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(patience, connect=min(_CONNECT_SECONDS, patience)),
            limits=httpx.Limits(max_connections=1, max_keepalive_connections=0),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def send(self, request: Request, signed: Mapping[str, str]) -> Response:
        """Send one request, once. ServiceUnreachable and CertificateRefused where nothing of it was
        sent, ConnectionLost where it may have arrived."""
        exchange = Exchange(self._patience)
        try:
            outgoing = self._httpx.Request(
                request.method,
                self._profile.url(request.path),
                headers=headers_of(self._profile, request, signed),
                content=request.body or None,
                extensions={"trace": exchange.watch},
            )
        except self._httpx.InvalidURL as error:
            raise ProfileUnfit("The address is not one.") from error
        try:
            answer = self._client.send(outgoing, stream=True)
            try:
                body, is_whole = self._read(answer)
                response = _response(answer, body)
                exchange.check(response.status, has_body=bool(request.body), is_whole=is_whole)
                return response
            finally:
                answer.close()
        # InvalidURL: httpx reads the Location of a redirect, although it is not followed.
        except (
            self._httpx.HTTPError,
            self._httpx.StreamError,
            self._httpx.InvalidURL,
            ssl.SSLError,
        ) as error:
            raise _own_error(self._httpx.__dict__, error) from error
        finally:
            exchange.close()

    def _read(self, response: httpx.Response) -> tuple[bytes, bool]:
        """The beginning of the body, and whether it is all: more is not needed, and it may never
        end."""
        body = b""
        last = time.monotonic() + self._patience
        for chunk in response.iter_raw():
            body += chunk
            if len(body) >= _MAX_BODY or time.monotonic() > last:
                return body[:_MAX_BODY], False
        return body, True


def _proxy(kind: type[httpx.Proxy], address: str, trusted: ssl.SSLContext) -> httpx.Proxy:
    # Without a context httpx would verify it with certificates that the environment names.
    return kind(address, ssl_context=trusted if address.startswith("https:") else None)


def _trusted(profile: Profile) -> ssl.SSLContext:
    import certifi  # noqa: PLC0415 (it comes with httpx)

    # Not create_default_context: it writes secrets to where SSLKEYLOGFILE says.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(profile.ca or certifi.where())
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise ProfileUnfit("The certificates at ca could not be read.") from error
    return context


# httpx errors before which nothing was sent; with all others, the request may have arrived.
_BEFORE = ("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError", "UnsupportedProtocol")


def _own_error(names: Mapping[str, object], error: Exception) -> SendingError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused()
        cause = cause.__cause__ or cause.__context__
    if type(error) in [names[name] for name in _BEFORE]:
        return ServiceUnreachable()
    return ConnectionLost()


def _response(response: httpx.Response, body: bytes) -> Response:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        body = b""  # compressed although not asked for: it is not unpacked
    return Response(
        response.status_code,
        body,
        _seconds(response.headers.get("Retry-After")),
        response.headers.get("Location"),
    )


def _seconds(untrusted: str | None) -> float | None:
    """The seconds that Retry-After (RFC 9110, 10.2.3) asks to wait, given as such or as a date."""
    if untrusted is None:
        return None
    if re.fullmatch("[0-9]{1,9}", digits := untrusted.strip(" \t")):
        return float(digits)
    try:
        moment = parsedate_to_datetime(untrusted)
    except (ValueError, OverflowError):
        return None
    if moment.tzinfo is None:  # with -0000; HTTP dates are UTC
        moment = moment.replace(tzinfo=UTC)
    try:
        return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except OverflowError:  # a year out of range
        return None

"""Why a request to an issuer failed, as text for the log."""

import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx


class IssuerError(Exception):
    """A request to an issuer failed, or its response is unusable."""

    def __init__(
        self, reason: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        """What was wrong, for the log; no credentials and nothing of the response's body."""
        self.status = status
        """The status of the response if that is what was wrong."""
        self.retry_after = retry_after
        """Seconds of the response's Retry-After, if it has one (RFC 9110, 10.2.3)."""


def describe(error: BaseException) -> str:
    """Describe why there was no response: the name, the connection, TLS, the proxy."""
    names = (name for cause in _causes(error) if (name := _name(cause)))
    return next(names, str(error) or type(error).__name__)


def _name(cause: BaseException) -> str | None:
    match cause:
        case ssl.SSLError():
            return _name_tls_fault(cause)
        case socket.gaierror():
            return f"DNS: {cause.strerror}"
        case httpx.ProxyError():
            return f"the proxy refused: {cause}"
        case httpx.InvalidURL():  # its message may show a password
            return "the URL is not valid"
        case OSError(errno=int(number)):  # asyncio has its own text for "Connection refused"
            return os.strerror(number)
    return None


def _name_tls_fault(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS certificate not trusted: {error.verify_message}"
    return f"TLS failed: {error.reason or error}"


def is_distrust(error: BaseException) -> bool:
    """Return whether a certificate was not trusted."""
    return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))


def read_retry_after(value: str | None) -> float | None:
    """Read a Retry-After header, seconds or a date, into seconds; None if there is none or it is odd."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Walk from an error to what caused it; of several attempts to connect, the last counts."""
    while error is not None:
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[-1]
            continue
        yield error
        error = error.__cause__ or error.__context__

"""Fetches the live statuses of calls from Stream, through its official SDK."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import httpx
from getstream import AsyncStream
from getstream.base import build_path
from getstream.exceptions import classify_transport_error

from server.adapters.stream.bounded_transport import BoundedTransport
from server.adapters.stream.errors import StreamError, StreamFailedError
from server.adapters.stream.fresh_connection import FreshConnectionTransport
from server.adapters.stream.query_calls import query_of, read_live_statuses
from server.adapters.stream.wire import StreamCall, read_get_call
from server.application.call import LiveStatus
from server.config.stream import StreamSettings
from server.runtime import tracing

_GET_CALL = "/api/v2/video/call/{type}/{id}"
_QUERY_CALLS = "/api/v2/video/calls"
_QUERY = {"members_limit": 0}
"""Members are never read: none are requested, of the 0 to 100 that Stream's schema permits.

By default it returns 25. If it should take 0 for the default, these fit the largest response too.
"""
_IDLE_SECONDS = 55.0


class StreamClient:
    """One connection pool to Stream, made once per process.

    Making it costs some 0.1 s, and importing this module 1 s: only if Stream is configured.
    """

    def __init__(self, settings: StreamSettings) -> None:
        if settings.api_key is None or settings.api_secret is None:
            raise ValueError("There is no Stream app to send requests to.")
        self._server_attributes = _server_attributes(settings.base_url)
        timeout = settings.request_timeout_ms / 1000
        # Everything is set here: what is not, the SDK and httpx read from the environment.
        stream = AsyncStream(
            api_key=settings.api_key,
            api_secret=settings.api_secret.get_secret_value(),
            base_url=settings.base_url,
            request_timeout=timeout,
            connect_timeout=timeout,
            max_conns_per_host=settings.max_concurrent_requests,
            idle_timeout=_IDLE_SECONDS,
            transport=BoundedTransport(_transport(settings.max_concurrent_requests)),
            logger=_nowhere(),
            log_bodies=False,
            retry=None,
        )
        # Its HTTP client has the app's authentication and URL. The SDK's own methods read each response
        # whole and in another thread: of a hundred calls that takes four times as long.
        self._http = stream.client

    async def fetch(self, call_type: str, call_id: str) -> LiveStatus:
        """Fetch the live status of a call for which `is_addressable` is true, by GetCall.

        Raises StreamError, and nothing else. The timeouts are per read, not for the whole: a
        deadline is the caller's to set.
        """
        path = build_path(_GET_CALL, {"type": call_type, "id": call_id})
        with self._request("GET", _GET_CALL), _stream_errors():
            response = await self._http.get(path, params=_QUERY)
            return read_get_call(response.content, call_type, call_id)

    async def fetch_many(
        self, calls: Sequence[StreamCall]
    ) -> dict[StreamCall, LiveStatus | StreamError]:
        """Fetch the live statuses of up to MAX_CALLS calls for which `is_queryable` is true.

        They are fetched by one QueryCalls; a call without a status has its own error in the result.
        Raises StreamError if there are no statuses at all, and nothing else.
        """
        with self._request("POST", _QUERY_CALLS), _stream_errors():
            response = await self._http.post(_QUERY_CALLS, json=query_of(calls))
            return read_live_statuses(response.content, calls)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _request(self, method: str, path: str) -> AbstractContextManager[object]:
        """Make the span of a request, if it belongs to a caller that is sampled."""
        about = {"http.request.method": method, "url.template": path, **self._server_attributes}
        return tracing.span(f"{method} {path}", "client", about)


@contextmanager
def _stream_errors() -> Iterator[None]:
    """Raise whatever goes wrong as a StreamError."""
    try:
        yield
    except StreamError:
        raise
    except httpx.RequestError as error:
        raise StreamFailedError(classify_transport_error(error)) from error
    except Exception as error:
        raise StreamFailedError(type(error).__name__) from error


def _server_attributes(base_url: str) -> dict[str, str | int]:
    """Describe where requests go: without their URL, whose query has the app's key."""
    url = httpx.URL(base_url)
    return {
        "server.address": url.host,
        "server.port": url.port or {"https": 443, "http": 80}[url.scheme],
    }


def _transport(max_connections: int) -> FreshConnectionTransport:
    """Make a pool of connections that are kept alive, and one of those that are not."""
    # Shared, for making one takes some 20 ms.
    tls = httpx.create_ssl_context(trust_env=False)

    def pool(max_kept: int) -> httpx.AsyncHTTPTransport:
        limits = httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_kept,
            keepalive_expiry=_IDLE_SECONDS,
        )
        return httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False)

    return FreshConnectionTransport(kept=pool(max_connections), fresh=pool(0))


def _nowhere() -> logging.Logger:
    """Make a logger that discards everything: what the SDK would log is raised and logged here."""
    logger = logging.Logger("getstream")  # noqa: LOG001 - outside the tree, so that no handler hears it
    logger.disabled = True
    return logger

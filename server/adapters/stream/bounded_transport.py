"""Sends requests to Stream, and returns only responses that are safe to hand to its SDK."""

import re
import time
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus

import httpx

from server.adapters.stream.errors import (
    StreamError,
    StreamRateLimitedError,
    StreamResponseTooLargeError,
)
from server.adapters.stream.metrics import RATE_LIMIT_MAX, RATE_LIMIT_REMAINING, Endpoint
from server.adapters.stream.refusals import read_refusal
from server.runtime import tracing

MAX_RESPONSE_BYTES = 3 * 1024 * 1024
"""Bytes of a body that are read at most.

The largest calls name 250 participants with up to 5 kB of their own each: 1.4 MB, read in 2 ms. Members
are not requested; should they come all the same, 100 with 5 kB as a user and a member take 1.1 MB.
"""
_LARGEST_REFUSAL = 64 * 1024
"""Bytes of the body of an error that are read at most; an envelope takes some hundred."""


class BoundedTransport(httpx.AsyncBaseTransport):
    """An HTTP transport whose responses are successful, bounded and uncompressed.

    Raises StreamResponseTooLargeError while a body too large is read, and the StreamError of any other
    status: for an incomplete error envelope the SDK would raise a bare KeyError, and for a redirect
    report that its body is not JSON.
    """

    def __init__(
        self, inner: httpx.AsyncBaseTransport, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._inner = inner
        self._wall_clock = wall_clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # The SDK asks for gzip, whose decoded size nothing bounds.
        request.headers["Accept-Encoding"] = "identity"
        request.headers.update(tracing.outgoing_headers())
        response = await self._inner.handle_async_request(request)
        _record_rate_limit(request.method, response.headers)
        tracing.note("http.response.status_code", response.status_code)
        if not response.is_success:
            try:
                raise await self._refusal(response)
            finally:
                await response.aclose()
        # Without its headers, so that the body is read as the UTF-8 that JSON is: a compression or a
        # character set named there would be applied first, at any cost.
        return httpx.Response(
            response.status_code, stream=_BoundedStream(response), extensions=response.extensions
        )

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _refusal(self, response: httpx.Response) -> StreamError:
        if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            return StreamRateLimitedError(_pause(response.headers, self._wall_clock()))
        return read_refusal(response.status_code, await _read_start(response))


def _record_rate_limit(method: str, headers: httpx.Headers) -> None:
    endpoint = Endpoint.GET_CALL if method == "GET" else Endpoint.QUERY_CALLS
    for name, gauge in (("Limit", RATE_LIMIT_MAX), ("Remaining", RATE_LIMIT_REMAINING)):
        number = _number(headers.get(f"X-RateLimit-{name}"))
        if number is not None:
            gauge.labels(endpoint.value).set(number)


async def _read_start(response: httpx.Response) -> bytes:
    body = b""
    async for part in response.aiter_raw():
        body += part
        if len(body) > _LARGEST_REFUSAL:
            break
    return body


class _BoundedStream(httpx.AsyncByteStream):
    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._response.aiter_raw():
            size += len(part)
            if size > MAX_RESPONSE_BYTES:
                raise StreamResponseTooLargeError
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


def _pause(headers: httpx.Headers, now: float) -> int | None:
    """Return for how many seconds Stream rate limits: the longer time, if both headers have one."""
    pause = _number(headers.get("Retry-After"))
    reset = _number(headers.get("X-RateLimit-Reset"))
    said = [pause] if pause is not None else []
    if reset is not None:
        said.append(reset - int(now))
    return max(said, default=None)


def _number(text: str | None) -> int | None:
    match = re.match(r"\d{1,12}\b", text or "")
    return int(match[0]) if match else None

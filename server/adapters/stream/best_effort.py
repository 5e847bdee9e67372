"""Gets the live status of a call from Stream, best effort and by as few requests as possible."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple, Protocol

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamFailedError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
)
from server.adapters.stream.gate import Gate, StreamCall
from server.adapters.stream.metrics import (
    AGES,
    BREAKER_OPEN,
    CACHED,
    FETCHED,
    IN_FLIGHT,
    SHARED,
    NullReason,
    record_null,
    record_request,
)
from server.adapters.stream.unaddressable import UnaddressableCalls
from server.adapters.stream.wire import is_addressable
from server.application.call import LiveStatus
from server.config.stream import StreamSettings
from server.runtime import tracing
from server.runtime.instruments import Count
from server.runtime.tasks import wait_for_end

log = logging.getLogger("server.stream")

_MAX_CACHED = 10_000
"""Responses cached at most, some 700 bytes each and never 2 KB: `wire` bounds names and sessions."""
_RESERVE = 0.05
"""Seconds of a caller's deadline that are reserved for the reply itself."""


_TIMEOUT = "timeout"
"""The reason of a request that took too long, by the SDK's error or by our own."""


class Stream(Protocol):
    """Stream's API, without any limits."""

    async def fetch(self, call_type: str, call_id: str) -> LiveStatus:
        """Fetch the live status of a call; raise a StreamError if there is none."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class _Response(NamedTuple):
    """The status of a call, or why it is not known, and when it was requested."""

    requested_at: float
    status: LiveStatus | NullReason


_Request = asyncio.Task[_Response]


class BestEffort:
    """The cached response, else that of the request under way, else of a new one if the gate permits it.

    A response's age counts from when its request was sent, so that nothing is returned that is older
    than the cache's TTL. Failures are cached as long as successes: Stream gets at most one request
    per call and TTL. A request belongs to no caller: callers come, give up and are cancelled without
    it; it is aborted when its response could no longer be used, which is a failure.
    """

    def __init__(
        self, stream: Stream, settings: StreamSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._gate = Gate(settings, clock)
        self._unaddressable = UnaddressableCalls()
        self._timeout = settings.timeout_ms / 1000
        self._cache_ttl = settings.cache_ttl_ms / 1000
        self._request_timeout = settings.request_timeout_ms / 1000
        self._max_requests = settings.max_concurrent_requests
        self._responses: OrderedDict[StreamCall, _Response] = OrderedDict()
        self._requests: dict[StreamCall, _Request] = {}
        IN_FLIGHT.set_function(lambda: len(self._requests))
        BREAKER_OPEN.set_function(lambda: self._gate.is_open)

    async def live_status(
        self, stream_call_type: str, stream_call_id: str, within: float
    ) -> LiveStatus | None:
        """Return a call's live status within so many seconds, None if it is not known; never raise."""
        call = (stream_call_type, stream_call_id)
        known = self._responses.get(call)
        if known is not None and self._clock() - known.requested_at <= self._cache_ttl:
            return self._count(known, CACHED)
        outcome = SHARED if call in self._requests else FETCHED
        with tracing.span("wait for Stream") as span:
            span.set("livecalls.stream.shared", outcome is SHARED)
            response = await self._wait_for(call, min(self._timeout, within - _RESERVE))
        return self._count(response, outcome)

    async def aclose(self) -> None:
        """Cancel all requests, and close the connections to Stream."""
        requests = list(self._requests.values())
        for request in requests:
            request.cancel()
        await wait_for_end(requests, "requests to Stream")
        await self._stream.aclose()

    async def _wait_for(self, call: StreamCall, seconds: float) -> _Response | NullReason:
        if seconds <= 0:
            return NullReason.DEADLINE
        request = self._requests.get(call) or self._request(call)
        if isinstance(request, NullReason):
            return request
        await asyncio.wait((request,), timeout=seconds)
        return _result_of(request)

    def _count(self, response: _Response | NullReason, outcome: Count) -> LiveStatus | None:
        """Return the status that a response has, and count it by its outcome, or by why it is null."""
        if isinstance(response, NullReason):
            record_null(response)
            return None
        if isinstance(response.status, NullReason):
            record_null(response.status)
            return None
        outcome.value += 1
        AGES.observe(self._clock() - response.requested_at)
        return response.status

    def _request(self, call: StreamCall) -> _Request | NullReason:
        if not is_addressable(*call):
            self._unaddressable.note(*call)
            return NullReason.UNADDRESSABLE
        if len(self._requests) >= self._max_requests:
            return NullReason.TOO_MANY_REQUESTS
        if not self._gate.permits(call):
            return NullReason.RATE_LIMITED if self._gate.is_silent else NullReason.BREAKER_OPEN
        self._gate.record_start(call)
        request = asyncio.create_task(self._fetch(call, self._clock()))
        self._requests[call] = request
        request.add_done_callback(lambda _: self._requests.pop(call))
        return request

    async def _fetch(self, call: StreamCall, requested_at: float) -> _Response:
        response = _Response(requested_at, await self._fetch_or_log(call))
        failure = response.status if isinstance(response.status, NullReason) else None
        record_request(failure, self._clock() - requested_at)
        self._responses[call] = response
        self._responses.move_to_end(call)
        if len(self._responses) > _MAX_CACHED:
            self._responses.popitem(last=False)
        return response

    async def _fetch_or_log(self, call: StreamCall) -> LiveStatus | NullReason:
        try:
            async with asyncio.timeout(self._request_timeout):
                status = await self._stream.fetch(*call)
        except StreamRateLimitedError as error:
            self._gate.record_rate_limit(call, error.seconds)
            return NullReason.RATE_LIMITED
        except StreamCallNotFoundError:
            self._gate.record_response(call)
            _log_no_response(logging.INFO, call, "no such call")
            return NullReason.NOT_FOUND
        except StreamRequestRejectedError:
            self._gate.record_rejection(call)
            _log_no_response(logging.WARNING, call, "request rejected")
            return NullReason.REJECTED
        except Exception as error:  # noqa: BLE001 - whatever goes wrong at Stream, the row is returned
            self._gate.record_failure(call)
            reason = _reason(error)
            _log_no_response(logging.WARNING, call, reason)
            return NullReason.TIMEOUT if reason == _TIMEOUT else NullReason.FAILED
        self._gate.record_response(call)
        return status


def _result_of(request: _Request) -> _Response | NullReason:
    if not request.done() or request.cancelled():
        return NullReason.TIMEOUT
    return request.result()


def _reason(error: Exception) -> str:
    if isinstance(error, StreamFailedError):
        return error.reason
    return _TIMEOUT if isinstance(error, TimeoutError) else type(error).__name__


def _log_no_response(level: int, call: StreamCall, reason: str) -> None:
    about = {"stream_call_type": call[0], "stream_call_id": call[1], "reason": reason}
    log.log(level, "stream gave no response", extra=about)

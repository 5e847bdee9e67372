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
from server.adapters.stream.unaddressable import UnaddressableCalls
from server.adapters.stream.wire import is_addressable
from server.application.call import LiveStatus
from server.config.stream import StreamSettings
from server.runtime.tasks import wait_for_end

log = logging.getLogger("server.stream")

_MAX_CACHED = 10_000
"""Responses cached at most, some 700 bytes each and never 2 KB: `wire` bounds names and sessions."""
_RESERVE = 0.05
"""Seconds of a caller's deadline that are reserved for the reply itself."""


class Stream(Protocol):
    """Stream's API, without any limits."""

    async def fetch(self, call_type: str, call_id: str) -> LiveStatus:
        """Fetch the live status of a call; raise a StreamError if there is none."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class _Response(NamedTuple):
    """The cached status of a call, None if not known, and when it was requested."""

    requested_at: float
    status: LiveStatus | None


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
        self._requests: dict[StreamCall, asyncio.Task[LiveStatus | None]] = {}

    async def live_status(
        self, stream_call_type: str, stream_call_id: str, within: float
    ) -> LiveStatus | None:
        """Return a call's live status within so many seconds, None if it is not known; never raise."""
        call = (stream_call_type, stream_call_id)
        known = self._responses.get(call)
        if known is not None and self._clock() - known.requested_at <= self._cache_ttl:
            return known.status
        wait = min(self._timeout, within - _RESERVE)
        if wait <= 0:
            return None
        request = self._requests.get(call) or self._request(call)
        if request is None:
            return None
        await asyncio.wait((request,), timeout=wait)
        return _result_of(request)

    async def aclose(self) -> None:
        """Cancel all requests, and close the connections to Stream."""
        requests = list(self._requests.values())
        for request in requests:
            request.cancel()
        await wait_for_end(requests, "requests to Stream")
        await self._stream.aclose()

    def _request(self, call: StreamCall) -> asyncio.Task[LiveStatus | None] | None:
        if not is_addressable(*call):
            self._unaddressable.note(*call)
            return None
        if len(self._requests) >= self._max_requests or not self._gate.permits(call):
            return None
        self._gate.record_start(call)
        request = asyncio.create_task(self._fetch(call, self._clock()))
        self._requests[call] = request
        request.add_done_callback(lambda _: self._requests.pop(call))
        return request

    async def _fetch(self, call: StreamCall, requested_at: float) -> LiveStatus | None:
        status = await self._fetch_or_log(call)
        self._responses[call] = _Response(requested_at, status)
        self._responses.move_to_end(call)
        if len(self._responses) > _MAX_CACHED:
            self._responses.popitem(last=False)
        return status

    async def _fetch_or_log(self, call: StreamCall) -> LiveStatus | None:
        try:
            async with asyncio.timeout(self._request_timeout):
                status = await self._stream.fetch(*call)
        except StreamRateLimitedError as error:
            self._gate.record_rate_limit(call, error.seconds)
        except StreamCallNotFoundError:
            self._gate.record_response(call)
            _log_no_response(logging.INFO, call, "no such call")
        except StreamRequestRejectedError:
            self._gate.record_rejection(call)
            _log_no_response(logging.WARNING, call, "request rejected")
        except Exception as error:  # noqa: BLE001 - whatever goes wrong at Stream, the row is returned
            self._gate.record_failure(call)
            _log_no_response(logging.WARNING, call, _reason(error))
        else:
            self._gate.record_response(call)
            return status
        return None


def _result_of(request: asyncio.Task[LiveStatus | None]) -> LiveStatus | None:
    if not request.done() or request.cancelled():
        return None
    return request.result()


def _reason(error: Exception) -> str:
    if isinstance(error, StreamFailedError):
        return error.reason
    return "timeout" if isinstance(error, TimeoutError) else type(error).__name__


def _log_no_response(level: int, call: StreamCall, reason: str) -> None:
    about = {"stream_call_type": call[0], "stream_call_id": call[1], "reason": reason}
    log.log(level, "stream gave no response", extra=about)

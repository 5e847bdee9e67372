"""Requests the live statuses of many calls at once, and notes at the gates how that ends."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
    StreamResponseTooLargeError,
    UnreadableResponseError,
)
from server.adapters.stream.failures import log_no_response, null_reason_of, reason_of
from server.adapters.stream.gate import Gate
from server.adapters.stream.metrics import NullReason
from server.adapters.stream.ports import Stream
from server.adapters.stream.query_calls import MIN_CALLS
from server.adapters.stream.query_gate import QueryGate
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus

Statuses = Mapping[StreamCall, LiveStatus | NullReason]


class Failure(NamedTuple):
    """How a request as a whole failed."""

    reason: NullReason
    useless: str = ""
    """Why its response was of no use, if that may be for one of its calls."""


class BulkRequests:
    """Requests that the gates have permitted.

    One that callers wait for is aborted when they would wait no longer, and others when their response
    could no longer be used; so is a probe, for requests for single calls keep the event loop busy that
    slows it down. One that fails is held against bulk alone: it is no evidence of any of its calls.
    """

    def __init__(
        self,
        stream: Stream,
        gate: Gate,
        query_gate: QueryGate,
        *,
        timeout: float,
        awaited_timeout: float,
    ) -> None:
        self._stream = stream
        self._gate = gate
        self._query_gate = query_gate
        self._timeout = timeout
        self._awaited_timeout = awaited_timeout

    async def fetch(
        self, calls: Sequence[StreamCall], *, is_awaited: bool, is_probe: bool
    ) -> Statuses | Failure:
        """Return the status of each call, or why it has none; or how the request as a whole failed."""
        try:
            is_urgent = is_awaited and not is_probe
            async with asyncio.timeout(self._awaited_timeout if is_urgent else self._timeout):
                statuses = await self._stream.fetch_many(calls)
        except StreamRateLimitedError as error:
            self._query_gate.release()
            for call in calls:
                self._gate.record_rate_limit(call, error.seconds)
            return Failure(NullReason.RATE_LIMITED)
        except StreamResponseTooLargeError as error:
            self._query_gate.record_too_large(len(calls))
            # Fewer have room in one, but for two of which one takes most of it.
            useless = reason_of(error) if len(calls) <= MIN_CALLS else ""
            return self._fail(calls, Failure(NullReason.FAILED, useless))
        except (UnreadableResponseError, StreamRequestRejectedError) as error:
            self._query_gate.record_useless(reason_of(error), len(calls))
            return self._fail(calls, Failure(null_reason_of(error), reason_of(error)))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, single requests go on
            self._query_gate.record_failure(reason_of(error), len(calls))
            return self._fail(calls, Failure(null_reason_of(error)))
        self._query_gate.record_success(len(calls), is_probe=is_probe)
        return {call: self._judge(call, statuses[call]) for call in calls}

    def _fail(self, calls: Sequence[StreamCall], failure: Failure) -> Failure:
        for call in calls:
            self._gate.record_nothing(call)
        return failure

    def _judge(self, call: StreamCall, status: LiveStatus | StreamError) -> LiveStatus | NullReason:
        if isinstance(status, LiveStatus):
            self._gate.record_response(call)
            return status
        if isinstance(status, StreamCallNotFoundError):
            self._gate.record_response(call)
            log_no_response(logging.INFO, call, "no such call")
            return NullReason.NOT_FOUND
        self._gate.record_rejection(call)
        log_no_response(logging.WARNING, call, reason_of(status))
        return NullReason.FAILED

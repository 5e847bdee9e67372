"""Requests the live status of one call, and notes at the gate how that ends."""

import asyncio
import logging

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
)
from server.adapters.stream.failures import log_no_response, null_reason_of, reason_of
from server.adapters.stream.gate import Gate
from server.adapters.stream.metrics import NullReason
from server.adapters.stream.ports import Stream
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus


class SingleRequests:
    """Requests that the gate has permitted, each aborted after so many seconds, which is a failure."""

    def __init__(self, stream: Stream, gate: Gate, timeout: float) -> None:
        self._stream = stream
        self._gate = gate
        self._timeout = timeout

    async def fetch(self, call: StreamCall) -> LiveStatus | NullReason:
        """Return the status, or why there is none."""
        try:
            async with asyncio.timeout(self._timeout):
                status = await self._stream.fetch(*call)
        except StreamRateLimitedError as error:
            self._gate.record_rate_limit(call, error.seconds)
            return NullReason.RATE_LIMITED
        except StreamCallNotFoundError:
            self._gate.record_response(call)
            log_no_response(logging.INFO, call, "no such call")
            return NullReason.NOT_FOUND
        except StreamRequestRejectedError as error:
            self._gate.record_rejection(call)
            log_no_response(logging.WARNING, call, reason_of(error))
            return NullReason.REJECTED
        except Exception as error:  # noqa: BLE001 - whatever goes wrong at Stream, the row is returned
            self._gate.record_failure(call)
            log_no_response(logging.WARNING, call, reason_of(error))
            return null_reason_of(error)
        self._gate.record_response(call)
        return status

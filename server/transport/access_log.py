"""The log of requests: a line for each, written shortly after its end and many at a time.

The metrics of their ends are recorded then, too.

Between two steps of gRPC a line costs 30 µs, for nothing that makes it is at hand in the processor
then; among others of its kind it costs 5.
"""

import asyncio
import logging
from contextvars import Context
from time import time

from google.rpc import code_pb2

from server.transport.metrics import MethodMetrics

GATHER_SECONDS = 0.01

log = logging.getLogger("server.requests")

_CODE_NAMES = {number: name for name, number in code_pb2.Code.items()}


class AccessLog:
    """Notes requests in less than a microsecond, and logs them within GATHER_SECONDS."""

    def __init__(self) -> None:
        self._noted: list[tuple[float, MethodMetrics, int, float, str]] = []
        self._closed = False

    def note(self, method: MethodMetrics, code: int, seconds: float, request_id: str) -> None:
        """Note how a request ended, by google.rpc.Code, and how long it took."""
        if not self._noted and not self._closed:
            # In a context of its own: it belongs to no request.
            loop = asyncio.get_running_loop()
            loop.call_later(GATHER_SECONDS, self.write, context=Context())
        self._noted.append((time(), method, code, seconds, request_id))
        if self._closed:
            self.write()

    def close(self) -> None:
        """Log what is noted; requests that end from now on are logged at once."""
        self._closed = True
        self.write()

    def write(self) -> None:
        """Log what is noted, and record its metrics."""
        noted, self._noted = self._noted, []
        for _, method, code, seconds, _ in noted:
            method.record_end(code, seconds)
        if log.isEnabledFor(logging.INFO):
            for request in noted:
                log.handle(_Answered(*request))


class _Answered(logging.LogRecord):
    """The record of a request, without what logging finds out about every other line."""

    _same = vars(logging.LogRecord(log.name, logging.INFO, "", 0, "answered", None, None))

    def __init__(
        self, ended: float, method: MethodMetrics, code: int, seconds: float, request_id: str
    ) -> None:
        self.__dict__ = {
            **self._same,
            "created": ended,
            "msecs": ended % 1 * 1000,
            "method": method.name,
            "code": _CODE_NAMES[code],
            "duration_ms": round(seconds * 1000, 2),
            "request_id": request_id,
        }

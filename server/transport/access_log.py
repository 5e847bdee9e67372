"""The log of requests: a line for each, written shortly after its end and many at a time.

The metrics of their ends are recorded then, too.

Between two steps of gRPC a line costs 30 µs, for nothing that makes it is at hand in the processor
then; among others of its kind it costs 5.
"""

import asyncio
import logging
from contextvars import Context
from random import getrandbits
from time import time

from google.rpc import code_pb2

from server.transport.metrics import MethodMetrics

GATHER_SECONDS = 0.01

log = logging.getLogger("server.requests")

_CODE_NAMES = {number: name for name, number in code_pb2.Code.items()}
# Whoever asks for a call that is not there gets its answer, too.
_SUCCESSES = frozenset({code_pb2.OK, code_pb2.NOT_FOUND})
# Envoy's, by which it samples: the two logs then have the same requests.
_BUCKETS = 1_000_000
_DIGITS = 8

_Noted = tuple[float, MethodMetrics, int, float, str, str | None, str | None]


class AccessLog:
    """Notes requests in less than a microsecond, and logs them within GATHER_SECONDS."""

    def __init__(self, ratio: float = 1) -> None:
        """Take the fraction of successes that are logged; all else is."""
        self._ratio = ratio
        self._noted: list[_Noted] = []
        self._closed = False

    def note(  # noqa: PLR0913, PLR0917 - all that its line shows
        self,
        method: MethodMetrics,
        code: int,
        seconds: float,
        request_id: str,
        client: str | None = None,
        trace_id: str | None = None,
    ) -> None:
        """Note how a request ended, by google.rpc.Code, how long it took, whose it was, its trace."""
        if not self._noted and not self._closed:
            # In a context of its own: it belongs to no request.
            loop = asyncio.get_running_loop()
            loop.call_later(GATHER_SECONDS, self.write, context=Context())
        self._noted.append((time(), method, code, seconds, request_id, client, trace_id))
        if self._closed:
            self.write()

    def close(self) -> None:
        """Log what is noted; requests that end from now on are logged at once."""
        self._closed = True
        self.write()

    def write(self) -> None:
        """Log what is noted, and record its metrics."""
        noted, self._noted = self._noted, []
        for _, method, code, seconds, *_ in noted:
            method.record_end(code, seconds)
        if log.isEnabledFor(logging.INFO):
            for request in noted if self._ratio >= 1 else filter(self._is_sampled, noted):
                log.handle(_Answered(*request))

    def _is_sampled(self, request: _Noted) -> bool:
        _, _, code, _, request_id, *_ = request
        return code not in _SUCCESSES or _number(request_id) % _BUCKETS < self._ratio * _BUCKETS


def _number(request_id: str) -> int:
    """Read a UUID's first digits, which are random; for another id make a number."""
    try:
        if len(request_id) >= _DIGITS:
            return int(request_id[:_DIGITS], 16)
    except ValueError:
        pass
    return getrandbits(32)


class _Answered(logging.LogRecord):
    """The record of a request, without what logging finds out about every other line."""

    _same = vars(logging.LogRecord(log.name, logging.INFO, "", 0, "answered", None, None))

    def __init__(  # noqa: PLR0913, PLR0917 - all that its line shows
        self,
        ended: float,
        method: MethodMetrics,
        code: int,
        seconds: float,
        request_id: str,
        client: str | None,
        trace_id: str | None,
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
        if client is not None:
            self.client = client
        if trace_id is not None:
            self.trace_id = trace_id

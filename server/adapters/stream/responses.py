"""Caches Stream's responses, and knows which of them are still being read."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from server.adapters.stream.metrics import NullReason
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus

MAX_CACHED = 10_000
"""Responses cached at most, some 700 bytes each and never 2 KB: `wire` bounds names and sessions."""


@dataclass(slots=True, eq=False)
class Response:
    """The status of a call, or why it is not known, and when it was requested."""

    requested_at: float
    status: LiveStatus | NullReason
    renewals: int = 0
    """How often it, and then the one that replaces it, is to be renewed though nobody may read them."""
    is_renewed_elsewhere: bool = False
    """Whether another worker has said that it renews it."""


RENEWALS = 4
"""Of a response that is read. Polls come at random: of a call that is polled once a TTL on average, one
in seven comes more than two TTL after the last, and would wait for Stream."""
_POLLED = 2
"""A call that is asked for again within so many times the TTL is polled. Without this, calls that are
polled a little more slowly than the TTL would never be renewed, each of their callers would wait for
Stream, and waiting would keep them slow."""


class Responses:
    """The last response for each call; its age counts from when its request was sent."""

    def __init__(self, ttl: float, clock: Callable[[], float]) -> None:
        self._ttl = ttl
        self._clock = clock
        self._cached: OrderedDict[StreamCall, Response] = OrderedDict()

    def get(self, call: StreamCall) -> Response | None:
        """Return the response, if it is not older than the TTL."""
        response = self._cached.get(call)
        if response is None or self._clock() - response.requested_at > self._ttl:
            return None
        return response

    def last(self, call: StreamCall) -> Response | None:
        """Return the last response, whatever its age."""
        return self._cached.get(call)

    def is_polled(self, call: StreamCall) -> bool:
        """Return whether a call that is requested now was last requested not long ago."""
        response = self._cached.get(call)
        return response is not None and self._clock() - response.requested_at <= _POLLED * self._ttl

    def put(self, call: StreamCall, response: Response) -> None:
        """Cache a response, unless the one that is cached is the better one."""
        known = self.get(call)
        if known is not None and _is_better(known, response):
            return
        self._cached[call] = response
        self._cached.move_to_end(call)
        if len(self._cached) > MAX_CACHED:
            self._cached.popitem(last=False)


def _is_better(known: Response, new: Response) -> bool:
    """Return whether a response is at least as new as another, or a status while that is a failure."""
    if known.requested_at >= new.requested_at:
        return True
    is_failure = isinstance(new.status, NullReason) and new.status is not NullReason.NOT_FOUND
    return is_failure and isinstance(known.status, LiveStatus)

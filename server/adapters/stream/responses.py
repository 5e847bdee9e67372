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
    is_read: bool = False
    """Whether somebody has read it from the cache."""


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

    def put(self, call: StreamCall, response: Response) -> None:
        """Cache a response; a status is not replaced by a failure before its time is over."""
        if isinstance(response.status, NullReason) and response.status is not NullReason.NOT_FOUND:
            known = self.get(call)
            if known is not None and isinstance(known.status, LiveStatus):
                return
        self._cached[call] = response
        self._cached.move_to_end(call)
        if len(self._cached) > MAX_CACHED:
            self._cached.popitem(last=False)

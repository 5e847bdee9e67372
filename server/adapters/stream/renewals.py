"""Renews the responses that are still being read, before their time is over."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from heapq import heappop, heappush
from random import uniform

from server.adapters.stream.wire import StreamCall

EARLIEST, LATEST = 0.65, 0.75
"""The shares of the cache's TTL between which a response is renewed, at random: so that servers and
workers that began together do not go on together. What is left of the TTL is Stream's to respond in."""
_WINDOW = 0.25
"""The share of the TTL by which a renewal may precede its time, to go out together with others. The next
is as much later, unless more are due than may go out together: so each worker of a server sends few."""
_ALONG = 0.1
"""The share by which it may precede its time to go along with a request that goes out anyway."""


class Renewals:
    """The calls that are to be renewed, each at its time, together with those that are due soon after.

    So the calls of a renewal stay together afterwards, and few calls need few requests as well. One that
    is read for the first time when its own time is over already waits for the next renewal.
    """

    def __init__(
        self,
        cache_ttl: float,
        clock: Callable[[], float],
        is_due: Callable[[StreamCall, float], bool],
        renew: Callable[[Sequence[StreamCall]], None],
        max_together: Callable[[], int],
    ) -> None:
        """Take what renews up to `max_together()` calls.

        `is_due` says of a call, and of when its response was requested, whether that is to be renewed.
        """
        self._ttl = cache_ttl
        self._window = _WINDOW * cache_ttl
        self._clock = clock
        self._is_due = is_due
        self._renew = renew
        self._max_together = max_together
        self._due: list[tuple[float, StreamCall, float]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._next_at = clock()

    def add(self, call: StreamCall, requested_at: float) -> None:
        """Renew a call whose response was requested then, as soon as its time has come."""
        due_at = requested_at + uniform(EARLIEST, LATEST) * self._ttl  # noqa: S311 - no secret
        heappush(self._due, (due_at, call, requested_at))
        self._schedule()

    def take(self, room: int) -> list[StreamCall]:
        """Take up to so many calls that are due, or soon will be: they go out with others' request."""
        return self._take(room, _ALONG * self._ttl)

    def stop(self) -> None:
        """Renew nothing any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        due_at = max(self._due[0][0], self._next_at)
        if self._timer is not None:
            if self._timer_at <= due_at:
                return
            self._timer.cancel()
        self._timer_at = due_at
        # In a context of its own: it belongs to no request, and logs none's id.
        self._timer = asyncio.get_running_loop().call_later(
            max(0.0, due_at - self._clock()), self._run, context=Context()
        )

    def _run(self) -> None:
        self._timer = None
        most = self._max_together()
        due = self._take(most, self._window if most > 1 else 0)
        if 1 < most > len(due):
            self._next_at = self._clock() + self._window
        self._renew(due)
        if self._due:
            self._schedule()

    def _take(self, most: int, window: float) -> list[StreamCall]:
        until = self._clock() + window
        due: list[StreamCall] = []
        while self._due and len(due) < most and self._due[0][0] <= until:
            _, call, requested_at = heappop(self._due)
            if self._is_due(call, requested_at):
                due.append(call)
        return due

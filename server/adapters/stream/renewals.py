"""Renews the responses that are still being read, before their time is over."""

import asyncio
from collections.abc import Callable, Sequence
from contextvars import Context
from heapq import heappop, heappush
from random import uniform

from server.adapters.stream.wire import StreamCall

Due = tuple[StreamCall, float]
"""A call, and when its response was requested that is to be renewed."""

EARLIEST, LATEST = 0.65, 0.75
"""The shares of the cache's TTL between which a response is renewed, at random: so that servers and
workers that began together do not go on together. What is left of the TTL is Stream's to respond in."""
_WINDOW = 0.2
"""The share of the TTL by which a renewal may precede its time, to go out together with others."""


class Renewals:
    """The calls that are to be renewed, each at its time, together with those that are due soon after.

    So the calls of a renewal stay together afterwards, and few calls need few requests as well.
    """

    def __init__(
        self,
        cache_ttl: float,
        clock: Callable[[], float],
        renew: Callable[[Sequence[Due]], None],
        max_together: Callable[[], int],
    ) -> None:
        """Take what renews up to `max_together()` calls."""
        self._ttl = cache_ttl
        self._clock = clock
        self._renew = renew
        self._max_together = max_together
        self._due: list[tuple[float, Due]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def add(self, call: StreamCall, requested_at: float) -> None:
        """Renew a call whose response was requested then; at once, if its time has come already."""
        due_at = requested_at + uniform(EARLIEST, LATEST) * self._ttl  # noqa: S311 - no secret
        heappush(self._due, (due_at, (call, requested_at)))
        self._schedule()

    def stop(self) -> None:
        """Renew nothing any more."""
        self._due.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        due_at = self._due[0][0]
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
        self._renew(self._take_due())
        if self._due:
            self._schedule()

    def _take_due(self) -> list[Due]:
        most = self._max_together()
        until = self._clock() + (_WINDOW * self._ttl if most > 1 else 0)
        due: list[Due] = []
        while self._due and len(due) < most and self._due[0][0] <= until:
            due.append(heappop(self._due)[1])
        return due

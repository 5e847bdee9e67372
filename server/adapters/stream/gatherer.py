"""Gathers the fetches that callers begin at about the same time, so that they share a request."""

import asyncio
from collections.abc import Callable

from server.adapters.stream.fetch import Fetch
from server.adapters.stream.query_calls import MAX_CALLS

PACE_SECONDS = 0.04
"""How soon after one request the next may follow. It bounds the rate of requests for many calls, and
what a caller waits beyond Stream's round trip; who comes alone does not wait."""


class Gatherer:
    """Sends what has come in one turn of the event loop, or since the last was sent within the pace."""

    def __init__(self, send: Callable[[list[Fetch]], bool]) -> None:
        """Take what sends fetches, and returns whether it did: what is refused delays nobody."""
        self._send = send
        self._gathered: list[Fetch] = []
        self._timer: asyncio.Handle | None = None
        self._next_at = 0.0

    def add(self, fetch: Fetch) -> None:
        """Send a fetch, with others if there are any."""
        self._gathered.append(fetch)
        if len(self._gathered) == MAX_CALLS:
            self._flush()
        elif self._timer is None:
            self._timer = self._schedule()

    def stop(self) -> None:
        """Send nothing any more."""
        self._gathered.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> asyncio.Handle:
        loop = asyncio.get_running_loop()
        if loop.time() < self._next_at:
            return loop.call_at(self._next_at, self._flush)
        return loop.call_soon(self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        gathered, self._gathered = self._gathered, []
        if self._send(gathered):
            self._next_at = asyncio.get_running_loop().time() + PACE_SECONDS

"""A scripted Stream, for tests in which time matters."""

import asyncio
from asyncio import get_running_loop
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    StreamResponseTooLargeError,
    UnreadableResponseError,
    UnusableResponseError,
)
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus
from server.config.stream import StreamSettings

ON_AIR = LiveStatus(is_live=True, current_session_id="session", ended_at=None)
OFF_AIR = LiveStatus(is_live=False, current_session_id="session", ended_at=None)

CALL = ("livestream", "call")
OTHER = ("livestream", "other")
AMPLE = 10.0


@dataclass
class ScriptedStream:
    """Responds to every request with `says`, `after` so many seconds; an exception is raised."""

    says: LiveStatus | Exception = ON_AIR
    after: float = 0.1
    says_of: dict[StreamCall, LiveStatus | Exception] = field(default_factory=dict)
    """What it says of these calls, instead of `says`."""
    says_to_many: Exception | None = None
    """Raised for a request for many calls; without it they get what is said of each."""
    spoiling: dict[StreamCall, Exception] = field(default_factory=dict)
    """Raised for a request for many calls if one of these is among them."""
    many_after: float | None = None
    """After how long it responds to a request for many calls, if not `after`."""
    room: int = 100
    """Calls for which one response has room."""
    useless_above: int = 100
    """Calls for which one response is of use, of more it is not."""
    requests: Counter[StreamCall] = field(default_factory=Counter)
    """For single calls."""
    queries: list[Sequence[StreamCall]] = field(default_factory=list)
    given_up: Counter[StreamCall] = field(default_factory=Counter)
    closed: bool = False

    async def fetch(self, call_type: str, call_id: str) -> LiveStatus:
        call = (call_type, call_id)
        self.requests[call] += 1
        await self._wait([call], self.after)
        says = self._says_of(call)
        if isinstance(says, Exception):
            raise says
        return says

    async def fetch_many(
        self, calls: Sequence[StreamCall]
    ) -> dict[StreamCall, LiveStatus | StreamError]:
        self.queries.append(calls)
        to_many = self.says_to_many
        await self._wait(calls, self.after if self.many_after is None else self.many_after)
        if to_many is not None:
            raise to_many
        for spoiling in self.spoiling.keys() & set(calls):
            raise self.spoiling[spoiling]
        if len(calls) > self.room:
            raise StreamResponseTooLargeError
        if len(calls) > self.useless_above:
            raise UnreadableResponseError("not JSON")
        return {call: self._item_of(call) for call in calls}

    def _says_of(self, call: StreamCall) -> LiveStatus | Exception:
        return self.says_of.get(call, self.says)

    def _item_of(self, call: StreamCall) -> LiveStatus | StreamError:
        """Return what is said of one call among others; what is no item's own fault is raised."""
        says = self._says_of(call)
        if isinstance(says, LiveStatus | StreamCallNotFoundError | UnusableResponseError):
            return says
        raise says

    async def _wait(self, calls: Sequence[StreamCall], seconds: float) -> None:
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            self.given_up.update(calls)
            raise

    async def aclose(self) -> None:
        self.closed = True


def calls(count: int, first: int = 0) -> list[StreamCall]:
    """Name as many calls."""
    return [("livestream", str(number)) for number in range(first, first + count)]


async def ask_all(
    asked: BestEffort, calls: Sequence[StreamCall]
) -> list[tuple[LiveStatus | None, float]]:
    """Request all statuses in one turn of the event loop."""
    return await asyncio.gather(*(ask(asked, call) for call in calls))


def best_effort(stream: ScriptedStream, **changes: Any) -> BestEffort:
    settings = StreamSettings(**{"timeout_ms": 300, "cache_ttl_ms": 1000, **changes})
    return BestEffort(stream, settings, clock=lambda: get_running_loop().time())


async def ask(
    asked: BestEffort, call: tuple[str, str] = CALL, within: float = AMPLE
) -> tuple[LiveStatus | None, float]:
    """Request the status; return it, and the seconds it took."""
    began = get_running_loop().time()
    status = await asked.live_status(*call, within)
    return status, round(get_running_loop().time() - began, 6)

"""A scripted Stream, for tests in which time matters."""

import asyncio
from asyncio import get_running_loop
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.errors import StreamError
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
    says_to_many: Exception | None = None
    """Raised for a request for many calls; without it they get what `says` is, each."""
    requests: Counter[StreamCall] = field(default_factory=Counter)
    """For single calls."""
    queries: list[Sequence[StreamCall]] = field(default_factory=list)
    given_up: Counter[StreamCall] = field(default_factory=Counter)
    closed: bool = False

    async def fetch(self, call_type: str, call_id: str) -> LiveStatus:
        self.requests[call_type, call_id] += 1
        await self._wait([(call_type, call_id)])
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    async def fetch_many(
        self, calls: Sequence[StreamCall]
    ) -> dict[StreamCall, LiveStatus | StreamError]:
        self.queries.append(calls)
        await self._wait(calls)
        if self.says_to_many is not None:
            raise self.says_to_many
        if not isinstance(self.says, LiveStatus | StreamError):
            raise self.says
        return dict.fromkeys(calls, self.says)

    async def _wait(self, calls: Sequence[StreamCall]) -> None:
        try:
            await asyncio.sleep(self.after)
        except asyncio.CancelledError:
            self.given_up.update(calls)
            raise

    async def aclose(self) -> None:
        self.closed = True


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

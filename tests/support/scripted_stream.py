"""A Stream that answers by script, for tests in which time matters."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from server.application.call import LiveStatus

ON_AIR = LiveStatus(is_live=True, current_session_id="session", ended_at=None)
OFF_AIR = LiveStatus(is_live=False, current_session_id="session", ended_at=None)


@dataclass
class ScriptedStream:
    """Answers every question with `says`, `after` so many seconds; an exception is raised."""

    says: LiveStatus | Exception = ON_AIR
    after: float = 0.1
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    given_up: Counter[tuple[str, str]] = field(default_factory=Counter)
    closed: bool = False

    async def ask(self, call_type: str, call_id: str) -> LiveStatus:
        self.asked[call_type, call_id] += 1
        try:
            await asyncio.sleep(self.after)
        except asyncio.CancelledError:
            self.given_up[call_type, call_id] += 1
            raise
        if isinstance(self.says, Exception):
            raise self.says
        return self.says

    async def aclose(self) -> None:
        self.closed = True

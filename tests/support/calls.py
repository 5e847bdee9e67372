"""Calls for tests, and scripted ports."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from server.application.call import Call, CallStatus, LiveStatus

CALL_ID = "0aaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
MOMENT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)

PLAIN_CALL = Call(
    id=CALL_ID,
    host_user_id="coach-1",
    title="Yoga",
    scheduled_at=None,
    started_at=None,
    ended_at=None,
    stream_call_id=None,
    stream_call_type="livestream",
    recording_url=None,
    recording_ready_at=None,
    status=CallStatus.SCHEDULED,
    created_at=MOMENT,
    updated_at=MOMENT,
)


def new_id() -> str:
    """Make an id that no call has."""
    return str(uuid4())


def numbered_id(number: int) -> str:
    """Make the id of a number; ids are in the order of their numbers."""
    return str(UUID(int=number))


def many_calls(number: int) -> list[Call]:
    """Make calls that differ in id and title, in the order of their ids."""
    return [replace(PLAIN_CALL, id=numbered_id(i), title=f"Yoga {i}") for i in range(number)]


@dataclass
class ScriptedPorts:
    """Both ports of the use case, as a test scripts them."""

    answer: Callable[[str], Awaitable[Call | None]] | None = None
    live: LiveStatus | None = None
    asked_within: list[float] = field(default_factory=list)

    def holds(self, call: Call) -> None:
        """Make the store hold one call."""

        async def answer(call_id: str) -> Call | None:
            return call if call_id == call.id else None

        self.answer = answer

    def fails(self, error: Exception) -> None:
        """Make the store fail."""

        async def answer(call_id: str) -> Call | None:
            raise error

        self.answer = answer

    async def find(self, call_id: str) -> Call | None:
        return await self.answer(call_id) if self.answer else None

    async def live_status(
        self, stream_call_type: str, stream_call_id: str, within: float
    ) -> LiveStatus | None:
        self.asked_within.append(within)
        return self.live

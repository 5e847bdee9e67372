"""Calls for tests, and scripted ports."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any, get_args, get_type_hints
from uuid import UUID, uuid4

from server.application.call import Call, CallStatus, LiveStatus

CALL_ID = "0aaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
MOMENT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)

_NULLABLE = {name: hint for name, hint in get_type_hints(Call).items() if NoneType in get_args(hint)}


def make_call(**values: Any) -> Call:
    """Make a call; what may be null is, unless it has a value."""
    return Call(**{**dict.fromkeys(_NULLABLE), **values})


PLAIN_CALL = make_call(
    id=CALL_ID,
    host_user_id="coach-1",
    title="Yoga",
    stream_call_type="livestream",
    status=CallStatus.SCHEDULED,
    created_at=MOMENT,
    updated_at=MOMENT,
)
_NO_NULLS: dict[str, Any] = {
    name: MOMENT + timedelta(hours=number) if datetime in get_args(hint) else f"some {name}"
    for number, (name, hint) in enumerate(_NULLABLE.items(), 1)
}
FULL_CALL = replace(PLAIN_CALL, **_NO_NULLS)
"""A call without nulls, whose values differ."""


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

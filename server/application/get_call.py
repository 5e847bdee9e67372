"""Answers what the state of a call is: its row, and best effort what Stream says of it."""

import re
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

from server.application.call import Call, LiveStatus
from server.application.errors import CallNotFoundError, IdRequiredError
from server.application.ports import Calls, LiveStatuses

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class GetCall:
    """The use case behind LiveCalls.GetCall."""

    def __init__(self, calls: Calls, live_statuses: LiveStatuses) -> None:
        self._calls = calls
        self._live_statuses = live_statuses

    async def execute(self, call_id: str, time_left: Callable[[], float]) -> Call:
        """Return the call with the id; `time_left` tells the seconds the caller still waits.

        Raises IdRequiredError, CallNotFoundError and StoreUnavailableError.
        """
        call = await self._calls.find(parse_id(call_id))
        if call is None:
            raise CallNotFoundError
        return replace(call, live=await self._live_status(call, time_left()))

    async def _live_status(self, call: Call, time_left: float) -> LiveStatus | None:
        if call.stream_call_id is None:
            return None
        return await self._live_statuses.live_status(
            call.stream_call_type, call.stream_call_id, time_left
        )


def parse_id(text: str) -> UUID:
    """Read a canonical UUID of 36 characters; any other text names no call."""
    if not text:
        raise IdRequiredError
    if not CANONICAL_UUID.fullmatch(text):
        raise CallNotFoundError
    return UUID(text)

"""Gets the state of a call: its row, and best effort its live status at Stream."""

import re
from collections.abc import Callable

from server.application.call import CallState
from server.application.errors import CallNotFoundError, IdRequiredError
from server.application.ports import Calls, LiveStatuses

CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


class GetCall:
    """The use case behind LiveCalls.GetCall."""

    def __init__(self, calls: Calls, live_statuses: LiveStatuses) -> None:
        self._calls = calls
        self._live_statuses = live_statuses

    async def execute(self, call_id: str, time_left: Callable[[], float]) -> CallState:
        """Return the state of a call; `time_left` returns the seconds until the caller's deadline.

        Raises IdRequiredError, CallNotFoundError, CallUnreadableError and StoreUnavailableError.
        """
        call = await self._calls.find(parse_id(call_id))
        if call is None:
            raise CallNotFoundError
        if call.stream_call_id is None:
            return CallState(call, None)
        live = await self._live_statuses.live_status(
            call.stream_call_type, call.stream_call_id, time_left()
        )
        return CallState(call, live)


def parse_id(text: str) -> str:
    """Parse a UUID of 36 characters into the form that rows have; no other text is a call's id."""
    if not text:
        raise IdRequiredError
    if not CANONICAL_UUID.fullmatch(text):
        raise CallNotFoundError
    return text.lower()

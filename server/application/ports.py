"""What the use case needs from outside, named in its own words."""

from typing import Protocol

from server.application.call import Call, LiveStatus


class Calls(Protocol):
    """The stored calls."""

    async def find(self, call_id: str) -> Call | None:
        """Read the row of a call afresh, or None where there is none.

        Raises StoreUnavailableError if the store gives no answer in time, and CallUnreadableError
        if the row holds what no call can have.
        """
        ...


class LiveStatuses(Protocol):
    """What Stream says of calls right now."""

    async def live_status(
        self, stream_call_type: str, stream_call_id: str, within: float
    ) -> LiveStatus | None:
        """Say what is known of a call within so many seconds, or None; never raise."""
        ...

"""What the use case needs from outside, in its own terms."""

from typing import Protocol

from server.application.call import Call, LiveStatus


class Calls(Protocol):
    """The stored calls."""

    async def find(self, call_id: str) -> Call | None:
        """Read the row of a call afresh; return None if there is none.

        Raises StoreUnavailableError if the store does not respond in time, and CallUnreadableError
        if the row holds what no call can have.
        """
        ...


class LiveStatuses(Protocol):
    """The live status of calls at Stream."""

    async def live_status(
        self, stream_call_type: str, stream_call_id: str, within: float
    ) -> LiveStatus | None:
        """Return a call's live status within so many seconds, None if it is not known; never raise."""
        ...

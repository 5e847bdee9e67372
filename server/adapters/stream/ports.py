"""What requests need of Stream's API."""

from collections.abc import Sequence
from typing import Protocol

from server.adapters.stream.errors import StreamError
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus


class Stream(Protocol):
    """Stream's API, without any limits."""

    async def fetch(self, call_type: str, call_id: str) -> LiveStatus:
        """Fetch the live status of a call; raise a StreamError if there is none."""
        ...

    async def fetch_many(
        self, calls: Sequence[StreamCall]
    ) -> dict[StreamCall, LiveStatus | StreamError]:
        """Fetch the live statuses of calls by one request: for each its status, or why it has none.

        Raises a StreamError if the request as a whole fails.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...

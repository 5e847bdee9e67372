"""The types of ASGI that the host speaks (asgi.readthedocs.io, HTTP & WebSocket format 2.5)."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Headers = list[tuple[bytes, bytes]]
Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]


class CallerGoneError(Exception):
    """The caller has gone: nobody reads the response."""

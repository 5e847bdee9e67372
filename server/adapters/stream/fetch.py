"""A fetch: the response for one call that is under way, and who waits for it."""

import asyncio
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from server.adapters.stream.metrics import NullReason
from server.adapters.stream.responses import Response
from server.adapters.stream.wire import StreamCall
from server.runtime import tracing

if TYPE_CHECKING:
    from server.runtime.otlp import SpanUnderWay


@dataclass(slots=True, eq=False)
class Fetch:
    """The response for a call, once its future is done; or why none was requested."""

    call: StreamCall
    future: "asyncio.Future[Response | NullReason]"
    context: Context
    """That of its first caller, in whose trace a request for it alone is."""
    is_awaited: bool = False
    """Whether a caller waits for it, or has; otherwise it is a renewal."""
    is_polled: bool = False
    """Whether its callers are known to come again."""
    traced: "list[SpanUnderWay]" = field(default_factory=list)
    """The spans of callers that wait for it, and are sampled."""

    @classmethod
    def for_caller(cls, call: StreamCall, *, is_polled: bool) -> "Fetch":
        future = asyncio.get_running_loop().create_future()
        return cls(call, future, copy_context(), is_polled=is_polled)

    @classmethod
    def for_renewal(cls, call: StreamCall) -> "Fetch":
        return cls(call, asyncio.get_running_loop().create_future(), Context())

    def join(self) -> None:
        """Note a caller that waits for it."""
        self.is_awaited = True
        if (span := tracing.current()) is not None:
            self.traced.append(span)

    def end(self, outcome: Response | NullReason) -> None:
        """Hand the outcome to those who wait."""
        if not self.future.done():
            self.future.set_result(outcome)

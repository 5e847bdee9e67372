"""Watches the deadline of a call, and whether its caller is still connected."""

import asyncio
import math

from server.transport.asgi.call import AsgiCall
from server.transport.asgi.types import Receive

CHECK_SECONDS = 0.1
"""How often to check whether the caller is still connected: the host reports it only on request."""


class DeadlineWatch:
    """Cancels the task it is made in once the deadline has passed or the caller has disconnected.

    Most calls end before the first check, and pay for one timer. The request must have been read to its
    end. A pending receive() is never cancelled, which the host does not support.
    """

    __slots__ = ("_call", "_ended", "_loop", "_receive", "_task", "_timer", "_watch")

    def __init__(self, call: AsgiCall, receive: Receive) -> None:
        self._call = call
        self._receive = receive
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._watch: asyncio.Task[None] | None = None
        self._ended = False
        self._timer = self._loop.call_later(min(call.time_left(), CHECK_SECONDS), self._look)

    def end(self) -> None:
        """Stop watching: the call has ended by itself."""
        self._ended = True
        self._timer.cancel()

    def _look(self) -> None:
        left = self._call.time_left()
        if left <= 0:
            self._give_up()
            return
        if self._watch is None:
            self._watch = self._loop.create_task(self._until_gone())
        if left < math.inf:
            self._timer = self._loop.call_later(left, self._look)

    async def _until_gone(self) -> None:
        while not self._ended:
            if (await self._receive())["type"] == "http.disconnect":
                self._give_up()
            else:
                await asyncio.sleep(CHECK_SECONDS)

    def _give_up(self) -> None:
        if not self._ended and self._task is not None:
            self.end()
            self._task.cancel()

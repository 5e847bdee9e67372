"""Lets requests that arrive together share one read, each of them still reading afresh."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, ItemsView, Mapping
from contextvars import Context
from typing import Generic, TypeVar

from server.application.errors import StoreUnavailableError

log = logging.getLogger("server.store")

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# A read that nobody waits for may end in good order for so long, then it is broken off.
GIVE_UP_SECONDS = 0.25


class SharedReads(Generic[Key, Value]):
    """Reads keys by as few reads as can be, of which some may be under way at once.

    A request joins only a read that has not begun, so what it is told was read after it asked.
    Alone it waits for one turn of the event loop; while all reads are under way, arrivals gather.
    """

    def __init__(
        self,
        read: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]],
        *,
        at_once: int,
        within: float,
        most_keys: int = 1000,
    ) -> None:
        """Take the read of up to `most_keys` keys; a request waits `within` seconds at most."""
        self._read = read
        self._at_once = at_once
        self._within = within
        self._most_keys = most_keys
        self._gathering: deque[_Batch[Key, Value]] = deque()
        self._under_way: dict[asyncio.Task[None], _Batch[Key, Value]] = {}

    async def find(self, key: Key) -> Value | None:
        """Read one key, or None where there is none.

        Raises what the read raises, and StoreUnavailableError where it takes too long.
        """
        batch = self._batch_to_join()
        answer = batch.join(key)
        try:
            async with asyncio.timeout(self._within):
                return await answer
        except TimeoutError:
            batch.overdue = True
            raise StoreUnavailableError from None
        finally:
            batch.leave(key, answer)

    async def aclose(self) -> None:
        """Give up all reads; who still waits is told StoreUnavailableError."""
        while self._gathering:
            self._gathering.popleft().fail(StoreUnavailableError())
        tasks = list(self._under_way)
        for task in tasks:
            _give_up(task)
        await asyncio.gather(*tasks, return_exceptions=True)

    def _batch_to_join(self) -> "_Batch[Key, Value]":
        if not self._gathering or len(self._gathering[-1].waiting) >= self._most_keys:
            self._gathering.append(_Batch())
            asyncio.get_running_loop().call_soon(self._begin)
        return self._gathering[-1]

    def _begin(self) -> None:
        while self._gathering and len(self._under_way) < self._at_once:
            batch = self._gathering.popleft()
            if batch.waiting:
                # In a context of its own: it belongs to no request, and logs none's id.
                context = Context()
                batch.task = asyncio.create_task(self._answer(batch), context=context)
                batch.task.add_done_callback(self._end, context=context)
                self._under_way[batch.task] = batch

    def _end(self, task: asyncio.Task[None]) -> None:
        batch = self._under_way.pop(task)
        if task.cancelled():
            batch.fail(StoreUnavailableError())
            if batch.overdue:
                log.warning("a read was given up", extra={"reason": "overdue"})
        self._begin()

    async def _answer(self, batch: "_Batch[Key, Value]") -> None:
        try:
            batch.answer(await self._read(list(batch.waiting)))
        except Exception as error:  # noqa: BLE001 - whoever waits raises it
            batch.fail(error)


class _Batch(Generic[Key, Value]):
    """The keys of one read, and who waits for each of them."""

    def __init__(self) -> None:
        self.waiting: dict[Key, set[asyncio.Future[Value | None]]] = {}
        self.task: asyncio.Task[None] | None = None
        self.overdue = False

    def join(self, key: Key) -> "asyncio.Future[Value | None]":
        answer: asyncio.Future[Value | None] = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(key, set()).add(answer)
        return answer

    def leave(self, key: Key, answer: "asyncio.Future[Value | None]") -> None:
        """Wait no longer; a read that nobody waits for is given up."""
        answers = self.waiting.get(key)
        if answers is None:
            return
        answers.discard(answer)
        if not answers:
            del self.waiting[key]
        if not self.waiting and self.task is not None:
            _give_up(self.task)

    def answer(self, found: Mapping[Key, Value]) -> None:
        for key, answers in self._take_waiting():
            value = found.get(key)
            for answer in answers:
                if not answer.done():
                    answer.set_result(value)

    def fail(self, error: Exception) -> None:
        for _, answers in self._take_waiting():
            for answer in answers:
                if not answer.done():
                    answer.set_exception(error)

    def _take_waiting(self) -> "ItemsView[Key, set[asyncio.Future[Value | None]]]":
        waiting, self.waiting = self.waiting, {}
        return waiting.items()


def _give_up(task: "asyncio.Task[None]") -> None:
    """Cancel a read; its driver may take seconds to end in good order, a second time breaks it off."""
    task.cancel()
    task.get_loop().call_later(GIVE_UP_SECONDS, task.cancel)

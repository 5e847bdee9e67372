"""Lets requests that arrive together share one read, each of them still reading afresh."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, ItemsView, Iterable, Mapping
from contextvars import Context
from dataclasses import dataclass
from random import getrandbits
from typing import TYPE_CHECKING, Generic, TypeVar

from server.application.errors import StoreUnavailableError
from server.runtime import tracing
from server.runtime.sparing_log import SparingLog
from server.runtime.tasks import wait_for_end

if TYPE_CHECKING:
    from server.runtime.otlp import SpanUnderWay

log = logging.getLogger("server.store")

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

# Under load, a read begins once so many turns of the event loop have brought no request, and at the
# latest after the window. Turns and not time: no request can arrive during a long turn.
QUIET_TURNS = 20
WINDOW_SECONDS = 0.004
# How long a read is waited for, before the next begins in parallel.
PATIENCE_SECONDS = 0.005
# A read that nobody waits for may end in good order for so long, then it is aborted.
GIVE_UP_SECONDS = 0.25


@dataclass
class PartialReadError(Exception, Generic[Key, Value]):
    """A read in which some keys failed, each with an error of its own."""

    found: dict[Key, Value]
    failed: dict[Key, Exception]


class BatchLoader(Generic[Key, Value]):
    """Reads keys by as few reads as possible, of which some may run concurrently.

    A request joins only a read that has not begun, so its result was read after it arrived. Alone
    it waits for one turn of the event loop. While a read is under way, arrivals gather for the next;
    if it takes long, the next begins in parallel. If some waited for its end, that is a sign of load:
    then the next begins only once a pause in the arrivals, or the window, is over.
    """

    def __init__(
        self,
        read: Callable[[list[Key]], Awaitable[Mapping[Key, Value]]],
        *,
        max_in_flight: int,
        within: float,
        max_keys: int = 1000,
    ) -> None:
        """Take the read of up to `max_keys` keys; a request waits `within` seconds at most.

        The read raises PartialReadError if only some of them fail.
        """
        self._read = read
        self._log = SparingLog(log)
        self._max_in_flight = max_in_flight
        self._within = within
        self._max_keys = max_keys
        self._pending: deque[_Batch[Key, Value]] = deque()
        self._under_way: dict[asyncio.Task[None], _Batch[Key, Value]] = {}

    async def load(self, key: Key) -> Value | None:
        """Read one key; return None if there is none.

        Raises what the read raises, and StoreUnavailableError if it takes too long.
        """
        batch = self._batch_to_join()
        answer = batch.join(key)
        try:
            return await answer
        except asyncio.CancelledError:
            batch.leave(key, answer)
            raise

    def waiting(self) -> int:
        """Count the requests whose read has not begun; any thread may ask."""
        return sum(
            len(answers) for batch in list(self._pending) for answers in list(batch.waiting.values())
        )

    async def aclose(self) -> None:
        """Cancel all reads; requests that still wait get StoreUnavailableError."""
        while self._pending:
            self._pending.popleft().fail(StoreUnavailableError())
        tasks = list(self._under_way)
        for task in tasks:
            _give_up(task)
        await wait_for_end(tasks, "reads")

    def _batch_to_join(self) -> "_Batch[Key, Value]":
        last = self._pending[-1] if self._pending else None
        # One that all have left, or that has failed, has no timeout any more.
        if last and 0 < len(last.waiting) < self._max_keys:
            return last
        return self._gather()

    def _gather(self) -> "_Batch[Key, Value]":
        loop = asyncio.get_running_loop()
        batch = _Batch[Key, Value](loop)
        batch.limit = loop.call_later(self._within, batch.exceed)
        self._pending.append(batch)
        if self._under_way:
            batch.start = loop.call_later(PATIENCE_SECONDS, self._begin)
        else:
            batch.start = loop.call_soon(self._begin)
        return batch

    def _watch(self, batch: "_Batch[Key, Value]", until: float, seen: int, quiet: int) -> None:
        """Begin a batch once enough turns in a row have brought no request beyond those `seen`."""
        loop = asyncio.get_running_loop()
        quiet = quiet + 1 if batch.joined == seen else 0
        if quiet < QUIET_TURNS and loop.time() < until:
            batch.start = loop.call_soon(self._watch, batch, until, batch.joined, quiet)
        else:
            self._begin()

    def _begin(self) -> None:
        while self._pending and len(self._under_way) < self._max_in_flight:
            batch = self._pending.popleft()
            if batch.begin():
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
                self._log.write(logging.WARNING, "a read was given up", reason="overdue")
        if self._pending:
            first = self._pending[0]
            first.start.cancel()
            until = asyncio.get_running_loop().time() + WINDOW_SECONDS
            self._watch(first, until, 0, 0)

    async def _answer(self, batch: "_Batch[Key, Value]") -> None:
        try:
            batch.answer(await self._read(list(batch.waiting)))
        except PartialReadError as error:
            batch.answer_partly(error)
        except Exception as error:  # noqa: BLE001 - the waiting requests raise it
            batch.fail(error)


class _Batch(Generic[Key, Value]):
    """The keys of one read, and the requests that wait for each of them."""

    start: asyncio.Handle
    """Begins it, unless the end of another read does so before."""
    limit: asyncio.TimerHandle
    """Ends the waiting."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.waiting: dict[Key, list[asyncio.Future[Value | None]]] = {}
        self.task: asyncio.Task[None] | None = None
        self.overdue = False
        self.joined = 0
        self.traced: list[SpanUnderWay] = []

    def join(self, key: Key) -> "asyncio.Future[Value | None]":
        answer: asyncio.Future[Value | None] = self._loop.create_future()
        self.joined += 1
        self.waiting.setdefault(key, []).append(answer)
        if (span := tracing.current()) is not None:
            self.traced.append(span)
        return answer

    def leave(self, key: Key, answer: "asyncio.Future[Value | None]") -> None:
        """Stop waiting; a read that nobody waits for is cancelled."""
        answers = self.waiting.get(key)
        if answers is None:
            return
        answers.remove(answer)
        if not answers:
            del self.waiting[key]
        if not self.waiting:
            self._abandon()

    def begin(self) -> bool:
        """Take no more keys; return whether there are any."""
        self.start.cancel()
        if self.traced:
            self._mark_begin()
        return bool(self.waiting)

    def _mark_begin(self) -> None:
        """Mark the begin of the read in the spans of those that wait, by which they are found."""
        batch: dict[str, str | int] = {
            "livecalls.batch.id": f"{getrandbits(64):016x}",
            "livecalls.batch.requests": self.joined,
            "livecalls.batch.keys": len(self.waiting),
        }
        for span in self.traced:
            span.mark("the read begins", batch)

    def exceed(self) -> None:
        """Fail all requests that still wait."""
        self.overdue = True
        self.fail(StoreUnavailableError())
        self._abandon()

    def answer(self, found: Mapping[Key, Value]) -> None:
        for key, answers in self._take_waiting():
            value = found.get(key)
            for answer in answers:
                if not answer.done():
                    answer.set_result(value)

    def answer_partly(self, partly: PartialReadError[Key, Value]) -> None:
        for key, error in partly.failed.items():
            _fail(self.waiting.pop(key, []), error)
        self.answer(partly.found)

    def fail(self, error: Exception) -> None:
        for _, answers in self._take_waiting():
            _fail(answers, error)

    def _take_waiting(self) -> "ItemsView[Key, list[asyncio.Future[Value | None]]]":
        self.limit.cancel()
        waiting, self.waiting = self.waiting, {}
        return waiting.items()

    def _abandon(self) -> None:
        self.limit.cancel()
        if self.task is not None:
            _give_up(self.task)


def _fail(answers: "Iterable[asyncio.Future[Value | None]]", error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(error)


def _give_up(task: "asyncio.Task[None]") -> None:
    """Cancel a read; its driver may take seconds to end in good order, a second cancel aborts it."""
    task.cancel()
    task.get_loop().call_later(GIVE_UP_SECONDS, task.cancel)

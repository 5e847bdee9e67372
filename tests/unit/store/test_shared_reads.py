import asyncio
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

import pytest

from server.application.errors import StoreUnavailableError
from server.store.shared_reads import SharedReads

AGES = 5.0
MOMENT = 0.05


class ScriptedRead:
    """A read of numbers as words, that answers when the test lets it."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.cancelled = 0
        self._begun: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()

    async def __call__(self, keys: list[int]) -> Mapping[int, str]:
        self.asked.append(keys)
        gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._begun.put_nowait(gate)
        try:
            await gate
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return {key: str(key) for key in keys if key >= 0}

    async def begun(self) -> "asyncio.Future[None]":
        """Wait until the next read has begun; setting the result lets it answer."""
        async with asyncio.timeout(AGES):
            return await self._begun.get()


@pytest.fixture
def read() -> ScriptedRead:
    return ScriptedRead()


def shared(
    read: Any, *, at_once: int = 1, within: float = AGES, most_keys: int = 1000
) -> SharedReads[int, str]:
    return SharedReads(read, at_once=at_once, within=within, most_keys=most_keys)


async def turn() -> None:
    """Let everything that is ready run once."""
    await asyncio.sleep(0)


async def test_what_is_found_is_told_and_what_is_missing_is_none(read: ScriptedRead) -> None:
    reads = shared(read)
    found, missing = asyncio.create_task(reads.find(7)), asyncio.create_task(reads.find(-7))
    (await read.begun()).set_result(None)
    assert (await found, await missing) == ("7", None)


async def test_a_lone_request_begins_to_read_after_one_turn(read: ScriptedRead) -> None:
    request = asyncio.create_task(shared(read).find(7))
    await turn()
    await turn()
    await turn()
    assert read.asked == [[7]]
    request.cancel()


async def test_requests_of_one_turn_share_a_read_and_a_key_is_asked_for_once(read: ScriptedRead) -> None:
    reads = shared(read)
    requests = [asyncio.create_task(reads.find(key)) for key in (1, 2, 1, 3, 1)]
    (await read.begun()).set_result(None)
    assert await asyncio.gather(*requests) == ["1", "2", "1", "3", "1"]
    assert read.asked == [[1, 2, 3]]


async def test_no_request_joins_a_read_that_has_begun(read: ScriptedRead) -> None:
    reads = shared(read, at_once=2)
    early = asyncio.create_task(reads.find(7))
    first = await read.begun()
    late = asyncio.create_task(reads.find(7))
    second = await read.begun()
    first.set_result(None)
    assert await early == "7"
    assert not late.done()
    second.set_result(None)
    assert await late == "7"


async def test_while_all_reads_are_under_way_arrivals_gather_for_the_next(read: ScriptedRead) -> None:
    reads = shared(read, at_once=2)
    requests = []
    gates = []
    for key in (1, 2):
        requests.append(asyncio.create_task(reads.find(key)))
        gates.append(await read.begun())
    for key in (3, 4, 5):
        requests.append(asyncio.create_task(reads.find(key)))
        await turn()
    assert read.asked == [[1], [2]]
    gates[0].set_result(None)
    gates.append(await read.begun())
    assert read.asked == [[1], [2], [3, 4, 5]]
    for gate in gates[1:]:
        gate.set_result(None)
    assert await asyncio.gather(*requests) == ["1", "2", "3", "4", "5"]


async def test_more_keys_than_a_read_may_have_go_into_several(read: ScriptedRead) -> None:
    reads = shared(read, most_keys=2)
    requests = [asyncio.create_task(reads.find(key)) for key in range(5)]
    for _ in range(3):
        (await read.begun()).set_result(None)
    await asyncio.gather(*requests)
    assert read.asked == [[0, 1], [2, 3], [4]]


async def test_a_failed_read_fails_all_who_wait_for_it_and_nobody_else(read: ScriptedRead) -> None:
    reads = shared(read)
    requests = [asyncio.create_task(reads.find(key)) for key in (1, 2)]
    failing = await read.begun()
    later = asyncio.create_task(reads.find(3))
    failing.set_exception(ZeroDivisionError())
    (await read.begun()).set_result(None)
    results = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(result) for result in results] == [ZeroDivisionError, ZeroDivisionError]
    assert await later == "3"


async def test_a_cancelled_caller_does_not_disturb_the_others(read: ScriptedRead) -> None:
    reads = shared(read)
    leaving, same_key, other_key = (asyncio.create_task(reads.find(key)) for key in (1, 1, 2))
    gate = await read.begun()
    leaving.cancel()
    await turn()
    assert leaving.cancelled()
    gate.set_result(None)
    assert (await same_key, await other_key) == ("1", "2")
    assert read.cancelled == 0


async def test_a_read_is_given_up_when_its_last_caller_has_gone(read: ScriptedRead) -> None:
    reads = shared(read)
    requests = [asyncio.create_task(reads.find(key)) for key in (1, 1, 2)]
    await read.begun()
    for request in requests[:2]:
        request.cancel()
    await turn()
    assert read.cancelled == 0
    requests[2].cancel()
    await asyncio.gather(*requests, return_exceptions=True)
    await turn()
    assert read.cancelled == 1


async def test_who_left_before_the_read_began_is_not_read_for(read: ScriptedRead) -> None:
    reads = shared(read)
    first = asyncio.create_task(reads.find(1))
    gate = await read.begun()
    leaving, staying = asyncio.create_task(reads.find(2)), asyncio.create_task(reads.find(3))
    await turn()
    leaving.cancel()
    gate.set_result(None)
    (await read.begun()).set_result(None)
    assert (await first, await staying) == ("1", "3")
    assert read.asked == [[1], [3]]


async def test_a_read_that_all_left_before_it_began_is_not_made(read: ScriptedRead) -> None:
    reads = shared(read)
    first = asyncio.create_task(reads.find(1))
    gate = await read.begun()
    leaving = asyncio.create_task(reads.find(2))
    await turn()
    leaving.cancel()
    gate.set_result(None)
    await first
    last = asyncio.create_task(reads.find(3))
    (await read.begun()).set_result(None)
    assert await last == "3"
    assert read.asked == [[1], [3]]


async def test_a_request_waits_only_so_long_in_a_read(read: ScriptedRead) -> None:
    with pytest.raises(StoreUnavailableError):
        await shared(read, within=MOMENT).find(1)
    await turn()
    assert read.cancelled == 1


async def test_a_request_waits_only_so_long_for_a_read_to_begin(read: ScriptedRead) -> None:
    reads = shared(read, within=MOMENT)
    requests = [asyncio.create_task(reads.find(1))]
    await read.begun()
    requests.append(asyncio.create_task(reads.find(2)))
    results = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailableError] * 2
    assert read.asked == [[1]]


class StubbornRead(ScriptedRead):
    """A read whose cancellation takes long, as the driver's does when PostgreSQL hangs."""

    async def __call__(self, keys: list[int]) -> Mapping[int, str]:
        try:
            return await super().__call__(keys)
        except asyncio.CancelledError:
            await asyncio.sleep(AGES)
            raise


async def test_no_caller_waits_for_the_end_of_a_cancelled_read() -> None:
    begun = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailableError):
        await shared(StubbornRead(), within=MOMENT).find(1)
    assert asyncio.get_running_loop().time() - begun < AGES / 5


async def test_a_read_that_will_not_be_cancelled_makes_room_for_the_next_all_the_same() -> None:
    read = StubbornRead()
    reads = shared(read, within=1)
    leaving = asyncio.create_task(reads.find(1))
    await read.begun()
    leaving.cancel()
    next_one = asyncio.create_task(reads.find(2))
    (await read.begun()).set_result(None)
    assert await next_one == "2"


async def test_a_read_that_takes_too_long_is_logged_once(
    read: ScriptedRead, caplog: pytest.LogCaptureFixture
) -> None:
    reads = shared(read, within=MOMENT)
    await asyncio.gather(*(reads.find(key) for key in (1, 1, 2)), return_exceptions=True)
    await turn()
    assert [record.message for record in caplog.records] == ["a read was given up"]


async def test_a_read_whose_callers_left_of_themselves_is_not_logged(
    read: ScriptedRead, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request = asyncio.create_task(shared(read).find(1))
    await read.begun()
    request.cancel()
    await asyncio.wait([request])
    await turn()
    assert read.cancelled == 1
    assert not [record for record in caplog.records if record.name == "server.store"]


async def test_a_read_belongs_to_no_request() -> None:
    request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
    seen = []

    async def read(keys: list[int]) -> Mapping[int, str]:
        seen.append(request_id.get())
        return {}

    request_id.set("first")
    await shared(read).find(1)
    assert seen == [None]


async def test_who_waits_when_the_store_closes_is_told(read: ScriptedRead) -> None:
    reads = shared(read)
    requests = [asyncio.create_task(reads.find(1))]
    await read.begun()
    requests.append(asyncio.create_task(reads.find(2)))
    await turn()
    await reads.aclose()
    await turn()
    assert [type(request.exception()) for request in requests] == [StoreUnavailableError] * 2
    assert read.cancelled == 1


async def test_who_waits_for_a_read_that_is_just_beginning_when_the_store_closes_is_told(
    read: ScriptedRead,
) -> None:
    reads = shared(read)
    request = asyncio.create_task(reads.find(1))
    await turn()
    await turn()
    await reads.aclose()
    await turn()
    assert type(request.exception()) is StoreUnavailableError
    assert read.asked == []

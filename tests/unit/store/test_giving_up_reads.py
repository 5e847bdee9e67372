import asyncio
import logging
from contextlib import suppress

import pytest

from server.application.errors import StoreUnavailableError
from server.runtime import tasks
from tests.support.stand_ins.scripted_read import AGES, MOMENT, ScriptedRead, StubbornRead, shared, turn


async def test_a_cancelled_caller_does_not_disturb_the_others(read: ScriptedRead) -> None:
    reads = shared(read)
    leaving, same_key, other_key = (asyncio.create_task(reads.load(key)) for key in (1, 1, 2))
    gate = await read.begun()
    leaving.cancel()
    await turn()
    assert leaving.cancelled()
    gate.set_result(None)
    assert (await same_key, await other_key) == ("1", "2")
    assert read.cancelled == 0


async def test_a_read_is_given_up_when_its_last_caller_has_gone(read: ScriptedRead) -> None:
    reads = shared(read)
    requests = [asyncio.create_task(reads.load(key)) for key in (1, 1, 2)]
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
    first = asyncio.create_task(reads.load(1))
    gate = await read.begun()
    leaving, staying = asyncio.create_task(reads.load(2)), asyncio.create_task(reads.load(3))
    await turn()
    leaving.cancel()
    gate.set_result(None)
    (await read.begun()).set_result(None)
    assert (await first, await staying) == ("1", "3")
    assert read.asked == [[1], [3]]


async def test_a_read_that_all_left_before_it_began_is_not_made(read: ScriptedRead) -> None:
    reads = shared(read)
    first = asyncio.create_task(reads.load(1))
    gate = await read.begun()
    leaving = asyncio.create_task(reads.load(2))
    await turn()
    leaving.cancel()
    gate.set_result(None)
    await first
    last = asyncio.create_task(reads.load(3))
    (await read.begun()).set_result(None)
    assert await last == "3"
    assert read.asked == [[1], [3]]


async def test_a_request_waits_only_so_long_in_a_read(read: ScriptedRead) -> None:
    with pytest.raises(StoreUnavailableError):
        await shared(read, within=MOMENT).load(1)
    await turn()
    assert read.cancelled == 1


async def test_a_request_waits_only_so_long_for_a_read_to_begin(read: ScriptedRead) -> None:
    reads = shared(read, within=MOMENT)
    requests = [asyncio.create_task(reads.load(1))]
    await read.begun()
    requests.append(asyncio.create_task(reads.load(2)))
    results = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(result) for result in results] == [StoreUnavailableError] * 2
    assert read.asked == [[1]]


async def test_no_caller_waits_for_the_end_of_a_cancelled_read() -> None:
    begun = asyncio.get_running_loop().time()
    with pytest.raises(StoreUnavailableError):
        await shared(StubbornRead(), within=MOMENT).load(1)
    assert asyncio.get_running_loop().time() - begun < AGES / 5


async def test_a_read_that_will_not_be_cancelled_makes_room_for_the_next_all_the_same() -> None:
    read = StubbornRead()
    reads = shared(read, within=1)
    leaving = asyncio.create_task(reads.load(1))
    await read.begun()
    leaving.cancel()
    next_one = asyncio.create_task(reads.load(2))
    (await read.begun()).set_result(None)
    assert await next_one == "2"


async def test_a_read_that_takes_too_long_is_logged_once(
    read: ScriptedRead, caplog: pytest.LogCaptureFixture
) -> None:
    reads = shared(read, within=MOMENT)
    await asyncio.gather(*(reads.load(key) for key in (1, 1, 2)), return_exceptions=True)
    await turn()
    assert [record.message for record in caplog.records] == ["a read was given up"]


async def test_a_read_whose_callers_left_of_themselves_is_not_logged(
    read: ScriptedRead, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    request = asyncio.create_task(shared(read).load(1))
    await read.begun()
    request.cancel()
    await asyncio.wait([request])
    await turn()
    assert read.cancelled == 1
    assert not [record for record in caplog.records if record.name == "server.store"]


async def test_who_waits_when_the_store_closes_is_told(read: ScriptedRead) -> None:
    reads = shared(read)
    requests = [asyncio.create_task(reads.load(1))]
    await read.begun()
    requests.append(asyncio.create_task(reads.load(2)))
    await turn()
    await reads.aclose()
    await turn()
    assert [type(request.exception()) for request in requests] == [StoreUnavailableError] * 2
    assert read.cancelled == 1


async def test_who_waits_for_a_read_that_is_just_beginning_when_the_store_closes_is_told(
    read: ScriptedRead,
) -> None:
    reads = shared(read)
    request = asyncio.create_task(reads.load(1))
    await turn()
    await turn()
    await reads.aclose()
    await turn()
    assert type(request.exception()) is StoreUnavailableError
    assert read.asked == []


async def test_who_comes_after_all_have_left_waits_only_so_long(read: ScriptedRead) -> None:
    reads = shared(read, within=MOMENT)
    first = asyncio.create_task(reads.load(1))
    gate = await read.begun()
    leaving = asyncio.create_task(reads.load(2))
    await turn()
    leaving.cancel()
    await turn()
    late = asyncio.create_task(reads.load(3))
    await turn()
    gate.set_result(None)
    await first
    await read.begun()
    with pytest.raises(StoreUnavailableError):
        await asyncio.wait_for(late, AGES)


async def test_who_comes_after_all_were_sent_away_waits_only_so_long() -> None:
    read = StubbornRead()
    reads = shared(read, within=MOMENT)
    first = asyncio.create_task(reads.load(1))
    await read.begun()
    second = asyncio.create_task(reads.load(2))
    await asyncio.wait([first, second])
    with pytest.raises(StoreUnavailableError):
        await asyncio.wait_for(reads.load(3), AGES)


async def test_a_read_that_does_not_end_is_left_behind_when_the_store_closes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MAX_END_SECONDS", MOMENT)
    going_on = asyncio.Event()

    async def read(keys: list[int]) -> dict[int, str]:
        begun.set()
        while not going_on.is_set():
            with suppress(asyncio.CancelledError):
                await going_on.wait()
        return {}

    begun, reads = asyncio.Event(), shared(read)
    request = asyncio.create_task(reads.load(1))
    await begun.wait()
    await reads.aclose()
    (left,) = [vars(line) for line in caplog.records if line.name == "server"]
    assert (left["kind"], left["tasks"]) == ("reads", 1)
    going_on.set()
    await request

import asyncio
import math
from collections.abc import Mapping
from contextvars import ContextVar

import pytest

from server.store import batch_loader
from server.store.batch_loader import BatchLoader, PartialReadError
from tests.support.stand_ins.scripted_read import AGES, ScriptedRead, shared, turn


async def test_what_is_found_is_told_and_what_is_missing_is_none(read: ScriptedRead) -> None:
    reads = shared(read)
    found, missing = asyncio.create_task(reads.load(7)), asyncio.create_task(reads.load(-7))
    (await read.begun()).set_result(None)
    assert (await found, await missing) == ("7", None)


async def test_keys_that_fail_leave_the_others_their_answers() -> None:
    async def read(keys: list[int]) -> Mapping[int, str]:
        raise PartialReadError({1: "1"}, {2: ValueError("2"), 4: ValueError("nobody asks for it")})

    reads = shared(read)
    requests = [asyncio.create_task(reads.load(key)) for key in (1, 2, 3, 2)]
    found, failed, missing, failed_too = await asyncio.gather(*requests, return_exceptions=True)
    assert (found, missing) == ("1", None)
    assert [type(error) for error in (failed, failed_too)] == [ValueError, ValueError]


async def test_a_lone_request_begins_to_read_after_one_turn(read: ScriptedRead) -> None:
    request = asyncio.create_task(shared(read).load(7))
    await turn()
    await turn()
    await turn()
    assert read.asked == [[7]]
    request.cancel()


async def test_requests_of_one_turn_share_a_read_and_a_key_is_asked_for_once(read: ScriptedRead) -> None:
    reads = shared(read)
    requests = [asyncio.create_task(reads.load(key)) for key in (1, 2, 1, 3, 1)]
    (await read.begun()).set_result(None)
    assert await asyncio.gather(*requests) == ["1", "2", "1", "3", "1"]
    assert read.asked == [[1, 2, 3]]


async def test_those_who_wait_for_a_read_that_has_not_begun_are_counted(read: ScriptedRead) -> None:
    reads = shared(read, max_in_flight=1)
    early = asyncio.create_task(reads.load(7))
    first = await read.begun()
    assert reads.waiting() == 0
    late = [asyncio.create_task(reads.load(key)) for key in (1, 2, 1)]
    await turn()
    assert reads.waiting() == 3
    late[0].cancel()
    await turn()
    assert reads.waiting() == 2
    first.set_result(None)
    (await read.begun()).set_result(None)
    assert [await each for each in (early, *late[1:])] == ["7", "2", "1"]
    assert reads.waiting() == 0


async def test_no_request_joins_a_read_that_has_begun(read: ScriptedRead) -> None:
    reads = shared(read, max_in_flight=2)
    early = asyncio.create_task(reads.load(7))
    first = await read.begun()
    late = asyncio.create_task(reads.load(7))
    second = await read.begun()
    first.set_result(None)
    assert await early == "7"
    assert not late.done()
    second.set_result(None)
    assert await late == "7"


async def test_a_request_waits_for_the_read_under_way_though_another_could_begin(
    read: ScriptedRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_loader, "PATIENCE_SECONDS", AGES)
    reads = shared(read, max_in_flight=2)
    requests = [asyncio.create_task(reads.load(1))]
    gate = await read.begun()
    for key in (2, 3):
        requests.append(asyncio.create_task(reads.load(key)))
        await turn()
        await turn()
    assert read.asked == [[1]]
    gate.set_result(None)
    (await read.begun()).set_result(None)
    assert await asyncio.gather(*requests) == ["1", "2", "3"]
    assert read.asked == [[1], [2, 3]]


async def test_while_all_reads_are_under_way_arrivals_gather_for_the_next(read: ScriptedRead) -> None:
    reads = shared(read, max_in_flight=2)
    requests = []
    gates = []
    for key in (1, 2):
        requests.append(asyncio.create_task(reads.load(key)))
        gates.append(await read.begun())
    for key in (3, 4, 5):
        requests.append(asyncio.create_task(reads.load(key)))
        await turn()
    assert read.asked == [[1], [2]]
    gates[0].set_result(None)
    gates.append(await read.begun())
    assert read.asked == [[1], [2], [3, 4, 5]]
    for gate in gates[1:]:
        gate.set_result(None)
    assert await asyncio.gather(*requests) == ["1", "2", "3", "4", "5"]


async def test_more_keys_than_a_read_may_have_go_into_several(read: ScriptedRead) -> None:
    reads = shared(read, max_keys=2)
    requests = [asyncio.create_task(reads.load(key)) for key in range(5)]
    for _ in range(3):
        (await read.begun()).set_result(None)
    await asyncio.gather(*requests)
    assert read.asked == [[0, 1], [2, 3], [4]]


async def test_a_failed_read_fails_all_who_wait_for_it_and_nobody_else(read: ScriptedRead) -> None:
    reads = shared(read)
    requests = [asyncio.create_task(reads.load(key)) for key in (1, 2)]
    failing = await read.begun()
    later = asyncio.create_task(reads.load(3))
    failing.set_exception(ZeroDivisionError())
    (await read.begun()).set_result(None)
    results = await asyncio.gather(*requests, return_exceptions=True)
    assert [type(result) for result in results] == [ZeroDivisionError, ZeroDivisionError]
    assert await later == "3"


async def test_a_read_belongs_to_no_request() -> None:
    request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
    seen = []

    async def read(keys: list[int]) -> Mapping[int, str]:
        seen.append(request_id.get())
        return {}

    request_id.set("first")
    await shared(read).load(1)
    assert seen == [None]


async def under_load(reads: BatchLoader[int, str], read: ScriptedRead) -> list[asyncio.Task[str | None]]:
    """Let a read end for which another request has waited."""
    requests = [asyncio.create_task(reads.load(1))]
    first = await read.begun()
    requests.append(asyncio.create_task(reads.load(2)))
    await turn()
    first.set_result(None)
    await requests[0]
    return requests


async def test_under_load_those_that_keep_coming_join(
    read: ScriptedRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_loader, "WINDOW_SECONDS", AGES)
    monkeypatch.setattr(batch_loader, "QUIET_TURNS", 5)
    reads = shared(read)
    requests = await under_load(reads, read)
    for key in (3, 4, 5):
        requests.append(asyncio.create_task(reads.load(key)))
        await turn()
    assert read.asked == [[1]]
    (await read.begun()).set_result(None)
    assert await asyncio.gather(*requests) == ["1", "2", "3", "4", "5"]
    assert read.asked == [[1], [2, 3, 4, 5]]


async def test_each_that_comes_makes_the_others_wait_anew(
    read: ScriptedRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_loader, "WINDOW_SECONDS", AGES)
    monkeypatch.setattr(batch_loader, "QUIET_TURNS", 5)
    reads = shared(read)
    requests = await under_load(reads, read)
    for key in range(3, 8):
        requests.append(asyncio.create_task(reads.load(key)))
        for _ in range(3):
            await turn()
    (await read.begun()).set_result(None)
    await asyncio.gather(*requests)
    assert read.asked == [[1], [2, 3, 4, 5, 6, 7]]


async def test_a_lone_request_after_the_load_begins_at_once(
    read: ScriptedRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = shared(read)
    requests = await under_load(reads, read)
    (await read.begun()).set_result(None)
    await asyncio.gather(*requests)
    monkeypatch.setattr(batch_loader, "WINDOW_SECONDS", AGES)
    monkeypatch.setattr(batch_loader, "QUIET_TURNS", math.inf)
    request = asyncio.create_task(reads.load(3))
    for _ in range(3):
        await turn()
    assert read.asked == [[1], [2], [3]]
    request.cancel()


async def test_the_window_ends_however_many_keep_coming(
    read: ScriptedRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_loader, "WINDOW_SECONDS", 0)
    monkeypatch.setattr(batch_loader, "QUIET_TURNS", math.inf)
    reads = shared(read)
    requests = await under_load(reads, read)
    (await read.begun()).set_result(None)
    assert await asyncio.gather(*requests) == ["1", "2"]
    assert read.asked == [[1], [2]]


async def test_no_window_opens_for_who_comes_when_nobody_waited(
    read: ScriptedRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_loader, "WINDOW_SECONDS", AGES)
    monkeypatch.setattr(batch_loader, "QUIET_TURNS", math.inf)
    reads = shared(read)
    for key in (1, 2):
        request = asyncio.create_task(reads.load(key))
        (await read.begun()).set_result(None)
        assert await request == str(key)
    assert read.asked == [[1], [2]]


async def test_a_read_that_takes_long_is_not_waited_for(read: ScriptedRead) -> None:
    reads = shared(read, max_in_flight=3)
    requests = []
    for key in (1, 2, 3):
        requests.append(asyncio.create_task(reads.load(key)))
        await read.begun()
    requests.append(asyncio.create_task(reads.load(4)))
    await asyncio.sleep(3 * batch_loader.PATIENCE_SECONDS)
    assert read.asked == [[1], [2], [3]]
    for request in requests:
        request.cancel()

"""A status that is read from the cache is renewed before its time is over."""

import asyncio
from random import expovariate

import pytest

from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus
from tests.support.stand_ins.scripted_stream import (
    AMPLE,
    CALL,
    ON_AIR,
    OTHER,
    ScriptedStream,
    ask,
    ask_all,
    best_effort,
    calls,
)


class Dated(ScriptedStream):
    """Names as the session when it was asked."""

    def _says_of(self, _call: StreamCall) -> LiveStatus:
        asked_at = asyncio.get_running_loop().time() - self.after
        return LiveStatus(is_live=True, current_session_id=repr(asked_at), ended_at=None)


def number_of_requests(stream: ScriptedStream) -> int:
    return stream.requests.total() + len(stream.queries)


async def poll(asked: BestEffort, call: StreamCall, every: float, seconds: float) -> list[float]:
    """Ask so often for so long; return how long each waited."""
    waits = []
    for _ in range(round(seconds / every)):
        waits.append((await ask(asked, call))[1])
        await asyncio.sleep(every)
    return waits


async def read_twice(asked: BestEffort, *calls: StreamCall) -> None:
    """Have calls fetched, and read from the cache, in 0.1 s."""
    for _ in range(2):
        await ask_all(asked, calls)


@pytest.mark.parametrize("every", [0.01, 0.3, 0.85])
@pytest.mark.parametrize("bulk", ["auto", "off"])
async def test_a_call_that_is_polled_waits_for_stream_only_once(
    stream: ScriptedStream, every: float, bulk: str
) -> None:
    asked = best_effort(stream, bulk=bulk)
    first, *others = await poll(asked, CALL, every, 30)
    assert (first, set(others)) == (0.1, {0})


@pytest.mark.parametrize("after", [0.02, 0.1, 0.25])
async def test_nothing_is_older_than_the_ttl(after: float) -> None:
    async def read(call: StreamCall, every: float) -> None:
        while loop.time() < end:
            status = await asked.live_status(*call, AMPLE)
            assert status is not None
            assert loop.time() - float(status.current_session_id or "") <= 1 + 1e-6
            ages.append(loop.time() - float(status.current_session_id or ""))
            await asyncio.sleep(every)

    loop, ages = asyncio.get_running_loop(), list[float]()
    end, asked = loop.time() + 20, best_effort(Dated(after=after))
    async with asyncio.TaskGroup() as tasks:
        for number, call in enumerate(calls(60)):
            tasks.create_task(read(call, every=0.037 * (number + 1)))
    assert max(ages) > 0.7


async def test_one_that_is_read_no_more_is_not_renewed(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask(asked)
    await asyncio.sleep(10)
    assert stream.requests[CALL] == 1


async def test_one_that_was_read_is_renewed_four_times(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await poll(asked, CALL, 0.005, 0.5)
    await asyncio.sleep(10)
    assert stream.requests[CALL] == 5


async def test_one_that_is_read_again_meanwhile_is_renewed_four_times_from_then_on(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream)
    await read_twice(asked, CALL)
    await asyncio.sleep(1.7)
    before = stream.requests[CALL]
    assert await ask(asked) == (ON_AIR, 0)
    await asyncio.sleep(10)
    assert stream.requests[CALL] == before + 4


async def test_calls_that_are_polled_at_random_once_a_ttl_seldom_wait(stream: ScriptedStream) -> None:
    async def poll_at_random(call: StreamCall) -> None:
        while loop.time() < end:
            await asyncio.sleep(expovariate(1))
            waits.append((await ask(asked, call))[1])

    asked, waits, loop = best_effort(stream), list[float](), asyncio.get_running_loop()
    end = loop.time() + 60
    async with asyncio.TaskGroup() as tasks:
        for call in calls(200):
            tasks.create_task(poll_at_random(call))
    # Of those that would be renewed but once, every third.
    assert sum(waited > 0 for waited in waits) < 0.17 * len(waits)


async def test_what_is_soon_to_be_renewed_goes_along_with_another_request(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream)
    await read_twice(asked, *calls(3))
    await asyncio.sleep(0.5499)
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)
    assert len(stream.queries) == 2
    assert OTHER in stream.queries[1]
    assert len(stream.queries[1]) > 1


async def test_it_is_renewed_when_two_thirds_to_three_quarters_of_its_time_are_over(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream)
    await read_twice(asked, CALL)
    await asyncio.sleep(0.5499)
    assert stream.requests[CALL] == 1
    await asyncio.sleep(0.1002)
    assert stream.requests[CALL] == 2


async def test_those_that_began_together_do_not_go_on_together(stream: ScriptedStream) -> None:
    await asyncio.gather(*(read_twice(best_effort(stream), CALL) for _ in range(20)))
    stream.requests.clear()
    await asyncio.sleep(0.6)
    assert 0 < stream.requests[CALL] < 20


async def test_one_that_is_read_late_is_renewed_at_once(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask(asked)
    await asyncio.sleep(0.8)
    assert await ask(asked) == (ON_AIR, 0)
    await asyncio.sleep(0)
    await asyncio.sleep(0.1)
    assert stream.requests[CALL] == 2
    await asyncio.sleep(0.7)
    assert await ask(asked) == (ON_AIR, 0)


async def test_one_that_is_polled_a_little_more_slowly_than_the_ttl_is_renewed(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream)
    assert await poll(asked, CALL, 1.5, 9) == [0.1, 0.1, 0, 0, 0, 0]


async def test_one_that_is_polled_seldom_is_not_renewed(stream: ScriptedStream) -> None:
    assert await poll(best_effort(stream), CALL, 2, 20) == [0.1] * 10
    assert stream.requests[CALL] == 10


async def test_one_that_is_read_late_does_not_wait_for_those_whose_time_is_later(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream)
    await ask(asked)
    await asyncio.sleep(0.75)
    await read_twice(asked, OTHER)
    await ask(asked)
    await asyncio.sleep(0.01)
    assert stream.requests == {CALL: 2, OTHER: 1}


async def test_calls_that_are_due_soon_are_renewed_together_and_stay_together(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream)
    polled = [asyncio.create_task(poll(asked, call, 0.1, 5)) for call in calls(1)]
    await asyncio.sleep(0.05)
    polled += [asyncio.create_task(poll(asked, call, 0.1, 5)) for call in calls(2, first=1)]
    await asyncio.wait(polled)
    assert stream.requests == {calls(1)[0]: 1}
    together, *renewals = stream.queries
    assert together == calls(2, first=1)
    assert {len(query) for query in renewals} == {3}
    assert len(renewals) <= 8


async def test_one_whose_time_is_far_is_not_renewed_with_others(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await read_twice(asked, CALL)
    await asyncio.sleep(0.3)
    await read_twice(asked, OTHER)
    await asyncio.sleep(0.3)
    assert (stream.requests, stream.queries) == ({CALL: 2, OTHER: 1}, [])


async def test_if_calls_are_asked_for_one_by_one_each_is_renewed_at_its_time(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream, bulk="off")
    await read_twice(asked, *calls(20))
    stream.requests.clear()
    await asyncio.sleep(0.6)
    assert 0 < len(stream.requests) < 20
    await asyncio.sleep(0.1)
    assert stream.requests == dict.fromkeys(calls(20), 1)


async def test_no_renewal_is_for_more_than_a_hundred(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await read_twice(asked, *calls(100), *calls(100, first=100))
    stream.queries.clear()
    await asyncio.sleep(0.9)
    assert sorted(len(query) for query in stream.queries) == [100, 100]


async def test_full_ones_do_not_wait_for_each_other(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await read_twice(asked, *calls(1000))
    stream.queries.clear()
    await asyncio.sleep(0.66)
    assert [len(query) for query in stream.queries] == [100] * 10


async def test_those_that_are_read_late_are_gathered_as_well(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask_all(asked, calls(20))
    await asyncio.sleep(0.7)
    for call in calls(20):
        await ask(asked, call)
        await asyncio.sleep(0.001)
    await asyncio.sleep(0.25)
    assert (stream.requests, [len(query) for query in stream.queries]) == ({calls(1)[0]: 1}, [20, 19])


# Those that are polled less often than they are renewed are gathered as callers' are.
@pytest.mark.parametrize(("every", "most"), [(0.4, 25), (0.8, 26), (1.1, 26)])
async def test_a_thousand_polled_calls_need_few_requests(
    stream: ScriptedStream, every: float, most: int
) -> None:
    async def poll_at(phase: float, call: StreamCall) -> None:
        await asyncio.sleep(phase)
        while loop.time() < end:
            waits.append((await ask(asked, call))[1])
            await asyncio.sleep(every)

    asked, waits, loop = best_effort(stream), list[float](), asyncio.get_running_loop()
    end = loop.time() + 6
    async with asyncio.TaskGroup() as tasks:
        for number, call in enumerate(calls(1000)):
            tasks.create_task(poll_at(number / 1000, call))
        await asyncio.sleep(2.5)
        requests = number_of_requests(stream)
        await asyncio.sleep(3)
        assert number_of_requests(stream) - requests <= 3 * most
    assert (sum(waited > 0 for waited in waits) == 1000) is (every < 1)

"""Calls that are asked for at about the same time share a request."""

import asyncio

import pytest

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    StreamFailedError,
    UnusableResponseError,
)
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus
from tests.support.stand_ins.scripted_stream import (
    CALL,
    ON_AIR,
    OTHER,
    ScriptedStream,
    ask,
    ask_all,
    best_effort,
    calls,
)


async def test_one_that_comes_alone_is_asked_for_alone_and_at_once(stream: ScriptedStream) -> None:
    assert await ask(best_effort(stream)) == (ON_AIR, 0.1)
    assert (stream.requests, stream.queries) == ({CALL: 1}, [])


async def test_those_that_come_in_one_turn_share_a_request(stream: ScriptedStream) -> None:
    assert await ask_all(best_effort(stream), calls(3) * 2) == [(ON_AIR, 0.1)] * 6
    assert (stream.requests, stream.queries) == ({}, [calls(3)])


async def test_no_request_is_for_more_than_a_hundred(stream: ScriptedStream) -> None:
    answers = await ask_all(best_effort(stream), calls(250))
    assert [len(query) for query in stream.queries] == [100, 100, 50]
    assert answers == [(ON_AIR, 0.1)] * 200 + [(ON_AIR, 0.14)] * 50


async def ask_after(seconds: float, stream: ScriptedStream, *later: float) -> list[float]:
    """Ask for a call, for another after so many seconds, and so on; return how long each waited."""
    asked = best_effort(stream)
    waits = []
    async with asyncio.TaskGroup() as tasks:
        for call, pause in zip(calls(len(later) + 2), [seconds, *later, 0], strict=True):
            waits.append(tasks.create_task(ask(asked, call)))
            await asyncio.sleep(pause)
    return [task.result()[1] for task in waits]


async def test_those_that_come_soon_after_a_request_are_gathered_until_the_next_may_go_out(
    stream: ScriptedStream,
) -> None:
    assert await ask_after(0.004, stream, 0.003) == [0.1, 0.136, 0.133]
    assert (stream.requests, stream.queries) == ({calls(1)[0]: 1}, [calls(2, first=1)])


async def test_a_hundred_that_have_been_gathered_wait_no_longer(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    first = asyncio.create_task(ask(asked))
    await asyncio.sleep(0.004)
    assert await ask_all(asked, calls(100)) == [(ON_AIR, 0.1)] * 100
    assert (len(stream.queries), await first) == (1, (ON_AIR, 0.1))
    assert await ask_all(asked, calls(2, first=100)) == [(ON_AIR, 0.1)] * 2


async def test_one_that_comes_later_does_not_wait(stream: ScriptedStream) -> None:
    assert await ask_after(0.041, stream) == [0.1, 0.1]
    assert not stream.queries


async def test_after_a_request_for_many_they_are_gathered_as_well(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    first = asyncio.create_task(ask_all(asked, calls(2)))
    await asyncio.sleep(0.004)
    assert await ask(asked, CALL) == (ON_AIR, 0.136)
    await first


async def test_those_that_are_refused_delay_nobody(stream: ScriptedStream) -> None:
    asked = best_effort(stream, max_concurrent_requests=1)
    first = asyncio.create_task(ask(asked))
    await asyncio.sleep(0.0995)
    assert await ask(asked, OTHER) == (None, 0)
    await first
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)


async def test_one_that_stream_does_not_have_is_not_found(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "server.stream")
    first, absent, last = calls(3)
    stream.says_of[absent] = StreamCallNotFoundError()
    asked = best_effort(stream)
    for waited in (0.1, 0):
        answers = await ask_all(asked, [first, absent, last])
        assert answers == [(ON_AIR, waited), (None, waited), (ON_AIR, waited)]
    (line,) = caplog.records
    assert (line.levelname, vars(line)["reason"]) == ("INFO", "no such call")
    assert (vars(line)["stream_call_type"], vars(line)["stream_call_id"]) == absent
    assert len(stream.queries) == 1


async def test_one_that_is_not_found_goes_on_with_the_others(stream: ScriptedStream) -> None:
    stream.says = StreamCallNotFoundError()
    asked = best_effort(stream)
    for _ in range(2):
        await ask_all(asked, calls(2))
        await asyncio.sleep(1)
    assert (stream.queries, stream.requests) == ([calls(2)] * 2, {})


async def test_one_whose_item_is_unusable_is_null_for_itself_and_goes_alone_next_time(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    first, bad, last = calls(3)
    stream.says_of[bad] = UnusableResponseError("call.backstage")
    asked = best_effort(stream)
    assert await ask_all(asked, [first, bad, last]) == [(ON_AIR, 0.1), (None, 0.1), (ON_AIR, 0.1)]
    (line,) = caplog.records
    assert vars(line)["reason"] == "unusable response: call.backstage"
    assert vars(line)["stream_call_id"] == bad[1]
    assert not stream.requests
    await asyncio.sleep(1)
    await ask_all(asked, [first, bad, last])
    assert (stream.queries[1:], stream.requests) == ([[first, last]], {bad: 1})


async def test_one_that_failed_last_time_goes_alone_until_it_succeeds(stream: ScriptedStream) -> None:
    first, bad, last = calls(3)
    stream.says_of[bad] = StreamFailedError("status 500")
    asked = best_effort(stream)
    await ask(asked, bad)
    for _ in range(2):
        await asyncio.sleep(3)
        await ask_all(asked, [first, bad, last])
        stream.says_of.clear()
    await asyncio.sleep(3)
    await ask_all(asked, [first, bad, last])
    assert stream.queries == [[first, last]] * 2 + [[first, bad, last]]
    assert stream.requests == {bad: 3}


async def test_items_that_are_unusable_are_no_evidence_of_stream(stream: ScriptedStream) -> None:
    good, *bad = calls(7)
    stream.says_of = dict.fromkeys(bad, UnusableResponseError("call.backstage"))
    asked = best_effort(stream, breaker_failures=5)
    await ask_all(asked, [good, *bad])
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)


@pytest.mark.parametrize("status", [ON_AIR, StreamCallNotFoundError()])
async def test_one_of_which_stream_says_something_shows_that_it_is_well(
    stream: ScriptedStream, status: LiveStatus | StreamError
) -> None:
    asked = best_effort(stream, breaker_failures=3)
    for first in (0, 2):
        stream.says = StreamFailedError("status 500")
        for call in calls(2, first=first):
            await ask(asked, call)
        stream.says = status
        await ask_all(asked, calls(2, first=first + 10))
    stream.says = ON_AIR
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)


@pytest.mark.parametrize(
    "odd",
    [
        *(("livestream", name) for name in ("a b", "a:b", "a/b", "a.b", "a,b", "ä", "a\n", "\u0661")),
        ("live:stream", "a"),
    ],
)
async def test_one_that_stream_does_not_name_so_goes_alone(
    stream: ScriptedStream, odd: StreamCall
) -> None:
    first, last = calls(2)
    answers = await ask_all(best_effort(stream), [first, odd, last])
    assert answers == [(ON_AIR, 0.1)] * 3
    assert (stream.queries, stream.requests) == ([[first, last]], {odd: 1})


async def test_two_of_which_one_must_go_alone_go_alone_both(stream: ScriptedStream) -> None:
    await ask_all(best_effort(stream), [CALL, ("livestream", "a b")])
    assert (stream.queries, stream.requests) == ([], {CALL: 1, ("livestream", "a b"): 1})


async def test_if_that_is_off_each_is_asked_for_alone_and_at_once(stream: ScriptedStream) -> None:
    asked = best_effort(stream, bulk="off")
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0.1)] * 3
    assert await ask_all(asked, calls(3, first=3)) == [(ON_AIR, 0.1)] * 3
    assert (stream.queries, stream.requests) == ([], dict.fromkeys(calls(6), 1))


async def test_if_that_is_off_nobody_is_gathered(stream: ScriptedStream) -> None:
    asked = best_effort(stream, bulk="off")
    first = asyncio.create_task(ask(asked))
    await asyncio.sleep(0.004)
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)
    await first


async def test_the_bound_counts_requests_and_not_calls(stream: ScriptedStream) -> None:
    asked = best_effort(stream, max_concurrent_requests=2)
    answers = await ask_all(asked, calls(250))
    assert answers == [(ON_AIR, 0.1)] * 200 + [(None, 0.04)] * 50


async def test_if_there_is_place_for_one_request_it_is_that_for_many(stream: ScriptedStream) -> None:
    asked = best_effort(stream, max_concurrent_requests=1)
    answers = await ask_all(asked, [("livestream", "a b"), *calls(2)])
    assert answers == [(None, 0), (ON_AIR, 0.1), (ON_AIR, 0.1)]


async def test_the_end_ends_what_is_gathered_and_what_is_under_way(stream: ScriptedStream) -> None:
    stream.after = 3600
    asked = best_effort(stream)
    async with asyncio.TaskGroup() as tasks:
        alone = tasks.create_task(ask(asked))
        await asyncio.sleep(0.04)
        together = tasks.create_task(ask_all(asked, calls(2)))
        await asyncio.sleep(0.001)
        gathered = tasks.create_task(ask_all(asked, calls(2, first=2)))
        await asyncio.sleep(0.001)
        began = asyncio.get_running_loop().time()
        await asked.aclose()
        assert asyncio.get_running_loop().time() == began
    assert [alone.result(), *together.result(), *gathered.result()] == [
        (None, 0.042),
        *[(None, 0.002)] * 2,
        *[(None, 0.001)] * 2,
    ]
    await asyncio.sleep(10)
    assert (stream.queries, stream.requests) == ([calls(2)], {CALL: 1})
    assert stream.given_up == dict.fromkeys([CALL, *calls(2)], 1)
    assert stream.closed

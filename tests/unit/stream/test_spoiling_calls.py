"""A call that spoils the response for many, but is readable alone, is found and asked for alone."""

import asyncio
from unittest.mock import ANY

import pytest

from server.adapters.stream.errors import (
    StreamError,
    StreamFailedError,
    StreamRequestRejectedError,
    StreamResponseTooLargeError,
    UnreadableResponseError,
)
from tests.support.stand_ins.scripted_stream import ON_AIR, ScriptedStream, ask_all, best_effort, calls

DEEP = UnreadableResponseError("nested too deeply")
ALONE_FOR = 60.0
FEW = calls(10, first=50)
OTHERS = [call for call in calls(100) if call not in FEW]


def sizes(stream: ScriptedStream) -> list[int]:
    return [len(query) for query in stream.queries]


@pytest.mark.parametrize("error", [DEEP, StreamRequestRejectedError()])
async def test_the_others_go_on_together(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture, error: StreamError
) -> None:
    stream.spoiling[FEW[3]] = error
    asked = best_effort(stream, timeout_ms=1000)
    assert await ask_all(asked, calls(100)) == [
        (ON_AIR, 0.3 if call in FEW else 0.2) for call in calls(100)
    ]
    assert (sizes(stream), stream.requests) == ([100, *[10] * 10], dict.fromkeys(FEW, 1))
    await asyncio.sleep(1.1)
    assert await ask_all(asked, calls(100)) == [(ON_AIR, 0.1)] * 100
    assert (stream.queries[11:], stream.requests) == ([OTHERS], dict.fromkeys(FEW, 2))
    (line,) = caplog.records
    assert (line.levelname, line.message) == ("WARNING", "stream is asked for some calls alone")
    assert (vars(line)["calls"], vars(line)["for_s"]) == (10, ALONE_FOR)


async def test_after_a_minute_it_is_asked_for_with_others_again(stream: ScriptedStream) -> None:
    stream.spoiling[FEW[0]] = DEEP
    asked = best_effort(stream)
    await ask_all(asked, calls(100))
    stream.spoiling.clear()
    await asyncio.sleep(ALONE_FOR - 0.2)
    await ask_all(asked, calls(100))
    await asyncio.sleep(1.1)
    await ask_all(asked, calls(100))
    assert sizes(stream)[11:] == [90, 100]


async def test_several_are_found_at_once(stream: ScriptedStream) -> None:
    stream.spoiling = dict.fromkeys(calls(100)[5::35], DEEP)
    asked = best_effort(stream)
    await ask_all(asked, calls(100))
    await asyncio.sleep(1.1)
    assert await ask_all(asked, calls(100)) == [(ON_AIR, 0.1)] * 100
    assert sizes(stream)[11:] == [70]


async def test_if_all_responses_are_of_no_use_no_more_are_asked_for(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    stream.says_to_many = DEEP
    asked = best_effort(stream, max_concurrent_requests=100)
    await ask_all(asked, calls(100))
    assert sizes(stream) == [100, *[10] * 10]
    few, each = "stream is asked for some calls alone", "stream is asked for each call alone"
    assert caplog.messages == [few] * 3 + [each]
    await asyncio.sleep(1.1)
    assert await ask_all(asked, calls(100)) == [(ON_AIR, 0.1)] * 100
    assert len(stream.queries) == 11


async def test_one_that_fails_alone_too_leaves_the_rest_of_the_few_together(
    stream: ScriptedStream,
) -> None:
    stream.spoiling[FEW[3]], stream.says_of[FEW[3]] = DEEP, DEEP
    asked = best_effort(stream)
    await ask_all(asked, calls(100))
    await asyncio.sleep(1.1)
    await ask_all(asked, calls(100))
    assert sizes(stream)[11:] == [99]


async def test_callers_of_others_hardly_notice_when_a_call_begins_to_spoil(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream, cache_ttl_ms=2000)
    waits: list[float] = []
    for number in range(100):
        if number == 30:
            stream.spoiling[FEW[3]] = DEEP
        waits += [waited for _, waited in await ask_all(asked, OTHERS)]
        await ask_all(asked, FEW)
        await asyncio.sleep(0.1)
    waiting = [waited for waited in waits if waited]
    assert len(waiting) <= 2 * len(OTHERS)
    assert max(waiting) <= 0.3
    assert len(stream.queries) < 40


async def test_one_that_takes_most_of_a_response_leaves_the_others_together(
    stream: ScriptedStream,
) -> None:
    stream.spoiling[FEW[3]] = StreamResponseTooLargeError()
    asked = best_effort(stream, timeout_ms=2000)
    await ask_all(asked, calls(100))
    so_far = len(stream.queries)
    await asyncio.sleep(1.1)
    assert await ask_all(asked, calls(100)) == [(ON_AIR, 0.1)] * 100
    assert sizes(stream)[so_far:] == [98]


async def test_where_too_many_would_be_asked_for_alone_all_are(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    stream.spoiling = dict.fromkeys(calls(100)[5::20], DEEP)
    asked = best_effort(stream, max_concurrent_requests=32)
    await ask_all(asked, calls(100))
    few, each = "stream is asked for some calls alone", "stream is asked for each call alone"
    assert caplog.messages == [few] * 3 + [each]


async def test_a_pair_that_is_asked_for_by_itself_ends_no_bulk_of_others(stream: ScriptedStream) -> None:
    pair = FEW[:2]
    stream.spoiling[pair[0]] = DEEP
    asked = best_effort(stream)
    for _ in range(8):
        await ask_all(asked, pair)
        await asyncio.sleep(ALONE_FOR)
    assert sizes(stream) == [2] * 8
    await ask_all(asked, OTHERS)
    assert sizes(stream)[8:] == [90]


async def test_a_pair_that_tries_bulk_again_in_vain_leaves_that_to_others(
    stream: ScriptedStream,
) -> None:
    pair = FEW[:2]
    stream.spoiling[pair[0]] = DEEP
    asked = best_effort(stream)
    stream.says_to_many = StreamFailedError("status 403")
    await ask_all(asked, OTHERS[:2])
    stream.says_to_many = None
    for _ in range(2):
        await asyncio.sleep(5)
        await ask_all(asked, [*pair, *OTHERS[2:4]])
    assert stream.queries[1:] == [pair, OTHERS[2:4]]


async def test_if_only_large_responses_are_of_no_use_fewer_calls_are_asked_for(
    stream: ScriptedStream,
) -> None:
    stream.useless_above = 25
    asked = best_effort(stream, timeout_ms=1000)
    for _ in range(20):
        assert await ask_all(asked, calls(100)) == [(ON_AIR, ANY)] * 100
        await asyncio.sleep(1.1)
    # Renewals included; by tens each time it would be 22 a round.
    assert len(stream.queries) < 20 * 16

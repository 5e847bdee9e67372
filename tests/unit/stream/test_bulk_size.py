"""How many calls share a request: as many as a response has room for."""

import asyncio

from server.adapters.stream.errors import StreamResponseTooLargeError
from tests.support.stand_ins.scripted_stream import (
    ON_AIR,
    ScriptedStream,
    ask_all,
    best_effort,
    calls,
)


def sizes(stream: ScriptedStream) -> list[int]:
    return [len(query) for query in stream.queries]


async def test_too_many_for_one_response_are_asked_for_in_halves(stream: ScriptedStream) -> None:
    stream.room = 25
    asked = best_effort(stream, timeout_ms=1000)
    assert await ask_all(asked, calls(100)) == [(ON_AIR, 0.3)] * 100
    assert (sizes(stream), stream.requests) == ([100, 50, 50, 25, 25, 25, 25], {})


async def test_that_many_stay_the_most(stream: ScriptedStream) -> None:
    stream.room = 50
    asked = best_effort(stream)
    await ask_all(asked, calls(80))
    await ask_all(asked, calls(80, first=100))
    assert sizes(stream) == [80, 40, 40, 41, 39]


async def test_with_each_full_one_there_may_be_one_more(stream: ScriptedStream) -> None:
    stream.room = 6
    asked = best_effort(stream)
    await ask_all(asked, calls(8))
    for number in (4, 5, 5, 7):
        await ask_all(asked, calls(number, first=len(stream.queries) * 100))
        await asyncio.sleep(1)
    assert (sizes(stream), len(stream.requests)) == ([8, 4, 4, 4, 5, 5, 6], 1)


async def test_two_that_are_too_large_together_are_asked_for_one_by_one(
    stream: ScriptedStream,
) -> None:
    stream.room = 1
    asked = best_effort(stream)
    assert await ask_all(asked, calls(2)) == [(ON_AIR, 0.2)] * 2
    assert (stream.queries, stream.requests) == ([calls(2)], dict.fromkeys(calls(2), 1))


async def test_one_that_is_too_large_even_alone_spares_the_others(stream: ScriptedStream) -> None:
    bad, *others = calls(3)
    stream.says_of[bad] = StreamResponseTooLargeError()
    asked = best_effort(stream, timeout_ms=1000)
    assert await ask_all(asked, [bad, *others]) == [(None, 0.3), (ON_AIR, 0.3), (ON_AIR, 0.2)]
    await asyncio.sleep(1)
    assert await ask_all(asked, [bad, *others]) == [(None, 0.1), (ON_AIR, 0.1), (ON_AIR, 0.1)]
    assert stream.queries == [[bad, *others], [bad, others[0]], others]

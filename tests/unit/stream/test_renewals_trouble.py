"""What cannot be renewed stays known until its time is over, and Stream is not asked for more."""

import asyncio
from collections.abc import Mapping

import pytest

from server.adapters.stream import responses
from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    StreamFailedError,
    StreamRateLimitedError,
    StreamResponseTooLargeError,
)
from server.adapters.stream.wire import StreamCall
from server.runtime import logs, tracing
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

FAILED = StreamFailedError("status 500")
OF_A_REQUEST = {"request_id", "trace_id"}


@pytest.mark.parametrize("error", [FAILED, StreamCallNotFoundError()])
async def test_what_is_not_known_is_not_renewed(stream: ScriptedStream, error: StreamError) -> None:
    stream.says = error
    asked = best_effort(stream)
    await ask(asked)
    assert await ask(asked) == (None, 0)
    await asyncio.sleep(10)
    assert stream.requests[CALL] == 1


async def test_what_cannot_be_renewed_is_known_until_its_time_is_over(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask(asked)
    await ask(asked)
    stream.says = FAILED
    for _ in range(89):
        await asyncio.sleep(0.01)
        assert await ask(asked) == (ON_AIR, 0)
    assert stream.requests[CALL] == 2
    await asyncio.sleep(0.0101)
    assert await ask(asked) == (None, 0.1)
    assert stream.requests[CALL] == 3


async def test_what_stream_does_not_have_any_more_is_shown_at_once(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask(asked)
    await ask(asked)
    stream.says = StreamCallNotFoundError()
    await asyncio.sleep(0.8)
    assert await ask(asked) == (None, 0)


async def test_a_call_that_fails_as_it_is_renewed_goes_alone_next_time(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask(asked)
    await ask(asked)
    stream.says = FAILED
    await asyncio.sleep(0.9001)
    stream.says = ON_AIR
    await ask_all(asked, [CALL, *calls(2)])
    assert (stream.requests, stream.queries) == ({CALL: 3}, [calls(2)])


@pytest.mark.parametrize(
    "error", [StreamFailedError("status 403"), StreamResponseTooLargeError(), StreamRateLimitedError(1)]
)
async def test_a_request_for_many_that_fails_is_not_followed_by_others(
    stream: ScriptedStream, error: StreamError
) -> None:
    asked = best_effort(stream)
    await ask_all(asked, calls(3))
    await ask_all(asked, calls(3))
    stream.says_to_many = error
    await asyncio.sleep(0.8999)
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0)] * 3
    assert ([len(query) for query in stream.queries], stream.requests) == ([3, 3], {})
    stream.says_to_many = None
    await asyncio.sleep(1.1)
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0.1)] * 3


async def test_of_its_calls_those_that_somebody_waits_for_meanwhile_are_asked_for_alone(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream, timeout_ms=1000)
    stream.after = 0.5
    await ask_all(asked, calls(3))
    await ask_all(asked, calls(3))
    stream.says_to_many, stream.after = StreamFailedError("status 403"), 0.1
    stream.many_after = 0.5
    await asyncio.sleep(0.5001)
    status, waited = await ask(asked, calls(1)[0])
    assert status == ON_AIR
    assert 0.1 < waited < 0.5
    assert (len(stream.queries), stream.requests) == (2, {calls(1)[0]: 1})


async def test_during_a_429_what_is_known_is_shown_and_nothing_is_renewed(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream)
    await ask(asked)
    await ask(asked)
    stream.says = StreamRateLimitedError(5)
    await ask(asked, OTHER)
    await asyncio.sleep(0.7999)
    assert await ask(asked) == (ON_AIR, 0)
    assert stream.requests[CALL] == 1
    await asyncio.sleep(0.0002)
    assert await ask(asked) == (None, 0)


async def test_one_that_the_cache_has_evicted_is_not_renewed(
    stream: ScriptedStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "MAX_CACHED", 1)
    asked = best_effort(stream)
    await ask(asked)
    await ask(asked)
    await ask(asked, OTHER)
    await asyncio.sleep(10)
    assert stream.requests == {CALL: 1, OTHER: 1}


async def test_one_that_was_evicted_and_fetched_anew_is_renewed_as_others_are(
    stream: ScriptedStream, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(responses, "MAX_CACHED", 1)
    stream.after = 0.01
    asked = best_effort(stream)
    for call in (CALL, CALL, OTHER, CALL, CALL):
        await ask(asked, call)
    await asyncio.sleep(10)
    assert (stream.requests, stream.queries) == ({CALL: 6, OTHER: 1}, [])
    assert not caplog.records


async def test_a_request_that_nobody_waits_for_may_take_as_long_as_its_response_is_of_use(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    asked = best_effort(stream)
    for _ in range(2):
        await ask_all(asked, calls(3))
    stream.many_after = 0.5
    await asyncio.sleep(1.2)
    assert (len(stream.queries), stream.requests) == (2, {})
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0)] * 3
    assert not caplog.records


async def test_after_the_end_nothing_is_renewed(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask_all(asked, calls(3))
    await ask_all(asked, calls(3))
    await asked.aclose()
    await asyncio.sleep(10)
    assert len(stream.queries) == 1


class Span:
    """As that of a request that is sampled."""

    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"

    def mark(self, name: str, attributes: Mapping[str, object]) -> None:
        pass


async def read_as(request_id: str, asked: BestEffort, *some: StreamCall) -> None:
    """Ask twice, for a request with an id and a trace."""
    logs.request_id.set(request_id)
    tracing._current.set(Span())  # type: ignore[arg-type]
    for _ in range(2):
        await ask_all(asked, some)


@pytest.mark.parametrize("count", [1, 2])
async def test_a_renewal_belongs_to_no_request(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    caplog.handler.addFilter(logs._add_request_id)
    asked = best_effort(stream)
    await asyncio.create_task(read_as("abc", asked, *calls(count)))
    stream.says = FAILED
    await asyncio.sleep(0.85)
    assert len(caplog.records) == 1
    assert vars(caplog.records[0]).keys().isdisjoint(OF_A_REQUEST)


async def test_nor_does_a_request_for_many(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.handler.addFilter(logs._add_request_id)
    stream.says = FAILED
    asked = best_effort(stream)
    readers = (
        asyncio.create_task(read_as(number, asked, ("livestream", number))) for number in ("1", "2")
    )
    await asyncio.gather(*readers)
    for_many, *alone = map(vars, caplog.records)
    assert for_many["message"] == "stream is asked for each call alone"
    assert for_many.keys().isdisjoint(OF_A_REQUEST)
    assert [line["request_id"] for line in alone] == [line["stream_call_id"] for line in alone]

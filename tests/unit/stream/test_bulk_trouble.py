"""A request for many calls that fails is held against bulk alone: callers' calls go on one by one."""

import asyncio

import pytest

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamEndpointNotFoundError,
    StreamFailedError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
    UnusableResponseError,
)
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

OPEN_FOR = 5.0
FORBIDDEN = StreamFailedError("status 403")


@pytest.mark.parametrize(
    "error",
    [
        FORBIDDEN,
        StreamRequestRejectedError(),
        StreamEndpointNotFoundError(),
        UnusableResponseError("calls"),
        StreamCallNotFoundError(),
        TimeoutError(),
        KeyError("code"),
    ],
)
async def test_callers_get_their_answers_within_the_same_wait(
    stream: ScriptedStream, error: Exception
) -> None:
    stream.says_to_many = error
    asked = best_effort(stream)
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0.2)] * 3
    assert (stream.queries, stream.requests) == ([calls(3)], dict.fromkeys(calls(3), 1))
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0)] * 3


async def test_one_of_them_has_the_place_of_the_request_that_failed(stream: ScriptedStream) -> None:
    stream.says_to_many = FORBIDDEN
    asked = best_effort(stream, max_concurrent_requests=1)
    assert await ask_all(asked, calls(2)) == [(ON_AIR, 0.2), (None, 0.1)]


async def test_an_answer_counts_from_the_request_that_brought_it(stream: ScriptedStream) -> None:
    stream.says_to_many = FORBIDDEN
    asked = best_effort(stream)
    await ask_all(asked, calls(2))
    await asyncio.sleep(0.8999)
    assert await ask_all(asked, calls(2)) == [(ON_AIR, 0)] * 2


async def test_a_failure_that_comes_late_leaves_their_time_to_single_requests(
    stream: ScriptedStream,
) -> None:
    stream.says_to_many, stream.many_after = FORBIDDEN, 0.25
    asked = best_effort(stream)
    assert await ask_all(asked, calls(3)) == [(None, 0.3)] * 3
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0.05)] * 3


async def test_one_that_is_too_slow_is_given_up_and_what_follows_serves_the_next(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    stream.many_after = 3600
    asked = best_effort(stream)
    assert await ask_all(asked, calls(3)) == [(None, 0.3)] * 3
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0.1)] * 3
    assert stream.given_up == dict.fromkeys(calls(3), 1)
    (line,) = caplog.records
    assert (vars(line)["reason"], vars(line)["retry_in_s"]) == ("timeout", OPEN_FOR)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (FORBIDDEN, "status 403"),
        (KeyError("private"), "KeyError"),
    ],
)
async def test_one_line_is_logged_for_all_its_calls(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture, error: Exception, reason: str
) -> None:
    stream.says_to_many = error
    await ask_all(best_effort(stream), calls(3))
    (line,) = caplog.records
    assert (line.levelname, line.message) == ("WARNING", "stream is asked for each call alone")
    assert vars(line)["reason"] == reason


async def test_none_is_no_evidence_of_its_calls(stream: ScriptedStream) -> None:
    stream.says_to_many = FORBIDDEN
    asked = best_effort(stream, breaker_open_ms=1)
    assert await ask_all(asked, calls(10)) == [(ON_AIR, 0.2)] * 10
    for _ in range(10):
        await asyncio.sleep(3)
        assert await ask_all(asked, calls(10)) == [(ON_AIR, 0.2)] * 2 + [(ON_AIR, 0.1)] * 8
    assert stream.queries == [calls(10)] + [calls(2)] * 10


async def test_it_is_left_alone_and_nobody_is_gathered_meanwhile(stream: ScriptedStream) -> None:
    stream.says_to_many = FORBIDDEN
    asked = best_effort(stream)
    await ask_all(asked, calls(2))
    stream.says_to_many = None
    await asyncio.sleep(OPEN_FOR - 0.2001)
    first = asyncio.create_task(ask(asked))
    await asyncio.sleep(0.001)
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0.1)] * 3
    await first
    assert len(stream.queries) == 1


async def test_then_one_request_tries_it_again(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "server.stream")
    stream.says_to_many = FORBIDDEN
    asked = best_effort(stream)
    await ask_all(asked, calls(2))
    stream.says_to_many = None
    await asyncio.sleep(OPEN_FOR)
    assert await ask_all(asked, calls(60, first=10)) == [(ON_AIR, 0.1)] * 60
    assert stream.queries[1:] == [calls(2, first=10)]
    assert await ask_all(asked, calls(3, first=200)) == [(ON_AIR, 0.1)] * 3
    assert stream.queries[2:] == [calls(3, first=200)]
    assert [(line.levelname, line.message) for line in caplog.records] == [
        ("WARNING", "stream is asked for each call alone"),
        ("INFO", "stream is asked for many calls at once again"),
    ]


async def test_of_those_gathered_together_only_one_request_tries_it_again(
    stream: ScriptedStream,
) -> None:
    stream.room = 50
    asked = best_effort(stream)
    await ask_all(asked, calls(100))
    stream.says_to_many, stream.room = FORBIDDEN, 100
    await ask_all(asked, calls(2, first=100))
    stream.says_to_many = None
    await asyncio.sleep(OPEN_FOR)
    assert await ask_all(asked, calls(60, first=200)) == [(ON_AIR, 0.1)] * 60
    assert [len(query) for query in stream.queries] == [100, 50, 50, 2, 2]


@pytest.mark.parametrize(("after", "closes"), [(0.999, True), (1.001, False)])
async def test_that_one_has_as_long_as_a_request_for_one_call(
    stream: ScriptedStream, after: float, closes: bool
) -> None:
    stream.many_after = 3600
    asked = best_effort(stream)
    await ask_all(asked, calls(2))
    await asyncio.sleep(OPEN_FOR)
    stream.many_after = after
    assert await ask_all(asked, calls(2)) == [(None, 0.3)] * 2
    await asyncio.sleep(1)
    await ask_all(asked, calls(2, first=2))
    assert (len(stream.queries) == 3) is closes


async def test_if_that_fails_it_is_left_alone_again(stream: ScriptedStream) -> None:
    stream.says_to_many = FORBIDDEN
    asked = best_effort(stream)
    await ask_all(asked, calls(2))
    await asyncio.sleep(OPEN_FOR)
    assert await ask_all(asked, calls(2)) == [(ON_AIR, 0.2)] * 2
    stream.says_to_many = None
    await asyncio.sleep(OPEN_FOR - 0.1001)
    await ask_all(asked, calls(2))
    assert len(stream.queries) == 2
    await asyncio.sleep(1.001)
    await ask_all(asked, calls(2))
    assert len(stream.queries) == 3


async def test_a_late_success_of_one_sent_before_does_not_close_it(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    stream.many_after = 0.25
    early = asyncio.create_task(ask_all(asked, calls(2)))
    await asyncio.sleep(0.05)
    stream.says_to_many, stream.many_after = FORBIDDEN, 0.05
    await ask_all(asked, calls(2, first=2))
    stream.says_to_many = None
    assert await early == [(ON_AIR, 0.25)] * 2
    await ask_all(asked, calls(2, first=4))
    assert stream.queries == [calls(2), calls(2, first=2)]


async def test_a_call_alone_tries_nothing(stream: ScriptedStream) -> None:
    stream.says_to_many = FORBIDDEN
    asked = best_effort(stream)
    await ask_all(asked, calls(2))
    stream.says_to_many = None
    await asyncio.sleep(OPEN_FOR)
    assert await ask(asked) == (ON_AIR, 0.1)
    await ask_all(asked, calls(2))
    assert len(stream.queries) == 2


async def test_a_429_silences_single_requests_too(
    stream: ScriptedStream, caplog: pytest.LogCaptureFixture
) -> None:
    stream.says_to_many = StreamRateLimitedError(20)
    asked = best_effort(stream)
    assert await ask_all(asked, calls(3)) == [(None, 0.1)] * 3
    (line,) = caplog.records
    assert (line.message, vars(line)["retry_in_s"]) == ("stream rate limit reached", 20)
    stream.says_to_many = None
    await asyncio.sleep(19.8999)
    assert await ask(asked) == (None, 0)
    assert await ask_all(asked, calls(3)) == [(None, 0)] * 3
    assert not stream.requests
    await asyncio.sleep(0.1002)
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0.1)] * 3
    assert (stream.queries, stream.requests) == ([calls(3)] * 2, {})


async def test_a_429_leaves_trying_it_again_to_the_next(stream: ScriptedStream) -> None:
    stream.says_to_many = FORBIDDEN
    asked = best_effort(stream)
    await ask_all(asked, calls(2))
    stream.says_to_many = StreamRateLimitedError(1)
    await asyncio.sleep(OPEN_FOR)
    await ask_all(asked, calls(2))
    stream.says_to_many = None
    await asyncio.sleep(1)
    assert await ask_all(asked, calls(2)) == [(ON_AIR, 0.1)] * 2
    assert stream.queries == [calls(2)] * 3


async def test_while_stream_as_a_whole_is_left_alone_one_call_tries_it_and_not_many(
    stream: ScriptedStream,
) -> None:
    stream.says = StreamFailedError("status 500")
    asked = best_effort(stream, breaker_failures=1)
    await ask(asked)
    stream.says = ON_AIR
    await asyncio.sleep(OPEN_FOR)
    assert await ask_all(asked, calls(3)) == [(ON_AIR, 0.1), (None, 0), (None, 0)]
    assert not stream.queries
    assert await ask_all(asked, [OTHER, *calls(2)]) == [(ON_AIR, 0.1), (ON_AIR, 0), (ON_AIR, 0.1)]
    assert (len(stream.queries), stream.requests[CALL]) == (1, 1)

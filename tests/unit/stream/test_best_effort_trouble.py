import asyncio
import logging

import pytest

from server.adapters.stream.errors import (
    StreamCallNotFoundError,
    StreamError,
    StreamFailedError,
    StreamRateLimitedError,
    StreamRequestRejectedError,
)
from tests.support.stand_ins.scripted_stream import CALL, ON_AIR, OTHER, ScriptedStream, ask, best_effort


@pytest.mark.parametrize(
    "error",
    [
        StreamCallNotFoundError(),
        StreamRequestRejectedError(),
        StreamFailedError("status 500"),
        TimeoutError(),
        KeyError("code"),
    ],
)
async def test_not_knowing_is_remembered_as_well(stream: ScriptedStream, error: Exception) -> None:
    stream.says = error
    asked = best_effort(stream)
    assert await ask(asked) == (None, 0.1)
    await asyncio.sleep(0.8999)
    assert await ask(asked) == (None, 0)
    assert stream.requests[CALL] == 1
    await asyncio.sleep(0.0002)
    await ask(asked)
    assert stream.requests[CALL] == 2


async def test_a_request_given_up_is_a_failure(stream: ScriptedStream) -> None:
    stream.after = 3600
    asked = best_effort(stream)
    for _ in range(3):
        await ask(asked)
        await asyncio.sleep(1)
    assert await ask(asked) == (None, 0)
    assert stream.requests[CALL] == 3


async def test_a_bad_call_does_not_silence_the_others(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    stream.says = StreamFailedError("status 500")
    for _ in range(60):
        await ask(asked)
        await asyncio.sleep(1)
    stream.says = ON_AIR
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)


async def test_stream_is_left_alone_after_different_calls_failed(stream: ScriptedStream) -> None:
    asked = best_effort(stream, breaker_failures=5, breaker_open_ms=5000)
    stream.says = StreamFailedError("status 500")
    for number in range(5):
        await ask(asked, ("livestream", str(number)))
    stream.says = ON_AIR
    assert await ask(asked) == (None, 0)
    await asyncio.sleep(5)
    probe, other = await asyncio.gather(ask(asked), ask(asked, OTHER))
    assert (probe, other) == ((ON_AIR, 0.1), (None, 0))
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)


async def test_not_knowing_the_call_shows_that_stream_is_well(stream: ScriptedStream) -> None:
    asked = best_effort(stream, breaker_failures=2)
    for number, says in enumerate([StreamFailedError(""), StreamCallNotFoundError()] * 3):
        stream.says = says
        await ask(asked, ("livestream", str(number)))
    stream.says = ON_AIR
    assert await ask(asked) == (ON_AIR, 0.1)


async def test_a_429_is_obeyed(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    stream.says = StreamRateLimitedError(20)
    await ask(asked)
    stream.says = ON_AIR
    await asyncio.sleep(19.999)
    assert await ask(asked, OTHER) == (None, 0)
    await asyncio.sleep(0.002)
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)


@pytest.mark.parametrize(
    ("error", "level", "reason"),
    [
        (StreamFailedError("status 500"), logging.WARNING, "status 500"),
        (StreamRequestRejectedError(), logging.WARNING, "request rejected"),
        (StreamCallNotFoundError(), logging.INFO, "no such call"),
        (TimeoutError(), logging.WARNING, "timeout"),
        (KeyError("private"), logging.WARNING, "KeyError"),
    ],
)
async def test_one_line_is_logged_however_many_callers(
    stream: ScriptedStream,
    caplog: pytest.LogCaptureFixture,
    error: StreamError,
    level: int,
    reason: str,
) -> None:
    caplog.set_level(logging.DEBUG, "server.stream")
    stream.says = error
    asked = best_effort(stream)
    await asyncio.gather(*(ask(asked) for _ in range(100)))
    (line,) = caplog.records
    assert (line.levelno, vars(line)["reason"]) == (level, reason)
    assert (vars(line)["stream_call_type"], vars(line)["stream_call_id"]) == CALL

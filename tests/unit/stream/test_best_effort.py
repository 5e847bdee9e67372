import asyncio
import logging
from asyncio import get_running_loop
from typing import Any

import pytest

from server.adapters.stream import best_effort as best_effort_module
from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.errors import (
    StreamCallMissingError,
    StreamError,
    StreamFailedError,
    StreamQuestionRefusedError,
    StreamRateLimitedError,
)
from server.application.call import LiveStatus
from server.config import StreamSettings
from tests.support.scripted_stream import OFF_AIR, ON_AIR, ScriptedStream

CALL = ("livestream", "call")
OTHER = ("livestream", "other")
AMPLE = 10.0


def best_effort(stream: ScriptedStream, **changes: Any) -> BestEffort:
    settings = StreamSettings(**{"budget_ms": 300, "reuse_ms": 1000, **changes})
    return BestEffort(stream, settings, clock=lambda: get_running_loop().time())


@pytest.fixture
def stream() -> ScriptedStream:
    return ScriptedStream()


async def ask(
    asked: BestEffort, call: tuple[str, str] = CALL, within: float = AMPLE
) -> tuple[LiveStatus | None, float]:
    """Ask, and tell the answer and the seconds it took."""
    began = get_running_loop().time()
    status = await asked.live_status(*call, within)
    return status, round(get_running_loop().time() - began, 6)


async def test_says_what_stream_says(stream: ScriptedStream) -> None:
    assert await ask(best_effort(stream)) == (ON_AIR, 0.1)


async def test_an_answer_is_used_again_until_the_reuse_time_after_it_was_asked_for(
    stream: ScriptedStream,
) -> None:
    asked = best_effort(stream)
    await ask(asked)
    stream.says = OFF_AIR
    await asyncio.sleep(0.8999)
    assert await ask(asked) == (ON_AIR, 0)
    await asyncio.sleep(0.0002)
    assert await ask(asked) == (OFF_AIR, 0.1)


async def test_an_answer_in_hand_is_given_even_without_time(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask(asked)
    assert await ask(asked, within=0) == (ON_AIR, 0)


async def test_calls_are_told_apart(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    await ask(asked)
    stream.says = OFF_AIR
    assert await ask(asked, OTHER) == (OFF_AIR, 0.1)
    assert await ask(asked, ("default", "call")) == (OFF_AIR, 0.1)


@pytest.mark.parametrize(
    "error",
    [
        StreamCallMissingError(),
        StreamQuestionRefusedError(),
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
    assert stream.asked[CALL] == 1
    await asyncio.sleep(0.0002)
    await ask(asked)
    assert stream.asked[CALL] == 2


async def test_waits_no_longer_than_the_budget(stream: ScriptedStream) -> None:
    stream.after = 3600
    assert await ask(best_effort(stream)) == (None, 0.3)


async def test_leaves_the_caller_time_for_the_answer(stream: ScriptedStream) -> None:
    stream.after = 3600
    assert await ask(best_effort(stream), within=0.2) == (None, 0.15)


async def test_does_not_ask_for_a_caller_without_time(stream: ScriptedStream) -> None:
    assert await ask(best_effort(stream), within=0.05) == (None, 0)
    assert not stream.asked


async def test_an_answer_too_late_for_one_caller_serves_the_next(stream: ScriptedStream) -> None:
    stream.after = 0.5
    asked = best_effort(stream)
    assert await ask(asked) == (None, 0.3)
    assert await ask(asked) == (ON_AIR, 0.2)
    assert await ask(asked) == (ON_AIR, 0)
    assert stream.asked[CALL] == 1


@pytest.mark.parametrize(("budget_ms", "reuse_ms"), [(300, 1000), (1000, 300)])
async def test_a_question_is_given_up_when_its_answer_could_no_longer_be_shown(
    stream: ScriptedStream, budget_ms: int, reuse_ms: int
) -> None:
    stream.after = 3600
    caller = asyncio.create_task(ask(best_effort(stream, budget_ms=budget_ms, reuse_ms=reuse_ms)))
    await asyncio.sleep(0.999)
    assert not stream.given_up
    await asyncio.sleep(0.002)
    assert stream.given_up[CALL] == 1
    assert await caller == (None, budget_ms / 1000)


async def test_a_question_given_up_is_a_failure(stream: ScriptedStream) -> None:
    stream.after = 3600
    asked = best_effort(stream)
    for _ in range(3):
        await ask(asked)
        await asyncio.sleep(1)
    assert await ask(asked) == (None, 0)
    assert stream.asked[CALL] == 3


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
    assert await asyncio.gather(ask(asked), ask(asked, OTHER)) == [(ON_AIR, 0.1), (None, 0)]
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)


async def test_not_knowing_the_call_shows_that_stream_is_well(stream: ScriptedStream) -> None:
    asked = best_effort(stream, breaker_failures=2)
    for number, says in enumerate([StreamFailedError(""), StreamCallMissingError()] * 3):
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


async def test_many_callers_share_one_question(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    answers = await asyncio.gather(*(ask(asked) for _ in range(1000)))
    assert set(answers) == {(ON_AIR, 0.1)}
    assert stream.asked[CALL] == 1


async def test_a_cancelled_caller_cancels_nobody_elses_answer(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    first, second = asyncio.create_task(ask(asked)), asyncio.create_task(ask(asked))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await second == (ON_AIR, 0.1)
    assert first.cancelled()
    assert stream.asked[CALL] == 1


async def test_bounds_the_questions_under_way(stream: ScriptedStream) -> None:
    asked = best_effort(stream, max_questions=2)
    calls = [("livestream", str(number)) for number in range(3)]
    answers = await asyncio.gather(*(ask(asked, call) for call in calls))
    assert answers == [(ON_AIR, 0.1), (ON_AIR, 0.1), (None, 0)]
    assert await ask(asked, calls[2]) == (ON_AIR, 0.1)


@pytest.mark.parametrize("call", [("livestream", ""), ("livestream", ".."), ("", "call")])
async def test_never_asks_what_would_address_something_else(
    stream: ScriptedStream, call: tuple[str, str]
) -> None:
    assert await ask(best_effort(stream), call) == (None, 0)
    assert not stream.asked


async def test_remembers_a_bounded_number_of_answers(
    stream: ScriptedStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(best_effort_module, "_ANSWERS_REMEMBERED", 2)
    asked = best_effort(stream)
    stream.after = 0
    for name in ("a", "b", "c"):
        await ask(asked, ("livestream", name))
    await asyncio.sleep(2)
    for name in ("b", "d"):
        await ask(asked, ("livestream", name))
    assert set(asked._answers) == {("livestream", "b"), ("livestream", "d")}


async def test_closing_gives_up_what_is_under_way(stream: ScriptedStream) -> None:
    stream.after = 3600
    asked = best_effort(stream)
    caller = asyncio.create_task(ask(asked))
    await asyncio.sleep(0.1)
    await asked.aclose()
    assert await caller == (None, 0.1)
    assert stream.given_up[CALL] == 1
    assert stream.closed


@pytest.mark.parametrize(
    ("error", "level", "reason"),
    [
        (StreamFailedError("status 500"), logging.WARNING, "status 500"),
        (StreamQuestionRefusedError(), logging.WARNING, "question refused"),
        (StreamCallMissingError(), logging.INFO, "no such call"),
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

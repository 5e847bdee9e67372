import asyncio
from contextlib import suppress

import pytest

from server.adapters.stream import responses
from server.application.call import LiveStatus
from server.runtime.tasks import MAX_END_SECONDS
from tests.support.stand_ins.scripted_stream import (
    CALL,
    OFF_AIR,
    ON_AIR,
    OTHER,
    ScriptedStream,
    ask,
    best_effort,
)


async def test_says_what_stream_says(stream: ScriptedStream) -> None:
    assert await ask(best_effort(stream)) == (ON_AIR, 0.1)


@pytest.mark.parametrize(
    ("seconds", "answered"), [(0.8999, (ON_AIR, 0)), (0.9001, (OFF_AIR, 0.1))], ids=["within", "after"]
)
async def test_a_response_is_cached_until_the_ttl_after_its_request(
    stream: ScriptedStream, seconds: float, answered: tuple[LiveStatus, float]
) -> None:
    asked = best_effort(stream)
    await ask(asked)
    stream.says = OFF_AIR
    await asyncio.sleep(seconds)
    assert await ask(asked) == answered


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


async def test_waits_no_longer_than_the_timeout(stream: ScriptedStream) -> None:
    stream.after = 3600
    assert await ask(best_effort(stream)) == (None, 0.3)


async def test_leaves_the_caller_time_for_the_answer(stream: ScriptedStream) -> None:
    stream.after = 3600
    assert await ask(best_effort(stream), within=0.2) == (None, 0.15)


async def test_does_not_ask_for_a_caller_without_time(stream: ScriptedStream) -> None:
    assert await ask(best_effort(stream), within=0.05) == (None, 0)
    assert not stream.requests


async def test_an_answer_too_late_for_one_caller_serves_the_next(stream: ScriptedStream) -> None:
    stream.after = 0.5
    asked = best_effort(stream)
    assert await ask(asked) == (None, 0.3)
    assert await ask(asked) == (ON_AIR, 0.2)
    assert await ask(asked) == (ON_AIR, 0)
    assert stream.requests[CALL] == 1


@pytest.mark.parametrize(("timeout_ms", "cache_ttl_ms"), [(300, 1000), (1000, 300)])
async def test_a_request_is_given_up_when_its_answer_could_no_longer_be_shown(
    stream: ScriptedStream, timeout_ms: int, cache_ttl_ms: int
) -> None:
    stream.after = 3600
    caller = asyncio.create_task(
        ask(best_effort(stream, timeout_ms=timeout_ms, cache_ttl_ms=cache_ttl_ms))
    )
    await asyncio.sleep(0.999)
    assert not stream.given_up
    await asyncio.sleep(0.002)
    assert stream.given_up[CALL] == 1
    assert await caller == (None, timeout_ms / 1000)


async def test_many_callers_share_one_request(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    answers = await asyncio.gather(*(ask(asked) for _ in range(1000)))
    assert set(answers) == {(ON_AIR, 0.1)}
    assert stream.requests[CALL] == 1


async def test_a_cancelled_caller_cancels_nobody_elses_answer(stream: ScriptedStream) -> None:
    asked = best_effort(stream)
    first, second = asyncio.create_task(ask(asked)), asyncio.create_task(ask(asked))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await second == (ON_AIR, 0.1)
    assert first.cancelled()
    assert stream.requests[CALL] == 1


async def test_bounds_the_requests_under_way(stream: ScriptedStream) -> None:
    asked = best_effort(stream, max_concurrent_requests=2, bulk="off")
    calls = [("livestream", str(number)) for number in range(3)]
    answers = await asyncio.gather(*(ask(asked, call) for call in calls))
    assert answers == [(ON_AIR, 0.1), (ON_AIR, 0.1), (None, 0)]
    assert await ask(asked, calls[2]) == (ON_AIR, 0.1)


@pytest.mark.parametrize("call", [("livestream", ""), ("livestream", ".."), ("", "call")])
async def test_never_asks_what_would_address_something_else(
    stream: ScriptedStream, call: tuple[str, str]
) -> None:
    assert await ask(best_effort(stream), call) == (None, 0)
    assert not stream.requests


async def test_remembers_a_bounded_number_of_answers(
    stream: ScriptedStream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responses, "MAX_CACHED", 2)
    asked = best_effort(stream)
    stream.after = 0
    for name in ("a", "b", "c"):
        await ask(asked, ("livestream", name))
    await asyncio.sleep(2)
    for name in ("b", "d"):
        await ask(asked, ("livestream", name))
    assert set(asked._responses._cached) == {("livestream", "b"), ("livestream", "d")}


async def test_closing_gives_up_what_is_under_way(stream: ScriptedStream) -> None:
    stream.after = 3600
    asked = best_effort(stream)
    caller = asyncio.create_task(ask(asked))
    await asyncio.sleep(0.1)
    await asked.aclose()
    assert await caller == (None, 0.1)
    assert stream.given_up[CALL] == 1
    assert stream.closed


async def test_closing_leaves_a_request_behind_that_does_not_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Stubborn(ScriptedStream):
        async def fetch(self, call_type: str, call_id: str) -> LiveStatus:
            while not going_on.is_set():
                with suppress(asyncio.CancelledError):
                    await going_on.wait()
            return ON_AIR

    going_on, stream = asyncio.Event(), Stubborn()
    asked = best_effort(stream)
    await ask(asked)
    began = asyncio.get_running_loop().time()
    await asked.aclose()
    assert asyncio.get_running_loop().time() - began == pytest.approx(MAX_END_SECONDS)
    (left,) = [vars(line) for line in caplog.records if line.name == "server"]
    assert (left["kind"], left["tasks"]) == ("requests to Stream", 1)
    assert stream.closed
    going_on.set()

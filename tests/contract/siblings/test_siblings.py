"""Workers tell each other what Stream says."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from random import choice

import pytest

from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.errors import StreamFailedError, StreamRateLimitedError
from server.adapters.stream.siblings import Siblings
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus
from server.config.stream import StreamSettings
from server.supervision.siblings import connect_siblings
from tests.support.stand_ins.scripted_stream import (
    CALL,
    ON_AIR,
    OTHER,
    ScriptedStream,
    ask,
    ask_all,
    calls,
)

WORKERS = 3
THOUSAND = calls(1000)
ENDED = LiveStatus(
    is_live=False,
    current_session_id=None,
    ended_at=datetime(2026, 11, 30, 12, 30, 15, 123456, tzinfo=UTC),
)


def adapter(stream: ScriptedStream, sockets: Sequence[socket.socket]) -> BestEffort:
    """Make the adapter of a worker that has inherited sockets."""
    siblings = Siblings([each.dup().detach() for each in sockets])
    clock = asyncio.get_running_loop().time
    return BestEffort(stream, StreamSettings(), clock=clock, siblings=siblings)


def adapters(stream: ScriptedStream, number: int = WORKERS) -> list[BestEffort]:
    """Make the adapters of some workers, which reach each other."""
    all_sockets = [theirs.sockets for theirs in connect_siblings(number)]
    made = [adapter(stream, sockets) for sockets in all_sockets]
    close(*all_sockets)
    return made


def close(*groups: Sequence[socket.socket]) -> None:
    for each in chain.from_iterable(groups):
        each.close()


@pytest.fixture
async def started(stream: ScriptedStream) -> AsyncIterator[list[BestEffort]]:
    made = adapters(stream)
    yield made
    for each in made:
        await each.aclose()


async def poll(asked: BestEffort, polled: Sequence[StreamCall], seconds: float) -> list[float]:
    """Ask for calls ten times a second; return how long each answer took."""
    waits: list[float] = []
    for _ in range(round(seconds * 10)):
        waits += [waited for _, waited in await ask_all(asked, polled)]
        await asyncio.sleep(0.1)
    return waits


@pytest.mark.parametrize("status", [ON_AIR, ENDED])
async def test_what_one_has_fetched_all_have(
    started: list[BestEffort], stream: ScriptedStream, status: LiveStatus
) -> None:
    stream.says = status
    assert await ask(started[0]) == (status, 0.1)
    for other in started[1:]:
        assert await ask(other) == (status, 0)
    assert stream.requests[CALL] == 1


@pytest.mark.parametrize(("seconds", "waited"), [(0.8999, 0), (0.9001, 0.1)])
async def test_its_age_counts_from_when_the_first_asked(
    started: list[BestEffort], seconds: float, waited: float
) -> None:
    await ask(started[0])
    await asyncio.sleep(seconds)
    assert await ask(started[1]) == (ON_AIR, waited)


async def test_those_who_wait_get_what_another_was_told(
    started: list[BestEffort], stream: ScriptedStream
) -> None:
    first = asyncio.create_task(ask(started[0]))
    await asyncio.sleep(0.06)
    assert await ask(started[1]) == (ON_AIR, 0.04)
    assert await first == (ON_AIR, 0.1)


async def test_what_another_was_told_as_it_was_gathered_is_not_asked_for(
    started: list[BestEffort], stream: ScriptedStream
) -> None:
    first = asyncio.create_task(ask(started[0]))
    await asyncio.sleep(0.09)
    before = asyncio.create_task(ask(started[1], OTHER))
    await asyncio.sleep(0.001)
    (other,) = calls(1)
    assert await ask_all(started[1], [CALL, other]) == [(ON_AIR, 0.009), (ON_AIR, 0.139)]
    await asyncio.gather(first, before)
    assert (stream.requests, stream.queries) == ({CALL: 1, OTHER: 1, other: 1}, [])


async def test_what_is_asked_does_not_grow_with_the_workers(
    started: list[BestEffort], stream: ScriptedStream
) -> None:
    polled = calls(50)
    waits = await asyncio.gather(*(poll(each, polled, 0.2) for each in started))
    begun = len(stream.queries) + stream.requests.total()
    waits = await asyncio.gather(*(poll(each, polled, 20) for each in started))
    assert not any(max(each) for each in waits)
    # One worker alone asks every 0.4 to 0.75 s.
    assert len(stream.queries) + stream.requests.total() - begun <= 20 / 0.4


@pytest.mark.parametrize("workers", [2, 4])
async def test_a_thousand_calls_that_are_read_by_all_need_few_requests(
    stream: ScriptedStream, workers: int
) -> None:
    async def read(call: StreamCall) -> None:
        waits.append((await ask(choice(started), call))[1])  # noqa: S311 - no secret

    started, loop, waits = adapters(stream, workers), asyncio.get_running_loop(), list[float]()
    begun = 0
    async with asyncio.TaskGroup() as tasks:
        for turn in range(10_000):
            tasks.create_task(read(THOUSAND[turn % 1000]))
            if turn % 15 == 0:
                await asyncio.sleep(0.01)
            if turn == 3000:
                waits.clear()
                begun, since = len(stream.queries) + stream.requests.total(), loop.time()
    requests = len(stream.queries) + stream.requests.total() - begun
    assert not any(waits)
    # Each worker for itself would send 25.
    assert requests / (loop.time() - since) <= 30
    for each in started:
        await each.aclose()


async def test_one_that_renews_and_gets_no_answer_leaves_it_to_the_others(
    started: list[BestEffort], stream: ScriptedStream
) -> None:
    await ask(started[0])
    stream.says = StreamFailedError("status 500")
    await asyncio.gather(*(poll(each, [CALL], 0.8) for each in started))
    stream.says = ON_AIR
    await asyncio.sleep(0.5)
    assert await ask(started[1]) == (ON_AIR, 0.1)


async def test_one_that_may_not_ask_leaves_it_to_the_others(
    started: list[BestEffort], stream: ScriptedStream
) -> None:
    limited, other, _ = started
    stream.says = StreamRateLimitedError(10)
    await ask(limited, OTHER)
    stream.says = ON_AIR
    await ask(other)
    waits = await asyncio.gather(poll(limited, [CALL], 9), poll(other, [CALL], 9))
    assert not any(map(max, waits))


async def test_a_failure_is_not_told(started: list[BestEffort], stream: ScriptedStream) -> None:
    stream.says = StreamFailedError("status 500")
    await ask(started[0])
    stream.says = ON_AIR
    assert await ask(started[1]) == (ON_AIR, 0.1)


async def test_an_older_response_replaces_no_newer_one(stream: ScriptedStream) -> None:
    one, other = adapters(stream, 2)
    stream.after = 0.25
    slow = asyncio.create_task(ask(one))
    await asyncio.sleep(0.1)
    stream.after, stream.says = 0.01, ENDED
    assert await ask(other) == (ENDED, 0.01)
    stream.says = ON_AIR
    assert await slow == (ENDED, 0.11)
    await asyncio.sleep(0.2)
    for each in (one, other):
        assert await ask(each) == (ENDED, 0)
    for each in (one, other):
        await each.aclose()


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'[[["livestream"]], []]',
        b'[[], [["livestream", "call", "now", true, null, null]]]',
        b'[[], [["livestream", "call", 1e999, true, null, null]]]',
        b'[[], [["livestream", "call", 0, true, null, 99999999999999999999]]]',
    ],
)
async def test_what_is_not_understood_is_ignored(stream: ScriptedStream, message: bytes) -> None:
    ours, theirs = socket.socketpair(type=socket.SOCK_DGRAM)
    asked = adapter(stream, [ours])
    theirs.send(message)
    assert await ask(asked, OTHER) == (ON_AIR, 0.1)
    await asked.aclose()
    close([ours, theirs])


async def test_one_that_reads_nothing_holds_nobody_up(stream: ScriptedStream) -> None:
    stuck, well = connect_siblings(2)
    asked = adapter(stream, well.sockets)
    for number in range(2000):
        assert await ask(asked, ("livestream", str(number))) == (ON_AIR, 0.1)
    await asked.aclose()
    close(stuck.sockets, well.sockets)

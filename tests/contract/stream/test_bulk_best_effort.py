"""What callers get, whatever Stream does to a request for many calls."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import time
from typing import Any

import pytest

from demo.stream_stand_in.stand_in import Behaviour, StreamStandIn
from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.client import StreamClient
from server.adapters.stream.wire import StreamCall
from server.application.call import LiveStatus
from server.config.stream import StreamSettings
from tests.support.callers.metrics import own_metrics
from tests.support.stand_ins.stream import KEY, SECRET, TOKEN

AMPLE = 10.0
FOUND = 'livecalls_stream_requests_total{endpoint="QueryCalls",outcome="found"}'
A, BAD, C = CALLS = [("livestream", name) for name in ("a", "bad", "c")]
GOOD = [A, C]
HARMLESS = {
    Behaviour.WELL,
    Behaviour.ISO_DATES,
    Behaviour.UNSET_LEFT_OUT,
    Behaviour.CROWDED,
    Behaviour.DROPPED,
    Behaviour.DROPPED_BY_RESET,
}


@pytest.fixture(autouse=True)
def _known(stand_in: StreamStandIn) -> None:
    stand_in.rate_limit_seconds = 1
    for call in CALLS:
        stand_in.put(*call)


class Shared:
    """A client that stays open: making one takes as long as a test."""

    def __init__(self, client: StreamClient) -> None:
        self.fetch = client.fetch
        self.fetch_many = client.fetch_many

    async def aclose(self) -> None:
        pass


@asynccontextmanager
async def asking(client: StreamClient, **changes: Any) -> AsyncIterator[BestEffort]:
    """Ask by the client, with settings, while the block lasts."""
    best_effort = BestEffort(Shared(client), StreamSettings(**changes))
    yield best_effort
    await best_effort.aclose()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All of it, that of libraries too."""
    for logger in ("", "httpx", "httpcore", "getstream", "server.stream", "asyncio"):
        caplog.set_level(logging.DEBUG, logger)
    return caplog


def check(log: pytest.LogCaptureFixture) -> None:
    """Check that requests are in it, and no secret or traceback."""
    logged = "\n".join(f"{record.getMessage()} {vars(record)}" for record in log.records)
    assert "POST" in logged
    assert SECRET not in logged
    assert TOKEN not in logged
    # aiohttp is the stand-in's.
    ours = [record for record in log.records if not record.name.startswith("aiohttp")]
    assert not [record for record in ours if record.exc_info]
    warnings = [record for record in ours if record.levelno > logging.INFO]
    assert {record.name for record in warnings} <= {"server.stream"}
    assert KEY not in "".join(str(vars(record)) for record in warnings)


async def ask_all(best_effort: BestEffort, *calls: StreamCall) -> dict[StreamCall, LiveStatus | None]:
    """Ask in one turn of the event loop."""
    statuses = await asyncio.gather(*(best_effort.live_status(*call, AMPLE) for call in calls))
    return dict(zip(calls, statuses, strict=True))


async def test_whatever_stream_does_callers_get_an_answer_and_the_log_no_secret(
    client: StreamClient, stand_in: StreamStandIn, log: pytest.LogCaptureFixture
) -> None:
    for stand_in.behaviour in Behaviour:
        async with asking(client) as asked:
            statuses = await ask_all(asked, *CALLS)
        if stand_in.behaviour not in HARMLESS:
            assert statuses == dict.fromkeys(CALLS), stand_in.behaviour
    asked_for = [query for query in stand_in.queries if len(query) == len(CALLS)]
    assert len(asked_for) >= len(Behaviour)
    check(log)


def is_well(statuses: dict[StreamCall, LiveStatus | None]) -> bool:
    return all(statuses[call] is not None for call in GOOD)


def is_bulk_well(before: float) -> bool:
    """Return whether a request for many has succeeded, and none has failed since."""
    shown = own_metrics()
    return shown[FOUND] > before and not shown["livecalls_stream_bulk_breaker_open"]


# A 429 concerns all calls, whichever call it is for.
@pytest.mark.parametrize("behaviour", [it for it in Behaviour if it is not Behaviour.RATE_LIMITED])
async def test_one_call_spoils_no_other_for_long(
    client: StreamClient,
    stand_in: StreamStandIn,
    log: pytest.LogCaptureFixture,
    behaviour: Behaviour,
) -> None:
    stand_in.put(*BAD, behaviour=behaviour)
    before = own_metrics()[FOUND]
    async with asking(client, breaker_open_ms=50, cache_ttl_ms=50) as asked, asyncio.timeout(20):
        while not (is_well(await ask_all(asked, *CALLS)) and is_bulk_well(before)):  # noqa: ASYNC110 - there is no event for it
            # So long that all are fetched anew, together.
            await asyncio.sleep(0.11)
        if behaviour not in HARMLESS:
            assert (await ask_all(asked, BAD))[BAD] is None
    check(log)


async def test_calls_with_large_responses_are_asked_for_as_many_as_fit(
    patient: BestEffort, stand_in: StreamStandIn
) -> None:
    stand_in.behaviour = Behaviour.CROWDED
    calls = [("livestream", str(number)) for number in range(4)]
    for call in calls:
        stand_in.put(*call)
    statuses = await ask_all(patient, *calls)
    assert all(status and status.is_live for status in statuses.values())
    assert [len(query) for query in stand_in.queries] == [4, 2, 2]
    assert not stand_in.requests


async def test_a_429_to_a_request_for_many_is_obeyed_until_its_reset(
    patient: BestEffort, stand_in: StreamStandIn
) -> None:
    stand_in.rate_limit_seconds = 1
    stand_in.behaviour = Behaviour.RATE_LIMITED
    reset = int(time()) + 1
    assert await ask_all(patient, *CALLS) == dict.fromkeys(CALLS)
    stand_in.behaviour = Behaviour.WELL
    async with asyncio.timeout(10):
        while None in (await ask_all(patient, *CALLS)).values():  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
    assert time() >= reset
    assert ([len(query) for query in stand_in.queries], stand_in.requests) == ([3, 3], {})

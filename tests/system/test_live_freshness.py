"""What is shown of a call at Stream is never older than the cache time, however much is going on."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import grpc
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.stream_stand_in.stand_in import KnownCall, State, StreamStandIn
from server.store.bulk import store_calls
from tests.support.callers.steady_stream import PATIENT
from tests.support.data.calls import many_calls
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Server, server_of
from tests.support.stand_ins.stream import stream_variables

if TYPE_CHECKING:
    from livecalls.v1.live_calls_pb2_grpc import LiveCallsAsyncStub

READS = 10_000
CALLS = many_calls(24)
# Of some calls many want to know, so that they are renewed, and of others few.
POPULARITY = list(accumulate((number + 1) ** -2.0 for number in range(len(CALLS))))
READERS = 64
CACHE_TTL = 0.5
LATENCIES = (0.1, 0.2)
"""The least and the most seconds of Stream's: a response is as old as that when it arrives."""
CHANGES = 10 * len(CALLS)
SECONDS_BETWEEN_CHANGES = 0.01
"""On average, of all calls together: a state of one lasts a quarter of a second."""
SETTINGS = {
    **PATIENT,
    "AUTH": "off",
    "LOG_LEVEL": "WARNING",
    "RATE_LIMIT_PER_SECOND": "0",
    # Of several, one may have been told a later state than another.
    "WORKERS": "1",
    "STREAM_BULK": "auto",
    "STREAM_CACHE_TTL_MS": f"{CACHE_TTL * 1000:.0f}",
    "STREAM_TIMEOUT_MS": f"{CACHE_TTL * 1000:.0f}",
    # Where a busy machine has let requests fail, others soon follow.
    "STREAM_BREAKER_OPEN_MS": "100",
}
RANDOM = Random()  # noqa: S311 - no secret
EPOCH_US = 10**15
HOUR_NS = 3600 * 10**9


@dataclass
class ChangingCalls:
    """The calls at Stream, whose states are numbered: each is known by its `ended_at`."""

    stand_in: StreamStandIn
    ends: dict[str, list[float]] = field(default_factory=dict)
    """When each state of each call was over, by the clock that all processes of a machine share."""
    changes: int = 0

    def add(self, call_id: str) -> None:
        self.ends[call_id] = []
        self._put(call_id, 0)

    def change(self, call_id: str) -> None:
        """Put a call into its next state."""
        self._put(call_id, len(self.ends[call_id]) + 1)
        # Only after that is it certain that Stream shows the one before to nobody any more.
        self.ends[call_id].append(time.monotonic())
        self.changes += 1

    def end_of(self, call_id: str, number: int) -> float:
        """Return when a state was over; infinity if it is not."""
        ends = self.ends[call_id]
        return ends[number] if number < len(ends) else math.inf

    def _put(self, call_id: str, number: int) -> None:
        """Make a state known; on air again, a call was ended an hour before."""
        ended_at_ns = (EPOCH_US + number) * 1000
        if number % 2:
            call = KnownCall("livestream", call_id, State.ON_AIR_AGAIN, since_ns=ended_at_ns + HOUR_NS)
        else:
            call = KnownCall("livestream", call_id, State.ENDED, since_ns=ended_at_ns)
        self.stand_in.know(call)


@dataclass
class Reads:
    """What readers have been shown."""

    calls: ChangingCalls = field(repr=False)
    shown: int = 0
    newest: Counter[str] = field(default_factory=Counter, repr=False)
    """The last state of each call that anybody was shown."""
    too_old: list[float] = field(default_factory=list)
    """For how many seconds more than the cache time a state had been over as it was asked for."""
    gone_back: list[int] = field(default_factory=list)
    """How many states a call had gone on, when one was shown to who asked after a later one was."""


async def test_no_state_is_shown_that_was_over_before_the_cache_time(
    deployment: Deployment,
    database_url: str,
    stand_in: StreamStandIn,
    stream_url: str,
    tmp_path: Path,
) -> None:
    store_calls(database_url, (replace(call, stream_call_id=call.id) for call in CALLS))
    settings = {"DATABASE_URL": database_url, **stream_variables(stream_url), **deployment.settings}
    with serving(tmp_path, settings) as server:
        address = f"127.0.0.1:{server.port}"
        async with grpc.aio.insecure_channel(address) as channel, changing(stand_in) as calls:
            stub, reads = LiveCallsStub(channel), Reads(calls)
            await asyncio.gather(*(read(stub, reads) for _ in range(READERS)))
    assert not reads.too_old
    assert not reads.gone_back
    assert any(len(cids) > 1 for cids in stand_in.queries)


@contextmanager
def serving(folder: Path, settings: dict[str, str]) -> Iterator[Server]:
    server = server_of(folder, {**SETTINGS, **settings})
    try:
        yield server
    finally:
        assert server.stop() == 0


@asynccontextmanager
async def changing(stand_in: StreamStandIn) -> AsyncIterator[ChangingCalls]:
    """Change the states of calls, at random, while the block lasts."""
    calls = ChangingCalls(stand_in)
    for call in CALLS:
        calls.add(call.id)

    async def change() -> None:
        while True:
            stand_in.latency_seconds = RANDOM.uniform(*LATENCIES)
            calls.change(RANDOM.choice(CALLS).id)
            await asyncio.sleep(RANDOM.uniform(0, 2 * SECONDS_BETWEEN_CHANGES))

    changes = asyncio.create_task(change())
    try:
        yield calls
        assert not changes.done()
    finally:
        changes.cancel()


async def read(stub: LiveCallsAsyncStub, reads: Reads) -> None:
    """Request one call after the other, until all readers together have been shown enough."""
    while reads.shown < READS or reads.calls.changes < CHANGES:
        [call] = RANDOM.choices(CALLS, cum_weights=POPULARITY)
        newest, oldest_end = reads.newest[call.id], time.monotonic() - CACHE_TTL
        reply = await stub.GetCall(pb.GetCallRequest(id=call.id))
        if reply.HasField("live"):
            reads.shown += 1
            number = number_of(reply.live)
            reads.newest[call.id] = max(number, reads.newest[call.id])
            if (end := reads.calls.end_of(call.id, number)) < oldest_end:
                reads.too_old.append(oldest_end - end)
            if number < newest:
                reads.gone_back.append(newest - number)


def number_of(shown: pb.LiveStatus) -> int:
    """Return the number of a state."""
    number = shown.ended_at.ToMicroseconds() - EPOCH_US
    assert shown.is_live == bool(number % 2)
    return number

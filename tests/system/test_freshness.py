"""A request after a change returns it, by any worker, however many request the same meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from livecalls.v1 import live_calls_pb2 as pb

from server.application.call import CallStatus
from tests.support.callers.steady_stream import PATIENT
from tests.support.callers.worker_stubs import stubs_of
from tests.support.data.calls import CALL_ID, new_id
from tests.support.database.postgres import execute, store_call
from tests.support.server.deployments import Deployment
from tests.support.server.stack import Server, server_of

if TYPE_CHECKING:
    from livecalls.v1.live_calls_pb2_grpc import LiveCallsAsyncStub

# Reads take a while, so that some under way have begun before a change: none may join these.
SLOW_READS = """
    ALTER TABLE calls RENAME TO stored_calls;
    CREATE VIEW calls AS SELECT stored_calls.* FROM stored_calls, (SELECT pg_sleep({})) AS slowly
"""
UPDATE = "UPDATE stored_calls SET status = %s, title = %s WHERE id = %s"


async def test_every_worker_tells_of_a_change_at_once(
    deployment: Deployment, database_url: str, tmp_path: Path
) -> None:
    store_call(database_url)
    with serving(deployment, database_url, tmp_path, workers=2, seconds=0.001) as server:
        async with stubs_of(server) as (one, other), writing(database_url) as write:
            asked_of = cycle([(one,), (other,), (one, other)])
            async with polling([one, other], [CALL_ID] * 2):
                for number in range(500):
                    written = await write(number)
                    assert await told_by(*next(asked_of)) == {written}


async def test_many_who_ask_keep_no_change_from_one_who_made_it(
    deployment: Deployment, database_url: str, tmp_path: Path
) -> None:
    others = [store_call(database_url, id=new_id()).id for _ in range(15)]
    store_call(database_url)
    with serving(deployment, database_url, tmp_path, workers=1, seconds=0.02) as server:
        async with stubs_of(server) as (stub,), writing(database_url) as write:
            # Half of them request the call that changes.
            ids = [CALL_ID] * 32 + (others * 3)[:32]
            async with polling([stub], ids):
                for number in range(200):
                    written = await write(number)
                    assert await told_by(stub) == {written}


@contextmanager
def serving(
    deployment: Deployment, url: str, folder: Path, *, workers: int, seconds: float
) -> Iterator[Server]:
    """Serve calls whose reading takes so many seconds."""
    execute(url, SLOW_READS.format(seconds))
    settings = {"AUTH": "off", "DATABASE_URL": url, "WORKERS": str(workers), "LOG_LEVEL": "WARNING"}
    server = server_of(
        folder, {**settings, **PATIENT, **deployment.settings, "RATE_LIMIT_PER_SECOND": "0"}
    )
    try:
        yield server
    finally:
        assert server.stop() == 0


@asynccontextmanager
async def writing(url: str) -> AsyncIterator[Callable[[int], Awaitable[tuple[str, str]]]]:
    """Yield a function that changes the call by SQL, and returns what is written once committed."""
    statuses = cycle(CallStatus)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:

        async def write(number: int) -> tuple[str, str]:
            status, title = next(statuses).value, f"Change {number}"
            await connection.execute(UPDATE, (status, title, CALL_ID))
            return f"CALL_STATUS_{status.upper()}", title

        yield write


@asynccontextmanager
async def polling(stubs: list[LiveCallsAsyncStub], ids: list[str]) -> AsyncIterator[None]:
    """Request each of the calls from each worker again and again, while the block lasts."""

    async def poll(stub: LiveCallsAsyncStub, call_id: str) -> None:
        while True:
            await stub.GetCall(pb.GetCallRequest(id=str(call_id)))

    polls = [asyncio.create_task(poll(stub, call_id)) for stub in stubs for call_id in ids]
    try:
        yield
        assert not any(it.done() for it in polls)
    finally:
        for it in polls:
            it.cancel()
        await asyncio.gather(*polls, return_exceptions=True)


async def told_by(*stubs: LiveCallsAsyncStub) -> set[tuple[str, str]]:
    """Request the call from workers concurrently; return what they have read."""
    request = pb.GetCallRequest(id=str(CALL_ID))
    calls = await asyncio.gather(*(stub.GetCall(request) for stub in stubs))
    return {(pb.CallStatus.Name(call.status), call.title) for call in calls}

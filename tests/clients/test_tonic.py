"""tonic, which may compress as the server cannot read: with zstd.

The response to an unknown encoding is gRPC's: doc/compression.md, the fourth case.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import httpx
import pytest
from livecalls.v1.live_calls_pb2 import GetCallRequest
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from demo.postgres import EmbeddedPostgres
from tests.clients.programs import TONIC
from tests.support.callers.steady_stream import PATIENT
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.server.deployments import WayIn
from tests.support.server.stack import Stack, stack_running

TIMES = 20
CONNECTIONS, CALLS_OF_EACH = 10, 10
CORES_OWN = "Internal [] Error parsing 'grpc-encoding' metadata"


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    TONIC.build()


@pytest.fixture(scope="module")
def stack(
    way_in: WayIn,
    shared_postgres: EmbeddedPostgres,
    database: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """The service for anybody, and for these tests alone: they might spoil it for others."""
    settings = {"DATABASE_URL": database, **PATIENT, **way_in.deployment.settings}
    with stack_running(shared_postgres, tmp_path_factory.mktemp("tonic"), **settings) as stack:
        yield stack


@pytest.fixture(scope="module")
def address(way_in: WayIn, stack: Stack) -> str:
    straight, through = stack.grpc_addresses
    return straight if way_in is WayIn.DIRECT else through


def outcomes(address: str, encoding: str) -> list[str]:
    """Send a number of requests, at once on one connection."""
    asked = TONIC(address, encoding, CALL_ID, str(TIMES))
    assert asked.returncode == 0, asked.stderr
    return asked.stdout.splitlines()


@asynccontextmanager
async def compressing(addresses: tuple[str, str]) -> AsyncIterator[list[grpc.aio.Channel]]:
    """Open channels that compress with gzip, enough for each of Envoy's threads to take some."""
    async with AsyncExitStack() as opened:
        own = [("grpc.use_local_subchannel_pool", 1)]
        gzip = grpc.Compression.Gzip
        yield [
            await opened.enter_async_context(grpc.aio.insecure_channel(address, own, compression=gzip))
            for address in addresses
            for _ in range(CONNECTIONS)
        ]


async def all_others_are_answered(stack: Stack) -> None:
    """Send requests by gRPC, direct and through Envoy, and by REST."""
    url = f"{stack.gateway.url}/v1/live/calls/{CALL_ID}"
    async with compressing(stack.grpc_addresses) as channels, httpx.AsyncClient(timeout=60) as rest:
        stubs = [LiveCallsStub(channel) for channel in channels]
        for _ in range(CALLS_OF_EACH):
            requests = (stub.GetCall(GetCallRequest(id=CALL_ID), timeout=60) for stub in stubs)
            assert {call.title for call in await asyncio.gather(*requests)} == {PLAIN_CALL.title}
            replies = await asyncio.gather(*(rest.get(url) for _ in range(CONNECTIONS)))
            assert {reply.status_code for reply in replies} == {200}


# Before any of the others: gRPC's core remembers headers by the connection that Envoy has to it, and one
# that has carried gzip would hide what zstd does to the next.
async def test_no_other_caller_notices_zstd(address: str, stack: Stack) -> None:
    assert not [outcome for outcome in outcomes(address, "zstd") if outcome.startswith("OK")]
    await all_others_are_answered(stack)
    async with asyncio.TaskGroup() as meanwhile:
        meanwhile.create_task(asyncio.to_thread(outcomes, address, "zstd"))
        meanwhile.create_task(all_others_are_answered(stack))


def test_zstd_is_refused_with_what_is_accepted(way_in: WayIn, address: str) -> None:
    refused = outcomes(address, "zstd")
    assert len(refused) == TIMES
    if way_in is WayIn.DIRECT:
        # gRPC's core rejects it before our code runs, and without a message.
        assert set(refused) <= {CORES_OWN}
        return
    for outcome in refused:
        code, _, named = outcome.partition(" ")
        assert code == "Unimplemented", outcome
        accepted = named[: named.index("]")]
        assert "gzip" in accepted
        assert "zstd" not in accepted


def test_what_gzip_compresses_is_read(address: str) -> None:
    assert outcomes(address, "gzip") == [f"OK {PLAIN_CALL.title}"] * TIMES

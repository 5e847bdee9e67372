"""How long direct gRPC connections live: what keeps them alive, and what ends them."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from livecalls.v1 import live_calls_pb2 as pb
from livecalls.v1.live_calls_pb2_grpc import LiveCallsStub

from server.application.call import Call
from server.transport.aio import server as aio_server
from server.transport.aio.server import Connections
from tests.support.callers.raw_grpc import RawGrpc, raw_grpc
from tests.support.data.calls import CALL_ID, PLAIN_CALL, ScriptedPorts
from tests.support.server.service import GET_CALL, scripted_server

REQUEST = pb.GetCallRequest(id=CALL_ID)
NO_ERROR, ENHANCE_YOUR_CALM = 0, 11
STRIKES = 2
"""Pings that may come too early."""


@pytest.fixture
def ports() -> ScriptedPorts:
    ports = ScriptedPorts()
    ports.holds(PLAIN_CALL)
    return ports


@pytest.fixture
async def port(ports: ScriptedPorts) -> AsyncIterator[int]:
    async with scripted_server(ports) as port:
        yield port


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ping a client after a tenth of a second, and disconnect it after another."""
    hurry = {"grpc.keepalive_time_ms": 100, "grpc.http2.ping_timeout_ms": 100}
    monkeypatch.setattr(aio_server, "OPTIONS", tuple({**dict(aio_server.OPTIONS), **hurry}.items()))


@contextmanager
def waiting_call(ports: ScriptedPorts) -> Iterator[asyncio.Event]:
    """Let the store respond only once the event is set, as it is at the end of the block."""
    answered = asyncio.Event()

    async def answer(_: str) -> Call:
        await answered.wait()
        return PLAIN_CALL

    ports.answer = answer
    try:
        yield answered
    finally:
        answered.set()


@pytest.mark.parametrize("under_way", [False, True], ids=["idle", "with a call"])
async def test_pings_as_often_as_any_client_s_are_taken(
    port: int, ports: ScriptedPorts, under_way: bool
) -> None:
    """Strikes are used up at first, so that one ping more ends it unless it is early no more."""

    def ping(connection: RawGrpc) -> None:
        if under_way:
            connection.send(GET_CALL.encode())
        for _ in range(1 + STRIKES):
            connection.ping()
        time.sleep(interval / 1000)
        connection.ping()

    interval = dict(aio_server.OPTIONS)["grpc.http2.min_ping_interval_without_data_ms"]
    assert interval < 10_000, "what Go and Java allow their users"
    with waiting_call(ports), raw_grpc(f"127.0.0.1:{port}") as connection:
        await asyncio.to_thread(ping, connection)


async def test_who_floods_it_with_pings_is_disconnected_and_nobody_else(port: int) -> None:
    with raw_grpc(f"127.0.0.1:{port}") as other, raw_grpc(f"127.0.0.1:{port}") as hostile:
        assert await asyncio.to_thread(other.ask) == grpc.StatusCode.OK
        hostile.send_pings(1000)
        assert await asyncio.to_thread(hostile.goaway) == (ENHANCE_YOUR_CALM, b"too_many_pings")
        await asyncio.to_thread(hostile.closed)
        assert await asyncio.to_thread(other.ask) == grpc.StatusCode.OK


@pytest.mark.usefixtures("hurried")
async def test_a_client_that_is_gone_is_given_up(ports: ScriptedPorts) -> None:
    async with scripted_server(ports) as port:
        with raw_grpc(f"127.0.0.1:{port}") as gone:
            assert await asyncio.to_thread(gone.ask) == grpc.StatusCode.OK
            gone.answers = False
            await asyncio.to_thread(gone.closed)


@pytest.mark.usefixtures("hurried")
async def test_one_that_is_only_silent_is_not(ports: ScriptedPorts) -> None:
    def silent(connection: RawGrpc) -> None:
        for _ in range(10):
            connection.wait_for_ping()
        assert connection.ask() == grpc.StatusCode.OK

    async with scripted_server(ports) as port:
        with raw_grpc(f"127.0.0.1:{port}") as connection:
            await asyncio.to_thread(silent, connection)


async def test_a_connection_gets_as_old_as_it_likes_unless_the_setting_says_so() -> None:
    assert "grpc.max_connection_age_ms" not in dict(Connections().options())


async def test_callers_go_on_with_another_connection_and_no_call_fails(ports: ScriptedPorts) -> None:
    async with (
        scripted_server(ports, connections=Connections(max_age_ms=100)) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
        asyncio.timeout(30),
        asyncio.TaskGroup() as tasks,
    ):
        stub = LiveCallsStub(channel)
        given_up = tasks.create_task(connections_given_up(channel, 5))
        while not given_up.done():
            answers = await asyncio.gather(*(stub.GetCall(REQUEST) for _ in range(20)))
            assert {answer.id for answer in answers} == {CALL_ID}


async def connections_given_up(channel: grpc.aio.Channel, number: int) -> None:
    """Wait until so many connections of a channel have been."""
    state = channel.get_state()
    while number:
        await channel.wait_for_state_change(state)
        before, state = state, channel.get_state()
        number -= before == grpc.ChannelConnectivity.READY


async def test_what_is_under_way_is_answered_first(ports: ScriptedPorts) -> None:
    async with scripted_server(ports, connections=Connections(max_age_ms=100)) as port:
        with waiting_call(ports) as answered, raw_grpc(f"127.0.0.1:{port}") as connection:
            connection.send(GET_CALL.encode())
            assert (await asyncio.to_thread(connection.goaway))[0] == NO_ERROR
            answered.set()
            assert await asyncio.to_thread(connection.code_though_given_up) == grpc.StatusCode.OK


async def test_who_watches_health_must_begin_anew_after_a_minute(
    ports: ScriptedPorts, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = dict(aio_server.OPTIONS)
    assert options["grpc.max_connection_age_grace_ms"] == 60_000
    hurry = {**options, "grpc.max_connection_age_grace_ms": 100}
    monkeypatch.setattr(aio_server, "OPTIONS", tuple(hurry.items()))
    async with (
        scripted_server(ports, connections=Connections(max_age_ms=100)) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        watch = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
        assert await watch.code() == grpc.StatusCode.UNAVAILABLE

"""How the load generator reports servers and replies that are not as they should be."""

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from tests.load.bench.generator import GeneratorError
from tests.support.callers.loads import after, put
from tests.support.stand_ins.raw_targets import closing_after, sending
from tests.support.stand_ins.stream import closed_port
from tests.support.stand_ins.targets import Protocol, Target, serving, serving_grpc, serving_http1

pytestmark = pytest.mark.usefixtures("_built")


async def test_a_server_that_is_not_there(protocol: Protocol, keys: Path) -> None:
    address = f"127.0.0.1:{closed_port()}"
    with pytest.raises(GeneratorError) as raised:
        await put(protocol, keys, Target(address))
    assert str(raised.value) == f"loadgen: {address}: Connection refused"


async def test_a_server_that_dies(protocol: Protocol, keys: Path) -> None:
    async with serving(protocol) as target:
        load = asyncio.create_task(put(protocol, keys, target, seconds=30))
        await target.first_arrival.wait()
    with pytest.raises(GeneratorError) as raised:
        await load
    refused = f"loadgen: {target.address}: Connection refused; lost 10 times with no reply between"
    assert str(raised.value) == refused


async def test_a_server_that_never_answers(keys: Path) -> None:
    async with serving_grpc() as target:
        target.answer = after(60)
        with pytest.raises(
            GeneratorError, match=r"^loadgen: no request ended within the measured time$"
        ):
            await put("grpc", keys, target, seconds=0.1)


async def test_a_server_that_closes_every_connection(protocol: Protocol, keys: Path) -> None:
    async with closing_after(0) as target:
        with pytest.raises(GeneratorError, match="; lost 10 times with no reply between"):
            await put(protocol, keys, target, seconds=30)


async def test_a_lost_connection_is_opened_anew(keys: Path) -> None:
    async with closing_after(5) as target:
        measured = await put("http1", keys, target, in_flight=2)
    assert 0 < measured.failed < measured.requests
    assert measured.first_failure == f"{target.address}: connection lost: closed by the server"


async def test_a_connection_that_grpc_retires_is_replaced(keys: Path) -> None:
    async with serving_grpc(max_connection_age_ms=100, max_connection_age_grace_ms=1000) as target:
        measured = await put("grpc", keys, target, seconds=0.6)
    assert len(target.peers) > 2
    assert measured.failed == 0


async def test_a_reply_that_closes_its_connection(keys: Path) -> None:
    async def respond(_: web.Request, body: bytes) -> web.StreamResponse:
        response = web.Response(body=body)
        response.force_close()
        return response

    async with serving_http1() as target:
        target.respond = respond
        measured = await put("http1", keys, target)
    assert len(target.peers) > 64
    assert measured.requests > measured.failed == 0


async def test_a_reply_in_chunks(keys: Path) -> None:
    async def respond(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for byte in body:
            await response.write(bytes([byte]))
        return response

    async with serving_http1() as target:
        target.respond = respond
        measured = await put("http1", keys, target, in_flight=4)
    assert measured.requests > measured.failed == 0
    assert 0 <= target.arrived - measured.requests <= 4


async def test_a_chunked_reply_that_comes_byte_by_byte(keys: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    # A chunk that holds what would end the reply.
    chunk = b"x\r\n0\r\n\r\n" + b"0" * 18
    reply = head + b"1;x=y\r\na\r\n1A\r\n" + chunk + b"\r\n0\r\nx: y\r\n\r\n"
    async with sending(*(reply[i : i + 1] for i in range(len(reply)))) as target:
        measured = await put("http1", keys, target, in_flight=2)
    assert measured.requests > measured.failed == 0


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (b"SSH-2.0\r\n", "a reply that is not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "a reply without its length"),
        (b"x" * 9000, "a line of more than 8 KiB"),
    ],
)
async def test_a_reply_that_is_none(keys: Path, reply: bytes, trouble: str) -> None:
    async with sending(reply) as target:
        with pytest.raises(GeneratorError) as raised:
            await put("http1", keys, target, in_flight=1, seconds=30)
    assert f": {trouble}; lost 10 times" in str(raised.value)

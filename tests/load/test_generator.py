import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from tests.load.bench.generator import PROGRAM, GeneratorError, Load, Measured, run
from tests.support.stream import closed_port
from tests.support.targets import Protocol, Target, serving, serving_grpc, serving_http1

IDS = [str(UUID(int=i)) for i in range(20)]


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    subprocess.run(["make", ".build/loadgen"], cwd=PROGRAM.parents[1], check=True)


@pytest.fixture(params=["grpc", "http1"])
def protocol(request: pytest.FixtureRequest) -> Protocol:
    name: Protocol = request.param
    return name


@pytest.fixture
async def target(protocol: Protocol) -> AsyncIterator[Target]:
    async with serving(protocol) as target:
        yield target


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return written(tmp_path, *IDS)


def written(folder: Path, *ids: str) -> Path:
    file = folder / "keys"
    file.write_text("".join(f"{call_id}\n" for call_id in ids))
    return file


async def put(protocol: Protocol, keys: Path, *targets: Target, **changes: Any) -> Measured:
    addresses = tuple(target.address for target in targets)
    load = Load(protocol, addresses, keys, **{"seconds": 0.25, **changes})
    return await asyncio.to_thread(run, load)


async def test_it_reports_what_arrived(protocol: Protocol, target: Target, keys: Path) -> None:
    measured = await put(protocol, keys, target, in_flight=4)
    assert 0 <= target.arrived - measured.requests <= 4
    assert measured.requests > 4
    assert measured.failed == 0
    assert measured.first_failure is None
    assert measured.seconds == 0.25
    assert measured.rate == pytest.approx(measured.requests / 0.25, abs=0.001)


async def test_every_id_is_asked_for_and_no_other(
    protocol: Protocol, target: Target, keys: Path
) -> None:
    await put(protocol, keys, target)
    assert set(target.ids) == set(IDS)


@pytest.mark.parametrize("length", [1, 127, 128, 1000])
async def test_ids_of_any_length(
    protocol: Protocol, target: Target, tmp_path: Path, length: int
) -> None:
    await put(protocol, written(tmp_path, "x" * length), target, seconds=0.1)
    assert set(target.ids) == {"x" * length}


async def test_warm_up_is_not_counted(protocol: Protocol, target: Target, keys: Path) -> None:
    measured = await put(protocol, keys, target, in_flight=1, warm_up=0.25)
    assert target.arrived > measured.requests + 1


@pytest.mark.parametrize(("token", "shown"), [("a.b.c", "Bearer a.b.c"), (None, None)])
async def test_the_token_is_shown(
    protocol: Protocol, target: Target, keys: Path, token: str | None, shown: str | None
) -> None:
    await put(protocol, keys, target, token=token, seconds=0.1)
    assert target.tokens == {shown}


async def test_a_failure_is_counted_and_described(
    protocol: Protocol, target: Target, keys: Path
) -> None:
    async def answer(call_id: str) -> bytes | None:
        return b"a call" if call_id in IDS[:10] else None

    target.answer = answer
    measured = await put(protocol, keys, target)
    assert 0 < measured.failed < measured.requests
    described = {"grpc": "grpc-status 5: No call has this id.", "http1": "status 404"}
    assert measured.first_failure == described[protocol]


async def test_an_empty_reply_is_a_failure(protocol: Protocol, target: Target, keys: Path) -> None:
    async def answer(_: str) -> bytes | None:
        return b""

    target.answer = answer
    measured = await put(protocol, keys, target)
    assert measured.failed == measured.requests > 0
    assert measured.first_failure == {"grpc": "an empty message", "http1": "an empty body"}[protocol]
    assert measured.max_us == measured.p50_us == measured.mean_us == 0


async def test_as_many_are_under_way_as_told(protocol: Protocol, target: Target, keys: Path) -> None:
    target.answer = after(0.02)
    connections = {"grpc": 3, "http1": 8}[protocol]
    await put(protocol, keys, target, in_flight=8, connections=connections)
    assert target.most_under_way == 8
    assert len(target.peers) == connections


async def test_connections_take_turns_with_the_addresses(protocol: Protocol, keys: Path) -> None:
    async with serving(protocol) as one, serving(protocol) as another:
        measured = await put(protocol, keys, one, another, in_flight=4, connections=4)
    assert len(one.peers) == len(another.peers) == 2
    assert measured.failed == 0


async def test_replies_that_are_long(protocol: Protocol, target: Target, keys: Path) -> None:
    async def answer(_: str) -> bytes | None:
        return b"x" * 300_000

    target.answer = answer
    measured = await put(protocol, keys, target, in_flight=4)
    assert measured.requests > measured.failed == 0


async def test_latencies_are_those_of_the_server(protocol: Protocol, target: Target, keys: Path) -> None:
    async def answer(call_id: str) -> bytes | None:
        await asyncio.sleep(0.2 if call_id in IDS[:2] else 0.01)
        return b"a call"

    target.answer = answer
    measured = await put(protocol, keys, target, seconds=0.7, in_flight=16)
    assert 10_000 <= measured.p50_us < 150_000
    assert 190_000 <= measured.p99_us <= measured.p999_us <= measured.max_us < 1_000_000
    assert measured.p50_us < measured.mean_us < measured.p99_us


async def test_a_rate_is_kept(protocol: Protocol, target: Target, keys: Path) -> None:
    measured = await put(protocol, keys, target, seconds=0.5, rate=400)
    assert 150 <= measured.requests <= 200
    assert target.arrived <= 200


async def test_a_latency_begins_when_the_request_is_due(
    protocol: Protocol, target: Target, keys: Path
) -> None:
    target.answer = after(0.05)
    measured = await put(protocol, keys, target, seconds=0.6, rate=100, in_flight=1)
    assert target.most_under_way == 1
    assert measured.p50_us > 100_000


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


@pytest.mark.parametrize(
    ("changes", "trouble"),
    [
        ({"protocol": "http2"}, "--protocol must be grpc or http1"),
        ({"addresses": ("here",)}, "--address must be HOST:PORT, or some of these"),
        ({"keys": Path("/no-such-file")}, "/no-such-file: No such file or directory"),
        ({"seconds": 0}, "--seconds must be a number from 0.001 to 1e+06"),
        ({"in_flight": 1.5}, "--in-flight must be a whole number"),
        ({"in_flight": 2, "connections": 3}, "--connections must not exceed --in-flight"),
        (
            {"protocol": "http1", "connections": 3},
            "--connections must be as many as --in-flight by http1",
        ),
    ],
)
def test_what_makes_no_sense_is_said(keys: Path, changes: dict[str, Any], trouble: str) -> None:
    load = Load("grpc", ("127.0.0.1:1",), keys, seconds=1)
    with pytest.raises(GeneratorError) as raised:
        run(replace(load, **changes))
    assert str(raised.value) == f"loadgen: {trouble}"


@pytest.mark.parametrize("content", ["", "a\n\nb\n", "a b\n", "x" * 1001])
async def test_a_file_that_holds_no_ids(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys"
    file.write_text(content)
    with pytest.raises(GeneratorError, match="no id"):
        await put("grpc", file, Target("127.0.0.1:1"))


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--help"], 0, "--in-flight N"),
        (["--what"], 2, "--what is no option"),
        (["--keys"], 2, "--keys needs a value"),
        (["--keys", "here", "there"], 2, "there belongs to no option"),
        ([], 2, "--protocol is missing"),
    ],
)
def test_the_command_line(options: list[str], code: int, words: str) -> None:
    ended = subprocess.run([PROGRAM, *options], capture_output=True, text=True, check=False)
    assert ended.returncode == code
    assert words in ended.stdout + ended.stderr


def after(seconds: float) -> Any:
    async def answer(_: str) -> bytes | None:
        await asyncio.sleep(seconds)
        return b"a call"

    return answer


@asynccontextmanager
async def closing_after(replies: int) -> AsyncIterator[Target]:
    """Serve HTTP/1.1 that leaves the request after so many unanswered."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(replies):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.read(1)
        writer.close()

    async with _listening(talk) as target:
        yield target


@asynccontextmanager
async def sending(*pieces: bytes) -> AsyncIterator[Target]:
    """Serve replies of these bytes, a piece a segment."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            for piece in pieces:
                writer.write(piece)
                await asyncio.sleep(0)
        writer.close()

    async with _listening(talk) as target:
        yield target


@asynccontextmanager
async def _listening(talk: Any) -> AsyncIterator[Target]:
    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield Target(f"{host}:{port}")

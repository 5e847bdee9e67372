"""How calls end: as they would on grpc.aio."""

import asyncio
import logging
from base64 import b64decode
from uuid import UUID

import pytest
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from server.application.call import Call
from server.application.errors import StoreUnavailableError
from server.transport.asgi.headers import encode, encode_message
from tests.support.data.calls import PLAIN_CALL
from tests.support.envoy.asgi import HEADERS, REQUEST, Exchange, Hosted, hosted, until
from tests.support.machine.log import the_one

OF_US = (b"x-request-id", b"abc-123")


class Endless:
    """A read that ends only by cancellation."""

    def __init__(self) -> None:
        self.begun = self.given_up = False

    async def __call__(self, call_id: str) -> Call | None:
        self.begun = True
        try:
            await asyncio.Event().wait()
        finally:
            self.given_up = True
        return None


async def test_an_answer_ends_with_status_and_request_id(service: Hosted) -> None:
    reply = await service.ask(REQUEST, more=[OF_US])
    assert reply.headers == [(b"content-type", b"application/grpc")]
    assert reply.trailers == [(b"grpc-status", b"0"), OF_US]


async def test_a_request_id_is_made_where_none_is_given(service: Hosted) -> None:
    assert UUID((await service.ask(REQUEST)).fields[b"x-request-id"].decode()).version == 4


async def test_an_error_is_all_headers_and_carries_its_details(service: Hosted) -> None:
    service.ports.fails(StoreUnavailableError())
    reply = await service.ask(REQUEST, more=[OF_US])
    assert (reply.trailers, reply.body) == (None, b"")
    status = Status.FromString(b64decode(reply.fields[b"grpc-status-details-bin"] + b"=="))
    assert (status.code, status.message) == (reply.code, reply.words)
    assert reply.code == code_pb2.UNAVAILABLE
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert info.reason == "STORE_UNAVAILABLE"
    assert reply.fields[b"x-request-id"] == b"abc-123"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_what_is_no_mere_exception_is_no_answer_either(
    service: Hosted, error: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    async def end(call_id: str) -> Call | None:
        raise error

    service.ports.answer = end
    assert (await service.ask(REQUEST)).code == code_pb2.INTERNAL
    assert "internal error" in caplog.text


async def test_a_passed_deadline_gives_the_work_up(
    service: Hosted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service.ports.answer = read = Endless()
    reply = await service.ask(REQUEST, more=[(b"grpc-timeout", b"30m"), OF_US])
    assert (reply.code, reply.words) == (code_pb2.DEADLINE_EXCEEDED, "Deadline Exceeded")
    assert reply.fields[b"x-request-id"] == b"abc-123"
    assert read.given_up
    line = await the_one(caplog, "server.requests")
    assert (line["code"], line["request_id"]) == ("DEADLINE_EXCEEDED", "abc-123")
    assert line["duration_ms"] >= 29


async def test_a_caller_that_goes_away_gives_the_work_up(
    service: Hosted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    service.ports.answer = read = Endless()
    exchange = Exchange([REQUEST])
    answering = asyncio.create_task(service.answering(exchange))
    await until(lambda: read.begun)
    exchange.go_away()
    await answering
    assert read.given_up
    assert not exchange.reply.status
    assert (await the_one(caplog, "server.requests"))["code"] == "CANCELLED"


async def test_a_caller_that_goes_away_before_its_message_asks_nothing(
    service: Hosted, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    exchange = Exchange([REQUEST[:7]], ends=False)
    answering = asyncio.create_task(service.answering(exchange))
    await asyncio.sleep(0)
    exchange.go_away()
    await answering
    assert not exchange.reply.status
    assert not caplog.records


@pytest.mark.parametrize("found", [PLAIN_CALL, None])
async def test_a_caller_that_goes_away_before_the_answer_is_no_fault(
    service: Hosted, caplog: pytest.LogCaptureFixture, found: Call | None
) -> None:
    exchange = Exchange([REQUEST])

    async def last(call_id: str) -> Call | None:
        exchange.go_away()
        return found

    service.ports.answer = last
    await service.answering(exchange)
    assert not caplog.records


async def test_the_end_of_the_server_cuts_off_what_does_not_end(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    exchanges = [Exchange([REQUEST]), Exchange([REQUEST[:7]], ends=False)]
    async with hosted() as service:
        service.ports.answer = read = Endless()
        answering = [asyncio.create_task(service.answering(exchange)) for exchange in exchanges]
        await until(lambda: read.begun)
    assert all(task.done() for task in answering)
    assert [exchange.reply.code for exchange in exchanges] == [code_pb2.CANCELLED] * 2
    assert (await the_one(caplog, "server.requests"))["code"] == "CANCELLED"


async def test_the_end_of_the_server_waits_for_what_ends_in_time() -> None:
    async with hosted() as service:
        ended = asyncio.Event()

        async def slow(call_id: str) -> Call | None:
            await ended.wait()
            return None

        service.ports.answer = slow
        answering = asyncio.create_task(service.ask(REQUEST))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(service.server.stop(5))
        await asyncio.sleep(0)
        ended.set()
        await stopping
    assert (await answering).code == code_pb2.NOT_FOUND


def test_words_are_percent_encoded() -> None:
    assert encode_message("50 % off\n~ü") == b"50 %25 off%0A~%C3%BC"
    assert encode_message("\ud800") == b"?"


def test_bytes_go_as_base64_without_padding() -> None:
    assert encode([("a", "1"), ("a-bin", b"\0\xff")]) == [(b"a", b"1"), (b"a-bin", b"AP8")]


async def test_a_reply_that_cannot_be_sent_is_logged_and_not_raised(
    service: Hosted, caplog: pytest.LogCaptureFixture
) -> None:
    async def send(event: object) -> None:
        raise ValueError("the host's")

    exchange = Exchange([REQUEST])
    await service.server.handle("POST", b"/", HEADERS, exchange.receive, send)
    assert "the end of a reply could not be sent" in caplog.text

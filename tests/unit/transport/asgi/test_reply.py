"""What becomes of a reply whose call ends while it is sent."""

import asyncio
import gc
import logging

import pytest
from google.rpc import code_pb2

from server.transport.asgi.reply import Reply
from server.transport.asgi.types import Event
from tests.support.envoy.asgi import HEADERS, REQUEST, Exchange, Hosted, message
from tests.support.server.service import GET_CALL

CHECK = "/grpc.health.v1.Health/Check"
START, BODY, TRAILERS = (f"http.response.{part}" for part in ("start", "body", "trailers"))


async def test_a_send_is_not_given_up_and_its_failure_is_told_to_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, going_on, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def send(event: Event) -> None:
        if event.get("more_body"):
            begun.set()
            await going_on.wait()
            ended.set()
            raise OSError

    sending = asyncio.create_task(Reply(send).message(b"a", b"identity"))
    await begun.wait()
    sending.cancel()
    await asyncio.wait([sending])
    assert sending.cancelled()
    going_on.set()
    await asyncio.wait_for(ended.wait(), 5)
    await asyncio.sleep(0)
    del sending
    gc.collect()
    assert caplog.records == []


class Holding(Exchange):
    """A host that takes an event of a kind, and does not come back from it the first time."""

    def __init__(self, part: bytes, kind: str) -> None:
        super().__init__([part])
        self._kind: str | None = kind
        self.held = asyncio.Event()

    async def send(self, event: Event) -> None:
        await super().send(event)
        if event["type"] == self._kind and not event.get("more_body"):
            self._kind = None
            self.held.set()
            await asyncio.Event().wait()


@pytest.mark.parametrize("kind", [START, BODY, TRAILERS])
@pytest.mark.parametrize("path", [GET_CALL, CHECK])
async def test_one_that_is_cut_off_is_sent_to_its_end_once(
    service: Hosted, caplog: pytest.LogCaptureFixture, path: str, kind: str
) -> None:
    exchange = Holding(REQUEST if path == GET_CALL else message(b""), kind)
    answering = asyncio.create_task(service.answering(exchange, path))
    await exchange.held.wait()
    await service.server.stop(0)
    await answering
    assert exchange.complete
    assert exchange.reply.code == (code_pb2.OK if kind == TRAILERS else code_pb2.CANCELLED)
    assert not [line for line in caplog.records if line.levelno >= logging.ERROR]


@pytest.mark.parametrize("kind", [START, BODY])
@pytest.mark.parametrize("verb", ["POST", "GET"])
async def test_a_refusal_that_is_cut_off_is_sent_to_its_end_once(
    service: Hosted, caplog: pytest.LogCaptureFixture, verb: str, kind: str
) -> None:
    exchange = Holding(b"", kind)
    answering = asyncio.create_task(service.answering(exchange, "/no.Such/Method", HEADERS, verb))
    await exchange.held.wait()
    await service.server.stop(0)
    await answering
    assert exchange.complete
    assert exchange.reply.status == (200 if verb == "POST" else 405)
    assert not [line for line in caplog.records if line.levelno >= logging.ERROR]

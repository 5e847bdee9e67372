"""The server's health by HTTP, for Envoy."""

import pytest

from server.transport.asgi.application import Application
from tests.support.envoy.asgi import Exchange, Hosted, Reply
from tests.unit.transport.asgi.test_lifespan import serving

READYZ = "/readyz"


async def ready(service: Hosted, verb: str = "GET") -> Reply:
    return await service.ask(path=READYZ, verb=verb, headers=[])


async def test_it_is_ready_while_it_serves(service: Hosted) -> None:
    assert (await ready(service)).status == 200
    await service.server.announce_unready()
    reply = await ready(service)
    assert (reply.status, dict(reply.headers)[b"retry-after"]) == (503, b"1")
    await service.server.announce_ready()
    assert (await ready(service)).status == 200
    service.server.announce_end()
    assert (await ready(service)).status == 503


async def test_head_is_the_get_without_its_body(service: Hosted) -> None:
    got, headed = await ready(service), await ready(service, "HEAD")
    assert (headed.status, headed.headers, headed.body) == (got.status, got.headers, b"")
    assert dict(got.headers)[b"content-length"] == str(len(got.body)).encode()


async def test_it_is_not_ready_before_it_has_started() -> None:
    exchange = Exchange([])
    scope = {"type": "http", "method": "GET", "raw_path": READYZ.encode(), "headers": []}
    await Application(serving)(scope, exchange.receive, exchange.send)
    assert exchange.reply.status == 503


async def test_whoever_is_gone_does_no_harm(service: Hosted, caplog: pytest.LogCaptureFixture) -> None:
    exchange = Exchange([])
    exchange.go_away()
    await service.answering(exchange, READYZ, [], "GET")
    assert caplog.records == []

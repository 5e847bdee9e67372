"""Envoy's application in tests of the embedded gateway: forwards to the scripted upstream."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from unittest.mock import patch

import grpc

from server.transport.admission import Method
from server.transport.asgi import handlers
from server.transport.asgi.application import Application
from server.transport.asgi.server import AsgiServer
from server.transport.call_context import CallContext
from server.transport.failures import Failure
from server.transport.live_calls import LiveCalls
from tests.support.server.service import GET_CALL

PORT = "UPSTREAM_PORT"
"""The setting with the upstream's port."""

_PASSED_ON = (
    *("authorization", "cookie", "origin", "traceparent", "x-envoy-upstream-rq-timeout-ms"),
    *("x-forwarded-for", "x-forwarded-proto", "x-request-id"),
)
_OF_ANY_LENGTH = (("grpc.max_receive_message_length", -1),)


class _Forwarding(LiveCalls):
    """The service, which forwards to another."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._ask: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(GET_CALL)

    @property
    def methods(self) -> Mapping[str, Method]:
        return {"GetCall": self.get_call}

    async def get_call(self, request: bytes, context: CallContext) -> bytes:
        metadata = [(name, value) for name in _PASSED_ON for value in context.values(name)]
        return await self._ask(request, metadata=metadata, timeout=min(context.time_left(), 3600))


def _failure_of(error: Exception, _request_id: str) -> Failure:
    assert isinstance(error, grpc.aio.AioRpcError)
    number: int = error.code().value[0]
    trailers = tuple((str(key), value) for key, value in error.trailing_metadata())
    return Failure(number, error.details() or "", trailers)


@asynccontextmanager
async def _serving() -> AsyncIterator[AsgiServer]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{os.environ[PORT]}", _OF_ANY_LENGTH) as channel:
        with patch.object(handlers, "failure_of", _failure_of):
            yield AsgiServer(_Forwarding(channel))


application = Application(_serving)

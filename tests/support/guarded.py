"""The gRPC service behind its token check, with a real key server."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb

from server.auth.guard import TokenGuard
from server.auth.key_source import of_url
from server.auth.keys import Keys
from server.auth.tokens import Tokens
from tests.support.calls import CALL_ID, PLAIN_CALL
from tests.support.service import Service, Way, scripted_service
from tests.support.tokens import AUDIENCE, ISSUER, bearer

REQUEST = pb.GetCallRequest(id=str(CALL_ID))


@asynccontextmanager
async def guarded_service(
    way: Way, keys_url: str, *scopes: str, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[Service]:
    """Serve one call to who has a good token, while the block lasts."""
    async with Keys(of_url(keys_url), clock).kept_fresh() as keys:
        guard = TokenGuard(Tokens(keys, ISSUER, AUDIENCE), frozenset(scopes))
        async with scripted_service(way, guard) as service:
            service.ports.holds(PLAIN_CALL)
            yield service


async def ask(service: Service, token: str | None, **metadata: str) -> pb.Call:
    """Ask for the call with a token, or without."""
    shown = {**metadata, **(bearer(token) if token is not None else {})}
    return await service.stub.GetCall(REQUEST, metadata=tuple(shown.items()))


async def refused(service: Service, token: str | None, **metadata: str) -> grpc.aio.AioRpcError:
    """Ask for the call in vain."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await ask(service, token, **metadata)
    return raised.value

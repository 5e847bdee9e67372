"""The gRPC service behind its token check, with a real key server."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import grpc
import pytest
from livecalls.v1 import live_calls_pb2 as pb

from server.auth.authenticator import TokenAuthenticator
from server.auth.claims import TokenRules
from server.auth.issuer_client import IssuerClient
from server.auth.key_cache import KeyCache
from server.auth.key_source import of_url
from server.auth.tokens import TokenVerifier
from server.config.tokens import TokenSettings
from tests.support.auth.tokens import AUDIENCE, ISSUER, bearer
from tests.support.data.calls import CALL_ID, PLAIN_CALL
from tests.support.server.service import Deployment, Service, scripted_service

RULES = TokenRules((AUDIENCE,))
REQUEST = pb.GetCallRequest(id=str(CALL_ID))


@asynccontextmanager
async def guarded_service(
    deployment: Deployment,
    keys: str | Mapping[str, str],
    *scopes: str,
    clock: Callable[[], float] = time.monotonic,
    rules: TokenRules = RULES,
) -> AsyncIterator[Service]:
    """Serve one call to callers with a valid token, while the block lasts.

    Take the URL of the key set, or one for each issuer; issuers with the same one share it.
    """
    urls = {ISSUER: keys} if isinstance(keys, str) else keys
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(aclosing(IssuerClient(TokenSettings())))
        read = {
            url: await stack.enter_async_context(KeyCache(of_url(client, url), clock).keep_fresh())
            for url in set(urls.values())
        }
        tokens = TokenVerifier({issuer: read[url] for issuer, url in urls.items()}, rules)
        guard = TokenAuthenticator(tokens, frozenset(scopes))
        service = await stack.enter_async_context(scripted_service(deployment, guard))
        service.ports.holds(PLAIN_CALL)
        yield service


async def ask(service: Service, token: str | None, **metadata: str) -> pb.Call:
    """Request the call with a token, or without."""
    shown = {**metadata, **(bearer(token) if token is not None else {})}
    return await service.stub.GetCall(REQUEST, metadata=tuple(shown.items()))


async def refused(service: Service, token: str | None, **metadata: str) -> grpc.aio.AioRpcError:
    """Request the call, and return the error."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await ask(service, token, **metadata)
    return raised.value

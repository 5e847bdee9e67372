"""Builds the introspection of tokens out of its parts, and closes it again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from server.auth.discovery import Discovery
from server.auth.introspected_tokens import IntrospectedTokens
from server.auth.introspection import FindEndpoint, Introspect, introspection, try_introspection
from server.auth.introspection_answer import expected_of
from server.auth.issuer_client import IssuerClient
from server.auth.issuer_errors import IssuerError
from server.config.introspection import IntrospectionSettings
from server.config.tokens import TokenSettings

Discoveries = Mapping[str, Discovery]
NONE: Discoveries = MappingProxyType({})

log = logging.getLogger("server.auth")


@asynccontextmanager
async def open_introspection(
    accepted: TokenSettings, settings: IntrospectionSettings, discoveries: Discoveries = NONE
) -> AsyncIterator[IntrospectedTokens]:
    """Introspect tokens while the block lasts, at the endpoint that is configured or discovered."""
    async with introspection_client(accepted, settings, discoveries) as introspect:
        tokens = IntrospectedTokens(introspect, expected_of(accepted, settings), settings)
        trying = asyncio.create_task(_try_once(introspect))
        try:
            yield tokens
        finally:
            trying.cancel()
            await tokens.aclose()


@asynccontextmanager
async def introspection_client(
    accepted: TokenSettings, settings: IntrospectionSettings, discoveries: Discoveries = NONE
) -> AsyncIterator[Introspect]:
    """Keep connections to the introspection endpoint while the block lasts."""
    client = IssuerClient(
        accepted, timeout=settings.timeout_ms / 1000, max_connections=settings.max_concurrent_requests
    )
    try:
        yield introspection(client, settings, _endpoint(settings, discoveries))
    finally:
        await client.aclose()


def _endpoint(settings: IntrospectionSettings, discoveries: Discoveries) -> FindEndpoint:
    """Find the endpoint that is configured, or else discover that of the only issuer."""

    async def find() -> str:
        if settings.url is not None:
            return settings.url
        (discovery,) = discoveries.values()
        return await discovery.introspection_endpoint()

    return find


async def _try_once(introspect: Introspect) -> None:
    """Introspect once at the start, so that wrong credentials are logged before the first caller comes.

    No server waits for it. While the issuer is unavailable each admits only the tokens it has cached,
    and those of the others expire in seconds: a fresh one is no worse.
    """
    try:
        await try_introspection(introspect)
    except IssuerError as error:
        log.error("tokens cannot be introspected", extra={"reason": error.reason})  # noqa: TRY400 - the reason is enough
    else:
        log.info("tokens can be introspected")

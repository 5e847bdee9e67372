"""Builds the server out of its parts, and closes them again."""

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from machine.addresses import host_and_port
from machine.gc import imports_left_alone
from server.adapters.stream.best_effort import BestEffort
from server.adapters.stream.siblings import Siblings
from server.adapters.stream.unconfigured import Unconfigured
from server.application.get_call import GetCall
from server.application.ports import LiveStatuses
from server.auth.authenticator import AllowAll, Authenticator, TokenAuthenticator, Verifier
from server.auth.claims import rules_of
from server.auth.discovery import discoveries_of
from server.auth.introspected_tokens import IntrospectedTokens
from server.auth.introspection_setup import open_introspection
from server.auth.issuer_client import IssuerClient
from server.auth.issuer_keys import issuer_keys
from server.auth.key_cache import KeyCache
from server.auth.key_source import key_sources
from server.auth.routed_tokens import RoutedTokens
from server.auth.tokens import TokenVerifier
from server.config.settings import Settings
from server.config.stream import StreamSettings
from server.config.tokens import TokenSettings
from server.store.calls import StoredCalls
from server.transport.access_log import AccessLog
from server.transport.admission import Admission
from server.transport.aio.server import AioServer, Connections
from server.transport.aio.tls.credentials import server_credentials
from server.transport.asgi.server import AsgiServer
from server.transport.live_calls import LiveCalls
from server.transport.readiness import Announcing, Readiness

log = logging.getLogger("server")


@asynccontextmanager
async def open_aio_server(settings: Settings, *, shares_port: bool = False) -> AsyncIterator[AioServer]:
    """Serve on a port while the block lasts; requests get the configured grace at its end.

    Its health is SERVING once it is ready. One that shares its port listens only then, for it would get
    its share of the connections whatever its health is.
    Raises AddressTakenError if the address cannot be listened on, AuthNotConfiguredError,
    CertificateFilesError and DatabaseUrlError.
    """
    _warn_of_plain_text(settings)
    address = host_and_port(settings.server.grpc_host, settings.server.grpc_port)
    async with _service(settings) as (service, readiness):
        if shares_port:
            await readiness.until_ready()
        server = AioServer(
            service,
            address,
            server_credentials(settings.tls),
            reflected=settings.server.reflected,
            connections=Connections(shares_port, settings.server.max_connection_age_ms),
            access_log=AccessLog(settings.server.log_requests_ratio),
        )
        await server.start()
        listening = {"port": server.port, "tls": settings.tls.mode}
        log.info("listening", extra=listening)
        announcing = asyncio.create_task(_announce(server, readiness, listening, settings))
        try:
            yield server
        finally:
            announcing.cancel()
            await server.stop(settings.server.shutdown_grace_ms / 1000)


async def _announce(
    server: AioServer, readiness: Readiness, listening: Mapping[str, object], settings: Settings
) -> None:
    await readiness.until_ready()
    await server.announce_ready()
    log.info("serving", extra=listening)
    await _watch_database(server, readiness, settings)


async def _watch_database(server: Announcing, readiness: Readiness, settings: Settings) -> None:
    if grace_ms := settings.database.unhealthy_after_ms:
        await readiness.watch_database(server, grace_ms / 1000)


@asynccontextmanager
async def open_asgi_server(settings: Settings) -> AsyncIterator[AsgiServer]:
    """Serve a host's requests while the block lasts, which begins once the server is ready.

    The host listens only then. Raises AuthNotConfiguredError and DatabaseUrlError.
    """
    async with _service(settings) as (service, readiness):
        if settings.embedded.embedded_wait_ready:
            await readiness.until_ready()
        access_log = AccessLog(settings.server.log_requests_ratio)
        server = AsgiServer(service, reflected=settings.server.reflected, access_log=access_log)
        log.info("serving embedded in Envoy")
        watching = asyncio.create_task(_watch_database(server, readiness, settings))
        try:
            yield server
        finally:
            watching.cancel()
            await server.stop(0)  # the host has aborted by now what it did not let end


@asynccontextmanager
async def _service(settings: Settings) -> AsyncIterator[tuple[LiveCalls, Readiness]]:
    async with AsyncExitStack() as stack:
        authenticator, keys = await stack.enter_async_context(open_authenticator(settings))
        calls = StoredCalls(settings.database)
        stack.push_async_callback(calls.aclose)
        live_statuses = await stack.enter_async_context(_live_statuses(settings.stream))
        admission = Admission(authenticator, settings.server.max_concurrent_requests)
        readiness = Readiness(keys, calls, settings.database.ready_timeout_ms / 1000)
        yield LiveCalls(GetCall(calls, live_statuses), admission), readiness


def _warn_of_plain_text(settings: Settings) -> None:
    if settings.tls.mode == "off" and not settings.server.on_loopback:
        host = settings.server.grpc_host
        log.warning("gRPC is plain text, and other machines may reach it", extra={"host": host})


@asynccontextmanager
async def open_authenticator(
    settings: Settings,
) -> AsyncIterator[tuple[Authenticator, Collection[KeyCache]]]:
    """Keep the authenticator, and the keys that it needs, while the block lasts.

    Raises AuthNotConfiguredError.
    """
    if settings.server.auth == "off":
        log.warning("AUTH=off: whoever reaches this server may call it")
        yield AllowAll(), ()
        return
    accepted = settings.tokens
    if accepted.allows_plain_http:
        log.warning("AUTH_PLAIN_HTTP=on: whoever is on the line to an issuer can let anybody in")
    if not accepted.compares_audience:
        log.warning("AUTH_AUDIENCE_CLAIM=none: tokens that were issued for any service are accepted")
    async with aclosing(IssuerClient(accepted)) as client, AsyncExitStack() as stack:
        discoveries = discoveries_of(accepted, client)
        keys: Mapping[str, KeyCache] = {}
        if not settings.introspects_alone:
            sources = key_sources(accepted, client, discoveries)
            keys = await stack.enter_async_context(issuer_keys(sources))
        introspected = None
        if settings.introspection.configured:
            introspected = await stack.enter_async_context(
                open_introspection(accepted, settings.introspection, discoveries)
            )
        yield (
            TokenAuthenticator(_verifier(accepted, keys, introspected), accepted.scopes),
            set(keys.values()),
        )


def _verifier(
    accepted: TokenSettings, keys: Mapping[str, KeyCache], introspected: IntrospectedTokens | None
) -> Verifier:
    if introspected is None:
        return TokenVerifier(keys, rules_of(accepted))
    if not keys:
        return introspected
    return RoutedTokens(TokenVerifier(keys, rules_of(accepted)), introspected)


@asynccontextmanager
async def _live_statuses(settings: StreamSettings) -> AsyncIterator[LiveStatuses]:
    if not settings.configured:
        log.warning("Stream is not configured: live is null for every call")
        yield Unconfigured()
        return
    # The SDK takes a second to import: only if it is used.
    with imports_left_alone():
        from server.adapters.stream.client import StreamClient  # noqa: PLC0415

    siblings = Siblings(settings.sibling_sockets) if settings.sibling_sockets else None
    best_effort = BestEffort(StreamClient(settings), settings, siblings=siblings)
    try:
        yield best_effort
    finally:
        await best_effort.aclose()

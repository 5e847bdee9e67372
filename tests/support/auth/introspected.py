"""The gRPC service behind introspection, with a real endpoint."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo

from server.auth.authenticator import TokenAuthenticator
from server.auth.introspected_tokens import IntrospectedTokens
from server.auth.introspection_answer import expected_of
from server.auth.introspection_setup import introspection_client
from server.config.introspection import IntrospectionSettings
from server.config.tokens import TokenSettings
from tests.support.auth.guarded import refused
from tests.support.data.calls import PLAIN_CALL
from tests.support.server.service import (
    Deployment,
    Service,
    detail_of,
    scripted_service,
    trailer_of,
)
from tests.support.stand_ins.introspection_server import CLIENT_ID, CLIENT_SECRET, OWN_TOKEN

CREDENTIALS: dict[str, dict[str, Any]] = {
    "basic": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    "form": {"auth": "form", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    "bearer": {"auth": "bearer", "token": OWN_TOKEN},
    "none": {"auth": "none"},
}
"""The settings of each way in which the server authenticates."""

PATIENCE_MS = 60_000
"""How long a request may take on a busy machine."""


@asynccontextmanager
async def introspected_service(
    deployment: Deployment,
    url: str,
    *scopes: str,
    clock: Callable[[], float] = time.monotonic,
    accepted: TokenSettings | None = None,
    **settings: Any,
) -> AsyncIterator[Service]:
    """Serve one call to callers with a valid token, while the block lasts."""
    accepted = accepted or TokenSettings()
    patient = {"timeout_ms": PATIENCE_MS}
    asked = IntrospectionSettings(**{"url": url, **CREDENTIALS["basic"], **patient, **settings})
    async with introspection_client(accepted, asked) as introspect:
        tokens = IntrospectedTokens(introspect, expected_of(accepted, asked), asked, clock)
        async with scripted_service(
            deployment, TokenAuthenticator(tokens, frozenset(scopes))
        ) as service:
            service.ports.holds(PLAIN_CALL)
            yield service
        await tokens.aclose()


def server_settings(url: str, **changes: str) -> dict[str, str]:
    """Write the settings of a server that introspects tokens at the URL."""
    return {
        "AUTH": "on",
        "AUTH_INTROSPECTION_URL": url,
        "AUTH_INTROSPECTION_CLIENT_ID": CLIENT_ID,
        "AUTH_INTROSPECTION_CLIENT_SECRET": CLIENT_SECRET,
        "AUTH_INTROSPECTION_TIMEOUT_MS": str(PATIENCE_MS),
        **changes,
    }


async def unavailable(service: Service, token: str) -> None:
    """Request a call in vain, because the issuer does not respond."""
    error = await refused(service, token)
    assert error.code() == grpc.StatusCode.UNAVAILABLE
    assert error.details() == "Access tokens cannot be checked right now. Try again shortly."
    info = ErrorInfo(reason="INTROSPECTION_UNAVAILABLE", domain="livecalls.v1")
    assert detail_of(error, ErrorInfo) == info
    assert detail_of(error, RetryInfo).retry_delay.seconds == 1
    assert "www-authenticate" not in dict(error.trailing_metadata() or ())


async def invalid(service: Service, token: str) -> None:
    """Request a call in vain, with an invalid token."""
    error = await refused(service, token)
    assert error.code() == grpc.StatusCode.UNAUTHENTICATED
    assert error.details() == "The access token is not valid."
    assert detail_of(error, ErrorInfo).reason == "TOKEN_INVALID"
    challenge = trailer_of(error, "www-authenticate")
    assert challenge == b'Bearer realm="livecalls", error="invalid_token"'

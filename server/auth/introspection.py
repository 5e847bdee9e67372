"""Introspects access tokens at their issuer (RFC 7662)."""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from secrets import token_urlsafe
from urllib.parse import quote_plus

from server.auth.bearer import is_bearer_token
from server.auth.introspection_answer import Answer, parse_answer
from server.auth.issuer_client import IssuerClient
from server.auth.issuer_errors import IssuerError
from server.config.introspection import IntrospectionSettings

Introspect = Callable[[str], Awaitable[Answer]]
"""Introspects a token; raises IssuerError if there is no usable response."""

_TOKEN = {"token_type_hint": "access_token"}


FindEndpoint = Callable[[], Awaitable[str]]
"""Finds the URL of the endpoint; raises IssuerError."""


def introspection(
    client: IssuerClient, settings: IntrospectionSettings, find_endpoint: FindEndpoint
) -> Introspect:
    """Introspect tokens as configured. The token is in the body of the request alone."""
    form = {**_TOKEN, **_form_credentials(settings)}

    async def introspect(token: str) -> Answer:
        headers = await _header_credentials(settings)
        url = await find_endpoint()
        return parse_answer(await client.post(url, {"token": token, **form}, headers))

    return introspect


async def try_introspection(introspect: Introspect) -> None:
    """Introspect a random token, which nobody issued; raises IssuerError if the response is unusable."""
    answer = await introspect(token_urlsafe())
    if answer["active"]:
        raise IssuerError("a random token is active there")


def _form_credentials(settings: IntrospectionSettings) -> Mapping[str, str]:
    if settings.auth != "form":
        return {}
    return dict(zip(("client_id", "client_secret"), _client(settings), strict=True))


async def _header_credentials(settings: IntrospectionSettings) -> Mapping[str, str]:
    match settings.auth:
        case "basic":
            return {"authorization": basic(*_client(settings))}
        case "bearer":
            return {"authorization": f"Bearer {await _own_token(settings)}"}
    return {}


def _client(settings: IntrospectionSettings) -> tuple[str, str]:
    secret = settings.client_secret
    return settings.client_id or "", secret.get_secret_value() if secret else ""


def basic(client_id: str, client_secret: str) -> str:
    """Write client credentials as HTTP Basic, each form-encoded first (RFC 6749, section 2.3.1)."""
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


async def _own_token(settings: IntrospectionSettings) -> str:
    if settings.token is not None:
        return settings.token.get_secret_value()
    return await asyncio.to_thread(_read_token, settings.token_file or Path())


def _read_token(file: Path) -> str:
    try:
        token = file.read_bytes().strip().decode()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise IssuerError(f"AUTH_INTROSPECTION_TOKEN_FILE cannot be read: {reason}") from error
    if not is_bearer_token(token):
        raise IssuerError("AUTH_INTROSPECTION_TOKEN_FILE holds no token")
    return token

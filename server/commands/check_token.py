"""Tries one access token, and finds out which check it fails."""

import asyncio
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import jwt

from server.auth.errors import (
    NotAdmittedError,
    ScopesMissingError,
    TokenRefusedError,
    TokenRequiredError,
)
from server.bootstrap import open_authenticator
from server.commands.finding import Finding
from server.config.settings import Settings
from server.config.tokens import TokenSettings

_MAX_SHOWN = 200
# What issuers have that write no `aud`.
_NAMES_OF_CLIENTS = ("aud", "client_id", "azp")


def try_token(settings: Settings, token: str) -> Finding:
    """Verify a token as a caller's; the finding has what decides about it, and not the token."""
    # The keys have a finding of their own.
    logging.getLogger("server").addHandler(logging.NullHandler())
    token = token.strip()
    verdict = asyncio.run(_verdict(settings, token))
    described = "; ".join([verdict or "accepted", *_describe(settings, token)])
    return Finding("FAIL" if verdict else "ok", "token", described)


async def _verdict(settings: Settings, token: str) -> str | None:
    """Return why a token is rejected, or None."""
    try:
        async with open_authenticator(settings) as (authenticator, _):
            await authenticator.admit([f"Bearer {token}"])
    except (TokenRequiredError, TokenRefusedError) as error:
        return f"refused: {error.check}{_format_details(error.shown)}"
    except ScopesMissingError as error:
        return f"refused: it does not grant all of the scopes {' '.join(sorted(error.required))}"
    except NotAdmittedError as error:
        return str(error)
    return None


def _format_details(details: Mapping[str, object]) -> str:
    return "".join(f", {name} {_json(value)}" for name, value in details.items())


def _describe(settings: Settings, token: str) -> Iterator[str]:
    """Describe a JSON Web Token's deciding claims, and what is required; no other can be read here."""
    try:
        decoded = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        if not settings.introspection.configured:
            yield "it is no JSON Web Token, and opaque ones need AUTH_INTROSPECTION_URL"
        return
    yield from _compare(settings.tokens, decoded)


def _compare(settings: TokenSettings, decoded: Mapping[str, Any]) -> Iterator[str]:
    header, claims = decoded["header"], decoded["payload"]
    audience = [settings.audience_claim] if settings.compares_audience else []
    names = dict.fromkeys(["iss", *audience, *_NAMES_OF_CLIENTS, *settings.scope_claims])
    has = [*_members(header, ("typ", "alg", "kid")), *_members(claims, names), *_times(claims)]
    yield f"it has {', '.join(has)}"
    yield f"wanted: {', '.join(_list_wanted(settings))}"


def _members(members: Mapping[str, Any], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if name in members:
            yield f"{name} {_json(members[name])}"


def _times(claims: Mapping[str, Any]) -> Iterator[str]:
    for name in ("nbf", "exp"):
        with suppress(KeyError, TypeError, ValueError, OverflowError, OSError):
            yield f"{name} {datetime.fromtimestamp(claims[name], UTC):%Y-%m-%dT%H:%M:%SZ}"


def _list_wanted(settings: TokenSettings) -> Iterator[str]:
    if settings.token_type != "any":  # noqa: S105 - no secret
        yield f"typ {_json(settings.token_type)}"
    yield f"iss {' or '.join(map(_json, settings.issuer))}"
    if settings.compares_audience:
        yield f"{settings.audience_claim} {' or '.join(map(_json, settings.audience))}"
    if settings.scopes:
        yield f"the scopes {' '.join(sorted(settings.scopes))}"


def _json(value: object) -> str:
    """Return a token's value as JSON, which can neither end the line nor move the cursor."""
    return json.dumps(value)[:_MAX_SHOWN]

"""Checks what access tokens are verified with: key sets, and the introspection endpoint."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from http import HTTPStatus

from server.auth.discovery import discoveries_of
from server.auth.errors import AuthNotConfiguredError
from server.auth.introspection import try_introspection
from server.auth.introspection_setup import introspection_client
from server.auth.issuer_client import IssuerClient
from server.auth.issuer_errors import IssuerError
from server.auth.jwks import KeySet, UnusableKeysError, read_key_set
from server.auth.key_source import KeySource, KeySourceError, key_sources
from server.commands.errors import pluralize
from server.commands.finding import Finding
from server.config.settings import Settings
from server.config.tokens import TokenSettings


def check_issuers(settings: Settings) -> Iterator[Finding]:
    """Fetch the keys, and introspect a token that nobody has issued, as far as either is configured."""
    if settings.server.auth == "off":
        yield Finding("--", "tokens", "AUTH=off: everybody may call")
        return
    if settings.introspects_alone:
        yield Finding("--", "tokens", "no keys are set: all tokens are introspected")
    else:
        yield _keys(settings.tokens)
    if settings.introspection.configured:
        yield _introspection(settings)


def _keys(settings: TokenSettings) -> Finding:
    try:
        keys = asyncio.run(_key_sets(settings))
    except (AuthNotConfiguredError, KeySourceError) as error:
        return Finding("FAIL", "tokens", str(error))
    return Finding("ok", "tokens", f"{pluralize(sum(map(len, keys)), 'key')} to check them with")


def _introspection(settings: Settings) -> Finding:
    try:
        asyncio.run(_introspect(settings))
    except IssuerError as error:
        is_refusal = error.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
        verdict = "credentials refused" if is_refusal else "cannot be asked"
        return Finding("FAIL", "introspection", f"{verdict} ({error.reason})")
    return Finding("ok", "introspection", "credentials accepted")


async def _introspect(settings: Settings) -> None:
    async with (
        aclosing(IssuerClient(settings.tokens)) as client,
        introspection_client(
            settings.tokens, settings.introspection, discoveries_of(settings.tokens, client)
        ) as introspect,
    ):
        await try_introspection(introspect)


async def _key_sets(settings: TokenSettings) -> list[KeySet]:
    async with aclosing(IssuerClient(settings)) as client:
        sources = key_sources(settings, client, discoveries_of(settings, client))
        by_source = {source: issuer for issuer, source in sources.items()}
        return [
            await _key_set(source, f"{issuer}: " if len(by_source) > 1 else "")
            for source, issuer in by_source.items()
        ]


async def _key_set(source: KeySource, of: str) -> KeySet:
    try:
        return read_key_set(await source())
    except (KeySourceError, UnusableKeysError) as error:
        raise KeySourceError(f"{of}{error}") from error

"""The source of a key set: a file, a URL, or the address that an issuer publishes."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from server.auth.discovery import Discovery
from server.auth.errors import AuthNotConfiguredError
from server.auth.issuer_answer import without_bom
from server.auth.issuer_client import IssuerClient
from server.auth.issuer_errors import IssuerError
from server.auth.key_server_token import KeyServerToken, key_server_token
from server.config.tokens import TokenSettings

KeySource = Callable[[], Coroutine[Any, Any, bytes]]
"""Reads the document of a key set; raises KeySourceError."""

_MAX_SHOWN = 200

log = logging.getLogger("server.auth")


class KeySourceError(Exception):
    """The document cannot be read; the message is the reason, for the log."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        """Seconds of the source's Retry-After, if it has one."""


def key_sources(
    settings: TokenSettings, client: IssuerClient, discoveries: Mapping[str, Discovery]
) -> Mapping[str, KeySource]:
    """Find the source of each issuer's keys; raises AuthNotConfiguredError if there is no issuer.

    Issuers share the one source that is configured, which is theirs on purpose: Entra's tenants
    and Google's two names have one key set. If keys are discovered, each issuer has its own.
    """
    if not settings.configured:
        raise AuthNotConfiguredError
    if settings.jwks_file is not None:
        return dict.fromkeys(settings.issuer, of_file(settings.jwks_file))
    if settings.jwks_url is not None:
        url = settings.jwks_url
        return dict.fromkeys(settings.issuer, of_url(client, url, key_server_token(settings, url)))
    return {
        issuer: of_discovery(client, discovery, key_server_token(settings, issuer))
        for issuer, discovery in discoveries.items()
    }


def of_file(path: Path) -> KeySource:
    """Read a file, again every time."""

    async def read() -> bytes:
        try:
            return without_bom(await asyncio.to_thread(path.read_bytes))
        except OSError as error:
            raise KeySourceError(error.strerror or type(error).__name__) from error

    return read


def of_url(client: IssuerClient, url: str, token: KeyServerToken | None = None) -> KeySource:
    """Fetch a URL, with a bearer token if it requires one."""

    async def fetch() -> bytes:
        try:
            return await client.get(url, await token.headers_for(url) if token else {})
        except IssuerError as error:
            raise KeySourceError(error.reason, error.retry_after) from error

    return fetch


def of_discovery(
    client: IssuerClient, discovery: Discovery, token: KeyServerToken | None = None
) -> KeySource:
    """Fetch the keys from the address that the issuer publishes, which is reread every time."""

    async def fetch() -> bytes:
        uri = await _jwks_uri(discovery)
        try:
            return await of_url(client, uri, token)()
        except KeySourceError as error:
            raise KeySourceError(f"{error} (at {uri[:_MAX_SHOWN]})", error.retry_after) from error

    return fetch


async def _jwks_uri(discovery: Discovery) -> str:
    """Read the address of the keys; while the issuer does not publish it, the last one is good."""
    try:
        return (await discovery.read()).jwks_uri
    except IssuerError as error:
        if discovery.known is None:
            raise KeySourceError(error.reason, error.retry_after) from error
        failure = {"issuer": discovery.issuer, "reason": error.reason}
        log.warning("the issuer's metadata cannot be read", extra=failure)
        return discovery.known.jwks_uri

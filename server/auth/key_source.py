"""Where a key set is read from: a file, or a URL."""

import asyncio
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx

from server.auth.errors import AuthNotConfiguredError
from server.config.tokens import TokenSettings

KeySource = Callable[[], Coroutine[Any, Any, bytes]]
"""Reads the document of a key set; raises KeySourceError."""

LARGEST_DOCUMENT = 256 * 1024
"""Bytes of a document that are read at most; a key takes some 500."""
_WITHIN_SECONDS = 3.0


class KeySourceError(Exception):
    """The document cannot be read; the message says why, for the log."""


def key_source(settings: TokenSettings) -> KeySource:
    """Find the source that the settings name; raises AuthNotConfiguredError where they name none."""
    if settings.jwks_url is not None:
        return of_url(settings.jwks_url)
    if settings.jwks_file is not None:
        return of_file(settings.jwks_file)
    raise AuthNotConfiguredError


def of_file(path: Path) -> KeySource:
    """Read a file, anew every time."""

    async def read() -> bytes:
        try:
            return await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise KeySourceError(error.strerror or type(error).__name__) from error

    return read


def of_url(url: str) -> KeySource:
    """Fetch a URL, within 3 s; redirects are not followed."""

    async def fetch() -> bytes:
        # It takes 14 ms, for which the loop would answer nobody.
        trusted = await asyncio.to_thread(httpx.create_ssl_context, trust_env=False)
        try:
            async with (
                asyncio.timeout(_WITHIN_SECONDS),
                httpx.AsyncClient(verify=trusted, trust_env=False, timeout=_WITHIN_SECONDS) as client,
                client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as response,
            ):
                return await _body(response)
        except TimeoutError as error:
            raise KeySourceError(f"no answer in {_WITHIN_SECONDS:.0f} s") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise KeySourceError(str(error) or type(error).__name__) from error

    return fetch


async def _body(response: httpx.Response) -> bytes:
    if response.status_code != HTTPStatus.OK:
        raise KeySourceError(f"status {response.status_code}")
    body = b""
    async for part in response.aiter_raw():
        body += part
        if len(body) > LARGEST_DOCUMENT:
            raise KeySourceError("too large")
    return body

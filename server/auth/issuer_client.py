"""The HTTP client for issuers: for key sets, discovery and introspection."""

import asyncio
import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import MappingProxyType
from typing import Any

import httpx

from server.auth.issuer_answer import read_answer, without_bom
from server.auth.issuer_errors import IssuerError, describe, is_distrust
from server.auth.issuer_proxy import Proxy, choose_proxy
from server.auth.issuer_tls import create_trust
from server.config.tokens import TokenSettings

TIMEOUT_SECONDS = 3.0

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})
_HEADERS = {"accept": "application/json, */*;q=0.5", "accept-encoding": "identity"}
# Below the 5 s after which Node, Apache and uvicorn close an idle connection.
_IDLE_SECONDS = 4.0


class IssuerClient:
    """Sends GET and POST requests; a response must be a JSON object with status 200.

    It keeps connections, follows no redirect, and reads 256 KiB at most. It belongs to one event loop.
    """

    def __init__(
        self, settings: TokenSettings, *, timeout: float = TIMEOUT_SECONDS, max_connections: int = 20
    ) -> None:
        """Time out a request after so many seconds, from connecting to the last byte."""
        self._ca_file = settings.ca_file
        self._proxy_url = settings.proxy_url.get_secret_value() if settings.proxy_url else None
        self._timeout = timeout
        self._limits = httpx.Limits(
            max_connections=max_connections,
            max_keepalive_connections=max_connections,
            keepalive_expiry=_IDLE_SECONDS,
        )
        self._trust: ssl.SSLContext | None = None
        self._creating = asyncio.Lock()
        self._clients: dict[Proxy | None, httpx.AsyncClient] = {}

    async def get(self, url: str, headers: Mapping[str, str] = _NO_HEADERS) -> bytes:
        """Read a document; raises IssuerError."""
        return await self._ask("GET", url, headers, None)

    async def post(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] = _NO_HEADERS
    ) -> bytes:
        """Send a form, and read the response; raises IssuerError."""
        return await self._ask("POST", url, headers, form)

    async def aclose(self) -> None:
        """Close the connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> bytes:
        trust = await self._load_context()
        proxy = None
        try:
            proxy = choose_proxy(url, self._proxy_url)
            client = self._client(trust, proxy)
            async with asyncio.timeout(self._timeout):
                return await _exchange(client, method, url, headers, form)
        except IssuerError:
            raise
        except TimeoutError as error:
            raise IssuerError(f"time-out: no answer in {self._timeout:g} s{_by(proxy)}") from error
        except Exception as error:  # what libraries raise for odd addresses is no short list
            await self._look_for_new_authorities(trust, error)
            raise IssuerError(f"{describe(error)}{_by(proxy)}") from error

    def _client(self, trust: ssl.SSLContext, proxy: Proxy | None) -> httpx.AsyncClient:
        if proxy not in self._clients:
            self._clients[proxy] = httpx.AsyncClient(
                verify=trust,
                proxy=_proxy(trust, proxy),
                trust_env=False,
                timeout=None,  # noqa: S113 - the whole request has one
                limits=self._limits,
                headers=_HEADERS,
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            )
        return self._clients[proxy]

    async def _load_context(self) -> ssl.SSLContext:
        async with self._creating:
            if self._trust is None:
                try:
                    # It would block the event loop for 14 ms.
                    self._trust = await asyncio.to_thread(create_trust, self._ca_file)
                except OSError as error:
                    raise IssuerError(f"AUTH_CA_FILE cannot be used: {error.strerror}") from error
            return self._trust

    async def _look_for_new_authorities(self, trust: ssl.SSLContext, error: Exception) -> None:
        """Reload AUTH_CA_FILE for the next request, if that may help."""
        if self._ca_file is not None and is_distrust(error):
            with suppress(OSError):
                await asyncio.to_thread(trust.load_verify_locations, self._ca_file)


def parse_json(document: bytes) -> Any:
    """Read JSON in UTF-8; raises IssuerError."""
    try:
        return json.loads(without_bom(document).decode())
    except (ValueError, RecursionError) as error:
        raise IssuerError("no JSON") from error


async def _exchange(
    client: httpx.AsyncClient,
    method: str,
    url: str,
    headers: Mapping[str, str],
    form: Mapping[str, str] | None,
) -> bytes:
    """Retry once if the server closed a kept connection at the same time."""
    is_new = False

    async def watch(event: str, _: Any) -> None:
        nonlocal is_new
        is_new = is_new or event == "connection.connect_tcp.started"

    request = client.build_request(method, url, headers=headers, data=form, extensions={"trace": watch})
    try:
        response = await client.send(request, stream=True)
    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
        if is_new:
            raise
        response = await client.send(request, stream=True)
    try:
        return await read_answer(response)
    finally:
        await response.aclose()


def _proxy(trust: ssl.SSLContext, proxy: Proxy | None) -> httpx.Proxy | None:
    if proxy is None:
        return None
    encrypted = proxy.url.startswith("https:")
    return httpx.Proxy(proxy.url, ssl_context=trust if encrypted else None)


def _by(proxy: Proxy | None) -> str:
    return f" (through {proxy.setting})" if proxy else ""

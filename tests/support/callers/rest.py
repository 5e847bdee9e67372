"""Requests sent exactly as written: no path normalized, no header added but Host."""

import http.client
import json
import socket
import ssl
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_WITHIN_SECONDS = 20


@dataclass(frozen=True)
class Reply:
    """A reply as received."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The one header of the name; it must not occur twice."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} stands there {len(values)} times"
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """Send one request and read its reply."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_WITHIN_SECONDS)
    with closing(connection):
        return ask_over(connection, method, path, headers, body)


def ask_over(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> Reply:
    """Send one request on a connection, which may be kept for others."""
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.endheaders(body)
    return _read(connection.getresponse())


def tls_connection(address: str, context: ssl.SSLContext) -> http.client.HTTPSConnection:
    """Make a connection by TLS, for requests."""
    return http.client.HTTPSConnection(address, timeout=_WITHIN_SECONDS, context=context)


def connected(address: str) -> socket.socket:
    """Connect to a host and port."""
    host, _, port = address.partition(":")
    return socket.create_connection((host, int(port)), timeout=_WITHIN_SECONDS)


def connected_by_tls(address: str, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Connect to a host and port by TLS; the certificate must be for the host."""
    return context.wrap_socket(connected(address), server_hostname=address.partition(":")[0])


def send_raw(url: str, request: bytes) -> Reply:
    """Send bytes that need be no HTTP at all, and read the reply."""
    with connected(urlsplit(url).netloc) as connection:
        connection.sendall(request)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return _read(response)


def _read(response: http.client.HTTPResponse) -> Reply:
    headers = [(name.lower(), value) for name, value in response.getheaders()]
    return Reply(response.status, headers, response.read())

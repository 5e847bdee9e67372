"""A key server on a port of its own, which publishes a key set and can be made to misbehave."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.auth.tokens import Signer, all_signers, key_set

PATH = "/keys.json"
OPENID = "/.well-known/openid-configuration"

Answer = Callable[[BaseHTTPRequestHandler, threading.Event], Any]
"""Responds to a request; the event is set once the server is to behave otherwise."""


class KeyServer:
    """Responds to every request with the key set, until it is made to behave otherwise."""

    def __init__(
        self, port: int = 0, host: str = "127.0.0.1", *, keeps_connections: bool = False
    ) -> None:
        self.requests = 0
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self._protocol = "HTTP/1.1" if keeps_connections else "HTTP/1.0"
        self._woken = threading.Event()
        self._server = _Server(host, port, self._handler())
        self._scheme = "http"
        self._host = host
        self.port: int = self._server.server_address[1]
        self._answer: Answer
        self._answers_by_path: dict[str, Answer] = {}
        self.publishes(*all_signers())

    @property
    def origin(self) -> str:
        return f"{self._scheme}://{self._host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}{PATH}"

    def publishes(self, *keys: Signer | dict[str, Any]) -> None:
        """Respond with these keys from now on."""
        self.answers(200, key_set(*keys))

    def answers(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Respond with a status, a body and headers, whose names have underscores for hyphens."""
        self._behaves(lambda request, _: _reply(request, status, body, headers))

    def answers_at(self, path: str, status: int, body: bytes = b"", **headers: str) -> None:
        """Respond at one path otherwise than at all others."""
        self._answers_by_path[path] = lambda request, _: _reply(request, status, body, headers)

    def describes(self, issuer: Any, at: str | None = None, **metadata: Any) -> None:
        """Publish an issuer's metadata, at the path that OpenID Connect has for it or at another."""
        path = at or f"{urlsplit(issuer).path.removesuffix('/')}{OPENID}"
        document = {"issuer": issuer, "jwks_uri": self.url, **metadata}
        self.answers_at(path, 200, json.dumps(document).encode())

    def hangs(self) -> None:
        """Take requests and leave them without a response, until it is made to behave otherwise."""
        self._behaves(lambda _, woken: woken.wait())

    def trickles(self, body: bytes, pause: float = 0) -> None:
        """Send the body again and again, so many seconds apart, until it is made to behave otherwise."""
        self._behaves(lambda request, woken: _trickle(request, body, lambda: woken.wait(pause)))

    def hangs_up(self) -> None:
        """Take requests and close the connection."""
        self._behaves(_hang_up)

    def hangs_up_once(self) -> None:
        """Take one request and close the connection, and respond to the next as before."""
        before = self._answer

        def hang_up(request: BaseHTTPRequestHandler, _: threading.Event) -> None:
            _hang_up(request, _)
            self._behaves(before)

        self._behaves(hang_up)

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator[None]:
        """Listen while the block lasts, for https if a context is given."""
        if tls:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            self._woken.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _behaves(self, answer: Answer) -> None:
        self._woken.set()
        self._woken = threading.Event()
        self._answer = answer

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = outer._protocol

            def setup(self) -> None:
                outer.connections += 1
                super().setup()

            def do_GET(self) -> None:
                outer.requests += 1
                outer.bodies.append(self.rfile.read(int(self.headers.get("content-length", "0"))))
                outer.paths.append(self.path)
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                with suppress(ConnectionError):
                    outer._answers_by_path.get(self.path, outer._answer)(self, outer._woken)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    block_on_close = False

    def __init__(self, host: str, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__((host, port), handler)


def _reply(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def _hang_up(request: BaseHTTPRequestHandler, _: threading.Event) -> None:
    request.close_connection = True


def _trickle(request: BaseHTTPRequestHandler, body: bytes, woken: Callable[[], bool]) -> None:
    request.send_response(200)
    request.end_headers()
    while not woken():
        request.wfile.write(body)


@pytest.fixture
def key_server() -> Iterator[KeyServer]:
    server = KeyServer()
    with server.running():
        yield server

"""A key server on a port of its own, which publishes a key set and can be told to misbehave."""

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.tokens import Signer, all_signers, key_set

PATH = "/keys.json"

Answer = Callable[[BaseHTTPRequestHandler, threading.Event], Any]
"""Answers a request; the event is set once the server is told otherwise."""


class KeyServer:
    """Answers every GET with the key set, until it is told otherwise."""

    def __init__(self, port: int = 0) -> None:
        self.requests = 0
        self.headers: list[dict[str, str]] = []
        self._woken = threading.Event()
        self._server = _Server(port, self._handler())
        self.port: int = self._server.server_address[1]
        self._answer: Answer
        self.publishes(*all_signers())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    def publishes(self, *keys: Signer | dict[str, Any]) -> None:
        """Answer with these keys from now on."""
        self.answers(200, key_set(*keys))

    def answers(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer with a status, a body and headers."""
        self._behaves(lambda request, _: _reply(request, status, body, headers))

    def hangs(self) -> None:
        """Take requests and leave them without an answer, until it is told otherwise."""
        self._behaves(lambda _, woken: woken.wait())

    def trickles(self, body: bytes, pause: float = 0) -> None:
        """Answer with the body again and again, so many seconds apart, until it is told otherwise."""
        self._behaves(lambda request, woken: _trickle(request, body, lambda: woken.wait(pause)))

    def hangs_up(self) -> None:
        """Take requests and close the connection."""
        self._behaves(lambda _, __: None)

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator[None]:
        """Listen while the block lasts, for https where a context is given."""
        if tls:
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
            def do_GET(self) -> None:
                outer.requests += 1
                outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                with suppress(ConnectionError):
                    outer._answer(self, outer._woken)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    block_on_close = False

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", port), handler)


def _reply(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


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

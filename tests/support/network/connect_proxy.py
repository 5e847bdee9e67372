"""A small HTTP proxy: it opens tunnels, and forwards plain http, to a target that a test sets."""

import base64
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


class ConnectProxy(ThreadingHTTPServer):
    """Connects every host to one port of this machine, and remembers its requests."""

    block_on_close = False

    def __init__(self, port: int, credentials: str = "") -> None:
        """Require `user:password` if they are given."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.leads_to = ("127.0.0.1", port)
        self.targets: list[str] = []
        """The hosts and ports that were requested, in order."""
        self.forwarded: list[str] = []
        """The paths that it could read, for they were not in a tunnel."""
        self.status: int | None = None
        """Respond to all with this status instead."""
        self.credentials = credentials

    @property
    def url(self) -> str:
        user = f"{self.credentials}@" if self.credentials else ""
        scheme = "https" if isinstance(self.socket, ssl.SSLSocket) else "http"
        return f"{scheme}://{user}127.0.0.1:{self.server_address[1]}"

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator["ConnectProxy"]:
        """Listen while the block lasts, by TLS if a context is given."""
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: ConnectProxy

    def do_CONNECT(self) -> None:
        self.server.targets.append(self.path)
        if self._is_let_through():
            self.send_response(200)
            self.end_headers()
            self._pass_on(b"")

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.server.targets.append(url.netloc)
        self.server.forwarded.append(url.path)
        if self._is_let_through():
            self._pass_on(f"GET {url.path} HTTP/1.0\r\nhost: {url.netloc}\r\n\r\n".encode())

    def log_message(self, *_: Any) -> None:
        pass

    def _is_let_through(self) -> bool:
        status = self.server.status or self._refusal()
        if status:
            self.send_error(status)
        return not status

    def _refusal(self) -> int | None:
        wanted = f"Basic {base64.b64encode(self.server.credentials.encode()).decode()}"
        is_known = self.headers.get("proxy-authorization") == wanted
        return 407 if self.server.credentials and not is_known else None

    def _pass_on(self, begin: bytes) -> None:
        with socket.create_connection(self.server.leads_to) as there, suppress(OSError):
            there.sendall(begin)
            back = threading.Thread(target=_pump, args=(there, self.connection))
            back.start()
            _pump(self.connection, there)
            back.join()
        self.close_connection = True


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)

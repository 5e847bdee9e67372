"""An introspection endpoint (RFC 7662) on a port of its own, which can be made to misbehave."""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import pytest

PATH = "/v1/oauth/introspect"
CLIENT_ID = "livecalls:eu"
CLIENT_SECRET = "a+b%/ü secret"  # noqa: S105 - the server's own
OWN_TOKEN = "own-token"  # noqa: S105 - the server's own

Answer = tuple[int, bytes, dict[str, str]]
"""A status, a body and headers."""


class IntrospectionServer:
    """Knows some tokens, and accepts the credentials above in the way that it is set to."""

    def __init__(self, auth: str = "basic") -> None:
        self.auth = auth
        self.asked: Counter[str] = Counter()
        """The requests about each token."""
        self.forms: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.under_way = self.most_under_way = 0
        self.takes = 0.0
        """Seconds that each response takes."""
        self._tokens: dict[str, dict[str, Any]] = {}
        self._answer: Callable[[dict[str, str], threading.Event], Answer | None] = self._introspect
        self._woken = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.port: int = self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    @property
    def requests(self) -> int:
        """The number of requests, about any token."""
        return self.asked.total()

    def knows(self, token: str, **claims: Any) -> str:
        """Report from now on that a token is active, with these claims; return the token."""
        self._tokens[token] = {"active": True, **claims}
        return token

    def revokes(self, token: str) -> None:
        """Report from now on that a token is not active."""
        del self._tokens[token]

    def answers(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Respond the same to all from now on."""
        self._behaves(lambda _, __: (status, body, headers))

    def hangs(self) -> None:
        """Leave requests without a response, until it is made to behave otherwise."""
        self._behaves(self._hang)

    def hangs_up(self) -> None:
        """Close the connection instead of responding."""
        self._behaves(lambda _, __: None)

    def is_well(self) -> None:
        """Respond with what is known of each token."""
        self._behaves(self._introspect)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Listen while the block lasts."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            self.hangs_up()
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _behaves(self, answer: Callable[[dict[str, str], threading.Event], Answer | None]) -> None:
        self._answer = answer
        self._woken.set()
        self._woken = threading.Event()

    def _introspect(self, form: dict[str, str], _: threading.Event) -> Answer:
        known = self._tokens.get(form.get("token", ""), {"active": False})
        return 200, json.dumps(known).encode(), {"content-type": "application/json"}

    def _hang(self, form: dict[str, str], woken: threading.Event) -> Answer | None:
        woken.wait()
        return self._answer(form, self._woken)

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        scheme, _, shown = authorization.partition(" ")
        match self.auth:
            case "basic":
                pair = base64.b64decode(shown).decode().split(":") if scheme == "Basic" else []
                return [unquote_plus(text) for text in pair] == [CLIENT_ID, CLIENT_SECRET]
            case "form":
                return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
            case "bearer":
                return (scheme, shown) == ("Bearer", OWN_TOKEN)
        return not authorization and "client_id" not in form

    def _take(self, request: BaseHTTPRequestHandler, body: bytes) -> Answer | None:
        form = dict(parse_qsl(body.decode()))
        headers = {name.lower(): value for name, value in request.headers.items()}
        with self._lock:
            self.asked[form.get("token", "")] += 1
            self.forms.append(form)
            self.headers.append(headers)
            self.paths.append(request.path)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            if not self._is_client(form, headers.get("authorization", "")):
                return 401, b'{"error": "invalid_client"}', {"www-authenticate": "Basic"}
            time.sleep(self.takes)
            return self._answer(form, self._woken)
        finally:
            with self._lock:
                self.under_way -= 1

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                answer = outer._take(self, body)
                if answer is None:
                    self.close_connection = True
                    return
                with suppress(ConnectionError):
                    _reply(self, *answer)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


class _Server(ThreadingHTTPServer):
    block_on_close = False
    request_queue_size = 128


def _reply(request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
    request.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def introspection_server() -> Iterator[IntrospectionServer]:
    server = IntrospectionServer()
    with server.running():
        yield server

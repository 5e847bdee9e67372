"""How the command line handles REST replies, also those that the service never sends."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from livecalls.v1 import live_calls_pb2 as pb

from client.by_rest import RestCaller
from client.caller import (
    CallerError,
    CallNotFoundError,
    ServiceFailedError,
    TokenRefusedError,
    UnavailableError,
)
from client.rest_json import to_json
from client.settings import CallerSettings

CALL = to_json(pb.Call(id="a"))


class Scripted(ThreadingHTTPServer):
    """Responds as a test scripts it, and records the requests."""

    status, body, headers = 200, CALL, {}  # type: tuple[int, str, dict[str, str]]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, dict[str, str]]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        self.send_response(self.server.status)
        for name, value in {"content-length": str(len(self.server.body)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body.encode())

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Scripted]:
    with Scripted() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def caller(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> Iterator[RestCaller]:
    monkeypatch.setenv("ACCESS_TOKEN", "a.b.c")
    caller = RestCaller(f"http://127.0.0.1:{server.server_port}/", CallerSettings(), 5)
    yield caller
    caller.close()


def test_the_id_stays_within_its_part_of_the_path(server: Scripted, caller: RestCaller) -> None:
    assert caller.ask("a/b?c#ж") == CALL
    ((path, headers),) = server.asked
    assert path == "/v1/live/calls/a%2Fb%3Fc%23%D0%B6"
    assert headers["authorization"] == "Bearer a.b.c"


def test_what_has_not_changed_is_not_sent_again(server: Scripted, caller: RestCaller) -> None:
    server.headers = {"etag": '"1"'}
    caller.ask("a")
    server.status, server.body = 304, ""
    assert caller.ask("a") == CALL
    assert server.asked[-1][1]["if-none-match"] == '"1"'


def documented_error(word: str) -> str:
    return json.dumps({"error": word, "message": "So it is."})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, CallNotFoundError),
        *((status, TokenRefusedError) for status in (401, 403)),
        *((status, UnavailableError) for status in (408, 429, 503, 504)),
        *((status, ServiceFailedError) for status in (302, 400, 500)),
    ],
)
def test_an_error_is_told_in_its_own_words(
    server: Scripted, caller: RestCaller, status: int, kind: type[CallerError]
) -> None:
    server.status, server.body = status, documented_error("any")
    with pytest.raises(kind, match=r"So it is\."):
        caller.ask("a")


@pytest.mark.parametrize(
    ("status", "body"), [(200, "<html>"), (200, "{}"), (404, "<html>"), (503, "[]"), (401, "{}")]
)
def test_others_are_not_taken_for_the_service(
    server: Scripted, caller: RestCaller, status: int, body: str
) -> None:
    server.status, server.body = status, body
    with pytest.raises(ServiceFailedError):
        caller.ask("a")


def test_who_breaks_off_is_away(server: Scripted, caller: RestCaller) -> None:
    server.headers = {"content-length": "1000"}
    with pytest.raises(UnavailableError):
        caller.ask("a")
